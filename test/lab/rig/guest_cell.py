# SPDX-License-Identifier: BSD-3-Clause
"""What is asked of a cell of the matrix of native ESP (protocol 50), with a guest as the peer.

A cell is a daemon, a version of IKE and a suite of algorithms: it negotiates from either end, carries traffic both
ways, rekeys both SAs from either end without a loss, survives DPD, and restarts of either end. A second data center,
a strongSwan in namespaces with ESP in UDP, is there as well.
"""

from . import guest_site, net, site, tools, transitd, wait, world
from .case import Lab

GATEWAY = world.GATEWAYS[1][0]
NETWORK = "10.1.0.0/16"
SETTLE_MS = 1500
PPS = 1000  # each way, while an SA is replaced


class Native(Lab):
    """The guest is data center 1; its daemon is another one in each test. Boots once for the class."""

    timeout = 150

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.site = guest_site.GuestCenter(cls.inet, 1).start()
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {0: cls.vpc})
        cls.other = site.DataCenter(cls.inet, 2)
        cls.routers.append(cls.router)
        cls.peer = cls.stream = None
        cls.site.settle()

    @classmethod
    def config(cls, suite, version="ikev2", **ike):
        base = world.config(dcs=(2,))
        flow = {"mode": "single", "routing-mode": "flow-protection", "local-cidrs": [NETWORK],
                "peer-cidrs": [cls.site.prefix]}
        tunnel = world.tunnel(1, 0, **{"apply-immediately": False}, **suite.config(version, **ike))
        base["customer-gateways"]["dc1-a"] = {"address": cls.site.address}
        base["vpn-connections"]["dc1"] = {**flow, "tunnels": [tunnel]}
        base["attachments"] = {
            "dc1": {"kind": "vpn", "connection": "dc1"},
            "dc2": {"kind": "vpn", "connection": "dc2", "routes": [{"prefix": cls.other.prefix}]},
            "vpc-a": {"kind": "vpc", "port": "lan0", "address": "10.1.255.254/16"}}
        base["route-tables"] = {"default": {}}
        return base

    def play(self, kind, suite, version="ikev2", **more):
        """The router and the daemon with that suite, anew; no tunnel is up yet."""
        cls = type(self)
        if cls.peer:
            cls.peer.stop()
        cls.router.end()
        ike = {"mode": "aggressive"} if more.get("aggressive") else {}
        cls.router.start(self.config(suite, version, **ike))
        if cls.other.gateways[0].charon is None:
            cls.other.connect(world.GATEWAYS[2], world.PSK)
        cls.peer = kind(self.site, GATEWAY, NETWORK, world.PSK, suite, version=version, **more)
        cls.peer.start()

    # ---- what is asked of a cell ----

    def carries(self, count=300):
        """Both ways, with nothing lost, in native ESP."""
        wait.until(lambda: self.vpc.ping(self.site.host, count=1), 10, "the first packet arrives")
        for one, other in ((self.vpc, self.site.host), (self.site.host, self.vpc)):
            verdict = tools.Stream(one, other, pps=200, count=count, size=512, flows=4, settle_ms=SETTLE_MS).run()
            self.assertEqual((verdict.lost, verdict.corrupted, verdict.duplicated), (0, 0, 0), verdict)
        sa = self.router.esp_sas("dc1/1")[0]
        self.assertFalse(sa["udp-encapsulation"])
        self.assertGreater(min(sa["packets-in"], sa["packets-out"]), 0)

    def one_pair(self):
        """One Child SA on both ends, and it is the same: by what the guest's kernel says."""
        def settled():
            mine = self.router.esp_sas("dc1/1")
            return len(mine) == 1 and self.site.inbound() == {int(mine[0]["spi-out"], 16)}
        wait.until(settled, 20, "one Child SA, the same on both ends", step=0.2)

    def spis(self, kind):
        rows = self.router.esp_sas("dc1/1") if kind == "child" else self.router.ike_sas("dc1/1")
        return {row["spi-in"] for row in rows}

    def replaced(self, kind, rekey):
        """The SA is another one after that, and meanwhile packets go both ways, of which none is lost (T19).

        That takes patience with peers: libreswan and OpenIKED send on a new SA before we have their answer, and
        OpenIKED answers before it can receive on it.
        """
        streams = [tools.Stream(one, other, pps=PPS, flows=2, settle_ms=SETTLE_MS).start().wait_flowing()
                   for one, other in ((self.vpc, self.site.host), (self.site.host, self.vpc))]
        before = self.spis(kind)
        rekey()
        wait.until(lambda: self.spis(kind) and not self.spis(kind) & before, 30, f"a new {kind} SA")
        there, back = [stream.finish() for stream in streams]
        for verdict in (there, back):
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0),
                             f"{kind} SA, to the peer: {there}; from it: {back}; {self.router.drops()}, "
                             f"and in the guest {self.site.refused()}")

    def rekeys(self):
        for kind, theirs in (("child", self.peer.rekey_child), ("ike", self.peer.rekey_ike)):
            self.replaced(kind, lambda k=kind: self.router.ctl("tunnel", "rekey", "dc1/1", k))
            if theirs:
                self.replaced(kind, theirs)
            # strongSwan forgets to remove an old inbound SA whose time is over while its IKE SA is rekeyed
            self.one_pair()
        self.carries(100)

    def up_from_here(self):
        self.router.ctl("tunnel", "up", "dc1/1")
        self.router.wait_up("dc1/1", timeout=30)

    def up_from_there(self):
        self.router.ctl("tunnel", "down", "dc1/1")
        wait.until(lambda: not self.site.inbound(), 20, "the peer has no SA left", step=0.2)
        self.peer.initiate()
        self.router.wait_up("dc1/1", timeout=30)

    def dies(self, end):
        """The peer goes; the router finds out (by DPD, or is told) and has no SA, though it may already try again."""
        end()
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] in ("down", "negotiating"), 15, "the tunnel is down")
        self.assertEqual(self.router.esp_sas("dc1/1"), [])

    def negotiates(self):
        self.up_from_here()
        self.carries()
        self.up_from_there()
        self.carries()
        self.one_pair()

    def survives(self):
        """DPD and a power cut of the peer, its orderly restart, and a restart of ours that the peer is not told of."""
        for end in (self.peer.kill, self.peer.stop):
            self.dies(end)
            self.peer.start()
            self.router.ctl("tunnel", "down", "dc1/1")  # what it sent to a daemon that was starting is void
            self.up_from_here()
            self.carries(50)
        self.router.kill()
        self.router.start()
        self.up_from_here()
        self.carries(50)

    def cell(self, *what, **more):
        """All of it."""
        self.play(*what, **more)
        wait.until(lambda: self.router.tunnel("dc2/1")["state"] == "up", 20, "the other data center is up")
        self.negotiates()
        self.rekeys()
        self.survives()

    def suite(self, kind, suite, version="ikev2"):
        """Negotiation, traffic and a rekey of the Child SA with these algorithms."""
        self.play(kind, suite, version)
        self.up_from_here()
        self.carries(100)
        self.replaced("child", lambda: self.router.ctl("tunnel", "rekey", "dc1/1", "child"))
        self.carries(50)

    @classmethod
    def finish(cls):
        cls.site.guest.power_off()
        super().finish()


def suite_test(kind, suite, version="ikev2"):
    """A test method of a Native: that daemon with that suite."""
    def test(self):
        self.suite(kind, suite, version)
    test.__doc__ = f"{kind.name} with {suite}, {version}"
    return test
