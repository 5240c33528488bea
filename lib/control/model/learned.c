/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Learned routes (B7, B8), beside those of the configuration.
 *
 * Only the BGP engine keeps them: paths as the peers sent them, and for each table a view, which is the table as
 * its peers are told it. The tag of a route in the view is the index of its path, so that the view is all a table has
 * to remember of a million routes. A prefix that is configured has a struct route, too, and that one counts.
 *
 *   bgp_changes(), bgp_walk() --> per table: gather() -> select -> path --> FIB, view --> export to peers
 *
 * A change costs the tables, not the other routes; a configuration walks over all of them, in portions that
 * model_learn() is asked for. Until a route is reached again it keeps its path; only what led to an object that
 * has gone leads elsewhere at once (paths_disown()).
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/internal.h"

#define LOG "model"

#define PORTION     64
#define SWEEP_EVERY 512 /* prefixes */

void model_set_bgp(struct model *m, struct bgp_engine *engine)
{
	m->bgp = engine;
	m->local_attrs = bgp_attrs_local(engine, BGP_ORIGIN_IGP, NULL);
}

void learned_fini(struct model *m)
{
	if (m->bgp)
		bgp_attrs_unref(m->bgp, m->local_attrs);
	free(m->scratch.candidate);
	free(m->scratch.path);
	free(m->attach_of_number);
	free(m->tunnel_of_index);
}

static uint32_t view_of(const struct table *t)
{
	return t->fib->index;
}

/* Nothing is learned into the underlay, and nobody is told it. */
static bool has_view(const struct model *m, const struct table *t)
{
	return m->bgp && t->conf;
}

struct route *rib_find(const struct rib *rib, const struct ip_prefix *prefix)
{
	uint32_t low = 0, high = rib->route_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int order = ip_prefix_cmp(&rib->route[mid].prefix, prefix);

