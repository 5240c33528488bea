/* SPDX-License-Identifier: BSD-3-Clause */

/* From the `ports:` of the startup file to open ports. */

#include "transitd/ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>

#include "base/log.h"
#include "base/text.h"
#include "drivers/buffers.h"

#define LOG "port"

int ports_plan(struct ports *ports, const struct conf *conf)
{
	memset(ports, 0, sizeof(*ports));
	if (conf->ports_count > PORTS_MAX) {
		log_write(LOG_ERROR, LOG, NULL, "%u ports are configured; at most %u can be opened",
		    conf->ports_count, PORTS_MAX);
		return -E2BIG;
	}
	for (unsigned i = 0; i < conf->ports_count; i++) {
		const struct conf_port *c = conf->ports[i];

		ports->spec[i] = (struct port_spec){
		    .name = c->name,
		    .device = c->device,
		    .index = (uint16_t)i,
		    .mtu = (uint16_t)c->mtu,
		    .queues = (uint16_t)c->queues,
		    .workers = (uint16_t)conf->system.worker_cores_count,
		    .descriptors = (uint16_t)c->descriptors,
		    .promiscuous = c->promiscuous,
		    .exclusive = c->exclusive,
		    .record_dir = conf->system.run_dir,
		    .node = port_home_node(c->device),
		};
		memcpy(ports->spec[i].mac.addr_bytes, c->mac.bytes, sizeof(c->mac.bytes));
	}
	ports->count = conf->ports_count;
	return 0;
}

int ports_check(const struct ports *ports)
{
	char why[PORT_WHY_MAX];
	int rc = 0;

	for (unsigned i = 0; i < ports->count; i++) {
		int one = port_check(&ports->spec[i], why);

		if (one < 0) {
			log_write(LOG_ERROR, LOG, ports->spec[i].name, "%s: %s",
			    ports->spec[i].device, why);
			rc = one;
		}
	}
	return rc;
}

static void add_pci(struct eal_facts *facts, const char *device)
{
	char address[32];

	if (facts->pci_count < EAL_PCI_MAX && port_is_pci(device, address))
		text_copy(facts->pci[facts->pci_count++], sizeof(facts->pci[0]), address);
}

/* Of one of the pools. */
static unsigned buffers_of(const struct ports *ports, const struct conf *conf, unsigned pool)
{
	bool receives[PORTS_MAX];

	for (unsigned i = 0; i < ports->count; i++)
		receives[i] = ports->homes.pool_of[i] == pool;
	return conf->system.buffers
	    ? conf->system.buffers
	    : packet_buffers(ports->spec, ports->count, conf->system.worker_cores_count, receives);
}

static uint16_t largest_mtu(const struct ports *ports)
{
	uint16_t mtu = 1500;

	for (unsigned i = 0; i < ports->count; i++)
		mtu = ports->spec[i].mtu > mtu ? ports->spec[i].mtu : mtu;
	return mtu;
}

static uint64_t bytes_of(const struct ports *ports, const struct conf *conf, unsigned pool)
{
	return packet_pool_bytes(buffers_of(ports, conf, pool), largest_mtu(ports));
}

static void choose(struct ports *ports, const struct numa *numa, uint32_t usable)
{
	int node[PORTS_MAX];

	for (unsigned i = 0; i < ports->count; i++)
		node[i] = ports->spec[i].node;
	homes_choose(&ports->homes, node, ports->count, numa->worker_node, numa->workers, usable);
}

static uint64_t first_of(const struct numa *numa, int node, uint64_t packets, bool workers)
{
	uint64_t first = eal_first_bytes(packets, workers);

	return first < numa->huge_free[node] ? first : numa->huge_free[node];
}

/*
 * First as if all ports were of one pool, which tells how much a node must have to be of use. Ordinary memory, and what
 * is shared with a vhost-user peer, DPDK keeps in one piece without regard to nodes.
 */
static void place(
    struct ports *ports, const struct conf *conf, const struct numa *numa, struct eal_facts *facts)
{
	int home;

