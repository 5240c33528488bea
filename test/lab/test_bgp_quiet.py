# SPDX-License-Identifier: BSD-3-Clause
"""What BGP peers see of a configuration that is applied, and of an orderly end (O10, B8), with BIRD's log as witness."""

import copy
import re

from rig import bgp, bgp_dc, net, process, transitd, wait, world
from rig.case import Lab

HOLD_S = 900  # a keepalive every 300 s: what is heard meanwhile has another reason
PROBE = "10.99.0.0/16"


class Witness(bgp.Bird):
    """BIRD that logs every message."""

    def write(self, text):
        self.told = process.log_path(f"{self.name}.bird.log")
        return super().write(f'log "{self.told}" all;\ndebug protocols {{ events, packets }};\n' + text)

    def heard(self):
        """In its words, what the router sent, keepalives aside, and what became of the session."""
        with open(self.told, errors="replace") as log:
            return re.findall(r"peer1: ((?:Got (?!KEEPALIVE)|Received|BGP session|Error|Incoming).*)", log.read())

    def has_all(self):
        """All routes have come in the session that is up now."""
        heard = self.heard()
        ends = [i for i, what in enumerate(heard) if what.startswith(("Received", "BGP session closed"))]
        return "Got END-OF-RIB" in heard[ends[-1] if ends else 0:]


class Site(world.World):
    """With a private circuit in VLAN 301."""

    def vlans(self):
        self.line = net.Host("line", "10.200.1.2/30")
        return {**super().vlans(), 301: self.line}


