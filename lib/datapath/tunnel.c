/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Into tunnels, and what is left to do after coming out of one.
 *
 * A packet that does not fit through the tunnel is fragmented before encryption, or its source hears of the inner
 * MTU (M4, RFC 4301 8.2.1). Both directions of a TCP connection learn the MSS that fits: SYNs are clamped on
 * their way in, for what the peer sends, and on their way out, for what our side sends.
 * While a tunnel is down nothing of it leaves.
 */

#include <rte_tcp.h>

#include "boundary/decide.h"
#include "datapath/esp.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"

/* Is it a SYN, with all of TCP's header? For every packet, so that mss_clamp_syn() need not ask. */
static inline bool is_syn(struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = ipv4_of(m);
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(ip + 1);

	return ip->next_proto_id == IPPROTO_TCP && m->data_len >= IPV4_BYTES + sizeof(*tcp) &&
	    unlikely(tcp->tcp_flags & RTE_TCP_SYN_FLAG) && ipv4_fragment_offset(ip) == 0;
}

static void clamp(struct rte_mbuf *m, const struct tunnel *t)
{
	if (t && t->mss_v4 != 0)
		mss_clamp_syn(m, t->mss_v4);
}

/* Encrypts packets, each through its tunnel, and sends the outer ones on their way. */
static void encrypt(
    struct worker *w, const struct tunnel *const *tunnel, struct rte_mbuf **m, unsigned n)
{
	struct rte_mbuf *outer[BURST_MAX];

	if (n > 0)
		egress_outer(w, outer, esp_out(w, tunnel, m, n, outer));
}

static __rte_noinline void encrypt_fragments(
    struct worker *w, const struct tunnel *t, struct rte_mbuf *m)
{
	const struct tunnel *tunnel[FRAGMENTS_MAX];
	struct rte_mbuf *piece[FRAGMENTS_MAX];
	unsigned n = fragment(w, m, t->inner_mtu, piece);

	for (unsigned i = 0; i < n; i++) {
		pkt_meta(piece[i])->tunnel = t->index;
		tunnel[i] = t;
	}
	encrypt(w, tunnel, piece, n);
}

/* Not up: the first packet makes an on-demand tunnel negotiate and may wait for it (T11). */
static void not_up(struct worker *w, struct rte_mbuf *m, const struct tunnel *t)
{
	if (t && t->state == TUNNEL_TRAP) {
		pkt_meta(m)->tunnel = t->index;
		punt_waiting(w, m, PUNT_TRAP, DROP_TUNNEL_DOWN);
	} else {
		drop_with_icmp(w, m, DROP_TUNNEL_DOWN, 0);
	}
}

void tunnel_out(struct worker *w, struct tunnelled *d)
{
	unsigned n = 0; /* those in front that are ready */

	for (unsigned i = 0; i < d->n; i++) {
		const struct tunnel *t = d->tunnel[i];
		struct rte_mbuf *m = d->m[i];

		if (unlikely(decide_tunnel(t, pkt_meta(m)->attachment) != DROP_NOT)) {
			not_up(w, m, t);
			continue;
		}
		if (unlikely(is_syn(m)))
			clamp(m, t);
		if (unlikely(m->pkt_len > t->inner_mtu)) {
			encrypt(w, d->tunnel, d->m, n); /* what came before stays before */
			encrypt_fragments(w, t, m);
			n = 0;
			continue;
		}
		pkt_meta(m)->tunnel = t->index;
		d->tunnel[n] = t;
		d->m[n++] = m;
	}
	encrypt(w, d->tunnel, d->m, n);
}

void tunnel_out_one(struct worker *w, struct rte_mbuf *m, uint32_t tunnel)
{
	const struct tunnel *t = tunnel_get(&w->b->tunnels, tunnel);

	tunnel_out(w, &(struct tunnelled){.n = 1, .m = {m}, .tunnel = {t}});
}

void tunnel_in(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(is_syn(m[i]))) /* else its tunnel need not be looked up */
			clamp(m[i], tunnel_get(&w->b->tunnels, pkt_meta(m[i])->tunnel));
	}
}
