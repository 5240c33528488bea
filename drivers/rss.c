/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Receive-side scaling. The key is ours and the same in every process, so that the queue of a flow is a property of the
 * flow, on any NIC that hashes as Toeplitz does.
 *
 * It is not the well-known key that repeats 6d5a and gives both directions of a flow one hash. Such a key can only tell
 * the exclusive-or of all 16-bit words apart: all of 10.1.0.N to 10.2.0.N would share a queue, gateway 203.0.113.33
 * with peer .1 and .34 with .2 too. And nothing here wants both directions on one worker: no stage keeps state of a
 * flow, and what an SA needs in order goes to the worker that owns it.
 *
 * These are the first 128 digits of pi in hexadecimal behind the point: numbers that nobody chose.
 */

#include "drivers/rss.h"

#include <rte_common.h>

static const uint8_t key[64] = {
    0x24,
    0x3f,
    0x6a,
    0x88,
    0x85,
    0xa3,
    0x08,
    0xd3,
    0x13,
    0x19,
    0x8a,
    0x2e,
    0x03,
    0x70,
    0x73,
    0x44,
    0xa4,
    0x09,
    0x38,
    0x22,
    0x29,
    0x9f,
    0x31,
    0xd0,
    0x08,
    0x2e,
    0xfa,
    0x98,
    0xec,
    0x4e,
    0x6c,
    0x89,
    0x45,
    0x28,
    0x21,
    0xe6,
    0x38,
    0xd0,
    0x13,
    0x77,
    0xbe,
    0x54,
    0x66,
    0xcf,
    0x34,
    0xe9,
    0x0c,
    0x6c,
    0xc0,
    0xac,
    0x29,
    0xb7,
    0xc9,
    0x7c,
    0x50,
    0xdd,
    0x3f,
    0x84,
    0xd5,
    0xb5,
    0xb5,
    0x47,
    0x09,
    0x17,
};

/*
 * Clear flows by addresses and ports, ESP by its SPI beside the addresses, since all of a peer's tunnels have the same.
 * Fragments by addresses alone, the first one too, so that one worker gets all of a datagram.
 */
#define WANTED                                                                                     \
	(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP | RTE_ETH_RSS_ESP)

struct rss_choice rss_choose(const struct rte_eth_dev_info *info, uint16_t rx_queues)
{
	struct rss_choice choice = {.types = WANTED & info->flow_type_rss_offloads};

	if (rx_queues < 2 || choice.types == 0)
		return (struct rss_choice){0};
	if (info->hash_key_size > 0 && info->hash_key_size <= sizeof(key)) {
		choice.key = key;
		choice.key_bytes = info->hash_key_size;
	}
	return choice;
}

const char *rss_words(const struct rss_choice *choice)
{
	if (choice->types & RTE_ETH_RSS_ESP)
		return "by addresses, ports and SPI";
	if (choice->types & (RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP))
		return "by addresses and ports";
	return choice->types ? "by addresses" : "as it likes";
}
