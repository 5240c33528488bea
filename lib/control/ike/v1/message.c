/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Payload chains of IKEv1, vendor IDs, notifies and deletes (RFC 2408 3.2, 3.14 - 3.16).
 */

#include "ike/v1/message.h"

#include <errno.h>
#include <string.h>

#include "ike/window.h"

#define PRIVATE_FIRST 128 /* payload types from here on are for private use */
#define SPI_BYTES_MAX 16

/* clang-format off */
static const struct {
	unsigned bit;
	uint8_t len;
	uint8_t id[16];
} vendors[] = {
	{V1_VENDOR_NATT_RFC, 16, {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45,
		0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f}},
	{V1_VENDOR_NATT_03, 16, {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f,
		0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56}},
	{V1_VENDOR_NATT_02, 16, {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e,
		0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f}},
	{V1_VENDOR_DPD, 16, {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9,
		0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00}},
	{V1_VENDOR_FRAGMENTATION, 16, {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85,
		0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3}},
	/* The same draft without the line feed in what was hashed; read, not sent. */
	{V1_VENDOR_NATT_02, 16, {0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8,
		0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48}},
};
/* clang-format on */
#define VENDORS      (sizeof(vendors) / sizeof(vendors[0]))
#define VENDORS_SENT (VENDORS - 1)

/* Some vendors put their version behind the hash: the beginning decides. */
static unsigned vendor_bit(const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < VENDORS; i++)
		if (len >= vendors[i].len && !memcmp(vendors[i].id, id, vendors[i].len))
			return vendors[i].bit;
	return 0;
}

static bool is_known(uint8_t type)
{
	switch (type) {
#define X(name, value, text) case value:
		V1_PAYLOAD_LIST(X)
#undef X
		return true;
	}
	return false;
}

static int keep(struct v1_payloads *out, uint8_t type, const uint8_t *body, uint16_t len)
{
	if (type == V1_PAYLOAD_VENDOR) {
		out->vendors |= vendor_bit(body, len);
	} else if (is_known(type)) {
		if (out->list.count == IKE_PAYLOADS_MAX)
			return -EBADMSG;
		out->list.list[out->list.count++] =
		    (struct ike_payload){.type = type, .body = body, .len = len};
	} else if (type < PRIVATE_FIRST && !out->unknown) {
		out->unknown = type;
	}
	return 0;
}

int v1_payloads_parse(struct wire w, uint8_t first, bool padded, struct v1_payloads *out)
{
	size_t all = wire_left(&w);
	uint8_t type = first;

	out->list.count = 0;
	out->vendors = 0;
	out->unknown = 0;
	while (type != PAYLOAD_NONE) {
		uint8_t next = wire_u8(&w);
		const uint8_t *body;
		uint16_t len;

		wire_skip(&w, 1); /* reserved: not our business when set */
		len = wire_u16(&w);
		if (!wire_ok(&w) || len < IKE_PAYLOAD_HEADER_BYTES)
			return -EBADMSG;
		len -= IKE_PAYLOAD_HEADER_BYTES;
		body = wire_bytes(&w, len);
		if (!wire_ok(&w) || keep(out, type, body, len))
			return -EBADMSG;
		type = next;
	}
	out->used = all - wire_left(&w);
	return padded || wire_done(&w) ? 0 : -EBADMSG;
}

int v1_notify_parse(const struct ike_payload *p, struct v1_notify *out)
{
	struct wire w = ike_payload_wire(p);

	out->doi = wire_u32(&w);
	out->protocol = wire_u8(&w);
	out->spi.len = wire_u8(&w);
	out->type = wire_u16(&w);
	out->spi.bytes = wire_bytes(&w, out->spi.len);
	out->data.len = wire_left(&w);
	out->data.bytes = wire_bytes(&w, out->data.len);
	return wire_ok(&w) ? 0 : -EBADMSG;
}

