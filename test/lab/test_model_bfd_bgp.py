# SPDX-License-Identifier: BSD-3-Clause
"""BFD on a private circuit that speaks BGP, with BIRD: a silent far end costs the session and its routes (RFC 5882)."""

import time

from rig import bgp, net, site, transitd, wait
from rig.case import Lab

MS = 100
_BFD = 'protocol bfd {{ interface "*" {{ min rx interval {0} ms; min tx interval {0} ms; multiplier 3; }}; }}'
_SILENCE = "add table inet silence; " + "".join(
    f"add chain inet silence {hook} {{ type filter hook {hook} priority 0; policy drop; }}; "
    for hook in ("input", "output"))


class Watched(bgp.Bird):
    """BIRD whose session with us hangs on BFD."""

    def write(self, text):
        text = text.replace("multihop; ", "direct; bfd on; ").replace("hold time 90", "hold time 240")
        return super().write(text + _BFD.format(MS) + "\n")


class BfdOnALine(Lab):
    release = True
    far = "10.21.0.0/16"

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        hosts = {100: net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254"), 301: net.Host("line", "10.200.1.2/30")}
        cls.lan = site.VpcHosts(cls.router, "lan0", hosts)
        cls.vpc, cls.line = hosts[100], hosts[301]
        cls.line.ip("addr add", "10.21.0.1/32", "dev lo")
        cls.line.ip("route add 10.1.0.0/16 via 10.200.1.1")
        cls.router.start({
            "ports": {"lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "router-id": "10.255.255.1"},
            "attachments": {
                "vpc-a": {"kind": "vpc", "port": "lan0", "vlan": 100, "address": "10.1.255.254/16"},
                "line1": {"kind": "vbr", "port": "lan0", "vlan": 301, "address": "10.200.1.1/30",
                          "bgp": {"peer": "10.200.1.2", "peer-asn": 65031, "hold-time": 240},
                          "bfd": {"transmit-interval": MS, "receive-interval": MS, "multiplier": 3}}}})
        cls.routers.append(cls.router)
        cls.bird = Watched(cls.line, "bird", 65031, [bgp.Session("10.200.1.2", "10.200.1.1")], [cls.far]).start()
        cls.wait_up()

    @classmethod
    def session(cls):
        return cls.router.ctl("show", "bgp")[0]

    @classmethod
    def bfd(cls):
        return cls.router.ctl("show", "bfd")[0]

    @classmethod
    def has_route(cls):
        return any(r["prefix"] == cls.far and r["used"] for r in cls.router.ctl("show", "routes", "default"))

    @classmethod
    def wait_up(cls):
        wait.until(lambda: cls.bfd()["state"] == "up" and cls.session()["state"] == "Established" and cls.has_route(),
                   40, "BFD, BGP and the route are there", step=0.05)

    def test_both_ends_are_up(self):
        row = self.bfd()
        self.assertEqual((row["peer"], row["peer-state"], row["detect-ms"]), ("10.200.1.2", "up", 3 * MS))
        self.assertEqual(self.vpc.ping("10.21.0.1"), 3)

    def test_silence_ends_the_session_and_takes_its_routes(self):
        """The hold time is 240 s: it is BFD that ends the session; and the session comes back with the far end."""
        before = self.session()["bgp_established"]
        self.line.run("nft", _SILENCE)
        try:
            began = time.monotonic()
            wait.until(lambda: not self.has_route(), 10, "the route leaves", step=0.01)
            took = time.monotonic() - began
            session = self.session()
            self.assertNotEqual(session["state"], "Established")
            self.assertIn("BFD down", session["last-error"])
            self.assertLess(took, 3, "the hold time is 240 s")
        finally:
            self.line.run("nft", "delete", "table", "inet", "silence")
        self.wait_up()
        self.assertEqual(self.session()["bgp_established"], before + 1)
        self.assertEqual(self.vpc.ping("10.21.0.1"), 3)
