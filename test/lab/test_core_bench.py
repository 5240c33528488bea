# SPDX-License-Identifier: BSD-3-Clause
"""The programs of test/bench do what its README says: each contender runs, and each profile has its lines."""

import os
import re
import subprocess

from rig import tools
from rig.case import Lab

README = os.path.join(tools.ROOT, "test", "bench", "README.md")
COMPARE = os.path.join(tools.ROOT, "test", "bench", "compare.sh")
QUICK = {"BENCH_SECONDS": "0.005", "BENCH_TURNS": "1", "BENCH_PORT_SECONDS": "0.3", "BENCH_OPERATIONS": "20000"}


class Compare(Lab):
    """Figures of so short a run say nothing; that there are any does."""

    release = True

    @classmethod
    def build(cls):
        pass

    def compare(self, *algorithms, path=None):
        env = dict(os.environ, **QUICK)
        if path:
            env["PATH"] = f"{path}:{env['PATH']}"
        return subprocess.run([COMPARE, *algorithms], env=env, capture_output=True, text=True, timeout=240)

    def test_every_ceiling_of_every_profile(self):
        run = self.compare("aes128gcm16", "aes256gcm16", "aes128-sha1", "aes128-sha256", "3des-sha1")
        self.assertEqual(run.returncode, 0, run.stderr)
        lines = [line.split() for line in run.stdout.splitlines()]
        ratios = {line[1]: [float(figure) for figure in line[2:]] for line in lines if line[0] == "ratio"}
        cycles = {line[1]: [float(figure) for figure in line[2:]] for line in lines if line[0] == "cycles"}
        wanted = {"plain/none/64/1/1024:testpmd-io"}
        for algorithm in ("aes128gcm16", "aes256gcm16", "aes128-sha1", "aes128-sha256", "3des-sha1"):
            for size in (64, 256, 1424):
                wanted |= {f"{direction}/{algorithm}/{size}/1/1:ipsec-mb" for direction in ("out", "in")}
                wanted |= {f"{direction}/{algorithm}/{size}/1/1:cryptodev" for direction in ("out", "in")
                           if direction == "out" or algorithm.endswith("gcm16")}
        self.assertEqual(set(ratios), wanted)
        self.assertEqual(set(cycles), {name for name in wanted if not name.startswith("plain")})
        for name, (ours, ceiling, _) in ratios.items():
            self.assertGreater(min(ours, ceiling), 0, name)

    def test_a_contender_that_does_not_run_is_told(self):
        directory = os.path.join("/tmp", f"no-crypto-perf.{os.getpid()}")
        os.makedirs(directory)
        self.addCleanup(subprocess.run, ["rm", "-r", directory], check=True)
        with open(os.path.join(directory, "dpdk-test-crypto-perf"), "w", opener=lambda p, f: os.open(p, f, 0o755)) as out:
            out.write("#!/bin/sh\nexit 1\n")
        run = self.compare("aes128-sha1", path=directory)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn("out/aes128-sha1/64/1/1:cryptodev: no figure of the ceiling", run.stderr)

    def test_unknown_algorithm(self):
        run = self.compare("des")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no algorithm 'des'; there are: aes128gcm16", run.stderr)

    def test_the_readme_names_what_there_is(self):
        with open(README) as file:
            text = file.read()
        profiles = os.listdir(os.path.join(tools.ROOT, "config", "generators"))
        named = set(re.findall(r"[\w-]+\.(?:yaml|lua|py|sh)\b", text))
        for profile in set(profiles) - {"README.md"}:
            self.assertIn(profile, named, "how to run it is told")
        for path in set(re.findall(r"\b(?:config|test)/[\w/.-]+\.\w+", text)):
            self.assertTrue(os.path.exists(os.path.join(tools.ROOT, path)), path)
