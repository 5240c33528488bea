/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv4 fragmentation (RFC 791 2.3, 3.2): of inner packets before they enter a tunnel, of clear packets for an interface
 * with a smaller MTU, of outer packets as a last resort. A fragment may be cut again. The first piece stays in the
 * packet's own buffer, the others are copies.
 */

#include "datapath/ipv4.h"
#include "datapath/stage.h"

/* Piece `start`..`start`+`bytes` of the payload, with a header of its own in front; NULL without memory. */
static struct rte_mbuf *piece_of(
    struct worker *w, struct rte_mbuf *m, unsigned start, unsigned bytes)
{
	struct rte_mbuf *piece = rte_pktmbuf_copy(m, w->b->pool, IPV4_BYTES + start, bytes);

	if (!piece)
		return NULL;
	if (!rte_pktmbuf_prepend(piece, IPV4_BYTES)) {
		rte_pktmbuf_free(piece);
		return NULL;
	}
	memcpy(ipv4_of(piece), ipv4_of(m), IPV4_BYTES);
	*pkt_meta(piece) = *pkt_meta(m);
	return piece;
}

/* `offset`: of the piece in the datagram, in bytes. */
static void set_header(struct rte_mbuf *piece, unsigned offset, bool more)
{
	struct rte_ipv4_hdr *ip = ipv4_of(piece);

	ip->total_length = rte_cpu_to_be_16((uint16_t)piece->pkt_len);
	ip->fragment_offset = rte_cpu_to_be_16(
	    (uint16_t)(offset / RTE_IPV4_HDR_OFFSET_UNITS | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
	ipv4_checksum_set(ip);
}

static unsigned cut(struct worker *w, struct rte_mbuf *m, unsigned unit, unsigned count,
    struct rte_mbuf *out[FRAGMENTS_MAX])
{
	unsigned payload = m->pkt_len - IPV4_BYTES;
	unsigned offset = ipv4_fragment_offset(ipv4_of(m));
	bool more = ipv4_of(m)->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG);

	for (unsigned i = 1; i < count; i++) {
		unsigned start = i * unit;

		out[i] = piece_of(w, m, start, RTE_MIN(unit, payload - start));
		if (!out[i]) {
			rte_pktmbuf_free_bulk(out + 1, i - 1);
			drop(w, m, DROP_NO_MBUF);
			return 0;
		}
		set_header(out[i], offset + start, more || i + 1 < count);
	}
	packet_cut(m, IPV4_BYTES + unit);
	set_header(m, offset, true);
	out[0] = m;
	w->slots[pkt_meta(m)->slot].created += count - 1;
	return count;
}

unsigned fragment(
    struct worker *w, struct rte_mbuf *m, uint32_t mtu, struct rte_mbuf *out[FRAGMENTS_MAX])
{
	unsigned payload = m->pkt_len - IPV4_BYTES;
	unsigned unit, count;

	if (ipv4_of(m)->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) {
		drop_with_icmp(w, m, DROP_MTU_EXCEEDED, mtu);
		return 0;
	}
	if (mtu < IPV4_BYTES + RTE_IPV4_HDR_OFFSET_UNITS) {
		drop(w, m, DROP_FRAG_FAILED);
		return 0;
	}
	unit = RTE_ALIGN_FLOOR(mtu - IPV4_BYTES, RTE_IPV4_HDR_OFFSET_UNITS);
	count = (payload + unit - 1) / unit;
	if (count > FRAGMENTS_MAX) {
		drop(w, m, DROP_FRAG_FAILED);
		return 0;
	}
	return cut(w, m, unit, count, out);
}
