/* SPDX-License-Identifier: BSD-3-Clause */

#include "liar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t mem[60000];
struct liar_seen liar_seen;
struct ike_payloads liar_answered;
struct ike_notify liar_error;

static struct ike_sa *sa_of(struct pair *p, unsigned side, const struct ike_header *h, bool sender)
{
	bool initiator = h->flags & IKE_FLAG_INITIATOR;

	return ike_engine_find_sa(p->side[side].engine, initiator == sender ? h->spi_i : h->spi_r);
}

bool liar_open(struct pair *p, const struct datagram *d, uint8_t *buffer, struct ike_payloads *out)
{
	struct ike_payloads clear;
	struct ike_header h;
	struct ike_sa *sa;
	struct wire inner;
	uint8_t first;

	memcpy(buffer, d->bytes, d->len);
	if (ike_header_parse(buffer, d->len, &h) ||
	    ike_payloads_parse(wire_of(buffer + IKE_HEADER_BYTES, d->len - IKE_HEADER_BYTES),
		h.next_payload, &clear))
		return false;
	if (h.next_payload != PAYLOAD_SK) {
		*out = clear;
		return true;
	}
	sa = sa_of(p, !d->from, &h, false);
	return sa && ike_message_open(sa, &h, buffer, d->len, &clear, &inner, &first) == 1 &&
	    !ike_payloads_parse(inner, first, out);
}

static void put(struct ike_chain *c, const struct liar_edit *e)
{
	ike_chain_put(c, e->type, e->body, e->len);
	if (e->critical)
		wirebuf_u8_at(&c->buf, c->last_start + 1, 0x80);
}

/* The body of a payload with something wrong inside. */
static void put_spoiled(
    struct ike_chain *c, const struct ike_payload *old, const struct liar_edit *e)
{
	uint8_t body[1024] = {0};
	size_t len = e->how == LIE_RESIZE ? e->len : old->len;

	assert_true(len <= sizeof(body) && old->len <= sizeof(body));
	memcpy(body, old->body, old->len);
	if (e->how == LIE_FLIP) {
		assert_true(e->len < len);
		body[e->len] ^= *(const uint8_t *)e->body;
	}
	ike_chain_put(c, old->type, body, len);
}

static struct ike_chain edited(const struct ike_payloads *payloads, const struct liar_edit *e)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));

	for (unsigned i = 0; e->how != LIE_INSTEAD && i < payloads->count; i++) {
		const struct ike_payload *old = &payloads->list[i];

		if (old->type == e->type && e->how == LIE_REPLACE) {
			put(&c, e);
			continue;
		}
		if (old->type == e->type && (e->how == LIE_FLIP || e->how == LIE_RESIZE)) {
			put_spoiled(&c, old, e);
			continue;
		}
		if (old->type == e->type && e->how == LIE_DROP)
			continue;
		ike_chain_put(&c, old->type, old->body, old->len);
		if (old->type == e->type && e->how == LIE_DOUBLE)
			ike_chain_put(&c, old->type, old->body, old->len);
	}
	if (e->how == LIE_ADD || e->how == LIE_INSTEAD)
		put(&c, e);
	return c;
}

void liar_change(struct pair *p, struct datagram *d, const struct liar_edit *e)
{
	static uint8_t buffer[4096];
	struct ike_payloads payloads;
	struct ike_packet *packet;
	struct ike_header h;
	struct ike_chain c;
	struct ike_sa *sa;

	if (!liar_open(p, d, buffer, &payloads))
		return; /* for an SA that is gone */
	assert_int_equal(ike_header_parse(d->bytes, d->len, &h), 0);
	c = edited(&payloads, e);
	if (h.next_payload == PAYLOAD_SK) {
		sa = sa_of(p, d->from, &h, true);
		assert_non_null(sa);
		packet = ike_message_seal(sa, h.exchange, is_response(d), h.message_id, &c);
	} else {
		packet = ike_message_plain(
		    h.spi_i, h.spi_r, h.exchange, h.flags & IKE_FLAG_INITIATOR, is_response(d), &c);
	}
	assert_true(packet->len <= sizeof(d->bytes));
	d->len = packet->len;
	memcpy(d->bytes, packet->bytes, packet->len);
	free(packet);
}

static struct {
	unsigned from;
	uint8_t exchange;
	bool response;
	const struct liar_edit *edit;
} armed;

static void note_notify(struct pair *p, const struct datagram *d)
{
	static uint8_t buffer[4096];
	struct ike_payloads payloads;
	struct ike_notify n;

	liar_seen.notify = 0;
	liar_seen.data_len = 0;
	if (!liar_open(p, d, buffer, &payloads) || !ike_notify_error(&payloads, &n))
		return;
	liar_seen.notify = n.type;
	liar_seen.data_len = n.data.len;
	assert_true(n.data.len <= sizeof(liar_seen.data));
	memcpy(liar_seen.data, n.data.bytes, n.data.len);
}

