/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnels under a change of the configuration. What becomes of each is decided beforehand, from the effects of the
 * keys that differ (conf/diff.h): a tunnel whose settings are equal is not touched, whatever else changes.
 *
 * Where only the way of the outer packets changes (another gateway of the uplink, another zone), the outbound SA is
 * made anew under the same key and goes on behind the last number sent (child.c).
 */

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "conf/names.h"
#include "router/change/apply.h"
#include "router/tunnels/tunnels.h"

#define LOG "tunnel"

#define EFFECT(id) (1u << CONF_EFFECT_##id)
/* What the engine has to be told about. */
#define FOR_ENGINE (EFFECT(LIVE) | EFFECT(REKEY) | EFFECT(RENEGOTIATE) | EFFECT(TUNNELS))

struct planned {
	struct vpn_tunnel *t;         /* NULL: it is new */
	const struct conf_tunnel *to; /* NULL: it has gone */
	unsigned effects;             /* set of 1 << enum conf_effect */
	bool rekey_ike, rekey_child;
	bool was_up;
	uint16_t attachment; /* number before */
	uint32_t outer_mtu;
	char psk[CONF_PSK_MAX + 1];
};

struct plan {
	struct planned *items;
	unsigned count;
	bool outside; /* something on the way of outer packets is different */
};

/* ---- prepare ---- */

static bool is_manual(const struct conf_tunnel *t)
{
	return t->connection->keying == CONF_KEYING_MANUAL;
}

/* The key of what is new or must be told to the engine. */
static int take_psk(struct apply *a, struct planned *p)
{
	if (is_manual(p->to) || (p->t && !(p->effects & FOR_ENGINE)))
		return 0;
	int rc = tunnel_psk(a->r, a->to, p->to, p->psk);
	return rc < 0
	    ? apply_refuse(a, "NoKey", "pre-shared key of %s/%u in %s: %s", p->to->connection->name,
		  p->to->number, a->to->system.state_dir, strerror(-rc))
	    : 0;
}

static void compare(struct planned *p)
{
	const struct conf_tunnel *from = p->t->model->conf, *to = p->to;

	p->effects = conf_tunnel_effects(from, to);
	p->rekey_ike = from->ike.lifetime != to->ike.lifetime;
	p->rekey_child = from->ipsec.lifetime != to->ipsec.lifetime ||
	    from->ipsec.lifetime_bytes != to->ipsec.lifetime_bytes ||
	    from->ipsec.lifetime_packets != to->ipsec.lifetime_packets ||
	    from->ipsec.replay_window != to->ipsec.replay_window || from->ipsec.df != to->ipsec.df;
	p->was_up = p->t->ike_state == IKE_TUNNEL_UP;
	p->attachment = p->t->model->attachment;
	p->outer_mtu = p->t->model->outer_mtu;
}

static int plan_tunnel(
    struct apply *a, struct plan *plan, struct names *running, const struct conf_tunnel *to)
{
	struct planned *p = &plan->items[plan->count++];
	char name[192];

	snprintf(name, sizeof(name), "%s/%u", to->connection->name, to->number);
	p->to = to;
	p->t = names_get(running, name);
	if (p->t) {
		compare(p);
		p->t->gone = false;
	}
	return take_psk(a, p);
}

static bool same_addresses(const struct conf_port *a, const struct conf_port *b)
{
	if (a->address_count != b->address_count || a->gateway_count != b->gateway_count ||
	    a->vlan != b->vlan)
		return false;
	for (unsigned i = 0; i < a->address_count; i++) {
		if (!ip_eq(&a->address[i].addr, &b->address[i].addr) ||
		    a->address[i].len != b->address[i].len)
			return false;
	}
	for (unsigned i = 0; i < a->gateway_count; i++) {
		if (!ip_eq(&a->gateway[i], &b->gateway[i]))
			return false;
	}
	return true;
}

