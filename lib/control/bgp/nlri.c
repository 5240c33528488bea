/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/nlri.h"

#include <string.h>

bool bgp_nlri_ok(enum bgp_family family, struct wire nlri)
{
	unsigned max = bgp_family_bytes(family) * 8;

	while (wire_left(&nlri) > 0) {
		uint8_t len = wire_u8(&nlri);

		if (len > max)
			return false;
		wire_skip(&nlri, (len + 7u) / 8);
	}
	return wire_ok(&nlri);
}

bool bgp_nlri_next(enum bgp_family family, struct wire *nlri, struct bgp_nlri *out)
{
	unsigned bytes;
	const uint8_t *p;

	if (wire_left(nlri) == 0)
		return false;
	out->len = wire_u8(nlri);
	bytes = (out->len + 7u) / 8;
	p = wire_bytes(nlri, bytes);
	if (!p || bytes > bgp_family_bytes(family))
		return false;
	memset(out->key, 0, bgp_family_bytes(family));
	for (unsigned i = 0; i < bytes; i++)
		out->key[i] = p[i];
	if (out->len % 8)
		out->key[bytes - 1] &= (uint8_t)(0xff00 >> out->len % 8);
	return true;
}

void bgp_nlri_put(struct wirebuf *out, const uint8_t *key, uint8_t len)
{
	wirebuf_u8(out, len);
	wirebuf_put(out, key, (len + 7u) / 8);
}

struct block {
	uint8_t key[16];
	uint8_t len;
};

static const struct block ipv4_blocks[] = {
    {{0}, 8},
    {{127}, 8},
    {{224}, 4},
    {{240}, 4},
};

static const struct block ipv6_blocks[] = {
    {{0}, 96}, /* ::, ::1, IPv4-compatible */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},
    {{0xfe, 0x80}, 10},
    {{0xff}, 8},
};

static bool within(const struct block *b, const uint8_t *key, uint8_t len)
{
	unsigned whole = b->len / 8, rest = b->len % 8;

	if (len < b->len || memcmp(key, b->key, whole) != 0)
		return false;
	return rest == 0 || ((key[whole] ^ b->key[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

static bool within_any(enum bgp_family family, const uint8_t *key, uint8_t len)
{
	const struct block *b = family == BGP_IPV4 ? ipv4_blocks : ipv6_blocks;

	for (unsigned i = 0; i < 4; i++)
		if (within(&b[i], key, len))
			return true;
	return false;
}

bool bgp_nlri_is_routable(enum bgp_family family, const struct bgp_nlri *n)
{
	return !within_any(family, n->key, n->len);
}

/* A link-local next hop is good between neighbours on IPv6. */
bool bgp_next_hop_ok(enum bgp_family family, const uint8_t *addr)
{
	if (family == BGP_IPV6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80)
		return true;
	return !within_any(family, addr, (uint8_t)(bgp_family_bytes(family) * 8));
}
