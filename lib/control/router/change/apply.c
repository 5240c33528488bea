/* SPDX-License-Identifier: BSD-3-Clause */

/* The steps of apply.h in their order. */

#include "router/change/apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/state.h"
#include "base/text.h"
#include "router/change/confirm.h"
#include "router/change/history.h"
#include "router/change/startup.h"
#include "router/tunnels/leases.h"

#define LOG "apply"

/* What goes before something comes, and interfaces before the tunnels that leave through them. */
static const struct apply_part *const parts[] = {
    &apply_meter,
    &apply_neighbours,
    &apply_steering,
    &apply_tunnels,
    &apply_health,
    &apply_bgp,
    &apply_bfd,
};
#define PARTS RTE_DIM(parts)

int apply_refuse(struct apply *a, const char *code, const char *format, ...)
{
	va_list args;

	text_copy(a->code, sizeof(a->code), code);
	va_start(args, format);
	vsnprintf(a->text, sizeof(a->text), format, args);
	va_end(args);
	return -EINVAL;
}

void apply_each(struct router *r, bool up, apply_up_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < PARTS; i++) {
		if (parts[i]->each)
			parts[i]->each(r, up, fn, ctx);
	}
}

void apply_report_fini(struct apply_report *report)
{
	conf_errors_fini(&report->errs);
	conf_diff_fini(&report->diff);
}

static void refuse(struct apply_report *out, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void refuse(struct apply_report *out, const char *code, const char *format, ...)
{
	va_list args;

	text_copy(out->code, sizeof(out->code), code);
	va_start(args, format);
	vsnprintf(out->reason, sizeof(out->reason), format, args);
	va_end(args);
}

/* ---- load and check ---- */

/* A configuration that may follow the one in force, or NULL with the reasons in *out. */
static struct conf *load(
    struct router *r, const struct apply_order *order, struct apply_report *out)
{
	struct leases leases;
	struct conf *to = NULL;

	leases_of(r->conf, &leases);
	struct conf_options options = {leases.lease, leases.count};
	conf_load_buffer(order->name, order->text, order->len, &options, &to, &out->errs);
	leases_free(&leases);
	if (to && conf_check_change(r->conf, to, &out->errs) < 0) {
		conf_free(to);
		to = NULL;
	}
	out->sound = to != NULL;
	if (!to)
		refuse(out, "BadConfiguration",
		    "%s has %u error%s; the running configuration is not touched", order->name,
		    out->errs.errors, out->errs.errors == 1 ? "" : "s");
	return to;
}

/* What only a restart can do. False, with the keys named, when there is any. */
static bool is_possible_live(struct apply_report *out)
{
	struct text keys = text_of(out->reason, sizeof(out->reason));
	unsigned count = out->diff.by_effect[CONF_EFFECT_RESTART], said = 0;

	if (!count)
		return true;
	text_copy(out->code, sizeof(out->code), "NeedsRestart");
	text_add(&keys, "only a restart of transitd can change ");
	for (unsigned i = 0; i < out->diff.items_count && said < 5; i++) {
		if (out->diff.items[i].effect == CONF_EFFECT_RESTART)
			text_addf(&keys, "%s%s", said++ ? ", " : "", out->diff.items[i].path);
	}
	if (count > said)
		text_addf(&keys, " and %u more", count - said);
	text_add(&keys, "; nothing is applied");
	return false;
}

/* ---- change ---- */

static int prepare_parts(struct apply *a, void **own)
{
	int rc = 0;

	for (unsigned i = 0; i < PARTS && rc == 0; i++) {
		if (parts[i]->prepare)
			rc = parts[i]->prepare(a, &own[i]);
	}
	return rc;
}

static void change_parts(struct apply *a, void **own)
{
	for (unsigned i = PARTS; i-- > 0;) {
		if (parts[i]->leave)
			parts[i]->leave(a, own[i]);
	}
	for (unsigned i = 0; i < PARTS; i++) {
		if (parts[i]->enter)
			parts[i]->enter(a, own[i]);
	}
}

/* All or nothing: the router runs `to`, or as before with *out filled in. */
static bool change(struct router *r, struct conf *to, struct apply_report *out)
{
	struct apply a = {.r = r, .from = r->conf, .to = to, .now = mono_now()};
	void *own[PARTS] = {0};
	int rc = prepare_parts(&a, own);

	if (rc < 0)
		refuse(out, a.code, "%s; nothing is applied", a.text);
	if (rc == 0) {
		rc = model_apply(r->model, to);
		if (rc < 0)
			refuse(out, "NoRoom",
			    "the tables of this instance have no room for it: %s; nothing is applied "
			    "(a restart makes them larger)",
			    strerror(-rc));
	}
	if (rc == 0) {
		r->conf = to;
		change_parts(&a, own);
		if (to->system.log_level != a.from->system.log_level)
			log_set_level(to->system.log_level);
	}
	for (unsigned i = 0; i < PARTS; i++) {
		if (parts[i]->done)
			parts[i]->done(&a, own[i]);
	}
	if (rc == 0) {
		conf_free(r->conf_own);
		r->conf_own = to;
	}
	return rc == 0;
}

/* ---- keep ---- */

static void trouble(struct apply_report *out, const char *what, const char *where, int rc)
{
	struct text t = text_of(out->trouble, sizeof(out->trouble));

	t.len = strlen(out->trouble);
	text_addf(&t, "%s%s %s: %s", t.len ? "; " : "", what, where, strerror(-rc));
	log_write(LOG_ERROR, LOG, NULL, "%s %s: %s", what, where, strerror(-rc));
}

static void keep(struct router *r, const struct apply_order *order, struct apply_report *out)
{
	const char *state_dir = r->conf->system.state_dir;
	struct history_entry entry = {
	    .time = (int64_t)time(NULL), .uid = order->uid, .changes = out->diff.total};

	int rc = leases_write(state_dir, r->conf);
	if (rc < 0)
		trouble(out, "gateway addresses are not kept in", state_dir, rc);
	text_copy(entry.how, sizeof(entry.how), order->how);
	rc = history_add(state_dir, &entry, order->text, order->len);
	if (rc < 0)
		trouble(out, "the history is not kept in", state_dir, rc);
	else
		out->revision = entry.number;
}

void apply_started(struct router *r)
{
	const struct startup *s = r->setup.startup;
	const char *state_dir = r->conf->system.state_dir;
	struct history_entry *all, entry = {.time = (int64_t)time(NULL), .how = "start"};
	unsigned count = history_list(state_dir, &all);
	bool same = false;
	size_t len;
	char *text;

	if (count && history_read(state_dir, all[count - 1].number, &text, &len) == 0) {
		same = len == s->len && memcmp(text, s->text, len) == 0;
		secret_free(text, len + 1);
	}
	free(all);
	int rc = same ? 0 : history_add(state_dir, &entry, s->text, s->len);
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL, "the history is not kept in %s: %s", state_dir,
		    strerror(-rc));
}

