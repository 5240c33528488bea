/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_RUN_DIR_H
#define TRANSITD_RUN_DIR_H

/* The directory of the control socket: one instance at a time, for its users alone. */

#include <sys/types.h>

struct run_dir;

/* Makes the directory (mode 0750) with its parents and locks it. NULL with errno after a log
 * line. */
struct run_dir *run_dir_enter(const char *path);
/* The directory stays. */
void run_dir_leave(struct run_dir *d);

/* Makes a directory with its parents; its own mode is `mode` when it is new. 0 or -errno. */
int make_dir(const char *path, mode_t mode);

#endif
