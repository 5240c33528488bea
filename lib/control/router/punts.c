/* SPDX-License-Identifier: BSD-3-Clause */

/* What workers hand over: packets by class and events by kind, each to the part that knows what to do. */

#include "base/log.h"
#include "base/wire.h"
#include "router/internal.h"

#define LOG "router"

#define PUNT_BUDGET 32 /* packets of a class per pass */

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

static void take(struct router *r, enum punt_class c, struct rte_mbuf *m, struct mono now)
{
	switch (c) {
	case PUNT_ARP:
		neighbours_arp(r, m, now);
		return;
	case PUNT_NEIGH:
		neighbours_wanted(r, m, now);
		return;
	case PUNT_IKE_KNOWN:
	case PUNT_IKE_INIT:
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
	case PUNT_HOST: /* nothing else listens yet: the sender gets no answer */
		health_packet(r, m, now);
		rte_pktmbuf_free(m);
		return;
	case PUNT_CLASS_COUNT:
		rte_pktmbuf_free(m);
		return;
	}
}

unsigned punts_poll(struct router *r, struct mono now)
{
	struct rte_mbuf *m[PUNT_BUDGET];
	struct event events[PUNT_BUDGET];
	unsigned work = 0;

	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		unsigned n = punt_take(r->b->punt, c, m, PUNT_BUDGET);

		for (unsigned i = 0; i < n; i++)
			take(r, c, m[i], now);
		work += n;
	}
	unsigned n = events_take(r->b->events, events, PUNT_BUDGET);
	for (unsigned i = 0; i < n; i++)
		tunnel_event(r, &events[i], now);
	return work + n;
}
