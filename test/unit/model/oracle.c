/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet, one answer: everything that covers the destination is gathered, and what loses is
 * struck out.
 */

#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "oracle.h"

#define OFFERS_MAX 256

/* Something in the table that covers the destination. */
struct offer {
	int order; /* of R6: address of ours, static, connected, vpc, vbr and ccn, vpn, peer */
	struct ip_prefix prefix;
	uint32_t preference;
	const struct conf_attachment *by; /* NULL: blackhole, or an address of ours */
	const struct ip_addr *hop;        /* neighbour; NULL: none, the destination itself */
	enum conf_route_type type;
	bool unresolved, out;
};

struct table {
	const struct conf *conf;
	struct world *world;
	const struct conf_route_table *t;
	struct ip_addr to;
	unsigned count;
	struct offer offer[OFFERS_MAX];
};

/* ---- states ---- */

unsigned world_port(const char *name)
{
	static const char *const names[WORLD_PORTS] = {"wan0", "wan1", "lan0", "lan1"};

	for (unsigned i = 0; i < WORLD_PORTS; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	fail_msg("there is no port %s", name);
	return 0;
}

enum model_tunnel_state *world_tunnel(struct world *w, const struct conf_tunnel *t)
{
	return &w->tunnel[t->connection->name[1] - '0'][t->number - 1];
}

static enum model_tunnel_state tunnel_now(struct world *w, const struct conf_tunnel *t)
{
	const struct conf_port *port = t->via ? t->via->port : t->uplink;

	return w->link[world_port(port->name)] ? *world_tunnel(w, t) : MODEL_TUNNEL_DOWN;
}

static enum model_tunnel_state best_tunnel(struct world *w, const struct conf_connection *c)
{
	enum model_tunnel_state best = MODEL_TUNNEL_DOWN;

	for (unsigned i = 0; i < c->tunnels_count; i++) {
		if (tunnel_now(w, c->tunnels[i]) > best)
			best = tunnel_now(w, c->tunnels[i]);
	}
	return best;
}

static bool is_usable(struct world *w, const struct offer *o)
{
	if (!o->by)
		return true;
	if (o->by->kind == CONF_KIND_VPN)
		return best_tunnel(w, o->by->connection) != MODEL_TUNNEL_DOWN;
	return w->link[world_port(o->by->port->name)];
}

/* ---- policies (R4, R5) ---- */

static bool names(struct conf_attachment *const *list, unsigned n, const struct conf_attachment *a)
{
	bool found = n == 0;

	for (unsigned i = 0; i < n; i++)
		found |= list[i] == a;
	return found;
}

static bool kinds(const enum conf_kind *list, unsigned n, const struct conf_attachment *a)
{
	bool found = n == 0;

	for (unsigned i = 0; i < n; i++)
		found |= a && list[i] == a->kind;
	return found;
}

static bool applies(
    const struct conf_policy *p, const struct offer *o, const struct conf_attachment *to)
{
	bool prefix = p->prefixes_count == 0, type = p->route_type_count == 0;

	for (unsigned i = 0; i < p->prefixes_count; i++) {
		const struct ip_prefix *q = &p->prefixes[i];

		prefix |= ip_prefix_eq(q, &o->prefix) ||
		    (p->prefix_match == CONF_MATCH_INCLUDE && ip_prefix_covers(q, &o->prefix));
	}
	for (unsigned i = 0; i < p->route_type_count; i++)
		type |= p->route_type[i] == o->type;
	return prefix && type && p->as_path_count + p->communities_count == 0 &&
	    names(p->source_attachment, p->source_attachment_count, o->by) &&
	    kinds(p->source_kind, p->source_kind_count, o->by) &&
	    names(p->destination_attachment, p->destination_attachment_count, to) &&
	    kinds(p->destination_kind, p->destination_kind_count, to);
}

static const struct conf_policy *first_policy(const struct table *t, enum conf_direction direction,
    const struct offer *o, const struct conf_attachment *to)
{
	for (uint32_t priority = 1; priority <= 100; priority++) {
		for (unsigned i = 0; i < t->conf->routing_policies_count; i++) {
			const struct conf_policy *p = t->conf->routing_policies[i];

			if (p->priority == priority && p->table == t->t &&
			    p->direction == direction && applies(p, o, to))
				return p;
		}
	}
	return NULL;
}

static bool is_line(const struct conf_attachment *a)
{
	return a->kind == CONF_KIND_VPN || a->kind == CONF_KIND_VBR || a->kind == CONF_KIND_CCN;
}

static bool may_leave(
    const struct table *t, const struct offer *o, const struct conf_attachment *to)
{
	const struct conf_policy *p = first_policy(t, CONF_EGRESS, o, to);
	bool vpn = false;

	for (unsigned i = 0; i < t->conf->attachments_count; i++)
		vpn |= t->conf->attachments[i]->kind == CONF_KIND_VPN;
	if (p)
		return p->action == CONF_PERMIT;
	return !(vpn && is_line(o->by) && is_line(to));
}

/* ---- what the table has ---- */

static struct offer *put(struct table *t, int order, const struct ip_prefix *prefix,
    const struct conf_attachment *by, const struct ip_addr *hop, enum conf_route_type type)
{
	static struct offer elsewhere;

	if (!ip_prefix_has(prefix, &t->to))
		return memset(&elsewhere, 0, sizeof(elsewhere));
	assert_true(t->count < OFFERS_MAX);
	t->offer[t->count] =
	    (struct offer){.order = order, .prefix = *prefix, .by = by, .hop = hop, .type = type};
	return &t->offer[t->count++];
}

static void put_own(struct table *t, const struct ip_addr *addr)
{
	struct ip_prefix host = {.addr = *addr, .len = (uint8_t)(8 * ip_bytes(addr->family))};

	put(t, 0, &host, NULL, NULL, CONF_ROUTE_CONNECTED);
}

/* A route of an attachment on its way in. */
static bool learn(struct table *t, int order, const struct ip_prefix *prefix,
    const struct conf_attachment *by, const struct ip_addr *hop, enum conf_route_type type)
{
	const struct offer ask = {.prefix = *prefix, .by = by, .type = type};
	const struct conf_policy *p = first_policy(t, CONF_INGRESS, &ask, NULL);

	if (p && p->action == CONF_DENY)
		return false;
	put(t, order, prefix, by, hop, type)->preference =
	    p && p->has_preference ? p->set_preference : 0;
	return true;
}

static void put_static(struct table *t, const struct conf_static_route *r)
{
	const struct conf_attachment *a = r->attachment;
	const struct ip_addr *only = NULL;
	int longest = -1;
	bool direct = false, several = false;

	if (!a || a->kind == CONF_KIND_VPN) {
		put(t, 1, &r->prefix, a, NULL, CONF_ROUTE_STATIC);
		return;
	}
	for (unsigned i = 0; i < a->routes_count; i++) {
		const struct conf_attached_route *b = a->routes[i];

		if (ip_prefix_covers(&b->prefix, &r->prefix) && b->prefix.len > longest)
			longest = b->prefix.len;
		if (b->next_hop.family == r->prefix.addr.family) {
			several |= only && !ip_eq(only, &b->next_hop);
			only = &b->next_hop;
		}
	}
	for (unsigned i = 0; i < a->address_count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&a->address[i].addr, a->address[i].len);

		direct |= ip_prefix_covers(&subnet, &r->prefix) && subnet.len >= longest;
	}
	if (direct) {
		put(t, 1, &r->prefix, a, NULL, CONF_ROUTE_STATIC);
	} else if (longest < 0) {
		put(t, 1, &r->prefix, a, several ? NULL : only, CONF_ROUTE_STATIC)->unresolved =
		    several || !only;
	} else {
		for (unsigned i = 0; i < a->routes_count; i++) {
			if (a->routes[i]->prefix.len == longest &&
			    ip_prefix_covers(&a->routes[i]->prefix, &r->prefix))
				put(t, 1, &r->prefix, a, &a->routes[i]->next_hop,
				    CONF_ROUTE_STATIC);
		}
	}
}

