/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a startup file. Whatever loads must print, load again and print the same; a file that does not
 * load has at least one error, in a line of the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct conf *conf, unsigned flags, size_t *len)
{
	char *text;
	FILE *f = open_memstream(&text, len);

	if (!f)
		abort();
	conf_print(conf, flags, f);
	fclose(f);
	return text;
}

static void check_again(const struct conf *conf, unsigned flags)
{
	struct conf_errors errs;
	struct conf *again;
	size_t len, again_len;
	char *text = printed(conf, flags, &len), *again_text;

	conf_errors_init(&errs);
	if (conf_load_buffer("printed", text, len, NULL, &again, &errs)) {
		conf_errors_print(&errs, stderr);
		fputs(text, stderr);
		abort();
	}
	again_text = printed(again, flags, &again_len);
	if (len != again_len || memcmp(text, again_text, len) != 0)
		abort();
	free(text);
	free(again_text);
	conf_free(again);
	conf_errors_fini(&errs);
}

static void check_errors(const struct conf_errors *errs, size_t size)
{
	char line[1024];

	if (errs->errors == 0)
		abort();
	for (unsigned i = 0; i < errs->items_count; i++) {
		const struct conf_error *e = &errs->items[i];

		if (e->line == 0 || e->line > size + 1 || e->column == 0 || e->column > size + 1)
			abort();
		conf_error_text(errs, e, line, sizeof(line));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errs;
	struct conf *conf;

	conf_errors_init(&errs);
	if (conf_load_buffer("fuzz", data, size, NULL, &conf, &errs)) {
		check_errors(&errs, size);
	} else {
		check_again(conf, CONF_PRINT_SECRETS);
		check_again(conf, CONF_PRINT_SECRETS | CONF_PRINT_EFFECTIVE);
		json_decref(conf_json(conf, CONF_PRINT_EFFECTIVE));
		if (conf_check_change(conf, conf, &errs))
			abort();
		conf_free(conf);
	}
	conf_errors_fini(&errs);
	return 0;
}
