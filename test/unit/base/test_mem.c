/* SPDX-License-Identifier: BSD-3-Clause */

/* base/mem.h: memory is usable; without memory the process says so and aborts, tried in a child. */

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "testing.h"

/* The sanitizer's allocator shall answer NULL as that of the C library does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:log_path=/dev/null";
}

static volatile size_t huge = SIZE_MAX / 2; /* volatile: the compiler warns of what it can see */

static void malloc_too_much(void)
{
	free(xmalloc(huge));
}

static void calloc_too_much(void)
{
	free(xcalloc(1, huge));
}

static void calloc_overflow(void)
{
	free(xcalloc(huge, 4));
}

static void realloc_too_much(void)
{
	free(xrealloc(NULL, huge));
}

static void check_aborts(void (*fn)(void))
{
	char said[256] = "";
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0});
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, "out of memory"));
}

static void no_memory_aborts_with_a_message(void **state)
{
	check_aborts(malloc_too_much);
	check_aborts(calloc_too_much);
	check_aborts(calloc_overflow);
	check_aborts(realloc_too_much);
}

static void memory_is_writable_and_kept(void **state)
{
	uint8_t *p = xmalloc(100);

	memset(p, 0x5a, 100);
	p = xrealloc(p, 10000);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(p[i], 0x5a);
	memset(p, 0, 10000);
	free(p);
}

static void calloc_gives_zeros(void **state)
{
	uint8_t *p = xcalloc(33, 31);

	for (unsigned i = 0; i < 33 * 31; i++)
		assert_int_equal(p[i], 0);
	free(p);
}

static void nothing_is_not_null(void **state)
{
	void *volatile p = xmalloc(0);

	assert_non_null(p);
	p = xrealloc(p, 0);
	assert_non_null(p);
	free(p);
	p = xcalloc(0, 8);
	assert_non_null(p);
	free(p);
	p = xcalloc(8, 0);
	assert_non_null(p);
	free(p);
}

static void strdup_copies(void **state)
{
	char text[] = "peer-1";
	char *copy = xstrdup(text), *empty = xstrdup("");

	text[0] = 'x';
	assert_string_equal(copy, "peer-1");
	assert_string_equal(empty, "");
	free(copy);
	free(empty);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_memory_aborts_with_a_message),
	    cmocka_unit_test(memory_is_writable_and_kept),
	    cmocka_unit_test(calloc_gives_zeros),
	    cmocka_unit_test(nothing_is_not_null),
	    cmocka_unit_test(strdup_copies),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
