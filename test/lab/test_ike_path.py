# SPDX-License-Identifier: BSD-3-Clause
"""Where a tunnel's outer packets go: through a NAT that forgets, over a private circuit, out of two zones."""

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from rig import capture, net, process, site, strongswan, tools, transitd, wait, world
from rig.case import Lab


class BehindNat(Lab):
    """The peer is behind an nftables masquerade, whose mappings go away under way."""

    release = True
    ours, public = world.GATEWAYS[1][0], "192.0.2.10"
    ike, peer = {}, {}  # more of the startup file's `ike`; of strongSwan's tunnel

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {100: cls.vpc})
        cls.nat = net.Netns("nat", forward=True)
        cls.inet.attach(cls.nat, cls.public, 30, "192.0.2.9")
        cls.gateway = site.Gateway("peer", "192.168.7.2")
        net.wire(cls.gateway, "wan", cls.nat, "inside")
        cls.nat.ip("addr add 192.168.7.1/30 dev inside")
        cls.gateway.ip("addr add 192.168.7.2/30 dev wan")
        cls.gateway.ip("route add default via 192.168.7.1")
        cls.gateway.ip("addr add 10.11.0.1/32 dev lo")
        cls.gateway.address = "10.11.0.1"
        cls.masquerade("20000-29999")
        config = world.config(dcs=())
        config["attachments"].pop("vpc-b")
        config["customer-gateways"] = {"peer": {"address": cls.public}}
        config["vpn-connections"]["dc1"] = {"mode": "single", "tunnels": [
            {"customer-gateway": "peer", "gateway-address": cls.ours, "psk": world.PSK,
             "ike": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group14",
                     "remote-id": "behind.nat.example", **cls.ike},
             "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"},
             "dpd": {"interval": 5, "timeout": 20}}]}
        config["attachments"]["dc1"] = {"kind": "vpn", "connection": "dc1", "routes": [{"prefix": "10.11.0.0/16"}]}
        cls.shape(config)
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.inet, "tr")
        cls.charon = strongswan.Charon(cls.gateway, "peer", [
            strongswan.Tunnel("t", "192.168.7.2", cls.ours, world.PSK, local_id="behind.nat.example",
                              local_ts="0.0.0.0/0", **{"ike": {"dpd_delay": "0s"}, **cls.peer})]).start()
        cls.gateway.ip("route add 10.1.0.0/16 dev ipsec0 src 10.11.0.1")
        cls.charon.initiate("t")
        cls.router.wait_up("dc1/1")

    @classmethod
    def shape(cls, config):
        """What else the startup file has."""

    @classmethod
    def masquerade(cls, ports):
        """A new range of ports for new mappings; those there are stay until they are flushed."""
        rules = process.log_path("nat.nft")
        with open(rules, "w") as out:
            out.write("table ip nat\ndelete table ip nat\ntable ip nat {\nchain post {\n"
                      "type nat hook postrouting priority srcnat;\n"
                      f'oifname "wan" ip protocol udp masquerade to :{ports}\n}}\n}}\n')
        cls.nat.run("nft", "-f", rules)

    def endpoint(self):
        return self.router.esp_sas("dc1/1")[0]["remote"]

    def new_mapping(self, low):
        """Packets of the peer come from another port from now on."""
        self.masquerade(f"{low}-{low + 9999}")
        self.nat.run("conntrack", "-F")


