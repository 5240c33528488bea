# SPDX-License-Identifier: BSD-3-Clause
"""transitd inside a guest, on virtio NICs that it drives itself: virtio PMD, huge pages, UIO.

To a test it is a Transitd like any other. The world of demo and tests is outside, behind the TAP interfaces of
the guest's NICs.
"""

import os
import shlex
import types

from . import guest, net, site, transitd, wait, world

_KERNEL_NICS = ("eth0", "eth1")
_PCI = ("0000:00:10.0", "0000:00:11.0")  # in the order of the guest's NICs, see guest.py
_HUGE_PAGES = 192  # of 2 MiB
_MEMORY_MIB = 1024


class GuestProcess:
    """A program in a guest, with what tests ask of a process.Process."""

    def __init__(self, machine, name, argv):
        self.guest, self.name = machine, name
        self.log_name, self.code_name = f"{name}.log", f"{name}.code"
        for old in (self.log_name, self.code_name):
            machine.forget(old)
        self.pid_file = f"/run/{name}.pid"
        line = f"echo $$ >{self.pid_file}; exec {shlex.join(argv)}"
        machine.sh(f"rm -f {self.pid_file}; {{ sh -c {shlex.quote(line)}; echo $? >{machine.dir}/{self.code_name}; }} "
                   f">>{machine.dir}/{self.log_name} 2>&1 &")

    def alive(self):
        return self.guest.read(self.code_name).strip() == ""

    def output(self):
        return self.guest.read(self.log_name)

    def tail(self, lines=15):
        return "\n".join(self.output().splitlines()[-lines:])

    def wait_log(self, text, timeout=10):
        wait.until(lambda: text in self.output(), timeout, f"{self.name} logs '{text}'")

    def stop(self, word="TERM", timeout=20):
        """A deadline of an emulated processor: everything takes twenty times as long."""
        self.guest.sh(f"kill -{word} $(cat {self.pid_file})", check=False)
        wait.until(lambda: not self.alive(), max(timeout, 20), f"{self.name} ends after SIG{word}", step=0.1)
        return int(self.guest.read(self.code_name))

    def kill(self):
        self.stop("KILL")


class GuestTransitd(transitd.Transitd):
    """`nics`: (namespace, TAP) of the uplink, then of the LAN; they take the place of the file's two ports."""

    queues = 1
    pci = _PCI
    machine = {"cpus": 2}  # arguments of guest.Guest

    def __init__(self, nics, name="tr"):  # pylint: disable=super-init-not-called
        self.name = name
        self.guest = guest.Guest(f"{name}-vm", nics, memory_mib=_MEMORY_MIB, queues=self.queues, **self.machine)
        self.run_dir = f"/run/transitd-{name}"
        self.socket = f"{self.run_dir}/transitd.sock"
        self.process = None

    def boot(self):
        self.guest.start()
        return self

    def bind(self):
        """Huge pages, and the NICs from the kernel's driver to the one for DPDK, as README says."""
        self.guest.wait_ready()
        self.config_file = os.path.join(self.guest.dir, f"{self.name}.yaml")
        self.guest.sh(f"echo {_HUGE_PAGES} >/proc/sys/vm/nr_hugepages && mkdir -p /dev/hugepages && "
                      "mount -t hugetlbfs nodev /dev/hugepages")
        for nic in self.pci:
            self.nic("bind", nic)
        return self

    def nic(self, *words, check=True):
        """transitctl nic, in the guest: (exit code, what it prints)."""
        return self.guest.sh(f"{self.program('transitctl')} --json nic {shlex.join(words)} 2>&1", check=check)

    def write(self, config):
        ports = {name: dict(port, device=pci, descriptors=256)
                 for (name, port), pci in zip(config["ports"].items(), self.pci)}
        system = {"huge-pages": "required", "memory": "256M", **config.get("system", {})}
        return super().write(dict(config, ports=ports, system=system))

    def start(self, config=None, timeout=60):
        if config is not None:
            self.write(config)
        self.guest.sh(f"mkdir -p {self.run_dir}")
        self.process = GuestProcess(self.guest, f"transitd-{self.name}",
                                    [self.program("transitd"), "-c", self.config_file])

        def answers():
            if not self.process.alive():
                raise RuntimeError(f"{self.name} ended early: {self.process.tail()}")
            return self._ctl("show", "system").returncode == 0
        wait.until(answers, timeout, f"{self.name} answers on {self.socket}", step=0.3)
        return self

    def _ctl(self, *words, json="--json "):
        code, text = self.guest.sh(f"{self.program('transitctl')} -s {self.socket} {json}{shlex.join(words)}",
                                   check=False)
        return types.SimpleNamespace(returncode=code, stdout=text, stderr="")

    def text(self, *words):
        return self._ctl(*words, json="").stdout


class SteeredTransitd(GuestTransitd):
    """The NICs stay with the guest's kernel, which shares them with the router by AF_XDP; they have two queues each."""

    queues = 2

    def bind(self):
        self.guest.wait_ready()
        self.config_file = os.path.join(self.guest.dir, f"{self.name}.yaml")
        for ifname in _KERNEL_NICS:
            self.guest.sh(f"ethtool -L {ifname} combined {self.queues}; ip link set {ifname} up")
        return self

    def write(self, config):
        ports = {name: dict(port, device=f"af_xdp:{ifname}", descriptors=256)
                 for (name, port), ifname in zip(config["ports"].items(), _KERNEL_NICS)}
        system = {"huge-pages": "no", "memory": "256M", **config.get("system", {})}
        return transitd.Transitd.write(self, dict(config, ports=ports, system=system))


class NumaTransitd(GuestTransitd):
    """A machine of two NUMA nodes: CPU 0 and the first NIC on node 0, CPUs 1 and 2 and the second NIC on node 1."""

    queues = 2
    pci = ("0000:41:01.0", "0000:81:01.0")
    machine = {
        "cpus": 3, "places": {0: "bus=near,addr=1", 1: "bus=far,addr=1"}, "hash": True,
        "extra": ("-object", f"memory-backend-ram,id=m0,size={_MEMORY_MIB // 2}M",
                  "-object", f"memory-backend-ram,id=m1,size={_MEMORY_MIB // 2}M",
                  "-numa", "node,nodeid=0,memdev=m0,cpus=0", "-numa", "node,nodeid=1,memdev=m1,cpus=1-2",
                  "-device", "pxb,id=near,bus_nr=64,numa_node=0,bus=pci.0,addr=0x13",
                  "-device", "pxb,id=far,bus_nr=128,numa_node=1,bus=pci.0,addr=0x14")}


class GuestWorld(world.World):
    """The standard topology around a router in a guest."""

    router_class = GuestTransitd

    def make_router(self, uplink_relay_seed):
        assert uplink_relay_seed is None, "no relay in front of a guest"
        switch_ns = net.Netns("switch-tr-lan0")
        self.router = self.router_class([(self.inet, "tr"), (switch_ns, "trunk")]).boot()
        self.inet.ip("addr add 203.0.113.1/24 dev tr")
        self.lan = site.VpcHosts(self.router, "lan0", self.vlans(), switch_ns)
        self.router.bind()


