# SPDX-License-Identifier: BSD-3-Clause
"""peer-config with BGP and BFD, proven by gateways that load it: swanctl with BIRD, swanctl with FRR (O5)."""

import re

import test_model_peers as peers
from rig import bird, frr, process, tools, wait, world
from rig.case import Lab

CIDR = "169.254.11.{}"  # the router's are .1 and .5
PASSWORD = "Bgp-7pass"


class LoadedBird(bird.Bird):
    """A BIRD that loads bird.conf as transitctl printed it, and nothing else."""

    def __init__(self, ns, name, text):
        super().__init__(ns, name, "0.0.0.1", "")
        with open(self.config_file, "w") as out:
            out.write(text)

    def learned(self):
        return set(re.findall(r"^(\d\S+/\d+)", self.ask("show", "route", "where", "source", "=", "RTS_BGP"), re.M))


class BirdPeers(Lab):
    """BIRD on two gateways: IPsec, addresses, BGP and BFD are as printed. Only the data center's network is of the test."""

    speaker, form = LoadedBird, "bird"
    bgp = {"password": PASSWORD, "graceful-restart": True}

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,), relay_seed=7)
        cls.router = cls.world.router.start(cls.configuration())
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.host = cls.world.hosts()
        cls.speakers = []
        for i, gateway in enumerate(cls.world.dc[1].gateways):
            cls.boot(i, gateway)
        cls.world.dc[1].route()
        cls.router.wait_up()
        for i, gateway in enumerate(cls.world.dc[1].gateways):
            wait.until(gateway.charon.children, 20, f"{gateway.name} has its Child SA")
            cls.speak(i, gateway)
        cls.wait_sessions()

    @classmethod
    def configuration(cls):
        config = world.config(dcs=(1,))
        config["transit-router"]["router-id"] = world.OUTER
        del config["attachments"]["dc1"]["routes"]
        for i, tunnel in enumerate(config["vpn-connections"]["dc1"]["tunnels"]):
            config["customer-gateways"][f"dc1-{'ab'[i]}"]["asn"] = 65010 + i
            tunnel["bgp"] = {"cidr": CIDR.format(4 * i) + "/30", "local-ip": CIDR.format(4 * i + 1), **cls.bgp}
            tunnel["bfd"] = {"transmit-interval": 200, "receive-interval": 200, "multiplier": 5}
        return config

    @classmethod
    def printed(cls, i, form):
        return cls.router.ctl("peer-config", f"dc1/{i + 1}", "--format", form, "--with-secrets")

    @classmethod
    def boot(cls, i, gateway):
        # the host's network is connected: it is found there under its own address, by ARP
        gateway.ip(f"addr add 10.11.3.{i + 1}/16 dev lan")
        gateway.charon = peers.GeneratedCharon(gateway, gateway.name, cls.printed(i, "swanctl"))
        gateway.charon.start()

    @classmethod
    def speak(cls, i, gateway):
        text = cls.printed(i, cls.form)
        commands = re.findall(r"^[#!]   ip (.*)INTERFACE-OF-\S+$", text, re.M)
        assert len(commands) == 1, text
        gateway.ip(commands[0] + "ipsec0")
        cls.speakers.append(cls.speaker(gateway, f"{cls.form}-{gateway.name}", text).start())

    @classmethod
    def sessions(cls):
        return {row["name"]: row["state"] for row in cls.router.ctl("show", "bgp")}

    @classmethod
    def watched(cls):
        return {row["name"]: row["state"] for row in cls.router.ctl("show", "bfd")}

    @classmethod
    def wait_sessions(cls):
        both = ("dc1/1", "dc1/2")
        wait.until(lambda: cls.sessions() == dict.fromkeys(both, "Established"), 60, "BGP is established", step=0.1)
        wait.until(lambda: cls.watched() == dict.fromkeys(both, "up"), 60, "BFD is up", step=0.1)

    def hops(self, prefix):
        return sorted(h for r in self.router.ctl("show", "routes", "default") if r["prefix"] == prefix and r["used"]
                      for h in r["next-hops"])

    def wait_hops(self, prefix, *hops, timeout=30):
        wait.until(lambda: self.hops(prefix) == list(hops), timeout, f"{prefix} leads to {hops}", step=0.05)

    def wait_learned(self):
        self.wait_hops("10.11.0.0/16", "dc1/1", "dc1/2")
        for speaker, gateway in zip(self.speakers, self.world.dc[1].gateways):
            wait.until(lambda: {"10.1.0.0/16", "10.2.0.0/16"} <= speaker.learned(), 30, f"{speaker.name} learns")
            wait.until(lambda: "dev ipsec0" in gateway.run("ip", "route", "get", "10.1.0.1"), 30,
                       f"the kernel of {gateway.name} has the route")

    def test_learned_routes_carry_both_ways(self):
        self.wait_learned()
        for one, other in (("vpc-a", "dc1"), ("dc1", "vpc-a")):
            self.assertEqual(self.host[one].ping(self.host[other]), 3)
        before = [self.router.tunnel(f"dc1/{i}") for i in (1, 2)]
        there = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1000, count=1000, flows=32).run()
        self.assertEqual(there.lost, 0, there)
        back = tools.Stream(self.host["dc1"], self.host["vpc-a"], pps=1000, count=1000, flows=32).run()
        self.assertEqual(back.lost, 0, back)
        for i, old in enumerate(before):
            now = self.router.tunnel(f"dc1/{i + 1}")
            for way in ("sent-packets", "received-packets"):
                self.assertGreater(now[way] - old[way], 100, (i, way))

    def test_it_announces_its_networks_alone(self):
        """Not the inside of the tunnel nor its outside, and nothing that came from here: all of that would make loops."""
        self.wait_learned()
        learned = {r["prefix"] for r in self.router.ctl("show", "routes", "default") if "from" in r}
        self.assertIn("10.11.0.0/16", learned)
        self.assertFalse([p for p in learned if p.startswith(("169.254.", "10.1.", "10.2."))], learned)
        self.assertFalse([p for p in learned if p.startswith("192.0.2.")], learned)

    def test_a_tunnel_that_goes_silent_moves_its_routes(self):
        """BFD as printed ends the session, long before the hold time; and everything comes back by itself."""
        self.wait_learned()
        relay = self.world.dc[1].gateways[0].relay
        relay.add("cut", "any esp drop")
        self.wait_hops("10.11.0.0/16", "dc1/2", timeout=20)
        relay.remove("cut")
        self.wait_sessions()
        self.wait_learned()
        self.assertEqual(self.host["vpc-a"].ping(self.host["dc1"]), 3)


