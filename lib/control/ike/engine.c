/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The engine as a whole: creation and end, indexes, the end of every call.
 */

#include "ike/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/child.h"
#include "ike/sa.h"

#define FRAGMENT_BYTES_MIN 256
#define STARTS_AT_ONCE     16

struct ike_limits ike_limits_default(void)
{
	return (struct ike_limits){
	    .ike_sa_max = 20000,
	    .child_per_ike_max = 64,
	    .half_open_max = 1000,
	    .half_open_source_max = 50,
	    .cookie_threshold = 30,
	    .half_open_s = 30,
	    .fragment_bytes = 1280,
	    .keepalive_s = 20,
	    .starts_per_s = 200,
	};
}

struct ike_engine *ike_create(
    const struct ike_ops *ops, void *ctx, struct rng *rng, const struct ike_limits *limits)
{
	struct ike_engine *e = xcalloc(1, sizeof(*e));

	e->ops = ops;
	e->ctx = ctx;
	e->rng = rng;
	e->limits = limits ? *limits : ike_limits_default();
	if (e->limits.fragment_bytes < FRAGMENT_BYTES_MIN)
		e->limits.fragment_bytes = FRAGMENT_BYTES_MIN;
	timers_init(&e->timers);
	list_init(&e->tunnels);
	list_init(&e->dirty);
	list_init(&e->sas);
	list_init(&e->half_open);
	list_init(&e->dead);
	list_init(&e->dead_children);
	for (unsigned i = 0; i < IKE_TUNNEL_BUCKETS; i++) {
		list_init(&e->tunnel_bucket[i]);
		list_init(&e->id_bucket[i]);
	}
	for (unsigned i = 0; i < IKE_SA_BUCKETS; i++)
		list_init(&e->sa_bucket[i]);
	e->strangers = (struct log_limit){.interval_ns = DUR_S(10), .burst = 5};
	e->version_answers = (struct log_limit){.interval_ns = DUR_S(1), .burst = 1};
	e->in = xmalloc(IKE_MESSAGE_MAX);
	e->out = xmalloc(IKE_MESSAGE_MAX);
	return e;
}

static void reap(struct ike_engine *e)
{
	struct ike_child_sa *c, *next_child;
	struct ike_sa *sa, *next;

	list_for_safe (c, next_child, &e->dead_children, node) {
		list_remove(&c->node);
		ike_child_free(c);
	}
	list_for_safe (sa, next, &e->dead, node) {
		list_remove(&sa->node);
		ike_sa_free(sa);
	}
}

void ike_engine_settle(struct ike_engine *e)
{
	while (!list_is_empty(&e->dirty)) {
		struct ike_tunnel *t = list_entry(e->dirty.next, struct ike_tunnel, dirty_node);

		list_remove(&t->dirty_node);
		ike_tunnel_check(t);
	}
	reap(e);
}

void ike_destroy(struct ike_engine *e)
{
	if (!e)
		return;
	e->shutting_down = true;
	while (!list_is_empty(&e->sas))
		ike_sa_kill(list_entry(e->sas.next, struct ike_sa, node), IKE_ERROR_NONE);
	ike_engine_settle(e);
	while (!list_is_empty(&e->tunnels))
		ike_tunnel_free(list_entry(e->tunnels.next, struct ike_tunnel, node));
	timers_fini(&e->timers);
	ike_cookie_wipe(&e->cookies);
	secret_free(e->in, IKE_MESSAGE_MAX);
	secret_free(e->out, IKE_MESSAGE_MAX);
	free(e);
}

bool ike_next(const struct ike_engine *e, struct mono *due)
{
	return timers_next(&e->timers, due);
}

unsigned ike_run(struct ike_engine *e, struct mono now, unsigned limit)
{
	unsigned ran;

	e->now = now;
	ran = timers_run(&e->timers, now, limit);
	ike_engine_settle(e);
	return ran;
}

uint64_t ike_engine_new_spi(struct ike_engine *e)
{
	uint64_t spi;

	do {
		spi = rng_u64(e->rng);
	} while (spi == 0 || ike_engine_find_sa(e, spi));
	return spi;
}

struct ike_sa *ike_engine_find_sa(const struct ike_engine *e, uint64_t our_spi)
{
	const struct list *bucket = &e->sa_bucket[our_spi % IKE_SA_BUCKETS];
	struct ike_sa *sa;

	list_for (sa, bucket, bucket_node)
		if (ike_sa_our_spi(sa) == our_spi)
			return sa;
	return NULL;
}

struct ike_tunnel *ike_engine_find_tunnel(const struct ike_engine *e, uint32_t id)
{
	struct ike_tunnel *t;

	list_for (t, &e->id_bucket[id % IKE_TUNNEL_BUCKETS], id_node)
		if (t->id == id)
			return t;
	return NULL;
}

void ike_engine_send(struct ike_engine *e, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	e->counters.sent++;
	e->ops->send(e->ctx, local, remote, bytes, len);
}

/*
 * Whoever may come from anywhere uses up half of what can be half-open: peers of known addresses always find
 * room.
 */
bool ike_half_open_has_room(struct ike_engine *e, const struct ip_addr *from, bool known)
{
	uint32_t max = known ? e->limits.half_open_max : e->limits.half_open_max / 2;
	uint32_t same_source = 0;
	const struct ike_sa *sa;

	if (e->half_open_count < max && e->sa_count < e->limits.ike_sa_max) {
		list_for (sa, &e->half_open, half_open_node)
			same_source += ip_eq(&sa->remote.addr, from);
		if (same_source < e->limits.half_open_source_max)
			return true;
	}
	e->counters.half_open_refused++;
	return false;
}

struct mono ike_engine_admit(struct ike_engine *e)
{
	int64_t interval = DUR_S(1) / (e->limits.starts_per_s ? e->limits.starts_per_s : 1);
	struct mono turn = e->next_start;

	if (mono_before(turn, e->now))
		turn = e->now;
	e->next_start = mono_add(turn, interval);
	/* The first ones of a pause go together. */
	turn = mono_add(turn, -STARTS_AT_ONCE * interval);
	return mono_before(turn, e->now) ? e->now : turn;
}

int64_t ike_engine_jitter(struct ike_engine *e, int64_t from_ns, int64_t to_ns)
{
	uint64_t span = (uint64_t)(to_ns - from_ns);

	return span == 0 ? from_ns : from_ns + (int64_t)(rng_u64(e->rng) % (span + 1));
}

const struct ike_counters *ike_counters(const struct ike_engine *e)
{
	return &e->counters;
}

void ike_load(const struct ike_engine *e, uint32_t *half_open, uint32_t *ike_sas)
{
	*half_open = e->half_open_count;
	*ike_sas = e->sa_count;
}

bool ike_is_quiet(const struct ike_engine *e)
{
	return e->sa_count == 0;
}
