# SPDX-License-Identifier: BSD-3-Clause
"""The standard topology of tests and demo: two data centers and two VPC networks around one router.

Route tables: `default` for the data centers and vpc-a; `partner` for vpc-b, which knows dc2 alone. So
vpc-a talks to dc1 and dc2, vpc-b to dc2; vpc-a and vpc-b do not reach each other, nor vpc-b and dc1, for
want of routes; dc1 and dc2 do not, because the built-in policy keeps VPN apart from VPN (R4).
"""

from . import net, site, transitd

PSK = "correct-horse-battery-staple"
OUTER = "203.0.113.10"
GATEWAYS = {1: ("203.0.113.33", "203.0.113.34"), 2: ("203.0.113.35", "203.0.113.36")}
VPC_VLAN = {"vpc-a": 100, "vpc-b": 200}
OPEN_POLICY = {"priority": 50, "table": "default", "direction": "egress", "source-kind": ["vpn"],
               "destination-kind": ["vpn"], "action": "permit"}


def tunnel(dc, i, **more):
    """Tunnel i (from 0) of a data center, as the startup file has it; settings of the lab: fast DPD."""
    letter = "ab"[i]
    return {"customer-gateway": f"dc{dc}-{letter}", "gateway-address": GATEWAYS[dc][i], "psk": PSK,
            "apply-immediately": True,
            "ike": {"version": "ikev2", "encryption": "aes256", "authentication": "sha256",
                    "dh-group": "group14"},
            "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"},
            "dpd": {"interval": 1, "timeout": 3}, **more}


def connection(dc, **more):
    return {"mode": "dual", "tunnels": [tunnel(dc, 0), tunnel(dc, 1)], **more}


def config(dcs=(1, 2)):
    """The startup file of the topology; tests change what they need in the dictionary."""
    return {
        "ports": {
            "wan0": {"device": "af_packet:wan0", "address": f"{OUTER}/24", "gateway": "203.0.113.1"},
            "lan0": {"device": "af_packet:lan0"}},
        "transit-router": {"name": "tr-1", "asn": 45104, "cidr": ["203.0.113.32/28"]},
        "route-tables": {
            "default": {},
            "partner": {"routes": [{"prefix": "10.12.0.0/16", "attachment": "dc2"}] if 2 in dcs else []}},
        "customer-gateways": {f"dc{dc}-{letter}": {"address": f"192.0.2.{8 * dc + 4 * i + 2}"}
                              for dc in dcs for i, letter in enumerate("ab")},
        "vpn-connections": {f"dc{dc}": connection(dc) for dc in dcs},
        "attachments": {
            **{f"dc{dc}": {"kind": "vpn", "connection": f"dc{dc}",
                           "routes": [{"prefix": f"10.{10 + dc}.0.0/16"}]} for dc in dcs},
            "vpc-a": {"kind": "vpc", "port": "lan0", "vlan": 100, "address": "10.1.255.254/16"},
            "vpc-b": {"kind": "vpc", "port": "lan0", "vlan": 200, "address": "10.2.255.254/16",
                      "associate": "partner", "propagate": ["default"]}},
    }


class World:
    """Internet, router, hosts; the data centers' charons start with connect()."""

    def __init__(self, dcs=(1, 2), relay_seed=None, uplink_relay_seed=None):
        self.inet = site.Internet()
        self.vpc = {name: net.Host(name, f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254")
                    for i, name in enumerate(VPC_VLAN)}
        self.make_router(uplink_relay_seed)
        self.dc = {n: site.DataCenter(self.inet, n, relay_seed and relay_seed + 10 * n) for n in dcs}

    def make_router(self, uplink_relay_seed):
        """The router, wired to the internet and to the switch of the VPC networks."""
        self.router = transitd.Transitd("tr")
        self.uplink_relay = self.inet.attach(self.router, None, 24, "203.0.113.1", ifname="wan0",
                                             relay_seed=uplink_relay_seed)
        self.lan = site.VpcHosts(self.router, "lan0", self.vlans())

    def vlans(self):
        return {VPC_VLAN[name]: host for name, host in self.vpc.items()}

    def connect(self, psk=PSK, **more):
        for n, dc in self.dc.items():
            dc.connect(GATEWAYS[n], psk, **more)

    def wait_up(self, timeout=20):
        """Every tunnel is up on both ends."""
        self.router.wait_up(timeout=timeout)
        for dc in self.dc.values():
            dc.wait_up(timeout)

    def hosts(self):
        return {**self.vpc, **{dc.name: dc.host for dc in self.dc.values()}}