class FrrPeers(BirdPeers):
    """zebra, bgpd and bfdd on both; the second session is one that only a neighbour can reach (RFC 5082)."""

    speaker, form = frr.Frr, "frr"

    @classmethod
    def configuration(cls):
        config = super().configuration()
        config["vpn-connections"]["dc1"]["tunnels"][1]["bgp"].update({"gtsm": True, "graceful-restart": False})
        return config


class Printed(Lab):
    """What is printed for both tunnels of a connection at once is one file that each software accepts."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = BirdPeers.configuration()
        config["vpn-connections"]["dc1"]["tunnels"][1].pop("bgp")
        config["vpn-connections"]["dc1"]["tunnels"][1]["bfd"].update({"local-ip": "169.254.9.1", "peer": "169.254.9.2"})
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)

    def test_bird(self):
        text = self.router.ctl("peer-config", "dc1", "--format", "bird", "--with-secrets")
        conf = process.log_path("both.bird.conf")
        with open(conf, "w") as out:
            out.write(text)
        process.run(["bird", "-p", "-c", conf])
        self.assertIn(PASSWORD, text)
        self.assertIn("neighbor 169.254.9.1 local 169.254.9.2;", text)

    def test_frr(self):
        text = self.router.ctl("peer-config", "dc1", "--format", "frr", "--with-secrets")
        both = frr.Frr(self.world.dc[1].gateways[0], "both", text).start()
        try:
            running = both.vtysh("show running-config")
            for line in ("neighbor 169.254.11.1 bfd profile dc1-1", "peer 169.254.9.1 local-address 169.254.9.2"):
                self.assertIn(line, running)
        finally:
            both.stop()

    def test_passwords_of_odd_characters(self):
        """What each software reads of them is the password; where it cannot be written, that is said."""
        odd, quoted = r"ab\c'd;e#f{g}!h$i", 'with-"quotes"'
        config = BirdPeers.configuration()
        first, second = config["vpn-connections"]["dc1"]["tunnels"]
        first["bgp"]["password"], second["bgp"]["password"] = odd, quoted
        self.router.apply(config)
        text = self.router.ctl("peer-config", "dc1", "--format", "bird", "--with-secrets")
        self.assertIn(f'password "{odd}";', text)
        self.assertNotIn("quotes", text.replace("a password with a quote", ""))
        conf = process.log_path("odd.bird.conf")
        with open(conf, "w") as out:
            out.write(text)
        process.run(["bird", "-p", "-c", conf])
        text = self.router.ctl("peer-config", "dc1", "--format", "frr", "--with-secrets")
        both = frr.Frr(self.world.dc[1].gateways[0], "odd", text).start()
        try:
            running = both.vtysh("show running-config")
            for password in (odd, quoted):
                self.assertIn(f"password {password}\n", running)
        finally:
            both.stop()

    def test_passwords_only_on_request(self):
        for form in ("bird", "frr"):
            text = self.router.ctl("peer-config", "dc1", "--format", form)
            self.assertNotIn(PASSWORD, text)
            self.assertIn("REPLACE-BY-THE-PASSWORD", text)
