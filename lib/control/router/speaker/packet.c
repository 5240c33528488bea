/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Packets between the TUN device and the tunnels and ports of sessions. A session is a pair of addresses and the one
 * tunnel, or port, that these may use: what comes out of tunnel A for the address of tunnel B, or with another
 * source than the peer's, never reaches the kernel; and what the kernel sends for a session leaves there and nowhere
 * else.
 */

#include "base/log.h"
#include "base/wire.h"
#include "router/speaker/speaker.h"

#define IPV4_HEADER 20
#define PROTO_TCP   6
#define READ_BUDGET 64 /* packets of the kernel per event */
#define PACKET_MAX  9216
#define SILENCE     DUR_S(30) /* connections are tried at least as often: see conf.c */

struct flow {
	struct ip_addr from, to;
	uint16_t from_port, to_port;
};

/* TCP over IPv4 without options, the first fragment at least. */
static bool flow_of(const uint8_t *packet, size_t len, struct flow *out)
{
	struct wire w = wire_of(packet, len);
	uint8_t version = wire_u8(&w);
	uint8_t protocol;

	wire_skip(&w, 8);
	protocol = wire_u8(&w);
	wire_skip(&w, 2);
	const uint8_t *from = wire_bytes(&w, 4), *to = wire_bytes(&w, 4);
	out->from_port = wire_u16(&w);
	out->to_port = wire_u16(&w);
	if (!wire_ok(&w) || version != 0x45 || protocol != PROTO_TCP)
		return false;
	out->from = ip_from_bytes(IP_V4, from);
	out->to = ip_from_bytes(IP_V4, to);
	return true;
}

static struct speaker_peer *session_of(
    const struct speaker *s, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct speaker_peer *p;

	list_for (p, &s->peers, node) {
		if (ip_eq(&p->config.transport.local, local) &&
		    ip_eq(&p->config.transport.remote, remote))
			return p;
	}
	return NULL;
}

/* Whose end of a session was meant by a packet that does not belong to it. */
static void note_foreign(struct speaker *s, const struct ip_addr *to)
{
	struct speaker_peer *p;

	s->packets_refused++;
	list_for (p, &s->peers, node) {
		if (ip_eq(&p->config.transport.local, to))
			p->foreign++;
	}
}

/* ---- to the kernel ---- */

static bool belongs(const struct speaker_peer *p, const struct pkt_meta *meta)
{
	return p &&
	    (p->tunnel ? meta->tunnel == p->tunnel : !meta->tunnel && meta->iface == p->iface);
}

static void note_evidence(struct speaker_peer *p, const uint8_t *packet, size_t len)
{
	enum evidence found = evidence_of(packet, len, p->key, p->config.transport.ttl_min);

	p->heard = mono_now();
	if (found != EVIDENCE_NONE)
		p->evidence = (uint8_t)found;
}

bool speaker_is_silent(const struct speaker_peer *p, struct mono now)
{
	return !mono_is_set(p->heard) || mono_diff(p->heard, now) > SILENCE;
}

enum evidence speaker_evidence(const struct speaker_peer *p, struct mono now)
{
	return p->evidence == EVIDENCE_REFUSED && speaker_is_silent(p, now) ? EVIDENCE_NONE
									    : p->evidence;
}

void speaker_punted(struct router *r, struct rte_mbuf *m)
{
	struct speaker *s = r->speaker;
	uint8_t room[PACKET_MAX];
	struct flow flow = {0};
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);
	bool is_flow = packet && flow_of(packet, len, &flow) &&
	    (flow.from_port == BGP_PORT || flow.to_port == BGP_PORT);

	struct speaker_peer *p = s && is_flow ? session_of(s, &flow.to, &flow.from) : NULL;

	if (!s || !s->host || !belongs(p, pkt_meta(m))) {
		if (s)
			note_foreign(s, &flow.to);
		rte_pktmbuf_free(m);
		return;
	}
	note_evidence(p, packet, len);
	if (host_write(s->host, packet, len) < 0) {
		s->packets_lost++;
	} else {
		s->packets_in++;
	}
	rte_pktmbuf_free(m);
}

/* ---- from the kernel ---- */

static void send_out(struct speaker *s, const uint8_t *packet, size_t len)
{
	const struct speaker_peer *p = NULL;
	struct flow flow;
	int rc;

	if (flow_of(packet, len, &flow))
		p = session_of(s, &flow.from, &flow.to);
	if (!p) {
		s->packets_refused++;
		return;
	}
	rc = p->tunnel ? host_send_tunnel(s->r, p->tunnel, packet, len)
		       : host_send_nexthop(s->r, p->leaf, packet, len);
	if (rc < 0)
		s->packets_lost++; /* TCP sends it again */
	else
		s->packets_out++;
}

void speaker_on_tun(evutil_socket_t fd, short what, void *arg)
{
	struct speaker *s = arg;
	uint8_t packet[PACKET_MAX];
	int n = 1;

	for (unsigned i = 0; i < READ_BUDGET && n > 0; i++) {
		n = host_read(s->host, packet, sizeof(packet));
		if (n > 0)
			send_out(s, packet, (size_t)n);
	}
}
