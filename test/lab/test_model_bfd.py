# SPDX-License-Identifier: BSD-3-Clause
"""BFD in tunnels with BIRD and FRR at the far end: it comes up, it does not flap, it finds a dead path fast (BG-22, C-12)."""

from rig import bird, frr, process, tools, wait, world
from rig.case import Lab

CIDR = ("169.254.10.{}", "169.254.11.{}")  # ours .1, the gateway's .2
BIRD = """
protocol device { scan time 60; }
protocol bfd {
  interface "ipsec0" { min rx interval %(ms)d ms; min tx interval %(ms)d ms; idle tx interval 1 s; multiplier 3; };
  neighbor %(peer)s dev "ipsec0" local %(local)s;
}
"""


def watched(config, ms):
    for i, tunnel in enumerate(config["vpn-connections"]["dc1"]["tunnels"]):
        tunnel["bfd"] = {"local-ip": CIDR[i].format(1), "peer": CIDR[i].format(2), "transmit-interval": ms,
                         "receive-interval": ms, "multiplier": 3}
        tunnel["dpd"] = {"interval": 30, "timeout": 120}  # it is BFD that notices
    return config


class BfdPeers(Lab):
    """Both tunnels of a data center watched at `ms` x 3, BIRD on both gateways."""

    release = True
    ms = 100
    routes = 1000

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,), relay_seed=7)
        config = watched(world.config(dcs=(1,)), cls.ms)
        config["attachments"]["dc1"]["routes"] += [
            {"prefix": f"100.{64 + n // 65536}.{n // 256 % 256}.{n % 256}/32"} for n in range(cls.routes)]
        cls.router = cls.world.router.start(config, timeout=60)
        cls.routers.append(cls.router)
        cls.world.connect(ike={"dpd_delay": "0s"})
        cls.world.wait_up()
        cls.host = cls.world.hosts()
        cls.peers = []
        for i, gateway in enumerate(cls.world.dc[1].gateways):
            gateway.ip("addr add", CIDR[i].format(2) + "/30", "dev ipsec0")
            cls.peers.append(cls.peer(i, gateway).start())
        cls.wait_states("up", "up")

    @classmethod
    def peer(cls, i, gateway):
        return bird.Bird(gateway, gateway.name, gateway.address, BIRD % {
            "ms": cls.ms, "peer": CIDR[i].format(1), "local": CIDR[i].format(2)})

    @classmethod
    def rows(cls):
        return {row["name"]: row for row in cls.router.ctl("show", "bfd")}

    @classmethod
    def wait_states(cls, *states):
        wait.until(lambda: [cls.rows()[f"dc1/{i + 1}"]["state"] for i in range(2)] == list(states), 20,
                   f"BFD sessions are {states}")

    def cut(self, i, yes):
        """The path of a tunnel loses every packet, and nobody is told."""
        relay = self.world.dc[1].gateways[i].relay
        if yes:
            relay.add("cut", "any esp drop")
        else:
            relay.remove("cut")


class Bfd(BfdPeers):
    """Sessions come up, do not flap, and find a dead path."""

    def test_both_ends_are_up_at_the_agreed_intervals(self):
        row = self.rows()["dc1/1"]
        self.assertEqual((row["peer-state"], row["transmit-ms"], row["detect-ms"]),
                         ("up", self.ms, 3 * self.ms))
        for i, peer in enumerate(self.peers):
            self.assertEqual(peer.bfd(), {CIDR[i].format(1): "Up"})
        self.assertTrue(self.router.tunnel("dc1/1")["eligible"])

    def test_a_control_lcore_in_a_debugger_makes_nothing_flap(self):
        """Ten detection times and more: workers send and watch by themselves."""
        before = self.rows()
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, flows=32).start().wait_flowing()
        with process.Stopped(self.router.process.pid):
            tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1000, count=4000, flows=8).run()
            for peer, cidr in zip(self.peers, CIDR):
                self.assertEqual(peer.bfd(), {cidr.format(1): "Up"})
        verdict = stream.finish()
        self.assertEqual(verdict.lost, 0, verdict)
        after = self.rows()
        for name, row in before.items():
            self.assertEqual(after[name]["times-up"], row["times-up"])
            self.assertGreater(after[name]["sent"] - row["sent"], 20)

    def test_a_dead_path_costs_the_detection_time(self):
        """Loss <= detection time + 50 ms; only the dead member's flows move, and they move back."""
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=6400, flows=64).start().wait_flowing()
        self.cut(0, True)
        self.wait_states("down", "up")
        during = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=2000, flows=32).run()
        self.assertEqual(during.lost, 0, during)
        tunnel = self.router.tunnel("dc1/1")
        self.assertEqual((tunnel["state"], tunnel["eligible"]), ("up", False))
        verdict = stream.finish()
        moved = [f for f in verdict.flows if f["received"] < f["sent"]]
        stayed = [f for f in verdict.flows if f["received"] == f["sent"]]
        self.assertEqual(len(moved) + len(stayed), 64)
        self.assertGreater(min(len(moved), len(stayed)), 10, verdict.flows)
        worst = max(f["gap_ms"] for f in moved)
        self.note(f"{self.routes} configured routes, BFD {self.ms} ms x 3: longest gap {worst:.0f} ms")
        self.assertLess(worst, 3 * self.ms + 50, verdict)
        self.cut(0, False)
        self.wait_states("up", "up")
        before = self.router.counters()
        back = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=2000, flows=64).run()
        self.assertEqual(back.lost, 0, back)
        after = self.router.counters()
        for i in (1, 2):
            self.assertGreater(after[f"dc1/{i}"]["sent"] - before[f"dc1/{i}"]["sent"], 300)


class BfdFrr(Bfd):
    """The same with FRR's bfdd, as `peer-config` says it."""

    @classmethod
    def peer(cls, i, gateway):
        text = cls.router.ctl("peer-config", f"dc1/{i + 1}", "--format", "frr")
        return frr.Frr(gateway, f"frr-{gateway.name}", text, daemons=("zebra", "bfdd"))

    def test_a_far_end_that_is_switched_off_says_so(self):
        """AdminDown of the peer (RFC 5880 6.8.16): no detection time passes, and it comes back."""
        where = ("configure terminal", "bfd", f"peer {CIDR[0].format(1)} local-address {CIDR[0].format(2)}")
        self.peers[0].vtysh(*where, "shutdown")
        wait.until(lambda: self.rows()["dc1/1"]["peer-state"] == "admin-down", 20, "we are told")
        self.assertNotEqual(self.rows()["dc1/1"]["state"], "up")
        self.assertEqual(self.rows()["dc1/2"]["state"], "up")
        self.peers[0].vtysh(*where, "no shutdown")
        self.wait_states("up", "up")


class BfdManyRoutes(Bfd):
    """The same with 100,000 routes behind the tunnels: no slower."""

    routes = 100000


if tools.full():  # BIRD must be given the processor every 150 ms, which a machine with other work does not promise
    class BfdFast(Bfd):
        """The same at 50 ms x 3."""

        ms = 50
