/* SPDX-License-Identifier: BSD-3-Clause */

/* From the `ports:` of the startup file to open ports. */

#include "transitd/ports.h"

#include <errno.h>
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
		    /* workers send buffers of the one pool, unshared and unchained */
		    .fast_free = true,
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

static unsigned buffers_of(const struct ports *ports, const struct conf *conf)
{
	return conf->system.buffers
	    ? conf->system.buffers
	    : packet_buffers(ports->spec, ports->count, conf->system.worker_cores_count);
}

static uint16_t largest_mtu(const struct ports *ports)
{
	uint16_t mtu = 1500;

	for (unsigned i = 0; i < ports->count; i++)
		mtu = ports->spec[i].mtu > mtu ? ports->spec[i].mtu : mtu;
	return mtu;
}

void ports_facts(const struct ports *ports, const struct conf *conf, struct eal_facts *facts)
{
	facts->packet_bytes = packet_pool_bytes(buffers_of(ports, conf), largest_mtu(ports));
	facts->pci_count = 0;
	facts->shares_memory = false;
	for (unsigned i = 0; i < ports->count; i++) {
		add_pci(facts, ports->spec[i].device);
		if (strstr(ports->spec[i].device, "virtio"))
			facts->shares_memory = true;
	}
	add_pci(facts, conf->system.crypto);
}

struct rte_mempool *ports_pool(const struct ports *ports, const struct conf *conf, bool physical)
{
	unsigned buffers = buffers_of(ports, conf);
	uint16_t mtu = largest_mtu(ports);
	struct rte_mempool *pool;

	pool = packet_pool_create("packets", buffers, mtu, physical);
	if (!pool) {
		log_write(LOG_ERROR, LOG, NULL,
		    "%u packet buffers of %u bytes do not fit into system.memory (%llu MiB): %s; "
		    "raise it, or lower system.buffers or the descriptors of ports",
		    buffers, packet_room(mtu), (unsigned long long)(conf->system.memory >> 20),
		    rte_strerror(rte_errno));
		errno = rte_errno;
	}
	return pool;
}

int ports_open(struct ports *ports, struct rte_mempool *pool)
{
	char why[PORT_WHY_MAX];

	for (unsigned i = 0; i < ports->count; i++) {
		struct port_spec *spec = &ports->spec[i];

		spec->pool = pool;
		ports->port[i] = port_open(spec, why);
		if (!ports->port[i]) {
			int rc = -errno;

			log_write(LOG_ERROR, LOG, spec->name, "%s: %s", spec->device, why);
			ports_close(ports);
			return rc;
		}
		log_write(LOG_INFO, LOG, spec->name, "%s: %u rx and %u tx queues, mtu %u%s",
		    spec->device, ports->port[i]->rx_queues, ports->port[i]->tx_queues, spec->mtu,
		    ports->port[i]->tx_shared ? ", workers share tx queues" : "");
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
