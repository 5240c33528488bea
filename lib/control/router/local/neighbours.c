/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * neigh <-> boundary: ARP frames in and out, layer-2 headers for workers, and packets that wait for one. A packet
 * that workers could not send names the leaf next hop it was on its way to, and goes back to the same leaf.
 */

#include <errno.h>

#include "base/log.h"
#include "router/local/neighbours.h"

#define LOG "neighbour"

#define NEIGHBOURS_PER_IFACE  4096
#define PACKETS_PER_NEIGHBOUR 100 /* what some flows send until a busy host answers */
#define PACKETS_WAITING       1024

static void op_send(void *ctx, uint32_t iface, const uint8_t *frame, size_t len)
{
	host_send_frame(ctx, iface, frame, len);
}

static void op_ready(void *ctx, uint32_t iface, const struct ip_addr *addr, const uint8_t mac[6])
{
	struct router *r = ctx;
	const struct iface *i = iface_get(&r->b->ifaces, iface);
	struct rte_ether_addr ether;
	char text[IP_TEXT_MAX];

	if (!i)
		return;
	memcpy(ether.addr_bytes, mac, sizeof(ether.addr_bytes));
	if (neigh_publish(r->b->neighbours, i, addr, &ether) < 0)
		log_write(LOG_ERROR, LOG, ip_text(addr, text), "the neighbour table is full");
}

/* Do next hops of the model name its record? */
static bool is_next_hop(const struct router *r, uint32_t iface, const struct ip_addr *addr)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; all[i]->index == iface && k < all[i]->gateway_count; k++) {
			if (ip_eq(&all[i]->gateway[k], addr))
				return true;
		}
	}
	return false;
}

/* Any other record goes: stations come and go, and the table is one for all interfaces. */
static void op_gone(void *ctx, uint32_t iface, const struct ip_addr *addr)
{
	struct router *r = ctx;
	const struct iface *i = iface_get(&r->b->ifaces, iface);
	const struct neigh *n = neigh_find(r->b->neighbours, (uint16_t)iface, addr);

	if (i && is_next_hop(r, iface, addr))
		neigh_publish(r->b->neighbours, i, addr, NULL); /* workers ask again */
	else if (n)
		neigh_remove(r->b->neighbours, n->index);
}

/* Workers would send the packet to that neighbour, if the next hop it waits at is still the same. */
static bool may_go_on(
    const struct router *r, struct rte_mbuf *m, uint32_t iface, const struct ip_addr *addr)
{
	const struct nexthop *nh = nexthop_get(&r->b->nexthops, pkt_meta(m)->nexthop);
	const struct neigh *n = neigh_find(r->b->neighbours, (uint16_t)iface, addr);

	return nh && n && n->state == NEIGH_READY && nh->iface == iface &&
	    (nh->kind == NH_CONNECTED || (nh->kind == NH_VIA && nh->neigh == n->index));
}

static void op_packet(
    void *ctx, uint32_t iface, const struct ip_addr *addr, void *packet, bool resolved)
{
	struct router *r = ctx;
	struct rte_mbuf *m = packet;

	if (resolved && may_go_on(r, m, iface, addr)) {
		host_resume(r, m, INJECT_NEXTHOP);
		return;
	}
	if (!resolved)
		icmp_host_report(r, m, ICMP_HOST_UNREACHABLE, 0, mono_now());
	rte_pktmbuf_free(m);
}

