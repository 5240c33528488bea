# SPDX-License-Identifier: BSD-3-Clause
"""transitd in a virtual machine, on two virtio NICs: what the demo shows must hold there as well.

The guest has Debian's kernel and huge pages; the NICs are taken from the kernel and driven by DPDK's virtio
driver. Data centers (strongSwan) and VPC hosts are namespaces outside, behind TAP interfaces. The steps are those
of app/demo.py, at a tenth of its packet rates: the processor is emulated. Both data centers are static routes there.
"""

import contextlib
import importlib.util
import os

from rig import guest_transitd, process, tools
from rig.case import Lab

SLOWER = 10


def _demo_module():
    spec = importlib.util.spec_from_file_location("demo", os.path.join(tools.ROOT, "app", "demo.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Virtio(Lab):
    """The demo with its router in a guest."""

    release = True
    timeout = 120

    @classmethod
    def build(cls):
        cls.demo = _demo_module().Demo(guest_transitd.GuestWorld, slower=SLOWER, bgp=())
        with cls.told():
            cls.demo.build()
        cls.router = cls.demo.router
        cls.routers.append(cls.router)
        cls.leaks.append(cls.demo.leaks)

    @classmethod
    @contextlib.contextmanager
    def told(cls):
        """What the demo says goes to a log: standard output is for results."""
        with open(process.log_path("demo.log"), "a") as log, contextlib.redirect_stdout(log):
            yield

    def step(self, what, *args):
        failed = self.demo.failed
        with self.told():
            what(*args)
        with open(process.log_path("demo.log")) as log:
            words = log.read()[-1500:]
        self.assertEqual(self.demo.failed, failed, words)

    def test_tunnels_come_up(self):
        self.step(self.demo.tunnels_come_up)
        devices = sorted(row["device"] for row in self.router.ctl("show", "ports"))
        self.assertEqual(devices, ["0000:00:10.0", "0000:00:11.0"])
        self.assertNotIn("ordinary memory", self.router.process.output())

    def test_who_may_talk(self):
        self.step(self.demo.who_may_talk)

    def test_ecmp(self):
        self.step(self.demo.ecmp)

    def test_who_may_not(self):
        self.step(self.demo.who_may_not)

    def test_tunnel_cut(self):
        self.step(self.demo.tunnel_cut)

    def test_rekeys(self):
        self.step(self.demo.rekeys)

    def test_policy(self):
        self.step(self.demo.policy)

    def test_shows(self):
        self.step(self.demo.shows)
