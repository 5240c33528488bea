/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The speaker as a whole. A configuration is applied as differences: a peer that is the same in both keeps
 * its session and hears nothing. Work is done in rounds of a few milliseconds, of which the control loop asks for one
 * per pass: bytes of a peer, a slice of the engine, a portion of the model, in turn.
 */

#include "router/speaker/speaker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "router/change/apply.h"

#define LOG "bgp"

#define ROUND_MAX DUR_MS(2)
#define LEARN_MAX DUR_MS(1)
#define LEARN_PORTION                                                                              \
	2 /* prefixes; each may take memory of a table for the first time, 3 MiB of zeroes */
#define LOOK_EVERY DUR_MS(100)
#define RESTART_S  120 /* told to peers: so long may it take us to be back */
#define SOME_ID    1   /* router ID while no session is configured */

struct speaker_peer *speaker_peer_of(const struct speaker *s, uint32_t number)
{
	struct speaker_peer *p;

	list_for (p, &s->peers, node) {
		if (p->number == number)
			return p;
	}
	return NULL;
}

struct speaker_peer *speaker_peer_named(const struct speaker *s, const char *name)
{
	struct speaker_peer *p;

	list_for (p, &s->peers, node) {
		if (strcmp(p->config.name, name) == 0)
			return p;
	}
	return NULL;
}

/* ---- struct bgp_ops ---- */

static void op_up(void *ctx, uint32_t peer, uint8_t families)
{
	/* The engine logs it; routes come as changes. */
}

static void op_down(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept)
{
	/* As above. */
}

static bool op_export(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit)
{
	return model_export(((struct router *)ctx)->model, peer, prefix, attrs, tag, edit);
}

static const struct bgp_ops ops = {
    .connect = speaker_op_connect,
    .close = speaker_op_close,
    .send = speaker_op_send,
    .up = op_up,
    .down = op_down,
    .export = op_export,
};

/* ---- life ---- */

static uint32_t router_id(const struct router *r)
{
	uint32_t id = ip_v4_host(&r->conf->transit_router.router_id);

	return id ? id : SOME_ID;
}

int speaker_init(struct router *r)
{
	const struct bgp_config config = {
	    .router_id = router_id(r), .restart_s = RESTART_S, .restarted = speaker_was_killed(r)};
	struct speaker *s = xcalloc(1, sizeof(*s));

	s->r = r;
	list_init(&s->peers);
	list_init(&s->ready);
	list_init(&s->closing);
	for (unsigned i = 0; i < SPEAKER_BUCKETS; i++)
		list_init(&s->bucket[i]);
	r->speaker = s;
	s->engine = bgp_create(&ops, r, &r->rng, &config, mono_now());
	if (!s->engine)
		return -errno;
	model_set_bgp(r->model, s->engine);
	return 0;
}

static void key_free(struct speaker_peer *p)
{
	if (p->key)
		secret_wipe(p->key, strlen(p->key));
	free(p->key);
	p->key = NULL;
}

static void peer_free(struct speaker_peer *p)
{
	speaker_unlisten(p);
	list_remove(&p->node);
	key_free(p);
	free(p);
}

void speaker_fini(struct router *r)
{
	struct speaker *s = r->speaker;
	struct speaker_peer *p, *next;

	if (!s)
		return;
	if (s->engine)
		bgp_destroy(s->engine);
	speaker_conns_free(s, true);
	list_for_safe (p, next, &s->peers, node)
		peer_free(p);
	if (s->tun_event)
		event_free(s->tun_event);
	host_close(s->host);
	free(s);
	r->speaker = NULL;
}

/* ---- apply ---- */

/* The first session makes the device. Without it, sessions are down, and all else works. */
static void device_open(struct speaker *s)
{
	int rc;

	if (s->host)
		return;
	rc = host_open(s->r->conf->system.run_dir, &s->host);
	if (rc < 0) {
		log_write(LOG_ERROR, LOG, NULL,
		    "no TUN device for BGP: %s; it needs /dev/net/tun and CAP_NET_ADMIN",
		    strerror(-rc));
		return;
	}
	s->tun_event =
	    event_new(s->r->base, host_fd(s->host), EV_READ | EV_PERSIST, speaker_on_tun, s);
	event_add(s->tun_event, NULL);
	log_write(LOG_NOTICE, LOG, NULL, "sessions are sockets on %s", host_ifname(s->host));
}

