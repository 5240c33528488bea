# SPDX-License-Identifier: BSD-3-Clause
"""Many at once: tunnels between two transitd, and a flood of IKE_SA_INIT from addresses that nobody has."""

import os
import struct
import threading
import time

from rig import capture, mini_ike, net, process, site, tools, transitd, wait, world
from rig.case import Lab

STALL_MAX_MS = 20


def stall_ms(router):
    return router.ctl("show", "system")["longest-control-stall-ms"]


class Scale(Lab):
    """transitd to transitd, all tunnels at once; the control lcore never blocks for 20 ms of its own time."""

    release = True
    timeout = 300
    connections = 500 if tools.full() else 20

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.ends, cls.hosts = [], []
        for i in range(2):
            end = transitd.Transitd(f"tr{i + 1}")
            cls.inet.attach(end, None, 16, f"198.{18 + i}.0.1", ifname="wan0")
            # routed, as a provider does: the kernel has no more than 1,024 neighbours, in all namespaces together
            cls.inet.ip("route add", f"198.{18 + i}.64.0/20", "via", f"198.{18 + i}.0.10")
            host = net.Host(f"host{i + 1}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254")
            site.VpcHosts(end, "lan0", {0: host})
            end.write(cls.config(i))
            cls.ends.append(end)
            cls.hosts.append(host)
        for end in cls.ends:
            end.start()
            cls.routers.append(end)
        cls.watch(cls.inet, "tr1")
        watch = wait.Stopwatch()
        for end in cls.ends:
            end.wait_up(timeout=200)
        cls.seconds = watch()

    @classmethod
    def config(cls, i):
        mine, theirs = f"198.{18 + i}", f"198.{19 - i}"
        each = [(c, t) for c in range(cls.connections) for t in range(2)]

        def address(side, c, t):
            return f"{side}.{64 + c // 100}.{2 * (c % 100) + t + 1}"
        return {
            "system": {"memory": "1G" if tools.full() else "256M"},
            "ports": {"wan0": {"device": "af_packet:wan0", "address": f"{mine}.0.10/16", "gateway": f"{mine}.0.1"},
                      "lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": f"tr-{i + 1}", "cidr": [f"{mine}.64.0/20"],
                               "limits": {"vpn-attachments": 1000}},
            "customer-gateways": {f"p{c}-{t}": {"address": address(theirs, c, t)} for c, t in each},
            "vpn-connections": {f"c{c}": {"mode": "dual", "tunnels": [
                {"customer-gateway": f"p{c}-{t}", "gateway-address": address(mine, c, t), "psk": world.PSK,
                 "apply-immediately": True, "ike": {"dh-group": "group14"},
                 "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"}} for t in range(2)]}
                for c in range(cls.connections)},
            "attachments": {
                **{f"c{c}": {"kind": "vpn", "connection": f"c{c}",
                             "routes": [{"prefix": f"10.{2 - i}.0.0/16" if c == 0 else
                                         f"172.{16 + c // 250}.{c % 250}.0/24"}]}
                   for c in range(cls.connections)},
                "vpc": {"kind": "vpc", "port": "lan0", "address": f"10.{i + 1}.255.254/16"}}}

    def test_all_come_up(self):
        tunnels = 2 * self.connections
        with open(process.log_path("figures"), "w") as out:
            out.write(f"{tunnels} tunnels up {self.seconds:.1f} s after the second end answered, longest stalls "
                      f"{', '.join(f'{stall_ms(end):.1f} ms' for end in self.ends)}\n")
        for end in self.ends:
            wait.until(lambda e=end: sum(r["type"] == "esp" and r["state"] == "installed"
                                         for r in e.ctl("show", "sas")) == tunnels, 30, "one Child SA for each")
            self.assertLess(stall_ms(end), STALL_MAX_MS)

    def test_rekeys_of_all_leave_the_data_path_alone(self):
        """One connection carries a stream while every other one replaces its keys."""
        stream = tools.Stream(*self.hosts, pps=1000, flows=16).start().wait_flowing()
        for c in range(1, min(self.connections, 50)):
            for t in (1, 2):
                self.ends[c % 2].ctl("tunnel", "rekey", f"c{c}/{t}", "ike" if c % 3 else "child")
        verdict = stream.finish()
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        for end in self.ends:
            self.assertLess(stall_ms(end), STALL_MAX_MS)


