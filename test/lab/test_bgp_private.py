# SPDX-License-Identifier: BSD-3-Clause
"""Private tunnels whose gateway is not on the circuit but behind the customer's router: a circuit with BGP and one with
static routes, and BGP in the tunnel over each of them (B10, A18)."""

from rig import bgp, capture, net, site, strongswan, transitd, wait, world
from rig.case import Lab

CIRCUITS = {1: "bgp", 2: "static"}
LINE_ASN, GATEWAY_ASN = 65100, 65010


def near(n, host):
    """On circuit n: 1 is the router, 2 the customer's router, 3 the router's address for the tunnel."""
    return f"172.16.{n}.{host}"


def far(n, host):
    """Behind the customer's router, which is 1: the customer gateway is 2."""
    return f"172.16.10{n}.{host}"


def inside(n, host):
    return f"169.254.1{n}.{host}"


class Private(Lab):
    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        cls.line = {n: net.Host(f"line{n}", f"{near(n, 2)}/29", near(n, 1)) for n in CIRCUITS}
        cls.lan = site.VpcHosts(cls.router, "lan0", {100: cls.vpc, **{300 + n: h for n, h in cls.line.items()}})
        cls.outside = capture.Capture(cls.inet, "tr", f"({capture.ESP}) or ({capture.IKE})", name="uplink").start()
        cls.watch(cls.inet, "tr")
        config = world.config(dcs=())
        config["attachments"].pop("vpc-b")
        config["transit-router"]["router-id"] = world.OUTER
        cls.charon, cls.speaker = {}, {}
        for n in CIRCUITS:
            cls.configure(config, n)
            cls.customer(n)
        cls.router.start(config)
        cls.routers.append(cls.router)

    @classmethod
    def configure(cls, config, n):
        config["customer-gateways"][f"far{n}"] = {"address": far(n, 2), "asn": GATEWAY_ASN}
        config["vpn-connections"][f"dc{n}"] = {
            "mode": "single", "gateway-type": "private", "tunnels": [
                {"customer-gateway": f"far{n}", "via": f"line{n}", "gateway-address": near(n, 3), "psk": world.PSK,
                 "apply-immediately": True, "dpd": {"interval": 1, "timeout": 3},
                 "bgp": {"cidr": f"{inside(n, 0)}/30", "local-ip": inside(n, 1)},
                 "ike": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"},
                 "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"}}]}
        config["attachments"][f"dc{n}"] = {"kind": "vpn", "connection": f"dc{n}"}
        how = ({"bgp": {"peer": near(n, 2), "peer-asn": LINE_ASN}} if CIRCUITS[n] == "bgp" else
               {"routes": [{"prefix": f"{far(n, 0)}/30", "next-hop": near(n, 2)}]})
        config["attachments"][f"line{n}"] = {
            "kind": "vbr", "port": "lan0", "vlan": 300 + n, "address": f"{near(n, 1)}/29", **how}

    @classmethod
    def customer(cls, n):
        """His router at the end of the circuit, and the gateway behind it with the network of the data center."""
        line, gateway = cls.line[n], net.Netns(f"gateway{n}")
        net.wire(line, "lan", gateway, "wan")
        line.sysctl("net.ipv4.ip_forward", 1)
        line.ip("addr add", f"{far(n, 1)}/30", "dev lan")
        gateway.ip("addr add", f"{far(n, 2)}/30", "dev wan")
        gateway.ip("route add default via", far(n, 1))
        for address in (f"10.1{n}.0.1/32", f"{inside(n, 2)}/32"):
            gateway.ip("addr add", address, "dev lo")
        if CIRCUITS[n] == "bgp":
            bgp.Bird(line, f"bird-line{n}", LINE_ASN, [bgp.Session(near(n, 2), near(n, 1))], [f"{far(n, 0)}/30"]).start()
        cls.watch(line, "eth0")  # on the circuit, too, nothing in clear
        cls.charon[n] = strongswan.Charon(gateway, f"gateway{n}", [
            strongswan.Tunnel("t", far(n, 2), near(n, 3), world.PSK, ike={"dpd_delay": "1s"})]).start()
        gateway.ip("route add", f"{inside(n, 1)}/32", "dev ipsec0 src", inside(n, 2))
        gateway.ip("route add 10.1.0.0/16 dev ipsec0 src", f"10.1{n}.0.1")
        cls.speaker[n] = bgp.Bird(gateway, f"bird-gateway{n}", GATEWAY_ASN, [bgp.Session(inside(n, 2), inside(n, 1))],
                                  [f"10.1{n}.0.0/16"]).start()

    def test_both_come_up_and_carry(self):
        for n in CIRCUITS:
            self.router.wait_up(f"dc{n}/1", timeout=30)
            self.speaker[n].wait_learned("10.1.0.0/16")
            wait.until(lambda n=n: self.vpc.ping(f"10.1{n}.0.1", count=1), 20, f"the way to dc{n} is learned")
            self.assertEqual(self.vpc.ping(f"10.1{n}.0.1"), 3)
        self.assertEqual(self.outside.count(), 0, "nothing of it on the uplink")

    def test_a_peer_that_is_killed_comes_back(self):
        for n, charon in self.charon.items():
            charon.kill()
            wait.until(lambda n=n: self.router.tunnel(f"dc{n}/1")["state"] != "up", 8, "the dead peer is found")
            charon.start()
            charon.ns.ip("route replace", f"{inside(n, 1)}/32", "dev ipsec0 src", inside(n, 2))
            charon.ns.ip("route replace 10.1.0.0/16 dev ipsec0 src", f"10.1{n}.0.1")
            self.router.wait_up(f"dc{n}/1", timeout=30)
            wait.until(lambda n=n: self.vpc.ping(f"10.1{n}.0.1", count=1), 40, f"the way to dc{n} is learned again")
        self.assertEqual(self.outside.count(), 0, "nothing of it on the uplink")