static void op_conflict(void *ctx, uint32_t iface, const struct ip_addr *addr, const uint8_t mac[6])
{
	char text[IP_TEXT_MAX];

	log_write(LOG_ERROR, LOG, ip_text(addr, text),
	    "another station with MAC %02x:%02x:%02x:%02x:%02x:%02x uses this address of the router",
	    mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static const struct neigh_ops ops = {
    .send = op_send,
    .ready = op_ready,
    .gone = op_gone,
    .packet = op_packet,
    .conflict = op_conflict,
};

void neighbours_spec(const struct router *r, const struct model_iface *mi, struct neigh_iface *out)
{
	const struct iface *i = iface_get(&r->b->ifaces, mi->index);

	*out = (struct neigh_iface){.iface = mi->index};
	memcpy(out->mac, i->mac.addr_bytes, sizeof(out->mac));
	for (unsigned k = 0; k < mi->address_count && out->subnet_count < RTE_DIM(out->subnet);
	     k++) {
		out->subnet[out->subnet_count].addr = mi->address[k].addr;
		out->subnet[out->subnet_count++].len = mi->address[k].len;
	}
}

unsigned neighbours_fixed(const struct model_iface *mi, struct conf_neighbor *const **out)
{
	*out = mi->attachment ? mi->attachment->neighbors : mi->port->neighbors;
	return mi->attachment ? mi->attachment->neighbors_count : mi->port->neighbors_count;
}

void neighbours_add(struct router *r, const struct model_iface *mi, struct mono now)
{
	struct conf_neighbor *const *fixed;
	unsigned count = neighbours_fixed(mi, &fixed);
	struct neigh_iface spec;

	neighbours_spec(r, mi, &spec);
	neigh_iface_set(r->neigh, &spec, now);
	for (unsigned k = 0; k < mi->proxy_count; k++)
		neigh_proxy_add(r->neigh, mi->index, &mi->proxy[k], now);
	for (unsigned k = 0; k < count; k++)
		neigh_static_add(r->neigh, mi->index, &fixed[k]->address, fixed[k]->mac.bytes, now);
	for (unsigned k = 0; k < mi->gateway_count; k++)
		neigh_pin(r->neigh, mi->index, &mi->gateway[k], now);
}

int neighbours_init(struct router *r)
{
	const struct neigh_limits limits = {
	    NEIGHBOURS_PER_IFACE, PACKETS_PER_NEIGHBOUR, PACKETS_WAITING};
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);
	struct mono now = mono_now();

	r->neigh = neigh_create(&ops, r, &r->timers, &limits);
	if (!r->neigh)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		neighbours_add(r, all[i], now);
	return 0;
}

void neighbours_fini(struct router *r)
{
	if (r->neigh)
		neigh_free(r->neigh);
	r->neigh = NULL;
}

void neighbours_arp(struct router *r, struct rte_mbuf *m, struct mono now)
{
	const struct iface *i = iface_get(&r->b->ifaces, pkt_meta(m)->iface);
	uint8_t frame[128];
	struct wire in = wire_of(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m));
	struct wirebuf out = wirebuf_of(frame, sizeof(frame));

	if (i) {
		/* Without its VLAN tag; what is longer than an ARP packet is padding. */
		const uint8_t *addresses = wire_bytes(&in, 12);
		if (addresses)
			wirebuf_put(&out, addresses, 12);
		struct wire type = in;
		if (wire_u16(&type) == RTE_ETHER_TYPE_VLAN) /* unless the device took it off */
			wire_skip(&in, 4);
		size_t left = RTE_MIN(wire_left(&in), wirebuf_room(&out));
		const uint8_t *rest = wire_bytes(&in, left);
		if (rest)
			wirebuf_put(&out, rest, left);
		if (wire_ok(&in) && wirebuf_ok(&out))
			neigh_receive(r->neigh, i->index, frame, wirebuf_len(&out), now);
	}
	rte_pktmbuf_free(m);
}

void neighbours_wanted(struct router *r, struct rte_mbuf *m, struct mono now)
{
	const struct nexthop *nh = nexthop_get(&r->b->nexthops, pkt_meta(m)->nexthop);
	struct ip_addr addr = {0};

	if (nh && nh->kind == NH_VIA) {
		const struct neigh *n = neigh_get(r->b->neighbours, nh->neigh);
		if (n)
			addr = n->addr;
	} else if (nh && nh->kind == NH_CONNECTED && rte_pktmbuf_data_len(m) >= 20) {
		addr = ip_from_bytes(IP_V4, rte_pktmbuf_mtod_offset(m, const uint8_t *, 16));
	}
	if (!ip_is_set(&addr) || !neigh_resolve(r->neigh, nh->iface, &addr, m, now)) {
		if (ip_is_set(&addr))
			icmp_host_report(r, m, ICMP_HOST_UNREACHABLE, 0, now);
		rte_pktmbuf_free(m);
	}
}

void neighbours_link(struct router *r, const struct port *port, bool up, struct mono now)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		const struct iface *iface = iface_get(&r->b->ifaces, all[i]->index);

		if (iface && iface->port == port->index)
			neigh_link(r->neigh, all[i]->index, up, now);
	}
}
