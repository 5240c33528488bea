# SPDX-License-Identifier: BSD-3-Clause
"""C-26: lifetimes of seconds, floods and cables that flap, over and over: nothing grows, and no timer is late.

TRANSITD_TEST_SOAK_MINUTES says for how long: 60 with --full, else one round with few tunnels.
"""

import os
import re

import test_ike_load as load
from rig import pair, process, tools, wait
from rig.case import Lab

MINUTES = float(os.environ.get("TRANSITD_TEST_SOAK_MINUTES", 60 if tools.full() else 0.2))
SHORT = MINUTES < 2
TUNNELS = 10 if SHORT else 100
CHILD_S, IKE_S = 10, 30  # lifetimes
YOUNG_S = 6  # rekeys begin at three quarters of the lifetime at the earliest
LATE_S = 2  # how much older an SA may be seen: ages are in whole seconds, and the look takes a while
QUIET_S, FLOOD_S = (6, 2) if SHORT else (15, 4)
FLOOD_PPS = 2000
WARM_UP = 0.25  # of the time
GROWTH_MAX = 0.001  # of the memory in 10 minutes, measured over no less than SLOPE_MIN
SLOPE_MIN = 30
GROWTH_SHORT_KIB = 2048  # what a shorter run may see at all, behind the warm-up
IN_USE = ("installed", "established")


class _Pair(pair.Pair):
    """Every other tunnel speaks IKEv1."""

    def _tunnel(self, i, c):
        tunnel = super()._tunnel(i, c)
        tunnel["ike"]["version"] = f"ikev{1 if c % 2 else 2}"
        return tunnel


def slope(points):
    """KiB a second by least squares."""
    mean_x, mean_y = (sum(p[k] for p in points) / len(points) for k in (0, 1))
    square = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / square if square else 0


