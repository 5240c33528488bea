# SPDX-License-Identifier: BSD-3-Clause
"""A data center whose gateway is a guest with the IPsec of Debian's kernel (XFRM): native ESP, protocol 50.

    internet -- dcN [TAP] eth0 [guest dcN-gw] eth1 [TAP] eth0 -- host dcN

The address plan is that of site.py: 10.(10+N).0.0/16 inside, 192.0.2.(8N+2) outside.
"""

import re

from . import guest, net

_MODULES = "af_packet xfrm_user af_key esp4 xfrm4_tunnel xfrm_interface tun"


class GuestCenter:
    """Host `dcN` behind the guest `dcN-gw`; start() boots, settle() waits for it and gives it its addresses."""

    def __init__(self, internet, number):
        self.number, self.name = number, f"dc{number}"
        inner = f"10.{10 + number}"
        self.prefix, self.inside = f"{inner}.0.0/16", f"{inner}.255.254"
        self.address, self.router = f"192.0.2.{8 * number + 2}", f"192.0.2.{8 * number + 1}"
        self.internet = internet
        self.host = net.Host(self.name, f"{inner}.0.1/16", self.inside)
        self.guest = guest.Guest(f"{self.name}-gw", [(internet, self.name), (self.host, "eth0")])

    def start(self):
        self.guest.start()
        self.internet.ip("addr add", f"{self.router}/30", "dev", self.name)
        self.host.attach()
        return self

    def settle(self):
        self.guest.wait_ready()
        self.guest.sh(
            f"for m in {_MODULES}; do modprobe $m; done; "
            f"ip addr add {self.address}/30 dev eth0 && ip addr add {self.inside}/16 dev eth1 && "
            "ip link set eth0 up && ip link set eth1 up && "
            f"ip route add default via {self.router} && sysctl -qw net.ipv4.ip_forward=1 && "
            "for i in /proc/sys/net/ipv4/conf/*; do echo 0 >$i/send_redirects; echo 0 >$i/accept_redirects; "
            "echo 0 >$i/rp_filter; done")
        return self

    def esp(self):
        """The kernel's ESP SAs: {SPI: (source, destination)}; SPIs as transitd prints them."""
        out = self.guest.sh("ip xfrm state")
        return {int(spi, 16): (source, to) for source, to, spi in
                re.findall(r"^src (\S+) dst (\S+)\n\s+proto esp spi (0x[0-9a-f]+)", out, re.M)}

    def inbound(self):
        """SPIs of the SAs towards the guest."""
        return {spi for spi, (_, to) in self.esp().items() if to == self.address}

    def refused(self):
        """What the guest's kernel dropped for IPsec, {counter: packets}: "XfrmInNoStates" is for want of an SA."""
        rows = self.guest.sh("cat /proc/net/xfrm_stat").split("\n")
        return {name: int(count) for name, count in (row.split() for row in rows if row) if count != "0"}

    def cut(self):
        self.internet.ip("link set dev", self.name, "down")

    def mend(self):
        self.internet.ip("link set dev", self.name, "up")
