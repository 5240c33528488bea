# SPDX-License-Identifier: BSD-3-Clause
"""Manual keys over every end of the process: no key meets a sequence number twice (ES-07)."""

import os

from rig import capture, manual, wait
from rig.manual import FAR, PEER


class ManualNumbers(manual.ManualSite):
    """transitd with manual keys; everything that it ever sends is kept by one capture."""

    @classmethod
    def build(cls):
        cls.wire()
        cls.startup = cls.config()
        cls.sequences = os.path.join(cls.router.run_dir, "state", "sequences")
        if os.path.exists(cls.sequences):
            os.unlink(cls.sequences)
        cls.router.start(cls.startup)
        cls.routers.append(cls.router)
        cls.seen = capture.Capture(cls.inet, "tr", f"esp and dst host {PEER}", name="to-peer").start()
        cls.sent = 0

    def send(self, count):
        """Pings into the tunnel, and that each became an ESP packet."""
        self.router.wait_up()
        self.vpc.ping(self.vpc.gateway, count=1)
        type(self).sent += count
        self.vpc.ping(FAR, count=count, interval=0.002, wait_s=0.2)
        wait.until(lambda: self.seen.count() >= self.sent, 10, f"{self.sent} packets in all")

    def numbers(self):
        return [packet["ESP"].seq for packet in self.seen.packets()]

    def test_starts_at_one(self):
        self.send(100)
        self.assertEqual(self.numbers(), list(range(1, 101)))

    def test_goes_on_after_an_orderly_end(self):
        """Nothing is skipped: what was reserved and not sent is given back."""
        self.router.end()
        self.router.start()
        self.send(100)
        self.assertEqual(self.numbers(), list(range(1, 201)))

    def test_never_again_after_a_crash(self):
        for _ in range(3):
            self.send(20)
            self.router.kill()
            self.router.start()
        self.send(20)
        numbers = self.numbers()
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertEqual(numbers, sorted(numbers), "a peer's replay window sees them rise")
        skipped = [later - one for one, later in zip(numbers, numbers[1:]) if later != one + 1]
        self.assertEqual(len(skipped), 3)
        self.assertGreater(min(skipped), 4_000_000, "a fast core sends so many before more are on the disk")

    def test_goes_on_over_a_change(self):
        """A new inbound SPI makes new SAs; the outbound key stays, and so do its numbers."""
        before = self.numbers()[-1]
        self.startup["vpn-connections"]["mk"]["tunnels"][0]["manual"]["in"]["spi"] = 0x1002
        self.router.apply(self.startup)
        self.send(50)
        self.assertEqual(self.numbers()[-50:], list(range(before + 1, before + 51)))

    def test_nonces(self):
        """Every packet that was ever sent has a nonce of its own, and opens."""
        packets = self.seen.packets()
        self.assertEqual(len({packet["ESP"].data[:8] for packet in packets}), len(packets))
        for packet in packets:
            self.assertEqual(self.peer.open(packet)["IP"].dst, FAR)

    def test_unwritable_state(self):
        """No promise on the disk, no packet; and it says why, until the disk is well."""
        self.router.end()
        os.rename(self.sequences, self.sequences + ".kept")
        os.mkdir(self.sequences)
        self.router.start()
        try:
            self.assertEqual(self.router.wait_error("mk/1"), "StateUnusable")
            self.vpc.ping(FAR, count=5, interval=0.01, wait_s=0.2)
            self.assertEqual(self.seen.count(), self.sent)
        finally:
            self.router.end()
            os.rmdir(self.sequences)
            os.rename(self.sequences + ".kept", self.sequences)
        self.router.start()
        self.send(10)

    def test_damaged_state(self):
        self.router.end()
        with open(self.sequences, "r+") as file:
            file.truncate(10)
        self.router.start()
        self.assertEqual(self.router.wait_error("mk/1"), "StateUnusable")
        self.assertIn("give new keys", self.router.tunnel("mk/1")["error-text"])
        self.assertEqual(self.seen.count(), self.sent)
