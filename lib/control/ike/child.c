/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Child SAs as objects: installation in two steps, use, removal. What carries the tunnel's packets changes
 * here alone. Their lifetime is in child_life.c.
 */

#include "ike/child.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define BIT(state) (1u << IKE_CHILD_##state)

static const unsigned followers[] = {
    [IKE_CHILD_INSTALLED] =
	BIT(REKEYING) | BIT(REPLACED) | BIT(DELETING) | BIT(DRAINING) | BIT(DEAD),
    [IKE_CHILD_REKEYING] =
	BIT(INSTALLED) | BIT(REPLACED) | BIT(DELETING) | BIT(DRAINING) | BIT(DEAD),
    [IKE_CHILD_REPLACED] = BIT(INSTALLED) | BIT(DELETING) | BIT(DRAINING) | BIT(DEAD),
    [IKE_CHILD_DELETING] = BIT(DRAINING) | BIT(DEAD),
    [IKE_CHILD_DRAINING] = BIT(DEAD),
    [IKE_CHILD_DEAD] = 0,
};

const char *ike_child_state_name(enum ike_child_state state)
{
	static const char *const names[] = {
#define X(name, text) [IKE_CHILD_##name] = text,
	    IKE_CHILD_STATE_LIST(X)
#undef X
	};

	return names[state];
}

void ike_child_set_state(struct ike_child_sa *c, enum ike_child_state state)
{
	assert(followers[c->state] & 1u << state);
	ike_tunnel_log(c->sa->tunnel, LOG_DEBUG, "Child SA %08x: %s -> %s", c->info.spi_in,
	    ike_child_state_name(c->state), ike_child_state_name(state));
	c->state = state;
	ike_child_clock(c);
	ike_tunnel_touch(c->sa->tunnel);
}

static void set_endpoints(struct ike_child_sa *c)
{
	const struct ike_sa *sa = c->sa;

	c->info.local = sa->local;
	c->info.remote = sa->remote;
	c->info.udp_encap = sa->natt && ike_nat_found(&sa->nat);
}

struct ike_child_sa *ike_child_new(struct ike_sa *sa, struct ike_slot *slot,
    const struct ike_child *info, const struct ike_ts_pair *ts, const struct ike_tie *tie)
{
	struct ike_engine *e = sa->engine;
	struct ike_child_sa *c = xcalloc(1, sizeof(*c));

	c->sa = sa;
	c->slot = slot;
	c->info = *info;
	c->local_ts = ike_ts_copy(ts->local, ts->local_count);
	c->remote_ts = ike_ts_copy(ts->remote, ts->remote_count);
	c->info.local_ts = c->local_ts;
	c->info.remote_ts = c->remote_ts;
	c->info.local_ts_count = ts->local_count;
	c->info.remote_ts_count = ts->remote_count;
	c->tie = *tie;
	set_endpoints(c);
	ike_child_clock_init(c);
	list_append(&sa->children, &c->node);
	if (e->ops->child_in(e->ctx, sa->tunnel->id, &c->info)) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_INSTALL_FAILED, "ipsec", NULL, NULL);
		e->ops->spi_free(e->ctx, sa->tunnel->id, c->info.spi_in);
		timer_cancel(&e->timers, &c->timer);
		list_remove(&c->node);
		ike_child_free(c);
		return NULL;
	}
	e->counters.child_established++;
	ike_slot_filled(sa->tunnel, slot);
	ike_tunnel_touch(sa->tunnel);
	return c;
}

void ike_child_free(struct ike_child_sa *c)
{
	free(c->local_ts);
	free(c->remote_ts);
	secret_free(c, sizeof(*c));
}

static void wipe_keys(struct ike_child *info)
{
	secret_wipe(info->encr_key_in, sizeof(info->encr_key_in));
	secret_wipe(info->encr_key_out, sizeof(info->encr_key_out));
	secret_wipe(info->auth_key_in, sizeof(info->auth_key_in));
	secret_wipe(info->auth_key_out, sizeof(info->auth_key_out));
}

void ike_child_use(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;
	struct ike_tunnel *t = c->sa->tunnel;
	char local[IKE_TS_TEXT], remote[IKE_TS_TEXT];

	if (c->outbound || c->state >= IKE_CHILD_REPLACED)
		return;
	c->outbound = true;
	c->use = ++t->uses;
	c->ready = (struct mono){0};
	ike_child_clock(c);
	if (e->ops->child_out(e->ctx, t->id, &c->info)) {
		c->outbound = false;
		ike_tunnel_error(t, IKE_ERROR_INSTALL_FAILED, "ipsec", NULL, NULL);
		ike_task_add(c->sa, IKE_TASK_DELETE_CHILD, c->info.spi_in, NULL);
	}
	wipe_keys(&c->info);
	ike_tunnel_touch(t);
	ike_tunnel_log(t, LOG_INFO, "Child SA in %08x out %08x in use: %s === %s", c->info.spi_in,
	    c->info.spi_out, ike_ts_text(c->local_ts, c->info.local_ts_count, local),
	    ike_ts_text(c->remote_ts, c->info.remote_ts_count, remote));
}

