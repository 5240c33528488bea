/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * transitctl: the words of its command line go to transitd, what comes back is printed. It knows no
 * commands: transitd's table does, `transitctl help` shows it.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transitctl/args.h"
#include "transitctl/change.h"
#include "transitctl/link.h"
#include "transitctl/nic.h"
#include "transitctl/trace.h"
#include "transitctl/views.h"

enum exit_code { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

/* {"command": [words]}, and the words in one line for the choice of columns. */
static json_t *make_request(char **words, int count, char *line, size_t capacity)
{
	json_t *list = json_array();
	size_t len = 0;

	line[0] = '\0';
	for (int i = 0; i < count; i++) {
		json_array_append_new(list, json_string(words[i]));
		len += (size_t)snprintf(line + len, len < capacity ? capacity - len : 0, "%s%s",
		    i ? " " : "", words[i]);
		if (len >= capacity)
			len = capacity - 1;
	}
	return json_pack("{s:o}", "command", list);
}

/* The result without its {"rows": [...], "next": ...}; *next is where to go on, or NULL. */
static const json_t *page_rows(const json_t *result, const json_t **next)
{
	const json_t *rows = json_object_get(result, "rows");

	*next = NULL;
	if (!json_is_array(rows))
		return result;
	*next = json_object_get(result, "next");
	if (json_is_null(*next))
		*next = NULL;
	return rows;
}

static int refused(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "text"));

	fprintf(stderr, "transitctl: %s: %s\n", code ? code : "Failed", text ? text : "no reason");
	return EXIT_REFUSED;
}

/* All pages of the answer in one tree. NULL with *code when there is none. */
static json_t *ask_all(int fd, json_t *request, int *code)
{
	json_t *all = NULL;

	for (;;) {
		json_t *answer = link_ask(fd, request);
		const json_t *next, *rows;

		*code = EXIT_NO_DAEMON;
		if (answer && !json_is_true(json_object_get(answer, "ok")))
			*code = refused(answer);
		else if (answer)
			*code = EXIT_DONE;
		if (*code != EXIT_DONE) {
			json_decref(answer);
			json_decref(all);
			return NULL;
		}
		rows = page_rows(json_object_get(answer, "result"), &next);
		if (all)
			json_array_extend(all, (json_t *)rows);
		else
			all = json_incref((json_t *)rows);
		if (next)
			json_object_set(request, "from", (json_t *)next);
		json_decref(answer);
		if (!next)
			return all;
	}
}

static void print(const struct args *args, const char *line, bool is_change, const json_t *result)
{
	if (args->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
		putchar('\n');
	} else if (is_change) {
		change_print(result, stdout);
	} else if (strcmp(line, "show configuration") == 0) {
		fputs(json_string_value(json_object_get(result, "text")), stdout);
	} else {
		result_print(line, result, stdout);
	}
}

/* Hands the file of check, diff and apply over, and asks about it. */
static json_t *ask_about_file(int fd, json_t *request, char **words, int *code)
{
	json_t *answer;
	int rc = change_hand_over(fd, request, words[0], words[1], &answer);

	if (rc == 0)
		return ask_all(fd, request, code);
	*code = answer ? refused(answer) : rc == -EIO || rc == -EBUSY ? EXIT_NO_DAEMON : EXIT_USAGE;
	json_decref(answer);
	return NULL;
}

static int run_trace(int fd, const struct args *args, char **words, int count)
{
	const struct trace_output output = {args->json, args->write};
	json_t *answer;
	int code = EXIT_DONE, rc = trace_run(fd, words, count, &output, &answer);

	if (rc == -EIO)
		code = EXIT_REFUSED;
	else if (rc < 0)
		code = answer ? refused(answer) : EXIT_NO_DAEMON;
	json_decref(answer);
	close(fd);
	return fflush(stdout) == 0 ? code : EXIT_REFUSED;
}

static int run(const struct args *args, char **words, int count)
{
	bool is_change = change_is(words[0]);
	bool has_file = is_change && count == 2 && strcmp(words[0], "rollback") != 0;
	char line[256];
	int code, fd = link_open(args->socket);
	json_t *request, *result;

	if (fd < 0)
		return EXIT_NO_DAEMON;
	if (trace_is(words, count))
		return run_trace(fd, args, words, count);
	request = make_request(words, has_file ? 1 : count, line, sizeof(line));
	if (args->running)
		json_object_set_new(request, "running", json_true());
	if (args->confirm_within)
		json_object_set_new(request, "confirm-within", json_string(args->confirm_within));
	result = has_file ? ask_about_file(fd, request, words, &code) : ask_all(fd, request, &code);
	if (result)
		print(args, line, is_change, result);
	if (result && is_change && !change_succeeded(result))
		code = EXIT_REFUSED;
	json_decref(result);
	json_decref(request);
	close(fd);
	if (fflush(stdout) != 0)
		return EXIT_REFUSED;
	return code;
}

int main(int argc, char **argv)
{
	struct args args;

	if (!args_parse(argc, argv, &args)) {
		args_usage(stderr);
		return EXIT_USAGE;
	}
	if (args.help) {
		args_usage(stdout);
		return EXIT_DONE;
	}
	if (args.version) {
		printf("transitctl %s\n", TRANSITD_VERSION);
		return EXIT_DONE;
	}
	if (!strcmp(args.words[0], "nic"))
		return nic_main("", args.json, args.words + 1, args.count - 1);
	return run(&args, args.words, args.count);
}
