/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Whole messages (RFC 2409 appendix B): everything behind the header is CBC, with the IV that the exchange has
 * come to. There is no integrity check but the HASH payload inside, hence opening changes nothing: the caller
 * takes over the next IV when the hash held.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "ike/v1/v1.h"

struct ike_chain v1_chain(struct ike_engine *e)
{
	return ike_chain_of(e->out, IKE_MESSAGE_MAX);
}

static size_t block_bytes(const struct v1_keys *k)
{
	return alg_encr(k->encr)->block_bytes;
}

/* Cuts a message into fragments when it is long and the peer can put them together. */
static struct ike_packet *fit(struct ike_sa *sa, struct ike_packet *whole)
{
	size_t limit = sa->engine->limits.fragment_bytes;
	size_t frame = IKE_HEADER_BYTES + V1_FRAGMENT_HEADER;
	size_t room = limit - frame, count = (whole->len + room - 1) / room, at = 0;
	struct ike_packet *p;
	struct ike_header h;
	struct wirebuf b;

	if (!(sa->v1->vendors & V1_VENDOR_FRAGMENTATION) || whole->len <= limit ||
	    count > V1_FRAGMENTS_MAX || ike_header_parse(whole->bytes, whole->len, &h))
		return whole;
	p = ike_packet_new(whole->len + count * frame);
	b = wirebuf_of(p->bytes, p->len);
	h.next_payload = V1_PAYLOAD_FRAGMENT;
	h.flags = 0;
	h.message_id = 0;
	for (size_t i = 1; i <= count; i++) {
		size_t take = whole->len - at < room ? whole->len - at : room;

		h.length = (uint32_t)(frame + take);
		ike_header_put(&b, &h);
		wirebuf_u16(&b, 0);
		wirebuf_u16(&b, (uint16_t)(V1_FRAGMENT_HEADER + take));
		wirebuf_u16(&b, 1);
		wirebuf_u8(&b, (uint8_t)i);
		wirebuf_u8(&b, i == count);
		wirebuf_put(&b, whole->bytes + at, take);
		at += take;
	}
	free(whole);
	return p;
}

struct ike_packet *v1_clear(struct ike_sa *sa, uint8_t exchange, const struct ike_chain *c)
{
	return fit(sa, v1_plain(sa->spi_i, sa->spi_r, exchange, 0, c));
}

struct ike_packet *v1_seal(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
    uint8_t iv[V1_IV_MAX], const struct ike_chain *c)
{
	const struct v1_keys *k = &sa->v1->keys;
	size_t block = block_bytes(k), len = wirebuf_len(&c->buf);
	size_t padded = (len + block - 1) / block * block;
	struct ike_packet *p = ike_packet_new(IKE_HEADER_BYTES + padded);
	struct wirebuf b = wirebuf_of(p->bytes, p->len);
	struct ike_header h = {
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .next_payload = c->first,
	    .major = IKE_MAJOR_V1,
	    .exchange = exchange,
	    .flags = V1_FLAG_ENCRYPTED,
	    .message_id = message_id,
	    .length = (uint32_t)p->len,
	};

	ike_header_put(&b, &h);
	wirebuf_put(&b, c->buf.start, len);
	wirebuf_zero(&b, padded - len);
	ike_cbc(k->encr, k->encr_key, iv, p->bytes + IKE_HEADER_BYTES, padded, true);
	memcpy(iv, p->bytes + p->len - block, block);
	return fit(sa, p);
}

int v1_open(struct ike_engine *e, const struct v1_keys *k, const uint8_t iv[V1_IV_MAX],
    struct v1_message *m)
{
	size_t block = block_bytes(k), len = m->len - IKE_HEADER_BYTES;

	if (len == 0 || len % block)
		return -EBADMSG;
	memcpy(m->next_iv, m->bytes + m->len - block, block);
	memmove(e->in, m->bytes + IKE_HEADER_BYTES, len);
	ike_cbc(k->encr, k->encr_key, iv, e->in, len, false);
	m->plain = e->in;
	return v1_payloads_parse(wire_of(e->in, len), m->header->next_payload, true, &m->p);
}

void v1_chain_hash_begin(struct ike_sa *sa, struct ike_chain *c)
{
	static const uint8_t nothing[IKE_DIGEST_MAX];

	ike_chain_put(c, V1_PAYLOAD_HASH, nothing, alg_auth(sa->v1->keys.prf)->digest_bytes);
}

void v1_chain_hash_end(
    struct ike_sa *sa, struct ike_chain *c, uint32_t message_id, struct ike_span nonce)
{
	size_t digest = alg_auth(sa->v1->keys.prf)->digest_bytes;
	size_t head = IKE_PAYLOAD_HEADER_BYTES + digest;
	struct ike_span rest = {c->buf.start + head, wirebuf_len(&c->buf) - head};
	uint8_t hash[IKE_DIGEST_MAX];

	v1_keys_hash(&sa->v1->keys, message_id, nonce, rest, hash);
	memcpy(c->buf.start + IKE_PAYLOAD_HEADER_BYTES, hash, digest);
}

bool v1_hash_equals(const struct v1_payloads *p, const uint8_t *expected, size_t len)
{
	const struct ike_payload *hash = v1_find(p, V1_PAYLOAD_HASH);

	return hash && hash->len == len && secret_equal(hash->body, expected, len);
}

bool v1_hash_holds(const struct ike_sa *sa, const struct v1_message *m, struct ike_span nonce)
{
	size_t digest = alg_auth(sa->v1->keys.prf)->digest_bytes;
	size_t head = IKE_PAYLOAD_HEADER_BYTES + digest;
	uint8_t expected[IKE_DIGEST_MAX];
	struct ike_span rest;

	/* HASH stands first (rules.c), so that the rest follows it in the chain. */
	if (m->p.used < head)
		return false;
	rest = (struct ike_span){m->plain + head, m->p.used - head};
	v1_keys_hash(&sa->v1->keys, m->header->message_id, nonce, rest, expected);
	return v1_hash_equals(&m->p, expected, digest);
}