def strangers(ns, ifname, router, to):
    """IKE_SA_INIT to one address from 4,096 random ones."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    ether = Ether(src=ns.mac(ifname), dst=router.mac("wan0"), type=0x800)
    frames = []
    for n in range(4096):
        first, body = mini_ike.chain([
            (mini_ike.SA, mini_ike.IKE_PROPOSAL), (mini_ike.KE, struct.pack("!HH", 31, 0) + os.urandom(32)),
            (mini_ike.NONCE, os.urandom(32))])
        message = os.urandom(8) + bytes(8) + struct.pack("!BBBBII", first, 0x20, mini_ike.SA_INIT,
                                                         mini_ike.INITIATOR, 0, 28 + len(body)) + body
        source = f"{20 + n % 60}.{os.urandom(1)[0]}.{os.urandom(1)[0]}.{1 + n % 250}"
        frames.append(bytes(ether / IP(src=source, dst=to) / UDP(sport=500, dport=500, chksum=0) / message))
    return frames


def garbage(ns, ifname, router, tunnel, peer, to):
    """In a peer's name: IKE messages and fragments on the SPIs of its IKE SA, ESP on that of its Child SA and on others."""
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether
    ether = Ether(src=ns.mac(ifname), dst=router.mac("wan0"), type=0x800)
    ike, esp = router.ike_sas(tunnel)[0], router.esp_sas(tunnel)[0]
    ours = ("spi-in", "spi-out") if ike["role"] == "initiator" else ("spi-out", "spi-in")
    spis = b"".join(bytes.fromhex(ike[name]) for name in ours)
    frames = []
    for n in range(4096):
        junk = os.urandom(4 + 100 + n % 64)
        if n % 4 < 2:  # SK of IKE_AUTH and INFORMATIONAL, SKF of CREATE_CHILD_SA
            first, exchange = ((46, 35), (53, 36), (46, 37))[n % 3]
            body = struct.pack("!BBH", 0, 0, len(junk)) + junk[4:]
            message = bytes(4) + spis + struct.pack("!BBBBII", first, 0x20, exchange, n // 4 % 2 * 8, n % 7,
                                                    28 + len(body)) + body
        else:
            spi = int(esp["spi-in"], 16) if n % 4 == 2 else 0x10000 + n * 7919
            message = struct.pack("!II", spi, 1000000 + n) + junk[:-(len(junk) % 16) or None]
        frames.append(bytes(ether / IP(src=peer, dst=to) / UDP(sport=4500, dport=4500, chksum=0) / message))
    return frames


class _Flood(threading.Thread):
    """Sends frames over and over, `pps` a second, until stop()."""

    def __init__(self, ns, ifname, frames, pps):
        super().__init__(daemon=True)
        self.injector, self.frames, self.pps = capture.Injector(ns, ifname), frames, pps
        self.ended = threading.Event()
        self.sent = 0

    def run(self):
        start = time.monotonic()
        while not self.ended.is_set():
            due = int((time.monotonic() - start) * self.pps)
            while self.sent < due:
                self.injector.send(self.frames[self.sent % len(self.frames)])
                self.sent += 1
            time.sleep(0.005)

    def stop(self):
        self.ended.set()
        self.join()
        return self.sent


