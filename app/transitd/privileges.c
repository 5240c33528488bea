/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Capabilities belong to a thread, and only the thread itself can give its own up; those that EAL made know nothing of
 * it. So each gets a signal whose handler does it, as the C library does for setuid(2). Programs cannot be run after
 * lockdown(), so that what is still in the bounding set comes back to nobody.
 */

#include "transitd/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/log.h"

#define LOG       "privileges"
#define BIT(cap)  (UINT64_C(1) << (cap))
#define WAIT_US   1000
#define WAITS_MAX 2000
#define SIGNAL    (SIGRTMAX - 1)

/*
 * NET_ADMIN, NET_RAW: interfaces, TUN, and the packet sockets of VLANs that `apply` brings. BPF: maps of the XDP program.
 * IPC_LOCK: memory that NICs write to. NET_BIND_SERVICE: BGP. DAC_OVERRIDE: files of whoever started it by hand; the
 * service has it not.
 */
uint64_t privileges_kept(uint64_t held, bool physical, unsigned last)
{
	uint64_t keep = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_BPF) | BIT(CAP_IPC_LOCK) |
	    BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_DAC_OVERRIDE);

	if (physical || last < CAP_BPF) /* before there was CAP_BPF, maps took this */
		keep |= BIT(CAP_SYS_ADMIN);
	return held & keep;
}

static struct {
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	atomic_uint answered, failed;
} order;

/* In a signal handler: a system call and two counters. */
static void obey(int signal)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	int saved = errno;

	if (syscall(SYS_capset, &header, order.data) < 0)
		atomic_fetch_add(&order.failed, 1);
	atomic_fetch_add(&order.answered, 1);
	errno = saved;
}

/* Tells each thread once; the number told, or -errno. */
static int tell_threads(void)
{
	pid_t self = (pid_t)syscall(SYS_gettid);
	DIR *d = opendir("/proc/self/task");
	int told = 0;

	if (!d)
		return -errno;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);

		if (thread > 0 && thread != self &&
		    syscall(SYS_tgkill, getpid(), thread, SIGNAL) == 0)
			told++;
	}
	closedir(d);
	return told;
}

static int drop_everywhere(void)
{
	struct sigaction action = {.sa_handler = obey, .sa_flags = SA_RESTART}, before;
	int told;

	atomic_store(&order.answered, 0);
	atomic_store(&order.failed, 0);
	if (sigaction(SIGNAL, &action, &before) < 0)
		return -errno;
	told = tell_threads();
	for (unsigned i = 0; i < WAITS_MAX && (int)atomic_load(&order.answered) < told; i++)
		usleep(WAIT_US);
	bool all = told >= 0 && (int)atomic_load(&order.answered) >= told;
	obey(SIGNAL); /* this thread, last: the others were made by it */
	if (all)      /* a late one must still find the handler */
		sigaction(SIGNAL, &before, NULL);
	if (told < 0)
		return told;
	return atomic_load(&order.failed) ? -EPERM : all ? 0 : -ETIMEDOUT;
}

static unsigned last_capability(void)
{
	unsigned last = CAP_LAST_CAP;
	FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");

	if (!f)
		return last;
	if (fscanf(f, "%u", &last) != 1)
		last = CAP_LAST_CAP;
	fclose(f);
	return last;
}

void privileges_drop(bool physical)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {0};
	int rc = syscall(SYS_capget, &header, has) < 0 ? -errno : 0;

	if (rc == 0) {
		uint64_t held = has[0].permitted | (uint64_t)has[1].permitted << 32;
		uint64_t kept = privileges_kept(held, physical, last_capability());

		for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
			uint32_t word = (uint32_t)(kept >> (32 * i));

			order.data[i] = (struct __user_cap_data_struct){word, word, 0};
		}
		rc = drop_everywhere();
	}
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL, "capabilities that are no longer needed stay: %s",
		    strerror(-rc));
}
