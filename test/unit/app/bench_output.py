#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What transitbench prints: JSON has what its tables have, pictures are whole, and long work shows how far it is.

usage: bench_output.py TRANSITBENCH
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

PROFILES = ("out/aes128gcm16/64/16ecmp/1", "relay/3des-sha1/imix/1/1", "plain/none/64/1/1")
STAGES = {"rx", "classify", "esp-in", "route", "out", "tx"}
PERCENTILES = {"p50", "p99", "p999"}
BENCH = sys.argv.pop(1)


def bench(*args, profiles=PROFILES):
    return subprocess.run([BENCH, "--seconds", "0.002", *args, *profiles], check=True, text=True, capture_output=True)


def beside():
    """A core for the generator, and one that is not it."""
    cores = sorted(os.sched_getaffinity(0))
    return ("--load", str(cores[-1]), "--core", str(cores[0]))


class Output(unittest.TestCase):
    def picture(self, *args, **more):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "picture.svg"
            bench("--svg", path, *args, **more)
            root = ElementTree.fromstring(path.read_text())
        texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertFalse([text for text in texts if re.search(r"\b(nan|inf)\b", text)])
        width, height = float(root.get("width")), float(root.get("height"))
        for element in root.iter("{http://www.w3.org/2000/svg}rect"):
            if "%" not in element.get("width"):
                self.assertLessEqual(float(element.get("x")) + float(element.get("width")), width)
                self.assertLessEqual(float(element.get("y")), height)
        return texts

    def test_json(self):
        run = bench("--json")
        rows = json.loads(run.stdout)
        self.assertEqual([row["profile"] for row in rows], list(PROFILES))
        for row in rows:
            self.assertEqual(set(row), {"profile", "mpps", "gbit-per-s", "cycles-per-packet", "stages", "burst-us-p50",
                                        "burst-us-p99", "burst-us-p999"})
            self.assertEqual(set(row["stages"]), STAGES)
            self.assertLessEqual(row["burst-us-p50"], row["burst-us-p99"])
        bits = rows[0]["gbit-per-s"] * 1e3 / rows[0]["mpps"]
        self.assertAlmostEqual(bits, 64 * 8, delta=1)
        self.assertAlmostEqual(rows[1]["gbit-per-s"] * 1e3 / rows[1]["mpps"], (7 * 64 + 4 * 576 + 1424) / 12 * 8, delta=5)
        self.assertEqual(run.stderr.splitlines(), [f"{n + 1} of 3: {name}" for n, name in enumerate(PROFILES)])

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "one core")
    def test_load_json(self):
        row = json.loads(bench("--json", *beside(), profiles=PROFILES[:1]).stdout)[0]
        self.assertEqual(set(row), {"profile", "workers", "mpps-without-loss", "gbit-per-s-without-loss", "bound-by",
                                    "latency-us-at-50", "latency-us-at-90"})
        self.assertIn(row["bound-by"], ("worker", "generator"))
        self.assertEqual(set(row["latency-us-at-50"]), PERCENTILES)
        self.assertEqual(set(row["latency-us-at-90"]), PERCENTILES)

    def test_picture(self):
        texts = self.picture()
        for wanted in ("clear to ESP, AES-128-GCM", "64 B, 16 tunnels (ECMP), 1 route", "ESP to ESP, 3DES and SHA1",
                       "IMIX, 1 tunnel, 1 route", "clear to clear", "cycles", "Mpps", "Gbit/s"):
            self.assertIn(wanted, texts)

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "one core")
    def test_load_picture(self):
        texts = self.picture(*beside(), profiles=PROFILES[:1])
        for wanted in ("clear to ESP, AES-128-GCM", "1 worker", "0 Mpps", "10 \u00b5s", "1 ms", "at 90 %"):
            self.assertIn(wanted, texts)

    def test_several_at_once(self):
        """In ordinary memory as well, where DPDK would keep a lock file."""
        command = [BENCH, "--count", "4", PROFILES[0]]
        running = [subprocess.Popen(command) for _ in range(3)]
        self.assertEqual([process.wait() for process in running], [0, 0, 0])


if __name__ == "__main__":
    unittest.main()
