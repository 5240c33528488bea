/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What conf_print() writes loads again, to the same: every sample of config/ and every good file of rules/,
 * with and without defaults. Without CONF_PRINT_SECRETS nothing secret is in YAML or JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/mem.h"
#include "cases.h"
#include "conf/conf.h"

struct text_file {
	char *name;
	char *text;
	size_t len;
};

static struct conf *load(const char *name, const char *text, size_t len)
{
	struct conf_errors errs;
	struct conf *conf;

	conf_errors_init(&errs);
	conf_load_buffer(name, text, len, NULL, &conf, &errs);
	if (errs.errors) {
		conf_errors_print(&errs, stderr);
		print_error("%.*s\n", (int)len, text);
	}
	assert_int_equal(errs.errors, 0);
	conf_errors_fini(&errs);
	return conf;
}

static char *printed(const struct conf *conf, unsigned flags, size_t *len)
{
	char *text;
	FILE *f = open_memstream(&text, len);

	conf_print(conf, flags, f);
	fclose(f);
	return text;
}

static void check_same(const struct conf *a, const struct conf *b)
{
	json_t *x = conf_json(a, CONF_PRINT_EFFECTIVE | CONF_PRINT_SECRETS);
	json_t *y = conf_json(b, CONF_PRINT_EFFECTIVE | CONF_PRINT_SECRETS);

	assert_true(json_equal(x, y));
	json_decref(x);
	json_decref(y);
}

/* print(parse(print(parse(x)))) == print(parse(x)), and both parse to the same. */
static void check_round_trip(const struct text_file *file, unsigned flags)
{
	struct conf *first = load(file->name, file->text, file->len), *second;
	size_t len, again_len;
	char *text = printed(first, flags | CONF_PRINT_SECRETS, &len), *again;

	second = load(file->name, text, len);
	again = printed(second, flags | CONF_PRINT_SECRETS, &again_len);
	assert_string_equal(text, again);
	check_same(first, second);
	free(text);
	free(again);
	conf_free(first);
	conf_free(second);
}

static void round_trip(void **state)
{
	check_round_trip(*state, 0);
	check_round_trip(*state, CONF_PRINT_EFFECTIVE);
}

static void check_lacks(const char *text, const struct conf *conf)
{
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			const struct conf_tunnel *t = c->tunnels[k];

			assert_true(strlen(t->psk) < 4 || !strstr(text, t->psk));
			assert_true(!t->bgp.password || strlen(t->bgp.password) < 4 ||
			    !strstr(text, t->bgp.password));
			assert_true(t->manual.in.encryption_key.len == 0 ||
			    !strstr(text, "0102030405060708090a0b0c0d0e0f10111213"));
		}
	}
}

static void no_secrets(void **state)
{
	const struct text_file *file = *state;
	struct conf *conf = load(file->name, file->text, file->len);
	size_t len;
	char *text = printed(conf, CONF_PRINT_EFFECTIVE, &len);
	json_t *json = conf_json(conf, CONF_PRINT_EFFECTIVE);
	char *json_text = json_dumps(json, JSON_INDENT(1));

	check_lacks(text, conf);
	check_lacks(json_text, conf);
	free(text);
	free(json_text);
	json_decref(json);
	conf_free(conf);
}

static char *read_all(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = xmalloc(1 << 20);

	if (!f)
		fail_msg("%s cannot be read", path);
	*len = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void add_file(struct text_file **files, size_t *n, const char *name, char *text, size_t len)
{
	*files = xrealloc(*files, (*n + 1) * sizeof(**files));
	(*files)[(*n)++] = (struct text_file){xstrdup(name), text, len};
}

static bool is_good(const struct conf_case *c)
{
	return strstr(c->expected, "error: ") == NULL;
}

/* Samples as they are; of case files the cases without an error. */
static void collect(const char *path, struct text_file **files, size_t *n)
{
	size_t count, len, ext = strlen(path) > 4 ? strlen(path) - 4 : 0;
	struct conf_case *cases;

	if (strcmp(path + ext, ".txt") != 0) {
		char *text = read_all(path, &len);

		add_file(files, n, path, text, len);
		return;
	}
	cases = cases_read(path, &count);
	for (size_t i = 0; i < count; i++) {
		if (is_good(&cases[i]))
			add_file(files, n, cases[i].title, xstrdup(cases[i].yaml),
			    strlen(cases[i].yaml));
	}
	cases_free(cases, count);
}

int main(int argc, char **argv)
{
	struct text_file *files = NULL;
	struct CMUnitTest *tests;
	size_t n = 0;
	int failed;

	for (int i = 1; i < argc; i++)
		collect(argv[i], &files, &n);
	tests = xcalloc(2 * n + 1, sizeof(*tests));
	for (size_t i = 0; i < n; i++) {
		tests[2 * i] =
		    (struct CMUnitTest){files[i].name, round_trip, NULL, NULL, &files[i]};
		tests[2 * i + 1] =
		    (struct CMUnitTest){files[i].name, no_secrets, NULL, NULL, &files[i]};
	}
	failed = _cmocka_run_group_tests("print", tests, 2 * n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free(files[i].name);
		free(files[i].text);
	}
	free(files);
	free(tests);
	return failed;
}
