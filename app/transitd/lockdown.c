/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A seccomp filter that names what is refused. DPDK, its drivers and libraries below them use calls that differ by
 * version, so a list of what is allowed would break somewhere; the calls here are of no use to a router that runs.
 * Capabilities are given up before (privileges.c).
 */

#include "transitd/lockdown.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <linux/bpf.h>
#include <seccomp.h>

#include "base/log.h"

#define LOG "lockdown"

static const char *const refused[] = {
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks that way, at the end */
    "ptrace",
#endif
    /* other programs */
    "execve", "execveat", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise",
    "kcmp",
    /* the kernel itself */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "iopl", "ioperm", "acct", "syslog", "perf_event_open", "userfaultfd", "lookup_dcookie",
    "quotactl", "swapon", "swapoff", "add_key", "request_key", "keyctl",
    /* file systems and namespaces */
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount",
    "setns", "unshare", "open_by_handle_at", "name_to_handle_at",
    /* identity and time */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid",
    "setfsgid", "capset", "personality", "clock_settime", "settimeofday", "adjtimex",
    "clock_adjtime", "sethostname", "setdomainname"};

static int add_rules(scmp_filter_ctx filter)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && rc == 0; i++) {
		int call = seccomp_syscall_resolve_name(refused[i]);

		if (call >= 0) /* else this kind of machine has no such call */
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
	}
	if (rc == 0) /* maps go on to be used */
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf), 1,
		    SCMP_A0_32(SCMP_CMP_EQ, BPF_PROG_LOAD));
	return rc;
}

void lockdown(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1); /* all threads */
	if (rc == 0)
		rc = add_rules(filter);
	if (rc == 0)
		rc = seccomp_load(filter); /* sets no_new_privs */
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL,
		    "calls that are no longer needed stay allowed: %s", strerror(-rc));
	seccomp_release(filter);
}