static bool lie(struct pair *p, struct datagram *d)
{
	if (exchange_of(d) == armed.exchange && !is_response(d))
		liar_seen.requests++;
	if (d->from == armed.from && exchange_of(d) == armed.exchange &&
	    is_response(d) == armed.response) {
		liar_seen.armed++;
		liar_change(p, d, armed.edit);
	}
	if (d->from == 1)
		note_notify(p, d);
	return true;
}

void liar_arm(
    struct pair *p, unsigned from, uint8_t exchange, bool response, const struct liar_edit *edit)
{
	armed.from = from;
	armed.exchange = exchange;
	armed.response = response;
	armed.edit = edit;
	liar_seen = (struct liar_seen){0};
	p->filter = edit ? lie : NULL;
}

struct liar_message liar_message(struct pair *p, uint8_t exchange, const struct ike_chain *c)
{
	return (struct liar_message){
	    .exchange = exchange,
	    .flags = IKE_FLAG_INITIATOR,
	    .version = IKE_MAJOR_V2 << 4,
	    .id = pair_sa(p, 1)->window.expected_id,
	    .first = c ? c->first : PAYLOAD_NONE,
	    .text = c ? c->buf.start : NULL,
	    .len = c ? wirebuf_len(&c->buf) : 0,
	    .pad = -1,
	};
}

size_t liar_seal(struct pair *p, unsigned side, const struct liar_message *m, uint8_t *out)
{
	struct ike_sa *sa = pair_sa(p, side);
	const struct ike_cipher *c = ike_sa_cipher_out(sa);
	bool fragment = m->fragment || m->total;
	size_t pad = ike_cipher_pad_bytes(c, m->len), text = m->len + pad + 1 - m->cut;
	size_t aad = IKE_HEADER_BYTES + IKE_PAYLOAD_HEADER_BYTES + (fragment ? 4 : 0);
	size_t iv = ike_cipher_iv_bytes(c), all = aad + iv + text + ike_cipher_icv_bytes(c);
	struct wirebuf b = wirebuf_of(out, 4096);
	struct ike_header h = {
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .next_payload = fragment ? PAYLOAD_SKF : PAYLOAD_SK,
	    .major = m->version >> 4,
	    .minor = m->version & 0x0f,
	    .exchange = m->exchange,
	    .flags = m->flags,
	    .message_id = m->id,
	    .length = (uint32_t)all,
	};
	uint8_t plain[4096];

	assert_false(alg_is_aead(c->encr));
	ike_header_put(&b, &h);
	wirebuf_u8(&b, m->first);
	wirebuf_u8(&b, m->sk_flags);
	wirebuf_u16(&b, (uint16_t)(all - IKE_HEADER_BYTES));
	if (fragment) {
		wirebuf_u16(&b, m->number);
		wirebuf_u16(&b, m->total);
	}
	rng_fill(&p->side[side].rng, wirebuf_reserve(&b, iv), iv);
	memset(plain, 0, sizeof(plain));
	if (m->len)
		memcpy(plain, m->text, m->len);
	plain[m->len + pad] = m->pad < 0 ? (uint8_t)pad : (uint8_t)m->pad;
	wirebuf_put(&b, plain, text);
	wirebuf_zero(&b, ike_cipher_icv_bytes(c));
	assert_true(wirebuf_ok(&b));
	if (text % alg_encr(c->encr)->block_bytes == 0) {
		ike_cipher_seal(c, out, aad, text);
	} else {
		/* Nobody could encrypt that; the ICV is right all the same. */
		struct ike_span authentic = {out, aad + iv + text};
		uint8_t icv[IKE_DIGEST_MAX];

		ike_prf(c->integ, c->integ_key, alg_auth(c->integ)->key_bytes, &authentic, 1, icv);
		memcpy(out + aad + iv + text, icv, ike_cipher_icv_bytes(c));
	}
	return all;
}

void liar_send(struct pair *p, const struct liar_message *m)
{
	static uint8_t bytes[4096];

	pair_inject(p, 1, bytes, liar_seal(p, 0, m, bytes));
}

uint16_t liar_answer(struct pair *p, uint32_t id)
{
	static uint8_t buffer[4096];

	assert_true(is_response(&p->last[1]));
	assert_int_equal(message_id_of(&p->last[1]), id);
	assert_true(pair_open_last(p, 1, buffer, &liar_answered));
	memset(&liar_error, 0, sizeof(liar_error));
	return ike_notify_error(&liar_answered, &liar_error) ? liar_error.type : 0;
}

uint16_t liar_ask(struct pair *p, const struct liar_message *m)
{
	unsigned seen = p->seen[1];

	liar_send(p, m);
	assert_int_equal(p->seen[1], seen + 1);
	p->queued = 0;
	return liar_answer(p, m->id);
}

uint16_t liar_ask_with(struct pair *p, uint8_t exchange, const struct ike_chain *c)
{
	struct liar_message m = liar_message(p, exchange, c);

	return liar_ask(p, &m);
}

void liar_up(struct pair *p)
{
	pair_init(p);
	pair_start(p);
	pair_assert_up(p);
	p->cut = true;
}

void liar_down(struct pair *p)
{
	p->queued = 0;
	pair_end(p);
}