	choose(ports, numa, 0);
	facts->packet_bytes = bytes_of(ports, conf, 0);
	facts->by_node = numa->several && facts->huge_pages && !facts->shares_memory;
	if (!facts->by_node)
		return;
	uint32_t usable = numa_usable(numa, facts->packet_bytes);
	choose(ports, numa, usable);
	memset(facts->first_on, 0, sizeof(facts->first_on));
	home = homes_of_workers(numa->worker_node, numa->workers, usable);
	if (home < 0)
		home = ports->homes.pool_node[0];
	for (unsigned i = 0; i < ports->homes.pools; i++) {
		int node = ports->homes.pool_node[i];

		if (node < 0) /* no node has room for them all: as EAL likes it */
			facts->by_node = false;
		else
			facts->first_on[node] =
			    first_of(numa, node, bytes_of(ports, conf, i), node == home);
	}
	if (facts->by_node && facts->first_on[home] == 0)
		facts->first_on[home] = first_of(numa, home, 0, true);
	for (unsigned i = 0; i < ports->count; i++) {
		if (ports->homes.away[i])
			log_write(LOG_WARNING, LOG, ports->spec[i].name,
			    "its NIC is on NUMA node %d, which has too few huge pages free for its packets (%llu MiB): "
			    "they lie on node %d, and cost more; HUGEPAGES of the service reserves some on all nodes",
			    ports->spec[i].node,
			    (unsigned long long)(facts->packet_bytes >> 20) + 1,
			    ports->homes.pool_node[ports->homes.pool_of[i]]);
	}
}

void ports_facts(
    struct ports *ports, const struct conf *conf, const struct numa *numa, struct eal_facts *facts)
{
	facts->pci_count = 0;
	facts->shares_memory = false;
	for (unsigned i = 0; i < ports->count; i++) {
		add_pci(facts, ports->spec[i].device);
		if (strstr(ports->spec[i].device, "virtio"))
			facts->shares_memory = true;
	}
	add_pci(facts, conf->system.crypto);
	place(ports, conf, numa, facts);
}

int ports_pools(struct ports *ports, const struct conf *conf, bool physical)
{
	uint16_t mtu = largest_mtu(ports);

	for (unsigned i = 0; i < ports->homes.pools; i++) {
		unsigned buffers = buffers_of(ports, conf, i);
		int node = ports->homes.pool_node[i];
		char name[32] = "packets";

		if (i > 0)
			snprintf(name, sizeof(name), "packets-%d", node);
		ports->pool[i] = packet_pool_create(name, buffers, mtu, physical, node);
		if (ports->pool[i])
			continue;
		log_write(LOG_ERROR, LOG, NULL,
		    "%u packet buffers of %u bytes do not fit into system.memory (%llu MiB): %s; "
		    "raise it, or lower system.buffers or the descriptors of ports",
		    buffers, packet_room(mtu), (unsigned long long)(conf->system.memory >> 20),
		    rte_strerror(rte_errno));
		int rc = rte_errno ? -rte_errno : -ENOMEM;
		ports_pools_free(ports);
		return rc;
	}
	return 0;
}

void ports_pools_free(struct ports *ports)
{
	for (unsigned i = 0; i < ports->homes.pools; i++) {
		rte_mempool_free(ports->pool[i]);
		ports->pool[i] = NULL;
	}
}

int ports_open(struct ports *ports)
{
	char why[PORT_WHY_MAX];

	for (unsigned i = 0; i < ports->count; i++) {
		struct port_spec *spec = &ports->spec[i];

		spec->pool = ports->pool[ports->homes.pool_of[i]];
		/* workers send buffers unshared and unchained, but of any pool */
		spec->fast_free = ports->homes.pools == 1;
		ports->port[i] = port_open(spec, why);
		if (!ports->port[i]) {
			int rc = -errno;

			log_write(LOG_ERROR, LOG, spec->name, "%s: %s", spec->device, why);
			ports_close(ports);
			return rc;
		}
		log_write(LOG_INFO, LOG, spec->name, "%s: %u rx and %u tx queues, mtu %u%s%s%s",
		    spec->device, ports->port[i]->rx_queues, ports->port[i]->tx_queues, spec->mtu,
		    ports->port[i]->tx_shared ? ", workers share tx queues" : "",
		    ports->port[i]->rx_queues > 1 ? ", flows are spread " : "",
		    ports->port[i]->rx_queues > 1 ? ports->port[i]->spread : "");
	}
	return 0;
}

void ports_close(struct ports *ports)
{
	for (unsigned i = ports->count; i-- > 0;) {
		port_close(ports->port[i]);
		ports->port[i] = NULL;
	}
}
