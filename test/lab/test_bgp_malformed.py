# SPDX-License-Identifier: BSD-3-Clause
"""A peer that sends what it should not, beside three that must not notice: every class of RFC 7606, errors of headers
and OPENs, loops, unknown attributes, and a peer that reads nothing (G1-G10, BG-02, BG-03, BG-15, BG-17, C-46)."""

import struct

from rig import bgp, bgp_feed, bgp_raw, net, process, site, tools, transitd, wait
from rig.bgp_raw import (AS_PATH, COMMUNITY, EXTENDED, KEEPALIVE, MED, NEXT_HOP, NOTIFICATION, OPEN, OPTIONAL, ORIGIN,
                         PARTIAL, REFRESH, TRANSITIVE, UPDATE, WELL_KNOWN, Raw, as_path, attr, body, message, nlri)
from rig.case import Lab

US, RAW = 45104, 65035
OTHERS = ("bird", "frr", "gobgp")
LINES = (*OTHERS, "raw", "ear")
ROUTES = 100000 if tools.full() else 10000
FLAPPED = "172.31.0.0/24"
HOP = bytes((10, 200, 4, 2))


def far(kind):
    return f"10.200.{LINES.index(kind) + 1}.2"


def near(kind):
    return f"10.200.{LINES.index(kind) + 1}.1"


def asn(kind):
    return 65032 + LINES.index(kind)


def with_(code, flags, value, drop=None, extra=b""):
    """The attributes of an UPDATE, one of them replaced or added (`flags` None: left out)."""
    good = {ORIGIN: (WELL_KNOWN, b"\0"), AS_PATH: (WELL_KNOWN, as_path(RAW)), NEXT_HOP: (WELL_KNOWN, HOP)}
    if flags is None:
        del good[code]
    else:
        good[code] = (flags, value)
    return b"".join(attr(f, c, v) for c, (f, v) in sorted(good.items())) + extra


