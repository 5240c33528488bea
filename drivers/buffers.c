/* SPDX-License-Identifier: BSD-3-Clause */

/* Sizes and makes the packet pool. */

#include "drivers/buffers.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "boundary/meta.h"
#include "drivers/device.h"

#define FRAME_EXTRA  128  /* Ethernet, two tags, ESP trailer, header of a packet socket's frame */
#define ROOM_STEP    1024 /* granularity of rx buffer sizes in many NICs */
#define CACHE        256  /* buffers per lcore */
#define WORKER_HOLDS 2048 /* bursts, crypto queues, reassembly, tx of one worker */
#define SHARED_HOLDS 4096 /* punt rings, packets that wait in control */

uint32_t packet_room(uint16_t mtu)
{
	return RTE_MAX(RTE_ALIGN_CEIL((uint32_t)mtu + FRAME_EXTRA, ROOM_STEP), 2048u);
}

unsigned packet_buffers(
    const struct port_spec *specs, unsigned count, unsigned workers, const bool receives[])
{
	unsigned total = SHARED_HOLDS + workers * WORKER_HOLDS;
	char why[PORT_WHY_MAX];
	struct device d;

	for (unsigned i = 0; i < count; i++) {
		unsigned queues = specs[i].queues ? specs[i].queues : workers;

		if (device_parse(specs[i].device, specs[i].index, &d, why) < 0)
			continue;
		total += queues * specs[i].descriptors;
		if (!receives || receives[i])
			total += queues * (specs[i].descriptors + d.kind->queue_buffers);
	}
	return total;
}

static unsigned buffer_bytes(uint16_t mtu)
{
	return sizeof(struct rte_mbuf) + META_BYTES + RTE_PKTMBUF_HEADROOM + packet_room(mtu);
}

uint64_t packet_pool_bytes(unsigned buffers, uint16_t mtu)
{
	return (uint64_t)buffers * rte_mempool_calc_obj_size(buffer_bytes(mtu), 0, NULL);
}

/*
 * Software devices need no more than memory that is contiguous for the process. Without the flag
 * that says so no buffer may cross a page, which halves the pool on ordinary pages of 4 KiB, and
 * AF_XDP, which takes the pool for an array, loses its tail.
 */
struct rte_mempool *packet_pool_create(
    const char *name, unsigned buffers, uint16_t mtu, bool physical, int node)
{
	struct rte_pktmbuf_pool_private shape = {
	    .mbuf_data_room_size = (uint16_t)(RTE_PKTMBUF_HEADROOM + packet_room(mtu)),
	    .mbuf_priv_size = META_BYTES,
	};
	struct rte_mempool *pool = rte_mempool_create_empty(name, buffers, buffer_bytes(mtu), CACHE,
	    sizeof(shape), node, physical ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	int rc;

	if (!pool)
		return NULL;
	rte_pktmbuf_pool_init(pool, &shape);
	rc = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
	if (rc == 0)
		rc = rte_mempool_populate_default(pool);
	if (rc < 0) {
		rte_mempool_free(pool);
		rte_errno = -rc;
		return NULL;
	}
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}
