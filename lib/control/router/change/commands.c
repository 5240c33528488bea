/* SPDX-License-Identifier: BSD-3-Clause */

/* Changes of the configuration, asked for on the control socket or by SIGHUP. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/state.h"
#include "router/change/apply.h"
#include "router/change/candidate.h"
#include "router/change/confirm.h"
#include "router/change/history.h"
#include "router/change/startup.h"
#include "router/show/show.h"

#define LOG "apply"

#define LINE_BYTES  1024
#define CONFIRM_MAX 86400

/* ---- the bytes that a command is about ---- */

struct bytes {
	char *text;
	size_t len;
};

static void bytes_fini(struct bytes *b)
{
	secret_free(b->text, b->text ? b->len + 1 : 0);
}

/* What the client handed over, or else the startup file. */
static bool take(
    struct router *r, const json_t *request, struct bytes *out, struct api_error *error)
{
	const json_t *token = json_object_get(request, "candidate");
	const char *file = r->setup.startup->file;
	int rc;

	if (json_is_integer(token)) {
		rc = candidate_take(
		    r->candidates, (uint32_t)json_integer_value(token), &out->text, &out->len);
		if (rc < 0)
			api_fail(error, "NoSuchCandidate",
			    "the file that was handed over is not there any more: try again");
		return rc == 0;
	}
	if (api_text(request, "file")) {
		api_fail(error, "NotHandedOver",
		    "the bytes of a file are handed over first (`candidate open`, `candidate add`); "
		    "transitctl does so");
		return false;
	}
	rc = state_slurp(file, &out->text, &out->len);
	if (rc < 0)
		api_fail(error, "NoFile", "%s: %s", file, strerror(-rc));
	return rc == 0;
}

/* How messages call it. */
static const char *name_of(const struct router *r, const json_t *request)
{
	const char *file = api_text(request, "file");

	return file ? file : r->setup.startup->file;
}

static json_t *candidate_open_command(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	const char *what = api_text(request, "for");
	char why[200];
	uint32_t token = candidate_open(r->candidates, what && strcmp(what, "apply") == 0,
	    (uid_t)json_integer_value(json_object_get(request, "caller-uid")),
	    (pid_t)json_integer_value(json_object_get(request, "caller-pid")), mono_now(), why,
	    sizeof(why));

	return token ? json_pack("{s:I}", "candidate", (json_int_t)token)
		     : api_fail(error, "Busy", "%s", why);
}

static json_t *candidate_add_command(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	const char *hex = api_text(request, "bytes");
	uint32_t token = (uint32_t)json_integer_value(json_object_get(request, "candidate"));
	int rc = hex ? candidate_add(r->candidates, token, hex, mono_now()) : -EINVAL;

	if (rc < 0)
		return api_fail(error, rc == -ENOENT ? "NoSuchCandidate" : "BadRequest", "%s",
		    rc == -EFBIG ? "the file is too large; 32 MiB at most" : strerror(-rc));
	return json_object();
}

/* ---- reports ---- */

static json_t *lines_of(const struct conf_errors *errs)
{
	json_t *lines = json_array();
	unsigned shown = 0;
	char line[LINE_BYTES];

	/* Errors first in line when there are more than anybody reads. */
	for (unsigned i = 0; i < errs->items_count && shown < CONF_ERRORS_PRINTED; i++) {
		if (errs->errors > CONF_ERRORS_PRINTED && errs->items[i].warning)
			continue;
		json_array_append_new(
		    lines, json_string(conf_error_text(errs, &errs->items[i], line, sizeof(line))));
		shown++;
	}
	return lines;
}

static json_t *report_json(
    struct router *r, const struct apply_order *order, const struct apply_report *rep)
{
	json_t *out = json_pack("{s:s, s:b, s:i, s:i, s:o, s:f}", "file", order->name, "sound",
	    rep->sound, "errors", (int)rep->errs.errors, "warnings", (int)rep->errs.warnings,
	    "lines", lines_of(&rep->errs), "load-ms", (double)rep->load_ns / 1e6);

