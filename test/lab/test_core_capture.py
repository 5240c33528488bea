# SPDX-License-Identifier: BSD-3-Clause
"""transitd fed with a capture file, over and over, as measurements do: how soon, in how much memory, and the way back."""

import os
import time

from rig import esp, process, transitd, wait
from rig.case import Lab
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

OURS, PEER = "203.0.113.10", "192.0.2.1"
FRAMES = 64
MEMORY_MAX_KB = 256 * 1024
START_MAX_S = 1
STARTS = 5  # a machine that does other things holds one up, not all of them
FREE_HUGE_PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"


class Captures(Lab):
    """One port reads a capture again and again; the other one takes what comes. Limits are those of an empty file."""

    release = True

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        cls.peer = esp.EspPeer(PEER, OURS, spi_in=0x1002, spi_out=0x1001)
        clear = [IP(src=f"10.1.0.{n + 1}", dst=f"10.9.0.{n + 1}") / UDP(sport=n + 1, dport=9) / bytes(30)
                 for n in range(FRAMES)]
        back = [IP(src=p.dst, dst=p.src) / UDP(sport=9, dport=p.sport) / bytes(30) for p in clear]
        cls.clear = cls.keep("clear", [bytes(packet) for packet in clear])
        cls.sealed = cls.keep("sealed", [cls.peer.seal(packet, n + 1) for n, packet in enumerate(back)])

    @staticmethod
    def keep(name, packets):
        path = process.log_path(name + ".pcap")
        wrpcap(path, [Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / IP(p) for p in packets])
        return path

    def write(self, port, huge_pages="no", **ipsec):
        """`port` reads its capture; the other one reads nothing, once."""
        empty = self.keep("one", [bytes(IP(src="10.1.0.1", dst="10.1.255.254") / UDP())])
        device = {"wan0": f"vdev:net_pcap0,rx_pcap={empty}", "lan0": f"vdev:net_pcap1,rx_pcap={empty}"}
        source = self.sealed if port == "wan0" else self.clear
        device[port] = device[port].replace(empty, source) + ",infinite_rx=1"
        keys = self.peer.config()
        keys["ipsec"].update(ipsec)
        config = {
            "system": {"poll": "busy", "run-dir": self.router.run_dir, "huge-pages": huge_pages,
                       "state-dir": f"{self.router.run_dir}/state"},
            "ports": {"wan0": {"device": device["wan0"], "address": "203.0.113.10/24", "gateway": "203.0.113.1",
                               "neighbors": [{"address": "203.0.113.1", "mac": "02:00:00:00:00:fe"}]},
                      "lan0": {"device": device["lan0"]}},
            "customer-gateways": {"peer": {"address": PEER}},
            "vpn-connections": {"mk": {"mode": "single", "keying": "manual",
                                       "tunnels": [{"customer-gateway": "peer", "gateway-address": OURS, **keys}]}},
            "attachments": {
                "mk": {"kind": "vpn", "connection": "mk", "routes": [{"prefix": "10.9.0.0/16"}]},
                "vpc-a": {"kind": "vpc", "port": "lan0", "address": "10.254.0.1/24",
                          "neighbors": [{"address": "10.254.0.2", "mac": "02:00:00:00:00:02"}],
                          "routes": [{"prefix": "10.1.0.0/16", "next-hop": "10.254.0.2"}]}}}
        with open(self.router.config_file, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(transitd.yaml(config))

    def sent(self, row):
        return self.router.counters()[row]["sent"]

    def run_until_sent(self, row, packets):
        self.router.start()
        wait.until(lambda: self.sent(row) >= packets, 10, f"{packets} packets leave by {row}", step=0.01)

    def start_once(self):
        """(seconds from exec to the first packet encrypted, KiB resident, KiB of huge pages)."""
        began = time.monotonic()
        self.run_until_sent("mk/1", 1)
        took = time.monotonic() - began
        with open(f"/proc/{self.router.process.pid}/status") as status:
            memory = dict(line.split()[:2] for line in status if line.startswith(("VmRSS", "HugetlbPages")))
        self.router.end()
        return took, int(memory["VmRSS:"]), int(memory["HugetlbPages:"])

    def first_packet_and_memory(self, huge_pages):
        self.write("lan0", huge_pages)
        best = None
        for _ in range(STARTS):
            took, resident, huge = self.start_once()
            best = took if best is None else min(best, took)
            self.assertLessEqual(resident + huge, MEMORY_MAX_KB)
            self.assertEqual(huge > 0, huge_pages != "no")
            if best <= START_MAX_S:
                break
        self.note(f"first packet {best:.2f} s after exec, {resident / 1024:.0f} MiB and {huge / 1024:.0f} MiB of huge pages")
        self.assertLessEqual(best, START_MAX_S)

    def test_first_packet_and_memory(self):
        """From exec to the first packet encrypted, with the default limits."""
        self.first_packet_and_memory("no")

    def test_first_packet_and_memory_on_huge_pages(self):
        with open(FREE_HUGE_PAGES) as free:
            if int(free.read()) < 64:
                self.note("the machine has no huge pages")
                return
        self.first_packet_and_memory("required")

    def test_the_same_capture_again_and_again(self):
        """Only `replay-window: 0` lets the peer's packets come more than once."""
        self.write("wan0", **{"replay-window": 0})
        self.run_until_sent("vpc-a", FRAMES * 100)
        drops = self.router.drops("wan0", "mk/1")
        self.router.end()
        self.assertEqual(drops, {})

    def test_a_window_takes_each_once(self):
        self.write("wan0")
        self.router.start()
        wait.until(lambda: self.router.drops().get("esp-replay", 0) > FRAMES * 100, 10, "replays are dropped")
        delivered, drops = self.router.counters()["mk/1"]["delivered"], self.router.drops("wan0", "mk/1")
        self.router.end()
        self.assertEqual(delivered, FRAMES)
        self.assertEqual(set(drops), {"esp-replay"})
