# SPDX-License-Identifier: BSD-3-Clause
"""dpdk-testpmd as another process with DPDK: the switch of a hypervisor, or a traffic generator.

Both ends of a vhost-user or memif cable are processes: the socket is a path in the sandbox's /run.
"""

import signal
import subprocess

from . import wait

_count = 0


class Testpmd:
    """Forwards between its devices (`--vdev` strings) until stop(). Lives in `ns`, without huge pages."""

    def __init__(self, ns, name, *vdevs, mode="io", memory_mib=192, options=(), commands=None):
        global _count
        _count += 1
        self.ns, self.name, self.commands = ns, name, commands
        self.argv = ["stdbuf", "-o0", "dpdk-testpmd", "--lcores", "0@(0-1),1@(0-1)", "--no-huge", "-m", str(memory_mib), "--no-pci",
                     f"--file-prefix=pmd{_count}", "--no-telemetry"]
        for vdev in vdevs:
            self.argv += ["--vdev", vdev]
        self.argv += ["--", "--no-mlockall", "--total-num-mbufs=8192", f"--forward-mode={mode}", "--txd=1024",
                      "--rxd=1024", "--port-topology=chained" if len(vdevs) == 1 else "--port-topology=paired"]
        self.argv += ["-i"] if commands is not None else ["--auto-start"]
        self.argv += options
        self.process = None

    def start(self):
        """Returns when it forwards, or in interactive mode when it takes commands."""
        self.process = self.ns.spawn(self.name, *self.argv, stdin=subprocess.PIPE)
        self.process.wait_log("testpmd> " if self.commands is not None else "Press enter to exit", 20)
        for line in self.commands or ():
            self.do(line)
        return self

    def do(self, line, seen=None, timeout=10):
        """A command of its prompt; waits until `seen` is in what it says after that."""
        before = len(self.process.output())
        self.process.popen.stdin.write(line + "\n")
        self.process.popen.stdin.flush()
        if seen:
            wait.until(lambda: seen in self.process.output()[before:], timeout, f"testpmd: {line}: {seen}")
        return self.process.output()[before:]

    def stop(self):
        if self.process:
            self.process.stop(signal.SIGTERM)
            self.process = None

    def kill(self):
        self.process.kill()
        self.process = None
