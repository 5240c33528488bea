/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Only tunnels of flow-protection mode come here: others have one selector that holds everything, for which
 * control set a flag. A packet whose ports cannot be seen (a fragment, an extension header) has ports of
 * zero, and thus passes a selector of all ports only.
 */

#include "datapath/esp_select.h"

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "boundary/flow.h"

struct flow {
	struct ip_addr src, dst;
	uint8_t protocol;
	uint16_t src_port, dst_port;
};

static void read_ports(struct flow *f, const struct rte_mbuf *m, unsigned header)
{
	rte_be16_t port[2];

	if (!flow_has_ports(f->protocol) || m->data_len < header + sizeof(port))
		return;
	memcpy(port, rte_pktmbuf_mtod_offset(m, const void *, header), sizeof(port));
	f->src_port = rte_be_to_cpu_16(port[0]);
	f->dst_port = rte_be_to_cpu_16(port[1]);
}

static struct flow flow_of(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *v4 = rte_pktmbuf_mtod(m, const struct rte_ipv4_hdr *);
	const struct rte_ipv6_hdr *v6 = rte_pktmbuf_mtod(m, const struct rte_ipv6_hdr *);
	struct flow f = {.src_port = 0};

	if (v4->version_ihl >> 4 == IP_V4) {
		f.src = ip_from_bytes(IP_V4, (const uint8_t *)&v4->src_addr);
		f.dst = ip_from_bytes(IP_V4, (const uint8_t *)&v4->dst_addr);
		f.protocol = v4->next_proto_id;
		if (!(v4->fragment_offset &
			RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
			read_ports(&f, m, rte_ipv4_hdr_len(v4));
	} else {
		f.src = ip_from_bytes(IP_V6, v6->src_addr);
		f.dst = ip_from_bytes(IP_V6, v6->dst_addr);
		f.protocol = v6->proto;
		read_ports(&f, m, sizeof(*v6));
	}
	return f;
}

struct sa_out *esp_select_out(const struct tunnel *t, const struct rte_mbuf *m)
{
	struct flow f = flow_of(m);

	return tunnel_select(t, &f.src, &f.dst, f.protocol, f.src_port, f.dst_port);
}

bool esp_selected_in(const struct sa_in *sa, const struct rte_mbuf *m)
{
	struct flow f = flow_of(m);

	return sa_in_selects(sa, &f.src, &f.dst, f.protocol, f.src_port, f.dst_port);
}
