/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_BUFFERS_H
#define DRIVERS_BUFFERS_H

/* Pools of packet buffers that ports, rings and control share: how large, and how many. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

struct port_spec;

/*
 * Bytes of a buffer behind its headroom that hold a frame of `mtu` with two VLAN tags, an ESP
 * trailer in place and the kernel's header of a packet socket, in steps that NICs like.
 */
uint32_t packet_room(uint16_t mtu);

/*
 * Buffers of one pool that can be in the queues of these ports, and with workers on the way, at worst. `receives`: by
 * port, that it receives into this pool, NULL: all do. Any of them may send what is of this pool.
 */
unsigned packet_buffers(
    const struct port_spec *specs, unsigned count, unsigned workers, const bool receives[]);

/* Bytes of memory that such a pool takes, in one piece. */
uint64_t packet_pool_bytes(unsigned buffers, uint16_t mtu);

/*
 * One pool for ports of at most `mtu`, with META_BYTES per packet. `physical`: some device is
 * hardware that must know physical addresses. `node`: of NUMA, -1: any. NULL with rte_errno: ENOMEM, EEXIST (name).
 */
struct rte_mempool *packet_pool_create(
    const char *name, unsigned buffers, uint16_t mtu, bool physical, int node);

#endif