/* Uplinks, and the circuits of private gateways. */
static bool outside_differs(const struct conf *from, const struct conf *to)
{
	struct conf_diff diff;

	for (unsigned i = 0; i < to->ports_count; i++) {
		const struct conf_port *old = conf_find_port(from, to->ports[i]->name);
		const char *zone = to->ports[i]->zone;

		if (!old || !same_addresses(old, to->ports[i]) || !zone != !old->zone ||
		    (zone && strcmp(zone, old->zone) != 0))
			return true;
	}
	for (unsigned i = 0; i < to->vpn_connections_count; i++) {
		if (to->vpn_connections[i]->gateway_type != CONF_GATEWAY_PRIVATE)
			continue;
		conf_diff(from, to, &diff);
		bool differs =
		    diff.by_effect[CONF_EFFECT_ROUTES] || diff.by_effect[CONF_EFFECT_INTERFACE];
		conf_diff_fini(&diff);
		return differs;
	}
	return false;
}

static int prepare(struct apply *a, void **own)
{
	struct router *r = a->r;
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct names running = {0};
	unsigned most = 0;
	int rc = 0;

	*own = plan;
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (!r->tunnel[i])
			continue;
		names_put(&running, r->tunnel[i]->model->name, r->tunnel[i]);
		r->tunnel[i]->gone = true; /* until it is found in the new configuration */
		most++;
	}
	for (unsigned i = 0; i < a->to->vpn_connections_count; i++)
		most += a->to->vpn_connections[i]->tunnels_count;
	plan->items = xcalloc(most + 1, sizeof(*plan->items));
	for (unsigned i = 0; i < a->to->vpn_connections_count; i++) {
		const struct conf_connection *c = a->to->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count && rc == 0; k++)
			rc = plan_tunnel(a, plan, &running, c->tunnels[k]);
	}
	names_fini(&running);
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		struct vpn_tunnel *t = r->tunnel[i];

		if (!t || !t->gone)
			continue;
		t->gone = false; /* not yet */
		if (rc < 0)
			continue;
		plan->items[plan->count++] = (struct planned){.t = t};
	}
	plan->outside = outside_differs(a->from, a->to);
	for (unsigned i = 0; i < plan->count; i++) {
		const struct planned *p = &plan->items[i];

		if (p->t && (!p->to || p->effects & EFFECT(RENEGOTIATE)))
			farewell_keep(r, p->t->model->conf, a->now);
		if (p->t && !p->to)
			p->t->last = *p->t->model; /* the model forgets it */
	}
	return rc;
}

/* ---- leave ---- */

static void leave(struct apply *a, void *own)
{
	struct plan *plan = own;

	for (unsigned i = 0; i < plan->count; i++) {
		struct planned *p = &plan->items[i];

		if (p->to)
			continue;
		p->t->gone = true;
		p->t->model = &p->t->last;
		log_write(LOG_NOTICE, LOG, p->t->last.name, "removed");
		tunnel_stop(a->r, p->t, a->now);
		p->t = NULL;
	}
}

/* ---- enter ---- */

/* The engine may have begun anew without a word about the state in between. */
static void follow_engine(struct apply *a, struct vpn_tunnel *t)
{
	struct ike_tunnel_info info;

	if (ike_tunnel_get(a->r->ike, a->now, t->model->index, &info) == 0 &&
	    t->ike_state != info.state) {
		t->ike_state = info.state;
		t->state_since = a->now;
	}
	eligible_sa(a->r, t, a->now);
}

/* The same key in the new SAs goes on with its numbers: a nonce is never used twice. */
static void manual_again(struct apply *a, struct vpn_tunnel *t, const struct conf_tunnel *from)
{
	const struct conf_manual *old = &from->manual, *new = &t->model->conf->manual;
	struct child *c =
	    list_is_empty(&t->children) ? NULL : list_entry(t->children.next, struct child, node);
	uint64_t first_out = 0, first_in = 0;

	if (c &&
	    memcmp(&old->out.encryption_key, &new->out.encryption_key,
		sizeof(old->out.encryption_key)) == 0 &&
	    c->out) {
		struct sa_out *out = c->out;

		c->out = NULL;
		tunnel_refresh(a->r, t);
		if (epoch_wait(a->r->b->epoch))
			first_out = sa_out_sequence(out);
		else
			log_write(LOG_ERROR, LOG, t->model->name,
			    "a worker stalls: the tunnel stays down until the next change");
		meter_sa_leaves(a->r, t, &out->head);
		sa_out_remove(a->r->b->sas, out);
		if (!first_out)
			return;
	}
	if (c &&
	    memcmp(&old->in.encryption_key, &new->in.encryption_key,
		sizeof(old->in.encryption_key)) == 0)
		first_in = c->in->replay.top + 1;
	tunnel_close(a->r, t, a->now);
	manual_install(a->r, t, first_out, first_in);
}

