/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * bfd <-> boundary: sessions in tunnels and on port attachments. What the engine decides becomes orders for
 * workers; what workers could not deal with, a new packet or a silence, goes to the engine. The verdict on a tunnel
 * is asked for by eligible.c; an attachment is told to the model at once, and the BGP session that runs there to the
 * speaker.
 *
 * A session has one number everywhere: its index in the boundary is its id in the engine.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/checksum.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wire.h"
#include "boundary/bfd.h"
#include "router/change/apply.h"
#include "router/show/show.h"

#define LOG "bfd"

#define IP_HEADER    20
#define UDP_HEADER   8
#define PROTOCOL_UDP 17
#define TTL          255
#define TOS_CONTROL  0xc0
#define SOURCE_PORT  49152 /* RFC 5881 4: and above */
#define SOURCE_PORTS 16384

struct bfd_link {
	uint32_t index;
	char *name;      /* of the tunnel or attachment */
	uint32_t tunnel; /* 0: an attachment */
	uint16_t iface;
	uint32_t leaf;
	const struct conf_port *port;
	struct ip_addr local, peer;
	uint32_t generation;
	bool up; /* as others were told last */
	bool seen;
};

static struct bfd_link *link_at(const struct router *r, uint32_t index)
{
	return r->bfd_link && index < BFD_SESSIONS_MAX ? r->bfd_link[index] : NULL;
}

/* ---- from the engine ---- */

static uint64_t cycles(int64_t ns)
{
	return (uint64_t)((double)ns * (double)rte_get_tsc_hz() / 1e9);
}

static uint32_t be_of(const struct ip_addr *a)
{
	uint32_t be;

	memcpy(&be, a->bytes, sizeof(be));
	return be;
}

static uint16_t source_port(const struct bfd_link *l)
{
	return (uint16_t)(SOURCE_PORT + l->index % SOURCE_PORTS);
}

static void op_orders(void *ctx, uint32_t id, const struct bfd_orders_text *text)
{
	struct router *r = ctx;
	struct bfd_link *l = link_at(r, id);
	struct wire w = wire_of(text->packet + 4, 4);
	struct bfd_orders o = {
	    .index = id,
	    .generation = ++l->generation,
	    .discriminator = wire_u32(&w),
	    .tunnel = l->tunnel,
	    .iface = l->iface,
	    .nexthop = l->leaf,
	    .local_be = be_of(&l->local),
	    .peer_be = be_of(&l->peer),
	    .source_port = source_port(l),
	    .up = text->up,
	    .transmit_cycles = cycles(text->transmit_ns),
	    .detect_cycles = cycles(text->detect_ns),
	};

	memcpy(o.packet, text->packet, sizeof(o.packet));
	memcpy(o.expected, text->expected, sizeof(o.expected));
	bfd_publish(&r->b->bfd, &o);
}

static void op_send(void *ctx, uint32_t id, const uint8_t body[BFD_BYTES])
{
	struct router *r = ctx;
	const struct bfd_link *l = link_at(r, id);
	uint8_t packet[IP_HEADER + UDP_HEADER + BFD_BYTES];
	struct wirebuf b = wirebuf_of(packet, sizeof(packet));

	wirebuf_u8(&b, 0x45);
	wirebuf_u8(&b, TOS_CONTROL);
	wirebuf_u16(&b, sizeof(packet));
	wirebuf_u32(&b, 0);
	wirebuf_u8(&b, TTL);
	wirebuf_u8(&b, PROTOCOL_UDP);
	wirebuf_u16(&b, 0);
	wirebuf_put(&b, l->local.bytes, 4);
	wirebuf_put(&b, l->peer.bytes, 4);
	wirebuf_u16_at(&b, 10, inet_checksum(packet, IP_HEADER));
	wirebuf_u16(&b, source_port(l));
	wirebuf_u16(&b, BFD_PORT);
	wirebuf_u16(&b, UDP_HEADER + BFD_BYTES);
	wirebuf_u16(&b, 0);
	wirebuf_put(&b, body, BFD_BYTES);
	uint32_t sum = inet_sum(PROTOCOL_UDP + UDP_HEADER + BFD_BYTES, packet + 12, UDP_HEADER);
	uint16_t check = (uint16_t)~inet_sum(sum, packet + IP_HEADER, UDP_HEADER + BFD_BYTES);
	wirebuf_u16_at(&b, IP_HEADER + 6, check ? check : 0xffff);
	if (l->tunnel)
		host_send_tunnel(r, l->tunnel, packet, sizeof(packet));
	else
		host_send_nexthop(r, l->leaf, packet, sizeof(packet));
}

static void op_changed(void *ctx, uint32_t id, enum bfd_state state, uint8_t diag)
{
	struct router *r = ctx;
	struct bfd_link *l = link_at(r, id);
	enum bfd_verdict verdict = bfd_verdict(r->bfd, id);
	bool was_up = l->up;

	l->up = state == BFD_UP;
	if (!l->tunnel)
		model_attachment_set(r->model, l->name, verdict != BFD_SAYS_DEAD);
	else if (r->tunnel && l->tunnel < r->tunnel_capacity && r->tunnel[l->tunnel])
		eligible_update(r, r->tunnel[l->tunnel]);
	if (l->up || (was_up && verdict == BFD_SAYS_DEAD))
		speaker_path(r, l->tunnel, l->iface, &l->peer, l->up);
}

