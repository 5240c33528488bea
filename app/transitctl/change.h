/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITCTL_CHANGE_H
#define TRANSITCTL_CHANGE_H

/* The commands about configurations: a file of ours is handed over first, and the answer is more than a table. */

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/* check, diff, apply, rollback. */
bool change_is(const char *word);
/*
 * Hands FILE over and makes `request` refer to it. 0, or -errno after a line on stderr: the file cannot be read, or
 * transitd refused (then *answer is what it said, a new reference).
 */
int change_hand_over(int fd, json_t *request, const char *word, const char *file, json_t **answer);
/* For people. */
void change_print(const json_t *result, FILE *to);
/* Whether what was asked for was done, or would be possible. */
bool change_succeeded(const json_t *result);

#endif
