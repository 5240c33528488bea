/* SPDX-License-Identifier: BSD-3-Clause */

/* EAL's arguments, its memory, and that what DPDK says ends up in our log. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_log.h>

#include "logged.h"
#include "transitd/dpdk_log.h"
#include "transitd/eal.h"

#define MIB (1024ull * 1024)

static void assert_words(
    const struct conf_system *system, const struct eal_facts *facts, const char *want)
{
	struct eal_words words;
	char line[1024] = "";

	assert_int_equal(eal_words_make(system, facts, &words), 0);
	for (unsigned i = 0; i < words.count; i++) {
		strcat(line, i ? " " : "");
		strcat(line, words.word[i]);
	}
	assert_null(words.word[words.count]);
	assert_string_equal(line, want);
	eal_words_free(&words);
}

static void words(void **state)
{
	struct conf_system system = {.control_core = 0,
	    .worker_cores = (uint32_t[]){1},
	    .worker_cores_count = 1,
	    .memory = 512 * MIB};
	struct eal_facts facts = {.huge_pages = true, .log_level = LOG_INFO, .prefix = "p"};

	assert_words(&system, &facts,
	    "transitd --lcores=0@0,1@1 --main-lcore=0 --file-prefix=p -m128 "
	    "--socket-limit=512,512,512,512,512,512,512,512 --in-memory --no-pci "
	    "--log-level=*:warning");
	facts.shares_memory = true;
	assert_words(&system, &facts,
	    "transitd --lcores=0@0,1@1 --main-lcore=0 --file-prefix=p -m512 "
	    "--single-file-segments --in-memory --no-pci --log-level=*:warning");
	facts.huge_pages = false;
	facts.log_level = LOG_DEBUG;
	assert_words(&system, &facts,
	    "transitd --lcores=0@0,1@1 --main-lcore=0 --file-prefix=p -m512 --no-huge --no-shconf "
	    "--no-pci --log-level=*:info");
}

/* A pool that the first memory has no room for makes it larger, and never larger than all of it. */
static void packet_buffers_fit_the_first_memory(void **state)
{
	struct conf_system system = {
	    .worker_cores = (uint32_t[]){1}, .worker_cores_count = 1, .memory = 512 * MIB};
	struct eal_facts facts = {.huge_pages = true, .prefix = "p"};
	static const struct {
		uint64_t packets;
		const char *first;
	} cases[] = {
	    {27 * MIB, "-m128"}, {87 * MIB, "-m128"}, {130 * MIB, "-m171"}, {500 * MIB, "-m512"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eal_words words;
		bool found = false;

		facts.packet_bytes = cases[i].packets;
		assert_int_equal(eal_words_make(&system, &facts, &words), 0);
		for (unsigned w = 0; w < words.count; w++)
			found |= !strcmp(words.word[w], cases[i].first);
		assert_true(found);
		eal_words_free(&words);
	}
}

/* Node by node, where the packets are and where the workers are; never more than there may be at all. */
static void words_of_a_machine_with_nodes(void **state)
{
	struct conf_system system = {.control_core = 0,
	    .worker_cores = (uint32_t[]){3},
	    .worker_cores_count = 1,
	    .memory = 512 * MIB};
	struct eal_facts facts = {.huge_pages = true,
	    .prefix = "p",
	    .packet_bytes = 27 * MIB,
	    .by_node = true,
	    .first_on = {eal_first_bytes(27 * MIB, false), eal_first_bytes(500 * MIB, true)}};

	assert_words(&system, &facts,
	    "transitd --lcores=0@0,1@3 --main-lcore=0 --file-prefix=p "
	    "--socket-mem=28,512,0,0,0,0,0,0 --socket-limit=512,512,512,512,512,512,512,512 "
	    "--in-memory --no-pci --log-level=*:warning");
	assert_int_equal(eal_first_bytes(0, false), 0);
	assert_int_equal(eal_first_bytes(0, true), 128 * MIB);
	assert_int_equal(eal_first_bytes(130 * MIB, true), 171 * MIB);
}

/* High CPU numbers are beyond the lcores that DPDK knows; lcores stay small. */
static void words_of_a_large_machine(void **state)
{
	struct conf_system system = {.control_core = 200,
	    .worker_cores = (uint32_t[]){7, 201},
	    .worker_cores_count = 2,
	    .memory = 4096 * MIB,
	    .eal_args = (const char *[]){"--iova-mode=va", "-n4"},
	    .eal_args_count = 2};
	struct eal_facts facts = {.huge_pages = true,
	    .log_level = LOG_ERROR,
	    .prefix = "p",
	    .pci_count = 2,
	    .pci = {"0000:03:00.0", "0000:03:00.1"}};

	assert_words(&system, &facts,
	    "transitd --lcores=0@200,1@7,2@201 --main-lcore=0 --file-prefix=p -m128 "
	    "--socket-limit=4096,4096,4096,4096,4096,4096,4096,4096 --in-memory "
	    "--allow=0000:03:00.0 --allow=0000:03:00.1 --log-level=*:warning --iova-mode=va -n4");
}

static void too_many_words(void **state)
{
	static const char *many[EAL_WORDS_MAX];
	struct conf_system system = {.worker_cores = (uint32_t[]){1},
	    .worker_cores_count = 1,
	    .eal_args = many,
	    .eal_args_count = EAL_WORDS_MAX};
	struct eal_facts facts = {.prefix = "p"};
	struct eal_words out;

	for (unsigned i = 0; i < EAL_WORDS_MAX; i++)
		many[i] = "-v";
	assert_int_equal(eal_words_make(&system, &facts, &out), -E2BIG);
	assert_int_equal(out.count, 0);
}

static void instances_have_different_prefixes(void **state)
{
	char a[EAL_PREFIX_MAX], b[EAL_PREFIX_MAX], again[EAL_PREFIX_MAX];

	eal_prefix("/run/transitd", a);
	assert_string_equal(a, "transitd");
	eal_prefix("/run/transitd-a", a);
	eal_prefix("/run/transitd-b", b);
	eal_prefix("/run/transitd-a", again);
	assert_string_not_equal(a, b);
	assert_string_equal(a, again);
	assert_null(strchr(a, '/'));
}

/* ---- memory ---- */

static void write_number(const char *dir, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void free_huge_pages_are_counted(void **state)
{
	char root[] = "/tmp/test-eal-XXXXXX", dir[128], command[128];

	assert_non_null(mkdtemp(root));
	assert_int_equal(eal_huge_free(root), 0);
	snprintf(dir, sizeof(dir), "%s/hugepages-2048kB", root);
	mkdir(dir, 0700);
	write_number(dir, "free_hugepages", "100\n");
	write_number(dir, "resv_hugepages", "10\n");
	assert_int_equal(eal_huge_free(root), 180 * MIB);
	snprintf(dir, sizeof(dir), "%s/hugepages-1048576kB", root);
	mkdir(dir, 0700);
	write_number(dir, "free_hugepages", "1\n");
	write_number(dir, "resv_hugepages", "2\n"); /* more promised than free: none */
	assert_int_equal(eal_huge_free(root), 180 * MIB);
	write_number(dir, "resv_hugepages", "0\n");
	assert_int_equal(eal_huge_free(root), 180 * MIB + 1024 * MIB);
	assert_int_equal(eal_huge_free("/nonexistent"), 0);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void choosing_memory(void **state)
{
	struct conf_system system = {.memory = 512 * MIB, .huge_pages = CONF_HUGE_AUTO};
	bool huge = false;

	assert_int_equal(eal_choose_memory(&system, false, 512 * MIB, &huge), 0);
	assert_true(huge);
	assert_string_equal(logged, "");
	assert_int_equal(eal_choose_memory(&system, true, 512 * MIB, &huge), 0);
	assert_false(huge);
	assert_logged("notice: 512 MiB of ordinary memory, as asked for");
	logged[0] = '\0';
	assert_int_equal(eal_choose_memory(&system, false, 511 * MIB, &huge), 0);
	assert_false(huge);
	assert_logged("warning: RUNNING WITHOUT HUGE PAGES: 512 MiB are needed and 511 free");
	system.huge_pages = CONF_HUGE_REQUIRED;
	assert_int_equal(eal_choose_memory(&system, false, 511 * MIB, &huge), -ENOMEM);
	assert_logged("error: system.huge-pages is required");
	system.huge_pages = CONF_HUGE_NO;
	assert_int_equal(eal_choose_memory(&system, false, 4096 * MIB, &huge), 0);
	assert_false(huge);
}

/* Held back while things start, told when something failed, and at once when all runs. */
static void dpdk_logs_through_us(void **state)
{
	char text[64];

	dpdk_log_start();
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "USER1: broken\x1b[2J\n");
	rte_log(RTE_LOG_WARNING, RTE_LOGTYPE_USER1, "two\nlines\n");
	rte_log(RTE_LOG_NOTICE, RTE_LOGTYPE_USER1, "small talk\n");
	assert_string_equal(logged, "");
	dpdk_log_tell();
	assert_string_equal(
	    logged, "warning: USER1: broken\\x1b[2J\nwarning: two\nwarning: lines\n");
	logged[0] = '\0';
	dpdk_log_tell();
	assert_string_equal(logged, "");
	for (int i = 0; i < 20; i++)
		rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "line %d\n", i);
	dpdk_log_tell();
	assert_non_null(strstr(logged, "warning: line 12\n"));
	assert_null(strstr(logged, "line 11\n"));
	logged[0] = '\0';
	dpdk_log_run();
	rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "now\n");
	assert_string_equal(logged, "warning: now\n");
	for (int i = 0; i < 1000; i++) /* a flood of a driver is no flood of ours */
		rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "flood %d\n", i);
	snprintf(text, sizeof(text), "flood %d\n", 999);
	assert_null(strstr(logged, text));
	rte_openlog_stream(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    log_test(words),
	    log_test(words_of_a_machine_with_nodes),
	    log_test(packet_buffers_fit_the_first_memory),
	    log_test(words_of_a_large_machine),
	    log_test(too_many_words),
	    log_test(instances_have_different_prefixes),
	    log_test(free_huge_pages_are_counted),
	    log_test(choosing_memory),
	    log_test(dpdk_logs_through_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
