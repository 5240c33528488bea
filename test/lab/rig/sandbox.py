# SPDX-License-Identifier: BSD-3-Clause
"""A private piece of the machine that vanishes with the process that asked for it.

enter() starts the calling program again inside new mount, network, PID, IPC and UTS namespaces, with a
fresh /run. Everything a lab makes lives in there: named network namespaces (below /run/netns), sockets,
peers' daemons, interfaces. When the program ends, however it ends, the kernel kills every process of the
PID namespace and takes the rest away. So there are no leftovers to clean up, names need no prefix, and
any number of labs run side by side.

The sandbox runs at a high priority: on a busy machine a daemon that waits for the processor looks like a
path that loses packets, and a test is about the router.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

_MARK = "TRANSITD_LAB_SANDBOX"
_PR_SET_PDEATHSIG = 1
NICE = -10


def inside():
    return os.environ.get(_MARK) == "1" and os.getpid() == 1


def enter():
    """Returns inside the sandbox. The first call does not return: it becomes unshare(1).

    The process that the caller was goes on as unshare; its one child is PID 1 of the sandbox.
    """
    if inside():
        _furnish()
        return
    if os.geteuid() != 0:
        sys.exit("the lab makes network namespaces: run it as root")
    env = dict(os.environ, **{_MARK: "1"})
    argv = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
            "--mount-proc", "/usr/bin/python3", *sys.argv]
    os.execvpe(argv[0], argv, env)


def _furnish():
    with contextlib.suppress(PermissionError):  # a container may hold it back
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab-run", "/run"], check=True)
    os.makedirs("/run/lock", exist_ok=True)
    subprocess.run(["hostname", "lab"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # PID 1 ignores every signal it has no handler for; a lab must still end when it is told to.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def die_with_parent():
    """For preexec_fn: the child gets SIGKILL when the thread that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
