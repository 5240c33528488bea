# SPDX-License-Identifier: BSD-3-Clause
"""Every implementation in both tunnels of a connection, and on a private circuit, with a key and TTL security: the same
questions to each (cells of test/conformance.md)."""

import test_bgp_lines

from rig import bgp, bgp_dc, tools, wait, world
from rig.case import Lab

KEY, LIMIT, RESTART_S = "opensesame", 12, 2
SETTINGS = {"password": KEY, "gtsm": True, "max-prefixes": LIMIT, "restart-after": RESTART_S}
SESSION = {"password": KEY, "ttl_security": True}
SHARED = "10.77.0.0/16"
# Refresh, what is left out: GoBGP 3.10 keeps what it heard, its `softresetin` looks at that again and asks nobody. ExaBGP
# 4.2.21 puts BoRR (RFC 7313), which it offers itself whenever it offers refresh, into an UPDATE as if it were a route,
# cannot write it, and ends the session.
ASKS, ANSWERS = ("bird", "frr", "exabgp"), ("bird", "frr", "gobgp")


class Cells:
    """What is asked of `speaker`: {name of the session: speaker}, and `kind`: {name: implementation}."""

    @classmethod
    def peer(cls, name):
        return next(row for row in cls.router.ctl("show", "bgp") if row["name"] == name)

    @classmethod
    def wait_established(cls, name, timeout=40):
        wait.until(lambda: cls.peer(name)["state"] == "Established", timeout, f"{name} is established", step=0.1)

    def used(self, prefix):
        return [r for r in self.router.ctl("show", "routes", "default") if r["prefix"] == prefix and r["used"]]

    def wait_hops(self, prefix, *hops, timeout=15):
        def reached():
            return sorted(h for r in self.used(prefix) for h in r["next-hops"]) == sorted(hops)
        wait.until(reached, timeout, f"{prefix} leads to {' '.join(hops) or 'nowhere'}", step=0.05)

    def test_key_and_ttl(self):
        """Both ends sign, and take nothing with a TTL below 255: sessions came up that way and stay."""
        for name in self.speaker:
            row = self.peer(name)
            self.assertEqual((row["state"], row["held-up-because"]), ("Established", None), name)
            if "collision" not in (row["last-error"] or ""):  # both ends may connect at once: then one connection goes
                self.assertEqual(row["bgp_lost"], 0, name)

    def test_announce_and_withdraw_each(self):
        for i, (name, speaker) in enumerate(self.speaker.items()):
            prefix = f"172.20.{i}.0/24"
            speaker.announce(prefix)
            self.wait_hops(prefix, self.hop[name])
            speaker.withdraw(prefix)
            self.wait_hops(prefix)

    def test_what_is_advertised(self):
        for speaker in self.speaker.values():
            speaker.wait_learned("10.1.0.0/16")
            self.assertEqual(list(speaker.learned()["10.1.0.0/16"]), [45104])

    def test_refresh(self):
        for name, speaker in self.speaker.items():
            before = self.peer(name)
            if self.kind[name] in ASKS:
                speaker.refresh()
                wait.until(lambda: self.peer(name)["bgp_refreshes_received"] > before["bgp_refreshes_received"], 10,
                           f"{name} asks again")
            if self.kind[name] in ANSWERS:
                self.router.ctl("bgp", "soft", name)
                wait.until(lambda: self.peer(name)["bgp_prefixes_received"] > before["bgp_prefixes_received"], 10,
                           f"{name} sends its routes again")
            self.assertEqual(self.peer(name)["bgp_established"], before["bgp_established"])

    def test_one_prefix_of_all(self):
        """ECMP over tunnels of connections, or over circuits: paths of equal length share, whoever sent them."""
        for speaker in self.speaker.values():
            speaker.announce(SHARED)
        self.wait_hops(SHARED, *self.hop.values())
        first, *others = self.speaker
        for name in others:
            self.speaker[name].withdraw(SHARED)
        self.wait_hops(SHARED, self.hop[first])
        self.speaker[first].withdraw(SHARED)
        self.wait_hops(SHARED)

    def test_too_many_of_each(self):
        """The session ends with Cease 1, and is back after `restart-after`, when there are fewer."""
        many = {name: [f"172.{24 + i}.{k}.0/24" for k in range(LIMIT)] for i, name in enumerate(self.speaker)}
        lost = {name: self.peer(name)["bgp_lost"] for name in self.speaker}
        for name, speaker in self.speaker.items():
            speaker.announce(*many[name])
        for name in self.speaker:
            wait.until(lambda n=name: self.peer(n)["bgp_lost"] > lost[n], 20, f"{name} ends", step=0.05)
            self.assertIn("sent: cease, maximum number of prefixes reached", self.peer(name)["last-error"])
        for name, speaker in self.speaker.items():
            speaker.withdraw(*many[name])
        for name in self.speaker:
            self.wait_established(name)
            wait.until(lambda n=name: self.peer(n)["accepted-prefixes"] == 1, 20, f"the route of {name} is back")

    def restart(self, names):
        """Their daemons are killed and come back: routes stay, as stale ones, until they are there anew."""
        prefixes = {r["prefix"] for n in names for r in self.used(self.speaker[n].routes[0])}
        for name in names:
            self.assertTrue(self.peer(name)["capabilities"]["graceful-restart"], name)
            self.speaker[name].kill()
        for name in names:
            wait.until(lambda n=name: self.peer(n)["state"] != "Established", 10, f"{name} is gone", step=0.02)
        for prefix in prefixes:
            self.assertTrue(self.used(prefix) and all(r["stale"] for r in self.used(prefix)), prefix)
        for name in names:
            self.speaker[name].come_back()
        for name in names:
            self.wait_established(name)
        for prefix in prefixes:
            wait.until(lambda p=prefix: self.used(p) and not any(r["stale"] for r in self.used(p)), 30,
                       f"{prefix} is fresh", step=0.1)


