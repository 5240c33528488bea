# SPDX-License-Identifier: BSD-3-Clause
"""IKEv1 behind a NAT, with names, from unknown addresses, for several pairs of selectors, and between transitds."""

import test_ike_live as live
import test_ike_negotiate as negotiate
import test_ike_path as path

from rig import net, site, strongswan, tools, transitd, wait, world
from rig.case import Lab


class NatMain(path.Nat):
    """V1-08: RFC 3947; the key goes by the address of the NAT, the peer by its FQDN."""

    ike = {"version": "ikev1"}
    peer = {"version": 1, "ike": {"dpd_delay": "0s"}}


class AnyAddressAggressive(negotiate.AnyAddress):
    """The FQDN stands in the first message and chooses the key."""

    ike = {"version": "ikev1", "mode": "aggressive"}
    peer = {"version": 1, "ike": {"aggressive": "yes", "dpd_delay": "1s"}}


class AnyAddressMain(negotiate.AnyAddress):
    """The key must be known before the identity is: the proof tells which one it was."""

    ike = {"version": "ikev1"}
    peer = {"version": 1, "ike": {"dpd_delay": "1s"}}


class FlowProtection(Lab):
    """T9: two networks on either side make four pairs of selectors, each with a quick mode and SAs of its own."""

    ours, peer = world.GATEWAYS[1][0], "192.0.2.10"
    local, remote = ("10.1.0.0/16", "10.2.0.0/16"), ("10.11.0.0/16", "10.12.0.0/16")

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = [net.Host(f"vpc-{n}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254") for i, n in enumerate("ab")]
        site.VpcHosts(cls.router, "lan0", {100: cls.vpc[0], 200: cls.vpc[1]})
        cls.gateway = site.Gateway("peer", cls.peer)
        cls.inet.attach(cls.gateway, cls.peer, 30, "192.0.2.9")
        config = world.config(dcs=())
        config["customer-gateways"] = {"peer": {"address": cls.peer}}
        config["vpn-connections"]["dc1"] = {
            "mode": "single", "routing-mode": "flow-protection", "local-cidrs": cls.local, "peer-cidrs": cls.remote,
            "tunnels": [{"customer-gateway": "peer", "gateway-address": cls.ours, "psk": world.PSK,
                         "apply-immediately": True, "dpd": {"interval": 1, "timeout": 3},
                         "ike": {"version": "ikev1", "local-id": "hub.example", "remote-id": "peer.example"},
                         "ipsec": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"}}]}
        config["attachments"]["dc1"] = {"kind": "vpn", "connection": "dc1"}
        config["attachments"]["vpc-b"] = {"kind": "vpc", "port": "lan0", "vlan": 200, "address": "10.2.255.254/16"}
        config["route-tables"] = {"default": {}}
        for network in cls.remote:
            cls.gateway.ip("addr add", network.replace(".0.0/16", ".0.1/32"), "dev lo")
        cls.charon = strongswan.Charon(cls.gateway, "peer", [strongswan.Tunnel(
            "t", cls.peer, cls.ours, world.PSK, "peer.example", "hub.example", version=1,
            proposals="aes128-sha1-modp1024", esp="aes256-sha256-modp2048", local_ts=",".join(cls.remote),
            remote_ts=",".join(cls.local), ike={"dpd_delay": "1s"})]).start()
        for network in cls.local:
            cls.gateway.ip("route add", network, "dev ipsec0")
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.inet, "tr")
        cls.all_up()

    @classmethod
    def all_up(cls):
        wait.until(lambda: len(cls.router.esp_sas("dc1/1")) == 4, 20, "four Child SAs", step=0.1)

    def carries(self):
        for vpc in self.vpc:
            for network in self.remote:
                self.assertEqual(vpc.ping(network.replace(".0.0/16", ".0.1")), 3, (vpc.name, network))

    def test_each_pair_has_its_own(self):
        self.carries()
        for sa in self.router.esp_sas("dc1/1"):
            self.assertGreaterEqual(sa["packets-out"], 3, sa)
            self.assertGreaterEqual(sa["packets-in"], 3, sa)
        self.assertEqual(len(self.charon.children()), 4)

    def test_all_are_replaced(self):
        before = {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")}
        self.router.ctl("tunnel", "rekey", "dc1/1")

        def replaced():
            now = {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")}
            return len(now) == 4 and not now & before
        wait.until(replaced, 20, "four other Child SAs", step=0.1)
        self.carries()

    def test_they_outlive_their_ike_sa(self):
        before = {sa["spi-in"] for sa in self.router.ike_sas("dc1/1")}
        self.router.ctl("tunnel", "rekey", "dc1/1", "ike")
        wait.until(lambda: {sa["spi-in"] for sa in self.router.ike_sas("dc1/1")} - before, 20, "another IKE SA")
        self.carries()
        self.all_up()


if tools.full():
    class PairMain(live.Pair):
        """transitd on both ends."""

        rounds = 10
        ike = {"version": "ikev1"}
        ipsec = {"encryption": "aes128gcm16", "dh-group": "group14"}

        def settled(self, tunnel):
            """The latest pair is the same on both ends. After three quick modes at once each end leaves one of them to
            the other to delete: it goes after a minute, and is of no harm until then."""
            def same():
                one, other = (min(end.esp_sas(tunnel), key=lambda sa: sa["age-seconds"]) for end in self.ends)
                return one["spi-in"] == other["spi-out"]
            wait.until(same, 10, f"the latest pair of SAs for {tunnel} is the same")

        def test_rekey_under_load_from_both_ends(self):
            super().test_rekey_under_load_from_both_ends()
            for tunnel in ("site/1", "site/2"):
                wait.until(lambda t=tunnel: all(len(end.esp_sas(t)) == 1 for end in self.ends), 90,
                           f"one pair of SAs is left for {tunnel}")

    class KilobyteLifetime(Lab):
        """RFC 2407 4.5: the peer keeps an SA for so many kilobytes; it is replaced before they are used up."""

        release = True
        kilobytes = 6000

        @classmethod
        def build(cls):
            cls.world = world.World(dcs=(1,))
            config = world.config(dcs=(1,))
            for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
                tunnel["ike"]["version"] = "ikev1"
                tunnel["apply-immediately"] = False
            config["vpn-connections"]["dc1"]["ha"] = "active-standby"
            cls.router = cls.world.router.start(config)
            cls.routers.append(cls.router)
            cls.watch(cls.world.inet, "tr")
            cls.world.connect(active_standby=True, version=1, ike={"dpd_delay": "1s"},
                              child={"life_bytes": cls.kilobytes * 1024, "rekey_bytes": 0, "rand_bytes": 0})
            for charon in cls.world.dc[1].charons():
                charon.initiate(charon.tunnels[0].name)
            cls.world.wait_up()

        def test_it_is_replaced_in_time(self):
            before = {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")}
            vpc, dc = self.world.vpc["vpc-a"], self.world.dc[1].host
            streams = [tools.Stream(*pair, pps=400, flows=16, size=1000).start() for pair in ((vpc, dc), (dc, vpc))]
            wait.until(lambda: self.router.tunnel("dc1/1")["rekeys"] > 0, 60, "the router replaces the SA")
            wait.until(lambda: not {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")} & before, 10, "the old one is gone")
            for stream in streams:
                verdict = stream.finish()
                self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
