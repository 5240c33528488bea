/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnels as objects, and the ways to find them; what the operator is told about them.
 */

#include "ike/tunnel.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ike/sa.h"

static unsigned bucket_of(const struct ip_addr *a)
{
	uint32_t hash = 2166136261u;

	for (unsigned i = 0; i < sizeof(a->bytes); i++)
		hash = (hash ^ a->bytes[i]) * 16777619u;
	return hash % IKE_TUNNEL_BUCKETS;
}

static void link_in(struct ike_engine *e, struct ike_tunnel *t)
{
	struct list *before = e->tunnels.prev;

	list_append(&e->tunnel_bucket[bucket_of(&t->config.remote)], &t->bucket_node);
	list_append(&e->id_bucket[t->id % IKE_TUNNEL_BUCKETS], &t->id_node);
	/* From the end: they mostly come in order. */
	while (before != &e->tunnels && list_entry(before, struct ike_tunnel, node)->id > t->id)
		before = before->prev;
	list_append(before->next, &t->node); /* in front of the one behind */
}

static void retry_due(struct timer *timer, struct mono now)
{
	ike_tunnel_touch(container_of(timer, struct ike_tunnel, retry));
}

struct ike_tunnel *ike_tunnel_new(
    struct ike_engine *e, uint32_t id, const struct ike_tunnel_config *config)
{
	struct ike_tunnel *t = xcalloc(1, sizeof(*t));

	t->engine = e;
	t->id = id;
	t->wanted = config->start == IKE_START_NOW;
	t->state_since = e->now;
	t->retry.fn = retry_due;
	t->error_limit = (struct log_limit){.interval_ns = DUR_S(5), .burst = 10};
	list_init(&t->dirty_node);
	list_init(&t->sas);
	ike_config_copy(&t->config, config);
	ike_slots_make(t);
	link_in(e, t);
	ike_tunnel_touch(t);
	return t;
}

void ike_tunnel_unlink(struct ike_tunnel *t)
{
	timer_cancel(&t->engine->timers, &t->retry);
	list_remove(&t->node);
	list_remove(&t->bucket_node);
	list_remove(&t->id_node);
	t->wanted = false;
	t->removed = true;
	ike_tunnel_touch(t);
}

void ike_tunnel_free(struct ike_tunnel *t)
{
	timer_cancel(&t->engine->timers, &t->retry);
	list_remove(&t->node);
	list_remove(&t->bucket_node);
	list_remove(&t->id_node);
	list_remove(&t->dirty_node);
	ike_slots_free(t);
	ike_config_wipe(&t->config);
	free(t);
}

void ike_tunnel_touch(struct ike_tunnel *t)
{
	if (t && list_is_empty(&t->dirty_node))
		list_append(&t->engine->dirty, &t->dirty_node);
}

struct ike_policy ike_tunnel_ike_policy(const struct ike_tunnel *t)
{
	return (struct ike_policy){.protocol = PROTOCOL_IKE, .algs = &t->config.ike};
}

struct ike_policy ike_tunnel_esp_policy(const struct ike_tunnel *t, bool in_auth)
{
	return (struct ike_policy){.protocol = PROTOCOL_ESP,
	    .algs = &t->config.esp,
	    .esn = t->config.esn,
	    .without_dh = in_auth};
}

bool ike_tunnel_has_sa(const struct ike_tunnel *t)
{
	const struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node)
		if (sa->state <= IKE_SA_ESTABLISHED || sa->state == IKE_SA_RESERVED)
			return true;
	return false;
}

/* The next one behind `previous` in a bucket whose addresses are these. */
static struct ike_tunnel *next_in(const struct list *bucket, const struct ike_tunnel *previous,
    const struct ip_addr *local, const struct ip_addr *remote)
{
	const struct list *at = previous ? previous->bucket_node.next : bucket->next;

	for (; at != bucket; at = at->next) {
		struct ike_tunnel *t = list_entry(at, struct ike_tunnel, bucket_node);

		if (ip_eq(&t->config.local, local) && ip_eq(&t->config.remote, remote))
			return t;
	}
	return NULL;
}

struct ike_tunnel *ike_tunnel_candidate(const struct ike_engine *e, const struct ip_addr *local,
    const struct ip_addr *remote, const struct ike_tunnel *previous)
{
	struct ip_addr any = ip_any(remote->family);
	struct ike_tunnel *t;

	if (!previous || !ip_is_any(&previous->config.remote)) {
		t = next_in(&e->tunnel_bucket[bucket_of(remote)], previous, local, remote);
		if (t)
			return t;
		previous = NULL;
	}
	return next_in(&e->tunnel_bucket[bucket_of(&any)], previous, local, &any);
}

void ike_tunnel_log(const struct ike_tunnel *t, enum log_level level, const char *format, ...)
{
	va_list args;

	if (level > log_level())
		return;
	va_start(args, format);
	log_writev(level, "ike", t ? t->config.name : NULL, format, args);
	va_end(args);
}

void ike_tunnel_error(struct ike_tunnel *t, enum ike_error_code code, const char *field,
    const char *ours, const char *theirs)
{
	struct ike_engine *e = t->engine;
	struct ike_error error = {
	    .code = code,
	    .field = field ? field : "",
	    .ours = ours ? ours : "",
	    .theirs = theirs ? theirs : "",
	};

	t->last_error = code;
	if (t->removed)
		return;
	if (log_limit(&t->error_limit, e->now, NULL))
		ike_tunnel_log(t, LOG_WARNING, "%s: %s%s%s%s%s; %s", ike_error_name(code),
		    error.field, *error.ours ? ", here: " : "", error.ours,
		    *error.theirs ? ", peer: " : "", error.theirs, ike_error_suggestion(code));
	e->ops->error(e->ctx, t->id, &error);
}

void ike_tunnel_resolved(struct ike_tunnel *t, enum ike_error_code code)
{
	static const struct ike_error none = {.field = "", .ours = "", .theirs = ""};

	if (t->last_error != code || t->removed)
		return;
	t->last_error = IKE_ERROR_NONE;
	t->engine->ops->error(t->engine->ctx, t->id, &none);
}
