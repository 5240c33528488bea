# SPDX-License-Identifier: BSD-3-Clause
"""transitctl nic with a kernel that acts: a virtio NIC of a guest goes to the driver for DPDK, and back."""

import json
import os
import re
import shlex

from rig import guest_transitd, net, tools
from rig.case import Lab

KEPT, GIVEN = "0000:00:10.0", "0000:00:11.0"


class Nics(Lab):
    """A guest with two NICs. It has no IOMMU, and Debian's kernel no VFIO that does without."""

    release = True

    @classmethod
    def build(cls):
        cls.router = guest_transitd.GuestTransitd([(net.Netns("a"), "tap-a"), (net.Netns("b"), "tap-b")]).boot()
        cls.router.guest.wait_ready()

    def nics(self):
        """{address: row} of nic list."""
        return {row["address"]: row for row in json.loads(self.router.nic("list"))}

    def test_the_list(self):
        nics = self.nics()
        self.assertEqual(set(nics), {KEPT, GIVEN})
        for address, interface in ((KEPT, "eth0"), (GIVEN, "eth1")):
            row = nics[address]
            self.assertEqual((row["of"], row["interface"], row["device"], row["iommu"]),
                             ("kernel", interface, "1af4:1000", False))

    def test_what_is_in_use_stays(self):
        sh = self.router.guest.sh
        for way, back in (("ip addr add 192.0.2.1/24 dev eth1", "ip addr del 192.0.2.1/24 dev eth1"),
                          ("ip link add link eth1 name v7 type vlan id 7", "ip link del v7")):
            sh(way)
            code, text = self.router.nic("bind", GIVEN, check=False)
            self.assertEqual(code, 1, text)
            self.assertIn("in use", text)
            sh(back)
        self.assertEqual(self.nics()[GIVEN]["of"], "kernel")

    def test_a_driver_that_refuses_gives_it_back(self):
        """There is VFIO, it can be asked for, and it does not take a NIC that no IOMMU watches."""
        code, text = self.router.nic("bind", GIVEN, "driver", "vfio-pci", check=False)
        self.assertEqual(code, 1, text)
        self.assertEqual(self.nics()[GIVEN]["interface"], "eth1")

    def test_there_and_back(self):
        for _ in range(2):
            self.assertIn("no IOMMU", self.router.nic("bind", GIVEN))
            row = self.nics()[GIVEN]
            self.assertEqual((row["of"], row["driver"], row["interface"]), ("transitd", "uio_pci_generic", ""))
            self.router.nic("bind", GIVEN)
            self.assertEqual(self.nics()[KEPT]["interface"], "eth0")
            self.router.nic("unbind", GIVEN)
            self.assertEqual(self.nics()[GIVEN]["interface"], "eth1")

    def test_the_service_takes_them_as_the_page_says(self):
        """What runs before the service starts, with the settings that config/virtual-machine.md gives to cloud-init."""
        with open(os.path.join(tools.ROOT, "config", "virtual-machine.md")) as page:
            text = re.search(r"path: /etc/default/transitd\n    content: \|\n((?:      .*\n)+)", page.read()).group(1)
        settings = dict(line.strip().split("=", 1) for line in text.splitlines())
        self.assertEqual(set(settings), {"HUGEPAGES", "NICS"})
        wanted = {"HUGEPAGES": "32", "NICS": GIVEN, "TRANSITCTL": self.router.program("transitctl")}
        words = " ".join(f"{name}={shlex.quote(wanted[name])}" for name in (*settings, "TRANSITCTL"))
        for script in ("reserve-hugepages", "bind-nics"):
            with open(os.path.join(tools.ROOT, "config", "systemd", script)) as source:
                path = self.router.guest.write(script, source.read())
            self.router.guest.sh(f"{words} sh {path}")
        self.assertEqual(self.nics()[GIVEN]["of"], "transitd")
        self.assertEqual(self.nics()[KEPT]["of"], "kernel")
        pages = self.router.guest.sh("cat /sys/devices/system/node/node*/hugepages/hugepages-2048kB/nr_hugepages")
        self.assertGreaterEqual(sum(map(int, pages.split())), 32)
        self.router.nic("unbind", GIVEN)
        self.assertEqual(self.nics()[GIVEN]["of"], "kernel")
