/* SPDX-License-Identifier: BSD-3-Clause */

/* Nodes of CPUs and memory out of a tree like the kernel's, and EAL's words for them. */

#include <stdlib.h>
#include <unistd.h>

#include "logged.h"
#include "transitd/numa.h"

#define MIB (1024ull * 1024)

static char root[] = "/tmp/test-numa-XXXXXX";

static void run(const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_int_equal(system(line), 0);
}

/* Two CPUs a node, interleaved: 0 and 2 on node 0, 1 and 3 on node 1. */
static int tree_setup(void **state)
{
	assert_non_null(mkdtemp(root));
	run("cd %s && mkdir -p devices/system/node devices/system/cpu && echo 0-1 >devices/system/node/has_memory && "
	    "for c in 0 1 2 3; do mkdir -p devices/system/cpu/cpu$c/node$((c %% 2)) devices/system/cpu/cpu$c/cache; done && "
	    "for n in 0 1; do d=devices/system/node/node$n/hugepages/hugepages-2048kB; mkdir -p $d && "
	    "echo $((100 + n * 100)) >$d/free_hugepages && echo $n,$((n + 2)) >devices/system/node/node$n/cpulist; done",
	    root);
	return 0;
}

static int tree_teardown(void **state)
{
	run("rm -r %s", root);
	return 0;
}

static struct numa look(uint32_t *cores, unsigned count)
{
	struct conf_system system = {.worker_cores = cores, .worker_cores_count = count};
	struct numa numa;

	numa_look(&numa, root, &system);
	return numa;
}

/* By the CPU that a worker has, whatever its number is. */
static void workers_are_where_their_cpus_are(void **state)
{
	struct numa numa = look((uint32_t[]){3, 2, 9}, 3);

	assert_true(numa.several);
	assert_int_equal(numa.workers, 3);
	assert_int_equal(numa.worker_node[0], 1);
	assert_int_equal(numa.worker_node[1], 0);
	assert_int_equal(numa.worker_node[2], -1);
	assert_int_equal(numa.huge_free[0], 200 * MIB);
	assert_int_equal(numa.huge_free[1], 400 * MIB);
}

static void nodes_with_room_are_usable(void **state)
{
	struct numa numa = look((uint32_t[]){1}, 1);

	assert_int_equal(numa_usable(&numa, 200 * MIB), 3);
	assert_int_equal(numa_usable(&numa, 201 * MIB), 2);
	assert_int_equal(numa_usable(&numa, 401 * MIB), 0);
}

/* A machine with one node, or a kernel that knows none: as if there were no such thing. */
static void one_node_is_none(void **state)
{
	struct numa numa;

	for (int kernel = 0; kernel < 2; kernel++) {
		if (kernel == 0)
			run("echo 0 >%s/devices/system/node/has_memory", root);
		else
			run("mv %s/devices/system/node/has_memory %s/", root, root);
		numa = look((uint32_t[]){3}, 1);
		assert_false(numa.several);
		assert_int_equal(numa.worker_node[0], -1);
		assert_int_equal(numa_usable(&numa, 0), 0);
	}
	run("rm %s/has_memory; echo 0-1 >%s/devices/system/node/has_memory", root, root);
}

static void lists_of_nodes(void **state)
{
	static const struct {
		const char *list;
		uint32_t mask;
	} cases[] = {{"0-1", 3}, {"0,2", 5}, {"1-2,4", 0x16}, {"0-3,6-9", 0xcf}, {"", 0}, {"x", 0}};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run("echo '%s' >%s/devices/system/node/has_memory", cases[i].list, root);
		assert_int_equal(look((uint32_t[]){0}, 1).memory, cases[i].mask);
	}
	run("echo 0-1 >%s/devices/system/node/has_memory", root);
}

static void cpus_of_a_node(void **state)
{
	char line[32];
	struct text text = text_of(line, sizeof(line));

	numa_cpus(root, 1, &text);
	text_add(&text, " ");
	numa_cpus(root, 7, &text);
	assert_string_equal(line, "1,3 ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    log_test(workers_are_where_their_cpus_are),
	    log_test(nodes_with_room_are_usable),
	    log_test(one_node_is_none),
	    log_test(lists_of_nodes),
	    log_test(cpus_of_a_node),
	};

	return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
