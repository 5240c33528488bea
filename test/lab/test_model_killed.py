# SPDX-License-Identifier: BSD-3-Clause
"""C-31: kill -9 while configurations are applied, confirmed and taken back: the startup file is the one before or the one
after, whole; what was answered is kept, what was not confirmed comes back, and no revision of the history is damaged."""

import glob
import os
import random
import subprocess
import time

from rig import net, process, site, transitd
from rig.case import Lab

KILLS = 100 if os.environ.get("TRANSITD_TEST_FULL") else 25
SEED = int(os.environ.get("TEST_SEED", "31"))
TABLES = 40  # each with the number of the configuration in its name: a mixture of two would not load, or show


class Killed(Lab):
    """A router without tunnels, and a host that keeps its port up."""

    release = True

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        cls.lan = site.VpcHosts(cls.router, "lan0", {0: net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")})
        cls.router.start(cls.config(0))
        cls.routers.append(cls.router)

    @staticmethod
    def config(number):
        tables = {f"n{number}-{i}": {"routes": [{"prefix": f"10.{number % 200}.{i}.0/24", "blackhole": True}]}
                  for i in range(TABLES)}
        return {"ports": {"lan0": {"device": "af_packet:lan0"}},
                "route-tables": {"default": {}, **tables},
                "attachments": {"vpc-a": {"kind": "vpc", "port": "lan0", "address": "10.1.255.254/16"}}}

    def running(self):
        """The number of the configuration in force; all of it is."""
        names = {row["name"] for row in self.router.ctl("show", "tables")} - {"default"}
        numbers = {name.split("-")[0] for name in names}
        self.assertEqual((len(numbers), len(names)), (1, TABLES), names)
        return int(numbers.pop()[1:])

    def on_disk(self, path=None):
        """The same of a file: byte by byte what was written, or it is none of ours."""
        with open(path or self.router.config_file, encoding="utf-8") as file:
            text = file.read()
        number = int(text.split("  n", 1)[1].split("-", 1)[0])
        with open(self.router.write(self.config(number), process.log_path("expected.yaml")), encoding="utf-8") as file:
            self.assertEqual(text, file.read())
        return number

    def ask(self, *words):
        """A command under way."""
        return subprocess.Popen([self.router.program("transitctl"), "-s", self.router.socket, *words],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def change(self, rng, number):
        """The commands of a change. The last one makes it the startup file; `edited`: it is that before the first."""
        how = rng.choice(("apply", "apply", "confirm", "edited"))
        path = None if how == "edited" else process.log_path("tr-next.yaml")
        path = self.router.write(self.config(number), path)
        if how == "apply":
            return [("apply", path)], False
        return [("apply", "--confirm-within=60", path), ("confirm",)], how == "edited"

    def changes_until(self, rng, end, old):
        """
        Changes one after the other until `end`, then the router dies. What may be in force when it is there again: what was
        answered for last, and, while the command that makes it so is under way, the next; and the number of that.
        """
        number = old
        while True:
            number += 1
            commands, edited = self.change(rng, number)
            for i, command in enumerate(commands):
                client = self.ask(*command)
                while client.poll() is None and time.monotonic() < end:
                    time.sleep(0.0005)
                if client.poll() is None:
                    self.router.kill()
                    client.wait()
                    return {old, number} if edited or i == len(commands) - 1 else {old}, number
                self.assertEqual(client.returncode, 0, command)
            old = number

    def test_at_any_instant(self):
        rng, found = random.Random(SEED), {"before": 0, "after": 0}
        number, state = 0, f"{self.router.run_dir}/state"
        for turn in range(KILLS):
            allowed, last = self.changes_until(rng, time.monotonic() + rng.uniform(0.005, 0.25), number)
            where = f"TEST_SEED={SEED} turn {turn}"
            self.assertIn(self.on_disk(), allowed | {last}, where)
            self.router.start()
            number = self.running()
            self.assertIn(number, allowed, where)
            self.assertEqual(self.on_disk(), number, where)
            found["after" if number == last else "before"] += 1
            kept = [name for name in glob.glob(f"{state}/history/*") if os.path.basename(name).isdigit()]
            self.assertEqual(len(self.router.ctl("history")), len(kept), f"{where}: every revision can be read")
            self.assertFalse(os.path.exists(f"{state}/unconfirmed"), where)
            number = last + 1
            self.router.apply(self.config(number))  # a change after it works
        self.note(f"{KILLS} kills: {found['before']} times the configuration before, {found['after']} the one under way")
        self.assertTrue(found["before"] and found["after"], found)
