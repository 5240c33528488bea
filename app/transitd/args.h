/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_ARGS_H
#define TRANSITD_ARGS_H

/* The command line of transitd. */

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

enum args_mode {
	ARGS_RUN,
	ARGS_CHECK, /* validate the file, touch nothing */
	ARGS_HELP,  /* print it and leave */
	ARGS_VERSION,
	ARGS_HELP_CONFIG, /* the reference of all keys */
};

struct args {
	enum args_mode mode;
	const char *file; /* NULL unless -c */
	bool no_huge;
	bool has_log_level;
	enum log_level log_level;
};

/* 0, or -EINVAL after a line on stderr. */
int args_parse(int argc, char **argv, struct args *out);
void args_help(FILE *to);

#endif
