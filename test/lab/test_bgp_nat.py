# SPDX-License-Identifier: BSD-3-Clause
"""BGP in the tunnel of a peer behind a NAT, with ExaBGP, a key (RFC 2385) and TTL security (RFC 5082) inside."""

import copy
import os

import test_ike_path as path

from rig import bgp, bgp_dc, wait

KEY, PREFIX = "opensesame", "10.31.0.0/16"
OWN, ROUTER = bgp_dc.addresses(1, 0)


class BehindNat(path.BehindNat):
    """The NAT forgets its mappings again and again, and the session must not notice."""

    @classmethod
    def shape(cls, config):
        config["transit-router"]["router-id"] = cls.ours
        config["customer-gateways"]["peer"]["asn"] = bgp_dc.ASN[1]
        config["vpn-connections"]["dc1"]["tunnels"][0]["bgp"] = {
            "cidr": "169.254.11.0/30", "local-ip": ROUTER, "password": KEY, "gtsm": True, "hold-time": 30}
        cls.config = config

    @classmethod
    def build(cls):
        super().build()
        cls.gateway.ip("addr add", f"{OWN}/32", "dev lo")
        cls.gateway.ip("route add", ROUTER, "dev ipsec0 src", OWN)
        cls.speaker = bgp.Exabgp(cls.gateway, "exabgp", bgp_dc.ASN[1], [
            bgp.Session(OWN, ROUTER, password=KEY, ttl_security=True, hold=30)], [PREFIX]).start()
        wait.until(lambda: cls.session()["state"] == "Established", 60, "the session is established", step=0.1)

    @classmethod
    def session(cls):
        return cls.router.ctl("show", "bgp")[0]

    def wait_route(self, prefix, there=True):
        wait.until(lambda: any(r["prefix"] == prefix and r["used"] for r in self.router.ctl("show", "routes", "default"))
                   == there, 30, f"{prefix} {'is in' if there else 'has left'} the table", step=0.05)

    def test_learned_and_advertised(self):
        self.wait_route(PREFIX)
        self.speaker.wait_learned("10.1.0.0/16")
        self.speaker.announce("10.32.0.0/16")
        self.wait_route("10.32.0.0/16")
        self.speaker.withdraw("10.32.0.0/16")
        self.wait_route("10.32.0.0/16", False)
        refreshes = self.session()["bgp_refreshes_received"]
        self.speaker.refresh()
        wait.until(lambda: self.session()["bgp_refreshes_received"] > refreshes, 20, "the peer asks again")

    def test_the_session_survives_new_mappings(self):
        """Routes come over the new path, and segments go back there; nobody says goodbye."""
        before = self.session()
        for i, low in enumerate((30000, 40000, 50000)):
            endpoint, prefix = self.endpoint(), f"10.4{i}.0.0/16"
            self.new_mapping(low)
            self.speaker.announce(prefix)
            self.wait_route(prefix)
            wait.until(lambda: self.endpoint() != endpoint, 20, "the new mapping is found", step=0.05)
            self.assertTrue(low <= int(self.endpoint().split(":")[1]) <= low + 9999, self.endpoint())
            heard = os.path.getsize(self.speaker.heard)
            self.speaker.refresh()
            wait.until(lambda: os.path.getsize(self.speaker.heard) > heard, 20, "the peer is told the routes again")
        after = self.session()
        self.assertEqual((after["state"], after["bgp_established"], after["bgp_lost"]),
                         ("Established", before["bgp_established"], before["bgp_lost"]))
        self.assertEqual(self.speaker.established(), 1)

    def test_diagnose_names_the_key(self):
        """With another key here the session does not come back, and that is what is found; then it is mended."""
        def found():
            return {r["code"] for r in self.router.ctl("diagnose", "dc1") if r["code"].startswith("Bgp")}
        config = copy.deepcopy(self.config)
        config["vpn-connections"]["dc1"]["tunnels"][0]["bgp"]["password"] = "opensesami"
        self.router.ctl("bgp", "disable", "dc1/1")
        wait.until(lambda: not self.speaker.established(), 20, "the peer has heard of the end")
        self.router.apply(config)
        self.router.ctl("bgp", "enable", "dc1/1")
        wait.until(lambda: found() == {"BgpKeyMismatch"}, 60, "the key is found to differ", step=0.2)
        self.router.apply(self.config)
        wait.until(lambda: found() == {"BgpUp"}, 60, "the session is back", step=0.2)