		if (order == 0)
			return &rib->route[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* ---- one prefix ---- */

/*
 * A blackhole; or a configured route while nothing of it can carry (H3, BG-20). Packets that have no other way are
 * dropped there, and a peer that may have one is not to send any.
 */
static bool leads_nowhere(const struct path *p)
{
	return p->kind != NH_GROUP || (p->source != SOURCE_BGP && !p->carrier->carries);
}

/* The table's view of a route with this path: what is no way to anywhere is nothing to announce. */
static void view_update(struct model *m, const struct table *t, const struct ip_prefix *prefix,
    const struct gathered *g, const struct path *path)
{
	const struct candidate *best = path ? gathered_best(g) : NULL;
	const struct bgp_attrs *attrs;

	if (!best || leads_nowhere(path)) {
		bgp_view_unset(m->bgp, view_of(t), prefix);
		return;
	}
	attrs = gathered_attrs(m, best);
	bgp_view_set(m->bgp, view_of(t), prefix, attrs, best->peer, path->index);
	bgp_attrs_unref(m->bgp, attrs);
}

static void does_not_fit(struct model *m, struct table *t, const struct ip_prefix *prefix, int rc)
{
	char text[IP_PREFIX_TEXT_MAX];

	if (t->overflow++)
		return;
	if (m->starved)
		log_write(LOG_ERROR, LOG, t->name,
		    "no next hop is left for learned routes, first %s: all %u are in use, one for each "
		    "different set of ways out",
		    ip_prefix_text(prefix, text), m->b->nexthops.rec.capacity - 1);
	else
		log_write(LOG_ERROR, LOG, t->name, "learned routes do not fit, first %s: %s",
		    ip_prefix_text(prefix, text), strerror(-rc));
}

/*
 * The path of a prefix that is not configured, in the FIB; NULL: none, or no room. `old` is what the FIB has for it, if
 * anything; the caller holds on to it.
 */
static struct path *install(struct model *m, struct table *t, const struct ip_prefix *prefix,
    struct gathered *g, const struct path *old, bool had)
{
	struct path *path = NULL;
	int rc = g->count ? route_choose(m, t, g, old, &path) : 0;

	if (rc == 0 && path && path != old)
		rc = fib_set(t->fib, prefix, path->index);
	if (rc < 0) {
		does_not_fit(m, t, prefix, rc);
		path_leave(m, path);
		path = NULL;
	}
	if (!path && had)
		fib_unset(t->fib, prefix);
	if (!path && old)
		companions_keep(m, old);
	return path;
}

static void resolve_learned(struct model *m, struct table *t, const struct bgp_change *change)
{
	uint32_t tag;
	bool had = bgp_view_find_changed(m->bgp, view_of(t), change, &tag);
	struct path *old = had ? path_of_index(m, tag) : NULL;
	struct gathered *g = gather(m, t, NULL, 0, change);
	const struct path *path;

	if (had || g->count) {
		path = install(m, t, &change->prefix, g, old, had);
		view_update(m, t, &change->prefix, g, path);
		path_leave(m, old);
	}
	gathered_done(m, g);
}

static void resolve(struct model *m, struct table *t, const struct bgp_change *change)
{
	struct route *r = rib_find(&t->now, &change->prefix);

	if (r)
		route_reselect(m, t, r);
	else
		resolve_learned(m, t, change);
}

/* ---- beside the configuration ---- */

void learned_configured(struct model *m, struct table *t, const struct route *r, bool fresh)
{
	const struct bgp_change change = {.prefix = r->prefix};
	struct gathered *g;
	uint32_t tag;

	if (!has_view(m, t))
		return;
	if (fresh && bgp_view_find(m->bgp, view_of(t), &r->prefix, &tag, NULL))
		path_leave(m, path_of_index(m, tag));
	g = gather(m, t, &t->now.candidate[r->first], r->count, &change);
	select_winners(g->candidate, g->count, m->conf->transit_router.limits.ecmp);
	view_update(m, t, &r->prefix, g, r->path);
	gathered_done(m, g);
}

bool learned_take_over(struct model *m, struct table *t, const struct ip_prefix *prefix)
{
	const struct bgp_change change = {.prefix = *prefix};
	struct gathered *g;
	struct path *path;

	if (!has_view(m, t))
		return false;
	g = gather(m, t, NULL, 0, &change);
	path = install(m, t, prefix, g, NULL, false);
	view_update(m, t, prefix, g, path);
	gathered_done(m, g);
	return path;
}

bool learned_restore(struct model *m, struct table *t, const struct ip_prefix *prefix)
{
	uint32_t tag;

	return has_view(m, t) && !rib_find(&t->now, prefix) &&
	    bgp_view_find(m->bgp, view_of(t), prefix, &tag, NULL) &&
	    fib_set(t->fib, prefix, tag) == 0;
}

/* ---- rounds ---- */

static size_t next_portion(struct model *m, struct bgp_change *change, unsigned max)
{
	size_t room = max < PORTION ? max : PORTION, n = bgp_changes(m->bgp, change, room);

	if (n || !m->walking)
		return n;
	n = bgp_walk(m->bgp, &m->walk, change, room);
	m->walking = n == room;
	return n;
}

/* Next hops are free again: routes that went without are among all there are. */
static void feed_the_starved(struct model *m)
{
	const struct records *rec = &m->b->nexthops.rec;
	struct table *t;

	if (!m->starved || m->walking || records_used(rec) > rec->capacity - rec->capacity / 16)
		return;
	log_write(
	    LOG_NOTICE, LOG, NULL, "next hops are free again: all learned routes are chosen anew");
	m->starved = false;
	m->walking = true;
	m->walk = 0;
	list_for (t, &m->tables, node)
		t->overflow = 0;
}

/* Looking at all paths is worth it when nothing else is to be done, or once in a while. */
static void sweep(struct model *m, unsigned done, bool all)
{
	m->learned_unswept += done;
	if (!m->idle_paths || (!all && m->learned_unswept < SWEEP_EVERY))
		return;
	paths_sweep(m);
	m->idle_paths = false;
	m->learned_unswept = 0;
}

static unsigned learn_portion(struct model *m, unsigned max)
{
	struct bgp_change change[PORTION];
	size_t n = m->bgp ? next_portion(m, change, max) : 0;
	struct table *t;

	list_for (t, &m->tables, node) {
		for (size_t i = 0; i < n && t->conf; i++)
			resolve(m, t, &change[i]);
	}
	return n ? (unsigned)n : left_views_run(m);
}

unsigned model_learn(struct model *m, unsigned max)
{
	unsigned done = 0, n = 1;

	feed_the_starved(m);
	while (n && done < max) {
		n = learn_portion(m, max - done);
		done += n;
	}
	sweep(m, done, n == 0);
	return done;
}

static void tell_reachable(struct model *m, struct tunnel_entry *t)
{
	bgp_peer_reachable(
	    m->bgp, model_peer_of_tunnel(&t->pub), tunnel_state(t) == MODEL_TUNNEL_UP);
}

void learned_states(struct model *m)
{
	struct tunnel_entry *t;
	struct iface_entry *i;

	if (!m->bgp)
		return;
	list_for (t, &m->tunnels, node)
		tell_reachable(m, t);
	list_for (i, &m->ifaces, node) {
		if (i->attach)
			bgp_peer_reachable(m->bgp, model_peer_of_iface(&i->pub), i->attach->usable);
	}
}

static bool is_told(const struct attach *a, const struct table *t)
{
	return a && a->conf->associate == t->conf;
}

/* Policies make something else of the same routes: their peers hear of it (what stays the same is not said again). */
static void tell_again(struct model *m, const struct table *t)
{
	struct tunnel_entry *tunnel;
	struct iface_entry *i;

	list_for (tunnel, &m->tunnels, node) {
		if (is_told(tunnel->attach, t))
			bgp_peer_reexport(m->bgp, model_peer_of_tunnel(&tunnel->pub));
	}
	list_for (i, &m->ifaces, node) {
		if (is_told(i->attach, t))
			bgp_peer_reexport(m->bgp, model_peer_of_iface(&i->pub));
	}
}

static void tell_edits(struct model *m)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		uint64_t edits = policies_edits(t);

		if (t->conf && edits != t->edits)
			tell_again(m, t);
		t->edits = edits;
	}
}

