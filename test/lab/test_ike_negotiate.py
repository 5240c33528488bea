# SPDX-License-Identifier: BSD-3-Clause
"""IKEv2 negotiations that must fail, each with its code (T27), and suites that must not."""

import os
import random
import string

from rig import capture, net, site, strongswan, tools, transitd, wait, world
from rig.case import Lab

OURS, PEER = world.GATEWAYS[1][0], "192.0.2.10"
CIPHERS, AEADS = ["aes128", "aes192", "aes256", "des", "3des"], ["aes128gcm16", "aes256gcm16", "chacha20poly1305"]
HASHES = ["md5", "sha1", "sha256", "sha384", "sha512"]
GROUPS = {"group1": "modp768", "group2": "modp1024", "group5": "modp1536", "group14": "modp2048", "group15": "modp3072",
          "group16": "modp4096", "group19": "ecp256", "group20": "ecp384", "group21": "ecp521", "group31": "curve25519"}
GOOD = {"proposals": "aes256-sha256-modp2048", "esp": "aes128gcm16-modp2048"}


class Mismatch(Lab):
    """One tunnel; each test gives its peer a wrong setting, tries from both ends, and then the right one."""

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        config = world.config(dcs=(1,))
        del config["ports"]["lan0"], config["attachments"]["vpc-a"], config["attachments"]["vpc-b"]
        config["vpn-connections"]["dc1"] = {"mode": "single", "tunnels": [
            world.tunnel(1, 0, **{"apply-immediately": False})]}
        cls.gateway = site.Gateway("dc1-a", PEER)
        cls.inet.attach(cls.gateway, PEER, 30, "192.0.2.9")
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.charon = strongswan.Charon(cls.gateway, "dc1-a", [cls.peer()], retransmit=(0.5, 1.0, 3)).start()

    @staticmethod
    def peer(**wrong):
        settings = {"psk": world.PSK, **GOOD, **wrong}
        return strongswan.Tunnel("t", PEER, OURS, settings.pop("psk"), **settings)

    def setUp(self):
        self.router.ctl("tunnel", "down", "dc1/1")
        self.charon.terminate("t", check=False)
        self.charon.tunnels = [self.peer()]
        self.charon.load()
        wait.until(lambda: not self.charon.sas() and not self.router.ike_sas("dc1/1"), 10, "no SA is left")

    def fails(self, as_responder, as_initiator, **wrong):
        """Both ends start in turn; our side names the error; the right setting then works."""
        self.charon.tunnels = [self.peer(**wrong)]
        self.charon.load()
        self.assertNotEqual(self.charon.initiate("t", timeout=5, check=False).returncode, 0)
        if as_responder:
            self.assertEqual(self.router.wait_error("dc1/1"), as_responder)
        self.charon.terminate("t", check=False)
        self.router.ctl("tunnel", "up", "dc1/1")
        wait.until(lambda: self.router.tunnel("dc1/1")["error"] == as_initiator, 20,
                   f"error {as_initiator} as initiator")
        self.assertNotEqual(self.router.tunnel("dc1/1")["state"], "up")
        self.assertEqual(self.router.esp_sas("dc1/1"), [])
        self.charon.tunnels = [self.peer()]
        self.charon.load()
        self.router.ctl("tunnel", "up", "dc1/1")
        self.router.wait_up("dc1/1", timeout=40)
        self.assertIsNone(self.router.tunnel("dc1/1")["error"])

    def test_psk(self):
        self.fails("PskMismatch", "AuthenticationFailed", psk="not-the-same-key")

    def test_peer_id(self):
        self.fails("PeerIdMismatch", "PeerIdMismatch", local_id="impostor.example")

    def test_our_id(self):
        self.fails(None, "AuthenticationFailed", remote_id="somebody.else.example")

    def test_ike_encryption(self):
        self.fails("EncryptionAlgorithmMismatch", "ProposalMismatch", proposals="aes128-sha256-modp2048")

    def test_ike_integrity(self):
        self.fails("AuthenticationAlgorithmMismatch", "ProposalMismatch", proposals="aes256-sha1-modp2048")

    def test_ike_dh_group(self):
        self.fails("DhGroupMismatch", "ProposalMismatch", proposals="aes256-sha256-modp1536")

    def test_esp_encryption(self):
        self.fails("EncryptionAlgorithmMismatch", "ProposalMismatch", esp="aes256-sha256-modp2048")

    def test_traffic_selectors(self):
        self.fails("TrafficSelectorMismatch", "TrafficSelectorMismatch", local_ts="2001:db8:1::/48",
                   remote_ts="2001:db8:2::/48")

    def test_ike_version(self):
        self.fails("IkeVersionMismatch", "ProposalMismatch", version=1)  # all that the peer's answer says

    def test_no_answer(self):
        self.inet.cut(self.gateway)
        self.router.ctl("tunnel", "up", "dc1/1")
        wait.until(lambda: self.router.tunnel("dc1/1")["error"] == "NoResponse", 90, "NoResponse")
        self.inet.mend(self.gateway)
        self.router.wait_up("dc1/1", timeout=70)

    def test_errors_do_not_name_the_key(self):
        """C-35."""
        for text in (self.router.process.output(), self.router.text("show", "tunnels")):
            self.assertNotIn(world.PSK, text)
            self.assertNotIn("not-the-same-key", text)


