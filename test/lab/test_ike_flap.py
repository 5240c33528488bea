# SPDX-License-Identifier: BSD-3-Clause
"""C-12: cables that are pulled and put back again and again, each time sooner than DPD or later than BFD.

What is lost is what was sent while the cable was out and a moment more; the SAs stay; and with one of two tunnels
out, nobody but its own flows notices.
"""

from rig import tools, wait, world
from rig.case import Lab
from test_model_bfd import BfdPeers

OUT_S = 1.0  # how long the cable is out
FLAPS = 100 if tools.full() else 6


def flap(inet, ns):
    """Pulls the cable of `ns` out for a second; how long it really was."""
    watch = wait.Stopwatch()
    inet.cut(ns)
    wait.until(lambda: watch() >= OUT_S, 10, "the cable is out for its time")
    inet.mend(ns)
    return watch()


class Cables(Lab):
    """One data center, two tunnels that share its flows; DPD would take longer than a cable is out."""

    release = True
    timeout = 400

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["dpd"] = {"interval": 5, "timeout": 30}
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(ike={"dpd_delay": "0s"})
        cls.world.wait_up()
        cls.vpc, cls.host = cls.world.vpc["vpc-a"], cls.world.dc[1].host
        for ns, ifname in ((cls.world.inet, "tr"), (cls.world.inet, "dc1-a"), (cls.world.dc[1].gateways[0], "wan")):
            ns.sysctl(f"net.ipv4.neigh.{ifname}.retrans_time_ms", 100)  # how soon Linux asks again is not ours

    def sas(self):
        """What an outage must not change: every SPI, and how often each tunnel came up."""
        return ({sa["spi-in"] for sa in self.router.ctl("show", "sas")},
                [self.router.tunnel(f"dc1/{i}")["times-up"] for i in (1, 2)])

    def carries(self):
        """Both tunnels do."""
        return all(self.vpc.ping(f"10.11.{i}.1", count=1, wait_s=0.1) for i in (1, 2))

    def flaps(self, ns):
        """The cable of `ns` flaps under a stream, whose verdict it is. Back within a second, and what the kernel takes
        to tell of a carrier on a machine with other work."""
        before, longest, back = self.sas(), 0, []
        stream = tools.Stream(self.vpc, self.host, pps=1600, flows=32, settle_ms=2000).start().wait_flowing()
        for _ in range(FLAPS):
            longest = max(longest, flap(self.world.inet, ns))
            watch = wait.Stopwatch()
            wait.until(self.carries, 10, "both tunnels carry again", step=0)
            back.append(watch())
        verdict = stream.finish()
        worst = max(f["gap_ms"] for f in verdict.flows)
        self.note(f"{FLAPS} flaps of {ns.name}: out for {1000 * longest:.0f} ms at most, longest gap {worst:.0f} ms, "
                  f"back after {1000 * sorted(back)[FLAPS // 2]:.0f} ms, at worst {1000 * max(back):.0f} ms")
        self.assertEqual(self.sas(), before)
        self.assertEqual((verdict.duplicated, verdict.corrupted), (0, 0), verdict)
        if tools.full():
            self.assertLess(sorted(back)[-2], 1, back)
        self.assertLess(sorted(back)[FLAPS // 2], 1.5, back)
        self.assertLess(worst, 1000 * longest + 2500, verdict)
        return verdict

    def test_of_the_router(self):
        self.flaps(self.router)

    def test_of_one_peer(self):
        """The flows of the other tunnel lose nothing."""
        hit = [f for f in self.flaps(self.world.dc[1].gateways[0]).flows if f["received"] < f["sent"]]
        self.assertTrue(4 < len(hit) < 28, hit)


class Watched(BfdPeers):
    """The same under BFD of 200 ms x 3: no flow waits for the cable."""

    release = True
    timeout = 600
    ms, routes = 200, 10

    def test_of_one_peer(self):
        """Its flows are on the other tunnel within a second of each cut, and the SAs stay."""
        before = {sa["spi-in"] for sa in self.router.ctl("show", "sas")}
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1600, flows=32, settle_ms=2000).start()
        stream.wait_flowing()
        for _ in range(FLAPS):
            flap(self.world.inet, self.world.dc[1].gateways[0])
            self.wait_states("up", "up")
        verdict = stream.finish()
        hit = [f for f in verdict.flows if f["received"] < f["sent"]]
        self.assertTrue(4 < len(hit) < 28, verdict.flows)
        worst = max(f["gap_ms"] for f in hit)
        self.note(f"{FLAPS} flaps of a peer's cable under BFD: longest gap {worst:.0f} ms, "
                  f"{len(hit)} of 32 flows lost packets")
        self.assertLess(worst, 1000, verdict)
        self.assertEqual({sa["spi-in"] for sa in self.router.ctl("show", "sas")}, before)
