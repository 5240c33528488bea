# SPDX-License-Identifier: BSD-3-Clause
"""A machine of two NUMA nodes, with NICs on both: whose memory packets lie in, who is warned, how flows are spread over
the queues of a NIC, and that a NIC tells of its link itself."""

import collections
import re

from rig import guest_transitd, net, site, tools, wait
from rig.case import Lab

_HUGE = 2 << 20
_FLOWS = 64


class Nodes(Lab):
    """Workers and the second NIC on node 1, control and the first NIC on node 0."""

    release = True
    timeout = 180

    @classmethod
    def build(cls):
        switches = [net.Netns("switch-near"), net.Netns("switch-far")]
        cls.router = guest_transitd.NumaTransitd([(switches[0], "trunk"), (switches[1], "trunk")]).boot()
        cls.near = net.Host("near", "10.1.0.1/16", "10.1.255.254")
        cls.far = net.Host("far", "10.2.0.1/16", "10.2.255.254")
        site.VpcHosts(cls.router, "lan0", {100: cls.near}, switches[0])
        site.VpcHosts(cls.router, "lan1", {200: cls.far}, switches[1])
        cls.router.bind()
        cls.router.start({
            "system": {"control-core": 0, "worker-cores": [1, 2], "log-level": "debug"},
            "ports": {"lan0": {}, "lan1": {}},
            "attachments": {"near": {"kind": "vpc", "port": "lan0", "vlan": 100, "address": "10.1.255.254/16"},
                            "far": {"kind": "vpc", "port": "lan1", "vlan": 200, "address": "10.2.255.254/16"}}})
        cls.routers.append(cls.router)

    def ports(self):
        return {row["name"]: row for row in self.router.ctl("show", "ports")}

    def huge_on_nodes(self):
        """{node: huge pages of the process that the kernel has put there}."""
        pid = self.router.guest.sh(f"cat {self.router.process.pid_file}").strip()
        pages = collections.Counter()
        for line in self.router.guest.sh(f"cat /proc/{pid}/numa_maps").splitlines():
            if "huge" in line.split():
                for node, count in re.findall(r" N(\d+)=(\d+)", line):
                    pages[int(node)] += int(count)
        return pages

    def test_packets_lie_on_the_node_of_their_nic(self):
        """Two pools: that of the far NIC, the tables and the rings are where the workers are, that of the other NIC is not."""
        ports = self.ports()
        self.assertEqual({name: row["numa-node"] for name, row in ports.items()}, {"lan0": 0, "lan1": 1})
        pages = self.huge_on_nodes()
        # 256 descriptors: 8,448 buffers and more of 2.6 KB a pool
        self.assertGreaterEqual(pages[0], 20e6 / _HUGE, pages)
        self.assertLess(pages[0], 60e6 / _HUGE, pages)
        self.assertGreaterEqual(pages[1], 128e6 / _HUGE - 4, pages)

    def test_a_port_far_from_its_workers_is_told(self):
        warnings = [line for line in self.router.process.output().splitlines() if "NIC is on NUMA node" in line]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertRegex(warnings[0], r"lan0.*NIC is on NUMA node 0.*core 1 of node 1.*worker-cores.*node 0 \(0\)")

    def test_packets_cross_both_ways(self):
        """What was received into one pool is sent by the other's NIC, and comes back to its pool."""
        wait.until(lambda: self.near.ping(self.far, count=1), 20, "near reaches far")
        for one, other in ((self.near, self.far), (self.far, self.near)):
            verdict = tools.Stream(one, other, pps=200, count=1000, size=1400, flows=_FLOWS).run()
            self.assertEqual((verdict.lost, verdict.corrupted, verdict.duplicated), (0, 0, 0), verdict)

    def test_flows_are_spread_over_queues(self):
        """By our key, as the log says; each worker has one of the two queues of the far NIC and gets its share."""
        self.assertRegex(self.router.process.output(), r"lan1.*2 rx and 2 tx queues.*flows are spread by addresses and ports")
        wait.until(lambda: self.near.ping(self.far, count=1), 20, "near reaches far")

        def packets():
            return [w["packets"] for w in self.router.ctl("show", "system")["workers"]]
        before = packets()
        tools.Stream(self.far, self.near, pps=200, count=1000, flows=_FLOWS).run()
        after = packets()
        shares = [b - a for a, b in zip(before, after)]
        self.assertGreaterEqual(sum(shares), 1000)
        self.assertGreaterEqual(min(shares), 250, shares)

    def test_the_nic_tells_of_its_link(self):
        """Nothing asks a NIC that has an interrupt for it: what is seen here came by the interrupt."""
        for _ in range(3):
            for word, state in (("off", "down"), ("on", "up")):
                before = self.ports()["lan1"]["link-events"]
                self.router.guest.tell_machine(f"set_link nic1 {word}")
                wait.until(lambda: self.ports()["lan1"]["link"] == state, 20, f"the link is {state}")
                self.assertGreater(self.ports()["lan1"]["link-events"], before)
        wait.until(lambda: self.near.ping(self.far, count=1), 20, "near reaches far again")
