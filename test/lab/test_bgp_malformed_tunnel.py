# SPDX-License-Identifier: BSD-3-Clause
"""The peer of test_bgp_malformed.py inside an IPsec tunnel: what it says comes through a device of the kernel's all the same."""

import test_bgp_malformed as malformed

from rig import bgp_dc, net, tools, wait, world
from rig.bgp_raw import Raw, body, nlri
from rig.case import Lab

LINES = ("bird", "frr", "gobgp", "ear")


class Site(world.World):
    """With a private circuit for each of the others."""

    def vlans(self):
        self.line = {k: net.Host(k, f"{malformed.far(k)}/30") for k in LINES}
        return {**super().vlans(), **{301 + malformed.LINES.index(k): host for k, host in self.line.items()}}


class InATunnel(malformed.Updates, *([malformed.StopsReading] if tools.full() else []), Lab):
    """`raw` is on a gateway of dc1, whose other tunnel has no session; nobody is kept from anybody's routes."""

    @staticmethod
    def name(kind):
        return "dc1/1" if kind == "raw" else f"line-{kind}"

    @classmethod
    def build(cls):
        cls.world = Site(dcs=(1,))
        config = world.config(dcs=(1,))
        bgp_dc.configure(config, 1, **{"hold-time": 9, "send-hold-time": 18, "max-prefixes": 200000})
        del config["vpn-connections"]["dc1"]["tunnels"][1]["bgp"]
        config["customer-gateways"]["dc1-a"]["asn"] = malformed.RAW
        config["transit-router"]["router-id"] = world.OUTER
        config["routing-policies"] = [{"priority": 50, "direction": "egress", "action": "permit"}]
        config["attachments"].update({f"line-{k}": {
            "kind": "vbr", "port": "lan0", "vlan": 301 + malformed.LINES.index(k), "address": f"{malformed.near(k)}/30",
            "bgp": {"peer": malformed.far(k), "peer-asn": malformed.asn(k), "max-prefixes": 200000}} for k in LINES})
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect()
        cls.world.wait_up()
        gateway, (own, router) = cls.world.dc[1].gateways[0], bgp_dc.addresses(1, 0)
        gateway.ip("addr add", f"{own}/32", "dev lo")
        bgp_dc.route(cls.world.dc[1], 0)
        cls.host = {**cls.world.line, "raw": gateway}
        cls.begin(Raw(gateway, own, router, malformed.RAW))

    def test_a_tunnel_that_goes_down_is_told(self):
        """Within a second, others hear that its routes are gone (BG-20)."""
        route, gateway = nlri(malformed.FLAPPED), self.world.dc[1].gateways[0]
        mark = len(self.ear.updates())
        self.announce(malformed.FLAPPED)
        wait.until(lambda: any(u.endswith(route) for u in self.ear.updates()[mark:]), 10, "it is announced", step=0.01)
        mark = len(self.ear.updates())
        self.router.ctl("tunnel", "down", "dc1/1")
        try:
            wait.until(lambda: body(withdrawn=route) in self.ear.updates()[mark:], 1, "it is withdrawn", step=0.01)
        finally:
            self.router.ctl("tunnel", "up", "dc1/1")
            self.router.wait_up("dc1/1")
            gateway.wait_up()
            bgp_dc.route(self.world.dc[1], 0)