class Flood(Lab):
    """C-06: the tunnels there are lose nothing, and a real new peer still comes up, from any address."""

    release = True
    roaming = "203.0.113.40"

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"]["ha"] = "active-standby"
        config["customer-gateways"]["anywhere"] = {"address": "0.0.0.0"}
        config["vpn-connections"]["roam"] = {"mode": "single", "tunnels": [
            {"customer-gateway": "anywhere", "gateway-address": cls.roaming, "psk": world.PSK,
             "ike": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group31",
                     "remote-id": "roamer.example"},
             "ipsec": {"encryption": "aes128gcm16", "dh-group": "disabled"}}]}
        config["attachments"]["roam"] = {"kind": "vpn", "connection": "roam", "routes": [{"prefix": "10.77.0.0/16"}]}
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(active_standby=True)
        cls.router.wait_up("dc1/1", "dc1/2", timeout=30)
        cls.world.dc[1].wait_up(30)
        cls.peer_ns = net.Netns("roamer")
        cls.world.inet.attach(cls.peer_ns, "192.0.2.200", 30, "192.0.2.201")
        cls.world.vpc["vpc-a"].ping(cls.world.dc[1].host)

    def memory_kib(self):
        with open(f"/proc/{self.router.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def flood(self, frames):
        flood = _Flood(self.world.inet, "tr", frames, 10000 if tools.full() else 5000)
        flood.start()
        self.addCleanup(flood.stop)
        wait.until(lambda: flood.sent > 10000, 20, "the flood is on")
        return flood

    def test_spoofed_flood(self):
        before = self.memory_kib()
        stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[1].host, pps=500, flows=8).start()
        flood = self.flood(strangers(self.world.inet, "tr", self.router, self.roaming))
        peer = mini_ike.Peer(self.peer_ns, "192.0.2.200", self.roaming, world.PSK,
                             identity=b"\x02\0\0\0roamer.example", timeout=1.0)
        watch = wait.Stopwatch()

        def comes_up():
            try:
                return peer.up()
            except AssertionError:  # a message was lost in the flood: as every peer, it tries again
                return None
        wait.until(comes_up, 10, "a real peer comes up")
        self.assertLess(watch(), 5)
        system = self.router.ctl("show", "system")
        self.assertLess(system["half-open-ike-sas"], 100)
        self.assertGreater(flood.stop(), 10000)
        verdict = stream.finish()
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        self.assertEqual(self.router.tunnel("dc1/1")["state"], "up")
        self.assertLess(self.memory_kib() - before, 8 << 10)
        self.assertLess(stall_ms(self.router), STALL_MAX_MS)
        if tools.full():
            wait.until(lambda: self.router.ctl("show", "system")["half-open-ike-sas"] == 0, 40, "half-open SAs go")

    def test_known_peers_come_first(self):
        """V2-25: to the gateway address of a known peer, who comes up from either end all the same."""
        gateway, charon = world.GATEWAYS[1][1], self.world.dc[1].charons()[1]
        name = charon.tunnels[0].name
        flood = self.flood(strangers(self.world.inet, "tr", self.router, gateway))
        for start in (lambda: self.router.ctl("tunnel", "up", "dc1/2"),
                      lambda: charon.initiate(name, check=False)):
            self.router.ctl("tunnel", "down", "dc1/2")
            wait.until(lambda: not charon.sas(), 10, "the peer has no SA left")
            start()
            self.router.wait_up("dc1/2", timeout=10)
            wait.until(charon.children, 10, "the peer has its Child SA")
        self.assertGreater(flood.stop(), 10000)

    def test_garbage_in_the_name_of_a_peer(self):
        """C-07: nobody else loses a packet, the one in whose name it comes stays as it is, and the log is not flooded."""
        before = {sa["spi-in"] for sa in self.router.esp_sas("dc1/2") + self.router.ike_sas("dc1/2")}
        stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[1].host, pps=500, flows=8).start().wait_flowing()
        lines, watch = len(self.router.process.output().splitlines()), wait.Stopwatch()
        flood = self.flood(garbage(self.world.inet, "tr", self.router, "dc1/2", self.world.dc[1].gateways[1].address,
                                   world.GATEWAYS[1][1]))
        wait.until(lambda: flood.sent > 20000, 20, "it went on for a while")
        flood.stop()
        lines, seconds = len(self.router.process.output().splitlines()) - lines, watch()
        verdict = stream.finish()
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        self.assertLess(lines, 10 * (seconds + 1))
        after = {sa["spi-in"] for sa in self.router.esp_sas("dc1/2") + self.router.ike_sas("dc1/2")}
        self.assertEqual(after, before)
        self.assertEqual(self.router.tunnel("dc1/2")["state"], "up")
        drops = self.router.drops()
        for reason in ("esp-icv", "esp-unknown-spi"):
            self.assertGreater(drops.get(reason, 0), 1000, drops)
        self.assertLess(stall_ms(self.router), STALL_MAX_MS)
