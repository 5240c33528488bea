/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Paths: the next hops that routes point to, shared by all routes with the same members and
 * permission, so that a tunnel that dies costs one next hop per path, however many routes lie
 * behind it.
 *
 * Which members carry data:
 *
 *   - those in the best state of any: up before on demand before down; equals share by ECMP
 *   - a connection with active/standby is one member: its first tunnel in the best state
 *   - where all are down, the first: packets are dropped there, and counted
 *
 * Learned routes come and go, and the members with them. A path remembers which others its route had before: absent
 * members, which have an identity and nothing else. They keep their share of the buckets, as a dead tunnel does, so that a
 * withdrawal moves only the flows of who withdrew, and those come back with the route (R8). When all are lost, companions.c
 * remembers them. A path that shares no present member with the one before begins anew, as the backup that stood in for it has.
 *
 * Where no member can carry, a backup does: see backup.c. All that can change is one record of the
 * boundary: a worker sees the old set of members or the new one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

#define FNV_PRIME UINT64_C(0x100000001b3) /* FNV-1a */

uint64_t identity_add(uint64_t identity, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		identity = (identity ^ b[i]) * FNV_PRIME;
	return identity;
}

uint64_t identity_of_name(const char *name)
{
	return identity_add(IDENTITY_START, name, strlen(name) + 1);
}

/* ---- members ---- */

static void add_member(struct path *p, const struct path_member *member)
{
	if (p->member_count < ECMP_MEMBERS_MAX)
		p->member[p->member_count++] = *member;
}

static void add_port(struct path *p, const struct candidate *c)
{
	struct attach *a = c->origin;
	const struct path_member member = {
	    .origin = a,
	    .port_leaf = c->via ? c->via->leaf : a->iface->pub.leaf,
	    .via = c->via,
	    .identity = identity_add(a->identity, &c->next_hop, sizeof(c->next_hop)),
	};

	add_member(p, &member);
}

static void add_tunnel(struct path *p, struct tunnel_entry *t)
{
	const struct path_member member = {
	    .origin = t->attach, .tunnel = t, .identity = t->identity};

	add_member(p, &member);
}

/* One tunnel of a connection has the route: of active/standby, whichever it is, in the same place. */
static void add_learned(struct path *p, struct tunnel_entry *t, unsigned limit)
{
	const struct attach *a = t->attach;

	add_tunnel(p, t);
	if (a->tunnel_count > 1 && attach_is_one_hop(a, limit))
		p->member[p->member_count - 1].identity = a->identity;
}

static bool is_absent(const struct path_member *member)
{
	return !member->origin;
}

static bool has_identity(const struct path *p, uint64_t identity)
{
	for (unsigned i = 0; i < p->member_count; i++) {
		if (p->member[i].identity == identity)
			return true;
	}
	return false;
}

/* The same way out, and not merely one in its place. */
static bool has_member(const struct path *p, const struct path_member *member)
{
	for (unsigned i = 0; i < p->member_count; i++) {
		if (p->member[i].origin == member->origin &&
		    p->member[i].tunnel == member->tunnel &&
		    p->member[i].port_leaf == member->port_leaf)
			return true;
	}
	return false;
}

static int by_identity(const void *pa, const void *pb)
{
	const struct path_member *a = pa, *b = pb;

	return (a->identity > b->identity) - (a->identity < b->identity);
}

void path_add_absent(const struct model *m, struct path *p, uint64_t identity)
{
	const struct path_member absent = {.identity = identity};

	if (p->member_count < m->conf->transit_router.limits.ecmp && !has_identity(p, identity))
		add_member(p, &absent);
}

/* Both have a present member in common. */
static bool is_related(const struct path *p, const struct path *before)
{
	for (unsigned i = 0; i < before->member_count; i++) {
		if (!is_absent(&before->member[i]) && has_member(p, &before->member[i]))
			return true;
	}
	return false;
}

static bool is_learned_group(const struct path *p)
{
	return p->kind == NH_GROUP && p->source == SOURCE_BGP;
}

