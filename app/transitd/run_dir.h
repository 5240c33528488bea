/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_RUN_DIR_H
#define TRANSITD_RUN_DIR_H

/*
 * The directories of an instance, each used by one at a time: that of the control socket, for its users alone, and that
 * of what outlives a restart, where two would overwrite each other's keys and addresses.
 */

#include <sys/types.h>

struct run_dir;

/* Makes the directory (mode 0750) with its parents and locks it. NULL with errno after a log
 * line. */
struct run_dir *run_dir_enter(const char *path);
/* The same with mode 0700 and a lock of another name: both may be one directory. */
struct run_dir *state_dir_enter(const char *path);
/* The directory stays. */
void run_dir_leave(struct run_dir *d);

/* Makes a directory with its parents; its own mode is `mode` when it is new. 0 or -errno. */
int make_dir(const char *path, mode_t mode);

#endif
