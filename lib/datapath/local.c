/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for an address of the router, by protocol. The router offers few services, and which of them depends
 * on where a packet comes from:
 *
 *                      uplink           attachment       out of a tunnel
 *   ESP, UDP 4500      esp_in           esp_in           refused: no tunnel ends inside a tunnel
 *   IKE                control          control          refused
 *   NAT keepalive      swallowed        swallowed        refused
 *   ICMP               control          control          control
 *   BFD                refused          bfd_in           bfd_in
 *   TCP (BGP)          refused          control          control
 *
 * (An attachment carries ESP and IKE when its gateways are private: IPsec over a private circuit.)
 * Fragments are put together first. Whatever goes to control must not claim an address of the router as its source.
 */

#include <rte_icmp.h>
#include <rte_tcp.h>

#include "base/wire.h"
#include "datapath/bfd.h"
#include "datapath/esp.h"
#include "datapath/natt.h"
#include "datapath/stage.h"

#define BGP_PORT             179
#define IKE_HEADER_BYTES     28
#define IKE_V1_MAIN          2
#define IKE_V1_AGGRESSIVE    4
#define IKE_V2_SA_INIT       34
#define IKE_V2_FLAG_RESPONSE 0x20

/*
 * The class of an IKE message from its header (RFC 7296 3.1, RFC 2408 3.1): the first message of somebody who
 * has no SA with us yet is apart from all others, whose SPIs control can check.
 */
static enum punt_class ike_class(const uint8_t *header)
{
	struct wire wire = wire_of(header, IKE_HEADER_BYTES);
	uint64_t responder;
	uint8_t version, exchange, flags;
	bool first;

	wire_skip(&wire, 8);
	responder = wire_u64(&wire);
	wire_skip(&wire, 1);
	version = wire_u8(&wire) >> 4;
	exchange = wire_u8(&wire);
	flags = wire_u8(&wire);
	if (version == 1)
		first = exchange == IKE_V1_MAIN || exchange == IKE_V1_AGGRESSIVE;
	else
		first = exchange == IKE_V2_SA_INIT && !(flags & IKE_V2_FLAG_RESPONSE);
	return responder == 0 && first ? PUNT_IKE_INIT : PUNT_IKE_KNOWN;
}

/* `offset`: of the IKE header in the packet. */
static void ike(struct worker *w, struct rte_mbuf *m, unsigned offset)
{
	uint8_t copy[IKE_HEADER_BYTES];
	const uint8_t *header = rte_pktmbuf_read(m, offset, sizeof(copy), copy);

	if (!header)
		drop(w, m, DROP_LOCAL_UNWANTED);
	else if (rte_ipv4_udptcp_cksum_mbuf_verify(m, ipv4_of(m), IPV4_BYTES) != 0 &&
	    udp_of(m)->dgram_cksum != 0)
		drop(w, m, DROP_UDP_MALFORMED);
	else
		punt(w, m, ike_class(header));
}

static void udp_4500(struct worker *w, struct rte_mbuf *m, struct burst *esp)
{
	switch (natt_kind(m)) {
	case NATT_ESP:
		esp_found(m, IPV4_BYTES, UDP_BYTES);
		burst_put(esp, m);
		return;
	case NATT_IKE:
		ike(w, m, IPV4_BYTES + UDP_BYTES + NATT_MARKER);
		return;
	case NATT_KEEPALIVE:
		drop(w, m, DROP_NATT_KEEPALIVE);
		return;
	case NATT_TRUNCATED:
		drop(w, m, DROP_ESP_TRUNCATED);
		return;
	}
}

static void bfd(struct worker *w, struct rte_mbuf *m)
{
	if (udp_of(m)->dgram_cksum != 0 &&
	    rte_ipv4_udptcp_cksum_mbuf_verify(m, ipv4_of(m), IPV4_BYTES) != 0)
		drop(w, m, DROP_UDP_MALFORMED);
	else
		bfd_in(w, m);
}

