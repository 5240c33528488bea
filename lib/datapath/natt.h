/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_NATT_H
#define DATAPATH_NATT_H

/*
 * What a UDP datagram to port 4500 carries (RFC 3948 2): ESP, IKE behind a marker of four zero bytes (no SPI is
 * zero), or a keepalive of one byte 0xff. The UDP checksum of ESP is not looked at: the ICV says more, and
 * most senders leave it zero.
 */

#include <rte_udp.h>

#include "datapath/stage.h"

#define IKE_PORT    500
#define NATT_PORT   4500
#define NATT_MARKER 4

enum natt_kind { NATT_ESP, NATT_IKE, NATT_KEEPALIVE, NATT_TRUNCATED };

/* `m`: a whole IPv4 packet with a UDP header in its first segment. */
static inline const struct rte_udp_hdr *udp_of(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, IPV4_BYTES);
}

/* The datagram is exactly as long as its packet. */
static inline bool udp_length_holds(struct rte_mbuf *m)
{
	return m->data_len >= IPV4_BYTES + UDP_BYTES &&
	    rte_be_to_cpu_16(udp_of(m)->dgram_len) == m->pkt_len - IPV4_BYTES;
}

/* After udp_length_holds(). */
static inline enum natt_kind natt_kind(struct rte_mbuf *m)
{
	unsigned payload = m->data_len - IPV4_BYTES - UDP_BYTES;
	uint32_t first;

	if (unlikely(payload < NATT_MARKER)) {
		const uint8_t *byte = (const uint8_t *)(udp_of(m) + 1);

		return payload == 1 && *byte == 0xff ? NATT_KEEPALIVE : NATT_TRUNCATED;
	}
	memcpy(&first, udp_of(m) + 1, sizeof(first));
	return first ? NATT_ESP : NATT_IKE;
}

#endif
