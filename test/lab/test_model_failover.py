# SPDX-License-Identifier: BSD-3-Clause
"""Learned routes behind a tunnel that dies, the backup over the other one: loss does not grow with their number (B7, O7)."""

from rig import bgp_feed, bird, tools, wait, world
from rig.case import Lab
from test_model_bfd import BIRD, CIDR, watched

MS, ASN, SAMPLES = 100, 65010, 4


class LearnedThousand(Lab):
    """The gateway of dc1/1 announces all prefixes, that of dc1/2 the same with a longer AS path; BFD in both tunnels."""

    release = True
    routes = 1000
    timeout = 180

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,), relay_seed=7)
        config = watched(world.config(dcs=(1,)), MS)
        del config["attachments"]["dc1"]["routes"]
        config["transit-router"]["router-id"] = world.OUTER
        for i, tunnel in enumerate(config["vpn-connections"]["dc1"]["tunnels"]):
            config["customer-gateways"][f"dc1-{'ab'[i]}"]["asn"] = ASN
            tunnel["bgp"] = {"cidr": CIDR[i].format(0) + "/30", "local-ip": CIDR[i].format(1), "max-prefixes": 0}
        cls.router = cls.world.router.start(config, timeout=60)
        cls.routers.append(cls.router)
        cls.world.connect(ike={"dpd_delay": "0s"})
        cls.world.wait_up()
        cls.vpc, cls.host = cls.world.vpc["vpc-a"], cls.world.dc[1].host
        cls.sample = [bgp_feed.prefix(n * (cls.routes - 1) // (SAMPLES - 1)) for n in range(SAMPLES)]
        for prefix in cls.sample:
            cls.host.ip("addr add", f"{prefix}.7/32", "dev lo")
        for i, gateway in enumerate(cls.world.dc[1].gateways):
            gateway.ip("addr add", CIDR[i].format(2) + "/30", "dev ipsec0")
            for prefix in cls.sample:
                gateway.ip("route add", f"{prefix}.0/24", "via", f"10.11.{i + 1}.2")
            bird.Bird(gateway, gateway.name, gateway.address, BIRD % {
                "ms": MS, "peer": CIDR[i].format(1), "local": CIDR[i].format(2)}).start()
        cls.ask = bgp_feed.AskTransitd(cls.router.socket)
        cls.own = cls.ask.in_fib()
        cls.feed = [bgp_feed.Feed(gateway, CIDR[i].format(2), CIDR[i].format(1), ASN, prefixes=cls.routes, prepend=2 * i)
                    for i, gateway in enumerate(cls.world.dc[1].gateways)]
        for feed in cls.feed:
            feed.wait("established")
            feed.send()
        cls.wait_all()

    @classmethod
    def wait_all(cls):
        """Both tables are learned, and every route leads into the first tunnel."""
        wait.until(lambda: cls.ask.learned() == 2 * cls.routes and cls.ask.in_fib() == cls.own + cls.routes, 60,
                   "all routes are there", step=0.2)
        wait.until(lambda: all(cls.way(prefix) == "dc1/1" for prefix in cls.sample), 30, "the first tunnel has them")

    @classmethod
    def way(cls, prefix):
        """Where a packet to that network goes."""
        return cls.router.ctl("explain", "--from", "vpc-a", cls.vpc.address, f"{prefix}.7").get("out")

    def streams(self):
        """A stream to each sample, the last of which is the one whose route is chosen anew last."""
        return [tools.Stream(self.vpc, self.host, pps=1000, flows=4, to_address=f"{prefix}.7").start().wait_flowing()
                for prefix in self.sample]

    def bfd_down(self):
        return next(row for row in self.ask.ask("show", "bfd") if row["name"] == "dc1/1")["state"] == "down"

    def test_loss_is_detection_and_no_more(self):
        streams = self.streams()
        relay = self.world.dc[1].gateways[0].relay
        relay.add("cut", "any esp drop")
        wait.until(self.bfd_down, 10, "BFD finds it", step=0.02)
        wait.until(lambda: self.ask.learned() == self.routes, 60, "the session is over, and its routes are gone")
        after = tools.Stream(self.vpc, self.host, pps=500, count=1000, to_address=f"{self.sample[-1]}.7").run()
        self.assertEqual(after.lost, 0, after)
        verdicts = [stream.finish() for stream in streams]
        worst = max(v.gap_ms for v in verdicts)
        self.note(f"{self.routes} learned routes, BFD {MS} ms x 3: longest gap {worst:.0f} ms, "
                  f"by prefix {[round(v.gap_ms) for v in verdicts]}")
        self.assertLess(worst, 3 * MS + 50, [str(v) for v in verdicts])
        streams = self.streams()
        relay.remove("cut")
        self.feed[0].wait("established", since=len(self.feed[0].lines))
        self.feed[0].send()
        self.wait_all()
        for verdict in (stream.finish() for stream in streams):
            self.assertEqual(verdict.lost, 0, f"moving back: {verdict}")


class LearnedMany(LearnedThousand):
    routes = 100000
