# SPDX-License-Identifier: BSD-3-Clause
"""A router that dies or stops, and comes back (C-01, C-02): how soon every tunnel carries traffic again."""

import os
import select
import socket
import struct
import threading

from rig import capture, net, site, tools, transitd, wait, world
from rig.case import Lab

ASK_S = 0.05


class Pings:
    """Echo requests from a host to many addresses, again and again; when each first answered."""

    def __init__(self, host, addresses):
        self.addresses, self.answered, self.stopping = addresses, {}, threading.Event()
        with host.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.watch = wait.Stopwatch()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _request(self, number):
        body = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xffff, number) + b"restart!"
        total = sum(struct.unpack("!8H", body))
        total = (total & 0xffff) + (total >> 16)
        return body[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + body[4:]

    def _run(self):
        while not self.stopping.is_set():
            for number, address in enumerate(self.addresses):
                if address not in self.answered:
                    self.socket.sendto(self._request(number), (address, 0))
            end = self.watch() + ASK_S
            while self.watch() < end and select.select([self.socket], [], [], max(end - self.watch(), 0))[0]:
                packet, (source, _) = self.socket.recvfrom(2048)
                if packet[20] == 0:
                    self.answered.setdefault(source, self.watch())

    def finish(self, timeout):
        """Seconds until the last one answered."""
        try:
            wait.until(lambda: len(self.answered) == len(self.addresses), timeout, "every tunnel carries traffic")
        finally:
            self.stopping.set()
            self.thread.join()
            self.socket.close()
        return max(self.answered.values())


class Base(Lab):
    """Two routers with so many connections of one tunnel, each to a network of its own behind the second one."""

    release = True
    tunnels = 10
    limit_s = 3
    times = 20

    @classmethod
    def half(cls, i):
        """The configuration of one end; the first one starts the negotiations."""
        net_of = ("203.0.113", "198.51.100")
        gateways = {f"far-{n}": {"address": f"{net_of[1 - i]}.{n + 1}"} for n in range(100, 100 + cls.tunnels)}
        # Each has a network of its own on the far side; back, all are equal paths.
        attachments = {f"vpn-{n}": {"kind": "vpn", "routes": [{"prefix": "10.1.0.0/16" if i else f"10.2.{n}.0/24"}],
                                    "connection": {"mode": "single", "tunnels": [{
                                        "customer-gateway": f"far-{n}", "gateway-address": f"{net_of[i]}.{n + 1}",
                                        "psk": world.PSK, "apply-immediately": i == 0,
                                        "ike": {"dh-group": "group31", "encryption": "aes256", "authentication": "sha256"},
                                        "ipsec": {"encryption": "aes128gcm16", "dh-group": "group31"}}]}}
                       for n in range(100, 100 + cls.tunnels)}
        return {
            "ports": {"wan0": {"device": "af_packet:wan0", "address": f"{net_of[i]}.10/24", "gateway": f"{net_of[i]}.1"},
                      "lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"limits": {"vpn-attachments": 500}},
            "customer-gateways": gateways,
            "attachments": {"vpc": {"kind": "vpc", "port": "lan0", "address": f"10.{i + 1}.255.254/16"}, **attachments}}

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.ends, cls.hosts = [], []
        for i, address in enumerate(("203.0.113", "198.51.100")):
            end = transitd.Transitd(f"tr{i + 1}")
            cls.inet.attach(end, None, 24, f"{address}.1", ifname="wan0")
            host = net.Host(f"host{i + 1}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254")
            site.VpcHosts(end, "lan0", {0: host})
            cls.ends.append(end)
            cls.hosts.append(host)
        cls.far = [f"10.2.{n}.1" for n in range(100, 100 + cls.tunnels)]
        for address in cls.far:
            cls.hosts[1].ip("addr add", f"{address}/32 dev lo")
        for i, end in reversed(list(enumerate(cls.ends))):
            end.start(cls.half(i))
            cls.routers.append(end)
        cls.watch(cls.inet, "tr1")
        cls.ends[0].wait_up(timeout=60)
        Pings(cls.hosts[0], cls.far).finish(20)

    def one_pair_each(self):
        """The old SAs of the peer are gone: INITIAL_CONTACT, not a DPD timeout, has removed them."""
        for end in self.ends:
            def settled(end=end):
                live = [r["tunnel"] for r in end.ctl("show", "sas") if r["type"] == "esp" and r["state"] == "installed"]
                return sorted(live) == sorted(set(live)) and len(live) == self.tunnels
            wait.until(settled, 10, f"one pair of SAs for each tunnel of {end.name}", step=0.1)


class Killed(Base):
    """kill -9 and start, again and again, nothing cleaned by hand."""

    def test_killed_and_started(self):
        took = []
        for _ in range(self.times):
            self.ends[0].kill()
            pings = Pings(self.hosts[0], self.far)
            self.ends[0].start()
            took.append(pings.finish(self.limit_s + 15))
            self.one_pair_each()
        self.note(f"{self.tunnels} tunnels carry traffic again after kill -9 and start: "
                  + " ".join(f"{t:.2f}" for t in took) + f" s (at most {self.limit_s} s)")
        self.assertLessEqual(max(took), self.limit_s)


class KilledHundred(Killed):
    tunnels = 100
    limit_s = 6
    times = 20 if tools.full() else 3


class Stopped(Base):
    """C-02: SIGTERM: a Delete for every IKE SA within a second, exit 0 within 5 s; then up again."""

    def test_goodbye(self):
        heard = capture.Capture(self.inet, "tr1", f"src net 203.0.113.0/24 and ({capture.IKE})", name="goodbye").start()
        watch = wait.Stopwatch()
        self.ends[0].end()  # exit code 0, or it fails
        took = watch()
        wait.until(lambda: not [r for r in self.ends[1].ctl("show", "sas") if r["type"] == "esp"], 2,
                   "the peer has no SA left")
        heard.stop()
        self.note(f"SIGTERM with {self.tunnels} tunnels: {heard.count()} IKE messages, {took:.2f} s to the exit (at most 5 s)")
        self.assertGreaterEqual(heard.count(), self.tunnels)
        self.assertLessEqual(took, 5)
        pings = Pings(self.hosts[0], self.far)
        self.ends[0].start()
        pings.finish(20)
