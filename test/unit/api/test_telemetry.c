/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DPDK telemetry end to end: a thread asks over telemetry's socket, handlers run in the loop of
 * this thread, as they do on the control lcore.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <rte_eal.h>

#include "socket_rig.h"

static pthread_t control;

static json_t *things(void *ctx, const json_t *request, struct api_error *error)
{
	assert_true(pthread_equal(pthread_self(), control));
	return json_pack("{s:[{s:s,s:i,s:i,s:b,s:{s:i,s:s}},{s:s,s:n,s:[s,i],s:[{},{}]}]}", "rows",
	    "name", "a/1", "rx-packets", 7, "balance", -3, "up", 1, "last", "code", 4, "text",
	    "why", "name", "b", "nothing", "list", "x", 5, "children");
}

static json_t *system_row(void *ctx, const json_t *request, struct api_error *error)
{
	return json_pack("{s:s, s:f}", "version", "1", "load", 0.5);
}

static json_t *in_table(void *ctx, const json_t *request, struct api_error *error)
{
	const char *table = api_text(request, "table");

	if (!table)
		return api_fail(error, "MissingArgument", "no table");
	return json_pack("[{s:s, s:s}]", "prefix", "10.0.0.0/8", "table", table);
}

/* One row a page. */
static json_t *paged(void *ctx, const json_t *request, struct api_error *error)
{
	json_int_t at = json_integer_value(json_object_get(request, "from"));
	json_t *rows = json_pack("[{s:s}]", "name", at == 0 ? "x" : at == 1 ? "y" : "z");

	return at == 2 ? rows : json_pack("{s:o, s:I}", "rows", rows, "next", at + 1);
}

static json_t *many(void *ctx, const json_t *request, struct api_error *error)
{
	json_t *rows = json_array();

	for (int i = 0; i < 5000; i++)
		json_array_append_new(rows, json_pack("{s:i}", "index", i));
	return rows;
}

static const struct api_command commands[] = {
    {"show things", NULL, API_SHOW, things, "rows"},
    {"show system-row", NULL, API_SHOW, system_row, "one object"},
    {"show in-table", "[table]", API_SHOW, in_table, "rows of a table"},
    {"show paged", NULL, API_SHOW, paged, "rows in pages"},
    {"show many", NULL, API_SHOW, many, "more than telemetry can hold"},
};

static int telemetry_setup(void **state)
{
	rig_setup(state);
	control = pthread_self();
	for (unsigned i = 0; i < TEST_COUNT(commands); i++)
		assert_int_equal(api_register(rig.api, &commands[i], NULL), 0);
	return 0;
}

/* ---- the other thread ---- */

static struct {
	const char *request;
	char answer[32 * 1024];
	_Atomic bool done;
} asked;

static void *ask_telemetry(void *arg)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ssize_t n = -1;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk_telemetry.v2",
	    rte_eal_get_runtime_dir());
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    recv(fd, asked.answer, sizeof(asked.answer), 0) > 0 && /* its greeting */
	    send(fd, asked.request, strlen(asked.request), 0) > 0)
		n = recv(fd, asked.answer, sizeof(asked.answer) - 1, 0);
	asked.answer[n < 0 ? 0 : n] = '\0';
	close(fd);
	atomic_store(&asked.done, true);
	return NULL;
}

/* With the loop running meanwhile, or standing still. */
static const char *telemetry_says(const char *request, bool is_running)
{
	pthread_t thread;

	asked.request = request;
	atomic_store(&asked.done, false);
	assert_int_equal(pthread_create(&thread, NULL, ask_telemetry, NULL), 0);
	while (!atomic_load(&asked.done)) {
		if (is_running)
			turn();
		sched_yield();
	}
	pthread_join(thread, NULL);
	return asked.answer;
}

static void lists_are_names(void **state)
{
	assert_string_equal(
	    telemetry_says("/transit/things", true), "{\"/transit/things\":[\"a/1\",\"b\"]}");
}

static void rows_are_found_on_any_page(void **state)
{
	assert_string_equal(
	    telemetry_says("/transit/paged,z", true), "{\"/transit/paged\":{\"name\":\"z\"}}");
	assert_string_equal(telemetry_says("/transit/paged,w", true), "{\"/transit/paged\":null}");
}

