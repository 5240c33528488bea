/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From a request to its handler and back: words are matched with the names of commands, further
 * words become the members that the command's `args` names.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/internal.h"
#include "base/log.h"
#include "base/text.h"

#define LOG "api"

#define WORDS_MAX 24
#define ARGS_MAX  12

/* The words of a request; they point into `room` or into the request. */
struct words {
	const char *word[WORDS_MAX];
	unsigned count;
	bool too_many;
	char room[1024];
	size_t used;
};

json_t *api_fail(struct api_error *error, const char *code, const char *format, ...)
{
	va_list args;

	text_copy(error->code, sizeof(error->code), code);
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return NULL;
}

const char *api_text(const json_t *request, const char *name)
{
	return json_string_value(json_object_get(request, name));
}

json_t *commands_refuse(const char *code, const char *text)
{
	char clean[600];

	text_sanitise(text, strlen(text), clean, sizeof(clean));
	return json_pack("{s:b, s:{s:s, s:s}}", "ok", 0, "error", "code", code, "text", clean);
}

/* ---- words ---- */

static void add_word(struct words *w, const char *word, size_t len)
{
	if (w->count == WORDS_MAX || len >= sizeof(w->room) - w->used) {
		w->too_many = true;
		return;
	}
	w->word[w->count++] = memcpy(w->room + w->used, word, len);
	w->room[w->used + len] = '\0';
	w->used += len + 1;
}

static void add_words(struct words *w, const char *s)
{
	for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
		size_t len = strcspn(s, " \t");

		add_word(w, s, len);
		s += len;
	}
}

/* "command" as words or a list of words. False when it is neither. */
static bool read_words(const json_t *request, struct words *w)
{
	const json_t *command = json_object_get(request, "command");
	size_t i;
	json_t *item;

	w->count = 0;
	w->used = 0;
	w->too_many = false;
	if (json_is_string(command)) {
		add_words(w, json_string_value(command));
	} else if (json_is_array(command)) {
		json_array_foreach(command, i, item)
		{
			if (!json_is_string(item))
				return false;
			add_word(w, json_string_value(item), json_string_length(item));
		}
	}
	return w->count > 0;
}

/* How many words of the name the request begins with, if it has all of them; else 0. */
static unsigned match(const char *name, const struct words *w)
{
	unsigned n = 0;

	for (name += strspn(name, " "); *name; name += strspn(name, " "), n++) {
		size_t len = strcspn(name, " ");

		if (n == w->count || strlen(w->word[n]) != len ||
		    memcmp(w->word[n], name, len) != 0)
			return 0;
		name += len;
	}
	return n;
}

/* The command whose name has most words in common, and how many that are. */
static const struct registered *find(const struct api *api, const struct words *w, unsigned *used)
{
	const struct registered *best = NULL;

	*used = 0;
	for (unsigned i = 0; i < api->command_count; i++) {
		unsigned n = match(api->commands[i].command->name, w);

		if (n > *used) {
			*used = n;
			best = &api->commands[i];
		}
	}
	return best;
}

/* ---- arguments ---- */

struct arg_name { /* of "name [scope] --option=WHAT [--switch]" */
	char name[32];
	bool optional;
	enum { ARG_WORD, ARG_OPTION, ARG_SWITCH } kind;
};

/* Takes "--" and "=WHAT" off an option. */
static void arg_kind(struct arg_name *arg)
{
	char *equals = strchr(arg->name, '=');

	arg->kind = ARG_WORD;
	if (strncmp(arg->name, "--", 2) != 0)
		return;
	arg->kind = equals ? ARG_OPTION : ARG_SWITCH;
	if (equals)
		*equals = '\0';
	memmove(arg->name, arg->name + 2, strlen(arg->name + 2) + 1);
}

