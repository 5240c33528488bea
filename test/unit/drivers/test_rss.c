/* SPDX-License-Identifier: BSD-3-Clause */

/* What devices are told to hash by, and that the key spreads what a site has. */

#include <rte_thash.h>

#include "drivers/rss.h"
#include "testing.h"

#define QUEUES 4

static struct rte_eth_dev_info device(uint64_t types, uint8_t key_bytes)
{
	return (struct rte_eth_dev_info){
	    .flow_type_rss_offloads = types, .hash_key_size = key_bytes};
}

static void what_the_device_offers(void **state)
{
	struct rte_eth_dev_info all = device(UINT64_MAX, 40), none = device(0, 40);
	struct rte_eth_dev_info plain = device(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_ETH, 40);
	struct rte_eth_dev_info ports = device(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP, 40);
	struct rss_choice c = rss_choose(&all, 2);

	assert_true(c.types & RTE_ETH_RSS_ESP);
	assert_true(c.types & RTE_ETH_RSS_FRAG_IPV4);
	assert_false(
	    c.types & (RTE_ETH_RSS_ETH | RTE_ETH_RSS_LEVEL_MASK | RTE_ETH_RSS_L3_SRC_ONLY));
	assert_string_equal(rss_words(&c), "by addresses, ports and SPI");
	c = rss_choose(&ports, 2);
	assert_int_equal(c.types, RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP);
	assert_string_equal(rss_words(&c), "by addresses and ports");
	c = rss_choose(&plain, 2);
	assert_int_equal(c.types, RTE_ETH_RSS_IPV4);
	assert_string_equal(rss_words(&c), "by addresses");
	c = rss_choose(&none, 2);
	assert_int_equal(c.types, 0);
	assert_null(c.key);
	assert_string_equal(rss_words(&c), "as it likes");
	c = rss_choose(&all, 1);
	assert_int_equal(c.types, 0);
}

/* As long as the device wants it; a longer one it keeps its own for. */
static void the_key_has_the_length_of_the_device(void **state)
{
	static const uint8_t bytes[] = {40, 52, 64};

	for (unsigned i = 0; i < TEST_COUNT(bytes); i++) {
		struct rte_eth_dev_info info = device(RTE_ETH_RSS_IPV4, bytes[i]);
		struct rss_choice c = rss_choose(&info, 2);

		assert_int_equal(c.key_bytes, bytes[i]);
		assert_non_null(c.key);
	}
	struct rte_eth_dev_info keyless = device(RTE_ETH_RSS_IPV4, 0),
				longer = device(RTE_ETH_RSS_IPV4, 128);
	assert_null(rss_choose(&keyless, 2).key);
	assert_null(rss_choose(&longer, 2).key);
	assert_int_not_equal(rss_choose(&longer, 2).types, 0);
}

/* Words as a NIC takes them from a packet: source, destination, and ports or the SPI. */
struct flow {
	uint32_t word[3];
	unsigned words;
};

static const uint8_t *our_key(void)
{
	struct rte_eth_dev_info info = device(RTE_ETH_RSS_IPV4, 40);

	return rss_choose(&info, 2).key;
}

/* By the lowest bits, as a table of queues in a row does. The fewest flows of a queue. */
static unsigned fewest(struct flow (*flow_of)(unsigned i), unsigned flows, const uint8_t *key)
{
	unsigned of_queue[QUEUES] = {0}, least = flows;

	for (unsigned i = 0; i < flows; i++) {
		struct flow f = flow_of(i);

		of_queue[rte_softrss(f.word, f.words, key) % 128 % QUEUES]++;
	}
	for (unsigned q = 0; q < QUEUES; q++)
		least = of_queue[q] < least ? of_queue[q] : least;
	return least;
}

static struct flow one_peer_many_spis(unsigned i)
{
	return (struct flow){{0xc0000201, 0xcb007121, 0x9e3779b9 * (i + 1)}, 3};
}

static struct flow spis_in_a_row(unsigned i)
{
	return (struct flow){{0xc0000201, 0xcb007121, 0x1000 + i}, 3};
}

static struct flow host_to_host_of_one_number(unsigned i)
{
	return (struct flow){{0x0a010000 + i, 0x0a020000 + i, 0}, 2};
}

static struct flow tunnels_without_spi(unsigned i)
{
	return (struct flow){{0xc0000201 + i, 0xcb007121 + i, 0}, 2};
}

static struct flow one_client_many_ports(unsigned i)
{
	return (struct flow){{0x0a010001, 0x0a0b0001, (40000u + i) << 16 | 443}, 3};
}

static struct flow one_port_many_clients(unsigned i)
{
	return (struct flow){{0x0a010000 + i, 0x0a0b0001, 50000u << 16 | 443}, 3};
}

/* No queue has less than half of its share, in any of them. */
static void what_a_site_has_is_spread(void **state)
{
	static struct flow (*const sites[])(unsigned) = {one_peer_many_spis, spis_in_a_row,
	    host_to_host_of_one_number, tunnels_without_spi, one_client_many_ports,
	    one_port_many_clients};

	for (unsigned s = 0; s < TEST_COUNT(sites); s++) {
		for (unsigned flows = 64; flows <= 1024; flows *= 4) {
			if (fewest(sites[s], flows, our_key()) < flows / QUEUES / 2)
				fail_msg("site %u: %u of %u flows are on one of %u queues", s,
				    fewest(sites[s], flows, our_key()), flows, QUEUES);
		}
	}
}

/* Why it is not the symmetric one. */
static void the_symmetric_key_would_not(void **state)
{
	uint8_t symmetric[40];

	for (unsigned i = 0; i < sizeof(symmetric); i++)
		symmetric[i] = i % 2 ? 0x5a : 0x6d;
	assert_int_equal(fewest(host_to_host_of_one_number, 1024, symmetric), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_device_offers),
	    cmocka_unit_test(the_key_has_the_length_of_the_device),
	    cmocka_unit_test(what_a_site_has_is_spread),
	    cmocka_unit_test(the_symmetric_key_would_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
