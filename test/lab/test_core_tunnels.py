# SPDX-License-Identifier: BSD-3-Clause
"""Two data centers with two tunnels each: reach, policy, ECMP, active-standby, MTU, nothing in clear."""

from rig import capture, tools, wait, world
from rig.case import Lab

CRYPTO_DROPS = {"esp-icv", "esp-replay", "esp-replay-old", "esp-unknown-spi", "esp-selector"}


def packets_on(router, dc):
    """Packets that each tunnel of a data center has received and sent."""
    rows = router.counters()
    return [(rows[f"dc{dc}/{i}"]["received"], rows[f"dc{dc}/{i}"]["sent"]) for i in (1, 2)]


class TwoDataCenters(Lab):
    """The topology of the demo."""

    @classmethod
    def build(cls):
        cls.world = world.World()
        cls.router = cls.world.router.start(world.config())
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect()
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def test_every_tunnel_is_up_and_redundant(self):
        self.assertEqual({t["name"] for t in self.router.ctl("show", "tunnels")},
                         {"dc1/1", "dc1/2", "dc2/1", "dc2/2"})
        for dc in ("dc1", "dc2"):
            for i in (1, 2):
                self.assertEqual(len(self.router.esp_sas(f"{dc}/{i}")), 1)
                self.assertEqual(len(self.router.ike_sas(f"{dc}/{i}")), 1)

    def test_who_may_talk_does(self):
        for one, other in (("vpc-a", "dc1"), ("vpc-a", "dc2"), ("vpc-b", "dc2")):
            self.assertEqual(self.host[one].ping(self.host[other]), 3, f"{one} to {other}")
            self.assertEqual(self.host[other].ping(self.host[one]), 3, f"{other} to {one}")

    def test_tables_keep_vpcs_apart(self):
        before = self.router.drops("vpc-b")
        self.assertEqual(self.host["vpc-a"].ping(self.host["vpc-b"], count=2), 0)
        self.assertEqual(self.host["vpc-b"].ping(self.host["vpc-a"], count=2), 0)
        self.assertEqual(self.host["vpc-b"].ping(self.host["dc1"], count=2), 0)
        self.router.wait_drops({"no-route": 6}, before, "vpc-b")

    def test_built_in_policy_keeps_vpn_from_vpn(self):
        names = ("dc1/1", "dc1/2", "dc2/1", "dc2/2")
        before = self.router.drops(*names)
        self.assertEqual(self.host["dc1"].ping(self.host["dc2"], count=3), 0)
        self.assertEqual(self.host["dc2"].ping(self.host["dc1"], count=3), 0)
        self.router.wait_drops({"policy-denied": 6}, before, *names)

    def test_streams_lose_nothing_and_use_both_tunnels(self):
        before = packets_on(self.router, 1)
        there = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=8000, flows=64, size=400)
        back = tools.Stream(self.host["dc1"], self.host["vpc-a"], pps=2000, count=8000, flows=64, size=400)
        for stream in (there.start(), back.start()):
            verdict = stream.finish()
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered),
                             (0, 0, 0, 0), verdict)
        after = packets_on(self.router, 1)
        for (rx0, tx0), (rx1, tx1) in zip(before, after):
            # 64 flows over two equal members: each gets at least an eighth, or the hash is no hash
            self.assertGreater(tx1 - tx0, 1000, "sent on each tunnel")
            self.assertGreater(rx1 - rx0, 1000, "received on each tunnel")

    def test_a_flow_stays_on_its_tunnel(self):
        before = packets_on(self.router, 1)
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=1000, count=500, flows=1).run()
        self.assertEqual((verdict.lost, verdict.reorder_depth), (0, 0), verdict)
        sent = [tx1 - tx0 for (_, tx0), (_, tx1) in zip(before, packets_on(self.router, 1))]
        self.assertEqual(sorted(sent), [0, 500])

    def test_tcp(self):
        for one, other in (("vpc-a", "dc1"), ("dc2", "vpc-b")):
            report = tools.iperf(self.host[one], self.host[other], 1, streams=2)
            self.assertGreater(tools.mbit(report), 2, f"{one} to {other}")

    def test_inner_mtu(self):
        """M4: 1438 for GCM in UDP at an outer MTU of 1500; a bigger one is told so."""
        self.assertEqual(self.router.tunnel("dc1/1")["inner-mtu"], 1438)
        vpc, dc = self.host["vpc-a"], self.host["dc1"]
        self.assertEqual(vpc.ping(dc, count=2, size=1400 - 28, df=True), 2)
        answers = capture.Capture(vpc, "eth0", "icmp[0:2] == 0x0304", name="tunnel-toobig").start()
        self.assertEqual(vpc.ping(dc, count=1, size=1439 - 28, df=True), 0)
        wait.until(answers.count, 3, "fragmentation needed")
        self.assertEqual(answers.stop().packets()[0]["ICMP"].nexthopmtu, 1438)
        vpc.run("ip", "route", "flush", "cache")

    def test_mss_is_clamped(self):
        """Of the SYN and of its answer, as they arrive."""
        vpc, dc = self.host["vpc-a"], self.host["dc1"]
        arriving = [capture.Capture(host, "any", f"tcp[tcpflags] & tcp-syn != 0 and dst host {host.address}",
                                    name=f"mss-{host.name}").start() for host in (vpc, dc)]
        server = dc.spawn("mss-server", "iperf3", "-s", "-1", "--forceflush")
        server.wait_log("Server listening")
        vpc.run("iperf3", "-c", dc.address, "-n", "1")
        server.kill()
        for syns in arriving:
            options = [dict(o for o in p["TCP"].options if len(o) == 2) for p in syns.stop().packets()]
            self.assertTrue(options)
            self.assertEqual({o["MSS"] for o in options}, {1438 - 40})

    def test_large_packets_are_fragmented_before_encryption(self):
        from scapy.layers.inet import ICMP, IP
        from scapy.layers.l2 import Ether
        vpc = self.host["vpc-a"]
        vpc.ping(vpc.gateway, count=1)
        mac = vpc.run("ip", "neigh", "show", "to", vpc.gateway).split("lladdr")[1].split()[0]
        outside = capture.Capture(self.world.inet, "tr", "ip[6:2] & 0x3fff != 0", name="outer-frags").start()
        replies = capture.Capture(vpc, "eth0", "icmp[icmptype] == icmp-echoreply", name="frag-reply").start()
        capture.Injector(vpc, "eth0").send(
            Ether(src=vpc.mac("eth0"), dst=mac) / IP(src=vpc.address, dst=self.host["dc1"].address)
            / ICMP(id=3) / bytes(1472))
        wait.until(replies.count, 5, "an echo reply")
        self.assertEqual(outside.stop().count(), 0, "no outer packet is a fragment")
        replies.stop()

    def test_clear_packet_from_outside_is_dropped(self):
        from scapy.layers.inet import IP, UDP
        from scapy.layers.l2 import Ether
        inside = capture.Capture(self.host["vpc-a"], "eth0", "udp port 7777", name="intruder").start()
        before = self.router.drops("wan0")
        mac = next(p["mac"] for p in self.router.ctl("show", "ports") if p["name"] == "wan0")
        injector = capture.Injector(self.world.inet, "tr")
        for to in (self.host["vpc-a"].address, self.host["dc1"].address):
            for _ in range(5):
                injector.send(Ether(src=capture.FORGED_MAC, dst=mac) / IP(src=self.host["dc2"].address, dst=to)
                              / UDP(sport=7777, dport=7777) / b"clear")
        wait.until(lambda: sum(self.router.drops("wan0").values()) == sum(before.values()) + 10, 3,
                   "ten packets are dropped")
        self.assertEqual(inside.stop().count(), 0)

    def test_cut_tunnel_hands_its_flows_to_the_other(self):
        """T3: the survivors do not notice, the flows of the dead tunnel are back within the DPD time."""
        vpc, dc = self.host["vpc-a"], self.host["dc1"]
        gateway = self.world.dc[1].gateways[0]
        for source, target in ((vpc, dc), (dc, vpc)):
            stream = tools.Stream(source, target, pps=2000, flows=32).start().wait_flowing()
            self.world.inet.cut(gateway)
            wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 10, "dc1/1 is found dead")
            gateway.wait_down()
            after = tools.Stream(source, target, pps=2000, count=4000, flows=32).run()
            verdict = stream.finish()
            self.world.inet.mend(gateway)
            self.world.wait_up(30)
            self.assertEqual(after.lost, 0, after)
            stayed = [f for f in verdict.flows if f["received"] == f["sent"]]
            moved = [f for f in verdict.flows if f["gap_ms"] > 1000]
            self.assertEqual(len(stayed) + len(moved), 32, verdict.flows)
            self.assertGreater(min(len(stayed), len(moved)), 3, verdict.flows)
            self.assertLess(max(f["gap_ms"] for f in moved), 6000, verdict.flows)

    def test_returned_tunnel_carries_again(self):
        before = packets_on(self.router, 1)
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=2000, flows=64).run()
        self.assertEqual(verdict.lost, 0, verdict)
        for (_, tx0), (_, tx1) in zip(before, packets_on(self.router, 1)):
            self.assertGreater(tx1 - tx0, 100)

    def test_while_both_tunnels_are_down_nothing_leaves(self):
        for gateway in self.world.dc[2].gateways:
            gateway.charon.terminate(gateway.charon.tunnels[0].name)
            self.world.inet.cut(gateway)
        wait.until(lambda: all(self.router.tunnel(f"dc2/{i}")["state"] != "up" for i in (1, 2)), 10,
                   "both tunnels are down")
        before = self.router.drops("vpc-a")
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc2"], pps=1000, count=500, flows=8).run()
        self.assertEqual(verdict.received, 0)
        wait.until(lambda: sum(self.router.drops("vpc-a").values()) == sum(before.values()) + 500, 3,
                   "each packet is dropped and counted")
        for gateway in self.world.dc[2].gateways:
            self.world.inet.mend(gateway)
        self.world.wait_up(60)
        self.assertEqual(self.host["vpc-a"].ping(self.host["dc2"]), 3)

    def test_no_packet_failed_its_checks(self):
        self.assertFalse(CRYPTO_DROPS & {r for r, n in self.router.drops().items() if n})


