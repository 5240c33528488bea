# SPDX-License-Identifier: BSD-3-Clause
"""peer-config proven by peers that load it (O5), and what diagnose finds in connections that are broken (O3, A22)."""

from rig import process, strongswan, tools, wait, world
from rig.case import Lab


class GeneratedCharon(strongswan.Charon):
    """A charon that loads swanctl.conf as transitctl printed it."""

    def __init__(self, ns, name, text):
        super().__init__(ns, name, [])
        self.text = text

    def load(self):
        conf = process.log_path(f"{self.name}.generated.conf")
        with open(conf, "w") as out:
            out.write(self.text)
        loaded = self.swanctl("--load-all", "--noprompt", "--file", conf)
        assert "failed" not in str(loaded), loaded


class Generated(Lab):
    """Both gateways of a data center run what `peer-config` says; nothing is written by hand."""

    change = {}  # of the connection
    local_ts, remote_ts = "0.0.0.0/0", "0.0.0.0/0"

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        cls.configure(config)
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.host = cls.world.hosts()
        cls.boot()

    @classmethod
    def configure(cls, config):
        config["vpn-connections"]["dc1"].update(cls.change)

    @classmethod
    def boot(cls):
        for i, gateway in enumerate(cls.world.dc[1].gateways):
            text = cls.router.ctl("peer-config", f"dc1/{i + 1}", "--format", "swanctl", "--with-secrets")
            gateway.charon = GeneratedCharon(gateway, gateway.name, text)
            gateway.charon.start()
            gateway.ip(f"route replace 10.11.0.0/16 via 10.11.{i + 1}.2")
        cls.world.dc[1].route()
        cls.router.wait_up()
        for gateway in cls.world.dc[1].gateways:
            wait.until(gateway.charon.children, 10, f"{gateway.name} has its Child SA")
            gateway.ip("route replace 10.0.0.0/8 dev ipsec0")

    def test_it_negotiates_and_carries(self):
        for one, other in (("vpc-a", "dc1"), ("dc1", "vpc-a")):
            self.assertEqual(self.host[one].ping(self.host[other]), 3)
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=1000, flows=16).run()
        self.assertEqual(verdict.lost, 0, verdict)
        for i in (1, 2):
            sa = self.router.esp_sas(f"dc1/{i}")[0]
            self.assertEqual(sa["local-selectors"], [self.remote_ts])
            self.assertEqual(sa["remote-selectors"], [self.local_ts])

    def test_the_peer_may_begin(self):
        charon = self.world.dc[1].gateways[0].charon
        self.router.ctl("tunnel", "down", "dc1/1")
        wait.until(lambda: not charon.children(), 10, "the tunnel is closed")
        charon.initiate("dc1-1")
        self.router.wait_state("up", "dc1/1")


class GeneratedFlowProtection(Generated):
    change = {"routing-mode": "flow-protection", "local-cidrs": ["10.1.0.0/16"], "peer-cidrs": ["10.11.0.0/16"]}
    local_ts, remote_ts = "10.11.0.0/16", "10.1.0.0/16"


class GeneratedLists(Generated):
    """Several algorithms, identities that are names, a generated key, AEAD in phase 1, no PFS."""

    @classmethod
    def configure(cls, config):
        first, second = config["vpn-connections"]["dc1"]["tunnels"]
        first["ike"] = {"encryption": ["aes256", "aes128"], "authentication": ["sha256", "sha512"],
                        "dh-group": ["group19", "group14"], "local-id": "tr.example.net",
                        "remote-id": "a@dc1.example.net"}
        first["ipsec"] = {"encryption": ["aes256", "aes128gcm16"], "authentication": ["sha256", "sha1"],
                          "dh-group": "disabled"}
        first.pop("psk")
        second["ike"] = {"encryption": "aes256gcm16", "authentication": "sha384", "dh-group": "group20"}
        second["ipsec"] = {"encryption": "aes256gcm16", "dh-group": "group31"}
        second["psk"] = "p\"s\\k#{}=1"


class GeneratedV1(Generated):
    """IKEv1 in main and in aggressive mode."""

    @classmethod
    def configure(cls, config):
        first, second = config["vpn-connections"]["dc1"]["tunnels"]
        for tunnel, mode in ((first, "main"), (second, "aggressive")):
            tunnel["ike"] = {"version": "ikev1", "mode": mode, "encryption": "aes256", "authentication": "sha256",
                             "dh-group": "group14"}
            tunnel["ipsec"] = {"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"}