static void put_attachment(struct table *t, const struct conf_attachment *a)
{
	static const int order[] = {[CONF_KIND_VPC] = 3,
	    [CONF_KIND_VBR] = 4,
	    [CONF_KIND_CCN] = 4,
	    [CONF_KIND_VPN] = 5,
	    [CONF_KIND_PEER] = 6};
	const struct conf_connection *c = a->connection;
	bool propagates = false, associated = a->associate == t->t;

	for (unsigned i = 0; i < a->propagate_count; i++)
		propagates |= a->propagate[i] == t->t;
	for (unsigned i = 0; i < a->address_count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&a->address[i].addr, a->address[i].len);
		bool in = propagates && learn(t, 2, &subnet, a, NULL, CONF_ROUTE_CONNECTED);

		if (in || associated)
			put_own(t, &a->address[i].addr);
	}
	for (unsigned i = 0; propagates && i < a->routes_count; i++)
		learn(t, order[a->kind], &a->routes[i]->prefix, a,
		    c ? NULL : &a->routes[i]->next_hop, CONF_ROUTE_STATIC);
	for (unsigned i = 0; c && (propagates || associated) && i < c->peer_cidrs_count; i++)
		learn(t, order[a->kind], &c->peer_cidrs[i], a, NULL, CONF_ROUTE_STATIC);
}