# name: (ike and ipsec of the startup file, proposals and esp of swanctl)
SUITES = {
    "gcm": ({"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"},
            {"encryption": "aes256gcm16", "dh-group": "group14"},
            "aes256-sha256-modp2048", "aes256gcm16-modp2048"),
    "cbc1": ({"encryption": "aes128", "authentication": "sha1", "dh-group": "group2"},
             {"encryption": "aes128", "authentication": "sha1", "dh-group": "group2"},
             "aes128-sha1-modp1024", "aes128-sha1-modp1024"),
    "cbc256": ({"encryption": "aes192", "authentication": "sha384", "dh-group": "group15"},
               {"encryption": "aes256", "authentication": "sha256", "dh-group": "disabled"},
               "aes192-sha384-modp3072", "aes256-sha256"),
    "cbc512": ({"encryption": "aes256", "authentication": "sha512", "dh-group": "group19"},
               {"encryption": "aes192", "authentication": "sha512", "dh-group": "group19"},
               "aes256-sha512-ecp256", "aes192-sha512-ecp256"),
    "cbc384": ({"encryption": "aes256", "authentication": "sha256", "dh-group": "group20"},
               {"encryption": "aes256", "authentication": "sha384", "dh-group": "group21"},
               "aes256-sha256-ecp384", "aes256-sha384-ecp521"),
    "old": ({"encryption": "3des", "authentication": "md5", "dh-group": "group5"},
            {"encryption": "3des", "authentication": "md5", "dh-group": "group5"},
            "3des-md5-modp1536", "3des-md5-modp1536"),
    "chacha": ({"encryption": "chacha20poly1305", "authentication": "sha256", "dh-group": "group31"},
               {"encryption": "chacha20poly1305", "dh-group": "group31"},
               "chacha20poly1305-prfsha256-x25519", "chacha20poly1305-x25519"),
    "gcm-ike": ({"encryption": "aes128gcm16", "authentication": "sha512", "dh-group": "group16"},
                {"encryption": "aes128gcm16", "dh-group": "group16"},
                "aes128gcm16-prfsha512-modp4096", "aes128gcm16-modp4096"),
}


