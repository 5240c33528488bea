/* SPDX-License-Identifier: BSD-3-Clause */

/* boundary/tunnel.h: down until published, replaced whole, gone when released. */

#include "boundary/tunnel.h"
#include "testing.h"

static struct epoch *epoch;
static struct tunnels tunnels;

static int setup(void **state)
{
	epoch = epoch_create(1);
	return tunnels_init(&tunnels, epoch, 4);
}

static int teardown(void **state)
{
	tunnels_fini(&tunnels);
	epoch_free(epoch);
	return 0;
}

static void down_at_first(void **state)
{
	uint32_t index = tunnel_alloc(&tunnels);

	assert_int_not_equal(index, 0);
	assert_int_equal(tunnel_get(&tunnels, index)->state, TUNNEL_DOWN);
	assert_int_equal(tunnel_get(&tunnels, index)->index, index);
	assert_int_equal(tunnel_get(&tunnels, index)->out_count, 0);
}

static void a_copy_is_published(void **state)
{
	struct tunnel spec = {.index = tunnel_alloc(&tunnels), .state = TUNNEL_UP, .slot = 3};
	const struct tunnel *first;

	spec.any = true;
	spec.out_count = TUNNEL_OUT_MAX;
	spec.out[TUNNEL_OUT_MAX - 1].selector.protocol = 17;
	tunnel_publish(&tunnels, &spec);
	first = tunnel_get(&tunnels, spec.index);
	epoch_online(epoch, 0);
	spec.state = TUNNEL_DOWN;
	tunnel_publish(&tunnels, &spec);
	epoch_reclaim(epoch);
	assert_int_equal(first->state, TUNNEL_UP); /* for a worker that holds it */
	assert_int_equal(first->out[TUNNEL_OUT_MAX - 1].selector.protocol, 17);
	assert_int_equal(tunnel_get(&tunnels, spec.index)->state, TUNNEL_DOWN);
	epoch_offline(epoch, 0);
}

static void numbers_run_out_and_come_back(void **state)
{
	uint32_t last = 0;

	for (unsigned i = 1; i < 4; i++)
		last = tunnel_alloc(&tunnels);
	assert_int_equal(tunnel_alloc(&tunnels), 0);
	tunnel_release(&tunnels, last);
	assert_null(tunnel_get(&tunnels, last));
	assert_int_equal(tunnel_alloc(&tunnels), 0);
	epoch_flush(epoch);
	assert_int_equal(tunnel_alloc(&tunnels), last);
	assert_int_equal(tunnel_get(&tunnels, last)->state, TUNNEL_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(down_at_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_copy_is_published, setup, teardown),
	    cmocka_unit_test_setup_teardown(numbers_run_out_and_come_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
