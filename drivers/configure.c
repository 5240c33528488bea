/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From what a device can and what the startup file wants to a configured device. Each step fills in
 * a part of `struct setup` or hands a part of it to the device.
 */

#include "drivers/configure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "drivers/buffers.h"
#include "drivers/kernel_if.h"
#include "drivers/rss.h"
#include "drivers/vlans.h"

#define LOG "port"

#define PAGE 4096u

struct setup {
	const struct port_spec *spec;
	const struct device *device;
	struct port *port;
	struct rte_eth_dev_info info;
	unsigned driver_traits; /* enum device_traits */
	struct rte_eth_conf conf;
	uint16_t rx_descriptors;
	uint16_t tx_descriptors;
	bool mtu_by_kernel;
	char *why;
};

static void choose_queues(struct setup *s, uint16_t wanted)
{
	uint16_t rx = RTE_MIN(wanted, s->info.max_rx_queues);
	uint16_t tx = RTE_MIN(s->spec->workers, s->info.max_tx_queues);

	if (s->spec->queues)
		tx = RTE_MIN(tx, s->spec->queues);
	if (s->driver_traits & DEVICE_PAIRED)
		tx = rx;
	s->port->rx_queues = rx;
	s->port->tx_queues = RTE_MIN(tx, WORKERS_MAX);
	s->port->tx_shared = s->port->tx_queues < s->spec->workers;
	for (unsigned w = 0; w < s->spec->workers; w++)
		s->port->tx_queue_of[w] = (uint16_t)(w % s->port->tx_queues);
	for (unsigned q = 0; q < WORKERS_MAX; q++)
		rte_spinlock_init(&s->port->tx_lock[q]);
}

static void choose_offloads(struct setup *s)
{
	bool checksum = !(s->driver_traits & DEVICE_SLOW_CHECKSUM);
	uint64_t rx = checksum ? RTE_ETH_RX_OFFLOAD_IPV4_CKSUM : 0;
	uint64_t tx = checksum ? RTE_ETH_TX_OFFLOAD_IPV4_CKSUM : 0;

	if (s->spec->fast_free)
		tx |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	if (s->spec->chained)
		tx |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	rx = (rx & s->info.rx_offload_capa) | vlans_offload(&s->info);
	tx &= s->info.tx_offload_capa;
	s->conf.rxmode.offloads = rx;
	s->conf.txmode.offloads = tx;
	s->port->rx_checksum = rx & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
	s->port->tx_checksum = tx & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
}

static void choose_rss(struct setup *s)
{
	struct rss_choice rss = rss_choose(&s->info, s->port->rx_queues);

	s->port->spread = rss_words(&rss);
	if (rss.types == 0)
		return;
	s->conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	s->conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
	    .rss_key = (uint8_t *)(uintptr_t)rss.key,
	    .rss_key_len = rss.key_bytes,
	    .rss_hf = rss.types,
	};
}

/* The largest IP packet that ethdev lets the device have. */
static uint32_t largest_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		return info->max_mtu;
	return RTE_MIN(info->max_rx_pktlen - overhead, (uint32_t)info->max_mtu);
}

/* From one buffer of the pool to the next. */
static uint32_t pool_step(const struct rte_mempool *pool)
{
	return pool->header_size + pool->elt_size + pool->trailer_size;
}

/* AF_XDP takes the pool for an array of equal buffers in one piece, none larger than a page. */
static int check_array(struct setup *s)
{
	const struct rte_mempool *pool = s->spec->pool;
	size_t array = (size_t)pool->populated_size * pool_step(pool);

	if (pool_step(pool) > PAGE)
		return device_refuse(s->why, -EMSGSIZE,
		    "AF_XDP takes buffers of at most %u bytes and the largest mtu of all ports "
		    "makes them %u; use another kind of device, or an mtu of 1500 on all ports",
		    PAGE, pool_step(pool));
	if (pool->nb_mem_chunks != 1 || STAILQ_FIRST(&pool->mem_list)->len >= array + 2 * PAGE)
		return device_refuse(s->why, -ENOTSUP,
		    "AF_XDP needs all packet buffers in one row, which hardware ports prevent on "
		    "these huge pages; use pages of 1 GiB, or other devices");
	return 0;
}

