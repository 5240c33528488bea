# SPDX-License-Identifier: BSD-3-Clause
"""Tunnels in use: rekeys without loss, restarts, DPD, replays and damage on the path, transitd to transitd."""

import signal

from rig import capture, net, site, tools, transitd, wait, world
from rig.case import Lab


class Base(Lab):
    """One data center; vpc-a talks to it."""

    relay_seed = None
    ha = "ecmp"
    peer = {}  # settings of strongSwan's tunnels

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,), uplink_relay_seed=cls.relay_seed)
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"]["ha"] = cls.ha
        cls.configure(config)
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(active_standby=cls.ha == "active-standby", **cls.peer)
        cls.world.wait_up()
        cls.vpc, cls.dc = cls.world.vpc["vpc-a"], cls.world.dc[1].host
        cls.charon = cls.world.dc[1].charons()[0]

    @classmethod
    def configure(cls, config):
        pass

    def one_pair(self, tunnel="dc1/1", timeout=10):
        """Exactly one IKE SA and one Child SA, on both ends."""
        def settled():
            mine = self.router.esp_sas(tunnel), self.router.ike_sas(tunnel)
            theirs, child = self.charon.sas(), self.charon.children()  # without those that linger
            return len(mine[0]) == len(mine[1]) == len(theirs) == len(child) == 1 \
                and child[0]["spi-out"] == mine[0][0]["spi-in"]
        wait.until(settled, timeout, f"one pair of SAs for {tunnel} on both ends", step=0.1)

    def lossless(self, verdict):
        self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered),
                         (0, 0, 0, 0), verdict)


class Rekey(Base):
    """C-04: under load, from both ends, nothing is lost."""

    release = True
    ha = "active-standby"
    rounds = 40 if tools.full() else 5
    pps = 10000 if tools.full() else 3000  # what the peer has buffers for, on a machine that does other things too

    def under_load(self, rekey, new):
        """Runs `rekey` again and again under streams both ways; `new()` is the set of SPIs that must change."""
        streams = [tools.Stream(self.vpc, self.dc, pps=self.pps, flows=16, size=256).start(),
                   tools.Stream(self.dc, self.vpc, pps=self.pps, flows=16, size=256).start()]
        for _ in range(self.rounds):
            before = new()
            rekey()
            wait.until(lambda: new() and not new() & before, 10, "the old SA is replaced")
        for stream in streams:
            verdict = stream.finish()
            self.lossless(verdict)
            self.assertLess(verdict.reorder_depth, 64, verdict)
        self.one_pair()

    def esp_spis(self):
        return {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")}

    def ike_spis(self):
        return {sa["spi-in"] for sa in self.router.ike_sas("dc1/1")}

    def test_child_from_our_side(self):
        self.under_load(lambda: self.router.ctl("tunnel", "rekey", "dc1/1"), self.esp_spis)

    def test_child_from_the_peer(self):
        self.under_load(lambda: self.charon.rekey(child="dc1-1"), self.esp_spis)

    def test_ike_from_our_side(self):
        self.under_load(lambda: self.router.ctl("tunnel", "rekey", "dc1/1", "ike"), self.ike_spis)

    def test_ike_from_the_peer(self):
        self.under_load(lambda: self.charon.rekey(ike="dc1-1"), self.ike_spis)

    def test_child_from_both_sides_at_once(self):
        def both():
            self.router.ctl("tunnel", "rekey", "dc1/1")
            self.charon.rekey(child="dc1-1")
        self.under_load(both, self.esp_spis)

    def test_ike_from_both_sides_at_once(self):
        def both():
            self.router.ctl("tunnel", "rekey", "dc1/1", "ike")
            self.charon.rekey(ike="dc1-1")
        self.under_load(both, self.ike_spis)


class Lifetimes(Base):
    """T19: short lifetimes, rekeyed before they end."""

    release = True
    ha = "active-standby"

    @classmethod
    def configure(cls, config):
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["ipsec"]["lifetime"] = 6
            tunnel["ike"]["lifetime"] = 12

    def test_nothing_is_lost_over_many_lifetimes(self):
        stream = tools.Stream(self.vpc, self.dc, pps=2000, flows=16).start()
        wait.until(lambda: self.router.tunnel("dc1/1")["rekeys"] >= 6, 60, "six rekeys", step=0.2)
        self.lossless(stream.finish())
        self.one_pair()


class Restart(Base):
    """C-03, V2-21: a peer that went away without a word, one that said goodbye, and ourselves."""

    release = True

    def setUp(self):
        self.world.wait_up(60)

    def test_peer_killed_and_restarted(self):
        gateway = self.world.dc[1].gateways[0]
        gateway.power_cut()
        gateway.start()
        self.charon.initiate("dc1-1")
        watch = wait.Stopwatch()
        self.world.wait_up()
        stream = tools.Stream(self.vpc, self.dc, pps=500, count=500, flows=16).run()
        self.assertEqual(stream.lost, 0, stream)
        self.assertLess(watch(), 4)
        self.one_pair()

    def test_peer_stopped_and_restarted(self):
        self.charon.stop()
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 3, "the Delete is obeyed")
        self.world.dc[1].gateways[0].start()
        self.world.wait_up(60)
        self.one_pair()

    def test_router_killed_and_restarted(self):
        self.router.kill()
        self.router.start()
        self.world.wait_up(60)
        self.one_pair()
        stream = tools.Stream(self.vpc, self.dc, pps=500, count=500, flows=16).run()
        self.assertEqual(stream.lost, 0, stream)

    def test_router_says_goodbye(self):
        """C-02: Deletes for every SA, and the peers are free of them at once."""
        self.router.end()
        for charon in self.world.dc[1].charons():
            wait.until(lambda c=charon: not c.children(), 2, "the peer's SAs are gone")
        self.router.start()
        self.world.wait_up(60)


