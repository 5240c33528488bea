/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Messages as bytes: header, then payloads in clear or inside of SK (RFC 7296 3.14) or SKF (RFC 7383 2.5).
 *
 *     | header | generic payload header [| number | total] | IV | payloads | padding | pad length | ICV |
 *       `------------ additional data of an AEAD ---------'
 */

#include "ike/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/engine.h"

#define SKF_EXTRA          4     /* number and total */
#define STRANGER_BYTES_MAX 16384 /* reassembled for a peer that is not authenticated yet */

static struct ike_header header_of(
    const struct ike_sa *sa, uint8_t exchange, bool response, uint32_t message_id)
{
	return (struct ike_header){
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .major = IKE_MAJOR_V2,
	    .exchange = exchange,
	    .flags = (sa->initiator ? IKE_FLAG_INITIATOR : 0) | (response ? IKE_FLAG_RESPONSE : 0),
	    .message_id = message_id,
	};
}

struct ike_packet *ike_message_plain(uint64_t spi_i, uint64_t spi_r, uint8_t exchange,
    bool initiator, bool response, const struct ike_chain *c)
{
	size_t len = wirebuf_len(&c->buf);
	struct ike_packet *p = ike_packet_new(IKE_HEADER_BYTES + len);
	struct wirebuf b = wirebuf_of(p->bytes, p->len);
	struct ike_header h = {
	    .spi_i = spi_i,
	    .spi_r = spi_r,
	    .next_payload = c->first,
	    .major = IKE_MAJOR_V2,
	    .exchange = exchange,
	    .flags = (initiator ? IKE_FLAG_INITIATOR : 0) | (response ? IKE_FLAG_RESPONSE : 0),
	    .length = (uint32_t)p->len,
	};

	ike_header_put(&b, &h);
	wirebuf_put(&b, c->buf.start, len);
	return p;
}

/* AEADs count, so that no IV comes twice; CBC needs what nobody can foresee. */
static void choose_iv(struct ike_sa *sa, uint8_t *iv, size_t len)
{
	struct wirebuf b = wirebuf_of(iv, len);

	if (alg_is_aead(sa->keys.i.encr))
		wirebuf_u64(&b, ++sa->iv_counter);
	else
		rng_fill(sa->engine->rng, iv, len);
}

static size_t sealed_bytes(const struct ike_cipher *c, size_t text, bool fragment)
{
	return IKE_HEADER_BYTES + IKE_PAYLOAD_HEADER_BYTES + (fragment ? SKF_EXTRA : 0) +
	    ike_cipher_iv_bytes(c) + text + ike_cipher_pad_bytes(c, text) + 1 +
	    ike_cipher_icv_bytes(c);
}

/* One datagram with `text` inside; total 0: SK, else fragment `number` of `total`. */
static void seal_one(struct ike_sa *sa, struct wirebuf *b, struct ike_header h, uint8_t first,
    const uint8_t *text, size_t len, unsigned number, unsigned total)
{
	const struct ike_cipher *c = ike_sa_cipher_out(sa);
	size_t pad = ike_cipher_pad_bytes(c, len);
	uint8_t *start = b->at;
	size_t aad, iv_len = ike_cipher_iv_bytes(c);

	h.next_payload = total ? PAYLOAD_SKF : PAYLOAD_SK;
	h.length = (uint32_t)sealed_bytes(c, len, total > 0);
	ike_header_put(b, &h);
	wirebuf_u8(b, number > 1 ? PAYLOAD_NONE : first);
	wirebuf_u8(b, 0);
	wirebuf_u16(b, (uint16_t)(h.length - IKE_HEADER_BYTES));
	if (total) {
		wirebuf_u16(b, (uint16_t)number);
		wirebuf_u16(b, (uint16_t)total);
	}
	aad = (size_t)(b->at - start);
	choose_iv(sa, wirebuf_reserve(b, iv_len), iv_len);
	wirebuf_put(b, text, len);
	wirebuf_zero(b, pad);
	wirebuf_u8(b, (uint8_t)pad);
	wirebuf_reserve(b, ike_cipher_icv_bytes(c));
	ike_cipher_seal(c, start, aad, len + pad + 1);
}

struct ike_packet *ike_message_seal(struct ike_sa *sa, uint8_t exchange, bool response,
    uint32_t message_id, const struct ike_chain *chain)
{
	const struct ike_cipher *c = ike_sa_cipher_out(sa);
	struct ike_header h = header_of(sa, exchange, response, message_id);
	size_t len = wirebuf_len(&chain->buf), room, total, all = 0, at = 0;
	struct ike_packet *p;
	struct wirebuf b;

	if (!sa->fragments || sealed_bytes(c, len, false) <= sa->engine->limits.fragment_bytes) {
		p = ike_packet_new(sealed_bytes(c, len, false));
		b = wirebuf_of(p->bytes, p->len);
		seal_one(sa, &b, h, chain->first, chain->buf.start, len, 0, 0);
		return p;
	}
	/* What fits beside the frame, with as much padding as there can be. */
	room = sa->engine->limits.fragment_bytes - sealed_bytes(c, 0, true) - 16;
	total = (len + room - 1) / room;
	for (size_t i = 0; i < total; i++)
		all += sealed_bytes(c, i + 1 < total ? room : len - i * room, true);
	p = ike_packet_new(all);
	b = wirebuf_of(p->bytes, p->len);
	for (unsigned i = 1; i <= total; i++) {
		size_t take = len - at < room ? len - at : room;

		seal_one(sa, &b, h, chain->first, chain->buf.start + at, take, i, (unsigned)total);
		at += take;
	}
	return p;
}

/* Decrypts the body of SK or SKF in place; its payloads in *text. */
static int open_body(struct ike_sa *sa, uint8_t *bytes, const struct ike_payload *sk, size_t extra,
    uint8_t **text, size_t *text_len)
{
	const struct ike_cipher *c = ike_sa_cipher_in(sa);
	size_t iv = ike_cipher_iv_bytes(c), icv = ike_cipher_icv_bytes(c);
	size_t aad = (size_t)(sk->body - bytes) + extra;
	size_t len;
	uint8_t pad;

	if (sk->len < extra + iv + icv + 1)
		return -EBADMSG;
	len = sk->len - extra - iv - icv;
	if (ike_cipher_open(c, bytes, aad, len))
		return -EBADMSG;
	*text = bytes + aad + iv;
	pad = (*text)[len - 1];
	if (pad + 1u > len)
		return -EPROTO;
	*text_len = len - pad - 1;
	return 0;
}

static int open_fragment(struct ike_sa *sa, const struct ike_header *h, uint8_t *bytes, size_t len,
    const struct ike_payload *skf, struct wire *inner, uint8_t *first)
{
	bool response = h->flags & IKE_FLAG_RESPONSE;
	struct ike_reassembly *r = &sa->reassembly[response];
	struct wire w = ike_payload_wire(skf);
	uint16_t number = wire_u16(&w), total = wire_u16(&w);
	uint8_t digest[IKE_MESSAGE_DIGEST];
	size_t text_len, all;
	size_t capacity = sa->state == IKE_SA_HALF_OPEN ? STRANGER_BYTES_MAX : IKE_MESSAGE_MAX;
	uint8_t *text;
	int err;

	if (!wire_ok(&w) || !sa->fragments || number == 0 || number > total)
		return -EBADMSG;
	ike_message_digest(bytes, len, digest);
	err = open_body(sa, bytes, skf, SKF_EXTRA, &text, &text_len);
	if (err)
		return err;
	err = ike_reassembly_add(r, h->message_id, number, total, skf->next, text, text_len,
	    sa->engine->in, capacity, &all);
	if (number == 1 && err >= 0)
		memcpy(r->digest, digest, sizeof(digest));
	if (err == 1) {
		*inner = wire_of(sa->engine->in, all);
		*first = r->first_payload;
	}
	return err;
}

int ike_message_open(struct ike_sa *sa, const struct ike_header *h, uint8_t *bytes, size_t len,
    const struct ike_payloads *clear, struct wire *inner, uint8_t *first)
{
	const struct ike_payload *last = clear->count ? &clear->list[clear->count - 1] : NULL;
	uint8_t *text;
	size_t text_len;
	int err;

	if (last && last->type == PAYLOAD_SKF)
		return open_fragment(sa, h, bytes, len, last, inner, first);
	if (!last || last->type != PAYLOAD_SK)
		return -EBADMSG;
	err = open_body(sa, bytes, last, 0, &text, &text_len);
	if (err)
		return err;
	*inner = wire_of(text, text_len);
	*first = last->next;
	return 1;
}

bool ike_message_is_first_fragment(
    struct ike_sa *sa, uint8_t *bytes, const struct ike_payloads *clear)
{
	const struct ike_payload *last = clear->count ? &clear->list[clear->count - 1] : NULL;
	struct wire w;
	uint8_t *text;
	size_t text_len;

	if (!sa->fragments || !last || last->type != PAYLOAD_SKF)
		return false;
	w = ike_payload_wire(last);
	return wire_u16(&w) == 1 && wire_u16(&w) > 0 && wire_ok(&w) &&
	    open_body(sa, bytes, last, SKF_EXTRA, &text, &text_len) == 0;
}