class Diagnosed(Lab):
    """Two data centers: dc1 with peers that run, dc2 with none; dc3 lacks what makes routes."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["customer-gateways"]["nobody"] = {"address": "192.0.2.200"}
        config["route-tables"]["lonely"] = {}
        for name in ("dc2", "dc3"):
            config["vpn-connections"][name] = {
                "mode": "single", "tunnels": [{"customer-gateway": "nobody", "psk": "x" * 20,
                                               "apply-immediately": name == "dc2"}]}
        config["vpn-connections"]["dc4"] = {
            "tunnels": [{"customer-gateway": "nobody", "psk": "x" * 20}, {"customer-gateway": "nobody", "psk": "y" * 20}]}
        config["attachments"]["dc2"] = {"kind": "vpn", "connection": "dc2", "associate": "lonely",
                                        "propagate": ["lonely"], "routes": [{"prefix": "10.12.0.0/16"}]}
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.world.connect()
        cls.router.wait_up("dc1/1", "dc1/2")
        cls.host = cls.world.hosts()

    def codes(self, *words):
        return {row["code"]: row for row in self.router.ctl("diagnose", *words)}

    def test_a_sound_connection(self):
        found = self.router.ctl("diagnose", "dc1")
        self.assertLessEqual({row["severity"] for row in found}, {"ok", "info"}, found)
        self.assertEqual({row["code"] for row in found}, {"TunnelUp", "Mtu", "RoutesComplete", "RedundancyMet", "RoutesRefused"})

    def test_a_single_point_of_failure(self):
        """O8: both tunnels end at one customer gateway."""
        found = self.codes("dc4")["SinglePointOfFailure"]
        self.assertEqual((found["severity"], found["name"]), ("warning", "dc4"))
        self.assertIn("nobody", found["finding"])

    def test_no_peer_and_no_routes(self):
        """A22: it names the sides that are missing."""
        wait.until(lambda: "NoResponse" in self.codes("dc2"), 60, "the peer is found silent", step=0.5)
        found = self.codes("dc2")
        self.assertIn("MissingSideNetworks", found)
        self.assertIn("MissingSideTransitRouter", found)
        self.assertIn("RedundancyNotMet", found)
        self.assertEqual(found["TunnelDown"]["severity"], "error")
        self.assertTrue(all(row["suggestion"] for row in found.values() if row["severity"] != "ok"), found)

    def test_not_attached(self):
        self.assertIn("NotAttached", self.codes("dc3"))

    def test_a_data_center_without_a_way_back(self):
        for gateway in self.world.dc[1].gateways:
            gateway.ip("route replace unreachable 10.0.0.0/8")
        for i in range(2):
            self.host["dc1"].sysctl("net.ipv4.icmp_echo_ignore_all", 1)
        tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1000, count=1000, flows=32).run()
        self.assertIn("MissingSideDataCenter", self.codes("dc1"))

    def test_all_and_text(self):
        names = {row["connection"] for row in self.router.ctl("diagnose", "--all")}
        self.assertEqual(names, {"dc1", "dc2", "dc3", "dc4"})
        self.assertIn("suggestion", self.router.text("diagnose", "dc2"))

    def test_secrets_only_on_request(self):
        for form in ("swanctl", "ipsec.conf", "text"):
            self.assertNotIn(world.PSK, self.router.ctl("peer-config", "dc1", "--format", form))
            self.assertIn(world.PSK, self.router.ctl("peer-config", "dc1", "--format", form, "--with-secrets"))


class Metered(Lab):
    """M1: what each attachment carried, to the byte, over rekeys."""

    release = True

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["system"] = {"metrics": {}}
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.world.connect()
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def rows(self):
        return {row["name"]: row for row in self.router.ctl("show", "metering")}

    def test_bytes_of_both_sides_add_up(self):
        before = self.rows()
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, flows=16, size=400).start()
        stream.wait_flowing()
        for i in (1, 2):
            spi = self.router.esp_sas(f"dc1/{i}")[0]["spi-in"]
            self.router.ctl("tunnel", "rekey", f"dc1/{i}")
            wait.until(lambda: [sa["spi-in"] for sa in self.router.esp_sas(f"dc1/{i}")] not in ([spi], []), 10,
                       "new keys are in use")
        verdict = stream.finish()
        self.assertEqual(verdict.lost, 0, verdict)

        def gained(name, key):
            return self.rows()[name][key] - before[name][key]
        packets = verdict.sent
        payload = packets * (400 + 28)
        wait.until(lambda: gained("dc1", "sent-packets") == packets, 3, "all packets are metered")
        self.assertEqual(gained("dc1", "sent-bytes"), payload)
        # what the VPC sent, and its ARP
        self.assertIn(gained("vpc-a", "received-packets") - packets, range(4))
        # GCM in UDP in IPv4: 20 + 8 + 8 + 8 + 16, and the trailer: 428 + 2 is padded to 432
        encrypted = packets * (432 + 20 + 8 + 8 + 8 + 16)
        wait.until(lambda: gained("dc1", "encrypted-sent-bytes") >= encrypted, 5, "gone SAs are counted")
        self.assertEqual(gained("dc1", "encrypted-sent-bytes"), encrypted)
        scraped, row = self.router.run("curl", "-sS", "-m", 5, "http://127.0.0.1:9469/metrics"), self.rows()["dc1"]
        for metric, key in (("sent_bytes", "sent-bytes"), ("sent_packets", "sent-packets"),
                            ("sent_encrypted_bytes", "encrypted-sent-bytes")):
            self.assertIn(f'transitd_metered_{metric}_total{{attachment="dc1",kind="vpn",path="public"}} {row[key]}\n',
                          scraped)

    def test_kind_and_path(self):
        row = self.rows()["dc1"]
        self.assertEqual((row["kind"], row["path"]), ("vpn", "public"))
        self.assertEqual(self.rows()["vpc-a"]["path"], "private")
        self.assertGreater(row["hours"], 0)