	if (order->mode != APPLY_CHECK && rep->sound) {
		json_t *diff = conf_diff_json(&rep->diff);

		json_object_update(out, diff);
		json_decref(diff);
	}
	if (order->mode != APPLY_CHECK && rep->code[0]) {
		json_object_set_new(out, "code", json_string(rep->code));
		json_object_set_new(out, "reason", json_string(rep->reason));
	}
	if (order->mode != APPLY_COMMIT)
		return out;
	json_object_set_new(out, "applied", json_boolean(rep->applied));
	json_object_set_new(out, "saved", json_boolean(rep->saved));
	json_object_set_new(out, "commit-ms", json_real((double)rep->commit_ns / 1e6));
	if (rep->revision)
		json_object_set_new(out, "revision", json_integer(rep->revision));
	if (rep->trouble[0])
		json_object_set_new(out, "trouble", json_string(rep->trouble));
	json_object_set_new(out, "confirm", confirm_json(r));
	return out;
}

static json_t *run(struct router *r, const struct apply_order *order)
{
	struct apply_report report;

	apply_run(r, order, &report);
	json_t *out = report_json(r, order, &report);
	apply_report_fini(&report);
	return out;
}

/* Seconds, from a number or a word. False, with *error, when it is none. */
static bool read_confirm(const json_t *request, unsigned *out, struct api_error *error)
{
	const json_t *value = json_object_get(request, "confirm-within");
	long long s = 0;
	char *end = NULL;

	*out = 0;
	if (!value)
		return true;
	if (json_is_string(value))
		s = strtoll(json_string_value(value), &end, 10);
	else
		s = json_integer_value(value);
	if (s < 1 || s > CONFIRM_MAX || (end && *end)) {
		api_fail(error, "BadArgument", "confirm-within: a number of seconds, 1..%d",
		    CONFIRM_MAX);
		return false;
	}
	*out = (unsigned)s;
	return true;
}

/* ---- commands ---- */

static json_t *with_file(
    void *ctx, const json_t *request, struct api_error *error, enum apply_mode mode)
{
	struct router *r = ctx;
	struct bytes b = {0};
	unsigned confirm_s;

	if (!read_confirm(request, &confirm_s, error) || !take(r, request, &b, error))
		return NULL;
	const struct apply_order order = {
	    .mode = mode,
	    .name = name_of(r, request),
	    .text = b.text,
	    .len = b.len,
	    .save = !json_is_true(json_object_get(request, "running")),
	    .confirm_s = confirm_s,
	    .how = "apply",
	    .uid = (uint32_t)json_integer_value(json_object_get(request, "caller-uid")),
	};
	json_t *out = run(r, &order);
	bytes_fini(&b);
	return out;
}

static json_t *check(void *ctx, const json_t *request, struct api_error *error)
{
	return with_file(ctx, request, error, APPLY_CHECK);
}

static json_t *diff(void *ctx, const json_t *request, struct api_error *error)
{
	return with_file(ctx, request, error, APPLY_DIFF);
}

static json_t *apply(void *ctx, const json_t *request, struct api_error *error)
{
	return with_file(ctx, request, error, APPLY_COMMIT);
}

static json_t *confirm(void *ctx, const json_t *request, struct api_error *error)
{
	const char *word = api_text(request, "anyway");
	char why[400];

	if (word && strcmp(word, "anyway") != 0)
		return api_fail(error, "BadArgument", "`confirm`, or `confirm anyway`");
	switch (confirm_accept(ctx, word != NULL, why, sizeof(why))) {
	case CONFIRM_DONE:
		return json_pack("{s:b}", "confirmed", 1);
	case CONFIRM_NONE:
		return api_fail(error, "NothingToConfirm", "no change waits to be confirmed");
	case CONFIRM_NOT_SAVED:
		return api_fail(
		    error, "NotSaved", "%s; the change still waits to be confirmed", why);
	case CONFIRM_NOT_BACK:
		break;
	}
	return api_fail(error, "NotBack",
	    "up before the change and not up now: %s; `confirm anyway` keeps the change, "
	    "`rollback` takes it back",
	    why);
}

/* The revision to go back to; 0 with *error. */
static unsigned wanted_revision(struct router *r, const json_t *request, struct api_error *error)
{
	const char *word = api_text(request, "revision");
	struct history_entry *all;
	unsigned number = 0, count;

	if (word && (sscanf(word, "%u", &number) != 1 || !number)) {
		api_fail(error, "BadArgument", "rollback to which revision? `history` lists them");
		return 0;
	}
	if (number)
		return number;
	count = history_list(r->conf->system.state_dir, &all);
	if (count >= 2)
		number = all[count - 2].number;
	else
		api_fail(error, "NoHistory", "there is no earlier configuration");
	free(all);
	return number;
}

