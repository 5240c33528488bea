/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is it a sound IP packet? (RFC 1812 5.2.2, 5.3.7, 5.3.8)
 *
 * For packets from a port, out of a tunnel and from control alike; data starts at the IP header. What is behind the
 * total length (Ethernet padding, padding for traffic-flow confidentiality) is cut off, so that from here on
 * pkt_len is the length of the packet. No packet with options goes on: every later stage may rely on a
 * header of 20 bytes in the first segment.
 */

#include "boundary/decide.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"

/* Asked with a single branch for both addresses. */
static inline bool has_martian(const struct rte_ipv4_hdr *ip)
{
	return decide_martian_first(*(const uint8_t *)&ip->src_addr) |
	    decide_martian_first(*(const uint8_t *)&ip->dst_addr);
}

/* The port's verdict on the header checksum where it gave one (in the bits `by_port`), else ours. */
static inline bool checksum_holds(
    const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, uint64_t by_port)
{
	uint64_t verdict = m->ol_flags & by_port;

	if (verdict == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN || verdict == RTE_MBUF_F_RX_IP_CKSUM_NONE)
		return ipv4_checksum_holds(ip);
	return verdict == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

/* The packet does not begin with 0x45. */
static unsigned odd_header(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	unsigned header = rte_ipv4_hdr_len(ip);

	if (ip->version_ihl >> 4 == 6)
		return DROP_IP_FAMILY_OFF;
	if (ip->version_ihl >> 4 != 4 || header < IPV4_BYTES || header > m->data_len ||
	    header > rte_be_to_cpu_16(ip->total_length))
		return DROP_IP_MALFORMED;
	return DROP_IP_OPTIONS;
}

/* Why it is not, or DROP_NOT and its total length. */
static inline unsigned ipv4_refused(struct rte_mbuf *m, uint64_t by_port, unsigned *total_length)
{
	const struct rte_ipv4_hdr *ip = ipv4_of(m);
	unsigned total;

	if (unlikely(m->data_len < IPV4_BYTES))
		return DROP_IP_MALFORMED;
	if (unlikely(ip->version_ihl != RTE_IPV4_VHL_DEF))
		return odd_header(m, ip);
	total = rte_be_to_cpu_16(ip->total_length);
	if (unlikely(total < IPV4_BYTES || total > m->pkt_len))
		return DROP_IP_MALFORMED;
	if (unlikely(!checksum_holds(m, ip, by_port)))
		return DROP_IP_CHECKSUM;
	if (unlikely(ipv4_is_fragment(ip) && ipv4_fragment_end(ip) > IPV4_PAYLOAD_MAX))
		return DROP_IP_MALFORMED;
	if (unlikely(has_martian(ip)))
		return DROP_IP_MARTIAN;
	*total_length = total;
	return DROP_NOT;
}

unsigned ip_in(struct worker *w, struct rte_mbuf **m, unsigned n, bool by_port)
{
	uint64_t verdict_bits = by_port ? RTE_MBUF_F_RX_IP_CKSUM_MASK : 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned total = 0;
		unsigned why = ipv4_refused(m[i], verdict_bits, &total);

		if (unlikely(why != DROP_NOT)) {
			drop(w, m[i], why);
			continue;
		}
		if (unlikely(total < m[i]->pkt_len)) {
			w->slots[pkt_meta(m[i])->slot].received_bytes -= m[i]->pkt_len - total;
			packet_cut(m[i], total);
		}
		m[kept++] = m[i];
	}
	return kept;
}
