# SPDX-License-Identifier: BSD-3-Clause
"""Ports that end in another process: virtio-user and vhost-user, with dpdk-testpmd as the other end.

testpmd stands for the switch of a hypervisor: it carries frames between the socket and a cable to the host
of a VPC network. The router's other port is a cable to a second network.
"""

import os

from rig import net, testpmd, tools, transitd, wait
from rig.case import Lab

SOCKET = "/run/vhost/lan.sock"


class VhostLab(Lab):
    device = None  # of the router's port
    vdev = None  # of testpmd's
    router_first = False  # whose socket it is

    @classmethod
    def build(cls):
        os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
        cls.router, cls.switch_ns = transitd.Transitd("tr"), net.Netns("switch")
        cls.near = net.Host("near", "10.1.0.1/16", "10.1.255.254")
        cls.far = net.Host("far", "10.2.0.1/16", "10.2.255.254")
        net.wire(cls.near, "eth0", cls.switch_ns, "near", mtu=1500)
        net.wire(cls.far, "eth0", cls.router, "lan0")
        for host in (cls.near, cls.far):
            host.attach()
        cls.switch = testpmd.Testpmd(cls.switch_ns, "switch", cls.vdev, "net_af_packet0,iface=near,framecnt=4096")
        cls.config = {
            "ports": {"vm0": {"device": cls.device, "descriptors": 1024}, "lan0": {"device": "af_packet:lan0"}},
            "attachments": {"near": {"kind": "vpc", "port": "vm0", "address": "10.1.255.254/16"},
                            "far": {"kind": "vpc", "port": "lan0", "address": "10.2.255.254/16"}}}
        if not cls.router_first:
            cls.switch.start()
        cls.router.start(cls.config)
        cls.routers.append(cls.router)
        if cls.router_first:
            cls.switch.start()
        cls.wait_link("up")

    @classmethod
    def link(cls):
        return next(p["link"] for p in cls.router.ctl("show", "ports") if p["name"] == "vm0")

    @classmethod
    def wait_link(cls, state):
        wait.until(lambda: cls.link() == state, 10, f"the link of vm0 is {state}")


class Both:
    """What must hold whichever end it is."""

    def carries(self, count=2000):
        wait.until(lambda: self.near.ping(self.far, count=1), 10, "near reaches far")
        for one, other in ((self.near, self.far), (self.far, self.near)):
            verdict = tools.Stream(one, other, pps=1000, count=count, size=1400, flows=8).run()
            self.assertEqual((verdict.lost, verdict.corrupted, verdict.duplicated), (0, 0, 0), verdict)

    def test_packets_both_ways(self):
        self.carries()

    def test_link_follows_the_other_end(self):
        self.assertEqual(self.link(), "up")
        self.switch.stop()
        self.wait_link("down")
        self.assertEqual(self.near.ping(self.far, count=1, wait_s=0.5), 0)


class ComesBack:
    """The router listens, and the other end may come, go and come back."""

    def test_the_other_end_comes_back(self):
        for end in (self.switch.stop, self.switch.kill):
            if self.switch.process is None:
                self.switch.start()
            self.wait_link("up")
            end()
            self.wait_link("down")
        self.switch.start()
        self.wait_link("up")
        self.carries()


class VirtioUser(Both, VhostLab):
    """virtio-user:PATH: the other end listens on the socket."""

    device = f"virtio-user:{SOCKET}"
    vdev = f"net_vhost0,iface={SOCKET}"


class VirtioUserServer(Both, ComesBack, VhostLab):
    """virtio-user:PATH,server=1: the router listens, and the other end may come, go and come back."""

    device = f"virtio-user:{SOCKET},server=1"
    vdev = f"net_vhost0,iface={SOCKET},client=1"


class VhostUser(Both, VhostLab):
    """vdev:net_vhost: the router is the switch's end of the cable, as beside a hypervisor."""

    device = f"vdev:net_vhost0,iface={SOCKET}"
    vdev = f"net_virtio_user0,path={SOCKET},queue_size=1024"
    router_first = True


MEMIF = "/run/vhost/lan.memif"


class Memif(Both, ComesBack, VhostLab):
    """vdev:net_memif: shared memory without virtio, as VPP and other DPDK processes have it. The router listens."""

    device = f"vdev:net_memif0,role=server,socket={MEMIF},socket-abstract=no"
    vdev = f"net_memif0,role=client,socket={MEMIF},socket-abstract=no,rsize=11"
    router_first = True