class Soak(Lab):
    release = True
    timeout = int(MINUTES * 60 * 1.5 + 300)

    @classmethod
    def build(cls):
        suite = {"encryption": "aes128", "authentication": "sha256", "dh-group": "group31"}
        cls.pair = _Pair(TUNNELS, ike={**suite, "lifetime": IKE_S}, ipsec={**suite, "lifetime": CHILD_S},
                         tunnel={"dpd": {"interval": 2, "timeout": 8}})
        cls.routers += cls.pair.ends
        cls.watch(cls.pair.inet, "tr1")
        cls.pair.start(timeout=100)
        wait.until(lambda: cls.pair.hosts[0].ping(cls.pair.hosts[1]) == 3, 10, "neighbours are known")
        cls.strangers = load.strangers(cls.pair.inet, "tr1", cls.pair.ends[0], cls.pair.outer(0, 0))
        cls.watch_ = wait.Stopwatch()
        cls.samples = {end.name: [] for end in cls.pair.ends}

    def expired(self):
        """How often an SA reached the end of its life."""
        return sum(len(re.findall("LifetimeExpired", end.process.output())) for end in self.pair.ends)

    def sample(self):
        """(seconds, KiB, descriptors, packet buffers, SAs) of each end; and every SA in use is within its life."""
        for end in self.pair.ends:
            sas, system = end.ctl("show", "sas"), end.ctl("show", "system")
            for sa in sas:
                most = CHILD_S if sa["type"] == "esp" else IKE_S
                if sa["state"] in IN_USE:
                    self.assertLessEqual(sa["age-seconds"], most + LATE_S, sa)
            root = f"/proc/{end.process.pid}"
            with open(f"{root}/smaps_rollup") as maps:
                rss = next(int(line.split()[1]) for line in maps if line.startswith("Rss:"))
            self.samples[end.name].append((self.watch_(), rss, len(os.listdir(f"{root}/fd")), system["buffers-in-use"],
                                           len(sas)))

    def streams(self):
        """Over tunnels of both versions, both ways."""
        here, there = self.pair.hosts
        return [tools.Stream(here, there, pps=200, to_address=self.pair.inner(1, c)).start().wait_flowing()
                for c in (1, TUNNELS - 2)] + [tools.Stream(there, here, pps=200, to_address=self.pair.inner(0, c))
                                              .start().wait_flowing() for c in (TUNNELS - 1, 2)]

    def lossless(self, streams, seconds):
        watch = wait.Stopwatch()
        wait.until(lambda: watch() >= seconds, seconds + 10, "time has passed", step=0.5)
        for stream in streams:
            verdict = stream.finish()
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0), verdict)

    def quiet(self):
        before = self.expired()
        self.lossless(self.streams(), QUIET_S)
        self.assertEqual(self.expired(), before, "each SA is replaced in time")

    def flood(self):
        flood = load._Flood(self.pair.inet, "tr1", self.strangers, FLOOD_PPS)
        streams = self.streams()
        flood.start()
        self.lossless(streams, FLOOD_S)
        self.assertGreater(flood.stop(), FLOOD_PPS)

    def flap(self, seconds):
        """The cable of tr2 is out; longer than DPD takes, and all must be made again."""
        watch = wait.Stopwatch()
        self.pair.inet.cut(self.pair.ends[1])
        wait.until(lambda: watch() >= seconds, seconds + 10, "the cable is out for its time", step=0.1)
        self.pair.inet.mend(self.pair.ends[1])
        self.settle()

    def settle(self):
        """Each tunnel once has the same latest Child SA on both ends, too young for a rekey that the outage held up."""
        left = {f"c{c}/1" for c in range(TUNNELS)}

        def agreed():
            latest = []
            for end in self.pair.ends:
                rows = [r for r in end.ctl("show", "sas") if r["type"] == "esp" and r["state"] == "installed"]
                latest.append({name: min((r for r in rows if r["tunnel"] == name), key=lambda r: r["age-seconds"],
                                         default=None) for name in left})
            left.difference_update([n for n in left if latest[0][n] and latest[1][n] and
                                    latest[0][n]["spi-in"] == latest[1][n]["spi-out"] and
                                    latest[0][n]["age-seconds"] < YOUNG_S])
            return not left
        wait.until(agreed, 90, f"all {TUNNELS} tunnels are up and the ends agree", step=0.5)

    def rekeys(self):
        return sum(row["rekeys"] for row in self.pair.ends[0].ctl("show", "tunnels"))

    def test_nothing_grows(self):
        before, rounds = self.rekeys(), 0
        while not rounds or self.watch_() < MINUTES * 60:
            self.quiet()
            self.sample()
            self.flood()
            self.sample()
            rounds += 1
            self.flap(12 if rounds % 5 == 0 else 1)
            self.sample()
        self.quiet()
        self.sample()
        seconds, rekeys = self.watch_(), self.rekeys() - before
        self.note(f"{rounds} rounds in {seconds / 60:.1f} min: {rekeys} rekeys of {TUNNELS} tunnels, "
                  f"{self.expired()} SAs expired, longest stalls " +
                  ", ".join(f"{load.stall_ms(end):.1f} ms" for end in self.pair.ends))
        self.assertGreater(rekeys, 0.5 * TUNNELS * seconds / CHILD_S)
        for name, samples in self.samples.items():
            self.judge(name, [s for s in samples if s[0] >= WARM_UP * seconds])

    def judge(self, name, samples):
        growth = 600 * slope([s[:2] for s in samples])
        mean = sum(s[1] for s in samples) / len(samples)
        columns = list(zip(*samples))
        with open(process.log_path(f"samples-{name}"), "w") as out:
            out.writelines(f"{' '.join(str(value) for value in row)}\n" for row in samples)
        self.note(f"{name}: {mean:.0f} KiB, {growth:+.0f} KiB ({100 * growth / mean:+.2f} %) in 10 min, "
                  f"from {columns[1][0]} to {columns[1][-1]}; descriptors {min(columns[2])}..{max(columns[2])}, "
                  f"buffers {min(columns[3])}..{max(columns[3])}, SAs {min(columns[4])}..{max(columns[4])}")
        if samples[-1][0] - samples[0][0] >= SLOPE_MIN * 60:
            self.assertLessEqual(growth / mean, GROWTH_MAX)
        else:
            self.assertLess(columns[1][-1] - columns[1][0], GROWTH_SHORT_KIB)
        self.assertEqual(columns[2][-1], columns[2][0], "descriptors")
        self.assertLessEqual(columns[3][-1], columns[3][0] + 64, "packet buffers")
        if not SHORT:
            half = len(samples) // 2
            self.assertLess(max(columns[4][half:]), 1.3 * max(columns[4][:half]), "SAs")
