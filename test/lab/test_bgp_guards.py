# SPDX-License-Identifier: BSD-3-Clause
"""What guards a session: keys (RFC 2385), TTL security (RFC 5082), a limit of prefixes, and what is said of it (BG-11 to BG-13)."""

import copy
import re

from rig import bgp, capture, net, site, transitd, wait
from rig.case import Lab

KEY = "opensesame"
LIMIT, RESTART_S = 10, 6
WHY = {  # what `show bgp` says of those that do not come about
    "wrong-key": "another key than `password`", "no-key": "does not sign its packets",
    "odd-key": "no `password` is set here", "wrong-ttl": "TTL below 255", "nobody": "refuses the connection"}
# Settings here; settings of the peer, None: it is not there; and what it is.
LINES = {
    "key": ({"password": KEY}, {"password": KEY}),
    "wrong-key": ({"password": KEY}, {"password": "opensesami"}),
    "no-key": ({"password": KEY}, {}),
    "odd-key": ({}, {"password": KEY}),
    "ttl": ({"gtsm": True}, {"ttl_security": True}),
    "wrong-ttl": ({"gtsm": True}, {}),  # BIRD sends with a TTL of 64 then
    "gobgp": ({"password": KEY, "gtsm": True}, {"password": KEY, "ttl_security": True}, bgp.Gobgp),
    "nobody": ({}, None),
    "silent": ({"password": KEY}, {"password": "opensesami", "passive": True}),  # drops our SYN, and sends none
    "filtered": ({}, None),
    "absent": ({}, None),
    "limit": ({"max-prefixes": LIMIT, "restart-after": RESTART_S}, {"graceful_restart": False}),
    "out": ({"max-prefixes-out": 2}, {}),
}
NETWORKS = [f"10.50.{i}.0/24" for i in range(3)]  # that all may hear of


