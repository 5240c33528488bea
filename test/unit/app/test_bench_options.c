/* SPDX-License-Identifier: BSD-3-Clause */

/* The command line of transitbench: what it takes, and what it says of the rest. */

#include <sched.h>
#include <string.h>

#include "testing.h"
#include "transitbench/options.h"

#define WORDS_MAX 12

static unsigned cpu; /* one that this process may run on */

/* A command line in one string, split at blanks; "CPU" is a core that there is. */
static bool parse(const char *line, struct options *o, char *why)
{
	static char name[] = "transitbench", copy[256], core[16];
	char *argv[WORDS_MAX + 1] = {name};
	int argc = 1;

	snprintf(core, sizeof(core), "%u", cpu);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *s = strtok(copy, " "); s; s = strtok(NULL, " "))
		argv[argc++] = strcmp(s, "CPU") == 0 ? core : s;
	return options_parse(argc, argv, o, why);
}

static void accepted(void **state)
{
	static const struct {
		const char *line;
		enum bench_mode mode;
		int words;
	} rows[] = {
	    {"--core CPU", BENCH_MEASURE, 0},
	    {"--core CPU --json --all --seconds 1.5 --svg f", BENCH_MEASURE, 0},
	    {"--core CPU out/aes128gcm16 */*/64 plain", BENCH_MEASURE, 3},
	    {"--list relay/3des-sha1/imix/10000/1000000", BENCH_LIST, 1},
	    {"--count 64 plain/none/64/1/1", BENCH_COUNT, 1},
	    {"--help", BENCH_HELP, 0},
	};
	char why[BENCH_WHY_MAX];
	struct options o;

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		if (!parse(rows[i].line, &o, why))
			fail_msg("%s: %s", rows[i].line, why);
		assert_int_equal(o.mode, rows[i].mode);
		assert_int_equal(o.words, rows[i].words);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
	    {"nosuch", "no profile has the direction 'nosuch'; there are: out in relay plain"},
	    {"out/none",
		"algorithm 'none' here; there are: aes128gcm16 aes256gcm16 aes128-sha1 "
		"aes128-sha256 3des-sha1"},
	    {"*/*/128", "size '128' here; there are: 64 256 576 1424 imix"},
	    {"plain/none/64/16ecmp", "number of tunnels '16ecmp' here; there are: 1"},
	    {"out/*/*/1/2", "number of routes '2' here; there are: 1 10000 1000000"},
	    {"plain/none/64/1/1/1", "DIRECTION/ALGORITHM/SIZE/TUNNELS/ROUTES"},
	    {"--list zzz", "direction 'zzz'"},
	    {"--seconds abc", "--seconds abc: a number above 0"},
	    {"--seconds -1", "--seconds -1: a number above 0"},
	    {"--seconds nan", "--seconds nan: a number above 0"},
	    {"--core x", "--core x: no such core; this process may run on"},
	    {"--core 1023", "--core 1023: no such core"},
	    {"--core -1", "--core -1: no such core"},
	    {"--load CPU --core CPU", "a worker needs another"},
	    {"--load 1x", "--load 1x"},
	    {"--churn CPU --load CPU", "at a time"},
	    {"--count 0 plain", "--count 0: a number of bursts from 1 to 64"},
	    {"--count 65 plain", "--count 65: a number of bursts"},
	    {"--count -5 plain", "--count -5: a number of bursts"},
	    {"--count 4", "which PROFILE?"},
	    {"--list --svg f", "--svg: draws"},
	};
	char why[BENCH_WHY_MAX];
	struct options o;

	(void)state;
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		*why = '\0';
		if (parse(rows[i].line, &o, why))
			fail_msg("%s was taken", rows[i].line);
		if (!strstr(why, rows[i].says))
			fail_msg("%s: %s", rows[i].line, why);
	}
}

/* Every cell of the grid is there, once, by its name. */
static void grid(void **state)
{
	unsigned at = 0, all = 0, of[DIR_PLAIN + 1] = {0};
	char name[PROFILE_NAME_MAX], why[BENCH_WHY_MAX];
	struct profile p;

	(void)state;
	for (; profile_next(&at, &p); all++) {
		of[p.direction]++;
		assert_true(profile_matches(&p, profile_name(&p, name)));
		assert_true(profile_check(name, why, sizeof(why)));
	}
	assert_int_equal(of[DIR_OUT], 5 * 5 * 4 * 3);
	assert_int_equal(of[DIR_IN], 5 * 5 * 4 * 3);
	assert_int_equal(of[DIR_RELAY], 5 * 5 * 4 * 3);
	assert_int_equal(of[DIR_PLAIN], 5 * 3);
}

static int find_cpu(void **state)
{
	cpu_set_t cpus;

	(void)state;
	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (!CPU_ISSET(cpu, &cpus))
		cpu++;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepted),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(grid),
	};

	return cmocka_run_group_tests(tests, find_cpu, NULL);
}