# Attributes, each with the route FLAPPED, which is in the table before: withdrawn then, the session stays.
WITHDRAW = {
    "ORIGIN 3": with_(ORIGIN, WELL_KNOWN, b"\x03"),
    "ORIGIN of 0 octets": with_(ORIGIN, WELL_KNOWN, b""),
    "ORIGIN of 2 octets": with_(ORIGIN, WELL_KNOWN, b"\0\0"),
    "ORIGIN optional": with_(ORIGIN, TRANSITIVE, b"\0"),
    "ORIGIN not transitive": with_(ORIGIN, 0, b"\0"),
    "no ORIGIN": with_(ORIGIN, None, b""),
    "AS_PATH of 1 octet": with_(AS_PATH, WELL_KNOWN, b"\x02"),
    "AS_PATH with segment type 9": with_(AS_PATH, WELL_KNOWN, as_path(RAW, kind=9)),
    "AS_PATH with an empty segment": with_(AS_PATH, WELL_KNOWN, as_path(RAW) + b"\x02\0"),
    "AS_PATH that overruns": with_(AS_PATH, WELL_KNOWN, b"\x02\x05" + as_path(RAW)[2:]),
    "AS_PATH with one octet more": with_(AS_PATH, WELL_KNOWN, as_path(RAW) + b"\x02"),
    "AS_PATH with AS 0": with_(AS_PATH, WELL_KNOWN, as_path(RAW, 0)),
    "AS_SET": with_(AS_PATH, WELL_KNOWN, as_path(RAW) + as_path(64500, 64501, kind=1)),
    "AS_CONFED_SEQUENCE": with_(AS_PATH, WELL_KNOWN, as_path(RAW, kind=3)),
    "another AS first": with_(AS_PATH, WELL_KNOWN, as_path(64999, RAW)),
    "no AS_PATH": with_(AS_PATH, None, b""),
    "NEXT_HOP of 3 octets": with_(NEXT_HOP, WELL_KNOWN, HOP[:3]),
    "NEXT_HOP of 5 octets": with_(NEXT_HOP, WELL_KNOWN, HOP + b"\0"),
    "NEXT_HOP 0.0.0.0": with_(NEXT_HOP, WELL_KNOWN, bytes(4)),
    "NEXT_HOP 127.0.0.1": with_(NEXT_HOP, WELL_KNOWN, b"\x7f\0\0\x01"),
    "NEXT_HOP 224.0.0.1": with_(NEXT_HOP, WELL_KNOWN, b"\xe0\0\0\x01"),
    "NEXT_HOP optional": with_(NEXT_HOP, OPTIONAL, HOP),
    "no NEXT_HOP": with_(NEXT_HOP, None, b""),
    "MED of 3 octets": with_(MED, OPTIONAL, bytes(3)),
    "MED transitive": with_(MED, TRANSITIVE, bytes(4)),
    "COMMUNITIES of 0 octets": with_(COMMUNITY, TRANSITIVE, b""),
    "COMMUNITIES of 5 octets": with_(COMMUNITY, TRANSITIVE, bytes(5)),
    "EXTENDED_COMMUNITIES of 7 octets": with_(16, TRANSITIVE, bytes(7)),
    "IPV6_EXTENDED_COMMUNITIES of 19 octets": with_(25, TRANSITIVE, bytes(19)),
    "LARGE_COMMUNITIES of 11 octets": with_(32, TRANSITIVE, bytes(11)),
    "LARGE_COMMUNITIES not transitive": with_(32, OPTIONAL, bytes(12)),
    "an attribute that overruns the rest": with_(MED, OPTIONAL, bytes(4), extra=bytes((TRANSITIVE, 8, 200, 1, 2))),
    "a header that is cut off": with_(MED, OPTIONAL, bytes(4), extra=bytes((TRANSITIVE, 8))),
}
# The route is taken, without that attribute.
DISCARD = {
    "ATOMIC_AGGREGATE of 1 octet": with_(6, WELL_KNOWN, b"\0"),
    "AGGREGATOR of 6 octets": with_(7, TRANSITIVE, bytes((0, 1, 10, 0, 0, 1))),
    "AGGREGATOR of AS 0": with_(7, TRANSITIVE, bytes(8)),
    "LOCAL_PREF from an external peer": with_(5, WELL_KNOWN, bytes(4)),
    "LOCAL_PREF of 3 octets from an external peer": with_(5, WELL_KNOWN, bytes(3)),
    "ORIGINATOR_ID from an external peer": with_(9, OPTIONAL, bytes(4)),
    "CLUSTER_LIST from an external peer": with_(10, OPTIONAL, bytes(5)),
    "a second ORIGIN": with_(ORIGIN, WELL_KNOWN, b"\0", extra=attr(WELL_KNOWN, ORIGIN, b"\x02")),
    "a second MED": with_(MED, OPTIONAL, bytes(4), extra=attr(OPTIONAL, MED, bytes(3))),
}
# Odd, but right.
TAKEN = {
    "ORIGIN with an extended length": with_(ORIGIN, WELL_KNOWN | EXTENDED, b"\0"),
    "low bits of the flags": with_(ORIGIN, WELL_KNOWN | 0x0F, b"\0"),
    "an unknown attribute, not transitive": with_(200, OPTIONAL, bytes(300)[:200]),
    "AS4_PATH from a speaker of 4 octets": with_(17, TRANSITIVE, as_path(64512)),
    "MP_REACH_NLRI of a family that was not negotiated":
        with_(14, OPTIONAL, b"\0\x02\x01\x10" + bytes(15) + b"\x01\0" + b"\x40" + bytes(8)),
    "attributes in another order": attr(WELL_KNOWN, NEXT_HOP, HOP) + attr(WELL_KNOWN, AS_PATH, as_path(RAW))
        + attr(WELL_KNOWN, ORIGIN, b"\0"),
}
# Whole bodies: what is announced cannot be told any more, so the session ends, with this code and subcode.
RESET = {
    "withdrawn routes longer than the message": (b"\x00\x50\x00\x00", (3, 1)),
    "attributes longer than the message": (b"\x00\x00\x00\x50", (3, 1)),
    "prefix length 33": (body(with_(ORIGIN, WELL_KNOWN, b"\0"), b"\x21\x0a\0\0\0\0"), (3, 10)),
    "prefix length 255": (body(with_(ORIGIN, WELL_KNOWN, b"\0"), b"\xff" + bytes(31)), (3, 10)),
    "a prefix that is cut off": (body(with_(ORIGIN, WELL_KNOWN, b"\0"), b"\x18\x0a\0"), (3, 10)),
    "a withdrawn prefix of length 64": (body(withdrawn=b"\x40" + bytes(8)), (3, 10)),
    "an unknown well-known attribute": (body(with_(201, WELL_KNOWN, b"\0"), nlri(FLAPPED)), (3, 2)),
    "two MP_REACH_NLRI": (body(with_(14, OPTIONAL, b"\0\x02\x01\0\0", extra=attr(OPTIONAL, 14, b"\0\x02\x01\0\0")),
                               nlri(FLAPPED)), (3, 1)),
    "MP_REACH_NLRI that is cut off": (body(with_(14, OPTIONAL, b"\0\x01\x01\x04\x0a"), nlri(FLAPPED)), (3, 9)),
    "MP_UNREACH_NLRI of 2 octets": (body(attr(OPTIONAL, 15, b"\0\x01")), (3, 9)),
    "MP_UNREACH_NLRI with prefix length 40": (body(attr(OPTIONAL, 15, b"\0\x01\x01\x28" + bytes(5))), (3, 9)),
}


