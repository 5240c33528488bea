/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A stack of parts that are started in the order of a table and stopped in the reverse one, so that
 * nothing half-started stays and nothing outlives what it needs.
 */

#include "transitd/instance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>

#include "base/log.h"
#include "boundary/boundary.h"
#include "boundary/near.h"
#include "router/router.h"
#include "router/tunnels/leases.h"
#include "transitd/cpus.h"
#include "transitd/dpdk_log.h"
#include "transitd/eal.h"
#include "transitd/limits.h"
#include "transitd/lockdown.h"
#include "transitd/numa.h"
#include "transitd/ports.h"
#include "transitd/privileges.h"
#include "transitd/resident.h"
#include "transitd/run_dir.h"
#include "transitd/service.h"
#include "transitd/steering.h"
#include "transitd/workers.h"

#define LOG "transitd"

#define HUGE_PAGES_DIR "/sys/kernel/mm/hugepages"

struct instance {
	const struct args *args;
	struct conf *conf;
	struct startup *startup;
	struct run_dir *run_dir, *state_dir;
	char socket_path[512];
	struct ports ports;
	struct numa numa;
	struct eal_facts eal;
	char eal_prefix[EAL_PREFIX_MAX];
	struct boundary_limits limits;
	struct crypto *crypto;
	struct boundary *boundary;
	struct worker *workers;
	struct router *router;
};

/* A function that made nothing of value says so with errno. */
static int errno_or(int rc)
{
	return errno ? -errno : rc;
}

/* ---- the parts: start gives 0, or -errno after a log line ---- */

static int directories_start(struct instance *in)
{
	const struct conf_system *system = &in->conf->system;
	int rc;

	in->run_dir = run_dir_enter(system->run_dir);
	if (!in->run_dir)
		return errno_or(-EIO);
	in->state_dir = state_dir_enter(system->state_dir);
	if (!in->state_dir) {
		rc = errno_or(-EIO);
		run_dir_leave(in->run_dir);
		return rc;
	}
	rc = leases_write(system->state_dir, in->conf);
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL,
		    "system.state-dir %s: %s; gateway addresses may be others after a restart",
		    system->state_dir, strerror(-rc));
	snprintf(in->socket_path, sizeof(in->socket_path), "%s/transitd.sock", system->run_dir);
	return 0;
}

static void directories_stop(struct instance *in)
{
	run_dir_leave(in->state_dir);
	run_dir_leave(in->run_dir);
}

/* All that can be told before EAL runs, in one go. */
static int checks_start(struct instance *in)
{
	cpu_set_t allowed;
	int rc = 0, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		rc = cpus_check(&in->conf->system, &allowed);
	numa_look(&in->numa, "/sys", &in->conf->system);
	one = ports_plan(&in->ports, in->conf);
	rc = one < 0 ? one : rc;
	one = ports_check(&in->ports);
	return one < 0 ? one : rc;
}

static int eal_part_start(struct instance *in)
{
	const struct conf_system *system = &in->conf->system;
	int rc = eal_choose_memory(
	    system, in->args->no_huge, eal_huge_free(HUGE_PAGES_DIR), &in->eal.huge_pages);

	if (rc < 0)
		return rc;
	eal_prefix(system->run_dir, in->eal_prefix);
	in->eal.prefix = in->eal_prefix;
	in->eal.log_level = log_level();
	numa_settle(&in->numa);
	near_learn(in->numa.worker_node, in->numa.workers);
	ports_facts(&in->ports, in->conf, &in->numa, &in->eal);
	return eal_start(system, &in->eal);
}

static void eal_part_stop(struct instance *in)
{
	eal_stop();
}

static int ports_start(struct instance *in)
{
	int rc = ports_pools(&in->ports, in->conf, in->eal.pci_count > 0);

	if (rc < 0)
		return rc;
	rc = ports_open(&in->ports);
	if (rc < 0)
		ports_pools_free(&in->ports);
	return rc;
}

static void ports_stop(struct instance *in)
{
	ports_close(&in->ports);
	ports_pools_free(&in->ports);
}

