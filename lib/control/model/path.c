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
 * All that can change is one record of the boundary: a worker sees the old set of members or the
 * new one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/internal.h"

#define LOG "model"

#define FNV_START UINT64_C(0xcbf29ce484222325) /* FNV-1a */
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * FNV_PRIME;
	return h;
}

uint64_t identity_of_name(const char *name)
{
	return hash_bytes(FNV_START, name, strlen(name) + 1);
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
	    .identity = hash_bytes(a->identity, &c->next_hop, sizeof(c->next_hop)),
	};

	add_member(p, &member);
}

static void add_tunnel(struct path *p, struct tunnel_entry *t)
{
	const struct path_member member = {
	    .origin = t->attach, .tunnel = t, .identity = t->identity};

	add_member(p, &member);
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

/* Brings the members up to date. True when any has changed. */
static bool members_refresh(struct path *p)
{
	enum model_tunnel_state state[ECMP_MEMBERS_MAX], best = MODEL_TUNNEL_DOWN;
	bool changed = false;

	for (unsigned i = 0; i < p->member_count; i++) {
		uint32_t leaf;

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
	return changed;
}

/* ---- publishing ---- */

static int publish_single(struct model *m, struct path *p)
{
	const struct nexthop *leaf = nexthop_get(&m->b->nexthops, p->member[0].leaf);

	if (!leaf)
		return -EINVAL;
	const struct nexthop_spec spec = {
	    .kind = leaf->kind,
	    .attachment = leaf->attachment,
	    .slot = leaf->slot,
	    .iface = leaf->iface,
	    .neigh = leaf->neigh,
	    .tunnel = leaf->tunnel,
	    .permit = p->permission ? p->permission->permit : NULL,
	};
	return nexthop_publish(&m->b->nexthops, &spec, &p->index);
}

static int publish_group(struct model *m, struct path *p)
{
	struct nexthop_spec spec = {
	    .kind = NH_GROUP,
	    .permit = p->permission ? p->permission->permit : NULL,
	    .member_count = p->member_count,
	};

	for (unsigned i = 0; i < p->member_count; i++) {
		const struct path_member *member = &p->member[i];

		spec.members[i] =
		    (struct ecmp_member){member->leaf, member->identity, member->alive};
	}
	return nexthop_publish(&m->b->nexthops, &spec, &p->index);
}

static int path_publish(struct model *m, struct path *p)
{
	return p->member_count == 1 ? publish_single(m, p) : publish_group(m, p);
}

/* ---- the set of paths ---- */

static bool is_same(const struct path *a, const struct path *b)
{
	if (a->kind != b->kind || a->permission != b->permission || a->source != b->source ||
	    a->member_count != b->member_count)
		return false;
	for (unsigned i = 0; i < a->member_count; i++) {
		if (a->member[i].origin != b->member[i].origin ||
		    a->member[i].tunnel != b->member[i].tunnel ||
		    a->member[i].port_leaf != b->member[i].port_leaf)
			return false;
	}
	return true;
}

/* Paths that are the same have the same bucket. */
static struct list *bucket_of(struct model *m, const struct path *p)
{
	uint64_t h = (uint64_t)(uintptr_t)p->permission * FNV_PRIME;

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
			add_tunnel(p, c[i].tunnel);
		else if (a && a->iface)
			add_port(p, &c[i]);
		else if (a && a->tunnel_count)
			add_tunnels(p, a, m->conf->transit_router.limits.ecmp);
	}
	if (p->member_count)
		p->kind = NH_GROUP;
}

static void path_free(struct model *m, struct path *p)
{
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

	if (p->kind == NH_GROUP) {
		members_refresh(p);
		rc = path_publish(m, p);
	} else {
		p->index = p->kind == NH_LOCAL ? m->local_leaf : m->blackhole_leaf;
	}
	return rc;
}

struct path *path_get(
    struct model *m, const struct candidate *c, unsigned count, struct permission *permission)
{
	struct path *p, *new = m->new_path;
	size_t bytes;

	new->permission = permission;
	describe(m, new, c, count);
	struct list *bucket = bucket_of(m, new);
	list_for (p, bucket, bucket) {
		if (is_same(p, new)) {
			permission_unref(permission);
			p->routes++;
			return p;
		}
	}
	bytes = sizeof(*p) + new->member_count * sizeof(p->member[0]);
	p = xcalloc(1, bytes);
	memcpy(p, new, bytes);
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
	list_append(bucket, &p->bucket);
	return p;
}

struct path *path_of_index(const struct model *m, uint32_t index)
{
	return index <= FIB_NEXTHOP_MAX ? m->path_of[index] : NULL;
}

/* ---- objects that go ---- */

static bool has_gone(const struct path_member *member)
{
	return !member->origin->seen || (member->tunnel && !member->tunnel->seen) ||
	    (member->port_leaf && (!member->origin->iface || !member->origin->iface->seen));
}

/*
 * Learned routes are chosen anew by and by. What leads to an object that goes is a blackhole from now on, until
 * its routes are somewhere else.
 */
static void disown(struct model *m, struct path *p)
{
	const struct nexthop_spec nowhere = {.kind = NH_BLACKHOLE};
	int rc = nexthop_publish(&m->b->nexthops, &nowhere, &p->index);

	if (rc < 0)
		log_write(LOG_ERROR, LOG, NULL, "next hop %u not taken down: %s", p->index,
		    strerror(-rc));
	p->member_count = 0;
	list_remove(&p->bucket);
	list_init(&p->bucket);
}

void paths_disown(struct model *m)
{
	struct path *p;

	list_for (p, &m->paths, node) {
		bool gone = false;

		for (unsigned i = 0; i < p->member_count; i++)
			gone |= has_gone(&p->member[i]);
		if (gone && p->routes && p->kind == NH_GROUP)
			disown(m, p);
	}
}

void paths_refresh(struct model *m)
{
	struct path *p;

	list_for (p, &m->paths, node) {
		int rc = members_refresh(p) ? path_publish(m, p) : 0;

		if (rc < 0)
			log_write(LOG_ERROR, LOG, NULL, "next hop %u not updated: %s", p->index,
			    strerror(-rc));
	}
}

void paths_sweep(struct model *m)
{
	struct path *p, *next;

	list_for_safe (p, next, &m->paths, node) {
		if (p->routes)
			continue;
		list_remove(&p->node);
		list_remove(&p->bucket);
		path_free(m, p);
	}
}
