# SPDX-License-Identifier: BSD-3-Clause
"""A small virtual machine with Debian's own kernel: what the kernel of a test machine may lack, this one has.

It boots from build/lab-vm (see ../guest/image.sh) and sees this machine's /usr and the build through 9p, so
programs in it are the same as outside. Its network interfaces eth0, eth1 ... are TAP interfaces of namespaces
of the lab. The processor is emulated (TCG): it needs no support of the machine, and is some twenty times slower.
"""

import base64
import fcntl
import os
import shlex
import socket
import struct

from . import process, tools, wait

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI, _IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x0100
_NO_OFFLOADS = "guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off"
_BOOT_S = 120  # ten seconds, on a machine with nothing else to do


class GuestError(RuntimeError):
    """A command in the guest failed."""


def image_dir():
    path = os.path.join(tools.build_dir(), "lab-vm")
    if not os.path.exists(os.path.join(path, "stamp")):
        raise RuntimeError(f"{path} is missing: test/lab/guest/image.sh {path}")
    return path


def _tap(ns, ifname, queues):
    """A TAP interface in `ns`, up; returns the descriptors that are its other end, one for each queue."""
    flags = _IFF_TAP | _IFF_NO_PI | (_IFF_MULTI_QUEUE if queues > 1 else 0)
    fds = []
    with ns.entered():
        for _ in range(queues):
            fds.append(os.open("/dev/net/tun", os.O_RDWR))
            fcntl.ioctl(fds[-1], _TUNSETIFF, struct.pack("16sH22x", ifname.encode(), flags))
    ns.ip("link set dev", ifname, "up txqueuelen 10000")
    return fds


