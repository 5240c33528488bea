# SPDX-License-Identifier: BSD-3-Clause
"""Large configurations (C-30, C-33): 5,000 tunnels, and 2,000 errors in one file. Prints what it took."""

import random

from rig import process, tools, wait, world
from rig.case import Lab

TUNNELS = 5000
ERRORS = 2000
TRIES = 1 if tools.full() else 3  # the machine may do something else for a moment


def large(tunnels):
    """A hub with so many tunnels, two to a connection, each with a network behind it."""
    connections, attachments, gateways = {}, {}, {}
    for i in range(tunnels // 2):
        name = f"branch-{i}"
        for k, letter in enumerate("ab"):
            n = 2 * i + k
            gateways[f"{name}-{letter}"] = {"address": f"198.{18 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}"}
        connections[name] = {"tunnels": [{"customer-gateway": f"{name}-{letter}", "psk": f"key-{i}-{letter}"}
                                         for letter in "ab"]}
        attachments[name] = {"kind": "vpn", "connection": name,
                             "routes": [{"prefix": f"10.{64 + i // 250}.{i % 250}.0/24"}]}
    return {
        "system": {"memory": "1G"},
        "ports": {"wan0": {"device": "af_packet:wan0", "address": f"{world.OUTER}/24", "gateway": "203.0.113.1"},
                  "lan0": {"device": "af_packet:lan0"}},
        "transit-router": {"cidr": ["100.32.0.0/16"], "limits": {"vpn-attachments": tunnels}},
        "customer-gateways": gateways, "vpn-connections": connections,
        "attachments": {"vpc-a": {"kind": "vpc", "port": "lan0", "vlan": 100, "address": "10.1.255.254/16"},
                        **attachments}}


class Scale(Lab):
    """C-33."""

    release = True

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=())
        cls.config = large(TUNNELS)
        cls.router = cls.world.router
        file = cls.router.write(cls.config)
        watch = wait.Stopwatch()
        process.run([cls.router.program("transitd"), "--check", "-c", file], timeout=60)
        cls.check_s = watch()
        watch = wait.Stopwatch()
        cls.router.start(timeout=60)
        cls.start_s = watch()
        cls.routers.append(cls.router)

    def tell(self, what, seconds, limit, once_more=False):
        self.note(f"{what}: {seconds:.3f} s (at most {limit} s)")
        if not once_more:
            self.assertLessEqual(seconds, limit, what)

    def test_start(self):
        """Loaded, checked and forwarding within 5 s."""
        self.tell("--check of 5,000 tunnels", self.check_s, 5)
        self.tell("start with 5,000 tunnels", self.start_s, 5)
        self.assertEqual(len(self.router.ctl("show", "tunnels")), TUNNELS)

    def took(self, answer, what, limit, once_more=False):
        self.note(f"{what}: {answer['load-ms']:.0f} ms to read and check")
        self.tell(what, answer["commit-ms"] / 1e3, limit, once_more)

    def test_one_change(self):
        """Whatever it is: compared, in force and on the disk within 200 ms of being read; back within a second."""
        changes = {
            "nothing": lambda c: None,
            "a route": lambda c: c["attachments"]["branch-7"]["routes"].append({"prefix": "10.250.0.0/16"}),
            "a key": lambda c: c["vpn-connections"]["branch-9"]["tunnels"][0].update(psk="another"),
            "dpd": lambda c: c["vpn-connections"]["branch-9"]["tunnels"][0].update(dpd={"interval": 5}),
            "a network": lambda c: c["attachments"].update(
                {"vpc-b": {"kind": "vpc", "port": "lan0", "vlan": 200, "address": "10.2.255.254/16"}}),
            "a connection less": lambda c: (c["attachments"].pop("branch-8"), c["vpn-connections"].pop("branch-8")),
        }
        for what, change in changes.items():
            config = large(TUNNELS)
            change(config)
            for left in reversed(range(TRIES)):
                answer = self.router.apply(config)
                self.took(answer, f"apply {what}", 0.2, once_more=left)
                if answer["total"]:
                    self.took(self.router.ctl("rollback"), f"rollback of {what}", 1)
                if answer["commit-ms"] <= 200:
                    break

    def test_errors(self):
        """C-30: 2,000 planted errors: the first 200 with their places and the total, within a second; nothing changes."""
        config = large(TUNNELS)
        rng = random.Random(30)
        for i in rng.sample(range(TUNNELS // 2), ERRORS // 2):
            for tunnel in config["vpn-connections"][f"branch-{i}"]["tunnels"]:
                tunnel.update(rng.choice([{"psk": "a b"}, {"dpd": {"interval": 0}}, {"nat-traversal": "perhaps"}]))
        for what in ("check", "apply"):
            watch = wait.Stopwatch()
            answer = self.router.change(what, config)
            took = watch()
            self.assertEqual((answer["errors"], len(answer["lines"]), answer["sound"]), (ERRORS, 200, False))
            for line in answer["lines"]:
                self.assertRegex(line, r"tr-next\.yaml:\d+:\d+: error: ")
            self.tell(f"{what} of {ERRORS} errors", answer["load-ms"] / 1e3, 1)
            self.tell(f"{what} of {ERRORS} errors, with transitctl", took, 5)
        self.assertEqual(len(self.router.ctl("show", "tunnels")), TUNNELS)
