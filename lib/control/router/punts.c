/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What waits for the control lcore: packets of workers by class, their events, and the timers of IKE; each to the part
 * that knows what to do.
 *
 * One unit of work is seldom more than microseconds, but a Diffie-Hellman exchange of a large group takes
 * milliseconds, and a restart of many peers brings thousands of them. So a pass ends when its time is over, and the
 * next one begins with the source behind the one that used it up: the control lcore never blocks for longer than
 * PASS_MAX and one unit, and no source waits for more than a pass of each of the others. The longest unit there is, the
 * answer to an IKE_SA_INIT with group16, took 7.7 ms where group14 took 2.4 (test/bench/ike_bench.c): under the 20 ms
 * that control may be away with a machine half as fast, so that no second thread has to touch the engine.
 */

#include <rte_cycles.h>

#include "base/log.h"
#include "base/wire.h"
#include "router/internal.h"

#define LOG "router"

#define PASS_MAX DUR_MS(3)
#define TURN_MAX 32 /* units of one source in a row */
#define INIT_MAX_S                                                                                 \
	2 /* what waited longer asks for an attempt that its sender is about to give up */

static void take_ike(struct router *r, struct rte_mbuf *m, struct mono now)
{
	static const uint8_t marker[4];
	uint8_t room[HOST_PACKET_MAX];
	struct ike_endpoint local, remote;
	struct wire payload;
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);

	if (packet && host_parse_udp(packet, len, &local, &remote, &payload) == 0) {
		if (local.port != IKE_PORT && wire_left(&payload) >= sizeof(marker) &&
		    memcmp(payload.at, marker, sizeof(marker)) == 0)
			wire_skip(&payload, sizeof(marker));
		ike_receive(r->ike, now, &local, &remote, payload.at, wire_left(&payload));
	}
	rte_pktmbuf_free(m);
}

/*
 * Requests for new IKE SAs come faster than they can be answered when many peers return at once. Answering each in its turn,
 * however late, would be work for attempts that have ended, and none would succeed: what is late is dropped, and
 * its sender asks again.
 */
static bool is_late(struct router *r, struct rte_mbuf *m)
{
	if (likely(punt_waited(m, rte_rdtsc()) < INIT_MAX_S * rte_get_tsc_hz()))
		return false;
	r->late_inits++;
	rte_pktmbuf_free(m);
	return true;
}

static void take(struct router *r, enum punt_class c, struct rte_mbuf *m, struct mono now)
{
	switch (c) {
	case PUNT_ARP:
		neighbours_arp(r, m, now);
		return;
	case PUNT_NEIGH:
		neighbours_wanted(r, m, now);
		return;
	case PUNT_IKE_INIT:
		if (is_late(r, m))
			return;
		take_ike(r, m, now);
		return;
	case PUNT_IKE_KNOWN:
		take_ike(r, m, now);
		return;
	case PUNT_ICMP_LOCAL:
		icmp_host_local(r, m, now);
		return;
	case PUNT_ICMP_ERROR:
		icmp_host_error(r, m, now);
		return;
	case PUNT_TRAP:
		tunnel_trap(r, m, now);
		return;
	case PUNT_BFD:
		bfd_punt(r, m, now);
		return;
	case PUNT_BGP:
		speaker_punted(r, m);
		return;
	case PUNT_HOST: /* nothing else listens yet: the sender gets no answer */
		health_packet(r, m, now);
		rte_pktmbuf_free(m);
		return;
	case PUNT_CLASS_COUNT:
		rte_pktmbuf_free(m);
		return;
	}
}

/* ---- whose turn it is ---- */

/* The sources of work: the punt classes, and behind them */
enum { SOURCE_EVENTS = PUNT_CLASS_COUNT, SOURCE_IKE_TIMERS, SOURCE_COUNT };

/* One unit of work of a source; false: it has none. */
static bool take_one(struct router *r, unsigned source, struct mono now)
{
	struct rte_mbuf *m;
	struct event ev;

	switch (source) {
	case SOURCE_EVENTS:
		if (events_take(r->b->events, &ev, 1) == 0)
			return false;
		if (ev.kind == EVENT_BFD_EXPIRED)
			bfd_event(r, &ev, now);
		else
			tunnel_event(r, &ev, now);
		return true;
	case SOURCE_IKE_TIMERS:
		return ike_run(r->ike, now, 1) > 0;
	default:
		if (punt_take(r->b->punt, (enum punt_class)source, &m, 1) == 0)
			return false;
		take(r, (enum punt_class)source, m, now);
		return true;
	}
}

unsigned punts_poll(struct router *r, struct mono now)
{
	struct mono end = mono_add(now, PASS_MAX);
	unsigned work = 0;

	for (unsigned i = 0; i < SOURCE_COUNT; i++) {
		unsigned source = (r->next_source + i) % SOURCE_COUNT;

		for (unsigned k = 0; k < TURN_MAX && take_one(r, source, now); k++) {
			work++;
			if (mono_before(mono_now(), end))
				continue;
			r->next_source = (source + 1) % SOURCE_COUNT;
			return work;
		}
	}
	return work;
}
