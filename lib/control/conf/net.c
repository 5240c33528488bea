/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/net.h"

struct range {
	struct ip_prefix prefix;
	const char *fault;
};

#define V4(a, b, c, d, n, text)                                                                    \
	{                                                                                          \
		{{.family = IP_V4, .bytes = {a, b, c, d}}, n}, text                                \
	}
#define V6(a, b, n, text)                                                                          \
	{                                                                                          \
		{{.family = IP_V6, .bytes = {a, b}}, n}, text                                      \
	}

/* A21 for IPv4, and what means the same for IPv6. */
static const struct range gateway_ranges[] = {
    V4(0, 0, 0, 0, 8, "lies in 0.0.0.0/8 (this network)"),
    V4(100, 64, 0, 0, 10, "lies in 100.64.0.0/10 (shared address space)"),
    V4(127, 0, 0, 0, 8, "lies in 127.0.0.0/8 (loopback)"),
    V4(169, 254, 0, 0, 16, "lies in 169.254.0.0/16 (link-local)"),
    V4(224, 0, 0, 0, 4, "lies in 224.0.0.0/4 (multicast)"),
    V4(255, 0, 0, 0, 8, "lies in 255.0.0.0/8 (broadcast)"),
    V6(0, 0, 127, "is the unspecified or the loopback address"),
    V6(0xfe, 0x80, 10, "lies in fe80::/10 (link-local)"),
    V6(0xff, 0, 8, "lies in ff00::/8 (multicast)"),
};

static const struct range interface_ranges[] = {
    V4(0, 0, 0, 0, 8, "lies in 0.0.0.0/8 (this network)"),
    V4(127, 0, 0, 0, 8, "lies in 127.0.0.0/8 (loopback)"),
    V4(224, 0, 0, 0, 4, "lies in 224.0.0.0/4 (multicast)"),
    V4(255, 0, 0, 0, 8, "lies in 255.0.0.0/8 (broadcast)"),
    V6(0, 0, 127, "is the unspecified or the loopback address"),
    V6(0xff, 0, 8, "lies in ff00::/8 (multicast)"),
};

static const struct range route_ranges[] = {
    V4(127, 0, 0, 0, 8, "lies in 127.0.0.0/8 (loopback)"),
    V4(224, 0, 0, 0, 4, "lies in 224.0.0.0/4 (multicast)"),
    V6(0xff, 0, 8, "lies in ff00::/8 (multicast)"),
};

/* X10 */
static const struct range reserved_cidrs[] = {
    V4(169, 254, 0, 0, 30, "169.254.0.0/30"),
    V4(169, 254, 1, 0, 30, "169.254.1.0/30"),
    V4(169, 254, 2, 0, 30, "169.254.2.0/30"),
    V4(169, 254, 3, 0, 30, "169.254.3.0/30"),
    V4(169, 254, 4, 0, 30, "169.254.4.0/30"),
    V4(169, 254, 5, 0, 30, "169.254.5.0/30"),
    V4(169, 254, 6, 0, 30, "169.254.6.0/30"),
    V4(169, 254, 169, 252, 30, "169.254.169.252/30"),
};

static const char *covering(const struct range *ranges, size_t n, const struct ip_prefix *p)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_covers(&ranges[i].prefix, p))
			return ranges[i].fault;
	}
	return NULL;
}

static struct ip_prefix host(const struct ip_addr *a)
{
	return ip_prefix_of(a, (uint8_t)(8 * ip_bytes(a->family)));
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *net_gateway_fault(const struct ip_addr *a)
{
	struct ip_prefix p = host(a);

	return ip_is_any(a) ? NULL : covering(gateway_ranges, COUNT(gateway_ranges), &p);
}

const char *net_interface_fault(const struct conf_ifaddr *a)
{
	struct ip_prefix p = host(&a->addr), subnet = ip_prefix_of(&a->addr, a->len);
	struct ip_range all = ip_range_of_prefix(&subnet);
	const char *fault = covering(interface_ranges, COUNT(interface_ranges), &p);

	if (fault || a->addr.family != IP_V4 || a->len > 30)
		return fault;
	if (ip_eq(&a->addr, &all.first))
		return "is the address of the subnet itself";
	return ip_eq(&a->addr, &all.last) ? "is the broadcast address of its subnet" : NULL;
}

const char *net_route_fault(const struct ip_prefix *p)
{
	return covering(route_ranges, COUNT(route_ranges), p);
}

const char *net_reserved_cidr(const struct ip_prefix *p)
{
	for (size_t i = 0; i < COUNT(reserved_cidrs); i++) {
		if (ip_prefix_overlaps(&reserved_cidrs[i].prefix, p))
			return reserved_cidrs[i].fault;
	}
	return NULL;
}

bool net_on_subnet(const struct conf_ifaddr *list, unsigned count, const struct ip_addr *a)
{
	for (unsigned i = 0; i < count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&list[i].addr, list[i].len);

		if (ip_prefix_has(&subnet, a))
			return true;
	}
	return false;
}

bool net_is_own(const struct conf_ifaddr *list, unsigned count, const struct ip_addr *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_eq(&list[i].addr, a))
			return true;
	}
	return false;
}

bool net_covered(const struct ip_prefix *list, unsigned count, const struct ip_prefix *p)
{
	for (unsigned i = 0; i < count; i++) {
		if (ip_prefix_covers(&list[i], p))
			return true;
	}
	return false;
}

bool net_contains(const struct ip_prefix *list, unsigned count, const struct ip_addr *a)
{
	struct ip_prefix p = host(a);

	return net_covered(list, count, &p);
}
