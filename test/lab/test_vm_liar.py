# SPDX-License-Identifier: BSD-3-Clause
"""A peer that holds the right keys and lies: libreswan with its fault injector (`whack --impair help`).

Whatever it sends - repeated, dropped, damaged, malformed, with lengths that are wrong - the router stays alive
(this runs the build with sanitizers), its other tunnels lose nothing, and when the peer is honest again, the
tunnel comes up again.
"""

from rig import guest_peers, tools, wait, world
from rig.guest_cell import Native

# what it does wrong, and whether a tunnel can come up all the same (None: it may or may not)
LIES = (
    (("replay-duplicates",), True),
    (("replay-forward",), True),
    (("replay-backward",), True),
    (("replay-encrypted",), None),
    (("jacob-two-two",), True),
    (("corrupt-encrypted",), None),  # what it receives: the router has sent its part of a tunnel
    (("ke-payload:omit",), False),
    (("ke-payload:empty",), False),
    (("ke-payload:duplicate",), None),
    (("ke-payload:0",), False),
    (("ike-key-length-attribute:omit",), None),
    (("ike-key-length-attribute:empty",), None),
    (("ike-key-length-attribute:duplicate",), None),
    (("ike-key-length-attribute:1",), None),
    (("child-key-length-attribute:omit",), None),
    (("child-key-length-attribute:empty",), None),
    (("child-key-length-attribute:duplicate",), None),
    (("send-nonzero-reserved",), True),
    (("send-nonzero-reserved-id",), True),
    (("send-bogus-payload-flag",), True),
    (("send-bogus-isakmp-flag",), True),
    (("minor-version-bump",), True),
    (("major-version-bump",), False),
    (("bad-ikev2-auth-xchg",), None),
    (("send-no-ikev2-auth",), False),
    (("send-no-idr",), None),
    (("ikev2-add-ike-transform:0x10063",), None),
    (("ikev2-add-child-transform:0x10063",), None),
    (("v2-proposal-integ:omit",), None),
    (("v2-proposal-dh:omit",), None),
    (("add-unknown-v2-payload-to:IKE_SA_INIT",), True),
    (("add-unknown-v2-payload-to:IKE_AUTH",), None),
    (("add-unknown-v2-payload-to-sk:IKE_AUTH",), True),
    (("unknown-v2-payload-critical", "add-unknown-v2-payload-to-sk:IKE_AUTH"), None),
    (("unknown-v2-payload-critical", "add-unknown-v2-payload-to:IKE_SA_INIT"), None),
    (("omit-v2-ike-auth-child",), None),
    (("force-v2-auth-method:NULL",), None),
    (("force-v2-auth-method:RSA",), None),
    (("ike-initiator-spi:0",), None),
    (("ike-responder-spi:0",), None),
    (("drop-outgoing:1",), None),
    (("drop-incoming:2",), None),
)
ALWAYS = 6  # of them in every run, evenly chosen


class Liar(Native):
    """libreswan in the guest; data center 2 carries a stream that must not lose a packet."""

    @classmethod
    def build(cls):
        super().build()
        cls.suite_of_all = guest_peers.Suite(esp=("aes128", "sha256"))
        cls.router.start(cls.config(cls.suite_of_all))
        cls.other.connect(world.GATEWAYS[2], world.PSK)
        cls.router.wait_up("dc2/1", "dc2/2", timeout=30)
        cls.other.wait_up()
        cls.peer = guest_peers.Libreswan(cls.site, world.GATEWAYS[1][0], "10.1.0.0/16", world.PSK, cls.suite_of_all)
        cls.peer.start()

    def setUp(self):
        self.streams = [tools.Stream(one, other, pps=200, flows=4).start().wait_flowing()
                        for one, other in ((self.vpc, self.other.host), (self.other.host, self.vpc))]

    def unharmed(self):
        for stream in self.streams:
            verdict = stream.finish()
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0), verdict)
        self.router.check()

    def lies(self, what, works):
        """Both ends start in turn against the lie, and rekey if they get that far."""
        self.quiet()
        self.peer.impair(*what)
        for start in (lambda: self.peer.whack("--name t --initiate --asynchronous"),
                      lambda: self.router.ctl("tunnel", "up", "dc1/1")):
            start()
            if self.comes_up(20 if works else 4):
                self.assertIsNot(works, False, f"{what}: the tunnel came up")
                self.router.ctl("tunnel", "rekey", "dc1/1", "child")
                self.peer.whack("--name t --rekey-ipsec --asynchronous")
                self.peer.whack("--name t --rekey-ike --asynchronous")
                self.vpc.ping(self.site.host, count=5, wait_s=0.2)
            else:
                self.assertIsNot(works, True, f"{what}: the tunnel did not come up: {self.router.tunnel('dc1/1')}")
            self.quiet()

    def comes_up(self, timeout):
        try:
            self.router.wait_up("dc1/1", timeout=timeout)
        except wait.Timeout:
            return False
        return True

    def quiet(self):
        """No SA on either end, whoever does not want to let go of it."""
        self.peer.whack("--name t --terminate")
        self.router.ctl("tunnel", "down", "dc1/1")
        self.guest_sas_gone()

    def guest_sas_gone(self):
        wait.until(lambda: not self.router.ike_sas("dc1/1"), 20, "the router has no SA left", step=0.1)

    def honest_again(self):
        self.peer.impair()
        self.peer.stop()
        self.peer.start()
        self.router.ctl("tunnel", "down", "dc1/1")
        self.up_from_here()
        self.carries(50)


def _lie_test(what, works):
    def test(self):
        self.lies(what, works)
        self.unharmed()
        self.honest_again()
    test.__doc__ = f"whack --impair {' '.join(what)}"
    return test


_step = 1 if tools.full() else max(1, len(LIES) // ALWAYS)
for _what, _works in LIES[::_step]:
    _name = "_".join(_what).replace("-", "_").replace(":", "_")
    setattr(Liar, f"test_{_name}", _lie_test(_what, _works))