void ike_child_use_all(struct ike_sa *sa)
{
	struct ike_child_sa *c;

	list_for (c, &sa->children, node)
		ike_child_use(c);
}

/* Another one of the slot, on any IKE SA of the tunnel, that carries packets, or that could. */
static struct ike_child_sa *sibling(const struct ike_child_sa *c, bool outbound)
{
	enum ike_child_state end = outbound ? IKE_CHILD_DELETING : IKE_CHILD_REPLACED;
	const struct ike_sa *sa;
	struct ike_child_sa *other;

	list_for (sa, &c->sa->tunnel->sas, tunnel_node) {
		if (sa->state == IKE_SA_DEAD)
			continue;
		list_for (other, &sa->children, node)
			if (other != c && other->slot == c->slot && other->outbound == outbound &&
			    other->state < end)
				return other;
	}
	return NULL;
}

const struct ike_child_sa *ike_child_sibling(const struct ike_child_sa *c)
{
	return sibling(c, true);
}

/* `c` no longer carries packets: one that waited for the peer's sign takes over without it. */
static bool hand_over(struct ike_child_sa *c)
{
	struct ike_child_sa *waiting;

	if (sibling(c, true))
		return true;
	waiting = sibling(c, false);
	if (!waiting)
		return false;
	ike_child_use(waiting);
	return waiting->outbound;
}

bool ike_child_retire(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;
	bool handed = hand_over(c);

	if (c->outbound)
		e->ops->child_remove(e->ctx, c->sa->tunnel->id, c->info.spi_in, IKE_REMOVE_OUT);
	c->outbound = false;
	ike_tunnel_touch(c->sa->tunnel);
	return handed;
}

void ike_child_drain(struct ike_child_sa *c)
{
	if (!ike_child_retire(c)) {
		ike_child_kill(c);
		return;
	}
	c->drained = mono_add(c->sa->engine->now, DUR_S(IKE_CHILD_DRAIN_S));
	ike_child_set_state(c, IKE_CHILD_DRAINING);
}

void ike_child_kill(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;

	if (c->state == IKE_CHILD_DEAD)
		return;
	ike_child_set_state(c, IKE_CHILD_DEAD);
	hand_over(c);
	e->ops->child_remove(e->ctx, c->sa->tunnel->id, c->info.spi_in, IKE_REMOVE_ALL);
	c->outbound = false;
	list_remove(&c->node);
	list_append(&e->dead_children, &c->node);
}

void ike_child_move(struct ike_child_sa *c, struct ike_sa *to)
{
	list_remove(&c->node);
	list_append(&to->children, &c->node);
	c->sa = to;
}

void ike_child_endpoints(struct ike_child_sa *c)
{
	struct ike_engine *e = c->sa->engine;

	set_endpoints(c);
	e->ops->child_endpoint(e->ctx, c->sa->tunnel->id, c->info.spi_in, c->info.udp_encap,
	    &c->info.local, &c->info.remote);
}

struct ike_child_sa *ike_child_find(const struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child_sa *c;

	list_for (c, &sa->children, node)
		if (c->info.spi_in == spi_in && c->state < IKE_CHILD_DRAINING)
			return c;
	return NULL;
}

struct ike_child_sa *ike_child_find_out(const struct ike_sa *sa, uint32_t spi_out)
{
	struct ike_child_sa *c;

	list_for (c, &sa->children, node)
		if (c->info.spi_out == spi_out && c->state < IKE_CHILD_DRAINING)
			return c;
	return NULL;
}

struct ike_child_sa *ike_child_of_slot(const struct ike_tunnel *t, const struct ike_slot *slot)
{
	const struct ike_sa *sa;
	struct ike_child_sa *c;

	list_for (sa, &t->sas, tunnel_node)
		list_for (c, &sa->children, node)
			if (c->slot == slot && c->state < IKE_CHILD_REPLACED)
				return c;
	return NULL;
}

unsigned ike_child_count(const struct ike_sa *sa)
{
	const struct ike_child_sa *c;
	unsigned count = 0;

	list_for (c, &sa->children, node)
		count++;
	return count;
}

static bool same_selectors(const struct ike_child_sa *a, const struct ike_child_sa *b)
{
	return ike_ts_covers(
		   a->local_ts, a->info.local_ts_count, b->local_ts, b->info.local_ts_count) &&
	    ike_ts_covers(
		b->local_ts, b->info.local_ts_count, a->local_ts, a->info.local_ts_count) &&
	    ike_ts_covers(
		a->remote_ts, a->info.remote_ts_count, b->remote_ts, b->info.remote_ts_count) &&
	    ike_ts_covers(
		b->remote_ts, b->info.remote_ts_count, a->remote_ts, a->info.remote_ts_count);
}

void ike_child_settle_duplicates(struct ike_child_sa *made)
{
	struct ike_child_sa *other, *loser;

	list_for (other, &made->sa->children, node) {
		if (other == made || other->slot != made->slot ||
		    other->state != IKE_CHILD_INSTALLED || !same_selectors(other, made))
			continue;
		loser = ike_tie_loses(&made->tie, &other->tie) ? made : other;
		if (loser->tie.ours)
			ike_task_add(loser->sa, IKE_TASK_DELETE_CHILD, loser->info.spi_in, NULL);
	}
}
