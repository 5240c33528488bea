# SPDX-License-Identifier: BSD-3-Clause
"""The lab tests itself: strongSwan against strongSwan, a relay with known faults, a switch with VLANs."""

from rig import capture, net, site, strongswan, tools, wait
from rig.case import Lab


class Peers(Lab):
    """Two strongSwan peers, each with a host's address behind it."""

    @classmethod
    def build(cls):
        inet = site.Internet()
        cls.ends = []
        for number in (1, 2):
            end = net.Host(f"peer{number}")
            inet.attach(end, f"192.0.2.{4 * number + 2}", 30, f"192.0.2.{4 * number + 1}")
            end.address = f"10.{number}.0.1"
            end.ip("addr add", f"{end.address}/32 dev lo")
            cls.ends.append(end)
        outer = ("192.0.2.6", "192.0.2.10")
        cls.charons = [
            strongswan.Charon(end, end.name, [strongswan.Tunnel("t", mine, other, "a shared key")]).start()
            for end, mine, other in zip(cls.ends, outer, reversed(outer))]
        for end in cls.ends:
            end.ip("route add", site.INNER, "dev ipsec0 src", end.address)
        cls.watch(inet, "peer1")

    def test_negotiate_and_ping(self):
        self.charons[0].initiate("t")
        self.assertEqual(self.ends[0].ping(self.ends[1]), 3)

    def test_rekey_under_traffic_loses_nothing(self):
        before = self.charons[0].children("t")[0]["spi-in"]
        stream = tools.Stream(*self.ends, pps=2000, flows=4).start()
        self.charons[1].rekey(child="t")
        wait.until(lambda: before not in [c["spi-in"] for c in self.charons[0].children("t")], 10, "a new SA")
        verdict = stream.finish()
        self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0), verdict)

    def test_terminated_tunnel_carries_nothing(self):
        self.charons[0].terminate("t")
        wait.until(lambda: not self.charons[1].sas(), 5, "the peer's SA is gone")
        self.assertEqual(self.ends[0].ping(self.ends[1], count=1), 0)


class Sites(Lab):
    """Two data centers as tests use them, straight against each other: a tunnel from each gateway."""

    @classmethod
    def build(cls):
        inet = cls.inet = site.Internet()
        cls.dc = [site.DataCenter(inet, number) for number in (1, 2)]
        for one, other in (cls.dc, cls.dc[::-1]):
            one.connect([g.address for g in other.gateways], "a shared key")
        cls.watch(inet, "dc1-a")
        for i, charon in enumerate(cls.dc[0].charons()):
            charon.initiate(f"dc1-{i + 1}")
        for dc in cls.dc:
            dc.wait_up()

    def used(self):
        """Outer packets of each tunnel so far, seen at the internet's end of the gateways' cables."""
        return [int(self.inet.run("cat", f"/sys/class/net/dc1-{x}/statistics/rx_packets")) for x in "ab"]

    def test_both_tunnels_carry(self):
        before = self.used()
        verdict = tools.Stream(self.dc[0].host, self.dc[1].host, pps=2000, count=2000, flows=64).run()
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        for carried, was in zip(self.used(), before):
            self.assertGreater(carried - was, 400)

    def test_cut_tunnel_moves_its_flows_and_comes_back(self):
        gateways = [dc.gateways[0] for dc in self.dc]
        self.inet.cut(gateways[0])
        for gateway in gateways:
            wait.until(lambda g=gateway: not g.charon.children(), 10, f"{gateway.name} notices")
        before = self.used()
        verdict = tools.Stream(self.dc[0].host, self.dc[1].host, pps=2000, count=1000, flows=64).run()
        self.assertEqual(verdict.lost, 0, verdict)
        self.assertGreater(self.used()[1] - before[1], 999)
        self.inet.mend(gateways[0])
        gateways[0].charon.terminate("dc1-1", check=False)
        gateways[0].charon.initiate("dc1-1")
        for dc in self.dc:
            dc.wait_up()
        self.test_both_tunnels_carry()


class Relayed(Lab):
    """Two hosts with a relay between them: each fault is counted by relay and oracle alike."""

    @classmethod
    def build(cls):
        cls.a, cls.b = net.Host("a", "10.0.0.1/24"), net.Host("b", "10.0.0.2/24")
        cable = net.Netns("cable")
        for host in (cls.a, cls.b):
            net.wire(host, "eth0", cable, host.name)
            host.attach()
        cls.relay = tools.Relay(cable, "a", "b", seed=42)

    def faulty(self, rule):
        self.relay.clear()
        self.relay.add("fault", rule)
        verdict = tools.Stream(self.a, self.b, pps=10000, count=5000, flows=8, size=200).run()
        return verdict, self.relay.rule("fault")["applied"]

    def test_clean_cable(self):
        self.relay.clear()
        verdict = tools.Stream(self.a, self.b, pps=20000, count=20000, flows=8).run()
        self.assertEqual((verdict.lost, verdict.duplicated, verdict.reorder_depth), (0, 0, 0), verdict)

    def test_loss(self):
        verdict, applied = self.faulty("ab udp loss 3")
        self.assertEqual(verdict.lost, applied, verdict)
        self.assertTrue(75 < applied < 250, applied)

    def test_duplicates(self):
        verdict, applied = self.faulty("ab udp dup 3")
        self.assertEqual((verdict.lost, verdict.duplicated), (0, applied), verdict)

    def test_bit_flips(self):
        verdict, applied = self.faulty("ab udp flip 3")
        self.assertEqual((verdict.lost, verdict.corrupted), (applied, applied), verdict)

    def test_replays(self):
        verdict, applied = self.faulty("ab udp replay 3 20")
        self.assertEqual((verdict.lost, verdict.duplicated), (0, applied), verdict)

    def test_reordering(self):
        verdict, applied = self.faulty("ab udp reorder 10 40")
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        self.assertGreater(verdict.reorder_depth, 1, verdict)
        self.assertGreater(applied, 250)

    def test_nth_packet(self):
        verdict, applied = self.faulty("ab udp nth 7 drop")
        self.assertEqual((verdict.lost, applied), (1, 1), verdict)

    def test_delay(self):
        self.relay.clear()
        self.relay.add("slow", "ab icmp delay 60")
        watch = wait.Stopwatch()
        self.assertEqual(self.a.ping(self.b, count=1), 1)
        self.assertGreater(watch(), 0.06)


class Vlans(Lab):
    """Two switches with a trunk between them."""

    @classmethod
    def build(cls):
        middle = net.Netns("middle")
        cls.near = {v: net.Host(f"near{v}", f"10.{v}.0.1/24") for v in (0, 100)}
        cls.far = {v: net.Host(f"far{v}", f"10.{v}.0.2/24") for v in (0, 100)}
        site.VpcHosts(middle, "one", cls.near)
        site.VpcHosts(middle, "two", cls.far)
        tools.Relay(middle, "one", "two")
        cls.tagged = capture.Capture(middle, "one", "vlan 100").start()

    def test_each_vlan_reaches_its_own(self):
        for vlan in (0, 100):
            self.assertEqual(self.near[vlan].ping(self.far[vlan]), 3)

    def test_full_size_frames_with_a_tag(self):
        self.assertEqual(self.near[100].ping(self.far[100], size=1472, df=True), 3)
        self.assertGreater(tools.mbit(tools.iperf(self.near[100], self.far[100], 1)), 10)

    def test_tag_is_on_the_wire(self):
        packets = self.tagged.stop().packets(20)
        self.assertEqual([p.vlan for p in packets], [100] * 20)
