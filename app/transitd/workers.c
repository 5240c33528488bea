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

/* Once for a port: with which core, and which ones would be near. */
static void warn_of_distance(
    const struct conf *conf, const struct numa *numa, const struct port *port, unsigned worker)
{
	char cpus[256];
	struct text text = text_of(cpus, sizeof(cpus));

	numa_cpus("/sys", port->numa_node, &text);
	log_write(LOG_WARNING, LOG, port->name,
	    "its NIC is on NUMA node %d, and worker %u that polls it runs on core %u of node %d: all it receives crosses "
	    "the link between processors, which costs packets per second; `system: worker-cores` with cores of node "
	    "%d (%s), or a NIC in a slot of node %d, ends that",
	    port->numa_node, worker, conf->system.worker_cores[worker], numa->worker_node[worker],
	    port->numa_node, cpus, numa->worker_node[worker]);
}

int workers_deal(
    struct worker *all, const struct conf *conf, const struct numa *numa, const struct ports *ports)
{
	static struct queue_home homes[WORKERS_MAX * WORKER_QUEUES_MAX];
	unsigned count, workers = numa->workers;
	bool warned[PORTS_MAX] = {false};

	count = queues_deal(
	    ports->port, ports->count, numa->worker_node, workers, homes, RTE_DIM(homes));
	for (unsigned i = 0; i < count; i++) {
		const struct queue_home *h = &homes[i];

		if (i >= RTE_DIM(homes) ||
		    worker_add_queue(&all[h->worker], h->port, h->queue) < 0) {
			log_write(LOG_ERROR, LOG, NULL,
			    "%u rx queues are too many for %u workers: limit `queues` of ports",
			    count, workers);
			return -ENOSPC;
		}
		const struct port *port = ports->port[h->port];
		log_write(LOG_DEBUG, LOG, port->name, "queue %u is polled by worker %u", h->queue,
		    h->worker);
		if (!warned[h->port] && queues_far(port, numa->worker_node[h->worker])) {
			warn_of_distance(conf, numa, port, h->worker);
			warned[h->port] = true;
		}
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