static int crypto_start(struct instance *in)
{
	const char *name = in->conf->system.crypto, *why = "";

	in->limits = limits_of(in->conf);
	in->crypto = crypto_open(name, in->limits.workers, limits_sessions(&in->limits), &why);
	if (in->crypto)
		return 0;
	int rc = errno_or(-ENODEV);
	log_write(LOG_ERROR, LOG, NULL, "system.crypto %s: %s", in->conf->system.crypto,
	    why ? why : strerror(-rc));
	return rc;
}

static void crypto_stop(struct instance *in)
{
	crypto_close(in->crypto);
}

static int code_start(struct instance *in)
{
	resident_code();
	return 0;
}

static int boundary_start(struct instance *in)
{
	in->boundary = boundary_create(&in->limits, in->crypto, in->ports.pool[0]);
	if (!in->boundary) {
		int rc = errno_or(-ENOMEM);
		log_write(LOG_ERROR, LOG, NULL, "tables of workers: %s; raise system.memory",
		    strerror(-rc));
		return rc;
	}
	in->boundary->ports = in->ports.count;
	memcpy(in->boundary->port, in->ports.port, sizeof(in->ports.port));
	in->boundary->pools = in->ports.homes.pools;
	memcpy(in->boundary->pool_of, in->ports.pool, sizeof(in->ports.pool));
	return 0;
}

static void boundary_stop(struct instance *in)
{
	boundary_free(in->boundary);
}

static int workers_start(struct instance *in)
{
	in->workers = workers_create(in->boundary, in->conf->system.poll == CONF_POLL_ADAPTIVE);
	if (!in->workers) {
		log_write(LOG_ERROR, LOG, NULL, "workers: no memory; raise system.memory");
		return errno_or(-ENOMEM);
	}
	int rc = workers_deal(in->workers, in->conf, &in->numa, &in->ports);
	if (rc < 0)
		workers_free(in->workers, in->limits.workers);
	return rc;
}

static void workers_stop(struct instance *in)
{
	workers_free(in->workers, in->limits.workers);
}

static int router_start(struct instance *in)
{
	struct router_setup setup = {
	    .conf = in->conf,
	    .startup = in->startup,
	    .boundary = in->boundary,
	    .socket_path = in->socket_path,
	    .huge_pages = in->eal.huge_pages,
	    .link_up = port_link_up,
	    .link_events = port_link_events,
	    .tend = port_tend,
	    .steer = steering_apply,
	    .counts = port_counts,
	    .alive = service_alive,
	};

	in->router = router_create(&setup);
	return in->router ? 0 : errno_or(-EIO);
}

static void router_stop_part(struct instance *in)
{
	router_free(in->router);
}

static int polling_start(struct instance *in)
{
	return workers_launch(in->boundary, in->workers);
}

static void polling_stop(struct instance *in)
{
	workers_join(in->boundary);
}

static const struct part {
	int (*start)(struct instance *in);
	void (*stop)(struct instance *in); /* NULL: nothing to undo */
} parts[] = {
    {checks_start, NULL},
    {directories_start, directories_stop},
    {eal_part_start, eal_part_stop},
    {ports_start, ports_stop},
    {crypto_start, crypto_stop},
    {code_start, NULL}, /* by now all libraries and drivers are loaded */
    {boundary_start, boundary_stop},
    {workers_start, workers_stop},
    {router_start, router_stop_part},
    {polling_start, polling_stop},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

int instance_run(const struct args *args, struct conf *conf, struct startup *startup)
{
	struct instance in = {.args = args, .conf = conf, .startup = startup};
	unsigned started = 0;
	int rc = 0;

	while (started < PARTS && rc == 0) {
		errno = 0;
		rc = parts[started].start(&in);
		if (rc == 0)
			started++;
	}
	if (rc == 0) {
		dpdk_log_run();
		privileges_drop(in.eal.huge_pages && rte_eal_iova_mode() == RTE_IOVA_PA);
		lockdown();
		service_ready("running");
		rc = router_run(in.router);
		service_stopping();
	} else {
		dpdk_log_tell();
	}
	while (started-- > 0) {
		if (parts[started].stop)
			parts[started].stop(&in);
	}
	return rc;
}
