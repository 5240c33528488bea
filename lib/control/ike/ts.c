/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Traffic selectors. A selector is a box: address range x protocol x port range; narrowing intersects
 * boxes. "Any port" is 0..65535; the opaque range 65535..0 (RFC 7296 3.13.1) selects fragments without
 * ports, which no policy of ours asks for.
 */

#include "ike/ts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct ike_selector ike_selector_of(const struct ip_prefix *p)
{
	return (struct ike_selector){
	    .addr = ip_range_of_prefix(p), .port_first = 0, .port_last = UINT16_MAX};
}

bool ike_selector_eq(const struct ike_selector *a, const struct ike_selector *b)
{
	return ip_eq(&a->addr.first, &b->addr.first) && ip_eq(&a->addr.last, &b->addr.last) &&
	    a->protocol == b->protocol && a->port_first == b->port_first &&
	    a->port_last == b->port_last;
}

bool ike_selector_intersect(
    const struct ike_selector *a, const struct ike_selector *b, struct ike_selector *out)
{
	if (a->protocol && b->protocol && a->protocol != b->protocol)
		return false;
	*out = (struct ike_selector){
	    .protocol = a->protocol ? a->protocol : b->protocol,
	    .port_first = a->port_first > b->port_first ? a->port_first : b->port_first,
	    .port_last = a->port_last < b->port_last ? a->port_last : b->port_last,
	};
	return out->port_first <= out->port_last &&
	    ip_range_intersect(&a->addr, &b->addr, &out->addr);
}

bool ike_selector_covers(const struct ike_selector *outer, const struct ike_selector *inner)
{
	return (!outer->protocol || outer->protocol == inner->protocol) &&
	    outer->port_first <= inner->port_first && outer->port_last >= inner->port_last &&
	    ip_range_covers(&outer->addr, &inner->addr);
}

static uint8_t family_of(uint8_t type)
{
	return type == TS_IPV4_ADDR_RANGE ? IP_V4 : type == TS_IPV6_ADDR_RANGE ? IP_V6 : IP_NONE;
}

/* One selector. *usable tells whether `out` means anything. */
static int parse_one(struct wire *w, struct ike_selector *out, bool *usable)
{
	uint8_t type = wire_u8(w);
	uint8_t family = family_of(type);
	uint8_t address[16];
	struct wire body;
	uint16_t len;

	*out = (struct ike_selector){.protocol = wire_u8(w)};
	len = wire_u16(w);
	if (!wire_ok(w) || len < 8)
		return -EBADMSG;
	body = wire_sub(w, len - 4u);
	out->port_first = wire_u16(&body);
	out->port_last = wire_u16(&body);
	*usable = false;
	if (family == IP_NONE)
		return wire_ok(&body) ? 0 : -EBADMSG;
	wire_copy(&body, address, ip_bytes(family));
	out->addr.first = ip_from_bytes(family, address);
	wire_copy(&body, address, ip_bytes(family));
	out->addr.last = ip_from_bytes(family, address);
	*usable = ip_range_is_valid(&out->addr) && out->port_first <= out->port_last;
	return wire_done(&body) ? 0 : -EBADMSG;
}

int ike_ts_parse(
    const struct ike_payload *p, struct ike_selector out[IKE_TS_WIRE_MAX], unsigned *count)
{
	struct wire w = ike_payload_wire(p);
	unsigned total = wire_u8(&w);

	wire_skip(&w, 3);
	*count = 0;
	for (unsigned i = 0; i < total; i++) {
		struct ike_selector one;
		bool usable;

		if (parse_one(&w, &one, &usable))
			return -EBADMSG;
		if (usable)
			out[(*count)++] = one;
	}
	return wire_done(&w) ? 0 : -EBADMSG;
}

void ike_ts_put(
    struct ike_chain *c, uint8_t payload, const struct ike_selector *list, unsigned count)
{
	struct wirebuf *b = &c->buf;

	ike_chain_begin(c, payload);
	wirebuf_u8(b, (uint8_t)count);
	wirebuf_zero(b, 3);
	for (unsigned i = 0; i < count; i++) {
		const struct ike_selector *s = &list[i];
		unsigned size = ip_bytes(s->addr.first.family);

		wirebuf_u8(b, size == 4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
		wirebuf_u8(b, s->protocol);
		wirebuf_u16(b, (uint16_t)(8 + 2 * size));
		wirebuf_u16(b, s->port_first);
		wirebuf_u16(b, s->port_last);
		wirebuf_put(b, s->addr.first.bytes, size);
		wirebuf_put(b, s->addr.last.bytes, size);
	}
	ike_chain_end(c);
}

bool ike_ts_covers(const struct ike_selector *outer, unsigned outer_count,
    const struct ike_selector *inner, unsigned inner_count)
{
	for (unsigned i = 0; i < inner_count; i++) {
		unsigned k = 0;

		while (k < outer_count && !ike_selector_covers(&outer[k], &inner[i]))
			k++;
		if (k == outer_count)
			return false;
	}
	return true;
}

unsigned ike_ts_narrow(const struct ike_selector *theirs, unsigned their_count,
    const struct ike_selector *ours, unsigned our_count, struct ike_selector out[IKE_TS_WIRE_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < their_count; i++) {
		for (unsigned k = 0; k < our_count && count < IKE_TS_WIRE_MAX; k++) {
			if (!ike_selector_intersect(&theirs[i], &ours[k], &out[count]))
				continue;
			if (!ike_ts_covers(out, count, &out[count], 1))
				count++;
		}
	}
	return count;
}

struct ike_selector *ike_ts_copy(const struct ike_selector *list, unsigned count)
{
	struct ike_selector *copy = NULL;

	if (count > 0) {
		copy = xcalloc(count, sizeof(*copy));
		memcpy(copy, list, count * sizeof(*copy));
	}
	return copy;
}

const char *ike_ts_text(const struct ike_selector *list, unsigned count, char buf[IKE_TS_TEXT])
{
	struct text t = text_of(buf, IKE_TS_TEXT);

	for (unsigned i = 0; i < count; i++) {
		const struct ike_selector *s = &list[i];
		char addr[IP_RANGE_TEXT_MAX];
		struct ip_prefix p;

		text_add(&t, i ? "," : "");
		if (ip_range_to_prefix(&s->addr, &p))
			text_add(&t, ip_prefix_text(&p, addr));
		else
			text_add(&t, ip_range_text(&s->addr, addr));
		if (s->protocol)
			text_addf(&t, "[%u]", s->protocol);
		if (s->port_first != 0 || s->port_last != UINT16_MAX)
			text_addf(&t, ":%u-%u", s->port_first, s->port_last);
	}
	if (count == 0)
		text_add(&t, "none");
	return buf;
}
