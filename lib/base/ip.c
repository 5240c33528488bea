/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Addresses, prefixes and ranges as pure values: no allocation, no state, usable on any thread.
 * Text goes through the C library, which writes IPv6 as RFC 5952 wants it.
 */

#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned family_bits(uint8_t family)
{
	return 8 * ip_bytes(family);
}

/* Addresses */

struct ip_addr ip_v4(uint32_t host_order)
{
	return (struct ip_addr){
	    .family = IP_V4,
	    .bytes = {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
		(uint8_t)(host_order >> 8), (uint8_t)host_order},
	};
}

uint32_t ip_v4_host(const struct ip_addr *a)
{
	const uint8_t *b = a->bytes;

	if (a->family != IP_V4)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct ip_addr ip_from_bytes(uint8_t family, const uint8_t *bytes)
{
	struct ip_addr a = {.family = family};

	memcpy(a.bytes, bytes, ip_bytes(family));
	return a;
}

struct ip_addr ip_any(uint8_t family)
{
	return (struct ip_addr){.family = family};
}

bool ip_is_any(const struct ip_addr *a)
{
	struct ip_addr any = ip_any(a->family);

	return ip_is_set(a) && ip_eq(a, &any);
}

bool ip_is_multicast(const struct ip_addr *a)
{
	return (a->family == IP_V4 && a->bytes[0] >> 4 == 0xe) ||
	    (a->family == IP_V6 && a->bytes[0] == 0xff);
}

bool ip_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int ip_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

struct ip_addr ip_next(const struct ip_addr *a)
{
	struct ip_addr next = *a;

	for (unsigned i = ip_bytes(a->family); i-- > 0;) {
		if (++next.bytes[i] != 0)
			break;
	}
	return next;
}

int ip_parse(const char *text, struct ip_addr *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = ip_from_bytes(IP_V4, bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = ip_from_bytes(IP_V6, bytes);
	else
		return -EINVAL;
	return 0;
}

const char *ip_text(const struct ip_addr *a, char buf[IP_TEXT_MAX])
{
	if (ip_bytes(a->family) == 0)
		return strcpy(buf, "-");
	return inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->bytes, buf, IP_TEXT_MAX);
}

/* Prefixes */

/* Of byte `i`, the bits that a prefix of `len` bits covers. */
static uint8_t mask_byte(unsigned i, unsigned len)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	return len <= 8 * i ? 0 : (uint8_t)(0xff00 >> (len - 8 * i));
}

struct ip_prefix ip_prefix_of(const struct ip_addr *addr, uint8_t len)
{
	struct ip_prefix p = {.addr = *addr, .len = len};

	for (unsigned i = 0; i < ip_bytes(addr->family); i++)
		p.addr.bytes[i] &= mask_byte(i, len);
	return p;
}

/* Decimal digits without leading zeros, at most `max`. 0, -EINVAL, -ERANGE. */
static int parse_length(const char *s, unsigned max, uint8_t *out)
{
	unsigned v = 0;

	if (*s == '\0' || (s[0] == '0' && s[1] != '\0'))
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (v <= max)
			v = 10 * v + (unsigned)(*s - '0');
	}
	if (v > max)
		return -ERANGE;
	*out = (uint8_t)v;
	return 0;
}

int ip_ifaddr_parse(const char *text, struct ip_addr *addr, uint8_t *len)
{
	const char *slash = strchr(text, '/');
	char buf[IP_TEXT_MAX];
	struct ip_addr a;
	int err;

	if (!slash || (size_t)(slash - text) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, (size_t)(slash - text));
	buf[slash - text] = '\0';
	err = ip_parse(buf, &a);
	if (err == 0)
		err = parse_length(slash + 1, family_bits(a.family), len);
	if (err == 0)
		*addr = a;
	return err;
}

int ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	struct ip_addr addr;
	uint8_t len;
	int err = ip_ifaddr_parse(text, &addr, &len);

	if (err)
		return err;
	*out = ip_prefix_of(&addr, len);
	return ip_eq(&out->addr, &addr) ? 0 : -EDOM;
}

bool ip_prefix_eq(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_eq(&a->addr, &b->addr);
}

int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int order = ip_cmp(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (p->addr.family != a->family || !ip_is_set(a))
		return false;
	for (unsigned i = 0; i < ip_bytes(a->family); i++) {
		if ((p->addr.bytes[i] ^ a->bytes[i]) & mask_byte(i, p->len))
			return false;
	}
	return true;
}

bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->len <= inner->len && ip_prefix_has(outer, &inner->addr);
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_covers(a, b) || ip_prefix_covers(b, a);
}

const char *ip_prefix_text(const struct ip_prefix *p, char buf[IP_PREFIX_TEXT_MAX])
{
	char addr[IP_TEXT_MAX];

	if (!ip_is_set(&p->addr))
		return strcpy(buf, "-");
	snprintf(buf, IP_PREFIX_TEXT_MAX, "%s/%u", ip_text(&p->addr, addr), p->len);
	return buf;
}

/* Ranges */

struct ip_range ip_range_of_prefix(const struct ip_prefix *p)
{
	struct ip_range r = {.first = ip_prefix_of(&p->addr, p->len).addr};

	r.last = r.first;
	for (unsigned i = 0; i < ip_bytes(p->addr.family); i++)
		r.last.bytes[i] |= (uint8_t)~mask_byte(i, p->len);
	return r;
}

bool ip_range_is_valid(const struct ip_range *r)
{
	return ip_is_set(&r->first) && r->first.family == r->last.family &&
	    ip_cmp(&r->first, &r->last) <= 0;
}

bool ip_range_has(const struct ip_range *r, const struct ip_addr *a)
{
	return ip_range_is_valid(r) && r->first.family == a->family && ip_cmp(&r->first, a) <= 0 &&
	    ip_cmp(a, &r->last) <= 0;
}

bool ip_range_covers(const struct ip_range *outer, const struct ip_range *inner)
{
	return ip_range_has(outer, &inner->first) && ip_range_has(outer, &inner->last);
}

bool ip_range_intersect(const struct ip_range *a, const struct ip_range *b, struct ip_range *out)
{
	struct ip_range common = {
	    .first = ip_cmp(&a->first, &b->first) < 0 ? b->first : a->first,
	    .last = ip_cmp(&a->last, &b->last) < 0 ? a->last : b->last,
	};

	if (!ip_range_is_valid(a) || !ip_range_is_valid(b) || !ip_range_is_valid(&common))
		return false;
	*out = common;
	return true;
}

bool ip_range_to_prefix(const struct ip_range *r, struct ip_prefix *out)
{
	if (!ip_range_is_valid(r))
		return false;
	for (unsigned len = 0; len <= family_bits(r->first.family); len++) {
		struct ip_prefix p = ip_prefix_of(&r->first, (uint8_t)len);
		struct ip_range whole = ip_range_of_prefix(&p);

		if (ip_eq(&whole.first, &r->first) && ip_eq(&whole.last, &r->last)) {
			*out = p;
			return true;
		}
	}
	return false;
}

const char *ip_range_text(const struct ip_range *r, char buf[IP_RANGE_TEXT_MAX])
{
	char first[IP_TEXT_MAX], last[IP_TEXT_MAX];

	snprintf(
	    buf, IP_RANGE_TEXT_MAX, "%s-%s", ip_text(&r->first, first), ip_text(&r->last, last));
	return buf;
}
