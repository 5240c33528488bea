/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_RSS_H
#define DRIVERS_RSS_H

/* What a device with several receive queues is told to hash by, and with which key. */

#include <rte_ethdev.h>

struct rss_choice {
	uint64_t types;     /* RTE_ETH_RSS_...; 0: the device has none that we want, or one queue */
	const uint8_t *key; /* NULL: the device keeps its own */
	uint8_t key_bytes;
};

struct rss_choice rss_choose(const struct rte_eth_dev_info *info, uint16_t rx_queues);
/* Writes what the choice is, for people: "by addresses, ports and SPI". */
const char *rss_words(const struct rss_choice *choice);

#endif
