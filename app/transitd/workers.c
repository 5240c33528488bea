/* SPDX-License-Identifier: BSD-3-Clause */

/* Which worker polls what, and where it runs. */

#include "transitd/workers.h"

#include <errno.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "base/log.h"
#include "drivers/queues.h"

#define LOG       "workers"
#define LCORE(id) ((id) + 1)

int workers_deal(struct worker *all, unsigned workers, const struct ports *ports)
{
	static struct queue_home homes[WORKERS_MAX * WORKER_QUEUES_MAX];
	int node[WORKERS_MAX];
	unsigned count;

	for (unsigned w = 0; w < workers; w++)
		node[w] = (int)rte_lcore_to_socket_id(LCORE(w));
	count = queues_deal(ports->port, ports->count, node, workers, homes, RTE_DIM(homes));
	for (unsigned i = 0; i < count; i++) {
		const struct queue_home *h = &homes[i];

		if (i >= RTE_DIM(homes) ||
		    worker_add_queue(&all[h->worker], h->port, h->queue) < 0) {
			log_write(LOG_ERROR, LOG, NULL,
			    "%u rx queues are too many for %u workers: limit `queues` of ports",
			    count, workers);
			return -ENOSPC;
		}
		log_write(LOG_DEBUG, LOG, ports->port[h->port]->name,
		    "queue %u is polled by worker %u", h->queue, h->worker);
	}
	return 0;
}

int workers_launch(struct boundary *b, struct worker *all)
{
	for (unsigned w = 0; w < b->workers; w++) {
		int rc = rte_eal_remote_launch(worker_main, &all[w], LCORE(w));

		if (rc < 0) {
			log_write(
			    LOG_ERROR, LOG, NULL, "worker %u does not start: %s", w, strerror(-rc));
			workers_join(b);
			return rc;
		}
	}
	return 0;
}

void workers_join(struct boundary *b)
{
	atomic_store(&b->stop, true);
	rte_eal_mp_wait_lcore();
}