bool v1_notify_find(const struct v1_payloads *p, uint16_t type, struct v1_notify *out)
{
	for (unsigned i = 0; i < p->list.count; i++)
		if (p->list.list[i].type == V1_PAYLOAD_NOTIFY &&
		    !v1_notify_parse(&p->list.list[i], out) && out->type == type)
			return true;
	return false;
}

bool v1_notify_error(const struct v1_payloads *p, struct v1_notify *out)
{
	for (unsigned i = 0; i < p->list.count; i++)
		if (p->list.list[i].type == V1_PAYLOAD_NOTIFY &&
		    !v1_notify_parse(&p->list.list[i], out) && out->type <= V1_NOTIFY_ERROR_LAST)
			return true;
	return false;
}

int v1_delete_parse(const struct ike_payload *p, struct v1_delete *out)
{
	struct wire w = ike_payload_wire(p);

	out->doi = wire_u32(&w);
	out->protocol = wire_u8(&w);
	out->spi_len = wire_u8(&w);
	out->count = wire_u16(&w);
	out->spis = wire_sub(&w, (size_t)out->count * out->spi_len);
	if (!wire_done(&w) || out->spi_len == 0 || out->spi_len > SPI_BYTES_MAX)
		return -EBADMSG;
	return 0;
}

void v1_chain_vendors(struct ike_chain *c, unsigned bits)
{
	static const uint8_t fragmentation_capabilities[4] = {0x80, 0, 0, 0};

	for (size_t i = 0; i < VENDORS_SENT; i++) {
		if (!(bits & vendors[i].bit))
			continue;
		ike_chain_begin(c, V1_PAYLOAD_VENDOR);
		wirebuf_put(&c->buf, vendors[i].id, vendors[i].len);
		if (vendors[i].bit == V1_VENDOR_FRAGMENTATION)
			wirebuf_put(&c->buf, fragmentation_capabilities, 4);
		ike_chain_end(c);
	}
}

void v1_chain_notify(
    struct ike_chain *c, uint8_t protocol, struct ike_span spi, uint16_t type, struct ike_span data)
{
	ike_chain_begin(c, V1_PAYLOAD_NOTIFY);
	wirebuf_u32(&c->buf, V1_DOI_IPSEC);
	wirebuf_u8(&c->buf, protocol);
	wirebuf_u8(&c->buf, (uint8_t)spi.len);
	wirebuf_u16(&c->buf, type);
	wirebuf_put(&c->buf, spi.bytes, spi.len);
	wirebuf_put(&c->buf, data.bytes, data.len);
	ike_chain_end(c);
}

void v1_chain_delete(struct ike_chain *c, uint8_t protocol, struct ike_span spi)
{
	ike_chain_begin(c, V1_PAYLOAD_DELETE);
	wirebuf_u32(&c->buf, V1_DOI_IPSEC);
	wirebuf_u8(&c->buf, protocol);
	wirebuf_u8(&c->buf, (uint8_t)spi.len);
	wirebuf_u16(&c->buf, 1);
	wirebuf_put(&c->buf, spi.bytes, spi.len);
	ike_chain_end(c);
}

struct ike_packet *v1_plain(uint64_t spi_i, uint64_t spi_r, uint8_t exchange, uint32_t message_id,
    const struct ike_chain *c)
{
	size_t len = wirebuf_len(&c->buf);
	struct ike_packet *p = ike_packet_new(IKE_HEADER_BYTES + len);
	struct wirebuf b = wirebuf_of(p->bytes, p->len);
	struct ike_header h = {
	    .spi_i = spi_i,
	    .spi_r = spi_r,
	    .next_payload = c->first,
	    .major = IKE_MAJOR_V1,
	    .exchange = exchange,
	    .message_id = message_id,
	    .length = (uint32_t)p->len,
	};

	ike_header_put(&b, &h);
	wirebuf_put(&b, c->buf.start, len);
	return p;
}