class Dpd(Base):
    """T21, V2-20."""

    def test_silent_peer_is_found_dead_in_time(self):
        """Interval 1 s, timeout 3 s."""
        self.charon.freeze(signal.SIGSTOP)
        watch = wait.Stopwatch()
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 10, "dc1/1 is found dead")
        self.assertTrue(2 <= watch() <= 5.5, watch())
        self.assertEqual(self.router.esp_sas("dc1/1"), [])
        self.charon.freeze(signal.SIGCONT)
        self.world.wait_up(60)

    def test_traffic_is_life(self):
        """No probe of ours while the peer's ESP packets keep coming."""
        for charon in self.world.dc[1].charons():
            charon.tunnels[0].ike["dpd_delay"] = "0s"
            charon.load()
        before = self.router.counters()
        streams = [tools.Stream(self.dc, self.vpc, pps=500, count=2500, flows=32).start(),
                   tools.Stream(self.vpc, self.dc, pps=500, count=2500, flows=32).start()]
        for name in ("dc1/1", "dc1/2"):  # idle until now, and probed
            wait.until(lambda n=name: self.router.counters()[n]["received"] > before[n]["received"], 5, f"ESP by {name}")
        probes = capture.Capture(self.world.inet, "tr",
                                 f"src host {world.GATEWAYS[1][0]} and udp port 4500 and udp[8:4] = 0"
                                 " and udp[31] & 0x20 = 0",  # requests; the peer may probe, and is answered
                                 name="probes").start()
        wait.until(lambda: not streams[0].sender.alive(), 20, "the stream is sent")
        self.assertEqual(probes.stop().count(), 0)
        for stream in streams:
            self.lossless(stream.finish())


