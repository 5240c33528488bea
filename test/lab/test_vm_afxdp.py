# SPDX-License-Identifier: BSD-3-Clause
"""AF_XDP on NICs with several queues: virtio NICs of a guest, which keeps them and shares them with the router."""

import re
import socket

from rig import guest_transitd, tools, wait, world
from rig.case import Lab

FLOWS = 32


class SteeredWorld(guest_transitd.GuestWorld):
    """A data center, and the router in a guest."""

    router_class = guest_transitd.SteeredTransitd


class SeveralQueues(Lab):
    """What comes on any queue is steered: to the router, or past it to the guest's own kernel."""

    release = True
    timeout = 150

    @classmethod
    def build(cls):
        cls.world = SteeredWorld(dcs=(1,))
        cls.router = cls.world.router
        cls.router.start(world.config(dcs=(1,)))
        cls.routers.append(cls.router)
        cls.world.connect()
        cls.world.wait_up(timeout=60)

    def redirected(self, ifname):
        """Frames that the XDP program gave to the router, by queue."""
        text = self.router.guest.sh(f"ethtool -S {ifname}")
        return [int(n) for n in re.findall(r"rx_queue_\d+_xdp_redirects: (\d+)", text)]

    def steered(self):
        return next(row for row in self.router.ctl("show", "ports") if row["name"] == "wan0")

    def test_frames_on_every_queue_arrive(self):
        """NAT keepalives (RFC 3948 2.3) of many strangers: each is a flow, and the host spreads flows over queues."""
        before, queues = self.steered(), self.redirected("eth0")
        self.assertEqual(len(queues), self.router.queues)
        with self.world.inet.entered():
            for _ in range(FLOWS):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    stranger.sendto(b"\xff", ("203.0.113.33", 4500))
        wait.until(lambda: self.steered()["steering"]["ike"] >= before["steering"]["ike"] + FLOWS, 10, "all are steered")
        wait.until(lambda: self.steered()["rx-packets"] >= before["rx-packets"] + FLOWS, 10, "all are received")
        for queue, frames in enumerate(self.redirected("eth0")):
            self.assertGreater(frames, queues[queue], f"queue {queue} of the uplink")

    def test_vlans_that_the_kernel_does_not_know(self):
        """A virtio NIC passes the VLANs that it was told of, unless it is promiscuous."""
        vpc, dc = self.world.vpc["vpc-a"], self.world.dc[1].host
        both = [tools.Stream(vpc, dc, pps=100, count=400, flows=32).start(),
                tools.Stream(dc, vpc, pps=100, count=400, flows=32).start()]
        for verdict in [stream.finish() for stream in both]:
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted), (0, 0, 0), verdict)
        promiscuous = [bool(int(self.router.guest.sh(f"ip -d link show {ifname}").split("promiscuity ")[1].split()[0]))
                       for ifname in ("eth0", "eth1")]
        self.assertEqual(promiscuous, [False, True], "the LAN alone has VLANs")

    def test_all_queues_are_open(self):
        rows = self.router.ctl("show", "ports")
        self.assertEqual({row["rx-queues"] for row in rows}, {self.router.queues}, rows)

    def test_the_kernel_keeps_its_own(self):
        """An address of the guest itself, asked for on many flows while the router has the NIC."""
        self.router.guest.sh("ip addr add 203.0.113.5/24 dev eth0")
        for _ in range(2):
            self.assertEqual(self.world.inet.ping("203.0.113.5", count=2, interval=0.2, wait_s=5), 2)
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] == "up", 10, "the tunnel stays up")