static int choose_mtu(struct setup *s)
{
	uint32_t largest = largest_mtu(&s->info);
	uint32_t room = rte_pktmbuf_data_room_size(s->spec->pool) - RTE_PKTMBUF_HEADROOM;

	if (room < packet_room(s->spec->mtu))
		return device_refuse(s->why, -ENOSPC,
		    "packet buffers of %u bytes are too small for mtu %u", room, s->spec->mtu);
	s->mtu_by_kernel = (s->device->kind->traits & DEVICE_KERNEL_MTU) && s->spec->mtu > largest;
	if (s->spec->mtu > largest && !s->mtu_by_kernel)
		return device_refuse(s->why, -EMSGSIZE,
		    "mtu %u: a device of kind %s carries at most %u", s->spec->mtu,
		    s->info.driver_name, largest);
	if (s->driver_traits & DEVICE_ARRAY_POOL) {
		int rc = check_array(s);
		if (rc < 0)
			return rc;
	}
	s->conf.rxmode.mtu = (uint32_t)RTE_MIN(s->spec->mtu, largest);
	s->port->mtu = s->spec->mtu;
	return 0;
}

/* A queue of an AF_XDP interface is free a moment after the socket that had it was closed. */
#define BUSY_TRIES   40
#define BUSY_WAIT_US 25000

static int setup_rx_queue(
    struct setup *s, uint16_t queue, unsigned node, const struct rte_eth_rxconf *conf)
{
	unsigned tries = s->driver_traits & DEVICE_XDP ? BUSY_TRIES : 1;
	int rc = 0;

	while (tries-- > 0) {
		rc = rte_eth_rx_queue_setup(
		    s->port->dpdk_id, queue, s->rx_descriptors, node, conf, s->spec->pool);
		if (rc == 0)
			break;
		if (tries > 0)
			usleep(BUSY_WAIT_US);
	}
	return rc;
}

static int setup_queues(struct setup *s)
{
	struct rte_eth_rxconf rxconf = s->info.default_rxconf;
	struct rte_eth_txconf txconf = s->info.default_txconf;
	uint16_t id = s->port->dpdk_id;
	unsigned node = (unsigned)s->spec->pool->socket_id; /* rings beside the packets */

	rxconf.offloads = s->conf.rxmode.offloads;
	txconf.offloads = s->conf.txmode.offloads;
	for (uint16_t q = 0; q < s->port->rx_queues; q++) {
		int rc = setup_rx_queue(s, q, node, &rxconf);
		if (rc < 0)
			return device_refuse(s->why, rc, "rx queue %u of %u (%u descriptors): %s",
			    q, s->port->rx_queues, s->rx_descriptors, strerror(-rc));
	}
	for (uint16_t q = 0; q < s->port->tx_queues; q++) {
		int rc = rte_eth_tx_queue_setup(id, q, s->tx_descriptors, node, &txconf);
		if (rc < 0)
			return device_refuse(s->why, rc, "tx queue %u of %u (%u descriptors): %s",
			    q, s->port->tx_queues, s->tx_descriptors, strerror(-rc));
	}
	return 0;
}

static int configure_device(struct setup *s)
{
	uint16_t id = s->port->dpdk_id;

	s->conf.intr_conf.lsc = s->port->link_interrupt;
	int rc = rte_eth_dev_configure(id, s->port->rx_queues, s->port->tx_queues, &s->conf);

	if (rc < 0)
		return device_refuse(s->why, rc, "%s refuses %u rx and %u tx queues: %s",
		    s->info.driver_name, s->port->rx_queues, s->port->tx_queues, strerror(-rc));
	s->rx_descriptors = s->tx_descriptors = s->spec->descriptors;
	rc = rte_eth_dev_adjust_nb_rx_tx_desc(id, &s->rx_descriptors, &s->tx_descriptors);
	if (rc < 0)
		return device_refuse(s->why, rc, "%u descriptors per queue: %s",
		    s->spec->descriptors, strerror(-rc));
	return setup_queues(s);
}

