# SPDX-License-Identifier: BSD-3-Clause
"""C-04: keys are replaced under load on a path of 50 ms, from either end and from both, and no packet is lost, comes
twice, or is overtaken by more than 64 others.

transitd on both ends: what strongSwan's libipsec carries in user space is less (test_ike_live.py has it).
"""

from rig import capture, pair, tools, wait
from rig.case import Lab

DELAY_MS = 50  # each way, of IKE and ESP alike
CHILD, IKE = (200, 50) if tools.full() else (6, 2)
PPS = (20000, 5000) if tools.full() else (6000, 2000)  # one way, and the other
REORDER_MAX = 64
IN_UDP = "udp port 4500 and udp[8:4] != 0"


class Rekeys:
    """One tunnel with all the traffic; each direction is one flow, whose order counts."""

    release = True
    timeout = 500
    nat, esp = False, "esp"
    ike = {"version": "ikev2", "encryption": "aes256", "authentication": "sha256", "dh-group": "group31"}
    ipsec = {"encryption": "aes128gcm16", "dh-group": "group31", "esn": "yes"}

    @classmethod
    def build(cls):
        cls.pair = pair.Pair(relay_seed=4, nat=cls.nat, ike=cls.ike, ipsec=cls.ipsec)
        cls.routers += cls.pair.ends
        cls.watch(cls.pair.inet, "tr1")
        cls.pair.start()
        cls.settled()
        cls.pair.relay.add("far", f"any delay {DELAY_MS}")
        # What waits for the answer to an ARP request is overtaken by what comes right behind that answer.
        wait.until(lambda: cls.pair.hosts[0].ping(cls.pair.hosts[1]) == 3, 10, "neighbours are known")

    @classmethod
    def settled(cls):
        cls.pair.wait_settled("c0/1")

    def spis(self, end, what):
        """Of the SA in use."""
        return end.newest(end.esp_sas("c0/1") if what == "child" else
                          [sa for sa in end.ike_sas("c0/1") if sa["state"] == "established"])

    def rekey(self, n, what):
        """The n-th time: by one end, by the other one, and every third time by both at once. The old ones go while the
        next are negotiated, but now and then all must have gone."""
        before = [self.spis(end, what) for end in self.pair.ends]
        for i in ((0,), (1,), (0, 1))[n % 3]:
            self.pair.ends[i].ctl("tunnel", "rekey", "c0/1", what)
        for end, old in zip(self.pair.ends, before):
            wait.until(lambda e=end, o=old: self.spis(e, what) - o, 15, f"another {what} SA", step=0.05)
        if n % 5 == 4:
            self.settled()

    def test_rekeys_under_load(self):
        wire = capture.Capture(self.pair.inet, "tr1", self.esp, name="kind", snap=64).start()
        with pair.keeping_order():
            streams = [tools.Stream(*ends, pps=pps, size=200, settle_ms=1000).start() for ends, pps in
                       zip((self.pair.hosts, self.pair.hosts[::-1]), PPS)]
        wait.until(lambda: wire.count() > 10, 10, f"packets on the wire are {self.esp}")
        wire.stop()
        watch = wait.Stopwatch()
        for n in range(CHILD):
            self.rekey(n, "child")
            if n * IKE // CHILD != (n + 1) * IKE // CHILD:
                self.rekey(n * IKE // CHILD, "ike")
        self.settled()
        seconds = watch()
        verdicts = [stream.finish() for stream in streams]
        self.pair.relay.stats()  # fails when the relay itself lost something
        self.note(f"{CHILD} Child SAs and {IKE} IKE SAs replaced in {seconds:.0f} s: " +
                  "; ".join(f"{v.sent / seconds:.0f} packets/s, {v}" for v in verdicts))
        for verdict in verdicts:
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered),
                             (0, 0, 0, 0), verdict)
            self.assertLessEqual(verdict.reorder_depth, REORDER_MAX, verdict)
        if tools.full():
            self.assertGreater(verdicts[0].sent / seconds, 0.9 * PPS[0], "the load was on")


class _V1(Rekeys):
    """Main mode, PFS. Old SAs may stay a while."""

    ike = {**Rekeys.ike, "version": "ikev1", "dh-group": "group14"}
    ipsec = {"encryption": "aes128gcm16", "dh-group": "group14"}

    @classmethod
    def settled(cls):
        wait.until(lambda: cls.pair.newest_same("c0/1"), 30, "the latest pair of SAs is the same", step=0.05)


class V1(_V1, Lab):
    """Native ESP."""


class NatT(Rekeys, Lab):
    """tr2 is behind a masquerade: IKE and ESP in UDP, with PFS and ESN."""

    nat, esp = True, IN_UDP


if tools.full():
    class PfsEsn(Rekeys, Lab):
        """Native ESP."""

    class Plain(Rekeys, Lab):
        """Neither PFS nor ESN; AES-CBC with HMAC."""

        ipsec = {"encryption": "aes256", "authentication": "sha256", "dh-group": "disabled"}

    class V1NatT(_V1, Lab):
        """IKEv1 behind a masquerade."""

        nat, esp = True, IN_UDP
