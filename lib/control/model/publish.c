/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outcome, carried to the boundary: paths become next hops, routes become FIB entries, and only what differs
 * from before is touched. A path is shared by all routes with the same members and permission, so that a tunnel that
 * dies costs one next hop per path, however many routes lie behind it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

/* ---- paths ---- */

static uint64_t identity_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return h;
}

static void add_member(
    struct path *p, struct attach *origin, struct tunnel_entry *tunnel, uint32_t leaf)
{
	if (p->member_count < ECMP_MEMBERS_MAX)
		p->member[p->member_count++] = (struct path_member){origin, tunnel, leaf};
}

static void fill_members(struct path *p, const struct candidate *winners, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct attach *a = winners[i].origin;

		if (a && a->tunnel_count) {
			for (unsigned k = 0; k < a->tunnel_count; k++)
				add_member(p, a, a->tunnel[k], a->tunnel[k]->leaf);
		} else if (a) {
			add_member(p, a, NULL, winners[i].leaf);
		}
	}
}

static bool same_members(const struct path *a, const struct path *b)
{
	if (a->kind != b->kind || a->permit_key != b->permit_key ||
	    a->member_count != b->member_count)
		return false;
	for (unsigned i = 0; i < a->member_count; i++) {
		if (a->member[i].leaf != b->member[i].leaf ||
		    a->member[i].tunnel != b->member[i].tunnel ||
		    a->member[i].origin != b->member[i].origin)
			return false;
	}
	return true;
}

/*
 * Which tunnels of an attachment carry data: with ECMP those that are up, with active/standby the first of them; when
 * none is up those that come up on demand; when all are down the first one, where packets are dropped and counted.
 */
static void choose_alive(const struct path *p, const struct attach *a, bool alive[ECMP_MEMBERS_MAX])
{
	static const uint8_t order[] = {MODEL_TUNNEL_UP, MODEL_TUNNEL_TRAP};
	bool one = a->conf->connection && a->conf->connection->ha == CONF_HA_ACTIVE_STANDBY;
	unsigned found = 0;

	for (unsigned o = 0; o < sizeof(order) && !found; o++) {
		for (unsigned i = 0; i < p->member_count; i++) {
			if (p->member[i].origin != a || !p->member[i].tunnel ||
			    p->member[i].tunnel->pub.state != order[o])
				continue;
			alive[i] = !(found && (one || order[o] == MODEL_TUNNEL_TRAP));
			found += alive[i];
		}
	}
}

static void choose_all(const struct path *p, bool alive[ECMP_MEMBERS_MAX])
{
	bool any_up = false, any = false;

	for (unsigned i = 0; i < p->member_count; i++) {
		const struct tunnel_entry *t = p->member[i].tunnel;

		any_up |= !t || t->pub.state == MODEL_TUNNEL_UP;
	}
	for (unsigned i = 0; i < p->member_count; i++) {
		const struct path_member *member = &p->member[i];

		if (!member->tunnel)
			alive[i] = member->origin->usable || p->member_count == 1;
		else if (i == 0 || p->member[i - 1].origin != member->origin)
			choose_alive(p, member->origin, alive);
	}
	for (unsigned i = 0; i < p->member_count; i++) {
		/* An on-demand tunnel is no equal of one that is up. */
		if (any_up && p->member[i].tunnel &&
		    p->member[i].tunnel->pub.state != MODEL_TUNNEL_UP)
			alive[i] = false;
		any |= alive[i];
	}
	if (!any)
		alive[0] = true;
}

static void spec_single(const struct model *m, const struct path *p, struct nexthop_spec *spec)
{
	const struct path_member *member = &p->member[0];

	if (member->tunnel) {
		spec->kind = NH_TUNNEL;
		spec->tunnel = member->tunnel->pub.index;
		spec->slot = member->tunnel->pub.slot;
		spec->attachment = member->origin->number;
		return;
	}
	const struct nexthop *leaf = nexthop_get(&m->b->nexthops, member->leaf);
	if (!leaf)
		return;
	spec->kind = leaf->kind;
	spec->attachment = leaf->attachment;
	spec->slot = leaf->slot;
	spec->iface = leaf->iface;
	spec->neigh = leaf->neigh;
}

int path_publish(struct model *m, struct path *p)
{
	struct nexthop_spec spec = {.kind = NH_GROUP};
	bool alive[ECMP_MEMBERS_MAX] = {false};
	struct permission *permission = permission_find(m, p->permit_key);

	if (p->kind == NH_LOCAL || p->kind == NH_BLACKHOLE)
		return 0;
	spec.permit = permission ? permission->permit : NULL;
	if (p->member_count == 1) {
		spec_single(m, p, &spec);
		return nexthop_publish(&m->b->nexthops, &spec, &p->index);
	}
	choose_all(p, alive);
	for (unsigned i = 0; i < p->member_count; i++) {
		const struct path_member *member = &p->member[i];

		spec.members[i] = (struct ecmp_member){
		    .leaf = member->leaf,
		    .identity =
			identity_of(member->tunnel ? member->tunnel->name : member->origin->name) ^
			member->leaf * !member->tunnel,
		    .alive = alive[i],
		};
	}
	spec.member_count = p->member_count;
	return nexthop_publish(&m->b->nexthops, &spec, &p->index);
}

struct path *path_get(
    struct model *m, const struct candidate *winners, unsigned count, uint32_t permit_key)
{
	struct path *p, *fresh = xcalloc(1, sizeof(*fresh));

