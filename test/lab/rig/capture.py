# SPDX-License-Identifier: BSD-3-Clause
"""What was on a wire: tcpdump with a filter, read with scapy; and frames put on it by hand."""

import logging
import signal
import socket
import struct

from . import process

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

ESP = "(udp port 4500 and udp[8:4] != 0 and udp[4:2] > 12) or esp"
FORGED_MAC = "02:00:00:00:66:66"  # sender of inner packets that a test itself puts on the outside
IKE = "udp port 500 or (udp port 4500 and udp[8:4] = 0)"


class Capture:
    """tcpdump on an interface from start() to stop(); packets() are scapy's."""

    def __init__(self, ns, ifname, expression, name=None, snap=0):
        self.ns, self.ifname, self.expression, self.snap = ns, ifname, expression, snap
        self.name = name or f"capture-{ns.name}-{ifname}"
        self.file = process.log_path(self.name + ".pcap")

    def start(self):
        self.process = self.ns.spawn(self.name, "tcpdump", "-n", "-U", "--immediate-mode", "-Z", "root",
                                     "-i", self.ifname, "-s", self.snap, "-w", self.file, self.expression)
        self.process.wait_log("listening on")
        return self

    def stop(self):
        self.process.stop(signal.SIGINT)
        return self

    def packets(self, limit=-1):
        from scapy.layers import inet, ipsec, l2  # noqa: F401  known layers are dissected
        from scapy.utils import rdpcap
        return rdpcap(self.file, count=limit)

    def frames(self):
        """(seconds, bytes) of each frame so far, from the file as it is. Without scapy, which the demo does not install."""
        record = struct.Struct("=IIII")
        try:
            with open(self.file, "rb") as file:
                file.seek(24)
                while len(header := file.read(record.size)) == record.size:
                    seconds, micro, length, _ = record.unpack(header)
                    frame = file.read(length)
                    if len(frame) < length:
                        return
                    yield seconds + micro / 1e6, frame
        except FileNotFoundError:
            return

    def count(self):
        """Packets so far."""
        return sum(1 for _ in self.frames())

    def first(self):
        """A line about the first packet."""
        return process.run(["tcpdump", "-n", "-c", "1", "-r", self.file]).strip()


class Leaks(Capture):
    """Asserts that no clear packet from or to inner addresses is on the outside (ES-11).

    A test that forges such packets sends them from FORGED_MAC; whoever forwarded one would put his own MAC in.
    """

    def __init__(self, ns, ifname, inner="10.0.0.0/8"):
        super().__init__(ns, ifname, f"net {inner} and not ether src {FORGED_MAC}", name=f"leaks-{ns.name}-{ifname}", snap=96)

    def check(self):
        self.stop()
        assert self.count() == 0, f"{self.count()} clear packets outside, first: {self.first()}"


class Injector:
    """Puts frames on an interface as they are; `frame` is bytes or a scapy packet."""

    def __init__(self, ns, ifname):
        with ns.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.socket.bind((ifname, 0))

    def send(self, frame):
        self.socket.send(bytes(frame))

    def close(self):
        self.socket.close()
