/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_HISTORY_H
#define ROUTER_HISTORY_H

/*
 * Configurations that were in force, in the state directory: one state file each (base/state.h), numbered on for ever,
 * of which the last HISTORY_KEPT are there. Pre-shared keys stand in them: mode 0600, in a directory of mode 0700.
 */

#include <stddef.h>
#include <stdint.h>

#define HISTORY_KEPT 50

struct history_entry {
	unsigned number;
	int64_t time; /* seconds since 1970 */
	uint32_t uid; /* who asked; 0 also for the router itself */
	unsigned changes;
	char how[64]; /* "apply", "rollback to 12", "start" */
};

/* Adds one; its number is put into *entry. 0 or -errno. */
int history_add(const char *state_dir, struct history_entry *entry, const char *text, size_t len);
/* The oldest first, for free(); how many. Files that are damaged are left out. */
unsigned history_list(const char *state_dir, struct history_entry **out);
/* The text for secret_free(*text, *len + 1). 0, -ENOENT, -EBADMSG. */
int history_read(const char *state_dir, unsigned number, char **text, size_t *len);

#endif