static void gather(struct table *t)
{
	for (unsigned i = 0; i < t->t->routes_count; i++)
		put_static(t, t->t->routes[i]);
	for (unsigned i = 0; i < t->conf->attachments_count; i++)
		put_attachment(t, t->conf->attachments[i]);
	for (unsigned i = 0; i < t->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = t->conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			if (c->tunnels[k]->via && c->tunnels[k]->via->associate == t->t)
				put_own(t, &c->tunnels[k]->gateway_address);
		}
	}
}

/* ---- who wins (R6, A9, A8) ---- */

static int better(const struct offer *a, const struct offer *b)
{
	int ka = a->by ? (int)a->by->kind : -1, kb = b->by ? (int)b->by->kind : -1;

	if (a->order != b->order)
		return a->order < b->order ? 1 : -1;
	if (a->preference != b->preference)
		return a->preference > b->preference ? 1 : -1;
	return (ka < kb) - (ka > kb);
}

/* By name of the attachment, then by next hop. */
static int by_name(const struct offer *a, const struct offer *b)
{
	struct ip_addr none = {.family = IP_NONE};
	int order = strcmp(a->by ? a->by->name : "", b->by ? b->by->name : "");

	return order ? order : ip_cmp(a->hop ? a->hop : &none, b->hop ? b->hop : &none);
}

static void keep_longest(struct table *t)
{
	int longest = -1;

	for (unsigned i = 0; i < t->count; i++)
		longest = t->offer[i].prefix.len > longest ? t->offer[i].prefix.len : longest;
	for (unsigned i = 0; i < t->count; i++)
		t->offer[i].out = t->offer[i].prefix.len != longest;
}

/* False: nothing can be used, although there is something. */
static bool keep_best_class(struct table *t)
{
	const struct offer *best = NULL;

	for (unsigned usable = 2; usable-- > 0 && !best;) {
		for (unsigned i = 0; i < t->count; i++) {
			const struct offer *o = &t->offer[i];

			if (!o->out && !o->unresolved && is_usable(t->world, o) >= usable &&
			    (!best || better(o, best) > 0))
				best = o;
		}
	}
	for (unsigned i = 0; best && i < t->count; i++)
		t->offer[i].out |= t->offer[i].unresolved || better(&t->offer[i], best) != 0;
	return best;
}

static void sort_and_strike_doubles(struct table *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->count; i++) {
		unsigned at = 0;
		struct offer o = t->offer[i];

		if (o.out)
			continue;
		while (at < n && by_name(&t->offer[at], &o) < 0)
			at++;
		if (at < n && by_name(&t->offer[at], &o) == 0)
			continue;
		memmove(&t->offer[at + 1], &t->offer[at], (n - at) * sizeof(o));
		t->offer[at] = o;
		n++;
	}
	t->count = n;
}

