/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_CONF_CASES_H
#define TEST_CONF_CASES_H

/*
 * The case files of rules/: startup files and what is said about them.
 *
 *   == ID title
 *   lines of the startup file; "@word" alone in a line stands for the one line of site[] in cases.c
 *   --
 *   line:column: error: text       exactly what conf_load() says, in order; nothing: a good file
 *
 * IDs are those of requirements.md (A21a: its "any address"); L1, and S, P, U, V, K, E are ours for the file's
 * shape, system, ports, uplinks, VLANs and routes, manual keys, and anti-replay windows with ESN.
 */

#include <stddef.h>

struct conf_case {
	char *title;
	char *id;
	char *yaml;
	char *expected;
};

/* All cases of a file. NULL ends the titles. Exits when the file cannot be read or is malformed. */
struct conf_case *cases_read(const char *path, size_t *count);
void cases_free(struct conf_case *cases, size_t count);

/* Every "line:column: severity: text" that conf_load_buffer() gives for the text, one per line. */
char *conf_says(const char *yaml, size_t len);

#endif