class Cells(Lab):
    """One peer, one tunnel for each cell, each to a network and with an FQDN of its own."""

    cells = {}  # {name: (ike, ipsec, strongSwan's proposals, its ESP suite)}
    version = 2

    @classmethod
    def psks(cls, name):
        """The key as we have it, and as the peer has it."""
        return f"key-of-{name}", f"key-of-{name}"

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.router = transitd.Transitd("tr")
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {100: cls.vpc})
        cls.gateway = site.Gateway("peer", PEER)
        cls.inet.attach(cls.gateway, PEER, 30, "192.0.2.9")
        config = world.config(dcs=())
        config["transit-router"]["cidr"] = ["203.0.113.32/27"]
        config["attachments"].pop("vpc-b")
        config["customer-gateways"] = {"peer": {"address": PEER}}
        cls.network, tunnels = {}, []
        for i, (name, (ike, ipsec, proposals, suite)) in enumerate(cls.cells.items()):
            cls.network[name] = f"10.{50 + i}.0.0/16"
            ours = f"203.0.113.{33 + i}"
            here, there = cls.psks(name)
            config["vpn-connections"][name] = {
                "mode": "single", "routing-mode": "flow-protection", "local-cidrs": ["10.1.0.0/16"],
                "peer-cidrs": [cls.network[name]],
                "tunnels": [{"customer-gateway": "peer", "gateway-address": ours, "psk": here,
                             "apply-immediately": True, "ipsec": ipsec,
                             "ike": {"version": f"ikev{cls.version}", **ike, "local-id": f"{name}.hub.example",
                                     "remote-id": f"{name}.peer.example"}}]}
            config["attachments"][name] = {"kind": "vpn", "connection": name}
            cls.gateway.ip(f"addr replace 10.{50 + i}.0.1/32 dev lo")
            tunnels.append(strongswan.Tunnel(name, PEER, ours, there, f"{name}.peer.example",
                                             f"{name}.hub.example", version=cls.version, proposals=proposals, esp=suite,
                                             local_ts=cls.network[name], remote_ts="10.1.0.0/16",
                                             ike={"aggressive": "yes"} if ike.get("mode") == "aggressive" else {}))
        cls.charon = strongswan.Charon(cls.gateway, "peer", tunnels).start()
        cls.gateway.ip("route add 10.1.0.0/16 dev ipsec0")
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.inet, "tr")

    def carries(self, name):
        address = self.network[name].replace(".0.0/16", ".0.1")
        self.assertEqual(self.vpc.ping(address, size=700), 3, name)
        self.assertEqual(self.vpc.ping(address, size=1300), 3, name)

    def rekeys(self, name, kinds=("child", "ike")):
        tunnel = f"{name}/1"
        for what in kinds:
            before = {sa["spi-in"] for sa in self.router.esp_sas(tunnel) + self.router.ike_sas(tunnel)}
            self.router.ctl("tunnel", "rekey", tunnel, what)
            wait.until(lambda: {sa["spi-in"] for sa in self.router.esp_sas(tunnel)
                                + self.router.ike_sas(tunnel)} - before, 10, f"a new {what} SA of {name}")
            self.carries(name)


class SuitesOf(Cells):
    """T15 to T18: a test for each suite, see add_suite_tests()."""

    @classmethod
    def build(cls):
        super().build()
        cls.router.wait_up(timeout=40)


class Suites(SuitesOf):
    """Suites that peers in the field have."""

    cells = SUITES


def add_suite_tests(cls):
    for name in cls.cells:
        def test(self, name=name):
            self.carries(name)
            self.rekeys(name)
        setattr(cls, "test_" + name.replace("-", "_"), test)


add_suite_tests(Suites)


class Sweep(Cells):
    """T15 to T18: both phases drawn from the whole tables. TRANSITD_TEST_SEED replays a draw, or makes another one."""

    seed = int(os.environ.get("TRANSITD_TEST_SEED", "1"))
    count = 12

    @classmethod
    def draw(cls, dice):
        """A cell in transitd's words and in strongSwan's."""
        encryption, hashed = dice.choice(CIPHERS + AEADS), dice.choice(HASHES)
        group, pfs = dice.choice(list(GROUPS)), dice.choice([*GROUPS, None])
        cipher = dice.choice(CIPHERS + AEADS)
        integrity = None if cipher in AEADS else dice.choice(HASHES)
        prf = f"prf{hashed}" if encryption in AEADS else hashed
        esp = {"encryption": cipher, "dh-group": pfs or "disabled"}
        if integrity:
            esp["authentication"] = integrity
        return ({"encryption": encryption, "authentication": hashed, "dh-group": group}, esp,
                f"{encryption}-{prf}-{GROUPS[group]}",
                "-".join(word for word in (cipher, integrity, GROUPS.get(pfs)) if word))

    @classmethod
    def build(cls):
        dice = random.Random(cls.seed)
        cls.cells = {f"cell{i}": cls.draw(dice) for i in range(cls.count)}
        super().build()

    def test_every_cell_carries_and_rekeys(self):
        self.note(f"seed {self.seed}: " + ", ".join(f"{cell[2]}/{cell[3]}" for cell in self.cells.values()))
        for name in self.cells:
            self.router.wait_up(f"{name}/1", timeout=40)
            self.carries(name)
            self.rekeys(name)