static unsigned arg_names(const char *args, struct arg_name out[ARGS_MAX])
{
	unsigned n = 0;

	for (const char *s = args ? args : ""; *s && n < ARGS_MAX; n++) {
		s += strspn(s, " ");
		size_t len = strcspn(s, " ");

		out[n].optional = *s == '[';
		snprintf(out[n].name, sizeof(out[n].name), "%.*s", (int)len - 2 * out[n].optional,
		    s + out[n].optional);
		arg_kind(&out[n]);
		s += len;
	}
	return n;
}

static json_t *usage(struct api_error *error, const char *code, const struct api_command *command)
{
	return api_fail(error, code, "usage: %s%s%s", command->name, command->args ? " " : "",
	    command->args ? command->args : "");
}

/* The option that a word names; NULL: it is none. *value: what stands behind its "=", or NULL. */
static const struct arg_name *option_of(
    const struct arg_name *names, unsigned count, const char *word, const char **value)
{
	size_t len = strcspn(word, "=");

	*value = word[len] ? word + len + 1 : NULL;
	for (unsigned i = 0; strncmp(word, "--", 2) == 0 && i < count; i++) {
		if (names[i].kind == ARG_WORD || (names[i].kind == ARG_SWITCH && *value))
			continue;
		if (strlen(names[i].name) == len - 2 &&
		    strncmp(names[i].name, word + 2, len - 2) == 0)
			return &names[i];
	}
	return NULL;
}

/* The next argument that is a plain word, from *at on; NULL: there is no more. */
static const struct arg_name *next_word(const struct arg_name *names, unsigned count, unsigned *at)
{
	while (*at < count) {
		if (names[(*at)++].kind == ARG_WORD)
			return &names[*at - 1];
	}
	return NULL;
}

/* Makes members of the words behind the name. False, with *error, when they do not fit. */
static bool set_arguments(json_t *request, const struct api_command *command, const struct words *w,
    unsigned used, struct api_error *error)
{
	struct arg_name names[ARGS_MAX];
	unsigned count = arg_names(command->args, names), at = 0;

	for (unsigned i = used; i < w->count; i++) {
		const char *value;
		const struct arg_name *arg = option_of(names, count, w->word[i], &value);

		if (arg && arg->kind == ARG_SWITCH) {
			json_object_set_new(request, arg->name, json_true());
			continue;
		}
		if (arg && !value && ++i == w->count) {
			usage(error, "MissingArgument", command);
			return false;
		}
		if (!arg)
			arg = next_word(names, count, &at);
		if (!arg) {
			usage(error, "TooManyArguments", command);
			return false;
		}
		json_object_set_new(request, arg->name,
		    json_string(arg->kind == ARG_OPTION && value ? value : w->word[i]));
	}
	for (unsigned i = 0; i < count; i++) {
		if (!names[i].optional && !json_object_get(request, names[i].name)) {
			usage(error, "MissingArgument", command);
			return false;
		}
	}
	return true;
}

/* ---- answers ---- */

static bool is_privileged(const struct api_caller *caller)
{
	return caller->uid == 0 || caller->uid == geteuid();
}

static bool is_allowed(const struct api_command *command, const struct api_caller *caller)
{
	return command->access != API_SECRET || is_privileged(caller);
}

static void log_action(const struct words *w, const struct api_caller *caller)
{
	char line[512], clean[600];
	struct text text = text_of(line, sizeof(line));

	for (unsigned i = 0; i < w->count; i++)
		text_addf(&text, "%s%s", i ? " " : "", w->word[i]);
	text_sanitise(line, text.len, clean, sizeof(clean));
	log_write(LOG_NOTICE, LOG, NULL, "user %u (process %d): %s", (unsigned)caller->uid,
	    (int)caller->pid, clean);
}