static void address_up(const struct speaker_peer *p)
{
	const struct speaker *s = p->speaker;
	char text[IP_TEXT_MAX];
	int rc = s->host ? host_address_add(s->host, &p->config.transport.local) : 0;

	if (rc < 0)
		log_write(LOG_ERROR, LOG, p->config.name, "address %s of the session: %s",
		    ip_text(&p->config.transport.local, text), strerror(-rc));
}

static bool same_key(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void complain(const struct speaker_peer *p, int rc, const char *why)
{
	if (rc < 0)
		log_write(LOG_ERROR, LOG, p->config.name, "session not configured: %s",
		    why ? why : strerror(-rc));
}

static void peer_add(struct speaker *s, const struct speaker_peer *want, const char *key)
{
	struct speaker_peer *p = xmalloc(sizeof(*p));
	const char *why = NULL;
	int rc;

	*p = *want;
	p->speaker = s;
	p->key = key ? xstrdup(key) : NULL;
	p->seen = true;
	p->listener = -1;
	list_append(&s->peers, &p->node);
	device_open(s);
	address_up(p);
	speaker_listen(p);
	rc = bgp_peer_add(s->engine, mono_now(), p->number, &p->config, &why);
	complain(p, rc, why);
	if (rc == 0)
		bgp_peer_start(s->engine, mono_now(), p->number);
}

static bool same_sockets(const struct speaker_peer *a, const struct speaker_peer *b)
{
	const struct bgp_transport *s = &a->config.transport, *t = &b->config.transport;

	return ip_eq(&s->local, &t->local) && ip_eq(&s->remote, &t->remote) && s->ttl == t->ttl &&
	    s->ttl_min == t->ttl_min;
}

static void peer_change(struct speaker_peer *p, const struct speaker_peer *want, const char *key)
{
	struct speaker *s = p->speaker;
	bool sockets = !same_sockets(p, want), rekey = !same_key(p->key, key);
	bool changed = memcmp(&p->config, &want->config, sizeof(p->config)) != 0;
	const char *why = NULL;

	p->seen = true;
	p->attachment = want->attachment;
	p->tunnel = want->tunnel;
	p->iface = want->iface;
	p->leaf = want->leaf;
	p->mss = want->mss;
	if (sockets && s->host)
		host_address_remove(s->host, &p->config.transport.local);
	p->config = want->config;
	if (changed || rekey)
		p->evidence = EVIDENCE_NONE;
	if (rekey) {
		key_free(p);
		p->key = key ? xstrdup(key) : NULL;
		speaker_rekey(p);
	}
	if (sockets) {
		address_up(p);
		speaker_listen(p);
	}
	if (changed)
		complain(
		    p, bgp_peer_update(s->engine, mono_now(), p->number, &p->config, &why), why);
}

static void want_peer(void *ctx, const struct speaker_peer *want, const char *key)
{
	struct speaker *s = ctx;
	struct speaker_peer *p = speaker_peer_of(s, want->number);

	if (p)
		peer_change(p, want, key);
	else
		peer_add(s, want, key);
}

static void peer_remove(struct speaker_peer *p)
{
	struct speaker *s = p->speaker;

	bgp_peer_remove(s->engine, mono_now(), p->number);
	if (s->host)
		host_address_remove(s->host, &p->config.transport.local);
	peer_free(p);
}

static void mark(void *ctx, const struct speaker_peer *want, const char *key)
{
	struct speaker_peer *p = speaker_peer_of(ctx, want->number);

	if (p)
		p->seen = true;
}

void speaker_apply(struct router *r)
{
	struct speaker *s = r->speaker;
	struct speaker_peer *p, *next;

	bgp_set_router_id(s->engine, mono_now(), router_id(r));
	list_for (p, &s->peers, node)
		p->seen = false;
	/* What goes first makes room: another session may have its addresses from now on. */
	speaker_each_wanted(r, mark, s);
	list_for_safe (p, next, &s->peers, node) {
		if (!p->seen)
			peer_remove(p);
	}
	speaker_each_wanted(r, want_peer, s);
	speaker_mark_running(s);
	model_peers_changed(r->model);
}

static void enter(struct apply *a, void *own)
{
	speaker_apply(a->r);
}

static void each(struct router *r, bool up, apply_up_fn *fn, void *ctx)
{
	struct speaker_peer *p;
	struct bgp_peer_info info;
	char what[BGP_NAME_MAX + 16];

	list_for (p, &r->speaker->peers, node) {
		if (bgp_peer_get(r->speaker->engine, p->number, &info) < 0 ||
		    (up && info.state != BGP_ESTABLISHED))
			continue;
		snprintf(what, sizeof(what), "bgp %s", p->config.name);
		fn(ctx, what);
	}
}

const struct apply_part apply_bgp = {.enter = enter, .each = each};

/* ---- rounds ---- */

static bool can_be_reached(const struct router *r, const struct speaker_peer *p)
{
	const struct model_tunnel *t = p->tunnel ? model_tunnel_at(r->model, p->tunnel) : NULL;

	return !p->tunnel || (t && t->state == MODEL_TUNNEL_UP);
}

/* A tunnel that came up: its session need not wait for the next attempt. */
static void look(struct speaker *s, struct mono now)
{
	struct speaker_peer *p;
	struct bgp_peer_info info;

	if (mono_is_set(s->looked_at) && mono_diff(s->looked_at, now) < LOOK_EVERY)
		return;
	s->looked_at = now;
	speaker_conns_free(s, false);
	list_for (p, &s->peers, node) {
		bool reachable = can_be_reached(s->r, p), came = reachable && !p->reachable;

		p->reachable = reachable;
		if (came && !p->disabled && bgp_peer_get(s->engine, p->number, &info) == 0 &&
		    info.state < BGP_OPENSENT)
			bgp_peer_start(s->engine, now, p->number);
	}
}

/* The clock is looked at often: the first routes of a large table take memory for it, milliseconds each. */
static unsigned learn(struct router *r, struct mono began)
{
	unsigned done = 0, n;

	do {
		n = model_learn(r->model, LEARN_PORTION);
		done += n;
	} while (n && mono_diff(began, mono_now()) < LEARN_MAX);
	return done;
}

unsigned speaker_run(struct router *r, struct mono now)
{
	struct speaker *s = r->speaker;
	struct mono began = mono_now();
	unsigned work = 1, done = 0;
	int64_t took = 0;

	look(s, now);
	while (work && took < ROUND_MAX) {
		struct mono due, before = mono_now();

		work = speaker_read_one(s, before);
		if (bgp_next(s->engine, &due) && !mono_before(before, due))
			work += bgp_run(s->engine, before);
		work += learn(r, mono_now());
		done += work;
		took = mono_diff(began, mono_now());
		if (mono_diff(before, mono_now()) > s->longest_ns)
			s->longest_ns = mono_diff(before, mono_now());
	}
	return done;
}

static bool runs_there(
    const struct speaker_peer *p, uint32_t tunnel, uint32_t iface, const struct ip_addr *peer)
{
	if (tunnel)
		return p->tunnel == tunnel;
	return !p->tunnel && p->iface == iface && ip_eq(&p->config.transport.remote, peer);
}

void speaker_path(
    struct router *r, uint32_t tunnel, uint32_t iface, const struct ip_addr *peer, bool alive)
{
	struct speaker *s = r->speaker;
	struct mono now = mono_now();
	struct speaker_peer *p;
	struct bgp_peer_info info;

	list_for (p, &s->peers, node) {
		if (p->disabled || !runs_there(p, tunnel, iface, peer) ||
		    bgp_peer_get(s->engine, p->number, &info) < 0 ||
		    alive == (info.state >= BGP_OPENSENT))
			continue;
		if (!alive)
			bgp_peer_stop(s->engine, now, p->number, BGP_CEASE_BFD_DOWN, NULL);
		bgp_peer_start(s->engine, now, p->number);
	}
}

/* ---- goodbye ---- */

void speaker_goodbye(struct router *r, struct mono now)
{
	struct speaker_peer *p;

	list_for (p, &r->speaker->peers, node)
		bgp_peer_stop(r->speaker->engine, now, p->number, BGP_CEASE_SHUTDOWN, NULL);
	speaker_mark_ended(r->speaker);
}

bool speaker_is_quiet(const struct router *r)
{
	const struct speaker_conn *c;

	list_for (c, &r->speaker->closing, node) {
		if (host_has_unsent(c->fd))
			return false;
	}
	return true;
}
