/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The short way of ESP: on an uplink nearly every packet is ESP for one of our gateway addresses, so none is looked
 * up; esp_in() compares the outer addresses with those of the SA. Fragments and everything else take the
 * ordinary way through the table of the underlay.
 */

#include "datapath/esp.h"
#include "datapath/natt.h"
#include "datapath/stage.h"

/* ESP, and ready for esp_in()? */
static inline bool is_esp(struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = ipv4_of(m);

	if (unlikely(ipv4_is_fragment(ip)))
		return false;
	if (ip->next_proto_id == IPPROTO_ESP) {
		esp_found(m, IPV4_BYTES, 0);
		return true;
	}
	if (ip->next_proto_id != IPPROTO_UDP || !udp_length_holds(m) ||
	    udp_of(m)->dst_port != RTE_BE16(NATT_PORT) || natt_kind(m) != NATT_ESP)
		return false;
	esp_found(m, IPV4_BYTES, UDP_BYTES);
	return true;
}

unsigned uplink(struct worker *w, struct rte_mbuf **m, unsigned n, struct burst *esp)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		bool from_uplink = pkt_meta(m[i])->attachment == 0;

		if (from_uplink && is_esp(m[i]))
			burst_put(esp, m[i]);
		else
			m[kept++] = m[i];
	}
	return kept;
}