/* What many virtual devices cannot do, and then need not: -ENOTSUP is no failure. */
static int apply_mtu(struct setup *s)
{
	int rc;

	if (s->mtu_by_kernel)
		rc = kernel_if_set_mtu(s->device->target, s->spec->mtu);
	else
		rc = rte_eth_dev_set_mtu(s->port->dpdk_id, s->spec->mtu);
	if (rc < 0 && rc != -ENOTSUP)
		return device_refuse(
		    s->why, rc, "mtu %u is refused: %s", s->spec->mtu, strerror(-rc));
	return 0;
}

static int apply_mac(struct setup *s)
{
	struct rte_ether_addr mac = s->spec->mac;
	uint16_t id = s->port->dpdk_id;

	if (!rte_is_zero_ether_addr(&mac) && (s->device->kind->traits & DEVICE_XDP)) {
		s->port->mac = mac; /* beside that of the interface, which stays the host's */
		return 0;
	}
	if (!rte_is_zero_ether_addr(&mac)) {
		int rc = rte_eth_dev_default_mac_addr_set(id, &mac);
		if (rc < 0)
			return device_refuse(
			    s->why, rc, "its MAC address cannot be set: %s", strerror(-rc));
	}
	return rte_eth_macaddr_get(id, &s->port->mac);
}

static int apply_filters(struct setup *s)
{
	uint16_t id = s->port->dpdk_id;
	int rc = s->spec->promiscuous ? rte_eth_promiscuous_enable(id) : 0;

	if (rc < 0 && rc != -ENOTSUP)
		return device_refuse(s->why, rc, "promiscuous mode is refused: %s", strerror(-rc));
	rc = rte_eth_allmulticast_enable(id); /* neighbour discovery */
	if (rc < 0 && rc != -ENOTSUP)
		log_write(LOG_WARNING, LOG, s->spec->name, "does not receive all multicast: %s",
		    strerror(-rc));
	return 0;
}

/* Hardware, and the one virtual device that follows its link on a thread of its own. */
static bool has_link_interrupt(const struct setup *s)
{
	unsigned traits = s->device->kind->traits | s->driver_traits;

	return (traits & (DEVICE_PCI | DEVICE_LINK_EVENTS)) &&
	    (*s->info.dev_flags & RTE_ETH_DEV_INTR_LSC);
}

int port_configure(const struct port_spec *spec, const struct device *device, uint16_t queues,
    bool interrupts, struct port *port, char why[PORT_WHY_MAX])
{
	struct setup s = {.spec = spec, .device = device, .port = port, .why = why};
	int rc = rte_eth_dev_info_get(port->dpdk_id, &s.info);

	if (rc < 0)
		return device_refuse(
		    why, rc, "the device tells nothing of itself: %s", strerror(-rc));
	if (s.info.max_rx_queues == 0 || s.info.max_tx_queues == 0)
		return device_refuse(why, -ENOTSUP,
		    "%s has no rx or no tx queue here; a port needs both", s.info.driver_name);
	port->numa_node = spec->node;
	s.driver_traits = device_driver_traits(s.info.driver_name);
	port->link_interrupt = interrupts && has_link_interrupt(&s);
	choose_queues(&s, queues);
	choose_offloads(&s);
	choose_rss(&s);
	rc = choose_mtu(&s);
	if (rc == 0)
		rc = configure_device(&s);
	if (rc == 0)
		rc = apply_mtu(&s);
	if (rc == 0)
		rc = apply_mac(&s);
	if (rc == 0)
		rc = apply_filters(&s);
	return rc;
}