class Guest:
    """One machine. `nics`: list of (namespace, name of the TAP interface there), in the guest's order.

    With several queues each, the NICs leave to the guest what an XDP program has to see as it was on the wire.
    `places`: where a NIC sits, by its number in the list, instead of the machine's own bus; `hash`: NICs spread flows
    over their queues as the guest tells them.
    """

    def __init__(self, name, nics, memory_mib=320, cpus=1, extra=(), queues=1, places=None, hash=False):
        self.queues, self.places, self.hash = queues, places or {}, hash
        self.name, self.nics, self.memory_mib, self.cpus = name, nics, memory_mib, cpus
        self.extra = list(extra)
        self.dir = process.log_path(name)  # seen by the guest under the same path, writable
        self.console = process.log_path(f"{name}.console")
        self.monitor = f"/run/monitor-{name}.sock"
        self.process = self.agent = None

    def _shares(self):
        """{tag: (path here, path there, mode)} besides what every guest has."""
        return {"usr": ("/usr", None, "ro"), "image": (os.path.join(image_dir(), "usr"), None, "ro"),
                "build": (tools.app_dir(), tools.app_dir(), "ro"),
                "dir": (self.dir, self.dir, "rw")}

    def _argv(self, fds, listen):
        mac = "52:54:00:%02x:%02x:" % (os.getpid() & 255, sum(self.name.encode()) & 255)
        words = ["console=ttyS0", "quiet", "panic=-1", "mitigations=off", "random.trust_cpu=on",
                 "tsc=reliable", "no_timer_check"]
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", self.cpus,
                "-m", self.memory_mib, "-machine", "pc", "-nodefaults", "-no-user-config",
                "-display", "none", "-no-reboot", "-serial", f"file:{self.console}",
                "-monitor", f"unix:{self.monitor},server=on,wait=off",
                "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={listen}",
                "-device", "virtserialport,chardev=agent,name=agent",
                "-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]
        for tag, (here, there, mode) in self._shares().items():
            readonly = ",readonly=on" if mode == "ro" else ""
            argv += ["-fsdev", f"local,id={tag},path={here},security_model=none,multidevs=remap{readonly}",
                     "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
            if there:
                words.append(f"share={tag}:{there}:{mode}")
        argv += self.extra
        for i, ends in enumerate(fds):
            several = self.queues > 1
            end = f"fds={':'.join(map(str, ends))}" if several else f"fd={ends[0]}"
            argv += ["-netdev", f"tap,id=n{i},{end}", "-device",
                     f"virtio-net-pci,id=nic{i},netdev=n{i},mac={mac}{i:02x},romfile=,"
                     + self.places.get(i, f"bus=pci.0,addr={0x10 + i:#x}")
                     + (f",mq=on,vectors={2 * self.queues + 2},{_NO_OFFLOADS}" if several else "")
                     + (",rss=on,hash=on" if self.hash else "")]
        return [*argv, "-kernel", os.path.join(image_dir(), "vmlinuz"), "-initrd",
                os.path.join(image_dir(), "initramfs"), "-append", " ".join(words)]

    def start(self):
        """Boots; returns at once. The first sh() waits until the guest is there, or call wait_ready()."""
        os.makedirs(self.dir, exist_ok=True)
        listen = f"/run/guest-{self.name}.sock"
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(listen)
        self.server.listen(1)
        self.server.settimeout(10)
        fds = [_tap(ns, ifname, self.queues) for ns, ifname in self.nics]
        flat = sum(fds, [])
        try:
            self.process = process.Process(self.name, self._argv(fds, listen), pass_fds=flat)
            wait.until(self._connected, 10, f"qemu of {self.name} has its port for the agent")
        finally:
            for fd in flat:
                os.close(fd)
        return self

    def _connected(self):
        if not self.process.alive():
            raise RuntimeError(f"{self.name} ended early: {self.process.tail()}")
        self.server.settimeout(0.2)
        try:
            self.agent, _ = self.server.accept()
        except TimeoutError:
            return False
        self.server.close()
        self.lines = None
        return True

    def wait_ready(self, timeout=_BOOT_S):
        if self.lines is None:
            self.agent.settimeout(timeout)
            self.lines = self.agent.makefile("r")
            try:
                assert self.lines.readline() == "ready\n", "the guest has ended"
            except TimeoutError:
                raise wait.Timeout(f"{self.name} did not boot within {timeout} s: {self.last_words()}") from None
        return self

    def last_words(self, lines=15):
        with open(self.console, errors="replace") as console:
            return "\n".join(console.read().splitlines()[-lines:])

    def sh(self, command, check=True, timeout=30):
        """Runs a line of shell in the guest; what it prints is returned (with `check=False`: code and output)."""
        self.wait_ready()
        self.agent.settimeout(timeout)
        self.agent.sendall(base64.b64encode(command.encode()) + b"\n")
        try:
            answer = self.lines.readline()
        except TimeoutError:
            raise wait.Timeout(f"{self.name}: not within {timeout} s: {command}") from None
        assert answer, f"{self.name} has ended: {self.last_words()}"
        code, _, text = answer.strip().partition(" ")
        text = base64.b64decode(text).decode(errors="replace")
        if check and code != "0":
            raise GuestError(f"{self.name}: {command}: exit {code}: {text.strip()}")
        return text if check else (int(code), text)

    def run(self, *argv, **more):
        return self.sh(shlex.join(str(a) for a in argv), **more)

    def spawn(self, name, command):
        """A daemon in the guest; its output is NAME.log in the guest's folder. Returns its process number."""
        log = os.path.join(self.dir, f"{name}.log")
        return int(self.sh(f"{command} >>{shlex.quote(log)} 2>&1 & echo $!"))

    def write(self, name, text, mode=0o600):
        """A file of the shared folder; the same path holds in the guest."""
        path = os.path.join(self.dir, name)
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, mode)) as out:
            out.write(text)
        return path

    def read(self, name):
        path = os.path.join(self.dir, name)
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as log:
            return log.read()

    def forget(self, name):
        """Puts a log aside, when its daemon is started again."""
        path = os.path.join(self.dir, name)
        if os.path.exists(path):
            os.rename(path, f"{path}.{len(os.listdir(self.dir))}")

    def tell_machine(self, line):
        """A command of qemu's monitor: `set_link nic0 off`."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(10)
            monitor.connect(self.monitor)
            answer = ""
            for words in (None, line):
                if words:
                    monitor.sendall(words.encode() + b"\n")
                    answer = ""
                while not answer.endswith("(qemu) "):
                    piece = monitor.recv(4096)
                    assert piece, f"the monitor of {self.name} has ended"
                    answer += piece.decode(errors="replace")
        return answer

    def power_off(self):
        if self.process:
            self.process.kill()
            self.process = None
