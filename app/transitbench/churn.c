/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A thread changes routes and rekeys by the clock in every second period; what a packet costs is the average of each kind
 * of period. The slowest hundredth of all bursts is left out, in which something else had the core.
 */

#include "transitbench/churn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "base/mem.h"
#include "transitbench/measure.h"

#define PERIOD_MS   20
#define SAMPLES_MAX 262144
#define FIRST_SPI   0x40000000

struct churn {
	struct site *s;
	_Atomic bool on, stop;
	int rc;
	uint64_t routes, rekeys;
};

/* Each route in turn takes the detour, which costs packets as much, then leads where it led before. */
static int change_route(struct churn *c)
{
	struct site *s = c->s;
	struct ip_addr a = ip_v4(SITE_ROUTES + ((uint32_t)(c->routes / 2 % s->routes) << 8));
	struct ip_prefix p = ip_prefix_of(&a, 24);
	uint32_t leaf = s->route_leaf[c->routes / 2 % s->route_leaves];

	return fib_set(s->fib, &p, c->routes++ % 2 ? leaf : s->detour);
}

static void *control(void *arg)
{
	struct churn *c = arg;
	const uint64_t hz = rte_get_tsc_hz();
	uint64_t due = rte_rdtsc(), rekey = due;

	while (!atomic_load(&c->stop) && c->rc == 0) {
		uint64_t now = rte_rdtsc();

		if (!atomic_load(&c->on)) {
			due += now > due ? now - due : 0;
			rte_pause();
			continue;
		}
		if (now < due)
			continue;
		due += hz / CHURN_ROUTES;
		c->rc = change_route(c);
		if (c->rc == 0 && now >= rekey && c->s->out_sa[0]) {
			rekey = now + hz / CHURN_REKEYS;
			c->rc = site_rekey(c->s, 0, FIRST_SPI + (uint32_t)c->rekeys++);
		}
		epoch_reclaim(c->s->b->epoch);
	}
	return NULL;
}

struct samples {
	unsigned n;
	float ticks[SAMPLES_MAX]; /* of a burst */
};

/* Core cycles per packet. */
static double average(struct samples *s)
{
	unsigned kept = s->n - s->n / 100;
	double sum = 0;

	if (kept == 0)
		return 0;
	times_sort(s->ticks, s->n);
	for (unsigned i = 0; i < kept; i++)
		sum += (double)s->ticks[i];
	return sum / kept / BURST_MAX / ticks_per_cycle();
}

static int period(struct churn *c, struct samples *to)
{
	uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 1000 * PERIOD_MS;

	while (rte_rdtsc() < end && to->n < SAMPLES_MAX) {
		double ticks;
		int rc = measure_burst(c->s, &ticks);

		if (rc < 0)
			return rc;
		to->ticks[to->n++] = (float)ticks;
	}
	return 0;
}

static int start(struct churn *c, unsigned core, pthread_t *thread)
{
	pthread_attr_t attr;
	cpu_set_t cpus;
	int rc;

	CPU_ZERO(&cpus);
	CPU_SET(core, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	rc = pthread_create(thread, &attr, control, c);
	pthread_attr_destroy(&attr);
	return -rc;
}

int churn_measure(struct site *s, unsigned core, double seconds, struct churned *out)
{
	struct samples *samples = xcalloc(2, sizeof(*samples));
	const unsigned periods = (unsigned)(seconds * 1000 / PERIOD_MS) + 2;
	struct churn c = {.s = s};
	pthread_t thread;
	int rc = start(&c, core, &thread);

	if (rc == 0) {
		for (unsigned i = 0; i < periods && rc == 0; i++) {
			atomic_store(&c.on, i % 2);
			rc = period(&c, &samples[i % 2]);
		}
		atomic_store(&c.stop, true);
		pthread_join(thread, NULL);
	}
	*out = (struct churned){average(&samples[0]), average(&samples[1]), c.routes, c.rekeys};
	free(samples);
	return rc ? rc : c.rc;
}
