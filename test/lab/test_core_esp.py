# SPDX-License-Identifier: BSD-3-Clause
"""ESP against a peer that holds the keys and breaks the rules (conformance 2.3; inputs E1 to E6)."""

import random
import struct

from rig import capture, esp, manual, wait
from rig.manual import OURS, PEER

WINDOW = 64


class ManualKeys(manual.ManualSite):
    """transitd with manual keys; scapy at the other end; a host in a VPC network behind."""

    @classmethod
    def build(cls):
        cls.wire()
        other = esp.EspPeer("192.0.2.77", "203.0.113.34", spi_in=0x2002, spi_out=0x1002, aead=cls.aead)
        config, keyed_other = cls.config(), other.config()
        ours = config["vpn-connections"]["mk"]
        flow = {"mode": "single", "keying": "manual", "routing-mode": "flow-protection", "local-cidrs": ["10.1.0.0/16"]}
        ours.update(flow, **{"peer-cidrs": ["10.11.0.0/16"]})
        config["customer-gateways"]["other"] = {"address": "192.0.2.77"}
        config["vpn-connections"]["other"] = {
            **flow, "peer-cidrs": ["10.12.0.0/16"],
            "tunnels": [{"customer-gateway": "other", "gateway-address": "203.0.113.34", **keyed_other}]}
        for connection in config["vpn-connections"].values():
            connection["tunnels"][0]["ipsec"]["replay-window"] = WINDOW
        config["attachments"].update({name: {"kind": "vpn", "connection": name} for name in ("mk", "other")})
        cls.router.start(config)
        cls.routers.append(cls.router)
        mac = next(p["mac"] for p in cls.router.ctl("show", "ports") if p["name"] == "wan0")
        cls.outside = esp.Outside(cls.inet, "tr", mac)
        cls.vpc.ping(cls.vpc.gateway, count=1)  # the router knows its neighbour: no packet has to wait for ARP
        cls.seq = 0
        cls.random = random.Random(7)

    def setUp(self):
        self.got = esp.Collector(self.vpc)
        self.addCleanup(self.got.stop)

    def inner(self, number, source="10.11.0.1", to=None):
        return esp.datagram(source, to or self.vpc.address, number)

    def fresh(self, count=1):
        """New sequence numbers, above all that were used."""
        first = type(self).seq + 1
        type(self).seq += count
        return range(first, first + count)

    def sealed(self, number=None):
        seq = self.fresh()[0]
        return self.peer.seal(self.inner(number or seq), seq)

    def expect(self, numbers, drops, before):
        """Exactly these arrive (any order), and exactly these drops are counted."""
        wait.until(lambda: len(self.got.numbers) >= len(numbers), 3, "the good packets arrive")
        self.router.wait_drops(drops, before)
        self.assertEqual(sorted(self.got.numbers), sorted(numbers))

    def test_good_packets_arrive(self):
        before, seqs = self.router.drops(), self.fresh(100)
        self.outside.send(*(self.peer.seal(self.inner(s), s) for s in seqs))
        self.expect(seqs, {}, before)

    def test_packets_to_the_peer_open_and_count_up(self):
        seen = capture.Capture(self.inet, "tr", f"esp and dst host {PEER}", name="to-peer").start()
        self.vpc.ping("10.11.0.1", count=50, interval=0.01, wait_s=0.2)
        wait.until(lambda: seen.count() == 50, 5, "fifty packets")
        packets = seen.stop().packets()
        numbers = [p["ESP"].seq for p in packets]
        ivs = {p["ESP"].data[:8] for p in packets}
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 50)))
        for packet in packets:
            inner = self.peer.open(packet)
            self.assertEqual((inner["IP"].src, inner["IP"].dst), (self.vpc.address, "10.11.0.1"))
            self.assertEqual(inner["IP"].ttl, 63)
        self.assertEqual(len(ivs), 50, "no IV twice")

    def test_every_replay_is_dropped(self):
        before, seqs = self.router.drops(), self.fresh(WINDOW)
        packets = [self.peer.seal(self.inner(s), s) for s in seqs]
        self.outside.send(*packets)
        self.outside.send(*packets)
        self.outside.send(*self.random.sample(packets, len(packets)))
        self.expect(seqs, {"esp-replay": 2 * WINDOW}, before)

    def test_late_but_inside_the_window(self):
        before, seqs = self.router.drops(), self.fresh(WINDOW)
        order = [seqs[-1], *self.random.sample(list(seqs[:-1]), WINDOW - 1)]
        self.outside.send(*(self.peer.seal(self.inner(s), s) for s in order))
        self.expect(seqs, {}, before)

    def test_left_of_the_window(self):
        before, seqs = self.router.drops(), self.fresh(WINDOW + 1)
        self.outside.send(self.peer.seal(self.inner(seqs[-1]), seqs[-1]), self.peer.seal(self.inner(1), seqs[0]))
        self.expect([seqs[-1]], {"esp-replay-old": 1}, before)

    def test_forged_packet_does_not_move_the_window(self):
        before, low = self.router.drops(), self.fresh()[0]
        high = low + 100000
        forged = bytearray(self.peer.seal(self.inner(high), high))
        forged[-1] ^= 1
        self.outside.send(forged, self.peer.seal(self.inner(low), low))
        self.expect([low], {"esp-icv": 1}, before)

    def test_any_flipped_bit(self):
        """E6: each byte behind the ESP header once; 0 delivered, each counted as an integrity failure."""
        before, good = self.router.drops(), self.sealed()
        flips = []
        for at in range(28, len(good)):
            bad = bytearray(good)
            bad[at] ^= 1 << self.random.randrange(8)
            flips.append(bytes(bad))
        self.outside.send(*flips)
        self.expect([], {"esp-icv": len(flips)}, before)
        self.outside.send(good)
        wait.until(lambda: self.got.numbers == [self.seq], 3, "the original is still good")

    def test_truncated(self):
        """E1: every length from the ESP header to the whole less one."""
        before, good = self.router.drops(), self.sealed()
        cut = []
        for length in range(20, len(good)):
            packet = bytearray(good[:length])
            struct.pack_into("!H", packet, 2, length)
            packet[10:12] = b"\0\0"
            total = sum(struct.unpack("!10H", packet[:20]))
            total = (total & 0xffff) + (total >> 16)
            struct.pack_into("!H", packet, 10, ~(total + (total >> 16)) & 0xffff)
            cut.append(bytes(packet))
        self.outside.send(*cut)
        wait.until(lambda: sum(self.router.drops().values()) == sum(before.values()) + len(cut), 3,
                   "each is counted")
        reasons = {r for r, n in self.router.drops().items() if n != before.get(r, 0)}
        self.assertLessEqual(reasons, {"esp-truncated", "esp-icv"})
        self.assertEqual(self.got.numbers, [])

    def test_unknown_and_foreign_spi(self):
        before = self.router.drops()
        stranger = esp.EspPeer(PEER, OURS, 0x2001, 0x9999, aead=self.aead)
        thief = esp.EspPeer(PEER, OURS, 0x2001, 0x1002, aead=self.aead)
        self.outside.send(*(stranger.seal(self.inner(s), s) for s in range(1, 6)),
                          *(thief.seal(self.inner(s), s) for s in range(1, 6)))
        self.expect([], {"esp-unknown-spi": 5, "esp-wrong-peer": 5}, before)

    def test_inner_address_outside_the_selectors(self):
        """ES-09: not another customer's, not the router's own, not a foreign destination."""
        before, seqs = self.router.drops(), self.fresh(4)
        lies = [self.inner(1, source="10.12.0.1"), self.inner(2, source="10.1.255.254"),
                self.inner(3, to="10.12.0.1"), self.inner(4, source="203.0.113.10")]
        self.outside.send(*(self.peer.seal(lie, s) for lie, s in zip(lies, seqs)))
        self.expect([], {"esp-selector": 4}, before)

    def test_dummy_packets_are_dropped_silently(self):
        """ES-18: next header 59."""
        before, seq = self.router.drops(), self.fresh()[0]
        self.outside.send(self.peer.seal(bytes(40), seq, esp.NO_NEXT_HEADER))
        self.expect([], {"esp-dummy": 1}, before)

    def test_inner_headers_that_lie(self):
        """E3, E4: next header, version, header length and total length that do not fit are dropped."""
        before, seqs = self.router.drops(), self.fresh(5)
        good = bytes(self.inner(1))
        lies = [bytes([0x95]) + good[1:], bytes([0x44]) + good[1:],
                good[:2] + struct.pack("!H", len(good) + 100) + good[4:], good[:12]]
        self.outside.send(*(self.peer.seal(lie, s) for lie, s in zip(lies, seqs)),
                          self.peer.seal(good, seqs[-1], next_header=17))
        wait.until(lambda: sum(self.router.drops().values()) == sum(before.values()) + 5, 3, "each is counted")
        reasons = {r for r, n in self.router.drops().items() if n != before.get(r, 0)}
        self.assertLessEqual(reasons, {"ip-malformed", "esp-padding"})
        self.assertEqual(self.got.numbers, [])


class ManualKeysCbc(ManualKeys):
    """The same with AES-CBC and HMAC-SHA1."""

    aead = False
