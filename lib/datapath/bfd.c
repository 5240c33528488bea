/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * BFD packets, sent and received (RFC 5880 6.8.6, 6.8.7; RFC 5881 5).
 *
 * What is received is checked here. A packet that says what the last one said, in a session that is up,
 * has done its job by being heard: the worker takes the time and keeps it (absorbed). Any other valid
 * packet goes to control too, which decides what it means.
 *
 * A worker that was not running does not know who was silent meanwhile: the time it was away does not
 * count as silence.
 */

#include "datapath/bfd.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "base/wire.h"
#include "boundary/bfd.h"
#include "datapath/natt.h"
#include "datapath/stage.h"
#include "datapath/trace.h"

#define TTL            255 /* RFC 5881 5: GTSM */
#define TOS_CONTROL    0xc0
#define VERSION        1
#define FLAG_AUTH      0x04
#define FLAG_MULTI     0x01
#define FLAGS_SEQUENCE 0x30 /* poll, final */
#define STATE_OF(f)    ((f) >> 6)
#define STATE_INIT     2
#define STATE_DOWN     1
#define STATE_BITS     0xc0
#define DIAG_BITS      0x1f
#define DIAG_EXPIRED   1
#define PACKET_BYTES   (IPV4_BYTES + UDP_BYTES + BFD_PACKET_BYTES)
#define AWAY_US        (10 * BFD_SCAN_US) /* a worker that comes back later was away */

/* ---- in ---- */

struct seen {
	uint8_t state, flags;
	uint32_t theirs, ours; /* discriminators */
};

/* RFC 5880 6.8.6, as far as one packet tells. */
static bool is_sound(struct rte_mbuf *m, struct seen *out)
{
	struct wire wire = wire_of(
	    rte_pktmbuf_mtod_offset(m, const uint8_t *, IPV4_BYTES + UDP_BYTES), BFD_PACKET_BYTES);
	unsigned room = rte_be_to_cpu_16(udp_of(m)->dgram_len) - UDP_BYTES;
	uint8_t first = wire_u8(&wire), flags = wire_u8(&wire), mult = wire_u8(&wire);
	uint8_t length = wire_u8(&wire);

	out->flags = flags;
	out->state = STATE_OF(flags);
	out->theirs = wire_u32(&wire);
	out->ours = wire_u32(&wire);
	return first >> 5 == VERSION && length >= BFD_PACKET_BYTES && length <= room && mult != 0 &&
	    !(flags & (FLAG_AUTH | FLAG_MULTI)) && out->theirs != 0 &&
	    (out->ours != 0 || out->state < STATE_INIT);
}

/* The session that the packet names; it must have come from where that lives. */
static const struct bfd_orders *session_of(
    struct worker *w, struct rte_mbuf *m, const struct seen *seen)
{
	const struct bfd_orders *o = bfd_get(&w->b->bfd, seen->ours & 0xffff);
	const struct pkt_meta *meta = pkt_meta(m);

	if (!o || o->discriminator != seen->ours || o->peer_be != ipv4_of(m)->src_addr ||
	    o->local_be != ipv4_of(m)->dst_addr)
		return NULL;
	return o->tunnel == meta->tunnel && o->iface == meta->iface ? o : NULL;
}

static bool is_expected(const struct bfd_orders *o, struct rte_mbuf *m, const struct seen *seen)
{
	const void *body = rte_pktmbuf_mtod_offset(m, const void *, IPV4_BYTES + UDP_BYTES);

	return o->up && !(seen->flags & FLAGS_SEQUENCE) &&
	    memcmp(body, o->expected, BFD_PACKET_BYTES) == 0;
}

static void heard(struct worker *w, const struct bfd_orders *o)
{
	struct bfd_live *live = &w->b->bfd.live[o->index];

	atomic_store_explicit(&live->heard, w->now, memory_order_relaxed);
	atomic_fetch_add_explicit(&live->received, 1, memory_order_relaxed);
}

void bfd_in(struct worker *w, struct rte_mbuf *m)
{
	const struct bfd_orders *o = NULL;
	struct seen seen;

	if (m->data_len < PACKET_BYTES || ipv4_of(m)->time_to_live != TTL || !is_sound(m, &seen)) {
		drop(w, m, DROP_BFD_INVALID);
		return;
	}
	if (seen.ours) {
		o = session_of(w, m, &seen);
		if (!o) {
			drop(w, m, DROP_BFD_INVALID);
			return;
		}
		heard(w, o);
	}
	if (o && is_expected(o, m, &seen)) {
		w->slots[pkt_meta(m)->slot].absorbed++;
		trace_stage(w, TRACE_ABSORBED, 0, &m, 1);
		rte_pktmbuf_free(m);
		return;
	}
	punt(w, m, PUNT_BFD);
}

/* ---- out ---- */