	fresh->permit_key = permit_key;
	fresh->kind = winners[0].source == SOURCE_LOCAL ? NH_LOCAL
	    : winners[0].blackhole                      ? NH_BLACKHOLE
							: NH_GROUP;
	fill_members(fresh, winners, count);
	if (!fresh->member_count && fresh->kind == NH_GROUP)
		fresh->kind = NH_BLACKHOLE; /* an attachment without tunnels leads nowhere */
	list_for (p, &m->paths, node) {
		if (same_members(p, fresh)) {
			free(fresh);
			return p;
		}
	}
	if (fresh->kind == NH_LOCAL)
		fresh->index = m->local_leaf;
	else if (fresh->kind == NH_BLACKHOLE)
		fresh->index = m->blackhole_leaf;
	int rc = path_publish(m, fresh);
	if (rc < 0) {
		free(fresh);
		errno = -rc;
		return NULL;
	}
	list_append(&m->paths, &fresh->node);
	return fresh;
}

void paths_of_tunnel(struct model *m, const struct tunnel_entry *t)
{
	struct path *p;

	list_for (p, &m->paths, node) {
		for (unsigned i = 0; i < p->member_count; i++) {
			if (p->member[i].tunnel != t)
				continue;
			int rc = path_publish(m, p);
			if (rc < 0)
				log_write(LOG_ERROR, LOG, t->name, "next hop %u not updated: %s",
				    p->index, strerror(-rc));
			break;
		}
	}
}

static void path_free(struct model *m, struct path *p)
{
	if (p->kind != NH_LOCAL && p->kind != NH_BLACKHOLE)
		nexthop_remove(&m->b->nexthops, p->index);
	list_remove(&p->node);
	free(p);
}

void paths_sweep(struct model *m)
{
	struct path *p, *next;

	list_for_safe (p, next, &m->paths, node) {
		if (!p->routes)
			path_free(m, p);
	}
}

void paths_free(struct model *m)
{
	struct path *p, *next;

	list_for_safe (p, next, &m->paths, node)
		path_free(m, p);
}

/* ---- routes ---- */

static int by_prefix(const void *a, const void *b)
{
	const struct candidate *ca = a, *cb = b;

	return ip_prefix_cmp(&ca->prefix, &cb->prefix);
}

/* Routes of a table from its candidates, in order of prefix. */
static struct route *resolve(struct model *m, struct table *t, uint32_t *count)
{
	struct route *routes = xcalloc(t->candidate_count + 1, sizeof(*routes));
	uint32_t n = 0;

	qsort(t->candidate, t->candidate_count, sizeof(*t->candidate), by_prefix);
	for (uint32_t i = 0, end; i < t->candidate_count; i = end) {
		for (end = i + 1; end < t->candidate_count; end++) {
			if (!ip_prefix_eq(&t->candidate[i].prefix, &t->candidate[end].prefix))
				break;
		}
		struct candidate *c = &t->candidate[i];
		unsigned winners = select_winners(c, end - i, m->conf->transit_router.limits.ecmp);

		m->has_alternatives |= end - i > 1;
		routes[n] = (struct route){.prefix = c->prefix, .first = i, .count = end - i};
		if (winners) {
			routes[n].path =
			    path_get(m, c, winners, policy_permission(m, t, c, winners));
			if (!routes[n].path) {
				free(routes);
				return NULL;
			}
			routes[n].path->routes++;
		}
		n++;
	}
	*count = n;
	return routes;
}

/* Both lists are in order: walk them side by side. */
static int carry(struct table *t, const struct route *next, uint32_t next_count)
{
	uint32_t o = 0, n = 0;

	while (o < t->route_count || n < next_count) {
		const struct route *old = o < t->route_count ? &t->route[o] : NULL;
		const struct route *new = n < next_count ? &next[n] : NULL;
		int order = !old ? 1 : !new ? -1 : ip_prefix_cmp(&old->prefix, &new->prefix);
		uint32_t before = order <= 0 && old->path ? old->path->index : 0;
		uint32_t after = order >= 0 && new->path ? new->path->index : 0;
		int rc = 0;

		if (after && after != before)
			rc = fib_set(t->fib, &new->prefix, after);
		else if (!after && before)
			fib_unset(t->fib, &old->prefix);
		if (rc < 0)
			return rc;
		o += order <= 0;
		n += order >= 0;
	}
	return 0;
}

int routes_publish(struct model *m)
{
	struct table *t;
	struct path *p;
	int rc = 0;

	m->has_alternatives = false;
	list_for (p, &m->paths, node)
		p->routes = 0;
	candidates_collect(m);
	list_for (t, &m->tables, node) {
		uint32_t count = 0;
		struct route *next = resolve(m, t, &count);

		if (!next)
			return -errno;
		rc = carry(t, next, count);
		free(t->route);
		t->route = next;
		t->route_count = count;
		if (rc < 0) {
			log_write(LOG_ERROR, LOG, t->name,
			    "route table is full: %u routes, limit %u", count,
			    m->limits.routes_per_table);
			return rc;
		}
	}
	/* Paths whose members' state changed since they were made. */
	list_for (p, &m->paths, node) {
		rc = path_publish(m, p);
		if (rc < 0)
			return rc;
	}
	paths_sweep(m);
	permissions_sweep(m);
	return 0;
}
