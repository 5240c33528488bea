# SPDX-License-Identifier: BSD-3-Clause
"""A router with a VPC behind it and one tunnel with manual keys, to a peer of scapy that may break every rule."""

from . import esp, net, site, transitd
from .case import Lab

OURS, PEER, FAR = "203.0.113.33", "192.0.2.2", "10.11.0.1"


class ManualSite(Lab):
    """wire() makes the topology, config() the startup file for it, which a test may add to before it starts the router."""

    aead = True

    @classmethod
    def wire(cls, **vlans):
        """Hosts of more networks by VLAN: v200=net.Host(...)."""
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.inet.ip(f"addr add {PEER}/32 dev lo")
        # the peer is scapy: the kernel must not answer ESP with ICMP errors
        cls.inet.run("nft", "add table ip quiet; add chain ip quiet in { type filter hook input priority 0; };"
                     "add rule ip quiet in ip protocol 50 drop")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {0: cls.vpc, **{int(name[1:]): host for name, host in vlans.items()}})
        cls.peer = esp.EspPeer(PEER, OURS, spi_in=0x2001, spi_out=0x1001, aead=cls.aead)

    @classmethod
    def config(cls):
        return {
            "ports": {"wan0": {"device": "af_packet:wan0", "address": "203.0.113.10/24",
                               "gateway": "203.0.113.1"},
                      "lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "cidr": ["203.0.113.32/28"]},
            "customer-gateways": {"peer": {"address": PEER}},
            "vpn-connections": {
                "mk": {"mode": "single", "keying": "manual",
                       "tunnels": [{"customer-gateway": "peer", "gateway-address": OURS, **cls.peer.config()}]}},
            "attachments": {"mk": {"kind": "vpn", "connection": "mk", "routes": [{"prefix": "10.11.0.0/16"}]},
                            "vpc-a": {"kind": "vpc", "port": "lan0", "address": "10.1.255.254/16"}}}