/* Members of the path before, or of those that were lost, that have no route now, while there is room for them. */
static void remember(struct model *m, struct path *p, const struct path *before)
{
	bool stood_in =
	    before && before->carrier != before; /* its backup: dealt as path_get() does */
	unsigned present = p->member_count;
	bool related = before && is_learned_group(before) && is_related(p, before);

	if (before && !related)
		companions_keep(m, before);
	if (!is_learned_group(p) ||
	    records_used(&m->b->nexthops.rec) >= m->b->nexthops.rec.capacity / 2)
		return;
	if (related) {
		for (unsigned i = 0; i < before->member_count; i++)
			path_add_absent(m, p, before->member[i].identity);
	} else if (!stood_in) {
		companions_join(m, p);
	}
	qsort(&p->member[present], p->member_count - present, sizeof(p->member[0]), by_identity);
}

static void add_tunnels(struct path *p, struct attach *a, unsigned limit)
{
	if (attach_is_one_hop(a, limit)) {
		const struct path_member member = {.origin = a, .identity = a->identity};

		add_member(p, &member);
		return;
	}
	for (unsigned i = 0; i < a->tunnel_count; i++)
		add_tunnel(p, a->tunnel[i]);
}

/* The first tunnel in the best state of any. */
static const struct tunnel_entry *tunnel_in_charge(const struct attach *a)
{
	const struct tunnel_entry *best = a->tunnel[0];

	for (unsigned i = 1; i < a->tunnel_count; i++) {
		if (tunnel_state(a->tunnel[i]) > tunnel_state(best))
			best = a->tunnel[i];
	}
	return best;
}

static enum model_tunnel_state look(const struct path_member *member, uint32_t *leaf)
{
	const struct tunnel_entry *t = member->tunnel;

	if (member->port_leaf) {
		*leaf = member->port_leaf;
		return member->origin->usable ? MODEL_TUNNEL_UP : MODEL_TUNNEL_DOWN;
	}
	if (!t)
		t = tunnel_in_charge(member->origin);
	*leaf = t->leaf;
	return tunnel_state(t);
}

/* What is configured leads to an attachment as long as anything of it may come up by traffic; no packet wakes a tunnel
 * for the sake of a learned route. */
static bool can_carry(const struct path *p, enum model_tunnel_state best)
{
	return best >= (p->source == SOURCE_BGP ? MODEL_TUNNEL_UP : MODEL_TUNNEL_TRAP);
}

/* Brings the members up to date. True when any has changed. */
static bool members_refresh(struct path *p)
{
	enum model_tunnel_state state[ECMP_MEMBERS_MAX], best = MODEL_TUNNEL_DOWN;
	bool changed = false;

	for (unsigned i = 0; i < p->member_count; i++) {
		uint32_t leaf = p->member[0].leaf;

		state[i] = MODEL_TUNNEL_DOWN;
		if (!is_absent(&p->member[i])) /* the first never is */
			state[i] = look(&p->member[i], &leaf);
		changed |= leaf != p->member[i].leaf;
		p->member[i].leaf = leaf;
		if (state[i] > best)
			best = state[i];
	}
	for (unsigned i = 0; i < p->member_count; i++) {
		bool alive = best == MODEL_TUNNEL_DOWN ? i == 0 : state[i] == best;

		changed |= alive != p->member[i].alive;
		p->member[i].alive = alive;
	}
	p->carries = can_carry(p, best);
	return changed;
}

/* ---- publishing ---- */

static int publish_single(struct model *m, const struct path *carrier, uint32_t *index)
{
	const struct nexthop *leaf = nexthop_get(&m->b->nexthops, carrier->member[0].leaf);

	if (!leaf)
		return -EINVAL;
	const struct nexthop_spec spec = {
	    .kind = leaf->kind,
	    .attachment = leaf->attachment,
	    .slot = leaf->slot,
	    .iface = leaf->iface,
	    .neigh = leaf->neigh,
	    .tunnel = leaf->tunnel,
	    .permit = carrier->permission ? carrier->permission->permit : NULL,
	};
	return nexthop_publish(&m->b->nexthops, &spec, index);
}

static int publish_group(struct model *m, const struct path *carrier, uint32_t *index)
{
	struct nexthop_spec spec = {
	    .kind = NH_GROUP,
	    .permit = carrier->permission ? carrier->permission->permit : NULL,
	    .member_count = carrier->member_count,
	};

	for (unsigned i = 0; i < carrier->member_count; i++) {
		const struct path_member *member = &carrier->member[i];

		spec.members[i] =
		    (struct ecmp_member){member->leaf, member->identity, member->alive};
	}
	return nexthop_publish(&m->b->nexthops, &spec, index);
}

