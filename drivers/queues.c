/* SPDX-License-Identifier: BSD-3-Clause */

/* One queue after the other goes to the worker that suits it best at that moment. */

#include "drivers/queues.h"

struct load {
	unsigned of_port; /* queues of the port that is being dealt */
	unsigned total;
	bool far;
};

/* Fewer queues of this port first, then a near worker, then one with fewer queues at all. */
static bool is_better(const struct load *a, const struct load *b)
{
	if (a->of_port != b->of_port)
		return a->of_port < b->of_port;
	if (a->far != b->far)
		return !a->far;
	return a->total < b->total;
}

static unsigned best_worker(const struct load load[], unsigned workers)
{
	unsigned best = 0;

	for (unsigned w = 1; w < workers; w++) {
		if (is_better(&load[w], &load[best]))
			best = w;
	}
	return best;
}

bool queues_far(const struct port *port, int worker_node)
{
	return port->numa_node >= 0 && worker_node >= 0 && port->numa_node != worker_node;
}

unsigned queues_deal(struct port *const ports[], unsigned count, const int worker_node[],
    unsigned workers, struct queue_home homes[], unsigned max)
{
	struct load load[WORKERS_MAX] = {0};
	unsigned n = 0;

	for (unsigned p = 0; p < count; p++) {
		for (unsigned w = 0; w < workers; w++) {
			load[w].of_port = 0;
			load[w].far = queues_far(ports[p], worker_node[w]);
		}
		for (uint16_t q = 0; q < ports[p]->rx_queues; q++, n++) {
			unsigned w = best_worker(load, workers);

			load[w].of_port++;
			load[w].total++;
			if (n < max)
				homes[n] = (struct queue_home){ports[p]->index, q, (uint16_t)w};
		}
	}
	return n;
}
