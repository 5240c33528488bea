/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_STARTUP_H
#define ROUTER_STARTUP_H

/*
 * The startup file is what counts at start, and nothing else. `transitctl apply FILE` makes FILE's bytes the startup
 * file; there is no second configuration that could differ from it.
 *
 * One exception protects from oneself: when the startup file was edited, applied to be confirmed, and the router ended
 * before anybody confirmed, then the bytes that were in force before go back into the startup file. The state file
 * "unconfirmed" has them, with a hash of the edited bytes: a file that was edited again is left alone.
 */

#include "conf/conf.h"

struct startup {
	char *file; /* its path */
	char *text; /* the bytes of the configuration in force */
	size_t len;
};

/*
 * Reads and checks the startup file, with the addresses that tunnels were given before. 0 and *conf, or -errno; all
 * errors and warnings are added to `errs`. With `look_only` nothing on the disk is changed.
 */
int startup_load(const char *file, bool look_only, struct startup *out, struct conf **conf,
    struct conf_errors *errs);
void startup_free(struct startup *s);
/* The bytes in force are others now. */
void startup_set_text(struct startup *s, const char *text, size_t len);

/* While a change is to be confirmed: `before` is to come back, should the startup file still be `edited` at a start. */
int startup_guard(const char *state_dir, const char *before, size_t before_len, const char *edited,
    size_t edited_len);
int startup_unguard(const char *state_dir);

#endif