static void rows_are_dictionaries(void **state)
{
	assert_string_equal(telemetry_says("/transit/things,a/1", true),
	    "{\"/transit/things\":{\"name\":\"a/1\",\"rx_packets\":7,\"balance\":-3,\"up\":1,"
	    "\"last_code\":4,\"last_text\":\"why\"}}");
	assert_string_equal(telemetry_says("/transit/things,b", true),
	    "{\"/transit/things\":{\"name\":\"b\",\"list\":\"x 5\",\"children\":2}}");
	assert_string_equal(
	    telemetry_says("/transit/things,c", true), "{\"/transit/things\":null}");
}

static void objects_are_dictionaries(void **state)
{
	assert_string_equal(telemetry_says("/transit/system_row", true),
	    "{\"/transit/system_row\":{\"version\":\"1\",\"load\":\"0.500\"}}");
}

static void the_first_parameter_is_the_argument(void **state)
{
	assert_string_equal(telemetry_says("/transit/in_table,t1", true),
	    "{\"/transit/in_table\":[\"10.0.0.0/8\"]}");
	assert_string_equal(telemetry_says("/transit/in_table,t1,10.0.0.0/8", true),
	    "{\"/transit/in_table\":{\"prefix\":\"10.0.0.0/8\",\"table\":\"t1\"}}");
	assert_string_equal(
	    telemetry_says("/transit/in_table", true), "{\"/transit/in_table\":null}");
}

static void long_lists_are_cut_by_telemetry(void **state)
{
	json_t *answer = json_loads(telemetry_says("/transit/many", true), 0, NULL);

	assert_int_equal(json_array_size(json_object_get(answer, "/transit/many")), 512);
	json_decref(answer);
	assert_string_equal(
	    telemetry_says("/transit/many,4999", true), "{\"/transit/many\":{\"index\":4999}}");
}

/* Actions and secrets are none of its business. */
static void only_what_reads_is_offered(void **state)
{
	const char *list = telemetry_says("/", true);

	assert_non_null(strstr(list, "/transit/things"));
	assert_null(strstr(list, "/transit/refuse"));
	assert_null(strstr(list, "/transit/secret"));
	assert_null(strstr(list, "/transit/rekey"));
}

/* A control lcore that stands still costs telemetry its deadline and nothing else (C-20). */
static void a_deadline_ends_the_wait(void **state)
{
	struct mono start = mono_now();

	assert_string_equal(telemetry_says("/transit/things", false), "{\"/transit/things\":null}");
	assert_true(mono_diff(start, mono_now()) >= API_DEADLINE_MAX);
	turn();
	assert_string_equal(
	    telemetry_says("/transit/things", true), "{\"/transit/things\":[\"a/1\",\"b\"]}");
}

static void without_control_it_refuses(void **state)
{
	struct mono start = mono_now();

	api_free(rig.api);
	rig.api = NULL;
	assert_string_equal(telemetry_says("/transit/things", false), "{\"/transit/things\":null}");
	assert_true(mono_diff(start, mono_now()) < API_DEADLINE_MAX);
}

static char runtime_dir[256];

static void remove_runtime_dir(void)
{
	if (runtime_dir[0])
		rmdir(runtime_dir);
}

static int eal_start(void **state)
{
	static char words[][48] = {"test", "-l", "", "--no-huge", "-m", "64", "--no-shconf",
	    "--no-pci", "--log-level=critical", "--file-prefix", ""};
	char *argv[TEST_COUNT(words)];
	cpu_set_t cpus;
	int cpu = 0;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	snprintf(words[2], sizeof(words[2]), "%d", cpu);
	snprintf(words[10], sizeof(words[10]), "test-api-%d", (int)getpid());
	for (unsigned i = 0; i < TEST_COUNT(words); i++)
		argv[i] = words[i];
	atexit(remove_runtime_dir); /* runs after DPDK's own, which empties it */
	if (rte_eal_init(TEST_COUNT(words), argv) < 0)
		return -1;
	snprintf(runtime_dir, sizeof(runtime_dir), "%s", rte_eal_get_runtime_dir());
	return 0;
}

static int eal_stop(void **state)
{
	return rte_eal_cleanup();
}

#define rig_test(name) cmocka_unit_test_setup_teardown(name, telemetry_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    rig_test(lists_are_names),
	    rig_test(rows_are_dictionaries),
	    rig_test(rows_are_found_on_any_page),
	    rig_test(objects_are_dictionaries),
	    rig_test(the_first_parameter_is_the_argument),
	    rig_test(long_lists_are_cut_by_telemetry),
	    rig_test(only_what_reads_is_offered),
	    rig_test(a_deadline_ends_the_wait),
	    rig_test(without_control_it_refuses),
	};

	return cmocka_run_group_tests(tests, eal_start, eal_stop);
}
