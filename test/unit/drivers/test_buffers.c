/* SPDX-License-Identifier: BSD-3-Clause */

/* The packet pool: large enough for its frames, and all buffers usable. */

#include <rte_mbuf.h>

#include "boundary/meta.h"
#include "eal.h"

static void room_holds_the_frame(void **state)
{
	assert_int_equal(packet_room(576), 2048);
	assert_int_equal(packet_room(1500), 2048);
	assert_int_equal(packet_room(1920), 2048);
	assert_int_equal(packet_room(1921), 3072);
	assert_int_equal(packet_room(9000), 9216);
	assert_true(RTE_PKTMBUF_HEADROOM + packet_room(9216) <= UINT16_MAX);
	for (unsigned mtu = 68; mtu <= 9216; mtu++)
		assert_true(packet_room((uint16_t)mtu) >= mtu + 128);
}

static void count_follows_queues(void **state)
{
	struct port_spec specs[] = {spec_of("tap:a", 0), spec_of("af_xdp:b", 1)};
	unsigned one = packet_buffers(specs, 1, 1, NULL);

	assert_true(one > 2 * 256);
	/* the second port's rings, which the driver keeps full, come on top */
	assert_true(packet_buffers(specs, 2, 1, NULL) >= one + 2 * 256 + 6144);
	assert_true(packet_buffers(specs, 1, 4, NULL) >= one + 3 * 2 * 256);
	/* a pool for one of two ports: what both may be sending, what one receives */
	assert_int_equal(packet_buffers(specs, 2, 1, (const bool[]){true, false}), one + 256);
	assert_int_equal(packet_buffers(specs, 2, 1, (const bool[]){false, true}),
	    packet_buffers(specs, 2, 1, NULL) - 256);
	specs[0].queues = 2;
	assert_int_equal(packet_buffers(specs, 1, 1, NULL), one + 2 * 256);
}

/* In a row without a gap (AF_XDP), each with its private area and room behind the headroom. */
static void every_buffer_is_whole(void **state)
{
	struct rte_mbuf *m[1000];
	struct rte_mempool *pool = packet_pool_create("second", TEST_COUNT(m), 1500, false, -1);

	assert_non_null(pool);
	assert_int_equal(pool->nb_mem_chunks, 1);
	assert_int_equal(rte_pktmbuf_priv_size(pool), META_BYTES);
	for (unsigned i = 0; i < TEST_COUNT(m); i++) {
		m[i] = rte_pktmbuf_alloc(pool);
		assert_non_null(m[i]);
		assert_int_equal(rte_pktmbuf_headroom(m[i]), RTE_PKTMBUF_HEADROOM);
		assert_int_equal(rte_pktmbuf_tailroom(m[i]), packet_room(1500));
		memset(pkt_meta(m[i]), 0xa5, META_BYTES);
		memset(rte_pktmbuf_append(m[i], 2048), 0x5a, 2048);
	}
	assert_int_equal(rte_mempool_in_use_count(pool), TEST_COUNT(m));
	rte_pktmbuf_free_bulk(m, TEST_COUNT(m));
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	rte_mempool_free(pool);
}

/* What is asked for before there is a pool is what one takes. */
static void bytes_are_those_of_the_pool(void **state)
{
	struct rte_mempool *pool = packet_pool_create("second", 500, 1500, false, -1);

	assert_non_null(pool);
	assert_int_equal(packet_pool_bytes(500, 1500),
	    500 * (uint64_t)(pool->header_size + pool->elt_size + pool->trailer_size));
	rte_mempool_free(pool);
}

static void too_many_buffers(void **state)
{
	assert_null(packet_pool_create("second", 1u << 20, 9000, false, -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(room_holds_the_frame),
	    cmocka_unit_test(count_follows_queues),
	    cmocka_unit_test(every_buffer_is_whole),
	    cmocka_unit_test(bytes_are_those_of_the_pool),
	    cmocka_unit_test(too_many_buffers),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
