/* SPDX-License-Identifier: BSD-3-Clause */

/* What a process cannot do any more, in threads that were there before; and that the rest goes on. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "testing.h"
#include "transitd/lockdown.h"

static sem_t go;

static void assert_locked(void)
{
	char *const none[] = {NULL};
	struct timeval now;

	gettimeofday(&now, NULL);
	errno = 0;
	assert_int_equal(execve("/bin/true", none, none), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(unshare(CLONE_NEWNET), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(mount("none", "/mnt", "tmpfs", 0, ""), -1);
	assert_int_equal(errno, EPERM);
#ifndef __SANITIZE_ADDRESS__
	assert_int_equal(ptrace(PTRACE_TRACEME, 0, 0, 0), -1);
	assert_int_equal(errno, EPERM);
#endif
	assert_int_equal(settimeofday(&now, NULL), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(syscall(SYS_bpf, BPF_PROG_LOAD, NULL, 0), -1);
	assert_int_equal(errno, EPERM);
}

/* What a router that runs goes on to need. */
static void assert_at_work(void)
{
	int fd = open("/proc/self/stat", O_RDONLY);

	assert_true(fd >= 0);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(fd >= 0);
	close(fd);
	errno = 0; /* refused by the kernel for its arguments, not by the filter */
	assert_int_equal(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, NULL, 0), -1);
	assert_true(errno == EINVAL || errno == EPERM || errno == EBADF || errno == EFAULT);
}

static void *worker(void *arg)
{
	char *const none[] = {NULL};
	bool *locked = arg;

	sem_wait(&go);
	*locked = execve("/bin/true", none, none) == -1 && errno == EPERM;
	return NULL;
}

static void all_threads_are_locked(void **state)
{
	pthread_t thread;
	bool locked = false;

	sem_init(&go, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, worker, &locked), 0);
	lockdown();
	sem_post(&go);
	pthread_join(thread, NULL);
	assert_true(locked);
	assert_locked();
	assert_at_work();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_threads_are_locked)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