static json_t *rollback(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct bytes b = {0};
	unsigned confirm_s, number;
	char name[64], how[64];

	if (!api_text(request, "revision") && confirm_revert(r, "asked for"))
		return json_pack("{s:b, s:b}", "applied", 1, "reverted", 1);
	if (!read_confirm(request, &confirm_s, error))
		return NULL;
	number = wanted_revision(r, request, error);
	if (!number)
		return NULL;
	int rc = history_read(r->conf->system.state_dir, number, &b.text, &b.len);
	if (rc < 0)
		return api_fail(error, "NoSuchRevision",
		    "revision %u: %s; `history` lists those there are", number,
		    rc == -EBADMSG ? "its file is damaged" : strerror(-rc));
	snprintf(name, sizeof(name), "revision %u", number);
	snprintf(how, sizeof(how), "rollback to %u", number);
	const struct apply_order order = {
	    .mode = APPLY_COMMIT,
	    .name = name,
	    .text = b.text,
	    .len = b.len,
	    .save = !json_is_true(json_object_get(request, "running")),
	    .confirm_s = confirm_s,
	    .how = how,
	    .uid = (uint32_t)json_integer_value(json_object_get(request, "caller-uid")),
	};
	json_t *out = run(r, &order);
	bytes_fini(&b);
	return out;
}

static json_t *history(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct history_entry *all;
	unsigned count = history_list(r->conf->system.state_dir, &all);
	json_t *rows = json_array();
	char when[32];

	for (unsigned i = count; i-- > 0;) {
		time_t t = (time_t)all[i].time;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
		json_array_append_new(rows,
		    json_pack("{s:i, s:s, s:I, s:i, s:s}", "revision", (int)all[i].number, "time",
			when, "user", (json_int_t)all[i].uid, "changes", (int)all[i].changes, "how",
			all[i].how));
	}
	free(all);
	return rows;
}

static json_t *show_configuration(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	conf_print(r->conf, 0, f);
	fclose(f);
	json_t *out = json_pack("{s:s, s:o, s:s}", "startup-file", r->setup.startup->file,
	    "confirm", confirm_json(r), "text", text);
	free(text);
	return out;
}

void change_by_signal(struct router *r)
{
	struct apply_report report;
	struct bytes b = {0};
	const char *file = r->setup.startup->file;
	char line[LINE_BYTES];
	int rc = state_slurp(file, &b.text, &b.len);

	if (rc < 0) {
		log_write(LOG_ERROR, LOG, NULL, "%s: %s", file, strerror(-rc));
		return;
	}
	const struct apply_order order = {.mode = APPLY_COMMIT,
	    .name = file,
	    .text = b.text,
	    .len = b.len,
	    .save = true,
	    .how = "SIGHUP"};
	apply_run(r, &order, &report);
	for (unsigned i = 0; i < report.errs.items_count && i < CONF_ERRORS_PRINTED; i++)
		log_write(report.errs.items[i].warning ? LOG_WARNING : LOG_ERROR, LOG, NULL, "%s",
		    conf_error_text(&report.errs, &report.errs.items[i], line, sizeof(line)));
	apply_report_fini(&report);
	bytes_fini(&b);
}

static const struct api_command commands[] = {
    {"check", "[file]", API_ACTION, check,
	"is a file valid, and may it follow? Without FILE: the startup file"},
    {"diff", "[file]", API_ACTION, diff,
	"what a file would change, key by key, and what that does"},
    {"apply", "[file]", API_ACTION, apply,
	"make a file the configuration, whole or not at all; --confirm-within S, --running"},
    {"confirm", "[anyway]", API_ACTION, confirm, "keep a change that waits to be confirmed"},
    {"rollback", "[revision]", API_ACTION, rollback,
	"back to an earlier configuration; without REVISION: the one before"},
    {"history", NULL, API_SHOW, history, "configurations that were in force"},
    {"candidate open", "for", API_INPUT, candidate_open_command,
	"begin to hand over a file, for check, diff or apply"},
    {"candidate add", NULL, API_INPUT, candidate_add_command,
	"the next bytes of it, in hexadecimal"},
    {"show configuration", NULL, API_SHOW, show_configuration,
	"the configuration in force, secrets masked"},
};

int show_change_init(struct router *r)
{
	for (unsigned i = 0; i < RTE_DIM(commands); i++) {
		int rc = api_register(r->api, &commands[i], r);

		if (rc < 0)
			return rc;
	}
	return 0;
}