static unsigned width(const struct table *t, const struct offer *o)
{
	const struct conf_connection *c = o->by ? o->by->connection : NULL;
	unsigned limit = t->conf->transit_router.limits.ecmp;

	return !c || c->ha == CONF_HA_ACTIVE_STANDBY || c->tunnels_count > limit ? 1
										 : c->tunnels_count;
}

static void keep_limit(struct table *t)
{
	unsigned left = t->conf->transit_router.limits.ecmp;

	for (unsigned usable = 2; usable-- > 0;) {
		for (unsigned i = 0; i < t->count; i++) {
			struct offer *o = &t->offer[i];

			if (is_usable(t->world, o) != usable)
				continue;
			o->out = width(t, o) > left;
			left -= o->out ? 0 : width(t, o);
		}
	}
}

/* ---- the way out ---- */

struct ways {
	unsigned count;
	char name[2 * OFFERS_MAX][80];
	enum model_tunnel_state state[2 * OFFERS_MAX];
};

static void add_tunnels(const struct table *t, const struct offer *o, struct ways *w)
{
	const struct conf_connection *c = o->by->connection;
	enum model_tunnel_state best = best_tunnel(t->world, c);

	for (unsigned i = 0; i < c->tunnels_count; i++) {
		enum model_tunnel_state now = tunnel_now(t->world, c->tunnels[i]);

		if (width(t, o) == 1 && now != best)
			continue;
		snprintf(w->name[w->count], sizeof(w->name[0]), "%s/%u", c->name, i + 1);
		w->state[w->count++] = now;
		if (width(t, o) == 1)
			return;
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *ways_text(const struct table *t, char out[ORACLE_TEXT_MAX])
{
	static struct ways w;
	enum model_tunnel_state best = MODEL_TUNNEL_DOWN;
	char addr[IP_TEXT_MAX];
	unsigned n = 0;
	size_t at = 0;

	w.count = 0;
	for (unsigned i = 0; i < t->count; i++) {
		const struct offer *o = &t->offer[i];

		if (o->out)
			continue;
		if (o->by->connection) {
			add_tunnels(t, o, &w);
			continue;
		}
		snprintf(w.name[w.count], sizeof(w.name[0]), "%s%s%s", o->by->name,
		    o->hop ? ">" : "", o->hop ? ip_text(o->hop, addr) : "");
		w.state[w.count++] = is_usable(t->world, o) ? MODEL_TUNNEL_UP : MODEL_TUNNEL_DOWN;
	}
	for (unsigned i = 0; i < w.count; i++)
		best = w.state[i] > best ? w.state[i] : best;
	for (unsigned i = 0; i < w.count; i++) {
		if (best == MODEL_TUNNEL_DOWN ? i == 0 : w.state[i] == best)
			memmove(w.name[n++], w.name[i], sizeof(w.name[0]));
	}
	qsort(w.name, n, sizeof(w.name[0]), by_text);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)snprintf(
		    out + at, ORACLE_TEXT_MAX - at, "%s%s", i ? " " : "", w.name[i]);
	return out;
}

const char *oracle_ask(const struct conf *conf, struct world *world,
    const struct conf_attachment *from, const struct ip_addr *to, char out[ORACLE_TEXT_MAX])
{
	static struct table t;

	if (!from->associate)
		return "no table";
	t.conf = conf;
	t.world = world;
	t.t = from->associate;
	t.to = *to;
	t.count = 0;
	gather(&t);
	if (t.count == 0)
		return "no route";
	keep_longest(&t);
	if (!keep_best_class(&t))
		return "blackhole";
	sort_and_strike_doubles(&t);
	if (!t.offer[0].by)
		return t.offer[0].order == 0 ? "local" : "blackhole";
	keep_limit(&t);
	for (unsigned i = 0; i < t.count; i++) {
		if (!t.offer[i].out && !may_leave(&t, &t.offer[i], from))
			return "denied";
	}
	return ways_text(&t, out);
}