static void put_packet(struct rte_mbuf *m, const struct bfd_orders *o, const struct bfd_live *live)
{
	struct rte_ipv4_hdr *ip = ipv4_of(m);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	uint8_t *body = (uint8_t *)(udp + 1);

	m->data_len = PACKET_BYTES;
	m->pkt_len = PACKET_BYTES;
	memset(ip, 0, IPV4_BYTES);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = TOS_CONTROL;
	ip->total_length = RTE_BE16(PACKET_BYTES);
	ip->time_to_live = TTL;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = o->local_be;
	ip->dst_addr = o->peer_be;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(o->source_port);
	udp->dst_port = RTE_BE16(BFD_PORT);
	udp->dgram_len = RTE_BE16(UDP_BYTES + BFD_PACKET_BYTES);
	udp->dgram_cksum = 0;
	memcpy(body, o->packet, BFD_PACKET_BYTES);
	if (live->expired) {
		body[0] = (uint8_t)((body[0] & ~DIAG_BITS) | DIAG_EXPIRED);
		body[1] = (uint8_t)((body[1] & ~STATE_BITS) | STATE_DOWN << 6);
	}
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static void send_packet(struct worker *w, const struct bfd_orders *o, struct bfd_live *live)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->b->pool);
	struct pkt_meta *meta;

	if (!m)
		return; /* the next one is due soon */
	meta = pkt_meta(m);
	memset(meta, 0, PKT_META_HEAD);
	meta->slot = SLOT_CONTROL;
	put_packet(m, o, live);
	w->slots[SLOT_CONTROL].received++;
	w->slots[SLOT_CONTROL].received_bytes += m->pkt_len;
	atomic_fetch_add_explicit(&live->sent, 1, memory_order_relaxed);
	if (o->tunnel) {
		tunnel_out_one(w, m, o->tunnel);
	} else {
		meta->nexthop = o->nexthop;
		egress_leaf(w, m, EGRESS_OWN);
	}
}

/* RFC 5880 6.8.7: 0 to 25 % less each time; with a multiplier of 1, at most 90 % of it. */
static uint64_t with_jitter(const struct bfd_orders *o, struct bfd_live *live)
{
	uint64_t least = o->transmit_cycles - o->transmit_cycles / 4;
	uint64_t most =
	    o->packet[2] == 1 ? o->transmit_cycles - o->transmit_cycles / 10 : o->transmit_cycles;

	live->jitter = live->jitter * UINT64_C(6364136223846793005) + o->discriminator * 2 + 1;
	return least + (live->jitter >> 33) % (most - least + 1);
}

static void raise_expired(struct worker *w, const struct bfd_orders *o, struct bfd_live *live)
{
	const struct event ev = {
	    .kind = EVENT_BFD_EXPIRED, .spi = o->index, .inbound = o->generation};

	live->expired =
	    event_put(w->b->events, &ev); /* the queue is full: again in a millisecond */
	if (live->expired)
		live->due = w->now; /* the far end hears of it at once */
}

/* One session of this worker. Returns when it is to be looked at again. */
static uint64_t look(
    struct worker *w, const struct bfd_orders *o, struct bfd_live *live, uint64_t away)
{
	uint64_t next = UINT64_MAX, last;

	if (live->generation != o->generation) { /* new orders: what they say is said at once */
		live->generation = o->generation;
		live->expired = false;
		live->due = w->now;
		atomic_store_explicit(&live->heard, w->now, memory_order_relaxed);
	}
	if (away)
		atomic_fetch_add_explicit(&live->heard, away, memory_order_relaxed);
	last = atomic_load_explicit(&live->heard, memory_order_relaxed);
	if (o->detect_cycles && !live->expired) {
		if ((int64_t)(w->now - last) > (int64_t)o->detect_cycles)
			raise_expired(w, o, live);
		else
			next = last + o->detect_cycles;
	}
	if (!o->transmit_cycles)
		return next;
	if (w->now >= live->due) {
		live->due = w->now + with_jitter(o, live);
		send_packet(w, o, live);
	}
	return RTE_MIN(next, live->due);
}

void bfd_scan(struct worker *w)
{
	struct bfd_table *t = &w->b->bfd;
	uint32_t end = atomic_load_explicit(&t->end, memory_order_acquire);
	uint64_t us = rte_get_tsc_hz() / 1000000;
	uint64_t gap = w->bfd_due ? w->now - w->bfd_due : 0;
	uint64_t away = gap > AWAY_US * us ? gap : 0;

	w->bfd_due = w->now + BFD_SCAN_US * us;
	for (uint32_t i = w->id; i < end; i += w->b->workers) {
		const struct bfd_orders *o;

		if (!away && atomic_load_explicit(&t->next[i], memory_order_acquire) > w->now)
			continue;
		/* Orders that come from here on set it to 0 again. */
		atomic_exchange_explicit(&t->next[i], UINT64_MAX, memory_order_acq_rel);
		o = bfd_get(t, i);
		if (!o)
			continue;
		uint64_t next = look(w, o, &t->live[i], away), none = UINT64_MAX;
		atomic_compare_exchange_strong(&t->next[i], &none, next);
	}
}