static const struct bfd_ops ops = {.orders = op_orders, .send = op_send, .changed = op_changed};

/* ---- from workers ---- */

/* A packet that names no session of ours belongs to the one that lives where it came from. */
static struct bfd_link *link_of(
    struct router *r, const struct pkt_meta *meta, const uint8_t *packet)
{
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		struct bfd_link *l = link_at(r, i);

		if (l && l->tunnel == meta->tunnel && l->iface == meta->iface &&
		    memcmp(packet + 12, l->peer.bytes, 4) == 0 &&
		    memcmp(packet + 16, l->local.bytes, 4) == 0)
			return l;
	}
	return NULL;
}

void bfd_punt(struct router *r, struct rte_mbuf *m, struct mono now)
{
	uint8_t room[512];
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);

	if (packet && len >= IP_HEADER + UDP_HEADER + BFD_BYTES) {
		struct wire w = wire_of(packet + IP_HEADER + UDP_HEADER + 8, 4);
		uint32_t ours = wire_u32(&w);
		struct bfd_link *l =
		    ours ? link_at(r, ours & 0xffff) : link_of(r, pkt_meta(m), packet);

		if (l)
			bfd_receive(r->bfd, now, l->index, packet + IP_HEADER + UDP_HEADER,
			    len - IP_HEADER - UDP_HEADER);
	}
	rte_pktmbuf_free(m);
}

void bfd_event(struct router *r, const struct event *ev, struct mono now)
{
	const struct bfd_link *l = link_at(r, ev->spi);

	if (l && l->generation == ev->inbound) /* else other orders are under way already */
		bfd_expired(r->bfd, now, l->index);
}

/* ---- from the router ---- */

void bfd_tunnel(struct router *r, const struct vpn_tunnel *t, struct mono now)
{
	if (t->bfd)
		bfd_path(r->bfd, now, t->bfd, t->ike_state == IKE_TUNNEL_UP);
}

void bfd_link_changed(struct router *r, const struct conf_port *port, bool up, struct mono now)
{
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		const struct bfd_link *l = link_at(r, i);

		if (l && !l->tunnel && l->port == port)
			bfd_path(r->bfd, now, i, up);
	}
}

/* ---- configuration ---- */

/* Each tunnel that there is knows its session, and no other. */
static void number_tunnels(struct router *r)
{
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (r->tunnel[i])
			r->tunnel[i]->bfd = 0;
	}
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		const struct bfd_link *l = r->bfd_link[i];

		if (l && l->tunnel && r->tunnel[l->tunnel])
			r->tunnel[l->tunnel]->bfd = i;
	}
}

static struct bfd_link *link_of_attachment(struct router *r, const char *name)
{
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		struct bfd_link *l = r->bfd_link[i];

		if (l && !l->tunnel && strcmp(l->name, name) == 0)
			return l;
	}
	return NULL;
}

/* Of a tunnel by its index, which number_tunnels() has written down, or of an attachment (0). */
static struct bfd_link *link_named(struct router *r, const char *name, uint32_t tunnel)
{
	struct bfd_link *l;

	if (!tunnel)
		return link_of_attachment(r, name);
	l = r->tunnel[tunnel] ? link_at(r, r->tunnel[tunnel]->bfd) : NULL;
	return l && strcmp(l->name, name) == 0 ? l : NULL;
}

static void link_free(struct router *r, struct bfd_link *l)
{
	bfd_remove(r->bfd, l->index);
	bfd_release(&r->b->bfd, l->index);
	r->bfd_link[l->index] = NULL;
	free(l->name);
	free(l);
}

/* NULL: too many. A session between other addresses is another session. */
static struct bfd_link *link_get(
    struct router *r, const char *name, uint32_t tunnel, const struct conf_bfd *conf)
{
	struct bfd_link *l = link_named(r, name, tunnel);

	if (l && (!ip_eq(&l->local, &conf->local) || !ip_eq(&l->peer, &conf->peer))) {
		link_free(r, l);
		l = NULL;
	}
	if (!l) {
		uint32_t index = bfd_alloc(&r->b->bfd);

		if (!index) {
			log_write(LOG_ERROR, LOG, name, "there are too many BFD sessions");
			return NULL;
		}
		l = xcalloc(1, sizeof(*l));
		l->index = index;
		l->name = xstrdup(name);
		l->tunnel = tunnel;
		l->local = conf->local;
		l->peer = conf->peer;
		r->bfd_link[index] = l;
	}
	l->seen = true;
	return l;
}

static void settle(
    struct router *r, struct bfd_link *l, const struct conf_bfd *conf, struct mono now)
{
	const struct bfd_config config = {
	    .transmit_us = conf->transmit_ms * 1000,
	    .receive_us = conf->receive_ms * 1000,
	    .multiplier = conf->multiplier,
	};

