/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_VIEWS_H
#define TRANSITCTL_VIEWS_H

#include "transitctl/table.h"

/* Which members of its rows a command shows to people, and in which order. */
struct view {
	const char *command; /* "show tunnels" */
	const struct column *columns;
	unsigned count;
};

/* NULL: nobody described it; columns_guess() then. */
const struct view *view_of(const char *command);

/* Any result of a command as people read it. */
void result_print(const char *command, const json_t *result, FILE *to);

#endif