static json_t *unknown(const struct api *api, const struct words *w, struct api_error *error)
{
	struct text text = text_of(error->text, sizeof(error->text));
	size_t len = strlen(w->word[0]);
	const char *sep = "; there is: ";

	api_fail(error, "UnknownCommand", "there is no command \"%.60s%s%.60s\"", w->word[0],
	    w->count > 1 ? " " : "", w->count > 1 ? w->word[1] : "");
	text.len = strlen(error->text);
	for (unsigned i = 0; i < api->command_count; i++) {
		const char *name = api->commands[i].command->name;

		if (strncmp(name, w->word[0], len) != 0 || name[len] != ' ')
			continue;
		text_addf(&text, "%s%s", sep, name);
		sep = ", ";
	}
	if (sep[0] == ';')
		text_add(&text, "; `help` lists them");
	return NULL;
}

static json_t *dispatch(
    struct api *api, const struct api_caller *caller, json_t *request, struct api_error *error)
{
	const struct registered *best;
	struct words w;
	unsigned used;

	if (!read_words(request, &w))
		return api_fail(error, "BadRequest",
		    "a request is {\"command\": \"show tunnels\"} or with a list of words");
	unsigned given = w.count;
	const char *what = api_text(request, "what");
	if (what)
		add_words(&w, what);
	if (w.too_many)
		return api_fail(error, "BadRequest", "the command has too many words");
	best = find(api, &w, &used);
	if (!best)
		return unknown(api, &w, error);
	if (used <= given)
		w.count = given; /* "what" was no part of the name: an argument like others */
	if (!set_arguments(request, best->command, &w, used, error))
		return NULL;
	if (!is_allowed(best->command, caller))
		return api_fail(
		    error, "PermissionDenied", "\"%s\" is for root alone", best->command->name);
	json_object_set_new(request, "privileged", json_boolean(is_privileged(caller)));
	if (best->command->access == API_ACTION || best->command->access == API_SECRET)
		log_action(&w, caller);
	json_object_set_new(request, "caller-uid", json_integer(caller->uid));
	json_object_set_new(request, "caller-pid", json_integer(caller->pid));
	return best->command->handler(best->ctx, request, error);
}

json_t *commands_answer(struct api *api, const struct api_caller *caller, json_t *request)
{
	struct api_error error = {.code = "Failed", .text = "the command gave no result"};
	json_t *result = dispatch(api, caller, request, &error);

	if (!result)
		return commands_refuse(error.code, error.text);
	return json_pack("{s:b, s:o}", "ok", 1, "result", result);
}

/* ---- the table ---- */

int api_register(struct api *api, const struct api_command *command, void *ctx)
{
	if (api->command_count == COMMANDS_MAX || strlen(command->help) >= 100)
		return -EINVAL;
	for (unsigned i = 0; i < api->command_count; i++) {
		if (!strcmp(api->commands[i].command->name, command->name))
			return -EEXIST;
	}
	if (command->access == API_SHOW) {
		int rc = telemetry_offer(command);
		if (rc < 0)
			return rc;
	}
	api->commands[api->command_count++] = (struct registered){command, ctx};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct registered *const *x = a, *const *y = b;

	return strcmp((*x)->command->name, (*y)->command->name);
}

static json_t *help(void *ctx, const json_t *request, struct api_error *error)
{
	static const char *const access[] = {[API_SHOW] = "show",
	    [API_ACTION] = "action",
	    [API_INPUT] = "input",
	    [API_SECRET] = "secret"};
	const struct registered *sorted[COMMANDS_MAX] = {0};
	const struct api *api = ctx;
	json_t *rows = json_array();

	for (unsigned i = 0; i < api->command_count; i++)
		sorted[i] = &api->commands[i];
	qsort(sorted, api->command_count, sizeof(sorted[0]), by_name);
	for (unsigned i = 0; i < api->command_count; i++) {
		const struct api_command *c = sorted[i]->command;

		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:s, s:s}", "name", c->name, "arguments",
			c->args ? c->args : "", "access", access[c->access], "help", c->help));
	}
	return rows;
}

int commands_init(struct api *api)
{
	static const struct api_command command = {"help", NULL, API_SHOW, help, "all commands"};

	return api_register(api, &command, api);
}