void learned_restart(struct model *m)
{
	if (!m->bgp)
		return;
	tell_edits(m);
	m->walking = true;
	m->walk = 0;
	learned_states(m);
	model_learn(m, LEARNED_AT_ONCE);
}

void model_peers_changed(struct model *m)
{
	learned_states(m);
}

/* ---- export ---- */

uint32_t model_view_of(const struct model *m, const struct conf_attachment *a)
{
	const struct table *t = a->advertise_routes ? table_of(m, a->associate) : NULL;

	return t ? view_of(t) : 0;
}

/* Not back to where it came from, whichever of the attachment's tunnels that was (B11). */
static bool leads_to(const struct path *p, const struct attach *a)
{
	for (unsigned i = 0; i < p->member_count; i++) {
		if (p->member[i].origin == a)
			return true;
	}
	return false;
}

bool model_export(const struct model *m, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit)
{
	const struct attach *a = attach_of_peer(m, peer);
	const struct table *t = a ? table_of(m, a->conf->associate) : NULL;
	const struct path *p = path_of_index(m, tag);

	if (!t || !p || !p->member_count || !permission_has(p->permission, a) || leads_to(p, a))
		return false;
	const struct candidate c = {
	    .prefix = *prefix, .source = p->source, .origin = p->member[0].origin, .attrs = attrs};
	const struct policy_set set = policy_set_of(m, t, &c);
	const struct policy_answer answer = policy_egress(t, &set, a);
	if (answer.permit && answer.policy)
		policy_edit(answer.policy, edit);
	return answer.permit;
}