static int path_publish(struct model *m, struct path *p)
{
	const struct nexthop_spec nowhere = {.kind = NH_BLACKHOLE};

	switch (p->carrier->member_count) {
	case 0:
		return nexthop_publish(&m->b->nexthops, &nowhere, &p->index);
	case 1:
		return publish_single(m, p->carrier, &p->index);
	default:
		return publish_group(m, p->carrier, &p->index);
	}
}

static void path_republish(struct model *m, struct path *p)
{
	int rc = path_publish(m, p);

	if (rc < 0)
		log_write(
		    LOG_ERROR, LOG, NULL, "next hop %u not updated: %s", p->index, strerror(-rc));
}

/*
 * Numbers of next hops are reused when workers cannot hold them any more. When none is left, those of paths that
 * nobody uses come back here and now; should that not do, whoever is left without one is looked at again (learned.c).
 */
static int publish_new(struct model *m, struct path *p)
{
	int rc = path_publish(m, p);

	if (rc != -ENOSPC || m->starved)
		return rc;
	paths_sweep(m);
	m->idle_paths = false;
	epoch_flush(m->b->epoch);
	rc = path_publish(m, p);
	m->starved = rc == -ENOSPC;
	return rc;
}

/* ---- the set of paths ---- */

static bool is_same(const struct path *a, const struct path *b)
{
	if (a->kind != b->kind || a->permission != b->permission || a->backup != b->backup ||
	    a->source != b->source || a->member_count != b->member_count)
		return false;
	for (unsigned i = 0; i < a->member_count; i++) {
		if (a->member[i].origin != b->member[i].origin ||
		    a->member[i].tunnel != b->member[i].tunnel ||
		    a->member[i].identity != b->member[i].identity ||
		    a->member[i].port_leaf != b->member[i].port_leaf)
			return false;
	}
	return true;
}

/* Paths that are the same have the same bucket. */
static struct list *bucket_of(struct model *m, const struct path *p)
{
	uint64_t h = (uint64_t)(uintptr_t)p->permission * FNV_PRIME;

	h = (h ^ (uint64_t)(uintptr_t)p->backup) * FNV_PRIME;
	for (unsigned i = 0; i < p->member_count; i++)
		h = (h ^ p->member[i].identity) * FNV_PRIME;
	return &m->path_bucket[(h ^ h >> 32) % PATH_BUCKETS];
}

/* Fills a path that has room for ECMP_MEMBERS_MAX members from the winners. */
static void describe(
    const struct model *m, struct path *p, const struct candidate *c, unsigned count)
{
	p->kind = NH_BLACKHOLE; /* also without tunnels, and where nothing could be resolved */
	p->member_count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct attach *a = c[i].origin;

		if (c[i].lost != LOST_NOT)
			continue;
		p->source = c[i].source;
		if (c[i].source == SOURCE_LOCAL || c[i].source == SOURCE_HEALTH)
			p->kind = NH_LOCAL;
		else if (c[i].tunnel)
			add_learned(p, c[i].tunnel, m->conf->transit_router.limits.ecmp);
		else if (a && a->iface)
			add_port(p, &c[i]);
		else if (a && a->tunnel_count)
			add_tunnels(p, a, m->conf->transit_router.limits.ecmp);
	}
	if (p->member_count)
		p->kind = NH_GROUP;
}

void path_leave(struct model *m, struct path *p)
{
	if (p && --p->routes == 0)
		m->idle_paths = true;
}

static void backup_set(struct model *m, struct path *p, struct path *backup)
{
	m->backed += (backup != NULL) - (p->backup != NULL);
	path_leave(m, p->backup);
	p->backup = backup;
}

static void path_free(struct model *m, struct path *p)
{
	backup_set(m, p, NULL);
	if (p->kind == NH_GROUP && p->index) {
		m->path_of[p->index] = NULL;
		nexthop_remove(&m->b->nexthops, p->index);
	}
	permission_unref(p->permission);
	free(p);
}

static int path_make(struct model *m, struct path *p)
{
	int rc = 0;

	p->carrier = p;
	if (p->kind == NH_GROUP) {
		members_refresh(p);
		p->carrier = backup_carrier(p);
		rc = publish_new(m, p);
	} else {
		p->index = p->kind == NH_LOCAL ? m->local_leaf : m->blackhole_leaf;
	}
	return rc;
}

/* One like m->new_path; NULL with errno. */
static struct path *path_new(struct model *m, struct path *backup)
{
	const struct path *like = m->new_path;
	size_t bytes = sizeof(*like) + like->member_count * sizeof(like->member[0]);
	struct path *p = xcalloc(1, bytes);