class InTunnels(Cells):
    """Two data centers, each with one implementation in both of its tunnels."""

    dcs = {}  # number: implementation

    @classmethod
    def build(cls):
        cls.world = world.World()
        config = world.config()
        for dc in cls.dcs:
            bgp_dc.configure(config, dc, **SETTINGS)
        config["transit-router"]["router-id"] = world.OUTER
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.speaker, cls.kind, cls.hop = {}, {}, {}
        for dc, kind in cls.dcs.items():
            for i in (0, 1):
                name = f"dc{dc}/{i + 1}"
                cls.speaker[name] = bgp_dc.speaker(cls.world.dc[dc], i, bgp.KINDS[kind], **SESSION)
                cls.kind[name], cls.hop[name] = kind, name
        cls.world.connect()
        cls.world.wait_up()
        for dc in cls.dcs:
            for i in (0, 1):
                bgp_dc.route(cls.world.dc[dc], i)
        for speaker in cls.speaker.values():
            speaker.start()
        for name in cls.speaker:
            cls.wait_established(name)

    def test_both_tunnels_share(self):
        for dc in self.dcs:
            self.wait_hops(f"10.{10 + dc}.0.0/16", f"dc{dc}/1", f"dc{dc}/2")
            before = [self.router.tunnel(f"dc{dc}/{i}")["sent-packets"] for i in (1, 2)]
            stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[dc].host, pps=1000, count=500, flows=32)
            self.assertEqual(stream.run().lost, 0)
            sent = [self.router.tunnel(f"dc{dc}/{i}")["sent-packets"] - b for i, b in zip((1, 2), before)]
            self.assertGreater(min(sent), 50, sent)

    def test_restarts_lose_nothing(self):
        for dc in self.dcs:
            stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[dc].host, pps=500, flows=16).start()
            self.restart([f"dc{dc}/1", f"dc{dc}/2"])
            self.assertEqual(stream.finish().lost, 0)


class ExabgpAndFrr(InTunnels, Lab):
    dcs = {1: "exabgp", 2: "frr"}


class GobgpAndBird(InTunnels, Lab):
    dcs = {1: "gobgp", 2: "bird"}


class OnLines(Cells, test_bgp_lines.FourLines, Lab):
    """Four private circuits, as in Lines, with a key and TTL security."""

    session, settings = SESSION, SETTINGS

    @classmethod
    def build(cls):
        super().build()
        cls.kind = {f"line-{k}": k for k in test_bgp_lines.VLAN}
        cls.hop = {f"line-{k}": f"{test_bgp_lines.subnet(k)}.2" for k in test_bgp_lines.VLAN}
        cls.speaker = {f"line-{k}": speaker for k, speaker in cls.speaker.items()}
        for name in cls.speaker:
            cls.wait_established(name)

    def test_restarts_lose_nothing(self):
        for kind, host in self.host.items():
            host.ip("route replace 10.1.0.0/16 via", f"{test_bgp_lines.subnet(kind)}.1")
            self.restart([f"line-{kind}"])
            self.assertEqual(self.vpc.ping(f"10.{test_bgp_lines.VLAN[kind] - 280}.0.1"), 3, kind)
