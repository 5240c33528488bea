/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_IP_H
#define BASE_IP_H

/*
 * Addresses, prefixes and ranges of both families.
 *
 * One type for IPv4 and IPv6: the bytes stand in network order from bytes[0] on, 4 or 16 of them as
 * the family says, and the unused ones are zero, so that a comparison with memcmp, or as a hash
 * key, is exact.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family {
	IP_NONE = 0, /* no address; what `= {0}` gives */
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ip_addr {
	uint8_t family; /* enum ip_family */
	uint8_t zero[3];
	uint8_t bytes[16];
};

struct ip_prefix {
	struct ip_addr addr; /* bits behind `len` are zero after ip_prefix_parse() */
	uint8_t len;
};

/* first..last, both in it, of one family. The shape of an IKE traffic selector. */
struct ip_range {
	struct ip_addr first;
	struct ip_addr last;
};

#define IP_TEXT_MAX        46
#define IP_PREFIX_TEXT_MAX 50
#define IP_RANGE_TEXT_MAX  (2 * IP_TEXT_MAX)

/* Bytes of an address of that family: 4, 16, or 0 for IP_NONE. */
static inline unsigned ip_bytes(uint8_t family)
{
	return family == IP_V4 ? 4 : family == IP_V6 ? 16 : 0;
}

/* From and to 32 bits in host order. ip_v4_host() of another family is 0. */
struct ip_addr ip_v4(uint32_t host_order);
uint32_t ip_v4_host(const struct ip_addr *a);
/* From ip_bytes(family) bytes in network order. */
struct ip_addr ip_from_bytes(uint8_t family, const uint8_t *bytes);
/* 0.0.0.0 or :: */
struct ip_addr ip_any(uint8_t family);

static inline bool ip_is_set(const struct ip_addr *a)
{
	return a->family != IP_NONE;
}
bool ip_is_any(const struct ip_addr *a); /* 0.0.0.0 or :: */
bool ip_is_multicast(const struct ip_addr *a);
bool ip_eq(const struct ip_addr *a, const struct ip_addr *b);
/* Order by family, then by bytes. <0, 0, >0 */
int ip_cmp(const struct ip_addr *a, const struct ip_addr *b);
/* The next address; the last one wraps to zero. */
struct ip_addr ip_next(const struct ip_addr *a);

/* "192.0.2.1", "2001:db8::1". 0, or -EINVAL; *out is untouched on error. */
int ip_parse(const char *text, struct ip_addr *out);
/* Writes into buf and returns it. IP_NONE gives "-". */
const char *ip_text(const struct ip_addr *a, char buf[IP_TEXT_MAX]);

/*
 * "10.0.0.0/8". 0; -EINVAL for what is no prefix; -ERANGE for a length beyond the family's; -EDOM
 * when bits are set behind the length (*out then holds the prefix with them cleared, as a hint).
 */
int ip_prefix_parse(const char *text, struct ip_prefix *out);
/* As ip_prefix_parse(), but keeps the host bits: "10.1.255.254/16" of an interface. Never -EDOM. */
int ip_ifaddr_parse(const char *text, struct ip_addr *addr, uint8_t *len);
struct ip_prefix ip_prefix_of(const struct ip_addr *addr, uint8_t len); /* host bits cleared */
bool ip_prefix_eq(const struct ip_prefix *a, const struct ip_prefix *b);
int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b); /* address, then length */
bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a);
bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner);
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
const char *ip_prefix_text(const struct ip_prefix *p, char buf[IP_PREFIX_TEXT_MAX]);

struct ip_range ip_range_of_prefix(const struct ip_prefix *p);
bool ip_range_has(const struct ip_range *r, const struct ip_addr *a);
bool ip_range_covers(const struct ip_range *outer, const struct ip_range *inner);
bool ip_range_is_valid(const struct ip_range *r); /* one family, first <= last */
/* The common part in *out; false when there is none. */
bool ip_range_intersect(const struct ip_range *a, const struct ip_range *b, struct ip_range *out);
/* True, and the prefix in *out, when the range is exactly one prefix. */
bool ip_range_to_prefix(const struct ip_range *r, struct ip_prefix *out);
const char *ip_range_text(const struct ip_range *r, char buf[IP_RANGE_TEXT_MAX]);

#endif
