/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outer header for engines that put it in front themselves (rte_ipsec), with lengths and with the low 16 bits of
 * the sequence number as IPv4 ID: what comes from the inner header is noted before that is encrypted, and written
 * when the outer one is there.
 */

#include "datapath/esp_outer.h"

void esp_outer_note(const struct sa_out *sa, struct rte_mbuf *m)
{
	struct esp_note *note = esp_note(m);

	note->copied = esp_outer_copied(sa, rte_pktmbuf_mtod(m, const uint8_t *));
	note->bytes = m->pkt_len;
	note->inbound = false;
	note->failed = false;
}

static inline void finish(const struct sa_out *sa, struct rte_mbuf *m)
{
	uint64_t copied = esp_note(m)->copied;

	if (sa->outer_family == IP_V4) {
		struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);

		esp_outer_v4(sa, ip, copied, rte_be_to_cpu_16(ip->packet_id), (uint16_t)m->pkt_len);
	} else {
		esp_outer_v6(
		    rte_pktmbuf_mtod(m, struct rte_ipv6_hdr *), copied, (uint16_t)m->pkt_len);
	}
	esp_outer_meta(sa, m);
}

void esp_outer_finish(struct worker *w, struct sa_out *sa, struct rte_mbuf **m, unsigned n)
{
	uint64_t bytes = 0, outer_bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		finish(sa, m[i]);
		bytes += esp_note(m[i])->bytes;
		outer_bytes += m[i]->pkt_len;
	}
	esp_count_out(w, sa, bytes, outer_bytes, w->esp->shared_sas);
}
