/* SPDX-License-Identifier: BSD-3-Clause */

#include "router/change/confirm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/state.h"
#include "base/text.h"
#include "conf/names.h"
#include "conf/pool.h"
#include "router/change/apply.h"
#include "router/change/startup.h"

#define LOG "confirm"

struct confirm {
	struct router *r;
	struct timer timer;
	bool running;         /* the clock runs */
	bool save;            /* once confirmed, it becomes the startup file */
	bool file_was_edited; /* the startup file has the new bytes already */
	char *text;           /* to come back */
	size_t len;
	char **up; /* what was up before */
	unsigned up_count;
	struct mono deadline;
	uint32_t uid;
};

static void add_up(void *ctx, const char *what)
{
	struct confirm *c = ctx;

	c->up = xrealloc(c->up, (c->up_count + 1) * sizeof(*c->up));
	c->up[c->up_count++] = xstrdup(what);
}

static void confirm_free(struct confirm *c)
{
	for (unsigned i = 0; i < c->up_count; i++)
		free(c->up[i]);
	free(c->up);
	secret_free(c->text, c->len + 1);
	free(c);
}

void confirm_abandon(struct router *r)
{
	struct confirm *c = r->confirm;

	if (!c)
		return;
	timer_cancel(&r->timers, &c->timer);
	startup_unguard(r->conf->system.state_dir);
	confirm_free(c);
	r->confirm = NULL;
}

/* The guard stays: an orderly end is no confirmation either. */
void confirm_fini(struct router *r)
{
	if (!r->confirm)
		return;
	timer_cancel(&r->timers, &r->confirm->timer);
	confirm_free(r->confirm);
	r->confirm = NULL;
}

static bool has_bytes(const char *file, const char *text, size_t len)
{
	size_t have_len;
	char *have;

	if (state_slurp(file, &have, &have_len) < 0)
		return false;
	bool same = have_len == len && memcmp(have, text, len) == 0;
	secret_free(have, have_len + 1);
	return same;
}

int confirm_prepare(struct router *r, const struct apply_order *order)
{
	struct startup *s = r->setup.startup;
	struct confirm *c = xcalloc(1, sizeof(*c));
	int rc = startup_guard(r->conf->system.state_dir, s->text, s->len, order->text, order->len);

	c->r = r;
	c->save = order->save;
	c->uid = order->uid;
	c->file_was_edited = has_bytes(s->file, order->text, order->len);
	c->text = xmalloc(s->len + 1);
	memcpy(c->text, s->text, s->len + 1);
	c->len = s->len;
	apply_each(r, true, add_up, c);
	r->confirm = c;
	if (rc < 0)
		confirm_abandon(r);
	return rc;
}

/* ---- what is not back ---- */

/* Names of what is up, or of all that the configuration wants: thousands of tunnels, asked for one by one. */
struct roll {
	struct names names;
	struct conf_pool *pool;
};

static void enter(void *ctx, const char *what)
{
	struct roll *roll = ctx;

	names_put(&roll->names, pool_text(roll->pool, what, strlen(what)), roll);
}

static void roll_call(struct router *r, bool up, struct roll *out)
{
	*out = (struct roll){.pool = pool_new()};
	apply_each(r, up, enter, out);
}

static void roll_fini(struct roll *roll)
{
	names_fini(&roll->names);
	pool_free(roll->pool);
}

typedef void missing_fn(void *ctx, const char *what);

/* Of what was up. What the new configuration no longer has need not come back. */
static void each_missing(const struct confirm *c, missing_fn *fn, void *ctx)
{
	struct roll wanted, up;

	roll_call(c->r, false, &wanted);
	roll_call(c->r, true, &up);
	for (unsigned i = 0; i < c->up_count; i++) {
		if (names_get(&wanted.names, c->up[i]) && !names_get(&up.names, c->up[i]))
			fn(ctx, c->up[i]);
	}
	roll_fini(&wanted);
	roll_fini(&up);
}

#define MISSING_SAID 8

struct missing {
	struct text *names;
	unsigned count;
};

