/* SPDX-License-Identifier: BSD-3-Clause */

/* One CPU for control and one for each worker, each of its own. */

#include "transitd/cpus.h"

#include <errno.h>

#include "base/log.h"
#include "base/text.h"

#define LOG "cpus"

/* "0-3,8" */
static void list_cpus(const cpu_set_t *set, struct text *out)
{
	for (int i = 0, last; i < CPU_SETSIZE; i = last + 1) {
		last = i;
		if (!CPU_ISSET(i, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		text_addf(out, "%s%d", out->len ? "," : "", i);
		if (last > i)
			text_addf(out, "-%d", last);
	}
}

static int check_one(
    const char *key, uint32_t cpu, cpu_set_t *taken, const cpu_set_t *allowed, const char *list)
{
	if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed)) {
		log_write(LOG_ERROR, LOG, NULL,
		    "%s: CPU %u is none of those this process may use: %s", key, cpu, list);
		return -EINVAL;
	}
	if (CPU_ISSET(cpu, taken)) {
		log_write(LOG_ERROR, LOG, NULL,
		    "%s: CPU %u is taken already; control and every worker need one of their own",
		    key, cpu);
		return -EINVAL;
	}
	CPU_SET(cpu, taken);
	return 0;
}

int cpus_check(const struct conf_system *system, const cpu_set_t *allowed)
{
	char list[256];
	struct text text = text_of(list, sizeof(list));
	cpu_set_t taken;
	int rc;

	CPU_ZERO(&taken);
	list_cpus(allowed, &text);
	if (CPU_COUNT(allowed) < 2) {
		log_write(LOG_ERROR, LOG, NULL,
		    "this process may use one CPU only (%s); control and a worker need two", list);
		return -EINVAL;
	}
	rc = check_one("system.control-core", system->control_core, &taken, allowed, list);
	for (unsigned i = 0; i < system->worker_cores_count; i++) {
		if (check_one(
			"system.worker-cores", system->worker_cores[i], &taken, allowed, list) < 0)
			rc = -EINVAL;
	}
	return rc;
}