class DpdActions(Base):
    """T21: `clear` gives up its SAs and waits, `none` never asks and keeps them; Dpd above has `restart`."""

    @classmethod
    def configure(cls, config):
        for tunnel, action in zip(config["vpn-connections"]["dc1"]["tunnels"], ("clear", "none")):
            tunnel["dpd"] = {"interval": 1, "timeout": 3, "action": action}

    def test_silent_peers(self):
        kept = {sa["spi-in"] for sa in self.router.esp_sas("dc1/2")}
        charons = self.world.dc[1].charons()
        for charon in charons:
            charon.freeze(signal.SIGSTOP)
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] == "down", 15, "dc1/1 is found dead")
        watch = wait.Stopwatch()
        while watch() < 5:  # nobody begins anew, and the other one has not noticed
            row = self.router.tunnel("dc1/1")
            self.assertEqual((row["state"], row["error"]), ("down", "PeerDead"))
            self.assertEqual(self.router.tunnel("dc1/2")["state"], "up")
        self.assertEqual(self.router.esp_sas("dc1/1"), [])
        for charon in charons:
            charon.freeze(signal.SIGCONT)
        self.assertEqual({sa["spi-in"] for sa in self.router.esp_sas("dc1/2")}, kept)
        wait.until(lambda: self.vpc.ping(self.dc, count=1), 10, "it carries on where it was")
        self.assertEqual({sa["spi-in"] for sa in self.router.esp_sas("dc1/2")}, kept)
        self.router.ctl("tunnel", "up", "dc1/1")
        self.world.wait_up(60)


class Rehearsal(Base):
    """T27: PFS that the peer does not want shows right after the tunnel came up, and no packet suffers from it."""

    peer = {"esp": "aes128gcm16"}

    @classmethod
    def configure(cls, config):
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["rehearse"] = True

    def result(self):
        return self.router.tunnel("dc1/1")["rehearsal"]

    def again(self, result):
        """The tunnel comes up anew, under streams both ways; what came of the rehearsal."""
        self.router.ctl("tunnel", "down", "dc1/1")
        wait.until(lambda: not self.router.ike_sas("dc1/1"), 10, "dc1/1 is down")
        self.router.ctl("tunnel", "up", "dc1/1")
        self.router.wait_up("dc1/1")
        self.world.dc[1].wait_up(20)
        streams = [tools.Stream(one, other, pps=300, flows=16).start()
                   for one, other in ((self.vpc, self.dc), (self.dc, self.vpc))]
        wait.until(lambda: self.result() == result, 15, f"the rehearsal has {result}")
        for stream in streams:
            stream.wait_flowing()
            self.lossless(stream.finish())
        self.assertEqual(self.router.tunnel("dc1/1")["state"], "up")

    def test_mismatch_shows_at_once(self):
        self.again("failed")
        self.assertEqual(self.router.tunnel("dc1/1")["error"], "PfsMismatch")

    def test_passes(self):
        for charon in self.world.dc[1].charons():
            charon.tunnels[0].child["esp_proposals"] = "aes128gcm16-modp2048"
            charon.load()
        self.again("passed")
        self.assertIsNone(self.router.tunnel("dc1/1")["error"])
        self.one_pair()


