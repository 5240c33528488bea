/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The candidates of one prefix in one table, put together when they are looked at: those of the configuration, which
 * the table keeps, and the learned ones, which only the BGP engine keeps. A learned route is a candidate when its
 * peer's attachment propagates to the table, its tunnel is up (BG-20: no route through a dead tunnel), and
 * ingress policies let it in, as they change it.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

#define PEER_IS_PORT UINT32_C(0x80000000)

uint32_t model_peer_of_tunnel(const struct model_tunnel *t)
{
	return t->index;
}

uint32_t model_peer_of_iface(const struct model_iface *i)
{
	return PEER_IS_PORT | i->number;
}

/* ---- numbers to objects ---- */

void learned_tables(struct model *m)
{
	struct attach *a;
	struct tunnel_entry *t;

	m->attach_numbers = m->tunnel_indexes = 0;
	list_for (a, &m->attachments, node)
		m->attach_numbers = RTE_MAX(m->attach_numbers, a->number + 1u);
	list_for (t, &m->tunnels, node)
		m->tunnel_indexes = RTE_MAX(m->tunnel_indexes, t->pub.index + 1);
	free(m->attach_of_number);
	free(m->tunnel_of_index);
	m->attach_of_number = xcalloc(m->attach_numbers + 1u, sizeof(*m->attach_of_number));
	m->tunnel_of_index = xcalloc(m->tunnel_indexes + 1u, sizeof(*m->tunnel_of_index));
	list_for (a, &m->attachments, node) {
		if (a->seen)
			m->attach_of_number[a->number] = a;
	}
	list_for (t, &m->tunnels, node) {
		if (t->seen)
			m->tunnel_of_index[t->pub.index] = t;
	}
}

/* Whose peer that is; NULL: gone. *tunnel NULL: on a port. */
static struct attach *find_peer(const struct model *m, uint32_t peer, struct tunnel_entry **tunnel)
{
	uint32_t number = peer & ~PEER_IS_PORT;

	*tunnel = NULL;
	if (peer & PEER_IS_PORT)
		return number < m->attach_numbers ? m->attach_of_number[number] : NULL;
	if (number < m->tunnel_indexes)
		*tunnel = m->tunnel_of_index[number];
	return *tunnel ? (*tunnel)->attach : NULL;
}

struct attach *attach_of_peer(const struct model *m, uint32_t peer)
{
	struct tunnel_entry *tunnel;

	return find_peer(m, peer, &tunnel);
}

/* ---- candidates ---- */

static struct candidate *add(struct gathered *g)
{
	if (g->count == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->candidate = xrealloc(g->candidate, g->room * sizeof(*g->candidate));
	}
	return &g->candidate[g->count++];
}

/* The neighbour on the port: the next hop itself, or the one that a route of the attachment names for it. */
static const struct ip_addr *neighbour_of(const struct attach *a, const struct ip_addr *hop)
{
	const struct conf_attached_route *best = NULL;

	for (unsigned i = 0; i < a->conf->address_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&a->conf->address[i].addr, a->conf->address[i].len);

		if (ip_prefix_has(&subnet, hop))
			return hop;
	}
	for (unsigned i = 0; i < a->conf->routes_count; i++) {
		const struct conf_attached_route *r = a->conf->routes[i];

		if (ip_prefix_has(&r->prefix, hop) && (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best ? &best->next_hop : NULL;
}

static void resolve_hop(struct model *m, struct candidate *c)
{
	const struct ip_addr *hop = neighbour_of(c->origin, &c->attrs->next_hop);

	if (hop && hop->family == c->prefix.addr.family) {
		c->next_hop = *hop;
		c->via = via_get(m, c->origin->iface, hop);
	}
	if (!c->via && c->lost == LOST_NOT)
		c->lost = LOST_UNRESOLVED;
}

static void apply_edits(struct model *m, struct candidate *c)
{
	const struct bgp_attrs *edited;
	struct bgp_edit edit = {0};

	if (!c->ingress || !policy_edits(c->ingress))
		return;
	policy_edit(c->ingress, &edit);
	edited = bgp_attrs_edit(m->bgp, c->attrs, &edit);
	if (!edited)
		return;
	c->attrs = edited;
	c->edited = true;
}

static void add_learned(struct model *m, const struct table *t, struct gathered *g,
    const struct ip_prefix *prefix, const struct bgp_path *path)
{
	struct tunnel_entry *tunnel;
	struct attach *a = find_peer(m, path->peer, &tunnel);
	struct candidate *c;

	if (!a || !propagates_to(a, t))
		return;
	if (tunnel ? tunnel_state(tunnel) != MODEL_TUNNEL_UP : !a->iface || !a->iface->link_up)
		return;
	c = add(g);
	*c = (struct candidate){.prefix = *prefix,
	    .source = SOURCE_BGP,
	    .rank = candidate_rank(SOURCE_BGP, a),
	    .origin = a,
	    .peer = path->peer,
	    .tunnel = tunnel,
	    .attrs = path->attrs,
	    .learned = path};
	if (candidate_enters(t, c))
		apply_edits(m, c);
	if (!tunnel)
		resolve_hop(m, c);
	g->learned++;
}

static unsigned paths(struct model *m, struct gathered *g, const struct bgp_change *change)
{
	unsigned n = bgp_paths_changed(m->bgp, change, g->path, g->path_room);

	if (n <= g->path_room)
		return n;
	g->path_room = 2 * n;
	g->path = xrealloc(g->path, g->path_room * sizeof(*g->path));
	return bgp_paths_changed(m->bgp, change, g->path, g->path_room);
}

struct gathered *gather(struct model *m, struct table *t, const struct candidate *configured,
    unsigned count, const struct bgp_change *change)
{
	struct gathered *g = &m->scratch;
	unsigned n = m->bgp && t->conf ? paths(m, g, change) : 0;

	g->count = g->learned = 0;
	for (unsigned i = 0; i < count; i++)
		*add(g) = configured[i];
	for (unsigned i = 0; i < n; i++)
		add_learned(m, t, g, &change->prefix, &g->path[i]);
	return g;
}

void gathered_done(struct model *m, struct gathered *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (g->candidate[i].edited)
			bgp_attrs_unref(m->bgp, g->candidate[i].attrs);
	}
	g->count = g->learned = 0;
}

const struct candidate *gathered_best(const struct gathered *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		const struct candidate *c = &g->candidate[i];

		if (c->lost == LOST_NOT && (c->source != SOURCE_BGP || c->step == BGP_STEP_BEST))
			return c;
	}
	return NULL;
}

const struct bgp_attrs *gathered_attrs(const struct model *m, const struct candidate *best)
{
	const struct bgp_attrs *attrs = best->attrs ? best->attrs : m->local_attrs, *edited;
	struct bgp_edit edit = {0};

	if (!best->attrs && best->ingress && policy_edits(best->ingress)) {
		policy_edit(best->ingress, &edit);
		edited = bgp_attrs_edit(m->bgp, attrs, &edit);
		if (edited)
			return edited;
	}
	bgp_attrs_ref(m->bgp, attrs);
	return attrs;
}
