/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_PORT_H
#define BOUNDARY_PORT_H

/*
 * An open port as both kinds of lcore see it. drivers/ makes it; its identity never changes while
 * workers run.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_spinlock.h>

#include "boundary/epoch.h"

#define PORTS_MAX     32
#define PORT_NAME_MAX 64

struct port {
	uint16_t dpdk_id; /* of rte_ethdev */
	uint16_t index;   /* ours: 0..ports-1, order of the startup file */
	uint16_t rx_queues;
	uint16_t tx_queues;
	bool tx_shared;   /* fewer tx queues than workers: take tx_lock[queue] */
	bool rx_checksum; /* the device checks IPv4 header checksums */
	bool tx_checksum; /* the device fills in IPv4 header checksums */
	uint16_t mtu;     /* layer-3 bytes */
	struct rte_ether_addr mac;
	uint16_t tx_queue_of[WORKERS_MAX];   /* by worker */
	rte_spinlock_t tx_lock[WORKERS_MAX]; /* by tx queue; used when tx_shared */
	_Atomic bool link_up;                /* control writes, workers read */
	bool link_interrupt;                 /* the device tells of changes of its link itself */
	_Atomic uint32_t link_events; /* so often; DPDK's interrupt thread writes, control reads */
	int numa_node;                /* -1: none, or unknown */
	const char *spread;           /* what the device spreads flows over its rx queues by */
	char name[PORT_NAME_MAX];     /* key under `ports:` */
	char device[256];             /* as in the startup file */
};

#endif
