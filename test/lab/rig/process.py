# SPDX-License-Identifier: BSD-3-Clause
"""Commands and daemons of a lab, each with its log in the lab's log folder."""

import ctypes
import os
import signal
import subprocess

from . import sandbox, wait

_log_dir = None


def log_dir():
    """Folder of this lab's logs: configs, logs of daemons, captures. Stays after the run."""
    global _log_dir
    if _log_dir is None:
        _log_dir = os.environ.get("TRANSITD_LAB_LOGS") or f"/tmp/transitd-lab-{os.getpid()}"
        os.makedirs(_log_dir, exist_ok=True)
    return _log_dir


def log_path(name):
    return os.path.join(log_dir(), name)


def run(argv, timeout=30, check=True, **more):
    """Runs a command to its end and returns its standard output. Raises with its words when it fails."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, **more)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(str(a) for a in argv)}: exit {done.returncode}: "
                           f"{(done.stderr or done.stdout).strip()}")
    return done.stdout if check else done


class Process:
    """A daemon or a tool that runs beside the test. Its stderr (and stdout, unless piped) is its log."""

    def __init__(self, name, argv, env=None, stdin=None, stdout=None, pass_fds=()):
        self.name = name
        self.log = log_path(name + ".log")
        with open(self.log, "ab") as log:
            self.offset = log.tell()
            self.popen = subprocess.Popen(
                [str(a) for a in argv], stdin=stdin or subprocess.DEVNULL, stdout=stdout or log,
                stderr=log, text=True, bufsize=1, env=dict(os.environ, **(env or {})),
                pass_fds=pass_fds, start_new_session=True)  # Ctrl-C is for the test alone
        self._prefer()

    def _prefer(self):
        """Where the kernel shares time among sessions first (sched_autogroup), nice counts inside one only."""
        try:
            with open(f"/proc/{self.pid}/autogroup", "w") as group:
                group.write(str(sandbox.NICE))
        except OSError:  # such a kernel it is not, or the process is gone
            pass

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def output(self):
        """What it has logged since it was started."""
        with open(self.log, errors="replace") as log:
            log.seek(self.offset)
            return log.read()

    def wait_log(self, text, timeout=10):
        def seen():
            found = text in self.output()
            if not found and not self.alive():
                raise RuntimeError(f"{self.name} ended early: {self.tail()}")
            return found
        wait.until(seen, timeout, f"{self.name} logs '{text}'")

    def tail(self, lines=15):
        return "\n".join(self.output().splitlines()[-lines:])

    def send_signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Ends it; the exit code is returned. Whoever does not go in time is killed: that is a failure."""
        self.send_signal(number)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise wait.Timeout(f"{self.name} still ran {timeout} s after signal {number}") from None

    def kill(self):
        self.stop(signal.SIGKILL)


class Stopped:
    """One thread of a process held by ptrace, as in a debugger; the others run on (C-20)."""

    def __init__(self, tid):
        self.libc, self.tid = ctypes.CDLL(None, use_errno=True), tid

    def __enter__(self):
        seize, interrupt = 0x4206, 0x4207
        for request in (seize, interrupt):
            if self.libc.ptrace(request, self.tid, None, None) < 0:
                raise OSError(ctypes.get_errno(), "ptrace")
        os.waitpid(self.tid, 0x40000000)  # __WALL
        return self

    def __exit__(self, *_):
        if self.libc.ptrace(17, self.tid, None, None) < 0:  # PTRACE_DETACH
            raise OSError(ctypes.get_errno(), "ptrace")
