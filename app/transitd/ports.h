/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_PORTS_H
#define TRANSITD_PORTS_H

/* The ports of the startup file, all together, in its order. */

#include "conf/conf.h"
#include "drivers/port.h"
#include "transitd/eal.h"

struct ports {
	unsigned count;
	struct port_spec spec[PORTS_MAX];
	struct port *port[PORTS_MAX];
};

/* Fills in the specs. 0, or -E2BIG after a log line. */
int ports_plan(struct ports *ports, const struct conf *conf);
/* Before EAL: 0, or -errno after a log line for each port that cannot be opened. */
int ports_check(const struct ports *ports);
/* What EAL must know of devices: PCI addresses of ports and of the crypto device if it is one, and
 * whether memory is shared with a vhost-user peer. */
void ports_facts(const struct ports *ports, const struct conf *conf, struct eal_facts *facts);

/* The pool for all of them. NULL with errno after a log line. */
struct rte_mempool *ports_pool(const struct ports *ports, const struct conf *conf, bool physical);
/* All or none. 0, or -errno after a log line. */
int ports_open(struct ports *ports, struct rte_mempool *pool);
void ports_close(struct ports *ports);

#endif
