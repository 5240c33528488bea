/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grace periods over rte_rcu_qsbr. Its token is our mark: it counts up with each question, a worker
 * copies it at its quiescent point, and a mark has passed when every online worker copied one as
 * new.
 *
 * What is retired waits in a queue in the order of its marks, so that epoch_reclaim() stops at the
 * first that has not passed.
 */

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include <rte_pause.h>
#include <rte_rcu_qsbr.h>

#include "base/clock.h"
#include "base/mem.h"
#include "boundary/epoch.h"

#define SPINS_BEFORE_YIELD 256

struct retired {
	struct retired *next;
	uint64_t mark;
	void (*fn)(void *ptr);
	void *ptr;
};

struct epoch {
	struct rte_rcu_qsbr *qsbr;
	unsigned workers;
	struct retired *first; /* oldest */
	struct retired **last;
};

struct epoch *epoch_create(unsigned workers)
{
	struct epoch *e;
	size_t bytes;

	if (workers == 0 || workers > WORKERS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	bytes = RTE_ALIGN(rte_rcu_qsbr_get_memsize(workers), RTE_CACHE_LINE_SIZE);
	e = xcalloc(1, sizeof(*e));
	e->workers = workers;
	e->last = &e->first;
	e->qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	if (!e->qsbr || rte_rcu_qsbr_init(e->qsbr, workers) != 0) {
		free(e->qsbr);
		free(e);
		errno = ENOMEM;
		return NULL;
	}
	for (unsigned w = 0; w < workers; w++)
		rte_rcu_qsbr_thread_register(e->qsbr, w);
	return e;
}

void epoch_free(struct epoch *e)
{
	if (!e)
		return;
	epoch_flush(e);
	free(e->qsbr);
	free(e);
}

void epoch_online(struct epoch *e, unsigned worker)
{
	rte_rcu_qsbr_thread_online(e->qsbr, worker);
}

void epoch_offline(struct epoch *e, unsigned worker)
{
	rte_rcu_qsbr_thread_offline(e->qsbr, worker);
}

void epoch_quiescent(struct epoch *e, unsigned worker)
{
	rte_rcu_qsbr_quiescent(e->qsbr, worker);
}

void epoch_retire(struct epoch *e, void (*fn)(void *ptr), void *ptr)
{
	struct retired *r = xmalloc(sizeof(*r));

	*r = (struct retired){.mark = epoch_mark(e), .fn = fn, .ptr = ptr};
	*e->last = r;
	e->last = &r->next;
}

unsigned epoch_reclaim(struct epoch *e)
{
	struct retired *r;
	unsigned freed = 0;

	/* fn may retire more, and may reclaim: the queue is in order before it is called */
	while ((r = e->first) != NULL && epoch_passed(e, r->mark)) {
		e->first = r->next;
		if (!e->first)
			e->last = &e->first;
		r->fn(r->ptr);
		free(r);
		freed++;
	}
	return freed;
}

uint64_t epoch_mark(struct epoch *e)
{
	return rte_rcu_qsbr_start(e->qsbr);
}

bool epoch_passed(struct epoch *e, uint64_t mark)
{
	return rte_rcu_qsbr_check(e->qsbr, mark, false) == 1;
}

bool epoch_wait(struct epoch *e)
{
	uint64_t mark = epoch_mark(e);
	struct mono deadline = mono_add(mono_now(), DUR_MS(EPOCH_WAIT_MS));

	for (unsigned spins = 1; !epoch_passed(e, mark); spins++) {
		if (spins % SPINS_BEFORE_YIELD) {
			rte_pause();
			continue;
		}
		if (mono_before(deadline, mono_now()))
			return false;
		sched_yield(); /* the worker may share this core */
	}
	return true;
}

bool epoch_flush(struct epoch *e)
{
	while (e->first) {
		if (!epoch_wait(e))
			return false;
		epoch_reclaim(e);
	}
	return true;
}