class Nat(BehindNat):
    """V2-22, ES-16, C-10."""

    def test_nat_is_found(self):
        sa = self.router.ike_sas("dc1/1")[0]
        self.assertTrue(sa["nat-there"], sa)
        address, port = self.endpoint().split(":")
        self.assertEqual(address, self.public)
        self.assertTrue(20000 <= int(port) <= 29999, port)
        self.assertEqual(self.vpc.ping("10.11.0.1"), 3)

    def test_new_mappings_are_followed(self):
        """C-10: the outage is no longer than it takes the next packet of the peer to come."""
        for low in (30000, 40000, 50000):
            before = self.endpoint()
            streams = [tools.Stream(self.gateway, self.vpc, pps=200, flows=4).start().wait_flowing(),
                       tools.Stream(self.vpc, self.gateway, pps=200, flows=4).start().wait_flowing()]
            self.new_mapping(low)
            wait.until(lambda: self.endpoint() != before, 5, "the new mapping is found", step=0.02)
            self.assertTrue(low <= int(self.endpoint().split(":")[1]) <= low + 9999, self.endpoint())
            to_us, to_peer = (stream.finish() for stream in streams)
            self.assertLessEqual(to_us.lost, 2, to_us)
            # What left for the old mapping: until the peer's next packet came, which waits when its processor is busy.
            self.assertLessEqual(to_peer.lost, 10 + 0.2 * to_us.gap_ms, (to_peer, to_us))
            self.assertEqual(len(self.router.esp_sas("dc1/1")), 1)
            self.assertEqual(self.vpc.ping("10.11.0.1"), 3)
        self.assertEqual(self.router.ike_sas("dc1/1")[0]["remote"], self.endpoint())

    def test_nobody_else_moves_it(self):
        """Packets with the right SPI from elsewhere, forged or repeated, move nothing."""
        before, sa = self.endpoint(), self.router.esp_sas("dc1/1")[0]
        seen = capture.Capture(self.inet, "tr", f"src host {self.public} and {capture.ESP}", name="esp").start()
        self.vpc.ping("10.11.0.1")
        wait.until(lambda: seen.count() >= 3, 3, "ESP of the peer")
        genuine = [bytes(p[UDP].payload) for p in seen.stop().packets()]
        injector = capture.Injector(self.inet, "tr")
        ether = Ether(src=self.inet.mac("tr"), dst=self.router.mac("wan0"), type=0x800)
        for payload in [*genuine, bytes.fromhex(sa["spi-in"]) + (10 ** 6).to_bytes(4, "big") + bytes(80)]:
            injector.send(ether / IP(src="198.51.100.66", dst=self.ours) / UDP(sport=4500, dport=4500, chksum=0) / payload)
            injector.send(ether / IP(src=self.public, dst=self.ours) / UDP(sport=999, dport=4500, chksum=0) / payload)
        self.assertEqual(self.vpc.ping("10.11.0.1"), 3)
        self.assertEqual(self.endpoint(), before)

    def test_rekeys_behind_it(self):
        for what in ("child", "ike"):
            self.router.ctl("tunnel", "rekey", "dc1/1", what)
            self.assertEqual(self.vpc.ping("10.11.0.1"), 3)


class Private(Lab):
    """A18: gateway-type private; the tunnel's outer packets use a VBR attachment and never the uplink."""

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        cls.gateway = net.Host("line1", "172.16.254.2/30", "172.16.254.1")
        cls.lan = site.VpcHosts(cls.router, "lan0", {100: cls.vpc, 300: cls.gateway})
        cls.gateway.ip("addr add 10.11.0.1/32 dev lo")
        config = world.config(dcs=())
        config["attachments"].pop("vpc-b")
        config["transit-router"]["cidr"] = ["172.16.255.0/28"]
        config["customer-gateways"] = {"far": {"address": "172.16.254.2"}}
        config["vpn-connections"]["dc1"] = {
            "mode": "single", "gateway-type": "private", "tunnels": [
                {"customer-gateway": "far", "via": "line1", "gateway-address": "172.16.255.1", "psk": world.PSK,
                 "apply-immediately": True, "dpd": {"interval": 1, "timeout": 3},
                 "ike": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"},
                 "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"}}]}
        config["attachments"]["dc1"] = {"kind": "vpn", "connection": "dc1", "routes": [{"prefix": "10.11.0.0/16"}]}
        config["attachments"]["line1"] = {"kind": "vbr", "port": "lan0", "vlan": 300, "address": "172.16.254.1/30"}
        cls.outside = capture.Capture(cls.inet, "tr", f"({capture.ESP}) or ({capture.IKE})", name="uplink").start()
        cls.watch(cls.inet, "tr")
        cls.watch(cls.gateway, "eth0")  # on the circuit, too, nothing in clear
        cls.charon = strongswan.Charon(cls.gateway, "line1", [
            strongswan.Tunnel("t", "172.16.254.2", "172.16.255.1", world.PSK, ike={"dpd_delay": "1s"})]).start()
        cls.gateway.ip("route add 10.1.0.0/16 dev ipsec0 src 10.11.0.1")
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.router.wait_up("dc1/1")

    def test_traffic_both_ways_over_the_circuit(self):
        circuit = capture.Capture(self.gateway, "eth0", capture.ESP, name="circuit").start()
        self.assertEqual(self.vpc.ping("10.11.0.1"), 3)
        self.assertEqual(self.gateway.ping(self.vpc, source="10.11.0.1"), 3)
        wait.until(lambda: circuit.count() >= 12, 3, "ESP on the circuit")
        circuit.stop()
        self.assertEqual(self.outside.count(), 0, "nothing of it on the uplink")

    def test_rekey_and_dpd(self):
        for what in ("child", "ike"):
            self.router.ctl("tunnel", "rekey", "dc1/1", what)
            self.assertEqual(self.vpc.ping("10.11.0.1"), 3)
        self.charon.kill()
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 8, "the dead peer is found")
        self.charon.start()
        self.gateway.ip("route replace 10.1.0.0/16 dev ipsec0 src 10.11.0.1")
        self.router.wait_up("dc1/1", timeout=30)
        self.assertEqual(self.vpc.ping("10.11.0.1"), 3)
        self.assertEqual(self.outside.count(), 0, "nothing of it on the uplink")