static bool is_startup_file(const struct startup *s, const char *text, size_t len)
{
	size_t have_len;
	char *have;
	bool is = false;

	if (state_slurp(s->file, &have, &have_len) == 0) {
		is = have_len == len && memcmp(have, text, len) == 0;
		secret_free(have, have_len + 1);
	}
	return is;
}

/* The change is made, and kept as ordered. */
static void commit(
    struct router *r, struct conf *to, const struct apply_order *order, struct apply_report *out)
{
	struct startup *startup = r->setup.startup;
	bool same_file = is_startup_file(startup, order->text, order->len);
	bool confirm = order->confirm_s && out->diff.total;
	struct state_change *file = NULL;
	int rc = 0;

	if (confirm)
		rc = confirm_prepare(r, order);
	else if (order->save && !same_file)
		file = state_change_begin(startup->file, order->text, order->len, 0600, &rc);
	if (rc < 0) {
		refuse(out, "NotSaved",
		    "%s: %s; nothing is applied (`apply --running` changes what runs and leaves the file)",
		    confirm ? r->conf->system.state_dir : startup->file, strerror(-rc));
		conf_free(to);
		return;
	}
	if (out->diff.total == 0) {
		conf_free(to); /* nothing to do: nothing is touched */
	} else if (!change(r, to, out)) {
		state_change_abandon(file);
		confirm_abandon(r);
		conf_free(to);
		return;
	}
	out->applied = true;
	rc = state_change_commit(file);
	if (rc < 0)
		trouble(out, "the startup file is not changed:", startup->file, rc);
	out->saved = (same_file || file) && rc == 0 && !confirm;
	startup_set_text(startup, order->text, order->len);
	if (out->diff.total)
		keep(r, order, out);
	if (confirm)
		confirm_begin(r, order);
}

void apply_run(struct router *r, const struct apply_order *order, struct apply_report *out)
{
	struct mono start = mono_now(), loaded;
	struct conf *to;

	*out = (struct apply_report){0};
	conf_errors_init(&out->errs);
	if (order->mode == APPLY_COMMIT && confirm_refuses(r, out->reason, sizeof(out->reason))) {
		text_copy(out->code, sizeof(out->code), "ConfirmPending");
		return;
	}
	to = load(r, order, out);
	loaded = mono_now();
	out->load_ns = mono_diff(start, loaded);
	if (!to)
		return;
	if (order->mode != APPLY_CHECK) {
		conf_diff(r->conf, to, &out->diff);
		bool possible = is_possible_live(out);

		if (order->mode == APPLY_COMMIT && possible) {
			commit(r, to, order, out);
			to = NULL;
		}
	}
	conf_free(to);
	out->commit_ns = mono_diff(loaded, mono_now());
	if (out->applied)
		log_write(LOG_NOTICE, LOG, NULL, "%s: %u changes in %.0f ms, revision %u",
		    order->how, out->diff.total, (double)(out->load_ns + out->commit_ns) / 1e6,
		    out->revision);
	else if (order->mode == APPLY_COMMIT)
		log_write(LOG_WARNING, LOG, NULL, "%s: %s: %s", order->how, out->code, out->reason);
}
