# SPDX-License-Identifier: BSD-3-Clause
"""BGP on port attachments (VBR): four implementations side by side behind one port (B10, B11)."""

from rig import bgp, capture, net, site, transitd, wait
from rig.case import Lab

VLAN = {"bird": 301, "frr": 302, "gobgp": 303, "exabgp": 304}
ASN = {"bird": 65031, "frr": 65032, "gobgp": 65033, "exabgp": 65034}


def subnet(kind):
    return f"10.200.{VLAN[kind] - 300}"


def own_route(kind):
    return f"10.{VLAN[kind] - 280}.0.0/16"


class FourLines:
    """Four VBR attachments, each with another implementation, and a VPC."""

    session = {}  # settings of both ends
    settings = {}  # in the startup file

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        hosts = {VLAN[k]: net.Host(k, f"{subnet(k)}.2/30") for k in VLAN}
        cls.vpc = hosts[100] = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        cls.lan = site.VpcHosts(cls.router, "lan0", hosts)
        cls.host = {k: hosts[VLAN[k]] for k in VLAN}
        for kind, host in cls.host.items():
            host.ip("addr add", f"10.{VLAN[kind] - 280}.0.1/32", "dev lo")
        cls.config = {
            "ports": {"lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "router-id": "10.255.255.1"},
            "attachments": {
                "vpc-a": {"kind": "vpc", "port": "lan0", "vlan": 100, "address": "10.1.255.254/16"},
                **{f"line-{k}": {"kind": "vbr", "port": "lan0", "vlan": VLAN[k], "address": f"{subnet(k)}.1/30",
                                 "bgp": {"peer": f"{subnet(k)}.2", "peer-asn": ASN[k], **cls.settings}}
                   for k in VLAN}}}
        cls.router.start(cls.config)
        cls.routers.append(cls.router)
        cls.speaker = {k: bgp.KINDS[k](cls.host[k], k, ASN[k],
                                       [bgp.Session(f"{subnet(k)}.2", f"{subnet(k)}.1", **cls.session)],
                                       [own_route(k)]) for k in VLAN}
        for speaker in cls.speaker.values():
            speaker.start()


class Lines(FourLines, Lab):
    """Without further settings."""

    @classmethod
    def build(cls):
        super().build()
        for kind in VLAN:
            cls.wait_established(kind)

    @classmethod
    def peer(cls, kind):
        return next(row for row in cls.router.ctl("show", "bgp") if row["name"] == f"line-{kind}")

    @classmethod
    def wait_established(cls, kind, timeout=30):
        wait.until(lambda: cls.peer(kind)["state"] == "Established", timeout, f"line-{kind} is established", step=0.1)

    def routes(self, prefix):
        return [r for r in self.router.ctl("show", "routes", "default") if r["prefix"] == prefix]

    def wait_route(self, prefix, there=True, timeout=10):
        wait.until(lambda: bool([r for r in self.routes(prefix) if r["used"]]) == there, timeout,
                   f"{prefix} {'is in' if there else 'has left'} the table", step=0.05)

    def test_routes_are_learned_and_carry_packets(self):
        for kind in VLAN:
            self.wait_route(own_route(kind))
            row = self.routes(own_route(kind))[0]
            self.assertEqual((row["type"], row["attachment"], row["as-path"], row["next-hops"]),
                             ("bgp", f"line-{kind}", str(ASN[kind]), [f"{subnet(kind)}.2"]))
            self.host[kind].ip("route add 10.1.0.0/16 via", f"{subnet(kind)}.1")
            there = f"10.{VLAN[kind] - 280}.0.1"
            self.assertEqual(self.vpc.ping(there), 3, kind)

    def test_the_table_is_advertised(self):
        for kind, speaker in self.speaker.items():
            speaker.wait_learned("10.1.0.0/16")
            self.assertEqual(list(speaker.learned()["10.1.0.0/16"]), [45104])

    def test_the_built_in_policy_keeps_lines_apart(self):
        """R4: without a VPN attachment it is not in force, so lines hear of each other."""
        for kind, speaker in self.speaker.items():
            others = [own_route(k) for k in VLAN if k != kind]
            speaker.wait_learned(*others)
            self.assertNotIn(own_route(kind), speaker.learned(), "not back to where it came from")
            for k in VLAN:
                if k != kind:
                    self.assertEqual(list(speaker.learned()[own_route(k)]), [45104, ASN[k]])

    def test_announce_and_withdraw(self):
        for kind, speaker in self.speaker.items():
            prefix = f"172.16.{VLAN[kind] - 300}.0/24"
            speaker.announce(prefix)
            self.wait_route(prefix)
            others = [s for k, s in self.speaker.items() if k != kind]
            for other in others:
                other.wait_learned(prefix)
            speaker.withdraw(prefix)
            self.wait_route(prefix, False)
            for other in others:
                other.wait_lost(prefix)

    def test_route_refresh_both_ways(self):
        for kind, speaker in self.speaker.items():
            before = self.peer(kind)
            if kind != "gobgp":  # keeps what it heard, and has no command to ask
                speaker.refresh()
                wait.until(lambda: self.peer(kind)["bgp_refreshes_received"] > before["bgp_refreshes_received"], 10,
                           f"{kind} asks again")
            if kind == "exabgp":  # 4.2.21 ends the session when it is asked
                continue
            self.router.ctl("bgp", "soft", f"line-{kind}")
            wait.until(lambda: self.peer(kind)["bgp_prefixes_received"] > before["bgp_prefixes_received"], 10,
                       f"{kind} sends its routes again")
            self.assertEqual(self.peer(kind)["bgp_established"], before["bgp_established"])

    def test_sessions_are_kernel_sockets(self):
        sockets = self.router.run("ss", "-tnH", "state", "established")
        for kind in VLAN:
            self.assertIn(f"{subnet(kind)}.2:", sockets)

    def test_disable_and_enable(self):
        self.router.ctl("bgp", "disable", "line-bird")
        wait.until(lambda: self.peer("bird")["state"] == "disabled", 5, "bird is disabled")
        self.wait_route(own_route("bird"), False)
        self.router.ctl("bgp", "enable", "line-bird")
        self.wait_established("bird")
        self.wait_route(own_route("bird"))


class Untagged(Lab):
    """A port of the kernel's without a VLAN: its frames come to the kernel's stack as well, which has the session's address."""

    @classmethod
    def build(cls):
        cls.router, cls.host = transitd.Transitd("tr"), net.Host("line", "10.200.1.2/30")
        net.wire(cls.router, "lan0", cls.host, "eth0")
        cls.host.attach()
        cls.router.sysctl("net.ipv4.conf.all.rp_filter", 0)
        cls.router.sysctl("net.ipv4.conf.lan0.rp_filter", 0)
        cls.resets = capture.Capture(cls.host, "eth0", "src host 10.200.1.1 and tcp[tcpflags] & tcp-rst != 0",
                                     name="resets").start()
        cls.router.start({
            "ports": {"lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "router-id": "10.255.255.1"},
            "attachments": {"line": {"kind": "vbr", "port": "lan0", "address": "10.200.1.1/30",
                                     "bgp": {"peer": "10.200.1.2", "peer-asn": 65001}}}})
        cls.routers.append(cls.router)
        cls.bird = bgp.Bird(cls.host, "bird", 65001, [bgp.Session("10.200.1.2", "10.200.1.1")], ["10.21.0.0/16"])
        cls.bird.start()

    def test_the_kernel_keeps_out_of_it(self):
        """No reset, and one answer to each echo request: the address is the kernel's on the TUN device alone."""
        wait.until(lambda: self.router.ctl("show", "bgp")[0]["accepted-prefixes"] == 1, 40, "the route is there", step=0.1)
        self.bird.announce(*(f"10.{i}.0.0/16" for i in range(30, 60)))
        wait.until(lambda: self.router.ctl("show", "bgp")[0]["accepted-prefixes"] == 31, 20, "more routes are there", step=0.1)
        self.assertNotIn("DUP!", self.host.run("ping", "-n", "-c", "3", "-i", "0.2", "10.200.1.1"))
        row = self.router.ctl("show", "bgp")[0]
        self.assertEqual((row["bgp_established"], row["bgp_lost"]), (1, 0))
        self.assertEqual(self.resets.count(), 0, self.resets.first() if self.resets.count() else "")

    def test_a_restart_is_told(self):
        """After a kill the R bit, and no F bit, for no forwarding was kept (RFC 4724); after an orderly end neither."""
        def ours():
            wait.until(lambda: self.router.ctl("show", "bgp")[0]["state"] == "Established", 60, "the session is back",
                       step=0.1)
            shown = self.bird.birdc("show", "protocols", "all", "peer1")
            return shown[shown.index("Neighbor capabilities"):]
        self.assertNotIn("Restart recovery", ours())
        self.router.kill()
        self.router.start()
        shown = ours()
        self.assertIn("Restart recovery", shown)
        self.assertNotRegex(shown, "AF preserved: *ipv4")
        self.router.end()
        self.router.start()
        self.assertNotIn("Restart recovery", ours())
