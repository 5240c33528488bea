/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and unmakes everything that workers and control share. */

#include <errno.h>
#include <stdlib.h>

#include "boundary/boundary.h"

#define PUNT_RING   4096 /* packets of a class */
#define INJECT_RING 1024 /* packets for a worker */
#define EVENTS      8192

static int fail(void)
{
	return errno ? -errno : -ENOMEM;
}

/* 0 or -errno; what was made stays in *b. */
static int build(struct boundary *b, const struct boundary_limits *limits)
{
	int rc;

	b->epoch = epoch_create(limits->workers);
	if (!b->epoch)
		return fail();
	trace_init(&b->trace, b->epoch);
	rc = ifaces_init(&b->ifaces, b->epoch, limits->ifaces);
	if (rc == 0)
		rc = nexthops_init(&b->nexthops, b->epoch, limits->nexthops);
	if (rc == 0)
		rc = tunnels_init(&b->tunnels, b->epoch, limits->tunnels);
	if (rc == 0)
		rc = bfd_table_init(&b->bfd, b->epoch, BFD_SESSIONS_MAX);
	if (rc == 0)
		rc = counters_init(&b->counters, limits->workers, limits->slots);
	if (rc == 0)
		rc = policings_init(&b->policings, b->epoch, limits->slots);
	if (rc)
		return rc;
	b->neighbours = neigh_table_create(b->epoch, limits->neighbours);
	if (!b->neighbours)
		return fail();
	b->sas = sa_table_create(b->epoch, b->crypto, limits->workers, limits->sas);
	if (!b->sas)
		return fail();
	b->punt = punt_create(limits->workers, PUNT_RING);
	b->inject = b->punt ? inject_create(limits->workers, INJECT_RING) : NULL;
	b->events = b->inject ? events_create(EVENTS) : NULL;
	return b->events ? 0 : fail();
}

struct boundary *boundary_create(
    const struct boundary_limits *limits, struct crypto *crypto, struct rte_mempool *pool)
{
	struct boundary *b = record_new(sizeof(*b));
	int rc;

	b->workers = limits->workers;
	b->crypto = crypto;
	b->pool = b->pool_of[0] = pool;
	b->pools = 1;
	rc = build(b, limits);
	if (rc) {
		boundary_free(b);
		errno = -rc;
		return NULL;
	}
	return b;
}

void boundary_free(struct boundary *b)
{
	if (!b)
		return;
	trace_fini(&b->trace);
	events_free(b->events);
	inject_free(b->inject);
	punt_free(b->punt);
	if (b->epoch)
		epoch_flush(b->epoch); /* what is retired may refer to the tables below */
	policings_fini(&b->policings);
	bfd_table_fini(&b->bfd);
	tunnels_fini(&b->tunnels);
	sa_table_free(b->sas);
	nexthops_fini(&b->nexthops);
	neigh_table_free(b->neighbours);
	ifaces_fini(&b->ifaces);
	counters_fini(&b->counters);
	epoch_free(b->epoch);
	record_free(b);
}