	memcpy(p, like, bytes);
	p->backup = NULL;
	backup_set(m, p, backup);
	int rc = path_make(m, p);
	if (rc < 0) {
		path_free(m, p);
		errno = -rc;
		return NULL;
	}
	if (p->kind == NH_GROUP)
		m->path_of[p->index] = p;
	p->routes = 1;
	list_append(&m->paths, &p->node);
	list_append(bucket_of(m, p), &p->bucket);
	return p;
}

/* The one that is like m->new_path; path_get() says who owns what. */
static struct path *path_find(struct model *m, struct permission *permission, struct path *backup)
{
	struct path *p, *new = m->new_path;

	if (new->kind != NH_GROUP) {
		path_leave(m, backup);
		backup = NULL;
	}
	new->permission = permission;
	new->backup = backup;
	list_for (p, bucket_of(m, new), bucket) {
		if (is_same(p, new)) {
			permission_unref(permission);
			path_leave(m, backup);
			p->routes++;
			return p;
		}
	}
	return path_new(m, backup);
}

struct path *path_get(struct model *m, const struct candidate *c, unsigned count,
    struct permission *permission, struct path *backup)
{
	describe(m, m->new_path, c, count);
	return path_find(m, permission, backup);
}

struct path *path_follow(struct model *m, const struct candidate *c, unsigned count,
    struct permission *permission, struct path *backup, const struct path *before)
{
	describe(m, m->new_path, c, count);
	remember(m, m->new_path, before);
	return path_find(m, permission, backup);
}

struct path *path_of_index(const struct model *m, uint32_t index)
{
	return index <= FIB_NEXTHOP_MAX ? m->path_of[index] : NULL;
}

/* ---- objects that go ---- */

static bool has_gone(const struct path_member *member)
{
	if (is_absent(member))
		return false;
	return !member->origin->seen || (member->tunnel && !member->tunnel->seen) ||
	    (member->port_leaf && (!member->origin->iface || !member->origin->iface->seen));
}

/* True when a member has gone: it is absent now, behind those that are left; with none left there are no members. */
static bool drop_gone(struct path *p)
{
	struct path_member absent[ECMP_MEMBERS_MAX] = {0};
	unsigned left = 0, gone = 0, away = 0;

	for (unsigned i = 0; i < p->member_count; i++) {
		gone += has_gone(&p->member[i]);
		if (is_absent(&p->member[i]) || has_gone(&p->member[i]))
			absent[away++] = (struct path_member){.identity = p->member[i].identity};
		else
			p->member[left++] = p->member[i];
	}
	qsort(absent, away, sizeof(absent[0]), by_identity);
	memcpy(&p->member[left], absent, away * sizeof(absent[0]));
	p->member_count = left ? left + away : 0;
	return gone;
}

/*
 * Learned routes are chosen anew by and by. What led to an object that goes leads to the other members from now on, or
 * to the backup, or else nowhere, until its routes are somewhere else. Nobody's flows move but those of who goes.
 */
void paths_disown(struct model *m)
{
	struct path *p;

	list_for (p, &m->paths, node) { /* backups come first */
		if (p->kind != NH_GROUP || !p->routes)
			continue;
		p->changed = drop_gone(p);
		if (p->changed) {
			members_refresh(p);
			list_remove(&p->bucket);
			list_append(bucket_of(m, p), &p->bucket);
		}
		struct path *carrier = backup_carrier(p);
		p->changed |= carrier != p->carrier || carrier->changed;
		p->carrier = carrier;
		if (p->changed)
			path_republish(m, p);
	}
}

void paths_refresh(struct model *m)
{
	struct path *p;

	list_for (p, &m->paths, node) { /* backups come first */
		if (p->kind != NH_GROUP)
			continue;
		p->changed = members_refresh(p);
		struct path *carrier = backup_carrier(p);
		p->changed |= carrier != p->carrier || carrier->changed;
		p->carrier = carrier;
		if (p->changed)
			path_republish(m, p);
	}
}

void paths_sweep(struct model *m)
{
	struct path *p, *next;

	list_for_safe (p, next, &m->paths, node) {
		while (p && p->routes == 0) { /* and backups that nobody else has, before it */
			struct path *backup = p->backup;

			list_remove(&p->node);
			list_remove(&p->bucket);
			path_free(m, p);
			p = backup;
		}
	}
}
