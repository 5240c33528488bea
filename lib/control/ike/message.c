/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Header and payload chain (RFC 7296 3.1, 3.2), read and written.
 */

#include "ike/message.h"

#include <assert.h>
#include <errno.h>

#define CRITICAL 0x80

int ike_header_parse(const uint8_t *bytes, size_t len, struct ike_header *out)
{
	struct wire w = wire_of(bytes, len);
	uint8_t version;

	out->spi_i = wire_u64(&w);
	out->spi_r = wire_u64(&w);
	out->next_payload = wire_u8(&w);
	version = wire_u8(&w);
	out->major = version >> 4;
	out->minor = version & 0x0f;
	out->exchange = wire_u8(&w);
	out->flags = wire_u8(&w);
	out->message_id = wire_u32(&w);
	out->length = wire_u32(&w);
	return wire_ok(&w) && out->length == len ? 0 : -EBADMSG;
}

void ike_header_put(struct wirebuf *b, const struct ike_header *h)
{
	wirebuf_u64(b, h->spi_i);
	wirebuf_u64(b, h->spi_r);
	wirebuf_u8(b, h->next_payload);
	wirebuf_u8(b, (uint8_t)(h->major << 4 | h->minor));
	wirebuf_u8(b, h->exchange);
	wirebuf_u8(b, h->flags);
	wirebuf_u32(b, h->message_id);
	wirebuf_u32(b, h->length);
}

static bool is_known(uint8_t type)
{
	switch (type) {
#define X(name, value, text) case value:
		IKE_PAYLOAD_LIST(X)
#undef X
		return true;
	}
	return false;
}

int ike_payloads_parse(struct wire w, uint8_t first, struct ike_payloads *out)
{
	uint8_t type = first;

	out->count = 0;
	out->unknown_critical = 0;
	while (type != PAYLOAD_NONE) {
		uint8_t next = wire_u8(&w);
		uint8_t flags = wire_u8(&w);
		uint16_t len = wire_u16(&w);
		const uint8_t *body;

		if (!wire_ok(&w) || len < IKE_PAYLOAD_HEADER_BYTES)
			return -EBADMSG;
		len -= IKE_PAYLOAD_HEADER_BYTES;
		body = wire_bytes(&w, len);
		if (!wire_ok(&w))
			return -EBADMSG;
		if (!is_known(type)) {
			if (flags & CRITICAL && !out->unknown_critical)
				out->unknown_critical = type;
		} else if (type != PAYLOAD_VENDOR) {
			if (out->count == IKE_PAYLOADS_MAX)
				return -EBADMSG;
			out->list[out->count++] = (struct ike_payload){type, next, body, len};
		}
		if (type == PAYLOAD_SK || type == PAYLOAD_SKF)
			break;
		type = next;
	}
	return wire_done(&w) ? 0 : -EBADMSG;
}

const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == type)
			return &p->list[i];
	return NULL;
}

struct ike_chain ike_chain_of(void *mem, size_t capacity)
{
	return (struct ike_chain){.buf = wirebuf_of(mem, capacity)};
}

void ike_chain_begin(struct ike_chain *c, uint8_t type)
{
	if (c->any)
		wirebuf_u8_at(&c->buf, c->last_next, type);
	else
		c->first = type;
	c->any = true;
	c->last_start = wirebuf_len(&c->buf);
	c->last_next = c->last_start;
	wirebuf_u8(&c->buf, PAYLOAD_NONE);
	wirebuf_u8(&c->buf, 0);
	wirebuf_u16(&c->buf, 0);
}

void ike_chain_end(struct ike_chain *c)
{
	size_t len = wirebuf_len(&c->buf) - c->last_start;

	if (!wirebuf_ok(&c->buf))
		return;
	assert(len <= UINT16_MAX);
	wirebuf_u16_at(&c->buf, c->last_start + 2, (uint16_t)len);
}

void ike_chain_put(struct ike_chain *c, uint8_t type, const void *body, size_t len)
{
	ike_chain_begin(c, type);
	wirebuf_put(&c->buf, body, len);
	ike_chain_end(c);
}
