# SPDX-License-Identifier: BSD-3-Clause
"""BGP through IPsec tunnels: ECMP over the tunnels of a connection and over connections, failover, rekeys (B7, B8, BG-20)."""

from rig import bgp, bgp_dc, tools, wait, world
from rig.bgp_dc import addresses
from rig.case import Lab

SHARED = "10.77.0.0/16"


class Tunnels(Lab):
    """Two data centers with two tunnels each: BIRD on both gateways of dc1, FRR and GoBGP on those of dc2."""

    kinds = {(1, 0): "bird", (1, 1): "bird", (2, 0): "frr", (2, 1): "gobgp"}

    @classmethod
    def build(cls):
        cls.world = world.World()
        config = world.config()
        for dc in (1, 2):
            bgp_dc.configure(config, dc)
        config["transit-router"]["router-id"] = world.OUTER
        config["route-tables"]["partner"] = {}
        config["attachments"]["dc2"]["propagate"] = ["default", "partner"]
        cls.config = config
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.speaker = {(dc, i): bgp_dc.speaker(cls.world.dc[dc], i, bgp.KINDS[kind])
                       for (dc, i), kind in cls.kinds.items()}
        cls.world.connect()
        for (dc, i) in cls.kinds:
            cls.world.dc[dc].gateways[i].wait_up()
            bgp_dc.route(cls.world.dc[dc], i)
        cls.router.wait_up()
        for speaker in cls.speaker.values():
            speaker.start()
        for name in ("dc1/1", "dc1/2", "dc2/1", "dc2/2"):
            cls.wait_established(name)

    @classmethod
    def peer(cls, name):
        return next(row for row in cls.router.ctl("show", "bgp") if row["name"] == name)

    @classmethod
    def wait_established(cls, name, timeout=40):
        wait.until(lambda: cls.peer(name)["state"] == "Established", timeout, f"{name} is established", step=0.1)

    def used(self, prefix, table="default"):
        return [r for r in self.router.ctl("show", "routes", table) if r["prefix"] == prefix and r["used"]]

    def wait_hops(self, prefix, *hops, table="default", timeout=15):
        def reached():
            return sorted(h for r in self.used(prefix, table) for h in r["next-hops"]) == sorted(hops)
        wait.until(reached, timeout, f"{prefix} leads to {' '.join(hops) or 'nowhere'}", step=0.05)

    def established(self):
        return {row["name"]: row["bgp_established"] for row in self.router.ctl("show", "bgp")}

    def test_both_tunnels_share_what_is_learned(self):
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2")
        self.wait_hops("10.12.0.0/16", "dc2/1", "dc2/2")
        for dc in (1, 2):
            stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[dc].host, pps=1000, count=1000, flows=32)
            before = [self.router.tunnel(f"dc{dc}/{i}")["sent-packets"] for i in (1, 2)]
            self.assertEqual(stream.run().lost, 0)
            sent = [self.router.tunnel(f"dc{dc}/{i}")["sent-packets"] - b for i, b in zip((1, 2), before)]
            self.assertGreater(min(sent), 100, sent)

    def test_the_associated_table_is_advertised(self):
        for speaker in self.speaker.values():
            speaker.wait_learned("10.1.0.0/16", "10.2.0.0/16")
            self.assertFalse(set(speaker.learned()) & {"10.11.0.0/16", "10.12.0.0/16"},
                             "policy 5000 keeps VPN from VPN (R4)")

    def test_propagation_is_by_table(self):
        self.wait_hops("10.12.0.0/16", "dc2/1", "dc2/2", table="partner")
        self.assertEqual(self.used("10.11.0.0/16", "partner"), [])

    def test_two_connections_share_a_prefix(self):
        """ECMP over four tunnels of two connections, with AS paths of equal length."""
        for speaker in self.speaker.values():
            speaker.announce(SHARED)
        self.wait_hops(SHARED, "dc1/1", "dc1/2", "dc2/1", "dc2/2")
        for key in ((2, 0), (2, 1), (1, 1)):
            self.speaker[key].withdraw(SHARED)
        self.wait_hops(SHARED, "dc1/1")
        self.speaker[1, 0].withdraw(SHARED)
        self.wait_hops(SHARED)

    def test_sessions_survive_rekeys(self):
        before = self.established()
        for what in ("child", "ike"):
            for name in before:
                self.router.ctl("tunnel", "rekey", name, what)
        for dc in (1, 2):
            self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[dc].host), 3)
        for key, speaker in self.speaker.items():
            prefix = f"172.20.{key[0]}{key[1]}.0/24"
            speaker.announce(prefix)
            self.wait_hops(prefix, f"dc{key[0]}/{key[1] + 1}")
            speaker.withdraw(prefix)
        self.assertEqual(self.established(), before)

    def test_a_flood_through_one_tunnel_harms_no_session(self):
        """Segments to port 179 of its own session's address and of another one's, 30,000 a second."""
        before, foreign = self.established(), self.peer("dc2/1")["foreign-packets"]
        gateway = self.world.dc[1].gateways[0]
        gateway.ip("route replace", addresses(2, 0)[1], "dev ipsec0 src", addresses(1, 0)[0])
        flood = gateway.spawn("flood", "/usr/bin/python3", "-c", _FLOOD, addresses(1, 0)[0], addresses(1, 0)[1],
                              addresses(2, 0)[1])
        self.assertEqual(flood.popen.wait(30), 0, flood.tail())
        self.speaker[2, 0].announce("172.21.0.0/24")
        self.wait_hops("172.21.0.0/24", "dc2/1", timeout=3)
        self.speaker[2, 0].withdraw("172.21.0.0/24")
        self.assertEqual(self.established(), before)
        self.assertGreater(self.peer("dc2/1")["foreign-packets"] - foreign, 1000,
                           "nothing of tunnel dc1/1 reaches the address of dc2/1")

    def test_a_tunnel_that_goes_down_withdraws_its_routes(self):
        """Within a second; of what others are told, see test_bgp_malformed_tunnel."""
        self.speaker[1, 0].announce("172.22.0.0/24")
        self.wait_hops("172.22.0.0/24", "dc1/1")
        self.router.ctl("tunnel", "down", "dc1/1")
        self.wait_hops("172.22.0.0/24", timeout=1)
        self.wait_hops("10.11.0.0/16", "dc1/2", timeout=1)
        self.router.ctl("tunnel", "up", "dc1/1")
        self.router.wait_up("dc1/1")
        self.world.dc[1].gateways[0].wait_up()
        bgp_dc.route(self.world.dc[1], 0)
        self.wait_hops("172.22.0.0/24", "dc1/1", timeout=30)
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2")
        self.speaker[1, 0].withdraw("172.22.0.0/24")

    def test_forwarding_goes_on_while_a_peer_restarts(self):
        """RFC 4724, helper: the peer's daemon is killed and comes back, no packet is lost."""
        for i in (0, 1):
            self.assertTrue(self.peer(f"dc1/{i + 1}")["capabilities"]["graceful-restart"])
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2")
        stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[1].host, pps=500, flows=16).start()
        for i in (0, 1):
            self.speaker[1, i].kill()
        wait.until(lambda: self.peer("dc1/1")["state"] != "Established", 10, "the session is gone")
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2", timeout=1)
        self.assertTrue(all(r["stale"] for r in self.used("10.11.0.0/16")))
        for i in (0, 1):
            self.speaker[1, i].recovering = True
            self.speaker[1, i].start()
            self.wait_established(f"dc1/{i + 1}")
        wait.until(lambda: not any(r["stale"] for r in self.used("10.11.0.0/16")), 20, "routes are fresh")
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2")
        self.assertEqual(stream.finish().lost, 0)


# Raw TCP segments with the right addresses for the tunnel; ends after two seconds.
_FLOOD = """
import socket, struct, sys, time
source, targets = sys.argv[1], sys.argv[2:]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.bind((source, 0))
segment = struct.pack("!HHIIBBHHH", 40000, 179, 1, 0, 0x50, 2, 8192, 0, 0)
end, sent = time.monotonic() + 2, 0
while time.monotonic() < end:
    for target in targets:
        try:
            s.sendto(segment, (target, 0))
            sent += 1
        except OSError:
            pass
print(sent, "segments")
"""