static void say_missing(void *ctx, const char *what)
{
	struct missing *m = ctx;

	if (m->count++ < MISSING_SAID)
		text_addf(m->names, "%s%s", m->count > 1 ? ", " : "", what);
}

static unsigned not_back(const struct confirm *c, struct text *names)
{
	struct missing m = {.names = names};

	each_missing(c, say_missing, &m);
	if (m.count > MISSING_SAID)
		text_addf(names, " and %u more", m.count - MISSING_SAID);
	return m.count;
}

/* ---- the clock ---- */

bool confirm_revert(struct router *r, const char *why)
{
	struct confirm *c = r->confirm;
	struct apply_report report;
	char how[64];

	if (!c)
		return false;
	r->confirm = NULL;
	timer_cancel(&r->timers, &c->timer);
	snprintf(how, sizeof(how), "revert: %s", why);
	log_write(LOG_WARNING, LOG, NULL, "%s: the configuration of before comes back", why);
	struct apply_order order = {.mode = APPLY_COMMIT,
	    .name = "the configuration of before",
	    .text = c->text,
	    .len = c->len,
	    .save = c->file_was_edited,
	    .how = how,
	    .uid = c->uid};
	apply_run(r, &order, &report);
	if (!report.applied)
		log_write(LOG_ERROR, LOG, NULL, "it does not: %s: %s", report.code, report.reason);
	else
		startup_unguard(r->conf->system.state_dir);
	apply_report_fini(&report);
	confirm_free(c);
	return true;
}

static void on_deadline(struct timer *t, struct mono now)
{
	struct confirm *c = container_of(t, struct confirm, timer);
	char names[400];
	struct text text = text_of(names, sizeof(names));

	if (not_back(c, &text) > 0)
		log_write(LOG_WARNING, LOG, NULL, "not back: %s", names);
	confirm_revert(c->r, "not confirmed in time");
}

void confirm_begin(struct router *r, const struct apply_order *order)
{
	struct confirm *c = r->confirm;
	struct mono now = mono_now();

	c->running = true;
	c->timer.fn = on_deadline;
	c->deadline = mono_add(now, DUR_S(order->confirm_s));
	timer_arm(&r->timers, &c->timer, c->deadline);
}

bool confirm_refuses(const struct router *r, char *why, size_t capacity)
{
	const struct confirm *c = r->confirm;

	if (!c)
		return false;
	snprintf(why, capacity,
	    "a change of user %u waits to be confirmed for another %lld s; `confirm` or `rollback` first",
	    c->uid, (long long)(mono_diff(mono_now(), c->deadline) / DUR_S(1)));
	return true;
}

enum confirm_result confirm_accept(struct router *r, bool anyway, char *why, size_t capacity)
{
	struct confirm *c = r->confirm;
	struct startup *s = r->setup.startup;
	struct text text = text_of(why, capacity);
	int rc = 0;

	if (!c)
		return CONFIRM_NONE;
	if (!anyway && not_back(c, &text) > 0)
		return CONFIRM_NOT_BACK;
	if (c->save && !c->file_was_edited) {
		struct state_change *file = state_change_begin(s->file, s->text, s->len, 0600, &rc);
		if (file)
			rc = state_change_commit(file);
	}
	if (rc < 0) {
		snprintf(why, capacity, "%s: %s", s->file, strerror(-rc));
		return CONFIRM_NOT_SAVED;
	}
	log_write(LOG_NOTICE, LOG, NULL, "the change is confirmed");
	confirm_abandon(r);
	return CONFIRM_DONE;
}

static void list_missing(void *ctx, const char *what)
{
	json_array_append_new(ctx, json_string(what));
}

json_t *confirm_json(const struct router *r)
{
	const struct confirm *c = r->confirm;
	json_t *missing = json_array();

	if (!c) {
		json_decref(missing);
		return json_null();
	}
	each_missing(c, list_missing, missing);
	return json_pack("{s:f, s:i, s:o}", "seconds-left",
	    (double)mono_diff(mono_now(), c->deadline) / 1e9, "were-up", (int)c->up_count,
	    "not-back", missing);
}
