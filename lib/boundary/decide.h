/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_DECIDE_H
#define BOUNDARY_DECIDE_H

/*
 * What becomes of a packet, step by step, as pure functions of published records. Workers forward by
 * these and `explain` answers by these (O4), so that what is explained is what happens. In order:
 *
 *   decide_martian()   addresses that no packet may have
 *   fib_lookup...()    boundary/fib.h: the entry of the table of its ingress
 *   decide_entry()     is there a route, and may this ingress use it?
 *   decide_member()    of a group: by flow_hash...() of boundary/flow.h
 *   decide_tunnel()    leaf of a tunnel: does it take the packet?    tunnel_select(): which SA?
 *   decide_way_out()   leaf of an interface: may the packet leave there?
 *
 * Each answers with a reason to drop, or with DROP_NOT.
 */

#include "boundary/iface.h"
#include "boundary/nexthop.h"
#include "boundary/reason.h"
#include "boundary/tunnel.h"

/* First octets that are no unicast host anywhere: this net, loopback, multicast, class E, broadcast. */
static inline bool decide_martian_first(uint8_t octet)
{
	static const bool martian[256] = {[0] = true, [127] = true, [224 ... 255] = true};

	return martian[octet];
}
static inline bool decide_martian_v4(uint32_t host_order)
{
	return decide_martian_first((uint8_t)(host_order >> 24));
}

/* The ingress, a port or the inside of a tunnel, has no table. */
static inline unsigned decide_no_table(bool by_port)
{
	return by_port ? DROP_IFACE_DOWN : DROP_TUNNEL_DOWN;
}

/* `nh`: what the table says, NULL for no route. Attachment 0: the packet came in on an uplink. */
static inline unsigned decide_entry(const struct nexthop *nh, uint16_t attachment)
{
	if (unlikely(!nh || nh->kind == NH_NONE))
		return attachment ? DROP_NO_ROUTE : DROP_NOT_FOR_US;
	if (unlikely(attachment == 0 && nh->kind != NH_LOCAL))
		return DROP_NOT_FOR_US;
	if (unlikely(!nexthop_permits(nh, attachment)))
		return DROP_POLICY_DENIED;
	return DROP_NOT;
}

/* Does decide_entry() let the packet pass, to a way out of the router or a group of them? In fewer questions. */
static inline bool decide_transit(const struct nexthop *nh, uint16_t attachment)
{
	return nh && nh->kind >= NH_GROUP && attachment != 0 && nexthop_permits(nh, attachment);
}

/* The leaf of a group for that flow; NULL (DROP_NO_MEMBER) when no member is usable. */
static inline const struct nexthop *decide_member(
    const struct nexthops *t, const struct nexthop *group, uint32_t hash)
{
	const struct nexthop *leaf = nexthop_get(t, group->bucket[nexthop_bucket(hash)]);

	return likely(leaf && leaf->kind != NH_NONE) ? leaf : NULL;
}

/* An unfit tunnel is still probed: by packets of the router itself, which no attachment sent. */
static inline unsigned decide_tunnel(const struct tunnel *t, uint16_t attachment)
{
	if (likely(t && t->state == TUNNEL_UP))
		return DROP_NOT;
	return t && t->state == TUNNEL_UNFIT && attachment == 0 ? DROP_NOT : DROP_TUNNEL_DOWN;
}

/* `transit`: neither an outer packet of a tunnel nor one of the router itself. */
static inline unsigned decide_way_out(const struct iface *iface, bool transit)
{
	if (unlikely(!iface || !iface->up))
		return DROP_IFACE_DOWN;
	return unlikely(transit && iface->role == IFACE_UPLINK) ? DROP_CLEAR_ON_UPLINK : DROP_NOT;
}

#endif
