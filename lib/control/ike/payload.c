/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Bodies of the small payloads: notify (RFC 7296 3.10), key exchange (3.4), delete (3.11). Proposals
 * are in proposal.c, traffic selectors in ts.c, identities in id.c.
 */

#include <errno.h>

#include "ike/message.h"

int ike_notify_parse(const struct ike_payload *p, struct ike_notify *out)
{
	struct wire w = ike_payload_wire(p);

	out->protocol = wire_u8(&w);
	out->spi_len = wire_u8(&w);
	out->type = wire_u16(&w);
	out->spi = wire_bytes(&w, out->spi_len);
	out->data.len = wire_left(&w);
	out->data.bytes = wire_bytes(&w, out->data.len);
	return wire_ok(&w) ? 0 : -EBADMSG;
}

bool ike_notify_find(const struct ike_payloads *p, uint16_t type, struct ike_notify *out)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == PAYLOAD_NOTIFY && !ike_notify_parse(&p->list[i], out) &&
		    out->type == type)
			return true;
	return false;
}

bool ike_notify_error(const struct ike_payloads *p, struct ike_notify *out)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == PAYLOAD_NOTIFY && !ike_notify_parse(&p->list[i], out) &&
		    out->type <= IKE_NOTIFY_ERROR_LAST)
			return true;
	return false;
}

int ike_ke_parse(const struct ike_payload *p, struct ike_ke *out)
{
	struct wire w = ike_payload_wire(p);

	out->group = wire_u16(&w);
	wire_skip(&w, 2);
	out->value.len = wire_left(&w);
	out->value.bytes = wire_bytes(&w, out->value.len);
	return wire_ok(&w) ? 0 : -EBADMSG;
}

int ike_delete_parse(const struct ike_payload *p, struct ike_delete *out)
{
	struct wire w = ike_payload_wire(p);

	out->protocol = wire_u8(&w);
	out->spi_len = wire_u8(&w);
	out->count = wire_u16(&w);
	out->spis = wire_sub(&w, (size_t)out->count * out->spi_len);
	if (!wire_done(&w))
		return -EBADMSG;
	if (out->protocol == PROTOCOL_IKE)
		return out->spi_len == 0 && out->count == 0 ? 0 : -EBADMSG;
	if (out->protocol == PROTOCOL_ESP || out->protocol == PROTOCOL_AH)
		/* One that names nothing deletes nothing: some send an SPI size of 0 then. */
		return out->spi_len == 4 || wire_left(&out->spis) == 0 ? 0 : -EBADMSG;
	return -EBADMSG;
}

void ike_chain_notify(struct ike_chain *c, uint16_t type, const void *data, size_t len)
{
	ike_chain_begin(c, PAYLOAD_NOTIFY);
	wirebuf_u8(&c->buf, PROTOCOL_NONE);
	wirebuf_u8(&c->buf, 0);
	wirebuf_u16(&c->buf, type);
	wirebuf_put(&c->buf, data, len);
	ike_chain_end(c);
}

void ike_chain_notify_spi(struct ike_chain *c, uint16_t type, uint32_t spi)
{
	ike_chain_begin(c, PAYLOAD_NOTIFY);
	wirebuf_u8(&c->buf, PROTOCOL_ESP);
	wirebuf_u8(&c->buf, 4);
	wirebuf_u16(&c->buf, type);
	wirebuf_u32(&c->buf, spi);
	ike_chain_end(c);
}

void ike_chain_ke(struct ike_chain *c, const struct ike_dh *dh)
{
	const struct alg_dh_info *info = alg_dh(ike_dh_group(dh));

	ike_chain_begin(c, PAYLOAD_KE);
	wirebuf_u16(&c->buf, info->id);
	wirebuf_u16(&c->buf, 0);
	wirebuf_put(&c->buf, ike_dh_public(dh), info->public_bytes);
	ike_chain_end(c);
}

void ike_chain_delete_children(struct ike_chain *c, const uint32_t *spis, unsigned count)
{
	ike_chain_begin(c, PAYLOAD_DELETE);
	wirebuf_u8(&c->buf, PROTOCOL_ESP);
	wirebuf_u8(&c->buf, 4);
	wirebuf_u16(&c->buf, (uint16_t)count);
	for (unsigned i = 0; i < count; i++)
		wirebuf_u32(&c->buf, spis[i]);
	ike_chain_end(c);
}

void ike_chain_delete_ike(struct ike_chain *c)
{
	ike_chain_begin(c, PAYLOAD_DELETE);
	wirebuf_u8(&c->buf, PROTOCOL_IKE);
	wirebuf_u8(&c->buf, 0);
	wirebuf_u16(&c->buf, 0);
	ike_chain_end(c);
}
