/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE SAs as objects: birth, the one place where states change, death.
 */

#include "ike/sa.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/child.h"

#define BIT(state) (1u << IKE_SA_##state)

/* The states that may follow each state. */
static const unsigned followers[] = {
    [IKE_SA_INIT_SENT] = BIT(AUTH_SENT) | BIT(DEAD),
    [IKE_SA_HALF_OPEN] = BIT(ESTABLISHED) | BIT(DEAD),
    [IKE_SA_AUTH_SENT] = BIT(ESTABLISHED) | BIT(DELETING) | BIT(DEAD),
    [IKE_SA_ESTABLISHED] = BIT(REPLACED) | BIT(DELETING) | BIT(DEAD),
    [IKE_SA_RESERVED] = BIT(ESTABLISHED) | BIT(REPLACED) | BIT(DELETING) | BIT(DEAD),
    [IKE_SA_REPLACED] = BIT(ESTABLISHED) | BIT(DELETING) | BIT(DEAD), /* back in IKEv1 alone */
    [IKE_SA_DELETING] = BIT(DEAD),
    [IKE_SA_DEAD] = 0,
};

const char *ike_sa_state_name(enum ike_sa_state state)
{
	static const char *const names[] = {
#define X(name, text) [IKE_SA_##name] = text,
	    IKE_SA_STATE_LIST(X)
#undef X
	};

	return names[state];
}

static void enter(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	if (sa->state == IKE_SA_HALF_OPEN) {
		list_append(&e->half_open, &sa->half_open_node);
		e->half_open_count++;
	}
}

static void leave(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	if (sa->state == IKE_SA_HALF_OPEN) {
		list_remove(&sa->half_open_node);
		e->half_open_count--;
	}
}

void ike_sa_set_state(struct ike_sa *sa, enum ike_sa_state state)
{
	bool was_up = sa->state == IKE_SA_ESTABLISHED;

	assert(followers[sa->state] & 1u << state);
	if (sa->tunnel)
		ike_tunnel_log(sa->tunnel, LOG_DEBUG, "IKE SA %016llx: %s -> %s",
		    (unsigned long long)ike_sa_our_spi(sa), ike_sa_state_name(sa->state),
		    ike_sa_state_name(state));
	leave(sa);
	sa->state = state;
	enter(sa);
	if (sa->reserved_by && state != IKE_SA_RESERVED)
		ike_sa_reserve(sa->reserved_by, NULL);
	ike_tunnel_touch(sa->tunnel);
	if (was_up && state != IKE_SA_REPLACED && !ike_tunnel_has_sa(sa->tunnel))
		ike_tunnel_lost(sa->tunnel, sa->end_reason, mono_diff(sa->proven, sa->engine->now));
}

struct ike_sa *ike_sa_new(struct ike_engine *e, const struct ike_driver *driver,
    struct ike_tunnel *tunnel, bool initiator, uint64_t our_spi, enum ike_sa_state state)
{
	struct ike_sa *sa = xcalloc(1, sizeof(*sa));

	sa->engine = e;
	sa->driver = driver;
	sa->state = state;
	sa->initiator = initiator;
	*(initiator ? &sa->spi_i : &sa->spi_r) = our_spi;
	sa->begun = e->now;
	sa->heard = e->now;
	list_init(&sa->tunnel_node);
	list_init(&sa->half_open_node);
	list_init(&sa->tasks);
	list_init(&sa->children);
	ike_window_init(&sa->window);
	ike_lifetime_init(sa);
	list_append(&e->sas, &sa->node);
	list_append(&e->sa_bucket[our_spi % IKE_SA_BUCKETS], &sa->bucket_node);
	e->sa_count++;
	enter(sa);
	if (tunnel)
		ike_sa_bind(sa, tunnel);
	return sa;
}