class BadPath(Base):
    """C-09 and inputs E: replays, damage, reordering between peer and router; each fate under its reason."""

    relay_seed = 99
    names = ("dc1/1", "dc1/2", "wan0", "control")

    def setUp(self):
        self.world.wait_up(60)

    def faulty(self, rule, pps=2000, count=4000):
        """A stream from the data center under a rule for its ESP; (verdict, packets that met the rule, drops)."""
        relay = self.world.uplink_relay
        before = self.router.drops(*self.names)
        relay.add("fault", rule)
        verdict = tools.Stream(self.dc, self.vpc, pps=pps, count=count, flows=16, size=256).run()
        wait.until(lambda: relay.stats()["held"] == 0, 5, "the relay is empty")
        applied = relay.rule("fault")["applied"]
        relay.remove("fault")
        return verdict, applied, before

    def test_replays(self):
        verdict, applied, before = self.faulty("ba esp replay 100 100")
        self.lossless(verdict)
        self.assertGreaterEqual(applied, 4000)
        self.router.wait_drops({"esp-replay": applied}, before, *self.names)

    def test_old_replays(self):
        """Later than the window is wide: dropped all the same, whichever of the two reasons fits."""
        verdict, applied, before = self.faulty("ba esp replay 20 1500")
        self.lossless(verdict)

        def counted():
            now = self.router.drops(*self.names)
            return sum(now.get(r, 0) - before.get(r, 0) for r in ("esp-replay", "esp-replay-old")) == applied
        wait.until(counted, 3, f"{applied} replays are counted")

    def test_flipped_bits(self):
        """Bits anywhere behind the UDP header, SPI and sequence number included: never delivered."""
        verdict, applied, before = self.faulty("ba esp flip 10")
        self.assertEqual((verdict.lost, verdict.corrupted, verdict.duplicated), (applied, 0, 0), verdict)
        now = self.router.drops(*self.names)
        counted = {r: n - before.get(r, 0) for r, n in now.items() if n != before.get(r, 0)}
        self.assertEqual(sum(counted.values()), applied, counted)
        self.assertLessEqual(set(counted), {"esp-icv", "esp-unknown-spi", "esp-replay", "esp-replay-old"})
        self.assertGreater(counted["esp-icv"], applied * 0.8)

    def test_reordering_inside_the_window(self):
        verdict, applied, before = self.faulty("ba esp reorder 20 10")
        self.lossless(verdict)
        self.assertGreater(verdict.reorder_depth + applied, 100)
        self.router.wait_drops({}, before, *self.names)

    def test_truncated(self):
        verdict, applied, before = self.faulty("ba esp truncate 3", count=500)
        self.assertEqual((verdict.received, applied), (0, 500), verdict)
        self.router.wait_drops({"esp-truncated": applied}, before, *self.names)  # 3 bytes off: no longer in units of 4

    def test_loss(self):
        verdict, applied, before = self.faulty("ba esp loss 5")
        self.assertEqual((verdict.lost, verdict.duplicated), (applied, 0), verdict)
        self.router.wait_drops({}, before, *self.names)

    def test_negotiation_over_a_lossy_path(self):
        """C-08, in small: 30 % loss each way, duplicates, reordering; one pair of SAs at the end."""
        relay = self.world.uplink_relay
        for name, rule in (("l", "any ike loss 30"), ("d", "any ike dup 10"), ("r", "any ike reorder 10 1")):
            relay.add(name, rule)
        for _ in range(10 if tools.full() else 2):
            for i, charon in enumerate(self.world.dc[1].charons()):
                charon.terminate(f"dc1-{i + 1}", check=False)
            self.world.wait_up(60)
        for name in "ldr":
            relay.remove(name)
        self.one_pair(timeout=20)
        self.assertEqual(self.vpc.ping(self.dc), 3)

    def test_flipped_ike_messages_change_nothing(self):
        """V2-11: damage is dropped; what was asked is asked again."""
        relay = self.world.uplink_relay
        relay.add("flip", "any ike first 6 flip 100")
        self.router.ctl("tunnel", "rekey", "dc1/1")
        before = {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")}
        wait.until(lambda: relay.rule("flip")["applied"] >= 2, 10, "messages were damaged")
        wait.until(lambda: {sa["spi-in"] for sa in self.router.esp_sas("dc1/1")} - before, 20, "a new SA")
        relay.remove("flip")
        self.one_pair()


class Pair(Lab):
    """transitd against transitd: native ESP, no NAT, both ends of our own making."""

    release = True
    rounds = 20 if tools.full() else 4
    ike, ipsec = {}, {"encryption": "aes128gcm16", "dh-group": "group14", "esn": "yes"}

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.ends, cls.hosts = [], []
        addresses = ("203.0.113.10", "198.51.100.10")
        for i, address in enumerate(addresses):
            end = transitd.Transitd(f"tr{i + 1}")
            gateway = address.rsplit(".", 1)[0] + ".1"
            cls.inet.attach(end, None, 24, gateway, ifname="wan0")
            host = net.Host(f"host{i + 1}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254")
            site.VpcHosts(end, "lan0", {0: host})
            cls.ends.append(end)
            cls.hosts.append(host)
            end.start({
                "ports": {"wan0": {"device": "af_packet:wan0", "address": f"{address}/24", "gateway": gateway},
                          "lan0": {"device": "af_packet:lan0"}},
                "transit-router": {"name": f"tr-{i + 1}", "cidr": [address.rsplit(".", 1)[0] + ".32/28"]},
                "customer-gateways": {
                    f"peer-{n}": {"address": addresses[1 - i].rsplit(".", 1)[0] + f".{32 + n}"} for n in (1, 2)},
                "vpn-connections": {"site": {"mode": "dual", "tunnels": [
                    {"customer-gateway": f"peer-{n}",
                     "gateway-address": address.rsplit(".", 1)[0] + f".{32 + n}", "psk": world.PSK,
                     "apply-immediately": True, "dpd": {"interval": 1, "timeout": 3},
                     "ike": cls.ike, "ipsec": cls.ipsec}
                    for n in (1, 2)]}},
                "attachments": {
                    "site": {"kind": "vpn", "connection": "site", "routes": [{"prefix": f"10.{2 - i}.0.0/16"}]},
                    "vpc": {"kind": "vpc", "port": "lan0", "address": f"10.{i + 1}.255.254/16"}}})
            cls.routers.append(end)
        cls.watch(cls.inet, "tr1")
        for end in cls.ends:
            end.wait_up()

    def test_native_esp_on_the_wire(self):
        outside = capture.Capture(self.inet, "tr1", "esp", name="native").start()
        self.assertEqual(self.hosts[0].ping(self.hosts[1]), 3)
        wait.until(lambda: outside.count() >= 6, 3, "protocol 50 both ways")
        outside.stop()
        self.assertEqual(self.ends[0].tunnel("site/1")["inner-mtu"], 1446)

    def test_both_started_but_one_pair_is_left(self):
        for end in self.ends:
            for n in (1, 2):
                wait.until(lambda e=end, n=n: len(e.esp_sas(f"site/{n}")) == len(e.ike_sas(f"site/{n}")) == 1,
                           10, "one pair of SAs for each tunnel")

    def test_streams_and_tcp(self):
        verdict = tools.Stream(*self.hosts, pps=20000, count=40000, flows=64, size=512).run()
        self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0), verdict)
        self.assertGreater(tools.mbit(tools.iperf(*self.hosts, 1, streams=2)), 10)

    def test_rekey_under_load_from_both_ends(self):
        streams = [tools.Stream(*pair, pps=10000, flows=32, size=256).start()
                   for pair in (self.hosts, self.hosts[::-1])]
        for _ in range(self.rounds):
            for tunnel in ("site/1", "site/2"):
                for what in ("child", "ike"):
                    for end in self.ends:
                        end.ctl("tunnel", "rekey", tunnel, what)
                    self.settled(tunnel)
        for stream in streams:
            verdict = stream.finish()
            self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)

    def settled(self, tunnel):
        """One pair on both ends, and the same one."""
        def same():
            one, other = (end.esp_sas(tunnel) for end in self.ends)
            return len(one) == len(other) == 1 and one[0]["spi-in"] == other[0]["spi-out"] and \
                all(len(end.ike_sas(tunnel)) == 1 for end in self.ends)
        wait.until(same, 10, f"one pair of SAs for {tunnel}")

    def test_one_end_killed(self):
        self.ends[1].kill()
        self.ends[1].start()
        for end in self.ends:
            end.wait_up(timeout=30)
        self.assertEqual(self.hosts[0].ping(self.hosts[1]), 3)
