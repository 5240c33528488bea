/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_NET_H
#define CONF_NET_H

/* Which addresses can be what: small questions that several checks ask. */

#include "conf/conf.h"

/* Why an address cannot be a customer gateway's (A21): "lies in 127.0.0.0/8 (loopback)". NULL: it can. */
const char *net_gateway_fault(const struct ip_addr *a);
/* Why an address of that subnet length cannot be an interface's. NULL: it can. */
const char *net_interface_fault(const struct conf_ifaddr *a);
/* Why a prefix cannot be routed. NULL: it can. */
const char *net_route_fault(const struct ip_prefix *p);
/* The reserved tunnel CIDR (X10) that overlaps the prefix, as text; NULL: none. */
const char *net_reserved_cidr(const struct ip_prefix *p);

/* Whether the address is on the subnet of one of the interface addresses. */
bool net_on_subnet(const struct conf_ifaddr *list, unsigned count, const struct ip_addr *a);
/* Whether it is one of them. */
bool net_is_own(const struct conf_ifaddr *list, unsigned count, const struct ip_addr *a);
/* Whether one of the prefixes covers the other one. */
bool net_covered(const struct ip_prefix *list, unsigned count, const struct ip_prefix *p);
bool net_contains(const struct ip_prefix *list, unsigned count, const struct ip_addr *a);

#endif