class Guards(Lab):
    """A private circuit for each case, with a peer of its own."""

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        hosts = {301 + i: net.Host(f"h-{name}", f"10.200.{i}.2/30") for i, name in enumerate(LINES)}
        cls.lan = site.VpcHosts(cls.router, "lan0", hosts)
        hosts[301 + list(LINES).index("absent")].ip("link set eth0 arp off")
        hosts[301 + list(LINES).index("filtered")].run(
            "nft", "add table inet shut; add chain inet shut in { type filter hook input priority 0; policy drop; }")
        cls.config = {
            "ports": {"lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "router-id": "10.255.255.1"},
            "attachments": {name: {
                "kind": "vbr", "port": "lan0", "vlan": 301 + i, "address": f"10.200.{i}.1/30",
                "bgp": {"peer": f"10.200.{i}.2", "peer-asn": 65031 + i, **ours}}
                for i, (name, (ours, *_)) in enumerate(LINES.items())}}
        cls.config["attachments"].update({f"vpc-{i}": {
            "kind": "vpc", "port": "lan0", "vlan": 401 + i, "address": net_.replace(".0/24", ".254/24")}
            for i, net_ in enumerate(NETWORKS)})
        cls.router.start(cls.config)
        cls.routers.append(cls.router)
        cls.bird = {}
        for i, (name, (_, theirs, *make)) in enumerate(LINES.items()):
            if theirs is None:
                continue
            ns, make = hosts[301 + i], make[0] if make else bgp.Bird
            session = bgp.Session(f"10.200.{i}.2", f"10.200.{i}.1", **theirs)
            cls.bird[name] = make(ns, f"peer-{name}", 65031 + i, [session], [f"10.{21 + i}.0.0/16"]).start()

    @classmethod
    def session(cls, name):
        return next(row for row in cls.router.ctl("show", "bgp") if row["name"] == name)

    @classmethod
    def wait_established(cls, name, timeout=40):
        wait.until(lambda: cls.session(name)["state"] == "Established", timeout, f"{name} is established", step=0.1)

    def dropped(self, counter, ns=None):
        """One of the kernel's counters of TCP, in the router's namespace or another one."""
        text = (ns or self.router).run("grep", "^TcpExt:", "/proc/net/netstat")
        names, values = (line.split() for line in text.splitlines())
        return int(values[names.index(counter)])

    def dropped_at(self, name, counter):
        return self.dropped(counter, self.bird[name].ns)

    def test_a_limit_of_what_goes_out(self):
        """One peer hears of two networks, the others of all three; and of the third when it may, in the same session."""
        def heard(name):
            return sorted(set(self.bird[name].learned()) & set(NETWORKS))
        for name in ("out", "key"):
            self.wait_established(name)
        wait.until(lambda: heard("key") == NETWORKS, 20, "all is told")
        wait.until(lambda: len(heard("out")) == 2, 20, "two are told")
        lost = self.session("out")["bgp_lost"]
        config = copy.deepcopy(self.config)
        config["attachments"]["out"]["bgp"]["max-prefixes-out"] = 0
        self.router.apply(config)
        wait.until(lambda: heard("out") == NETWORKS, 20, "the third is told")
        self.router.apply(self.config)
        self.assertEqual(self.session("out")["bgp_lost"], lost)

    def test_the_right_key(self):
        self.wait_established("key")

    def test_the_right_ttl(self):
        self.wait_established("ttl")

    def test_another_peer_with_both(self):
        self.wait_established("gobgp")

    def test_what_keeps_a_session_down_is_said(self):
        for name, why in WHY.items():
            wait.until(lambda n=name, w=why: w in (self.session(n)["held-up-because"] or ""), 40,
                       f"{name} is known to be down as: {why}", step=0.1)
            self.assertEqual(self.session(name)["bgp_established"], 0)
        for name in ("key", "ttl", "gobgp"):
            self.assertIsNone(self.session(name)["held-up-because"])

    def findings(self, name):
        return {row["code"]: row for row in self.router.ctl("diagnose", name)}

    def wait_finding(self, name, code, timeout=40):
        """Of the session, that one and no other."""
        def found():
            return {c for c in self.findings(name) if c.startswith("Bgp")} == {code}
        wait.until(found, timeout, f"diagnose finds {code} of {name}", step=0.2)
        return self.findings(name)[code]

    def test_diagnose_an_attachment(self):
        """By its name, from the link to the routes; with what helps."""
        self.wait_established("key")
        wait.until(lambda: self.session("key")["accepted-prefixes"] == 1, 10, "its route has come")
        self.assertIn("1 routes received, 1 of them accepted", self.wait_finding("key", "BgpUp")["finding"])
        found = self.findings("key")
        self.assertEqual((found["LineUp"]["severity"], found["LineUp"]["attachment"]), ("ok", "key"))
        self.assertIn("RoutesComplete", found)
        for name, code in {"wrong-key": "BgpKeyMismatch", "no-key": "BgpKeyMismatch", "odd-key": "BgpKeyMismatch",
                           "wrong-ttl": "BgpTtlLow", "nobody": "BgpRefused"}.items():
            row = self.wait_finding(name, code)
            self.assertEqual(row["severity"], "error")
            self.assertTrue(row["suggestion"])
        self.assertEqual({row["attachment"] for row in self.router.ctl("diagnose", "--all")}, set(LINES))
        self.assertIn("BgpUp", self.router.text("diagnose", "key"))
        with self.assertRaisesRegex(transitd.Refused, "NoSuchConnection"):
            self.router.ctl("diagnose", "no-such")

    def test_diagnose_a_peer_that_says_nothing(self):
        """One that waits for us and drops our SYN for its key, a packet filter, and nobody at all are told apart."""
        for name, password in (("silent", "`password` is set here"), ("filtered", "`password` is not set here")):
            row = self.wait_finding(name, "BgpNoAnswer")
            self.assertIn("it answers ARP", row["finding"])
            self.assertIn(password, row["finding"])
            self.assertIn("TCPMD5Failure", row["suggestion"])
            self.assertIn("see `diagnose`", self.session(name)["held-up-because"])
        before = self.dropped_at("silent", "TCPMD5Failure")
        wait.until(lambda: self.dropped_at("silent", "TCPMD5Failure") > before, 40, "the counter that is named counts")
        self.wait_finding("absent", "BgpDown")
        self.assertIn("10.200.", self.findings("absent")["NeighbourSilent"]["finding"])
        self.assertNotIn("NeighbourSilent", self.findings("silent"))

    def test_a_wrong_key_keeps_it_down_until_it_is_mended(self):
        """Both ends drop the other's segments; with the key of the peer applied the session comes up, others stay."""
        before = self.dropped("TCPMD5Failure")
        wait.until(lambda: self.dropped("TCPMD5Failure") >= before + 3, 40, "segments with a wrong key", step=0.1)
        self.assertEqual(self.session("wrong-key")["bgp_established"], 0)
        right = self.session("key")["bgp_established"]
        config = copy.deepcopy(self.config)
        config["attachments"]["wrong-key"]["bgp"]["password"] = LINES["wrong-key"][1]["password"]
        self.router.apply(config)
        self.wait_established("wrong-key")
        self.assertEqual(self.session("key")["bgp_established"], right)
        self.assertNotIn("opensesam", self.router.process.output())

    def test_a_ttl_too_low_keeps_it_down(self):
        before = self.dropped("TCPMinTTLDrop")
        wait.until(lambda: self.dropped("TCPMinTTLDrop") >= before + 1, 90, "a segment with a low TTL", step=0.1)
        self.assertEqual(self.session("wrong-ttl")["bgp_established"], 0)

    def test_too_many_prefixes(self):
        """A warning at 80 %, the end at one too many, and the session comes back by itself when it was told to."""
        bird, many = self.bird["limit"], [f"10.99.{i}.0/24" for i in range(LIMIT)]
        self.wait_established("limit")
        bird.announce(*many[:8])  # and the one of the start
        self.router.process.wait_log(f"9 of at most {LIMIT} prefixes")
        self.assertEqual(self.session("limit")["bgp_lost"], 0)
        bird.announce(*many[8:])
        wait.until(lambda: self.session("limit")["bgp_lost"] == 1, 10, "the session ends")
        watch = wait.Stopwatch()
        self.assertRegex(self.session("limit")["last-error"],
                         re.escape("sent: cease, maximum number of prefixes reached"))
        self.assertEqual(self.session("limit")["accepted-prefixes"], 0)
        bird.withdraw(*many)
        self.wait_established("limit")
        self.assertGreater(watch(), RESTART_S - 2, "no sooner than restart-after says")
        wait.until(lambda: self.session("limit")["accepted-prefixes"] == 1, 10, "the route is back")

    # ---- what others say in a peer's name (C-47) ----

    def forge(self, name, changes):
        """Segments that fit the session to the octet, as somebody on the circuit could put them there: RST, SYN and a Cease."""
        from scapy.layers.inet import IP, TCP
        from scapy.layers.l2 import Ether
        speaker, prefix = self.bird[name], f"172.25.{list(LINES).index(name)}.0/24"
        wire = capture.Capture(speaker.ns, "eth0", "tcp port 179 and tcp[tcpflags] & tcp-push != 0",
                               name=f"forge-{name}").start()
        speaker.announce(prefix)
        wait.until(lambda: self.used(prefix), 10, f"{name} announces a route", step=0.05)
        own = next(iter(speaker.sessions)).local
        last = [p for p in wire.stop().packets() if p[IP].src == own][-1]
        data = last[IP].len - 4 * last[IP].ihl - 4 * last[TCP].dataofs
        cease = b"\xff" * 16 + b"\x00\x15\x03\x06\x02"
        injector = capture.Injector(speaker.ns, "eth0")
        for ttl in changes:
            for flags, payload in (("R", b""), ("RA", b""), ("S", b""), ("PA", cease)):
                injector.send(Ether(src=last[Ether].src, dst=last[Ether].dst)
                              / IP(src=last[IP].src, dst=last[IP].dst, ttl=ttl)
                              / TCP(sport=last[TCP].sport, dport=last[TCP].dport, seq=last[TCP].seq + data,
                                    ack=last[TCP].ack, window=1000, flags=flags) / payload)
        injector.close()
        return prefix

    def used(self, prefix):
        return [r for r in self.router.ctl("show", "routes", "default") if r["prefix"] == prefix and r["used"]]

    def test_forged_segments_end_no_guarded_session(self):
        """Without the key, or from farther away than TTL security lets them be, they have no effect."""
        for name, ttls in (("key", (64, 255)), ("ttl", (64, 254)), ("gobgp", (255, 254))):
            before = self.session(name)
            prefix = self.forge(name, ttls)
            self.bird[name].withdraw(prefix)  # it comes behind them, and in the same session
            wait.until(lambda p=prefix: not self.used(p), 10, f"{name} withdraws its route", step=0.05)
            after = self.session(name)
            self.assertEqual((after["state"], after["bgp_established"]), ("Established", before["bgp_established"]), name)

    def test_forged_segments_end_a_bare_session(self):
        """What is sent above is what would do it; unless the peer says something more at that moment, so several times."""
        self.wait_established("limit")
        lost = self.session("limit")["bgp_lost"]

        def ended():
            self.bird["limit"].withdraw(self.forge("limit", (64,)))
            return self.session("limit")["bgp_lost"] > lost
        wait.until(ended, 20, "the session without guards ends")
