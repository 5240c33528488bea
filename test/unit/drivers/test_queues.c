/* SPDX-License-Identifier: BSD-3-Clause */

/* Rx queues over workers: each exactly once, ports spread, near first, even. */

#include "drivers/queues.h"
#include "testing.h"

#define HOMES 256

struct plan {
	struct port port[8];
	struct port *ports[8];
	int node[WORKERS_MAX];
	struct queue_home home[HOMES];
	unsigned count;
	unsigned of_worker[WORKERS_MAX];
};

static void deal(struct plan *plan, unsigned ports, unsigned workers)
{
	for (unsigned p = 0; p < ports; p++) {
		plan->ports[p] = &plan->port[p];
		plan->port[p].index = (uint16_t)p;
	}
	plan->count = queues_deal(
	    plan->ports, ports, plan->node, workers, plan->home, TEST_COUNT(plan->home));
	for (unsigned i = 0; i < plan->count; i++) {
		assert_true(plan->home[i].worker < workers);
		plan->of_worker[plan->home[i].worker]++;
	}
}

/* Every (port, queue) has one home. */
static void assert_complete(const struct plan *plan, unsigned ports)
{
	unsigned i = 0;

	for (unsigned p = 0; p < ports; p++) {
		for (unsigned q = 0; q < plan->port[p].rx_queues; q++, i++) {
			assert_int_equal(plan->home[i].port, p);
			assert_int_equal(plan->home[i].queue, q);
		}
	}
	assert_int_equal(i, plan->count);
}

static void one_worker_gets_all(void **state)
{
	struct plan plan = {.port = {{.rx_queues = 1}, {.rx_queues = 4}}};

	deal(&plan, 2, 1);
	assert_complete(&plan, 2);
	assert_int_equal(plan.of_worker[0], 5);
}

static void single_queues_go_to_different_workers(void **state)
{
	struct plan plan = {
	    .port = {{.rx_queues = 1}, {.rx_queues = 1}, {.rx_queues = 1}, {.rx_queues = 1}}};

	deal(&plan, 4, 2);
	assert_complete(&plan, 4);
	assert_int_equal(plan.of_worker[0], 2);
	assert_int_equal(plan.of_worker[1], 2);
	assert_int_not_equal(plan.home[0].worker, plan.home[1].worker);
}

static void queues_of_a_port_are_spread(void **state)
{
	struct plan plan = {.port = {{.rx_queues = 3}, {.rx_queues = 4}, {.rx_queues = 9}}};

	deal(&plan, 3, 4);
	assert_complete(&plan, 3);
	for (unsigned w = 0; w < 4; w++)
		assert_int_equal(plan.of_worker[w], 4);
	assert_int_not_equal(plan.home[0].worker, plan.home[1].worker);
	assert_int_not_equal(plan.home[1].worker, plan.home[2].worker);
	assert_int_not_equal(plan.home[0].worker, plan.home[2].worker);
}

static void near_workers_come_first(void **state)
{
	struct plan plan = {
	    .port = {{.rx_queues = 2, .numa_node = 1}, {.rx_queues = 1, .numa_node = 0},
		{.rx_queues = 2, .numa_node = -1}},
	    .node = {0, 1, 0, 1},
	};

	deal(&plan, 3, 4);
	assert_complete(&plan, 3);
	assert_int_equal(plan.node[plan.home[0].worker], 1);
	assert_int_equal(plan.node[plan.home[1].worker], 1);
	assert_int_equal(plan.home[2].worker, 0);
	assert_int_equal(plan.home[3].worker, 2); /* near nobody: the idle one */
}

static void a_port_without_near_workers_is_polled_too(void **state)
{
	struct plan plan = {.port = {{.rx_queues = 2, .numa_node = 3}}, .node = {0, 1}};

	deal(&plan, 1, 2);
	assert_complete(&plan, 1);
	assert_int_equal(plan.of_worker[0], 1);
	assert_int_equal(plan.of_worker[1], 1);
}

static void the_count_is_told_when_rows_run_out(void **state)
{
	struct port port = {.rx_queues = 10, .numa_node = -1};
	struct port *ports[] = {&port};
	struct queue_home home[4] = {{99, 99, 99}};
	int node[1] = {-1};

	assert_int_equal(queues_deal(ports, 1, node, 1, home, 3), 10);
	assert_int_equal(home[2].queue, 2);
	assert_int_equal(home[3].queue, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_worker_gets_all),
	    cmocka_unit_test(single_queues_go_to_different_workers),
	    cmocka_unit_test(queues_of_a_port_are_spread),
	    cmocka_unit_test(near_workers_come_first),
	    cmocka_unit_test(a_port_without_near_workers_is_polled_too),
	    cmocka_unit_test(the_count_is_told_when_rows_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