	bfd_set(r->bfd, now, l->index, l->name, &config);
}

static bool is_wanted(const struct conf_bfd *conf)
{
	return conf->enabled && conf->peer.family == IP_V4;
}

static void settle_tunnels(struct router *r, struct mono now)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		const struct conf_bfd *conf = &all[i]->conf->bfd;
		struct bfd_link *l =
		    is_wanted(conf) ? link_get(r, all[i]->name, all[i]->index, conf) : NULL;

		if (l)
			settle(r, l, conf, now);
	}
}

static void settle_attachments(struct router *r, struct mono now)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		const struct conf_attachment *a = all[i]->attachment;
		struct bfd_link *l =
		    a && is_wanted(&a->bfd) ? link_get(r, a->name, 0, &a->bfd) : NULL;

		if (!l)
			continue;
		l->iface = (uint16_t)all[i]->index;
		l->leaf = all[i]->leaf;
		l->port = all[i]->port;
		settle(r, l, &a->bfd, now);
		for (unsigned p = 0; p < r->b->ports; p++) {
			if (r->conf->ports[p] == l->port)
				bfd_path(r->bfd, now, l->index, r->link_up[p]);
		}
	}
}

void bfd_apply(struct router *r, struct mono now)
{
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		if (r->bfd_link[i])
			r->bfd_link[i]->seen = false;
	}
	number_tunnels(r);
	settle_tunnels(r, now);
	settle_attachments(r, now);
	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		struct bfd_link *l = r->bfd_link[i];

		if (!l || l->seen)
			continue;
		if (!l->tunnel)
			model_attachment_set(r->model, l->name, true);
		link_free(r, l);
	}
	number_tunnels(r);
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (!r->tunnel[i])
			continue;
		bfd_tunnel(r, r->tunnel[i], now);
		eligible_update(r, r->tunnel[i]);
	}
}

void bfd_tunnel_gone(struct router *r, struct vpn_tunnel *t)
{
	struct bfd_link *l = link_at(r, t->bfd);

	t->bfd = 0;
	if (l)
		link_free(r, l);
}

static void enter(struct apply *a, void *own)
{
	bfd_apply(a->r, a->now);
}

static void each(struct router *r, bool up, apply_up_fn *fn, void *ctx)
{
	char what[256];
	struct bfd_view v;

	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		const struct bfd_link *l = link_at(r, i);

		if (!l || !bfd_get_view(r->bfd, mono_now(), i, &v) || (up && v.state != BFD_UP))
			continue;
		snprintf(what, sizeof(what), "BFD session %s", l->name);
		fn(ctx, what);
	}
}

const struct apply_part apply_bfd = {.enter = enter, .each = each};

void bfd_init(struct router *r)
{
	r->bfd = bfd_create(&ops, r, &r->rng);
	r->bfd_link = xcalloc(BFD_SESSIONS_MAX, sizeof(struct bfd_link *));
}

void bfd_fini(struct router *r)
{
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (r->tunnel[i])
			r->tunnel[i]->bfd = 0;
	}
	for (uint32_t i = 1; r->bfd_link && i < BFD_SESSIONS_MAX; i++) {
		if (r->bfd_link[i])
			link_free(r, r->bfd_link[i]);
	}
	free(r->bfd_link);
	bfd_free(r->bfd);
	r->bfd_link = NULL;
	r->bfd = NULL;
}

/* ---- show ---- */

static json_t *row_of(struct router *r, const struct bfd_link *l)
{
	struct bfd_view v;
	const struct bfd_live *live = &r->b->bfd.live[l->index];
	char local[IP_TEXT_MAX], peer[IP_TEXT_MAX];

	if (!bfd_get_view(r->bfd, mono_now(), l->index, &v))
		return json_object();
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:s, s:s, s:f, s:f, s:I, s:I, s:I}",
	    "name", l->name, "state", bfd_state_name(v.state), "peer-state",
	    bfd_state_name(v.remote_state), "local", ip_text(&l->local, local), "peer",
	    ip_text(&l->peer, peer), "state-seconds", (double)v.state_age_ns / 1e9, "diagnostic",
	    bfd_diag_text(v.diag), "peer-diagnostic", bfd_diag_text(v.remote_diag), "transmit-ms",
	    (double)v.transmit_ns / 1e6, "detect-ms", (double)v.detect_ns / 1e6, "times-up",
	    (json_int_t)v.ups, "sent", (json_int_t)atomic_load(&live->sent), "received",
	    (json_int_t)atomic_load(&live->received));
}

static json_t *show_bfd(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();

	for (uint32_t i = 1; i < BFD_SESSIONS_MAX; i++) {
		if (link_at(r, i))
			json_array_append_new(rows, row_of(r, link_at(r, i)));
	}
	return rows;
}

static const struct api_command command = {
    "show bfd", NULL, API_SHOW, show_bfd, "BFD sessions: states of both ends, intervals, packets"};

int show_bfd_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
