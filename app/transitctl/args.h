/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_ARGS_H
#define TRANSITCTL_ARGS_H

/* The command line of transitctl. */

#include <stdbool.h>
#include <stdio.h>

struct args {
	const char *socket;
	bool json;
	bool running;
	const char *confirm_within;
	const char *write; /* of trace: a file */
	bool help;
	bool version;
	char **words; /* the command, without our options */
	int count;
};

void args_usage(FILE *to);
/* False: wrong usage, also no command at all. Moves the words of argv. */
bool args_parse(int argc, char **argv, struct args *out);

#endif
