/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_PORTS_H
#define TRANSITD_PORTS_H

/* The ports of the startup file, all together, in its order. */

#include "conf/conf.h"
#include "drivers/homes.h"
#include "drivers/port.h"
#include "transitd/eal.h"
#include "transitd/numa.h"

struct ports {
	unsigned count;
	struct port_spec spec[PORTS_MAX];
	struct port *port[PORTS_MAX];
	struct port_homes homes;
	struct rte_mempool *pool[NUMA_NODES_MAX]; /* by homes */
};

/* Fills in the specs. 0, or -E2BIG after a log line. */
int ports_plan(struct ports *ports, const struct conf *conf);
/* Before EAL: 0, or -errno after a log line for each port that cannot be opened. */
int ports_check(const struct ports *ports);
/*
 * What EAL must know of devices: PCI addresses of ports and of the crypto device if it is one, whether memory is shared
 * with a vhost-user peer, and how much there must be on which NUMA node. Settles where packets of ports lie, and warns of
 * ports that are far from their workers. facts->huge_pages is set before.
 */
void ports_facts(
    struct ports *ports, const struct conf *conf, const struct numa *numa, struct eal_facts *facts);

/* Their pools. 0, or -errno after a log line; then there are none. */
int ports_pools(struct ports *ports, const struct conf *conf, bool physical);
void ports_pools_free(struct ports *ports);
/* All or none. 0, or -errno after a log line. */
int ports_open(struct ports *ports);
void ports_close(struct ports *ports);

#endif
