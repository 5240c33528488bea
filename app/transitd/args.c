/* SPDX-License-Identifier: BSD-3-Clause */

/* One table row per option: its name, whether it has a value, and what it is good for. */

#include "transitd/args.h"

#include <errno.h>
#include <getopt.h>

#include "base/text.h"

struct option_row {
	const char *name;
	char letter;       /* 0: none */
	const char *value; /* NULL: has none */
	const char *help;
};

enum {
	ROW_CONFIG,
	ROW_CHECK,
	ROW_HELP,
	ROW_HELP_CONFIG,
	ROW_LOG_LEVEL,
	ROW_NO_HUGE,
	ROW_VERSION,
	ROWS
};

static const struct option_row rows[ROWS] = {
    [ROW_CONFIG] = {"config", 'c', "FILE", "the startup file"},
    [ROW_CHECK] = {"check", 0, NULL, "validate the file and exit: 0 when it is sound, else 1"},
    [ROW_HELP] = {"help", 'h', NULL, "this text"},
    [ROW_HELP_CONFIG] = {"help-config", 0, NULL, "all keys of the startup file"},
    [ROW_LOG_LEVEL] = {"log-level", 0, "LEVEL",
	"error, warning, notice, info or debug, whatever the file says"},
    [ROW_NO_HUGE] = {"no-huge", 0, NULL, "ordinary memory, whatever the file says"},
    [ROW_VERSION] = {"version", 'V', NULL, "the version"},
};

void args_help(FILE *to)
{
	char left[40];

	fprintf(to,
	    "usage: transitd -c FILE [OPTION...]\n\n"
	    "A transit router: joins networks and IPsec-VPN connections. Runs in the\n"
	    "foreground and logs to stderr; SIGTERM ends it in order.\n\n");
	for (unsigned i = 0; i < ROWS; i++) {
		struct text text = text_of(left, sizeof(left));

		if (rows[i].letter)
			text_addf(&text, "-%c, ", rows[i].letter);
		else
			text_add(&text, "    ");
		text_addf(&text, "--%s", rows[i].name);
		if (rows[i].value)
			text_addf(&text, " %s", rows[i].value);
		fprintf(to, "  %-24s %s\n", left, rows[i].help);
	}
}

/* Takes one option. 0 or -EINVAL. */
static int take(struct args *out, int row, const char *value)
{
	switch (row) {
	case ROW_CONFIG:
		out->file = value;
		return 0;
	case ROW_CHECK:
		out->mode = ARGS_CHECK;
		return 0;
	case ROW_HELP:
		out->mode = ARGS_HELP;
		return 0;
	case ROW_HELP_CONFIG:
		out->mode = ARGS_HELP_CONFIG;
		return 0;
	case ROW_VERSION:
		out->mode = ARGS_VERSION;
		return 0;
	case ROW_NO_HUGE:
		out->no_huge = true;
		return 0;
	case ROW_LOG_LEVEL:
		out->has_log_level = true;
		if (log_level_parse(value, &out->log_level) == 0)
			return 0;
		fprintf(stderr,
		    "transitd: --log-level %s: one of error, warning, notice, info, debug\n",
		    value);
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

static int row_of_letter(int letter)
{
	for (int i = 0; i < ROWS; i++) {
		if (rows[i].letter && rows[i].letter == letter)
			return i;
	}
	return ROWS;
}

int args_parse(int argc, char **argv, struct args *out)
{
	struct option options[ROWS + 1] = {0};
	int found;

	for (int i = 0; i < ROWS; i++)
		options[i] = (struct option){
		    rows[i].name, rows[i].value ? required_argument : no_argument, NULL, 256 + i};
	*out = (struct args){.mode = ARGS_RUN};
	optind = 0;
	while ((found = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		int rc = take(out, found >= 256 ? found - 256 : row_of_letter(found), optarg);

		if (rc < 0)
			return rc;
	}
	if (optind < argc) {
		fprintf(stderr, "transitd: \"%s\" is no option; see --help\n", argv[optind]);
		return -EINVAL;
	}
	if (!out->file && (out->mode == ARGS_RUN || out->mode == ARGS_CHECK)) {
		fprintf(stderr, "transitd: -c FILE is missing; see --help\n");
		return -EINVAL;
	}
	return 0;
}
