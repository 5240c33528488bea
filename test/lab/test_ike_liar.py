# SPDX-License-Identifier: BSD-3-Clause
"""A peer that holds the key and lies (I1 - I23), against the whole router: it lives, and its neighbour loses nothing."""

import os
import struct

from rig import mini_ike, net, process, site, strongswan, tools, transitd, wait, world
from rig.case import Lab
from rig.mini_ike import (AUTH, CREATE_CHILD_SA, DELETE, IDI, IDR, IKE_AUTH, INFORMATIONAL, KE, NONCE, NOTIFY, SA,
                          SA_INIT, TSI, TSR, delete, esp_proposal, notifies, notify, selector, selectors)

LIAR = "192.0.2.200"
OURS = "203.0.113.40"
KEY = "key-of-the-liar"


class Liar(Lab):
    """Beside dc1, which carries a stream all the time, one tunnel whose peer is a program of this test."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        config = world.config(dcs=(1,))
        config["vpn-connections"]["dc1"]["ha"] = "active-standby"
        config["customer-gateways"]["liar"] = {"address": LIAR}
        config["vpn-connections"]["liar"] = {"mode": "single", "tunnels": [
            {"customer-gateway": "liar", "gateway-address": OURS, "psk": KEY, "dpd": {"interval": 300, "timeout": 900},
             "ike": {"encryption": "aes256", "authentication": "sha256", "dh-group": "group31"},
             "ipsec": {"encryption": "aes128gcm16", "dh-group": "disabled"}}]}
        config["attachments"]["liar"] = {"kind": "vpn", "connection": "liar", "routes": [{"prefix": "10.77.0.0/16"}]}
        cls.router = cls.world.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(active_standby=True)
        cls.gateway = net.Netns("liar")
        cls.world.inet.attach(cls.gateway, LIAR, 30, "192.0.2.201")
        cls.router.wait_up("dc1/1", "dc1/2", timeout=30)
        cls.world.dc[1].wait_up(30)
        cls.peer = mini_ike.Peer(cls.gateway, LIAR, OURS, KEY)
        cls.world.vpc["vpc-a"].ping(cls.world.dc[1].host)

    def setUp(self):
        self.stream = tools.Stream(self.world.vpc["vpc-a"], self.world.dc[1].host, pps=500, flows=8).start()

    def tearDown(self):
        super().tearDown()
        verdict = self.stream.finish()
        self.assertEqual((verdict.lost, verdict.duplicated, verdict.misdelivered), (0, 0, 0), verdict)

    def children(self):
        return len(self.router.esp_sas("liar/1"))

    def still_serves(self):
        """A new, honest attempt comes up."""
        self.peer.up()
        wait.until(lambda: self.router.tunnel("liar/1")["state"] == "up", 5, "the honest peer is up")

    def test_honest(self):
        """The program speaks IKEv2 well enough to be believed when it lies."""
        answer = self.peer.up()
        self.assertEqual({kind for kind, _ in answer} & {IDR, AUTH, SA, TSI, TSR}, {IDR, AUTH, SA, TSI, TSR})
        self.assertEqual(self.children(), 1)
        self.assertEqual(self.peer.request(INFORMATIONAL, []), [])

    def test_lengths_of_datagrams(self):
        """I1, I13."""
        for length in range(0, 60):
            self.peer.send(os.urandom(length))
        good = self.peer.plain(SA_INIT, self.peer.init_payloads())
        for claimed in (0, 27, len(good) - 1, len(good) + 1, 0xffffffff):
            self.peer.send(good[:24] + struct.pack("!I", claimed) + good[28:])
        self.assertIsNone(self.peer.receive())
        self.still_serves()

    def late(self):
        return next(row["late"] for row in self.router.ctl("show", "punts") if row["class"] == "ike-init")

    def test_requests_that_waited_too_long(self):
        """While control is away requests pile up; their senders have given up, and to answer is work for nothing."""
        before = self.late()
        self.peer.restart()
        with process.Stopped(self.router.process.pid):
            self.peer.send(self.peer.plain(SA_INIT, self.peer.init_payloads()))
            for _ in range(2):  # 4 s, where 2 s are late
                self.assertIsNone(self.peer.receive())
        wait.until(lambda: self.late() == before + 1, 5, "the request is dropped")
        self.assertIsNone(self.peer.receive())
        self.still_serves()

    def test_payload_chains(self):
        """I2, I3, I9, I14."""
        self.peer.restart()
        payloads = self.peer.init_payloads()
        for i in range(len(payloads)):
            self.peer.send(self.peer.plain(SA_INIT, payloads[:i] + payloads[i + 1:]))
            self.peer.send(self.peer.plain(SA_INIT, payloads + [payloads[i]]))
        self.peer.send(self.peer.plain(SA_INIT, payloads + [(43, os.urandom(20))] * 50))
        self.peer.send(self.peer.plain(SA_INIT, payloads + [(43, os.urandom(60000))]))
        self.peer.send(self.peer.plain(SA_INIT, [((200, True), b"what")] + payloads))
        for flags in range(256):
            self.peer.send(self.peer.plain(SA_INIT, payloads, flags=flags))
        for exchange in range(256):
            self.peer.send(self.peer.plain(exchange, payloads))
        self.peer.drain()
        self.still_serves()

    def test_key_exchange_values(self):
        """I5, I6: nobody gets an SA for a value that RFC 6989 or 7748 refuses."""
        for group, value in ((31, bytes(32)), (31, b"\x01" + bytes(31)), (31, bytes(31)), (31, bytes(33)), (0, b""),
                             (14, bytes(256)), (65535, bytes(32))):
            self.peer.restart()
            self.peer.send(self.peer.plain(SA_INIT, [(SA, mini_ike.IKE_PROPOSAL),
                                                     (KE, struct.pack("!HH", group, 0) + value),
                                                     (NONCE, os.urandom(32))]))
            answer = self.peer.receive()
            self.assertTrue(answer is None or answer[8:16] == bytes(8), (group, len(value)))
        for length in (0, 15, 257):
            self.peer.restart()
            payloads = self.peer.init_payloads()
            payloads[2] = (NONCE, os.urandom(length))
            self.peer.send(self.peer.plain(SA_INIT, payloads))
            self.assertIsNone(self.peer.receive(), length)
        self.still_serves()

    def test_before_authentication(self):
        """I8, V2-27: under the right SK keys, but before IKE_AUTH."""
        for exchange in (CREATE_CHILD_SA, INFORMATIONAL):
            self.peer.restart()
            self.peer.init()
            self.assertIsNone(self.peer.request(exchange, self.peer.child_payloads()))
            self.peer.next_id = 1
            self.assertIn(AUTH, dict(self.peer.auth()))

    def test_wrong_proof_and_identity(self):
        """V2-09, I17: one answer, whichever of the two is wrong; text of the peer is harmless in log and show."""
        answers = set()
        for identity in (None, b"\x02\0\0\0%s%s%n\x1b[31m\n\0x", b"\xff\0\0\0", b"\x02\0\0\0" + b"x" * 900, b""):
            self.peer.restart()
            self.peer.init()
            proof = bytes(36) if identity is None else self.peer.proof(identity)
            answer = self.peer.request(IKE_AUTH, [(IDI, self.peer.id if identity is None else identity), (AUTH, proof),
                                                  *self.peer.child_payloads()])
            answers.add(tuple(notifies(answer)) if answer else None)
            self.assertNotIn("\x1b", self.router.text("show", "tunnels"))
        self.assertEqual(answers - {(mini_ike.INVALID_SYNTAX,)}, {(mini_ike.AUTHENTICATION_FAILED,)})
        self.assertNotIn("\x1b[31m", self.router.process.output())
        self.still_serves()

    def test_selectors(self):
        """I16: the Child SA is refused, the IKE SA lives, unless the message is malformed."""
        cases = {
            "none": selectors(), "255 of them": selectors(selector(), count=255),
            "start behind end": selectors(selector("9.9.9.9", "1.1.1.1")),
            "ports inverted": selectors(selector(ports=(500, 100))),
            "opaque": selectors(selector(ports=(65535, 0))),
            "IPv4 as long as IPv6": selectors(selector(length=40)),
            "of IPv6": selectors(selector(kind=8)),
        }
        for name, body in cases.items():
            for which in (TSI, TSR):
                self.peer.up()
                answer = self.peer.create_child([(SA, esp_proposal(os.urandom(4))), (NONCE, os.urandom(32)),
                                                 (TSI, body if which == TSI else selectors(selector())),
                                                 (TSR, body if which == TSR else selectors(selector()))])
                self.assertIsNotNone(answer, name)
                self.assertTrue(set(notifies(answer)) & {mini_ike.TS_UNACCEPTABLE, mini_ike.INVALID_SYNTAX}, name)
        self.still_serves()

    def test_rekeys_of_what_is_not_there(self):
        """I18, V2-18."""
        self.peer.up()
        others = [bytes.fromhex(sa["spi-in"]) for sa in self.router.esp_sas("dc1/1")]
        for protocol, spi in [(3, b"\xde\xad\xbe\xef"), (3, bytes(4)), (0, b""), (1, bytes(8)), (2, bytes(4)),
                              (3, bytes(8)), *((3, spi) for spi in others)]:
            answer = self.peer.create_child([notify(mini_ike.REKEY_SA, protocol=protocol, spi=spi),
                                             (SA, esp_proposal(os.urandom(4))), (NONCE, os.urandom(32)),
                                             (TSI, selectors(selector())), (TSR, selectors(selector()))])
            self.assertIn(mini_ike.CHILD_SA_NOT_FOUND, notifies(answer), (protocol, spi))
        self.assertEqual(self.children(), 1)

    def test_deletes(self):
        """I19: of SPIs of others, doubled, 0 and 300 of them, and of an IKE SA with more behind it."""
        self.peer.up()
        others = [bytes.fromhex(sa["spi-in"]) for sa in self.router.esp_sas("dc1/1")]
        for body in (delete(3), delete(3, *others), delete(3, b"\xde\xad\xbe\xef"), delete(2, bytes(4)),
                     delete(3, *[os.urandom(4)] * 300)):
            self.assertIsNotNone(self.peer.request(INFORMATIONAL, [body]))
            self.assertEqual(self.children(), 1)
        self.assertEqual(len(self.router.esp_sas("dc1/1")), len(others))
        self.peer.request(INFORMATIONAL, [delete(1), delete(3, self.peer.spi), notify(40000, os.urandom(100))])
        wait.until(lambda: self.children() == 0, 5, "the IKE SA is gone with its Child SA")
        self.still_serves()

    def test_many_children(self):
        """I23: NO_ADDITIONAL_SAS at the limit; what there was stays."""
        self.peer.up()
        refused = 0
        for _ in range(100):
            self.peer.spi = b"\x41" + os.urandom(3)
            refused += mini_ike.NO_ADDITIONAL_SAS in notifies(self.peer.create_child())
        self.assertTrue(30 <= refused < 100, refused)
        self.assertLessEqual(self.children(), 64)
        self.peer.request(INFORMATIONAL, [delete(1)])
        wait.until(lambda: self.children() == 0, 5, "all go with the IKE SA")

    def test_extensions_and_unknown_payloads(self):
        """I22, V2-12, V2-23: declined without a word, or refused when critical."""
        self.peer.up()
        for kind in (16387, 16391, 16392, 16396, 16397, 16399, 16400, 16404, 16407, 16412, 16420, 16425, 16435, 16442, 40000):
            self.assertEqual(notifies(self.peer.request(INFORMATIONAL, [notify(kind, os.urandom(16))])), [])
        for payload in ((47, b"\x01\0\0\0"), (48, b"\x01\x01\0\x04"), (37, b"\x04garbage"), (222, b"what is it")):
            self.assertEqual(notifies(self.peer.request(INFORMATIONAL, [payload])), [])
        answer = self.peer.request(INFORMATIONAL, [((222, True), b"what is it")])
        self.assertEqual(notifies(answer), [mini_ike.UNSUPPORTED_CRITICAL_PAYLOAD])
        self.assertEqual(self.router.tunnel("liar/1")["state"], "up")

    def test_fragments(self):
        """I11, V2-24: numbers that cannot be, and a message in pieces of one byte, in any order."""
        self.peer.up()
        for fragment in ((0, 1), (2, 1), (0, 0), (1, 65535), (65535, 65535), (1, 0)):
            self.peer.send(self.peer.seal(INFORMATIONAL, (0, b"x"), fragment=fragment))
        for total in (2, 3, 2):
            self.peer.send(self.peer.seal(INFORMATIONAL, (41, b"\0\0\0\x08"), fragment=(1, total)))
        first, text = mini_ike.chain([notify(40000, b"")])
        pieces = list(range(1, len(text) + 1))
        for number in pieces[::-1] + pieces:  # reversed, and again
            self.peer.send(self.peer.seal(INFORMATIONAL, (first, text[number - 1:number]),
                                          fragment=(number, len(text))))
        message = self.peer.receive()
        self.assertIsNotNone(message, "the message is put together and answered")
        self.assertEqual(self.peer.open(message), [])
        self.peer.next_id += 1
        self.peer.drain()
        self.assertEqual(self.peer.request(INFORMATIONAL, []), [])

    def test_message_ids(self):
        """V2-03: old and future ones have no effect; the last one is answered with the same bytes (V2-01)."""
        self.peer.up()
        request = self.peer.seal(INFORMATIONAL, [])
        answers = set()
        for _ in range(3):
            self.peer.send(request)
            answers.add(self.peer.receive())
        self.assertEqual(len(answers), 1)
        self.peer.next_id += 1
        for message_id in (0, self.peer.next_id - 2, self.peer.next_id + 1, 0xffffffff):
            self.peer.send(self.peer.seal(INFORMATIONAL, [delete(1)], message_id=message_id))
        self.peer.send(self.peer.seal(INFORMATIONAL, [delete(1)], flags=mini_ike.INITIATOR | mini_ike.RESPONSE))
        self.assertIsNone(self.peer.receive())
        self.assertEqual(self.peer.request(INFORMATIONAL, []), [])

    def test_flipped_bits(self):
        """V2-11: not one of them is answered or changes the SA."""
        self.peer.up()
        request = self.peer.seal(INFORMATIONAL, [delete(1)])
        for i in range(28 * 8, len(request) * 8):
            broken = bytearray(request)
            broken[i // 8] ^= 1 << i % 8
            self.peer.send(bytes(broken))
        self.assertIsNone(self.peer.receive())
        self.assertEqual(self.children(), 1)
        self.assertEqual(self.peer.request(INFORMATIONAL, []), [])