class Updates:
    """BIRD with many routes, FRR, GoBGP, and two speakers of the test's own: `raw` talks, `ear` listens. What all of them do
    wherever `raw` is: every class of RFC 7606, loops, unknown attributes."""

    timeout = 240

    @staticmethod
    def name(kind):
        return f"line-{kind}"

    @classmethod
    def begin(cls, raw):
        """The router runs; `raw` may connect."""
        cls.ask = bgp_feed.AskTransitd(cls.router.socket)
        many = process.log_path("many.conf")
        with open(many, "w") as out:
            out.writelines(f"route 20.{i >> 8}.{i & 255}.0/24 blackhole;\n" if i < 65536 else
                           f"route 21.{i >> 8 & 255}.{i & 255}.0/24 blackhole;\n" for i in range(ROUTES))
        cls.speaker = {}
        for kind in OTHERS:
            extra = {"include": many} if kind == "bird" else {}
            cls.speaker[kind] = bgp.KINDS[kind](cls.host[kind], kind, asn(kind), [bgp.Session(far(kind), near(kind))],
                                                [f"10.{60 + LINES.index(kind)}.0.0/16"], **extra).start()
        cls.raw = raw
        cls.ear = Raw(cls.host["ear"], far("ear"), near("ear"), asn("ear"))
        for kind in OTHERS:
            wait.until(lambda: cls.row(kind)["state"] == "Established", 40, f"{kind} is established", step=0.1)
        cls.ear.establish()
        for kind in ("frr", "gobgp", "ear"):
            wait.until(lambda: cls.row(kind)["advertised-prefixes"] >= ROUTES, 60, f"{kind} is told all", step=0.1)
        cls.lost_before = cls.losses()

    @classmethod
    def row(cls, kind):
        return next(r for r in cls.ask.ask("show", "bgp") if r["name"] == cls.name(kind))

    @classmethod
    def losses(cls):
        return {k: cls.row(k)["bgp_lost"] for k in OTHERS}

    def setUp(self):
        self.establish()

    def tearDown(self):
        """Whatever the test did: the others have their first session and all their routes."""
        self.raw.close()
        self.assertEqual(self.losses(), self.lost_before, "other sessions were lost")
        self.assertGreaterEqual(self.row("bird")["accepted-prefixes"], ROUTES)
        self.assertGreaterEqual(self.row("frr")["advertised-prefixes"], ROUTES)
        super().tearDown()

    def establish(self, **how):
        self.hang_up()
        self.ask.ask("bgp", "enable", self.name("raw"))  # forgets the pause after a failure
        self.raw.establish(**how)
        wait.until(lambda: self.row("raw")["state"] == "Established", 10, "the raw speaker is established")

    def hang_up(self):
        self.raw.close()
        wait.until(lambda: self.row("raw")["state"] != "Established", 10, "the last session is over")

    def received(self):
        """How many prefixes of the raw speaker are kept."""
        return self.row("raw")["received-prefixes"]

    def send_update(self, octets):
        """Returns when the router has read it: (counters before, after)."""
        before = self.row("raw")
        self.raw.send(message(UPDATE, octets))
        wait.until(lambda: self.row("raw")["bgp_updates_received"] > before["bgp_updates_received"], 10,
                   "the UPDATE is read", step=0.005)
        return before, self.row("raw")

    def announce(self, *prefixes, **how):
        return self.send_update(body(self.raw.good(**how), nlri(*prefixes)))

    def table_has(self, prefix, there=True, timeout=10):
        wait.until(lambda: any(r["prefix"] == prefix and r["used"] for r in self.routes(prefix)) == there, timeout,
                   f"{prefix} {'is in' if there else 'has left'} the table")

    def routes(self, prefix):
        return [r for r in self.router.ctl("show", "routes", "default") if r["prefix"] == prefix]

    # ---- RFC 7606 ----

    def malformed(self, attributes):
        """The session before and after: a sound route first, then the same with these attributes."""
        self.announce(FLAPPED)
        self.assertEqual(self.received(), 1)
        return self.send_update(body(attributes, nlri(FLAPPED)))

    def test_treat_as_withdraw(self):
        for name, attributes in WITHDRAW.items():
            with self.subTest(name):
                before, after = self.malformed(attributes)
                self.assertEqual(self.received(), 0, name)
                self.assertEqual(after["bgp_treated_as_withdraw"], before["bgp_treated_as_withdraw"] + 1, name)
                self.assertEqual(after["bgp_lost"], before["bgp_lost"], name)

    def test_attribute_discard(self):
        for name, attributes in DISCARD.items():
            with self.subTest(name):
                before, after = self.malformed(attributes)
                self.assertEqual(self.received(), 1, name)
                self.assertEqual(after["bgp_attributes_discarded"], before["bgp_attributes_discarded"] + 1, name)
                self.assertEqual(after["bgp_treated_as_withdraw"], before["bgp_treated_as_withdraw"], name)
                self.assertEqual(after["bgp_lost"], before["bgp_lost"], name)

    def test_what_only_looks_malformed_is_taken(self):
        for name, attributes in TAKEN.items():
            with self.subTest(name):
                before, after = self.malformed(attributes)
                self.assertEqual(self.received(), 1, name)
                for counter in ("bgp_treated_as_withdraw", "bgp_attributes_discarded", "bgp_lost"):
                    self.assertEqual(after[counter], before[counter], f"{name}: {counter}")

    def test_session_reset(self):
        """The routes go with the session, `show bgp` says why, and the peer can come back."""
        for name, (octets, code) in RESET.items():
            with self.subTest(name):
                _, before = self.announce(FLAPPED)
                self.raw.send(message(UPDATE, octets))
                self.assertEqual(self.raw.wait_end(), code, name)
                wait.until(lambda: not self.received(), 10, f"{name}: the routes go")
                after = self.row("raw")
                self.assertEqual(after["bgp_lost"], before["bgp_lost"] + 1, name)
                self.assertIn("sent: UPDATE message error", after["last-error"], name)
                self.establish()

    # ---- routes that are no good to us ----

    def test_a_loop_is_refused_and_shown(self):
        """Our own AS in the path: nobody is told, the session stays; and the reason is there to read."""
        before, after = self.announce(FLAPPED, path=[RAW, US, 64512])
        self.assertEqual(after["bgp_loops"], before["bgp_loops"] + 1)
        self.assertEqual(after["bgp_lost"], before["bgp_lost"])
        shown = self.router.ctl("show", "bgp", self.name("raw"), "received")
        self.assertEqual([row["prefix"] for row in shown], [FLAPPED])
        self.assertIn("our AS is in the path", shown[0]["refused-because"])
        self.table_has(FLAPPED, False)
        self.raw.announce(FLAPPED, path=[RAW, 64512])  # the same route without us in it
        self.table_has(FLAPPED)

    def test_an_unknown_attribute_passes_bit_by_bit(self):
        """Transitive ones go on with the Partial bit and the very octets, the others stay here (RFC 4271 5)."""
        kept, own = bytes(range(256)), bytes((1, 2, 3))
        mark = len(self.ear.updates())
        self.raw.announce(FLAPPED, more=attr(TRANSITIVE | EXTENDED, 230, kept) + attr(OPTIONAL, 231, own))
        wanted = attr(TRANSITIVE | PARTIAL | EXTENDED, 230, kept)

        def heard():
            return [u for u in self.ear.updates()[mark:] if u.endswith(nlri(FLAPPED)) and wanted in u]
        update = wait.until(heard, 10, "the other speaker hears of it")[0]
        self.assertNotIn(bytes((231, len(own))) + own, update)


