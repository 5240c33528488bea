/* SPDX-License-Identifier: BSD-3-Clause */

#include "transitctl/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/state.h"
#include "base/text.h"
#include "transitctl/link.h"

#define PIECE_BYTES 30000 /* in hexadecimal below the longest request */

bool change_is(const char *word)
{
	static const char *const words[] = {"check", "diff", "apply", "rollback"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

/* ---- handing over ---- */

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

/* The token, or 0 with *answer when it was refused. */
static json_int_t open_candidate(int fd, const char *word, json_t **answer)
{
	json_t *request = json_pack("{s:[s,s,s]}", "command", "candidate", "open", word);
	json_int_t token;

	*answer = link_ask(fd, request);
	json_decref(request);
	if (!is_ok(*answer))
		return 0;
	token =
	    json_integer_value(json_object_get(json_object_get(*answer, "result"), "candidate"));
	json_decref(*answer);
	*answer = NULL;
	return token;
}

static bool add_piece(int fd, json_int_t token, const char *bytes, size_t len, json_t **answer)
{
	char *hex = xmalloc(2 * len + 1);

	text_hex(bytes, len, hex, 2 * len + 1);
	json_t *request = json_pack(
	    "{s:[s,s], s:I, s:s}", "command", "candidate", "add", "candidate", token, "bytes", hex);
	secret_free(hex, 2 * len + 1);
	*answer = link_ask(fd, request);
	json_decref(request);
	if (!is_ok(*answer))
		return false;
	json_decref(*answer);
	*answer = NULL;
	return true;
}

int change_hand_over(int fd, json_t *request, const char *word, const char *file, json_t **answer)
{
	size_t len, done = 0;
	json_int_t token;
	char *text;
	int rc = state_slurp(file, &text, &len);

	*answer = NULL;
	if (rc < 0) {
		fprintf(stderr, "transitctl: %s: %s\n", file, strerror(-rc));
		return rc;
	}
	token = open_candidate(fd, word, answer);
	rc = token ? 0 : -EBUSY;
	while (rc == 0 && done < len) {
		size_t piece = len - done < PIECE_BYTES ? len - done : PIECE_BYTES;

		rc = add_piece(fd, token, text + done, piece, answer) ? 0 : -EIO;
		done += piece;
	}
	secret_free(text, len + 1);
	if (rc == 0) {
		json_object_set_new(request, "candidate", json_integer(token));
		json_object_set_new(request, "file", json_string(file));
	}
	return rc;
}

/* ---- answers ---- */

bool change_succeeded(const json_t *result)
{
	const json_t *applied = json_object_get(result, "applied");

	return applied ? json_is_true(applied) : json_is_true(json_object_get(result, "sound"));
}

static const char *text_in(const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : otherwise;
}

static json_int_t number_in(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_changes(const json_t *result, FILE *to)
{
	const json_t *changes = json_object_get(result, "changes"), *c;
	json_int_t total = number_in(result, "total");
	size_t i;

	json_array_foreach(changes, i, c)
	{
		const char *about = text_in(c, "about", NULL);

		fprintf(to, "%s: %s -> %s  [%s%s%s]\n", text_in(c, "path", "?"),
		    text_in(c, "from", "-"), text_in(c, "to", "-"), text_in(c, "effect", "?"),
		    about ? " " : "", about ? about : "");
	}
	if (total > (json_int_t)i)
		fprintf(to, "... and %lld more\n", (long long)(total - (json_int_t)i));
}

/* "3 changes: 2 routes, 1 rekey" */
static void print_summary(const json_t *result, FILE *to)
{
	json_t *effects = json_object_get(result, "effects"), *count;
	json_int_t total = number_in(result, "total");
	const char *effect, *sep = ": ";

	if (!json_object_get(result, "changes"))
		return;
	fprintf(to, total ? "%lld change%s" : "no change", (long long)total, total == 1 ? "" : "s");
	json_object_foreach(effects, effect, count)
	{
		fprintf(to, "%s%lld %s", sep, (long long)json_integer_value(count), effect);
		sep = ", ";
	}
	fputc('\n', to);
}

static void print_outcome(const json_t *result, FILE *to)
{
	const json_t *confirm = json_object_get(result, "confirm");

	if (json_object_get(result, "code")) {
		fprintf(to, "%s: %s\n", text_in(result, "code", ""), text_in(result, "reason", ""));
		return;
	}
	if (!json_is_true(json_object_get(result, "applied")))
		return;
	if (json_is_true(json_object_get(result, "reverted"))) {
		fputs("the change is taken back\n", to);
		return;
	}
	fprintf(to, "applied in %.0f ms (%.0f ms of it to read and check)",
	    json_real_value(json_object_get(result, "commit-ms")) +
		json_real_value(json_object_get(result, "load-ms")),
	    json_real_value(json_object_get(result, "load-ms")));
	if (json_object_get(result, "revision"))
		fprintf(to, ", revision %lld", (long long)number_in(result, "revision"));
	fputs(json_is_true(json_object_get(result, "saved")) ? "; it is the startup file\n"
		: json_is_object(confirm)                    ? "\n"
					  : "; the startup file is another one\n",
	    to);
	if (json_is_object(confirm))
		fprintf(to, "it is taken back in %.0f s unless confirmed: transitctl confirm\n",
		    json_real_value(json_object_get(confirm, "seconds-left")));
	if (json_object_get(result, "trouble"))
		fprintf(to, "trouble: %s\n", text_in(result, "trouble", ""));
}

void change_print(const json_t *result, FILE *to)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(result, "lines"), i, line)
	    fprintf(to, "%s\n", json_string_value(line));
	if (number_in(result, "errors") + number_in(result, "warnings") > 0)
		fprintf(to, "%s: %lld errors, %lld warnings\n", text_in(result, "file", "-"),
		    (long long)number_in(result, "errors"),
		    (long long)number_in(result, "warnings"));
	else if (json_is_true(json_object_get(result, "sound")) &&
	    !json_object_get(result, "changes"))
		fprintf(to, "%s: sound\n", text_in(result, "file", "-"));
	print_changes(result, to);
	print_summary(result, to);
	print_outcome(result, to);
}
