/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ICMP of the router itself: echo to its addresses, and the errors it owes the sources of packets that workers
 * could not forward (RFC 792, 1191, 1812). An answer leaves where the packet came in: into the tunnel it came
 * out of, to the neighbour on its interface, or by the table of that interface. Of the errors of others the one about
 * the MTU of a path counts, outside of tunnels.
 */

#include "router/internal.h"

#define ICMP_BYTES_MAX 9216

static const struct model_iface *iface_at(struct router *r, uint32_t index)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		if (all[i]->index == index)
			return all[i];
	}
	return NULL;
}

static bool is_neighbour(const struct model_iface *iface, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < iface->address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&iface->address[i].addr, iface->address[i].len);

		if (ip_prefix_has(&subnet, addr))
			return true;
	}
	return false;
}

/* `packet` is ours and well-formed. On an uplink it goes the way of outer packets: there is no table to ask. */
static void answer(struct router *r, const struct pkt_meta *meta, const uint8_t *packet, size_t len)
{
	const struct model_iface *iface = iface_at(r, meta->iface);
	struct ip_addr from = ip_from_bytes(IP_V4, packet + 12),
		       to = ip_from_bytes(IP_V4, packet + 16);

	if (meta->tunnel)
		host_send_tunnel(r, meta->tunnel, packet, len);
	else if (iface && is_neighbour(iface, &to))
		host_send_nexthop(r, iface->leaf, packet, len);
	else if (iface && iface->attachment)
		host_send_route(r, meta->iface, packet, len);
	else if (iface)
		host_send_nexthop(r, model_underlay(r->model, &from, &to), packet, len);
}

void icmp_host_local(struct router *r, struct rte_mbuf *m, struct mono now)
{
	uint8_t room[ICMP_BYTES_MAX], reply[ICMP_BYTES_MAX];
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);
	size_t n = packet ? icmp_echo_reply(packet, len, reply, sizeof(reply)) : 0;

	if (n)
		answer(r, pkt_meta(m), reply, n);
	else if (packet && !pkt_meta(m)->tunnel)
		path_mtu_heard(r, packet, len, now);
	rte_pktmbuf_free(m);
}

void icmp_host_report(
    struct router *r, struct rte_mbuf *m, enum icmp_error kind, uint32_t mtu, struct mono now)
{
	uint8_t room[ICMP_BYTES_MAX], error[ICMP_BYTES_MAX];
	const struct pkt_meta *meta = pkt_meta(m);
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);

	if (!packet || len < 20 || !(meta->tunnel || meta->iface))
		return;
	struct ip_addr to = ip_from_bytes(IP_V4, packet + 12);
	struct ip_addr from = model_source_address(r->model, meta->attachment, &to);
	if (!ip_is_set(&from) || !icmp_limiter_pass(r->icmp, &to, now))
		return;
	size_t n = icmp_error(kind, mtu, &from, packet, len, error, sizeof(error));
	if (n)
		answer(r, meta, error, n);
}

void icmp_host_error(struct router *r, struct rte_mbuf *m, struct mono now)
{
	const struct pkt_meta *meta = pkt_meta(m);
	enum icmp_error kind;

	switch ((enum drop_reason)meta->detail) {
	case DROP_TTL_EXCEEDED:
		kind = ICMP_TTL_EXCEEDED;
		break;
	case DROP_MTU_EXCEEDED:
		kind = ICMP_FRAG_NEEDED;
		break;
	case DROP_POLICY_DENIED:
		kind = ICMP_ADMIN_PROHIBITED;
		break;
	case DROP_LOCAL_UNWANTED:
		kind = ICMP_PORT_UNREACHABLE;
		break;
	case DROP_TUNNEL_DOWN:
		kind = ICMP_HOST_UNREACHABLE;
		break;
	default:
		kind = ICMP_NET_UNREACHABLE;
		break;
	}
	icmp_host_report(r, m, kind, meta->mtu, now);
	rte_pktmbuf_free(m);
}
