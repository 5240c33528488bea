/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOST_NETLINK_H
#define HOST_NETLINK_H

/*
 * The few requests to the kernel's routing that the TUN device needs (rtnetlink). Each waits for the kernel's
 * answer, which comes within the call. All return 0 or -errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/* A socket for the requests, or -errno. */
int netlink_open(void);
/* The address, alone in its subnet, on the interface. */
int netlink_address(int nl, unsigned ifindex, const struct ip_addr *addr, bool add);
/* The default route of an IPv4 routing table: out of the interface. */
int netlink_default_route(int nl, unsigned ifindex, uint32_t table);
/* In that routing table: packets to the address are the host's own. */
int netlink_local_route(
    int nl, unsigned ifindex, const struct ip_addr *addr, uint32_t table, bool add);
enum netlink_rule_by {
	NETLINK_RULE_OUT, /* "oif NAME lookup TABLE" */
	NETLINK_RULE_IN,  /* "iif NAME lookup TABLE" */
};
int netlink_rule_if(
    int nl, enum netlink_rule_by by, const char *ifname, uint32_t table, uint32_t priority);
/* "from ADDR lookup TABLE" */
int netlink_rule_from(
    int nl, const struct ip_addr *addr, uint32_t table, uint32_t priority, bool add);
/* Removes all rules that lead to the table: those that a killed process left behind. */
int netlink_rules_flush(int nl, uint32_t table);

#endif
