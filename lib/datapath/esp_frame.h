/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_FRAME_H
#define DATAPATH_ESP_FRAME_H

/*
 * ESP framing of our own, around the crypto of intel-ipsec-mb (RFC 4303 2, 3948 2.1).
 *
 *   outer IP [UDP] | SPI, sequence | IV | inner packet | padding, its length, next header | ICV
 *      template          esp       iv     clear ...  |<- frame ends here, the ICV follows
 *
 * A packet is in one segment; the stages have seen to the room on both ends.
 */

#include <string.h>

#include <rte_esp.h>

#include "datapath/esp_outer.h"

#define ESP_BYTES      ((unsigned)sizeof(struct rte_esp_hdr))
#define ESP_TRAILER    2  /* pad length and next header */
#define ESP_NEXT_DUMMY 59 /* RFC 4303 2.6 */
#define ESP_IV_MAX     16
#define ESP_PAD_MAX    255

/* 1, 2, 3, ... (RFC 4303 2.4) */
extern const uint8_t esp_padding[ESP_PAD_MAX + 1];

struct esp_frame {
	uint8_t *esp;   /* ESP header */
	unsigned clear; /* bytes to encrypt behind the IV: packet and trailer */
	unsigned total; /* bytes of the outer packet */
};

/* Padding and trailer behind the packet. Returns the bytes to encrypt. */
static inline unsigned esp_frame_tail(const struct sa_head *h, uint8_t *inner, unsigned bytes)
{
	unsigned clear = RTE_ALIGN_CEIL(bytes + ESP_TRAILER, (unsigned)h->align);
	unsigned pad = clear - bytes - ESP_TRAILER;
	uint8_t *end = inner + clear;

	memcpy(inner + bytes, esp_padding, ESP_IV_MAX); /* as much as a block ever needs */
	end[-2] = (uint8_t)pad;
	end[-1] = h->next_header;
	return clear;
}

static inline void esp_frame_udp(const struct sa_out *sa, struct rte_udp_hdr *udp, unsigned total)
{
	unsigned ip_bytes = sa->header_bytes - (unsigned)sizeof(*udp);

	memcpy(
	    udp, (const uint8_t *)&sa->header + ip_bytes, offsetof(struct rte_udp_hdr, dgram_len));
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(total - ip_bytes));
	udp->dgram_cksum = 0;
}

static inline void esp_frame_outer(
    const struct sa_out *sa, uint8_t *at, uint64_t copied, uint64_t sequence, unsigned total)
{
	if (likely(sa->outer_family == IP_V4)) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
		const struct rte_ipv4_hdr *template = &sa->header.v4.ip;

		memcpy(&ip->time_to_live, &template->time_to_live,
		    sizeof(*ip) - offsetof(struct rte_ipv4_hdr, time_to_live));
		esp_outer_v4(sa, ip, copied, (uint16_t)sequence, (uint16_t)total);
	} else {
		memcpy(at, &sa->header, sizeof(sa->header.v6.ip));
		esp_outer_v6((struct rte_ipv6_hdr *)at, copied, (uint16_t)total);
	}
	if (sa->head.natt)
		esp_frame_udp(sa, (struct rte_udp_hdr *)(at + sa->header_bytes) - 1, total);
}

/* Everything but IV, ciphertext and ICV. The packet then has its final length. */
static inline struct esp_frame esp_frame(
    const struct sa_out *sa, struct rte_mbuf *m, uint64_t sequence)
{
	const struct sa_head *h = &sa->head;
	uint8_t *inner = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t copied = esp_outer_copied(sa, inner);
	unsigned clear = esp_frame_tail(h, inner, m->data_len);
	unsigned total = sa->head_bytes + clear + h->icv_bytes;
	struct rte_esp_hdr *esp = (struct rte_esp_hdr *)(inner - h->header_bytes);

	esp->spi = rte_cpu_to_be_32(h->spi);
	esp->seq = rte_cpu_to_be_32((uint32_t)sequence);
	esp_frame_outer(sa, inner - sa->head_bytes, copied, sequence, total);
	m->data_off -= sa->head_bytes;
	m->data_len = (uint16_t)total;
	m->pkt_len = total;
	esp_outer_meta(sa, m);
	return (struct esp_frame){.esp = (uint8_t *)esp, .clear = clear, .total = total};
}

/* Where ESP lies in a received packet, and how much of it is encrypted. */
static inline struct esp_frame esp_frame_of(const struct sa_head *h, struct rte_mbuf *m)
{
	unsigned offset = esp_note(m)->offset;

	return (struct esp_frame){
	    .esp = rte_pktmbuf_mtod_offset(m, uint8_t *, offset),
	    .clear = m->data_len - offset - h->header_bytes - h->icv_bytes,
	    .total = m->data_len,
	};
}

/* Is it one of ours? In time that does not depend on where two differ; 12 to 32 bytes, a multiple of 4. */
static inline bool esp_icv_equal(const uint8_t *a, const uint8_t *b, unsigned bytes)
{
	uint32_t difference = 0;

	for (unsigned i = 0; i < bytes; i += sizeof(difference)) {
		uint32_t x, y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		difference |= x ^ y;
	}
	return difference == 0;
}

/*
 * Takes the frame off a decrypted packet; false when the trailer is not as it must be, and *next says what
 * it named.
 */
static inline bool esp_unframe(const struct sa_head *h, struct rte_mbuf *m, uint8_t *next)
{
	struct esp_frame f = esp_frame_of(h, m);
	const uint8_t *clear = f.esp + h->header_bytes, *end = clear + f.clear;
	unsigned pad = end[-2], inner = f.clear - ESP_TRAILER - pad;

	*next = end[-1];
	if (unlikely(*next != h->next_header || pad + ESP_TRAILER > f.clear))
		return false;
	if (unlikely(memcmp(clear + inner, esp_padding, pad) != 0))
		return false;
	m->data_off += (uint16_t)(clear - rte_pktmbuf_mtod(m, uint8_t *));
	m->data_len = (uint16_t)inner;
	m->pkt_len = inner;
	return true;
}

#endif
