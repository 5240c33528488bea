/* SPDX-License-Identifier: BSD-3-Clause */

/* What is kept of which privileges, and that threads which ran before have lost the rest too. */

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/capability.h>

#include "logged.h"
#include "transitd/privileges.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define THREADS  5

static void what_is_kept(void **state)
{
	uint64_t unit = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_BPF) | BIT(CAP_IPC_LOCK) |
	    BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_ADMIN);
	uint64_t start = BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_ADMIN);

	assert_true(privileges_kept(unit, false, CAP_LAST_CAP) == (unit & ~start));
	assert_true(privileges_kept(unit, true, CAP_LAST_CAP) == (unit & ~BIT(CAP_SYS_RAWIO)));
	assert_true(privileges_kept(unit, false, CAP_BPF - 1) == (unit & ~BIT(CAP_SYS_RAWIO)));
	assert_true(privileges_kept(0, true, 0) == 0); /* nothing is gained */
	assert_true(privileges_kept(UINT64_MAX, false, CAP_LAST_CAP) ==
	    ((unit & ~start) | BIT(CAP_DAC_OVERRIDE)));
}

static sem_t end;

static void *thread_main(void *arg)
{
	while (sem_wait(&end) < 0) /* interrupted by the signal */
		;
	return NULL;
}

/* The word of that name in the status of each thread, all of one value. */
static uint64_t of_all_threads(const char *name)
{
	DIR *d = opendir("/proc/self/task");
	uint64_t value = 0;
	unsigned seen = 0;

	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		unsigned long long word;
		char path[300], line[256];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		while (fgets(line, sizeof(line), f)) {
			if (strncmp(line, name, strlen(name)) != 0 ||
			    sscanf(line + strlen(name), ":%llx", &word) != 1)
				continue;
			assert_true(seen == 0 || value == word);
			value = word;
			seen++;
		}
		fclose(f);
	}
	closedir(d);
	assert_true(seen > THREADS);
	return value;
}

static void all_threads_give_up(void **state)
{
	pthread_t thread[THREADS];
	uint64_t before;

	sem_init(&end, 0, 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_main, NULL), 0);
	before = of_all_threads("CapPrm");
	privileges_drop(false);
	assert_string_equal(logged, "");
	assert_true(of_all_threads("CapPrm") == privileges_kept(before, false, CAP_LAST_CAP));
	assert_true(of_all_threads("CapEff") == privileges_kept(before, false, CAP_LAST_CAP));
	assert_true(of_all_threads("CapInh") == 0);
	for (unsigned i = 0; i < THREADS; i++)
		sem_post(&end);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    log_test(what_is_kept),
	    log_test(all_threads_give_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