class StopsReading:
    """A peer that reads nothing, beside those of Updates."""

    def test_a_peer_that_stops_reading(self):
        """It asks for all routes again and again and reads no answer: the send hold timer ends it (RFC 9687)."""
        self.establish(buffer_bytes=4096)
        self.raw.deaf()

        def stands():
            for _ in range(100):  # those that are read together are answered once
                self.raw.send(message(REFRESH, struct.pack("!HBB", 1, 0, 1)))
            return self.row("raw")["waiting-prefixes"] > 0
        wait.until(stands, 20, "the queue stands", step=0.02)
        watch = wait.Stopwatch()
        self.speaker["frr"].announce("172.29.0.0/24")  # nobody else waits for it
        self.speaker["bird"].wait_learned("172.29.0.0/24", timeout=5)
        self.note(f"another peer was told a new route within {watch() * 1e3:.0f} ms")
        self.speaker["frr"].withdraw("172.29.0.0/24")
        wait.until(lambda: self.row("raw")["state"] != "Established", 60, "the send hold timer ends it", step=0.2)
        self.assertIn("sent: send hold timer expired", self.row("raw")["last-error"])
        self.assertLess(watch(), 40)
        self.raw.messages.clear()


class Malformed(Updates, StopsReading, Lab):
    """All on private circuits; and what is wrong with messages other than UPDATEs."""

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        hosts = {301 + i: net.Host(k, f"{far(k)}/30") for i, k in enumerate(LINES)}
        cls.lan = site.VpcHosts(cls.router, "lan0", hosts)
        cls.host = {k: hosts[301 + i] for i, k in enumerate(LINES)}
        more = {"raw": {"hold-time": 9, "send-hold-time": 10}}
        cls.router.start({
            "ports": {"lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": "tr-1", "router-id": "10.255.255.1"},
            "attachments": {f"line-{k}": {
                "kind": "vbr", "port": "lan0", "vlan": 301 + i, "address": f"{near(k)}/30",
                "bgp": {"peer": far(k), "peer-asn": asn(k), "max-prefixes": 200000, **more.get(k, {})}}
                for i, k in enumerate(LINES)}})
        cls.routers.append(cls.router)
        cls.begin(Raw(cls.host["raw"], far("raw"), near("raw"), asn("raw")))

    # ---- messages ----

    def test_errors_of_headers(self):
        cases = {
            "marker": (bytes(16) + b"\0\x13\x04", (1, 1)),
            "length 18": (b"\xff" * 16 + b"\0\x12\x04", (1, 2)),
            "length 4097 of a KEEPALIVE": (b"\xff" * 16 + b"\x10\x01\x04", (1, 2)),
            "a KEEPALIVE of 20 octets": (message(KEEPALIVE, b"\0"), (1, 2)),
            "an UPDATE of 22 octets": (message(UPDATE, b"\0\0\0"), (1, 2)),
            "type 0": (message(0), (1, 3)),
            "type 9": (message(9), (1, 3)),
            "a second OPEN": (message(OPEN, self.raw.open_body()), (5, 3)),
        }
        for name, (octets, code) in cases.items():
            with self.subTest(name):
                self.raw.send(octets)
                self.assertEqual(self.raw.wait_end(), code, name)
                self.establish()

    def test_errors_of_opens(self):
        def parameters(*octets):
            return bytes((2, len(octets), *octets))
        cases = {
            "version 3": ({"version": 3}, (2, 1)),
            "another AS": ({"asn": 64999, "parameters": b""}, (2, 2)),
            "AS 0": ({"asn": 0, "parameters": b""}, (2, 2)),
            "hold time 1": ({"hold": 1}, (2, 6)),
            "hold time 2": ({"hold": 2}, (2, 6)),
            "identifier 0": ({"identifier": "0.0.0.0"}, (2, 3)),
            "our identifier": ({"identifier": "10.255.255.1"}, None),
            "a parameter of type 99": ({"parameters": b"\x63\0"}, (2, 4)),
            "a parameter that is cut off": ({"parameters": b"\x02\x09\x41"}, (2, 0)),
            "a capability that is cut off": ({"parameters": parameters(65, 4, 0, 0)}, (2, 0)),
        }
        for name, (how, code) in cases.items():
            with self.subTest(name):
                self.hang_up()
                self.ask.ask("bgp", "enable", self.name("raw"))
                self.raw.connect()
                self.raw.send(message(OPEN, self.raw.open_body(**how)))
                if code is None:
                    continue  # an external peer may have it (RFC 6286)
                self.assertEqual(self.raw.wait_end(), code, name)

    def test_words_before_an_open(self):
        self.hang_up()
        for octets in (message(UPDATE, body()), message(KEEPALIVE)):
            self.ask.ask("bgp", "enable", self.name("raw"))
            self.raw.connect()
            self.raw.send(octets)
            self.assertEqual(self.raw.wait_end(), (5, 1))

    def test_octet_by_octet(self):
        """Segments of one octet make the same messages."""
        for octet in message(UPDATE, body(self.raw.good(), nlri(FLAPPED))):
            self.raw.send(bytes((octet,)))
        wait.until(lambda: self.received() == 1, 10, "the route arrives")

    def test_half_a_message_and_silence(self):
        """The hold timer ends it: octets that are no message are no sign of life."""
        self.raw.hold = 3
        try:
            self.establish()
            self.raw.send(message(UPDATE, body(self.raw.good(), nlri(FLAPPED)))[:30])
            self.raw.hold = 10000  # no keepalives from now on
            self.assertEqual(self.raw.wait_end(20), (4, 0))
        finally:
            self.raw.hold = 90

    def test_a_notification_with_control_characters(self):
        """What a peer says is shown without what a terminal would act on (RFC 9003, G8)."""
        said = b"bye\x1b[2J\n\x07 \xff\xfe%s%n"
        self.raw.send(message(NOTIFICATION, bytes((6, 2, len(said))) + said))
        wait.until(lambda: self.row("raw")["state"] != "Established", 10, "the session is over")
        shown = self.row("raw")["last-error"]
        self.assertTrue(shown.startswith("received: cease, administrative shutdown: bye"), shown)
        self.assertTrue(shown.isprintable(), repr(shown))
        self.assertNotIn("\x1b", self.router.process.output())

    def test_much_and_then_a_reset(self):
        """Ten megabytes of routes, then a RST in the middle."""
        routes = b"".join(bytes((24, 30, i >> 8, i & 255)) for i in range(900))
        update = message(UPDATE, body(self.raw.good(), routes))
        for _ in range(10_000_000 // len(update)):
            self.raw.send(update)
        self.raw.send(update[:1000])
        self.raw.reset()
        wait.until(lambda: not self.received(), 20, "the routes go with the session")
        self.assertIn("connection", self.row("raw")["last-error"])