void ike_sa_reserve(struct ike_sa *sa, struct ike_sa *reserved)
{
	if (sa->reserved)
		sa->reserved->reserved_by = NULL;
	sa->reserved = reserved;
	if (reserved)
		reserved->reserved_by = sa;
}

void ike_sa_bind(struct ike_sa *sa, struct ike_tunnel *tunnel)
{
	sa->tunnel = tunnel;
	list_append(&tunnel->sas, &sa->tunnel_node);
	ike_tunnel_touch(tunnel);
}

void ike_setup_free(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;

	if (!s)
		return;
	if (s->child_spi_in)
		sa->engine->ops->spi_free(sa->engine->ctx, sa->tunnel->id, s->child_spi_in);
	ike_dh_free(s->dh);
	free(s->message_i);
	free(s->message_r);
	secret_free(s, sizeof(*s));
	sa->setup = NULL;
}

void ike_exchange_clear(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;

	if (x->new_spi_in)
		sa->engine->ops->spi_free(sa->engine->ctx, sa->tunnel->id, x->new_spi_in);
	ike_dh_free(x->dh);
	secret_wipe(x, sizeof(*x));
}

/* Out of all indexes and clocks; the memory stays until the entry point returns. */
static void unlink_sa(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	if (sa->driver->stop)
		sa->driver->stop(sa);
	ike_window_fini(sa);
	ike_lifetime_stop(sa);
	ike_task_drop_all(sa);
	ike_exchange_clear(sa);
	ike_setup_free(sa);
	list_remove(&sa->bucket_node);
	list_remove(&sa->tunnel_node);
	list_remove(&sa->node);
	list_append(&e->dead, &sa->node);
	e->sa_count--;
}

void ike_sa_kill(struct ike_sa *sa, enum ike_error_code reason)
{
	struct ike_child_sa *c, *next;
	struct ike_sa *reserved = sa->reserved;

	if (sa->state == IKE_SA_DEAD)
		return;
	ike_sa_reserve(sa, NULL);
	sa->end_reason = reason;
	ike_sa_set_state(sa, IKE_SA_DEAD);
	list_for_safe (c, next, &sa->children, node)
		ike_child_kill(c);
	unlink_sa(sa);
	if (reserved)
		ike_sa_kill(reserved, reason);
}

void ike_sa_close_children(struct ike_sa *sa)
{
	struct ike_child_sa *c, *next;
	struct ike_sa *other, *heir = NULL;

	list_for (other, &sa->tunnel->sas, tunnel_node)
		if (other != sa && ike_sa_is_up(other))
			heir = other;
	list_for_safe (c, next, &sa->children, node) {
		if (!heir || c->state == IKE_CHILD_DRAINING) {
			ike_child_kill(c);
			continue;
		}
		ike_child_move(c, heir);
		ike_child_drain(c);
	}
}

void ike_sa_free(struct ike_sa *sa)
{
	for (unsigned i = 0; i < 2; i++)
		ike_reassembly_reset(&sa->reassembly[i]);
	if (sa->driver->release)
		sa->driver->release(sa);
	secret_free(sa, sizeof(*sa));
}

struct ike_tie ike_tie_of(struct ike_span a, struct ike_span b, bool ours)
{
	struct ike_tie tie = {.ours = ours};
	uint8_t other[IKE_TIE_BYTES] = {0};

	memcpy(tie.lowest, a.bytes, a.len < IKE_TIE_BYTES ? a.len : IKE_TIE_BYTES);
	memcpy(other, b.bytes, b.len < IKE_TIE_BYTES ? b.len : IKE_TIE_BYTES);
	if (memcmp(other, tie.lowest, IKE_TIE_BYTES) < 0)
		memcpy(tie.lowest, other, IKE_TIE_BYTES);
	return tie;
}

bool ike_tie_loses(const struct ike_tie *a, const struct ike_tie *b)
{
	return memcmp(a->lowest, b->lowest, IKE_TIE_BYTES) < 0;
}
