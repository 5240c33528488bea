/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_EPOCH_H
#define BOUNDARY_EPOCH_H

/*
 * Grace periods. A worker is online while it may hold pointers to published records, and says at
 * the top of its loop that it holds none. Control retires what it unpublished; it is freed when
 * every worker that was online has said so since. Over rte_rcu_qsbr, and its only user.
 */

#include <stdbool.h>
#include <stdint.h>

#define EPOCH_WAIT_MS 1000
#define WORKERS_MAX   32 /* workers are numbered 0..count-1, apart from lcore ids */

struct epoch;

/* workers: 1..WORKERS_MAX, offline at first. NULL with errno. */
struct epoch *epoch_create(unsigned workers);
/* Workers must have gone offline; frees what is retired. */
void epoch_free(struct epoch *e);

/* Worker side. Online before the first record is read; offline before it sleeps or ends. */
void epoch_online(struct epoch *e, unsigned worker);
void epoch_offline(struct epoch *e, unsigned worker);
void epoch_quiescent(struct epoch *e, unsigned worker);

/* Control side. Calls fn(ptr) from a later epoch_reclaim(), after a grace period. */
void epoch_retire(struct epoch *e, void (*fn)(void *ptr), void *ptr);
/* Never blocks; returns how many were freed. Called from the control loop. */
unsigned epoch_reclaim(struct epoch *e);
/* A mark to ask about later: has a grace period passed since it was taken? Never blocks. */
uint64_t epoch_mark(struct epoch *e);
bool epoch_passed(struct epoch *e, uint64_t mark);
/* Waits for a grace period (microseconds with workers that poll). false: a worker did not report
 * within EPOCH_WAIT_MS, so none has passed. */
bool epoch_wait(struct epoch *e);
/* Waits, and frees all that is retired and what that retires in turn. false as above. */
bool epoch_flush(struct epoch *e);

#endif
