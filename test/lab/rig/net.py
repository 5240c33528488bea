# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces, the wires between them, and plain hosts."""

import contextlib
import ctypes
import os
import re

from . import process

_CLONE_NEWNET = 0x40000000


class Netns:
    """A named network namespace of the sandbox: IPv6 chatter off, loopback up."""

    def __init__(self, name, forward=False):
        self.name = name
        process.run(["ip", "netns", "add", name])
        self.ip("link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self.sysctl("net.ipv4.ip_forward", int(forward))
        self.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
        self.sysctl("net.ipv4.conf.all.ignore_routes_with_linkdown", 1)
        self.sysctl("net.ipv4.conf.default.ignore_routes_with_linkdown", 1)
        self.sysctl("net.ipv4.conf.default.rp_filter", 0)
        self.sysctl("net.ipv4.conf.all.rp_filter", 0)

    def argv(self, argv):
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv, **more):
        return process.run(self.argv(argv), **more)

    def spawn(self, name, *argv, **more):
        return process.Process(name, self.argv(argv), **more)

    def ip(self, *argv):
        """ip(8) with the words of one string or of several arguments."""
        words = [w for a in argv for w in str(a).split()]
        return process.run(["ip", "-n", self.name, *words])

    def sysctl(self, key, value):
        self.run("sysctl", "-qw", f"{key}={value}")

    def ping(self, to, count=3, size=56, df=False, source=None, ttl=None, interval=0.1, wait_s=1):
        """Number of echo replies out of `count`, each within `wait_s`. (ping(8) waits for two round trips, no longer, once
        it has any reply: on a busy machine that is not the time in which a peer gets to run.)"""
        argv = ["fping", "-q", "-c", count, "-p", round(interval * 1000), "-t", round(wait_s * 1000), "-b", size]
        argv += ["-M"] if df else []
        argv += ["-S", source] if source else []
        argv += ["-H", ttl] if ttl else []
        told = self.run(*argv, str(getattr(to, "address", to)), check=False, timeout=count + 30).stderr
        found = re.search(r"xmt/rcv/%loss = \d+/(\d+)/", told)
        return int(found.group(1)) if found else 0

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is in the namespace; sockets made here stay in it."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            if libc.setns(there.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                libc.setns(home.fileno(), _CLONE_NEWNET)

    def mac(self, ifname):
        return self.run("cat", f"/sys/class/net/{ifname}/address").strip()


def wire(a, ifname_a, b, ifname_b, mtu=1500):
    """A veth pair between two namespaces, both ends up, no offloads: frames on it are as on a cable."""
    process.run(["ip", "link", "add", "name", ifname_a, "netns", a.name, "mtu", mtu, "type", "veth",
                 "peer", "name", ifname_b, "netns", b.name, "mtu", mtu])
    for ns, ifname in ((a, ifname_a), (b, ifname_b)):
        ns.run("ethtool", "-K", ifname, "tx", "off", "gso", "off", "gro", "off", check=False)
        ns.ip("link set dev", ifname, "up")


class Host(Netns):
    """A plain host: one interface, one address, one default gateway."""

    def __init__(self, name, address=None, gateway=None):
        super().__init__(name)
        self.cidr = address
        self.gateway = gateway
        self.address = address.split("/")[0] if address else None

    def attach(self, ifname="eth0"):
        """Called when the wire is there: sets the address and the route."""
        self.ip("addr add", self.cidr, "dev", ifname)
        if self.gateway:
            self.ip("route add default via", self.gateway)


def exists(ns_name):
    return os.path.exists(f"/run/netns/{ns_name}")
