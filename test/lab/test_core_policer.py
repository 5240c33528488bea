# SPDX-License-Identifier: BSD-3-Clause
"""Policers (M3): what is delivered of more than the rate, to 2 %; through a tunnel; changed while it carries traffic."""

import copy
import time

from rig import capture, manual, net, tools, wait
from rig.manual import FAR

IP_BYTES = 1000  # of a packet, as policers count them
SECONDS = 3
MARGIN = 0.02


class Policer(manual.ManualSite):
    """Two VPC networks and a tunnel with manual keys. Bursts last longer than a busy machine halts a process."""

    release = True

    @classmethod
    def build(cls):
        cls.other = net.Host("vpc-b", "10.2.0.1/16", "10.2.255.254")
        cls.wire(v200=cls.other)
        cls.startup = cls.config()
        cls.startup["attachments"]["vpc-a"]["ingress-policer"] = {"cir": "8M", "cbs": 400000}
        cls.startup["attachments"]["vpc-b"] = {"kind": "vpc", "port": "lan0", "vlan": 200,
                                               "address": "10.2.255.254/16"}
        cls.tunnel = cls.startup["vpn-connections"]["mk"]["tunnels"][0]
        cls.tunnel["egress-policer"] = {"packet-rate": 500, "packet-burst": 200}
        cls.tunnel["ingress-policer"] = {"packet-rate": 10, "packet-burst": 20}
        cls.router.start(cls.startup)
        cls.routers.append(cls.router)
        cls.router.wait_up()
        for host in (cls.vpc, cls.other):
            wait.until(lambda h=host: h.ping(h.gateway, count=1) == 1, 15, f"{host.name} is wired")
        wait.until(lambda: cls.vpc.ping(cls.other, count=1) == 1, 15, "the networks reach each other")

    def policer(self, name):
        return next(row for row in self.router.ctl("show", "policers") if row["name"] == name)

    def read(self, name):
        """Its counts, and the times between which they were taken."""
        before = time.monotonic()
        row = self.policer(name)
        return row, before, time.monotonic()

    def rate_of(self, name, key):
        """
        What passes in a second now, at least and at most: the time is only known to lie between two readings. The bucket
        was empty at some time between the first two, of which the second has drops that the first has not.
        """
        before, empty, _ = self.read(name)
        first, asked, answered = self.read(name)
        while first["dropped-packets"] == before["dropped-packets"]:  # a busy machine may have let it fill up
            before, empty, (first, asked, answered) = first, asked, self.read(name)
        time.sleep(SECONDS)
        second, asked_again, answered_again = self.read(name)
        self.assertGreater(second["dropped-packets"], first["dropped-packets"], "nothing is above the rate")
        passed = second[key] - first[key]
        return passed / (answered_again - empty), passed / (asked_again - answered)

    def assert_rate(self, name, key, rate):
        least, most = self.rate_of(name, key)
        self.note(f"{name}: {least:.0f}..{most:.0f} {key} a second, {rate} wanted")
        self.assertGreaterEqual(most, rate * (1 - MARGIN))
        self.assertLessEqual(least, rate * (1 + MARGIN))

    def drain(self, name):
        """Until the burst is spent, so that what passes from now on is the rate."""
        before = self.policer(name)["dropped-packets"]
        wait.until(lambda: self.policer(name)["dropped-packets"] > before + 100, 20, f"{name} drops")

    def test_bits_per_second(self):
        before = self.policer("vpc-a ingress")
        stream = tools.Stream(self.vpc, self.other, pps=3000, size=IP_BYTES - 28).start().wait_flowing()
        self.drain("vpc-a ingress")
        self.assert_rate("vpc-a ingress", "passed-bytes", 1000000)
        verdict = stream.finish()
        after = self.policer("vpc-a ingress")
        self.assertEqual(verdict.received, after["passed-packets"] - before["passed-packets"])
        self.assertEqual(verdict.lost, after["dropped-packets"] - before["dropped-packets"])
        self.assertEqual(self.router.drops("vpc-a"), {"policed": after["dropped-packets"]})

    def test_the_other_way_is_free(self):
        verdict = tools.Stream(self.other, self.vpc, pps=2000, size=IP_BYTES - 28, count=3000).run()
        self.assertEqual(verdict.lost, 0, verdict)

    def test_a_change_keeps_tunnels_and_the_flow(self):
        """Another rate is in force at once; nothing else is touched, and a no-op keeps the counts."""
        sas = self.router.ctl("show", "sas")
        stream = tools.Stream(self.vpc, self.other, pps=3000, size=IP_BYTES - 28).start().wait_flowing()
        changed = copy.deepcopy(self.startup)
        changed["attachments"]["vpc-a"]["ingress-policer"]["cir"] = "16M"
        effects = {row["path"]: row["effect"] for row in self.router.change("diff", changed)["changes"]}
        self.assertEqual(effects, {"attachments.vpc-a.ingress-policer.cir": "live"})
        self.router.apply(changed)
        self.drain("vpc-a ingress")
        self.assert_rate("vpc-a ingress", "passed-bytes", 2000000)
        counted = self.policer("vpc-a ingress")["passed-packets"]
        self.router.apply(changed)
        self.assertGreaterEqual(self.policer("vpc-a ingress")["passed-packets"], counted)
        stream.finish()
        spis = [(row["tunnel"], row["spi-in"], row["spi-out"]) for row in sas]
        self.assertEqual(spis, [(r["tunnel"], r["spi-in"], r["spi-out"]) for r in self.router.ctl("show", "sas")])
        self.assertEqual(self.router.tunnel("mk/1")["times-up"], 1)

    def test_into_a_tunnel(self):
        """Packets per second, counted before encryption; the first network is not held to its own rate any more."""
        changed = copy.deepcopy(self.startup)
        del changed["attachments"]["vpc-a"]["ingress-policer"]
        self.router.apply(changed)
        esp = capture.Capture(self.inet, "tr", "esp and dst host 192.0.2.2", name="policed").start()
        before = self.policer("mk/1 egress")["passed-packets"]
        sender = self.vpc.spawn("flood", tools.tool("probe"), "send", FAR, "20999", "pps=3000", "size=200",
                                f"source={self.vpc.address}")
        self.drain("mk/1 egress")
        self.assert_rate("mk/1 egress", "passed-packets", 500)
        sender.stop()
        wait.until(lambda: esp.count() == self.policer("mk/1 egress")["passed-packets"] - before, 5,
                   "what passed left as ESP")
        esp.stop()

    def test_out_of_a_tunnel(self):
        """Counted after decryption, dropped on the ledger of the tunnel."""
        from scapy.layers.inet import IP, UDP
        from scapy.layers.l2 import Ether
        injector = capture.Injector(self.inet, "tr")
        mac = next(p for p in self.router.ctl("show", "ports") if p["name"] == "wan0")["mac"]
        inner = IP(src=FAR, dst=self.other.address) / UDP(dport=9) / b"x"
        frames = [bytes(Ether(src=self.inet.mac("tr"), dst=mac, type=0x0800)) + self.peer.seal(inner, seq)
                  for seq in range(1, 201)]
        start = time.monotonic()
        for frame in frames:
            injector.send(frame)
        injector.close()
        wait.until(lambda: self.router.counters()["mk/1"]["received"] == 200, 10, "all are decrypted")
        most = 20 + 10 * (time.monotonic() - start) + 1
        row = self.policer("mk/1 ingress")
        self.assertEqual(row["passed-packets"] + row["dropped-packets"], 200)
        self.assertGreaterEqual(row["passed-packets"], 17)
        self.assertLessEqual(row["passed-packets"], most)
        self.assertEqual(self.router.drops("mk/1"), {"policed": row["dropped-packets"]})

    def test_who_says_so(self):
        explained = self.router.ctl("explain", "--from", "vpc-a", self.vpc.address, FAR)
        self.assertEqual(explained["verdict"], "sent")
        self.assertEqual([row["policer"] for row in explained["policers"]], ["mk/1 egress"])
        self.assertIn("500 packets/s", explained["policers"][0]["limit"])
        self.assertIn("mk/1", self.router.text("show", "policers"))
        # `trace` and `diagnose` name the one that refused: it is where the packet was to leave
        token = self.router.ctl("trace", "start", "--drops", "--from", "vpc-a", "--count", "1")["token"]
        sender = self.vpc.spawn("above", tools.tool("probe"), "send", FAR, "20998", "pps=3000", "size=200",
                                f"source={self.vpc.address}")
        found = []

        def traced():
            for packet in self.router.ctl("trace", "read", token)["packets"]:
                found.extend(row for row in packet["stages"] if row["stage"] == "dropped")
            return found
        wait.until(traced, 20, "a packet above the rate is traced")
        sender.stop()
        self.assertEqual((found[0]["reason"], found[0]["policer"]), ("policed", "mk/1 egress"))
        findings = [row for row in self.router.ctl("diagnose", "mk") if row["code"] == "Policed"]
        self.assertIn("mk/1", [row["name"] for row in findings])
        self.assertRegex(" ".join(row["finding"] for row in findings),
                         r'policer "mk/1 egress" has dropped \d+ packets above 500 packets/s, bursts of 200')
