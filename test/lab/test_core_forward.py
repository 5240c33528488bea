# SPDX-License-Identifier: BSD-3-Clause
"""Clear forwarding between VPC attachments: ARP, ICMP, TTL, MTU, fragments, tables, drops, the ledger."""

import time

from rig import capture, net, site, tools, transitd, wait
from rig.case import Lab

# name: (VLAN, network, table)
NETWORKS = {"va": (100, 1, "default"), "vb": (200, 2, "default"), "plain": (0, 3, "default"),
            "alone": (300, 4, "isolated")}


def config():
    return {
        "ports": {"lan0": {"device": "af_packet:lan0"}},
        "transit-router": {"name": "tr-1"},
        "route-tables": {
            "default": {"routes": [{"prefix": "10.66.0.0/16", "blackhole": True}]},
            "isolated": {"routes": [{"prefix": "0.0.0.0/0", "blackhole": True}]}},
        "attachments": {
            name: {"kind": "vpc", "port": "lan0", "vlan": vlan, "address": f"10.{net_number}.255.254/16",
                   "associate": table, "propagate": [table], **({"mtu": 1400} if name == "vb" else {})}
            for name, (vlan, net_number, table) in NETWORKS.items()},
    }


class Forward(Lab):
    """Four hosts behind one port: VLANs 100, 200 (MTU 1400), untagged, and 300 in a table of its own."""

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        cls.host = {name: net.Host(name, f"10.{number}.0.1/16", f"10.{number}.255.254")
                    for name, (_, number, _) in NETWORKS.items()}
        cls.lan = site.VpcHosts(cls.router, "lan0", {NETWORKS[n][0]: h for n, h in cls.host.items()})
        cls.router.start(config())
        cls.routers.append(cls.router)
        cls.a, cls.b, cls.plain, cls.alone = (cls.host[n] for n in NETWORKS)

    def inject(self, host, packet, count=1):
        """Puts an IP packet (scapy) on the host's wire, addressed to the router's MAC, `count` times."""
        from scapy.layers.l2 import Ether
        frame = Ether(src=host.mac("eth0"), dst=self.router_mac(host), type=0x0800) / packet
        injector = capture.Injector(host, "eth0")
        for _ in range(count):
            injector.send(frame)
        injector.close()

    def router_mac(self, host):
        host.ping(host.gateway, count=1)
        return host.run("ip", "neigh", "show", "to", host.gateway).split("lladdr")[1].split()[0]

    def refused(self, host, packet, reason, count=5, row=None):
        """`count` such packets are all dropped, for that reason and no other."""
        before = self.router.drops(row or host.name)
        self.inject(host, packet, count)
        self.router.wait_drops({reason: count}, before, row or host.name)

    def test_answers_arp_and_echo_for_its_own_address_only(self):
        self.assertEqual(self.a.ping(self.a.gateway), 3)
        self.assertEqual(self.plain.ping(self.plain.gateway), 3)
        self.assertEqual(self.a.ping("10.1.77.77", count=1), 0)
        self.assertIn("10.1.77.77", self.a.run("ip", "neigh", "show", "nud", "failed", "nud", "incomplete"))

    def test_forwards_between_vlans_and_untagged(self):
        for one, other in ((self.a, self.b), (self.b, self.plain), (self.plain, self.a)):
            self.assertEqual(one.ping(other), 3, f"{one.name} to {other.name}")

    def test_ttl_goes_down_by_one(self):
        seen = capture.Capture(self.b, "eth0", "icmp[icmptype] == icmp-echo", name="ttl").start()
        self.a.ping(self.b, count=2, ttl=33)
        self.assertEqual({p["IP"].ttl for p in seen.stop().packets()}, {32})

    def test_time_exceeded_comes_from_the_router(self):
        before = self.router.drops("va")
        answers = capture.Capture(self.a, "eth0", "icmp[icmptype] == icmp-timxceed", name="exceeded").start()
        self.assertEqual(self.a.ping(self.b, count=2, ttl=1, interval=0.5), 0)
        wait.until(lambda: answers.count() == 2, 3, "two time-exceeded messages")
        packets = answers.stop().packets()
        self.assertEqual({p["IP"].src for p in packets}, {self.a.gateway})
        self.assertEqual({p["IPerror"].dst for p in packets}, {self.b.address})
        self.router.wait_drops({"ttl-exceeded": 2}, before, "va")

    def test_too_big_with_df_is_reported_with_the_mtu(self):
        before = self.router.drops("va")
        answers = capture.Capture(self.a, "eth0", "icmp[0:2] == 0x0304", name="toobig").start()
        self.assertEqual(self.a.ping(self.b, count=1, size=1373, df=True), 0)
        wait.until(lambda: answers.count() == 1, 3, "fragmentation needed")
        self.assertEqual(answers.stop().packets()[0]["ICMP"].nexthopmtu, 1400)
        self.router.wait_drops({"mtu-exceeded": 1}, before, "va")
        self.a.run("ip", "route", "flush", "cache")
        self.assertEqual(self.a.ping(self.b, count=1, size=1372, df=True), 1)

    def test_too_big_without_df_is_fragmented(self):
        before = self.router.counters()["va"]
        for size in (1373, 1472):
            self.inject_echo(size)
        after = wait.until(lambda: (lambda c: c["created"] == before["created"] + 2 and c)(
            self.router.counters()["va"]), 3, "one more fragment for each of two packets")
        self.assertEqual(after["dropped"], before["dropped"])

    def inject_echo(self, size):
        """A large echo request without DF to host b, whose kernel puts it together and answers."""
        from scapy.layers.inet import ICMP, IP
        replies = capture.Capture(self.a, "eth0", "icmp[icmptype] == icmp-echoreply and src host "
                                  + self.b.address, name=f"echo-{size}").start()
        self.inject(self.a, IP(src=self.a.address, dst=self.b.address) / ICMP(id=7) / bytes(size))
        wait.until(replies.count, 3, f"an echo reply of {size} bytes")
        replies.stop()

    def test_no_route(self):
        before = self.router.drops("va")
        self.assertEqual(self.a.ping("10.99.0.1", count=2), 0)
        self.router.wait_drops({"no-route": 2}, before, "va")

    def test_blackhole_route(self):
        before = self.router.drops("va")
        self.assertEqual(self.a.ping("10.66.0.1", count=2), 0)
        self.router.wait_drops({"blackhole": 2}, before, "va")

    def test_tables_keep_networks_apart(self):
        before_a, before_alone = self.router.drops("va"), self.router.drops("alone")
        self.assertEqual(self.alone.ping(self.a, count=2), 0)
        self.assertEqual(self.a.ping(self.alone, count=2), 0)
        self.router.wait_drops({"no-route": 2}, before_a, "va")
        self.router.wait_drops({"blackhole": 2}, before_alone, "alone")

    def test_streams_lose_nothing(self):
        pairs = [(self.a, self.b), (self.b, self.plain), (self.plain, self.a), (self.a, self.plain)]
        streams = [tools.Stream(s, t, pps=2000, count=8000, flows=16, size=200).start() for s, t in pairs]
        for stream in streams:
            verdict = stream.finish()
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered,
                              verdict.reorder_depth), (0, 0, 0, 0, 0), verdict)

    def test_tcp(self):
        self.assertGreater(tools.mbit(tools.iperf(self.a, self.plain, 1, streams=2)), 5)
        self.assertGreater(tools.mbit(tools.iperf(self.a, self.b, 1, reverse=True)), 5)

    def test_bad_packets_are_dropped_by_reason(self):
        from scapy.layers.inet import IP, UDP
        from scapy.layers.l2 import Ether
        ip = {"src": self.a.address, "dst": self.b.address}
        good = bytes(IP(**ip) / UDP(sport=9, dport=9) / (b"x" * 40))
        self.refused(self.a, IP(chksum=0x1234, **ip) / UDP() / b"bad checksum", "ip-checksum")
        self.refused(self.a, IP(len=500, **ip) / UDP() / b"longer than the frame", "ip-malformed")
        self.refused(self.a, bytes([0x44]) + good[1:], "ip-malformed")
        self.refused(self.a, bytes([0x75]) + good[1:], "ip-malformed")
        self.refused(self.a, bytes([0x65]) + good[1:], "ip-family-off")
        self.refused(self.a, IP(src="127.0.0.1", dst=self.b.address) / UDP(), "ip-martian")
        self.refused(self.a, IP(src=self.a.address, dst="127.0.0.1") / UDP(), "ip-martian")
        before = self.router.drops("va")
        injector = capture.Injector(self.a, "eth0")
        for _ in range(5):
            injector.send(Ether(src=self.a.mac("eth0"), dst="02:00:00:00:00:99") / IP(**ip) / UDP())
        self.router.wait_drops({"l2-not-ours": 5}, before, "va")

    def test_unknown_vlan(self):
        from scapy.layers.inet import IP, UDP
        from scapy.layers.l2 import Dot1Q, Ether
        before = self.router.drops("control")
        injector = capture.Injector(self.lan.switch_ns, "trunk")
        for _ in range(5):
            injector.send(Ether(dst=self.router_mac(self.a)) / Dot1Q(vlan=999) / IP() / UDP())
        self.router.wait_drops({"vlan-unknown": 5}, before, "control")

    def test_neighbour_that_moves_is_followed(self):
        self.assertEqual(self.a.ping(self.b), 3)
        self.b.ip("link set dev eth0 down")
        self.b.ip("link set dev eth0 address 02:00:00:00:00:42")
        self.b.ip("link set dev eth0 up")
        self.b.ip("route replace default via", self.b.gateway)
        self.assertEqual(self.b.ping(self.a), 3)
        self.assertEqual(self.a.ping(self.b), 3)
        row = next(r for r in self.router.ctl("show", "neighbors") if r["address"] == self.b.address)
        self.assertEqual(row["mac"], "02:00:00:00:00:42")

    def test_absent_neighbour(self):
        before = self.router.counters()["va"]["punted"]
        answers = capture.Capture(self.a, "eth0", "icmp[0:2] == 0x0301", name="unreachable").start()
        self.assertEqual(self.a.ping("10.2.0.99", count=2), 0)
        wait.until(answers.count, 10, "host unreachable")
        answers.stop()
        self.assertGreaterEqual(self.router.counters()["va"]["punted"] - before, 2, "both waited with control")

    def test_flood_for_the_router_itself_does_not_stop_forwarding(self):
        from scapy.layers.inet import ICMP, IP
        stream = tools.Stream(self.b, self.plain, pps=1000, flows=4).start()
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            self.inject(self.a, IP(src=self.a.address, dst=self.a.gateway) / ICMP() / b"flood", count=200)
        verdict = stream.finish()
        self.assertEqual(verdict.lost, 0, verdict)
        self.assertEqual(self.a.ping(self.a.gateway, count=3, interval=1), 3)