class _Split:
    """Two internets as one: the second gateway of a data center is attached to the second of them."""

    def __init__(self, *internets):
        self.internets = internets

    def attach(self, ns, *rest, **more):
        return self.internets[ns.name.endswith("-b")].attach(ns, *rest, **more)


class Zones(Lab):
    """A19: the tunnels of a connection take different zones; one of them gone, the other one carries on."""

    @classmethod
    def build(cls):
        cls.inet = [site.Internet("inet-a"), site.Internet("inet-b")]
        cls.router = transitd.Transitd("tr")
        for i, inet in enumerate(cls.inet):
            inet.attach(cls.router, None, 24, ("203.0.113.1", "198.51.100.1")[i], ifname=f"wan{i}")
            cls.watch(inet, "tr")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {100: cls.vpc})
        cls.dc = site.DataCenter(_Split(*cls.inet), 1)
        config = world.config(dcs=(1,))
        config["attachments"].pop("vpc-b")
        config["ports"]["wan0"]["zone"] = "a"
        config["ports"]["wan1"] = {"device": "af_packet:wan1", "address": "198.51.100.10/24",
                                   "gateway": "198.51.100.1", "zone": "b"}
        config["vpn-connections"]["dc1"]["tunnels"][1]["gateway-address"] = "198.51.100.33"
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.dc.connect((world.GATEWAYS[1][0], "198.51.100.33"), world.PSK)
        cls.router.wait_up(timeout=30)
        cls.dc.wait_up(30)

    def test_each_tunnel_takes_its_own(self):
        wires = [capture.Capture(inet, "tr", capture.ESP, name=f"zone{i}").start() for i, inet in enumerate(self.inet)]
        verdict = tools.Stream(self.vpc, self.dc.host, pps=500, count=500, flows=32).run()
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        for wire, peer in zip(wires, ("192.0.2.10", "192.0.2.14")):
            wait.until(lambda w=wire: w.count() > 50, 5, "both zones carry")
            self.assertEqual({p[IP].dst for p in wire.stop().packets()} - {"203.0.113.33", "198.51.100.33"}, {peer})

    def test_one_zone_is_lost(self):
        self.inet[1].ip("link set dev tr down")
        wait.until(lambda: self.router.tunnel("dc1/2")["state"] != "up", 10, "dc1/2 is found dead")
        self.dc.gateways[1].wait_down()
        verdict = tools.Stream(self.vpc, self.dc.host, pps=500, count=500, flows=32).run()
        self.assertEqual(verdict.lost, 0, verdict)
        self.inet[1].ip("link set dev tr up")
        self.router.wait_up(timeout=70)
