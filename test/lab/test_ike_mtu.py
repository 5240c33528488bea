# SPDX-License-Identifier: BSD-3-Clause
"""C-11, E8: a path to the peer that becomes narrower, with and without a word, and words about it that are not true."""

import struct
import threading
import time

from rig import capture, tools, wait, world
from rig.case import Lab

OFFERED_MBIT = 8  # what the machine carries beside other work


class Path(Lab):
    """The internet has a smaller MTU on the line to the data center, from one moment to the next."""

    release = True
    df = "copy"

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"]["ha"] = "active-standby"
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["ipsec"]["df"] = cls.df
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(active_standby=True)
        cls.world.wait_up()
        cls.vpc, cls.dc = cls.world.vpc["vpc-a"], cls.world.dc[1].host

    def narrow(self, mtu):
        for gateway in self.world.dc[1].gateways:
            self.world.inet.ip("link set dev", gateway.name, f"mtu {mtu}")
            gateway.ip(f"link set dev wan mtu {mtu}")

    def goodput(self, *steps):
        """A TCP stream while the MTU goes down step by step; Mbit/s by half seconds, and when the steps were."""
        report, at, begin = {}, [], time.monotonic()
        stream = threading.Thread(target=lambda: report.update(
            tools.iperf(self.vpc, self.dc, 3 + 4 * len(steps), mbit_max=OFFERED_MBIT, interval=0.5)))
        stream.start()
        for step in steps:
            time.sleep(3.5)  # of a stream that flows
            self.narrow(step)
            at.append(time.monotonic() - begin)
        stream.join()
        return [(i["sum"]["start"], i["sum"]["bits_per_second"] / 1e6) for i in report["intervals"]], at

    def survives(self, *steps):
        rates, at = self.goodput(*steps)
        for begin, end in zip(at, [*at[1:], at[-1] + 4]):
            later = [rate for start, rate in rates if begin + 2 <= start < end - 0.5]
            self.assertTrue(later, rates)
            self.assertGreater(sum(later) / len(later), 0.8 * OFFERED_MBIT, (begin, rates))

    def tearDown(self):
        self.narrow(1500)


class Told(Path):
    """Routers on the path say what they can take."""

    def setUp(self):
        self.router.ctl("tunnel", "down", "dc1/1")  # what it has learned goes with its SAs
        wait.until(lambda: not self.router.ike_sas("dc1/1"), 10, "dc1/1 is down")
        self.router.ctl("tunnel", "up", "dc1/1")
        self.router.wait_up("dc1/1")
        self.world.dc[1].wait_up(20)
        self.vpc.run("ip", "route", "flush", "cache")

    def outer_mtu(self):
        return self.router.tunnel("dc1/1")["outer-mtu"]

    def test_tcp_goes_on(self):
        self.assertEqual(self.outer_mtu(), 1500)
        self.survives(1400, 1300)
        self.assertEqual(self.outer_mtu(), 1300)
        self.assertEqual(self.router.tunnel("dc1/1")["inner-mtu"], 1238)
        self.assertEqual(self.router.tunnel("dc1/2")["outer-mtu"], 1500)
        self.assertIn("the path to the peer takes packets of 1300 bytes", self.router.process.output())

    def report(self, mtu, spi=None, sequence=None, quoted=36, port=4500, to=None, protocol=17):
        """As if from a router on the path, about the ESP packet of that SPI and number."""
        from scapy.layers.inet import ICMP, IP, UDP
        from scapy.layers.l2 import Ether
        spi = int(self.router.esp_sas("dc1/1")[0]["spi-out"], 16) if spi is None else spi
        sequence = self.sequence if sequence is None else sequence
        here, there = world.GATEWAYS[1][0], to or self.world.dc[1].gateways[0].address
        body = struct.pack("!HHHHII", 4500, port, 1400, 0, spi, sequence)
        if protocol == 50:
            body = body[8:]
        packet = bytes(IP(src=here, dst=there, len=1480, proto=protocol, flags="DF", chksum=0) / bytes(0)) + body
        self.injector.send(bytes(Ether(src=self.world.inet.mac("tr"), dst=self.router.mac("wan0"))
                                 / IP(src="192.0.2.99", dst=here)
                                 / ICMP(type=3, code=4, nexthopmtu=mtu) / packet[:quoted]))

    def listen(self):
        """The number of the last packet on the tunnel, as somebody on the path sees it."""
        seen = capture.Capture(self.world.inet, "tr", f"src host {world.GATEWAYS[1][0]} and udp port 4500",
                               name="numbers").start()
        wait.until(lambda: self.vpc.ping(self.dc, count=1) and seen.count(), 10, "a packet goes out")
        self.sequence = max(struct.unpack("!I", bytes(p["UDP"].payload)[4:8])[0] for p in seen.stop().packets()
                            if bytes(p["UDP"].payload)[:4] != bytes(4))
        self.injector = capture.Injector(self.world.inet, "tr")
        self.addCleanup(self.injector.close)

    def heard(self):
        """Reports are behind us when an answer to an echo request that came after them has left."""
        self.assertEqual(self.world.inet.ping(world.GATEWAYS[1][0], count=1, wait_s=5), 1)

    def test_lies_are_not_believed(self):
        """E8: what a stranger can say without having seen a packet of the SA."""
        self.listen()
        self.report(1280, spi=0x12345678)
        self.report(1280, sequence=self.sequence + 1000)
        self.report(1280, sequence=(self.sequence - 100000) & 0xffffffff)
        self.report(1280, quoted=28)  # the UDP header alone
        self.report(1280, quoted=31)
        self.report(1280, port=4501)
        self.report(1280, to="192.0.2.77")
        self.report(1280, protocol=50)
        self.report(1480)  # it would have fitted
        self.report(65535)
        self.heard()
        self.assertEqual(self.outer_mtu(), 1500)

    def test_no_report_goes_too_far(self):
        """E8: of those who have seen one, no MTU below 576 bytes; and none that makes it wider."""
        self.listen()
        for mtu, then in ((0, 1280), (1400, 1280), (1279, 1279), (575, 576), (68, 576), (1300, 576)):
            self.report(mtu)
            self.heard()
            self.assertEqual(self.outer_mtu(), then, mtu)
        self.vpc.ping(self.dc, size=1200)  # the first one is too big, and its source is told so
        self.assertEqual(self.vpc.ping(self.dc, size=1200), 3)


class Silent(Path):
    """Nothing is said, as where somebody filters ICMP: packets outside may be fragmented (ipsec.df: clear)."""

    df = "clear"

    def test_tcp_goes_on(self):
        self.world.inet.run("nft", "add table ip silence")
        self.world.inet.run("nft", "add chain ip silence out { type filter hook output priority 0 ; }")
        self.world.inet.run("nft", "add rule ip silence out icmp type destination-unreachable drop")
        self.addCleanup(lambda: self.world.inet.run("nft", "delete table ip silence"))
        self.survives(1400, 1300)
        self.assertEqual(self.router.tunnel("dc1/1")["outer-mtu"], 1500)