def _add_sweeps():
    """--full: 20 more draws of 24 cells."""
    for seed in range(2, 22):
        name = f"Sweep{seed}"
        globals()[name] = type(name, (Sweep,), {"seed": seed, "count": 24, "timeout": 300, "__module__": __name__})


if tools.full():
    _add_sweeps()


class PskLengths(Cells):
    """V2-08, T12: keys shorter and longer than the block of the PRF's hash, and two that differ at the very end."""

    cells = {f"{hashed}n{length}": (
        {"encryption": "aes128", "authentication": hashed, "dh-group": "group31"},
        {"encryption": "aes128gcm16", "dh-group": "disabled"}, f"aes128-{hashed}-x25519", "aes128gcm16")
        for hashed in ("md5", "sha1", "sha256", "sha512") for length in (1, 20, 63, 64, 65, 100)}
    WRONG = "sha1n100"  # the peer's differs in its last character

    @classmethod
    def psks(cls, name):
        length = int(name.rsplit("n", 1)[1])
        key = "".join(random.Random(name).choices(string.ascii_letters + string.digits, k=length))
        return key, key[:-1] + ("a" if key[-1] != "a" else "b") if name == cls.WRONG else key

    def test_lengths(self):
        right = [f"{name}/1" for name in self.cells if name != self.WRONG]
        self.router.wait_up(*right, timeout=40)
        self.carries("sha256n100")
        wrong = f"{self.WRONG}/1"
        wait.until(lambda: self.router.tunnel(wrong)["error"] == "AuthenticationFailed", 20, "the wrong key is noticed")
        self.assertNotEqual(self.router.tunnel(wrong)["state"], "up")


class AnyAddress(Lab):
    """A21: the peer has no known address, starts itself, and is found by its FQDN."""

    ike, peer = {}, {}  # more of the startup file's `ike`; of strongSwan's tunnels

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        for letter in "ab":
            config["customer-gateways"][f"dc1-{letter}"]["address"] = "0.0.0.0"
        for i, tunnel in enumerate(config["vpn-connections"]["dc1"]["tunnels"]):
            tunnel["ike"].update({"remote-id": f"gw{i + 1}.dc1.example", **cls.ike})
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(**cls.peer)
        for i, charon in enumerate(cls.world.dc[1].charons()):
            charon.tunnels[0].local_id = f"gw{i + 1}.dc1.example"
            charon.load()

    def test_peer_starts_and_is_found_by_its_id(self):
        self.assertNotIn("up", [t["state"] for t in self.router.ctl("show", "tunnels")])
        for charon in self.world.dc[1].charons():
            charon.initiate(charon.tunnels[0].name)
        self.world.wait_up()
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[1].host), 3)

    def test_unknown_id_is_refused(self):
        charon = self.world.dc[1].charons()[0]
        charon.terminate(charon.tunnels[0].name)
        charon.tunnels[0].local_id = "nobody.example"
        charon.load()
        done = charon.initiate(charon.tunnels[0].name, timeout=5, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.router.ike_sas("dc1/1"), [])


class OnDemand(Lab):
    """T11: `apply-immediately: no` negotiates on the first packet that needs the tunnel."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["apply-immediately"] = False
        cls.world.connect()
        cls.ike = capture.Capture(cls.world.inet, "tr", capture.IKE, name="ike").start()
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")

    def test_first_packet_brings_it_up(self):
        self.assertEqual(self.ike.count(), 0, "idle: no IKE message")
        stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[1].host, pps=20, flows=1).start()
        wait.until(lambda: "up" in [t["state"] for t in self.router.ctl("show", "tunnels")], 10, "a tunnel is up")
        verdict = stream.finish()
        self.assertGreater(verdict.received, 0)
        self.assertLessEqual(verdict.lost, 1, f"what waits for the tunnel is held: {verdict}")
