/* SPDX-License-Identifier: BSD-3-Clause */

/* How large the tables that workers share are made: they do not grow while workers run. */

#include "transitd/limits.h"

#define TUNNELS_MIN  256
#define IFACES_MIN   128
#define NEXTHOPS_MIN 16384
#define NEIGHBOURS   16384
#define SLOTS_SPARE  64

#define CHILD_SAS 4 /* per tunnel: one per inner family, and its successor during a rekey */

static uint32_t at_least(uint32_t n, uint32_t min)
{
	return n > min ? n : min;
}

static uint32_t at_most(uint32_t n, uint32_t max)
{
	return n < max ? n : max;
}

struct boundary_limits limits_of(const struct conf *conf)
{
	uint32_t tunnels = 0;
	struct boundary_limits l = {.workers = conf->system.worker_cores_count};

	for (unsigned i = 0; i < conf->vpn_connections_count; i++)
		tunnels += conf->vpn_connections[i]->tunnels_count;
	l.tunnels = at_most(at_least(2 * tunnels, TUNNELS_MIN), UINT16_MAX / 2);
	l.ifaces = at_most(at_least(2 * (conf->ports_count + conf->attachments_count), IFACES_MIN),
	    UINT16_MAX / 4);
	l.neighbours = NEIGHBOURS;
	l.nexthops =
	    at_most(at_least(4 * (l.tunnels + l.ifaces), NEXTHOPS_MIN), FIB_NEXTHOP_MAX + 1);
	l.sas = CHILD_SAS * l.tunnels;
	l.slots = l.tunnels + l.ifaces + SLOTS_SPARE;
	return l;
}

unsigned limits_sessions(const struct boundary_limits *limits)
{
	return 2 * limits->sas;
}