static void udp(struct worker *w, struct rte_mbuf *m, struct burst *esp)
{
	if (!udp_length_holds(m))
		drop(w, m, DROP_UDP_MALFORMED);
	else if (udp_of(m)->dst_port == RTE_BE16(BFD_PORT) && pkt_meta(m)->attachment != 0)
		bfd(w, m);
	else if (pkt_meta(m)->tunnel)
		drop(w, m, DROP_LOCAL_UNWANTED);
	else if (udp_of(m)->dst_port == RTE_BE16(NATT_PORT))
		udp_4500(w, m, esp);
	else if (udp_of(m)->dst_port == RTE_BE16(IKE_PORT))
		ike(w, m, IPV4_BYTES + UDP_BYTES);
	else
		drop(w, m, DROP_LOCAL_UNWANTED);
}

/* Echo replies answer our health checks and do not compete with what strangers send. */
static void icmp(struct worker *w, struct rte_mbuf *m)
{
	const struct rte_icmp_hdr *icmp =
	    rte_pktmbuf_mtod_offset(m, const struct rte_icmp_hdr *, IPV4_BYTES);
	bool reply;

	if (m->data_len < IPV4_BYTES + sizeof(*icmp)) {
		drop(w, m, DROP_IP_MALFORMED);
		return;
	}
	reply = icmp->icmp_type == RTE_IP_ICMP_ECHO_REPLY && pkt_meta(m)->attachment != 0;
	punt(w, m, reply ? PUNT_HOST : PUNT_ICMP_LOCAL);
}

/* Does the source claim to be the router? Nobody but the router may (RFC 1812 5.3.7, "land" attacks). */
static bool source_is_ours(struct worker *w, struct rte_mbuf *m)
{
	const struct fib *fib = ingress_fib(w, pkt_meta(m));
	uint32_t src = rte_be_to_cpu_32(ipv4_of(m)->src_addr);
	const struct nexthop *nh;
	uint32_t hop;

	if (!fib)
		return false;
	fib_lookup_v4(fib, &src, &hop, 1);
	nh = nexthop_get(&w->b->nexthops, hop);
	return nh && nh->kind == NH_LOCAL;
}

/* Whether it belongs to a session is control's to say, which knows the sessions. */
static bool is_bgp(struct rte_mbuf *m)
{
	const struct rte_tcp_hdr *tcp =
	    rte_pktmbuf_mtod_offset(m, const struct rte_tcp_hdr *, IPV4_BYTES);

	return m->data_len >= IPV4_BYTES + sizeof(*tcp) &&
	    (tcp->dst_port == RTE_BE16(BGP_PORT) || tcp->src_port == RTE_BE16(BGP_PORT));
}

static void whole_packet(struct worker *w, struct rte_mbuf *m, struct burst *esp)
{
	const struct pkt_meta *meta = pkt_meta(m);

	if (ipv4_of(m)->next_proto_id == IPPROTO_ESP && !meta->tunnel) {
		esp_found(m, IPV4_BYTES, 0);
		burst_put(esp, m);
		return;
	}
	if (source_is_ours(w, m)) {
		drop(w, m, DROP_IP_MARTIAN);
		return;
	}
	switch (ipv4_of(m)->next_proto_id) {
	case IPPROTO_UDP:
		udp(w, m, esp);
		return;
	case IPPROTO_ICMP:
		icmp(w, m);
		return;
	case IPPROTO_TCP:
		if (meta->attachment != 0 && is_bgp(m)) {
			punt(w, m, PUNT_BGP);
			return;
		}
		break;
	}
	drop(w, m, DROP_LOCAL_UNWANTED);
}

void local(struct worker *w, struct burst *in, struct burst *esp)
{
	for (unsigned i = 0; i < in->n; i++) {
		struct rte_mbuf *m = in->m[i];

		if (unlikely(ipv4_is_fragment(ipv4_of(m))))
			m = reassemble(w, m);
		if (m)
			whole_packet(w, m, esp);
	}
	in->n = 0;
}