static void rekey(struct apply *a, const struct planned *p)
{
	if (p->t->ike_state != IKE_TUNNEL_UP)
		return;
	if (p->rekey_child)
		ike_tunnel_rekey(a->r->ike, a->now, p->t->model->index, false);
	if (p->rekey_ike)
		ike_tunnel_rekey(a->r->ike, a->now, p->t->model->index, true);
}

static void tell_engine(struct apply *a, struct planned *p, const struct conf_tunnel *from)
{
	struct vpn_tunnel *t = p->t;

	if (is_manual(from) != is_manual(p->to)) {
		const struct model_tunnel *m = t->model;

		tunnel_release_held(a->r, t, false);
		tunnel_close(a->r, t, a->now);
		a->r->tunnel[m->index] = NULL;
		free(t);
		tunnel_start(a->r, m, p->psk, a->now);
		p->t = a->r->tunnel[m->index];
		return;
	}
	if (is_manual(p->to)) {
		if (p->effects & (EFFECT(RENEGOTIATE) | EFFECT(REKEY)))
			manual_again(a, t, from);
		return;
	}
	tunnel_update(a->r, t, p->psk, a->now);
	follow_engine(a, t);
	rekey(a, p);
	if (p->was_up &&
	    t->ike_state != IKE_TUNNEL_UP) /* it was in use: do not wait for a packet */
		ike_tunnel_trigger(a->r->ike, a->now, t->model->index);
}

/* Its SAs follow the model where that does not need the peer. */
static void follow_model(struct apply *a, const struct plan *plan, struct planned *p)
{
	struct vpn_tunnel *t = p->t;
	struct child *c, *next;

	if (t->model->attachment != p->attachment) {
		list_for (c, &t->children, node)
			sa_in_attach(c->in, t->model->attachment);
	}
	bool moves =
	    plan->outside || p->effects & EFFECT(ROUTES); /* zone, via: also one that follows */
	if (!moves && t->model->outer_mtu == p->outer_mtu)
		return;
	list_for_safe (c, next, &t->children, node) {
		uint32_t leaf = model_underlay(a->r->model, &c->sa.local.addr, &c->sa.remote.addr);

		if (!c->out || (leaf == c->out->underlay && t->model->outer_mtu == p->outer_mtu))
			continue;
		int rc = child_move(a->r, t, c);
		if (rc < 0)
			log_write(LOG_ERROR, LOG, t->model->name, "new way of SA %08x: %s",
			    c->sa.spi_out, strerror(-rc));
	}
}

static void enter(struct apply *a, void *own)
{
	struct plan *plan = own;

	for (unsigned i = 0; i < plan->count; i++) {
		struct planned *p = &plan->items[i];

		if (!p->t || !p->to)
			continue;
		const struct conf_connection *c =
		    conf_find_connection(a->from, p->to->connection->name);
		if (p->effects & FOR_ENGINE)
			tell_engine(a, p, c->tunnels[p->to->number - 1]);
		if (p->t)
			follow_model(a, plan, p);
	}
	for (unsigned i = 0; i < plan->count; i++) {
		struct planned *p = &plan->items[i];
		const struct model_tunnel *m;

		if (p->t || !p->to)
			continue;
		m = model_tunnel_find(a->r->model, p->to);
		if (m && tunnel_start(a->r, m, p->psk, a->now) == 0)
			log_write(LOG_NOTICE, LOG, m->name, "added");
	}
}

static void done(struct apply *a, void *own)
{
	struct plan *plan = own;

	if (!plan)
		return;
	for (unsigned i = 0; i < plan->count; i++)
		secret_wipe(plan->items[i].psk, sizeof(plan->items[i].psk));
	free(plan->items);
	free(plan);
}

static void each(struct router *r, bool up, apply_up_fn *fn, void *ctx)
{
	char what[200];

	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		const struct vpn_tunnel *t = r->tunnel[i];

		if (!t || t->gone || (up && t->ike_state != IKE_TUNNEL_UP))
			continue;
		snprintf(what, sizeof(what), "tunnel %s", t->model->name);
		fn(ctx, what);
	}
}

const struct apply_part apply_tunnels = {prepare, leave, enter, done, each};
