/* SPDX-License-Identifier: BSD-3-Clause */

/* CPUs of the startup file against those of the machine. */

#include <errno.h>

#include "logged.h"
#include "transitd/cpus.h"

static int check(uint32_t control, uint32_t *workers, unsigned count, const char *allowed)
{
	struct conf_system system = {
	    .control_core = control, .worker_cores = workers, .worker_cores_count = count};
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned i = 0; allowed[i]; i++) {
		if (allowed[i] == '1')
			CPU_SET(i, &set);
	}
	return cpus_check(&system, &set);
}

static void sound(void **state)
{
	assert_int_equal(check(0, (uint32_t[]){1}, 1, "11"), 0);
	assert_int_equal(check(3, (uint32_t[]){1, 0, 5}, 3, "110101"), 0);
	assert_string_equal(logged, "");
}

static void one_cpu(void **state)
{
	assert_int_equal(check(0, (uint32_t[]){1}, 1, "1"), -EINVAL);
	assert_logged("one CPU only (0)");
}

static void missing_cpus(void **state)
{
	assert_int_equal(check(7, (uint32_t[]){1, 4}, 2, "1110011"), -EINVAL);
	assert_logged("system.control-core: CPU 7 is none of those this process may use: 0-2,5-6");
	assert_logged("system.worker-cores: CPU 4 is none of those this process may use: 0-2,5-6");
	assert_int_equal(check(0, (uint32_t[]){100000}, 1, "11"), -EINVAL);
}

static void shared_cpus(void **state)
{
	assert_int_equal(check(1, (uint32_t[]){1}, 1, "11"), -EINVAL);
	assert_logged("system.worker-cores: CPU 1 is taken already");
	assert_int_equal(check(0, (uint32_t[]){1, 1}, 2, "11"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    log_test(sound),
	    log_test(one_cpu),
	    log_test(missing_cpus),
	    log_test(shared_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
