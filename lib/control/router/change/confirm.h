/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_CONFIRM_H
#define ROUTER_CONFIRM_H

/*
 * Changes to be confirmed: unless somebody confirms in time, and everything that was up is up again by then, the
 * configuration of before comes back. Until then the startup file stays what it was, or is guarded (startup.h): after
 * a crash in between the router starts with the configuration of before.
 */

#include <stdbool.h>
#include <stddef.h>

struct router;
struct apply_order;
struct json_t;

/* Before the change: what is up, and the bytes to come back. 0 or -errno of the state directory. */
int confirm_prepare(struct router *r, const struct apply_order *order);
void confirm_abandon(struct router *r);
/* The change is made: the clock runs. */
void confirm_begin(struct router *r, const struct apply_order *order);
void confirm_fini(struct router *r);

/* Is one under way? Then *why says which, and what can be done. */
bool confirm_refuses(const struct router *r, char *why, size_t capacity);

enum confirm_result { CONFIRM_DONE, CONFIRM_NONE, CONFIRM_NOT_BACK, CONFIRM_NOT_SAVED };
/*
 * The change stays, and is the startup file if it was to become it. NOT_BACK: *why names what was up and is not;
 * nothing changes then, unless `anyway`.
 */
enum confirm_result confirm_accept(struct router *r, bool anyway, char *why, size_t capacity);
/* Takes the change back now. False: none is under way. */
bool confirm_revert(struct router *r, const char *why);
/* {"seconds-left": n, "not-back": [...]} or null; a new reference. */
struct json_t *confirm_json(const struct router *r);

#endif