class OpenPolicy(Lab):
    """A user's permit policy of higher priority opens VPN to VPN (X13)."""

    @classmethod
    def build(cls):
        cls.world = world.World()
        cls.router = cls.world.router.start({**world.config(), "routing-policies": [world.OPEN_POLICY]})
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect()
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def test_data_centers_reach_each_other(self):
        self.assertEqual(self.host["dc1"].ping(self.host["dc2"]), 3)
        verdict = tools.Stream(self.host["dc1"], self.host["dc2"], pps=2000, count=4000, flows=32).run()
        self.assertEqual((verdict.lost, verdict.misdelivered), (0, 0), verdict)
        self.assertGreater(tools.mbit(tools.iperf(self.host["dc2"], self.host["dc1"], 1)), 2)

    def test_other_tables_are_as_closed_as_before(self):
        self.assertEqual(self.host["vpc-b"].ping(self.host["dc1"], count=1), 0)
        self.assertEqual(self.host["vpc-a"].ping(self.host["vpc-b"], count=1), 0)


class FlowProtection(Lab):
    """T9, T10: selectors are the products of the CIDR lists, the routes come by themselves."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"].update({"routing-mode": "flow-protection",
                                                 "local-cidrs": ["10.1.0.0/24"], "peer-cidrs": ["10.11.0.0/24"]})
        config["attachments"]["dc1"].pop("routes")
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(local_ts="10.11.0.0/24", remote_ts="10.1.0.0/24")
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def test_selectors_are_the_products(self):
        sa = self.router.esp_sas("dc1/1")[0]
        self.assertEqual((sa["local-selectors"], sa["remote-selectors"]), (["10.1.0.0/24"], ["10.11.0.0/24"]))

    def test_inside_the_selectors(self):
        self.assertEqual(self.host["vpc-a"].ping(self.host["dc1"]), 3)
        self.assertEqual(self.host["dc1"].ping(self.host["vpc-a"]), 3)

    def test_outside_the_selectors_is_dropped_and_counted(self):
        vpc = self.host["vpc-a"]
        vpc.ip("addr add 10.1.9.9/16 dev eth0")
        before = self.router.drops("vpc-a")
        self.assertEqual(vpc.ping(self.host["dc1"], count=3, source="10.1.9.9"), 0)
        self.router.wait_drops({"tunnel-selector": 3}, before, "vpc-a")

    def test_no_route_beyond_the_peer_cidrs(self):
        before = self.router.drops("vpc-a")
        self.assertEqual(self.host["vpc-a"].ping("10.11.1.1", count=2), 0)
        self.router.wait_drops({"no-route": 2}, before, "vpc-a")


class ActiveStandby(Lab):
    """T4: the first tunnel carries all, the second takes over."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"]["ha"] = "active-standby"
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(active_standby=True)
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def share(self):
        """Packets sent on each tunnel of a stream from vpc-a to dc1."""
        before = packets_on(self.router, 1)
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, count=1000, flows=32).run()
        self.assertEqual(verdict.lost, 0, verdict)
        return [tx1 - tx0 for (_, tx0), (_, tx1) in zip(before, packets_on(self.router, 1))]

    def carrier(self):
        """What `show routes` names as the tunnel in use."""
        return next(r["carried-by"] for r in self.router.ctl("show", "routes") if r["attachment"] == "dc1")

    def test_active_carries_all(self):
        self.assertEqual(self.share(), [1000, 0])
        self.assertEqual(self.carrier(), ["dc1/1"])

    def test_standby_takes_over_and_gives_back(self):
        gateway = self.world.dc[1].gateways[0]
        self.world.inet.cut(gateway)
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 10, "dc1/1 is found dead")
        gateway.wait_down()
        self.assertEqual(self.share(), [0, 1000])
        self.assertEqual(self.carrier(), ["dc1/2"])
        self.world.inet.mend(gateway)
        self.world.wait_up(30)
        self.assertEqual(self.share(), [1000, 0])
        self.assertEqual(self.carrier(), ["dc1/1"])