class Quiet(Lab):
    """BIRD in both tunnels of dc1 and on a private circuit."""

    release = True
    names = ("dc1/1", "dc1/2", "line1")

    @classmethod
    def build(cls):
        cls.world = Site(dcs=(1,))
        cls.config = world.config(dcs=(1,))
        bgp_dc.configure(cls.config, 1, **{"hold-time": HOLD_S})
        cls.config["attachments"]["line1"] = {
            "kind": "vbr", "port": "lan0", "vlan": 301, "address": "10.200.1.1/30",
            "bgp": {"peer": "10.200.1.2", "peer-asn": 65031, "hold-time": HOLD_S}}
        cls.router = cls.world.router.start(cls.config)
        cls.routers.append(cls.router)
        cls.world.connect()
        place = cls.world.dc[1]
        cls.bird = {f"dc1/{i + 1}": bgp_dc.speaker(place, i, Witness, hold=HOLD_S) for i in (0, 1)}
        for i in (0, 1):
            bgp_dc.route(place, i)
        cls.bird["line1"] = Witness(cls.world.line, "witness-line", 65031,
                                    [bgp.Session("10.200.1.2", "10.200.1.1", hold=HOLD_S)],
                                    ["10.31.0.0/16"])
        for bird in cls.bird.values():
            bird.start()
        cls.wait_ready()

    @classmethod
    def session(cls, name):
        return next(row for row in cls.router.ctl("show", "bgp") if row["name"] == name)

    @classmethod
    def wait_ready(cls):
        """Sessions are up, and have told all they had to tell, both ways."""
        cls.world.wait_up(30)
        for name, bird in cls.bird.items():
            wait.until(lambda n=name: cls.session(n)["state"] == "Established", 60, f"{name} is established", step=0.1)
            bird.wait_learned("10.1.0.0/16", "10.2.0.0/16", timeout=30)
            wait.until(lambda n=name, b=bird: cls.session(n)["received-prefixes"] == 1 and b.has_all(), 30,
                       f"{name} has told its routes", step=0.1)

    def next(self, change):
        config = copy.deepcopy(self.config)
        change(config)
        return config

    def counts(self):
        return {name: len(bird.heard()) for name, bird in self.bird.items()}

    def since(self, counts):
        return {name: bird.heard()[counts[name]:] for name, bird in self.bird.items()}

    def sent(self):
        return {row["name"]: {key: row[key] for key in row if re.fullmatch(
            "bgp_(opens|updates|notifications|refreshes|prefixes|withdrawals)_sent|bgp_(established|lost)", key)}
            for row in self.router.ctl("show", "bgp")}

    def test_nothing_is_said_when_nothing_changes(self):
        """Nor when what changes is none of theirs. Messages come in order: what comes last has nothing before it."""
        heard, sent = self.counts(), self.sent()
        self.assertEqual(set(sent), set(self.names))
        self.assertTrue(all(len(row) == 8 for row in sent.values()), sent)
        for config in (self.config, dict(reversed(list(self.config.items()))),
                       self.next(lambda c: c["vpn-connections"]["dc1"].update(ha="ecmp")),
                       self.next(lambda c: c["attachments"]["line1"]["bgp"].update(gtsm=False))):
            answer = self.router.apply(config)
            self.assertEqual((answer["total"], answer["effects"], answer["changes"]), (0, {}, []))
        self.router.apply(self.next(lambda c: c["route-tables"].update(spare={})))
        self.router.apply(self.config)
        self.assertEqual(self.sent(), sent)
        route = {"prefix": PROBE, "next-hop": "10.1.0.1"}
        self.router.apply(self.next(lambda c: c["attachments"]["vpc-a"].update(routes=[route])))
        for bird in self.bird.values():
            bird.wait_learned(PROBE)
        self.assertEqual(self.since(heard), {name: ["Got UPDATE"] for name in self.names})
        self.router.apply(self.config)
        for bird in self.bird.values():
            bird.wait_lost(PROBE)
        self.assertEqual(self.since(heard), {name: ["Got UPDATE"] * 2 for name in self.names})

    def test_confirmed_once_the_session_is_back(self):
        """A change that makes a session anew: the others hear nothing of it."""
        heard, before = self.counts(), self.sent()
        config = self.next(lambda c: c["attachments"]["line1"]["bgp"].update({"graceful-restart": False}))
        answer = self.router.apply(config, "--confirm-within", "100")
        self.assertEqual(answer["confirm"]["were-up"], 5, "two tunnels, three sessions")
        wait.until(lambda: self.session("line1")["state"] == "Established" and
                   self.sent()["line1"]["bgp_established"] == before["line1"]["bgp_established"] + 1, 60,
                   "line1 is established anew", step=0.1)
        self.router.ctl("confirm")
        self.assertFalse(self.session("line1")["capabilities"]["graceful-restart"])
        after = self.since(heard)
        self.assertEqual((after["dc1/1"], after["dc1/2"]), ([], []))
        self.assertIn("Received: Other configuration change", after["line1"][0])
        self.router.apply(self.config)
        self.wait_ready()

    def test_taken_back_when_a_session_is_not_back(self):
        """Another AS than the peer's: confirm is refused, and the deadline brings the session back."""
        heard = self.counts()
        answer = self.router.apply(self.next(lambda c: c["attachments"]["line1"]["bgp"].update({"peer-asn": 65032})),
                                   "--confirm-within", "8")
        self.assertEqual(answer["confirm"]["were-up"], 5)
        wait.until(lambda: self.session("line1")["state"] != "Established", 5, "the session of line1 ends")
        with self.assertRaisesRegex(transitd.Refused, "NotBack.* bgp line1"):
            self.router.ctl("confirm")
        wait.until(lambda: "not confirmed" in self.router.ctl("history")[0]["how"], 20, "the change is taken back",
                   step=0.1)
        self.wait_ready()
        after = self.since(heard)
        self.assertEqual((after["dc1/1"], after["dc1/2"]), ([], []))

    def test_what_goes_on_purpose_need_not_come_back(self):
        """A session that the new configuration has no more keeps nobody from confirming."""
        def change(config):
            del config["attachments"]["line1"]["bgp"]
        self.router.apply(self.next(change), "--confirm-within", "60")
        wait.until(lambda: "line1" not in {row["name"] for row in self.router.ctl("show", "bgp")}, 10, "the session goes")
        self.router.ctl("confirm")
        self.router.apply(self.config)
        self.wait_ready()

    def test_a_hold_time_is_that_of_a_new_session(self):
        """What `diff` says of it is done: the session is reset, and agrees on it."""
        answer = self.router.apply(self.next(lambda c: c["attachments"]["line1"]["bgp"].update({"hold-time": 300})))
        self.assertEqual(set(answer["effects"]), {"session"})  # and of keepalive, which follows from it
        wait.until(lambda: self.session("line1")["state"] == "Established" and
                   self.session("line1")["hold-time"] == 300, 60, "line1 has agreed on 300 s", step=0.1)
        self.router.apply(self.config)
        self.wait_ready()

    def test_diagnose_tells_of_sessions(self):
        """Up, up without routes of the peer, and down though the tunnel is up: with what can be the cause."""
        def found(name):
            rows = [r for r in self.router.ctl("diagnose", "dc1") if r["name"] == name and r["code"].startswith("Bgp")]
            return {r["code"]: r for r in rows}
        self.assertRegex(found("dc1/1")["BgpUp"]["finding"], r"AS \d+: 1 routes received, 1 of them accepted")
        bird = self.bird["dc1/2"]
        bird.birdc("disable", "peer1")
        wait.until(lambda: "BgpDown" in found("dc1/2"), 20, "the end of the session is found", step=0.1)
        row = found("dc1/2")["BgpDown"]
        self.assertIn("received: cease, administrative shutdown", row["finding"])
        self.assertIn("password", row["suggestion"])
        self.assertEqual(set(found("dc1/1")), {"BgpUp"})
        bird.birdc("enable", "peer1")
        self.wait_ready()

    def test_the_orderly_end_is_told(self):
        """SIGTERM: Cease, Administrative Shutdown, first thing that comes, through the tunnels as well."""
        heard = self.counts()
        self.router.end()
        for name, bird in self.bird.items():
            wait.until(lambda n=name, b=bird: b.heard()[heard[n]:], 5, f"{name} hears of it", step=0.05)
            self.assertEqual(bird.heard()[heard[name]], "Received: Administrative shutdown", name)
            self.assertIn("Received: Administrative shutdown", bird.birdc("show", "protocols", "all", "peer1"))
        self.router.start()
        self.wait_ready()
