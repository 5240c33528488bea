/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lowers the MSS that a TCP SYN or SYN-ACK announces (RFC 9293 3.7.1, M4), and corrects the checksum by the
 * difference alone. A SYN without the option stays as it is: its peer then sends 536 bytes at most. Options that
 * make no sense end the search.
 */

#include <rte_tcp.h>

#include "base/wire.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"

#define TCP_BYTES     20
#define TCP_OPT_END   0
#define TCP_OPT_NOP   1
#define TCP_OPT_MSS   2
#define TCP_MSS_BYTES 4

/* The two bytes of the MSS in the options, or NULL. */
static const uint8_t *find_mss(const uint8_t *options, size_t len)
{
	struct wire w = wire_of(options, len);

	while (wire_left(&w) > 0) {
		uint8_t kind = wire_u8(&w);
		uint8_t size;

		if (kind == TCP_OPT_NOP)
			continue;
		if (kind == TCP_OPT_END)
			return NULL;
		size = wire_u8(&w);
		if (!wire_ok(&w) || size < 2)
			return NULL;
		if (kind == TCP_OPT_MSS) {
			const uint8_t *mss = wire_bytes(&w, 2);

			return size == TCP_MSS_BYTES ? mss : NULL;
		}
		wire_skip(&w, size - 2);
	}
	return NULL;
}

void mss_clamp_syn(struct rte_mbuf *m, uint16_t mss)
{
	struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, IPV4_BYTES);
	unsigned header = (tcp->data_off >> 4) * 4;
	uint16_t old, new = rte_cpu_to_be_16(mss);
	const uint8_t *found;
	size_t offset;

	if (header < TCP_BYTES || m->data_len < IPV4_BYTES + header)
		return;
	found = find_mss((const uint8_t *)tcp + TCP_BYTES, header - TCP_BYTES);
	if (!found)
		return;
	memcpy(&old, found, sizeof(old));
	if (rte_be_to_cpu_16(old) <= mss)
		return;
	offset = (size_t)(found - (const uint8_t *)tcp);
	memcpy((uint8_t *)tcp + offset, &new, sizeof(new));
	if (offset % 2) { /* lies across two words of the sum, bytes swapped in each */
		old = rte_bswap16(old);
		new = rte_bswap16(new);
	}
	tcp->cksum = checksum_adjust(tcp->cksum, old, new);
}
