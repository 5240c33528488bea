# SPDX-License-Identifier: BSD-3-Clause
"""Health checks H1..H5: a tunnel whose far side no longer answers loses its routes, and gets them back."""

from rig import tools, wait, world
from rig.case import Lab
from rig.transitd import Refused

SOURCES = ("10.1.255.1", "10.1.255.2")


def checked(config, **more):
    """Each tunnel asks the address of its own gateway inside the data center."""
    for i, tunnel in enumerate(config["vpn-connections"]["dc1"]["tunnels"]):
        tunnel["health-check"] = {"source": SOURCES[i], "destination": f"10.11.{i + 1}.1", "interval": 1,
                                  "retries": 3, **more}
    return config


class Checked(Lab):
    """One data center, both tunnels checked; the gateways answer, or do not."""

    switch_route = True

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        cls.router = cls.world.router.start(
            checked(world.config(dcs=(1,)), **{"switch-route": cls.switch_route}))
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect()
        cls.world.wait_up()
        cls.host = cls.world.hosts()
        cls.wait_health("passed", "passed")

    @classmethod
    def states(cls):
        return [row["state"] for row in cls.router.ctl("show", "health")]

    @classmethod
    def wait_health(cls, *states):
        wait.until(lambda: cls.states() == list(states), 10, f"health checks are {states}")

    def answers(self, i, yes):
        self.world.dc[1].gateways[i].sysctl("net.ipv4.icmp_echo_ignore_all", int(not yes))

    def share(self):
        """Packets of a stream from vpc-a to dc1 that each tunnel carried; none may be lost."""
        def sent():
            rows = self.router.counters()
            return [rows[f"dc1/{i}"]["sent"] for i in (1, 2)]
        before = sent()
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=2000, flows=32).run()
        self.assertEqual(verdict.lost, 0, verdict)
        return [now - then for then, now in zip(before, sent())]


class SwitchRoute(Checked):
    """switch-route: yes, the default (H3)."""

    def test_the_source_answers_and_is_in_the_table(self):
        """H4: the /32 is there without a word of the operator."""
        rows = [r for r in self.router.ctl("show", "routes", "default") if r["type"] == "health-check"]
        self.assertEqual(sorted(r["prefix"] for r in rows if r["used"]), [f"{s}/32" for s in SOURCES])
        self.assertEqual(self.host["dc1"].ping(SOURCES[0]), 3)

    def test_both_carry_while_both_pass(self):
        self.assertTrue(all(n > 200 for n in self.share()))
        for i in (1, 2):
            self.assertTrue(self.router.tunnel(f"dc1/{i}")["eligible"])

    def test_a_failed_tunnel_loses_its_flows_without_loss(self):
        """Its SA stays: DPD and the check are independent (H5)."""
        spi = self.router.esp_sas("dc1/1")[0]["spi-in"]
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, flows=32).start().wait_flowing()
        self.answers(0, False)
        self.wait_health("failed", "passed")
        tunnel = self.router.tunnel("dc1/1")
        self.assertEqual((tunnel["state"], tunnel["eligible"]), ("up", False))
        self.assertEqual(tunnel["not-eligible-because"], "its health check failed")
        self.assertEqual(self.router.ctl("show", "connections")[0]["redundancy"], "NOT_MET")
        carried = self.share()
        verdict = stream.finish()
        self.assertEqual(verdict.lost, 0, verdict)  # the tunnel itself was alive: moving flows costs nothing
        self.assertLess(carried[0], 20)  # probes alone
        self.assertEqual(self.router.esp_sas("dc1/1")[0]["spi-in"], spi)

    def test_both_failed_nothing_is_sent_and_both_recover(self):
        self.answers(0, False)
        self.answers(1, False)
        self.wait_health("failed", "failed")
        before = self.router.drops("vpc-a")
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1000, count=300, flows=8).run()
        self.assertEqual(verdict.received, 0, verdict)
        self.router.wait_drops({"tunnel-down": 300}, before, "vpc-a")
        self.answers(0, True)
        self.answers(1, True)
        self.wait_health("passed", "passed")
        self.assertTrue(all(n > 200 for n in self.share()))

    def test_show_health(self):
        row = next(r for r in self.router.ctl("show", "health") if r["name"] == "dc1/2")
        self.assertEqual((row["source"], row["destination"], row["interval"], row["retries"]),
                         (SOURCES[1], "10.11.2.1", 1, 3))
        self.assertGreater(row["rtt-ms"], 0)
        self.assertRaises(Refused, self.router.ctl, "show", "health", "nonsense")


class KeepRoute(Checked):
    """switch-route: no: the check is reported and moves nothing."""

    switch_route = False

    def test_a_failed_check_keeps_the_routes(self):
        self.answers(0, False)
        self.wait_health("failed", "passed")
        self.assertTrue(self.router.tunnel("dc1/1")["eligible"])
        self.assertTrue(all(n > 200 for n in self.share()))
