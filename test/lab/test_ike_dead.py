# SPDX-License-Identifier: BSD-3-Clause
"""C-15: thousands of peers that are not there: the few that are do not notice, nor does the control lcore."""

import time

from rig import net, site, tools, transitd, wait, world
from rig.case import Lab

LIVE = 10
SENT_MAX = 200 * 13  # messages a second: attempts that may begin in it, and messages of an attempt that nobody answers
CPU_MAX = 0.3  # of a core, for control


def control_seconds(router):
    """Processor time of the control lcore so far."""
    with open(f"/proc/{router.process.pid}/task/{router.process.pid}/schedstat") as stat:
        return int(stat.read().split()[0]) / 1e9


class DeadPeers(Lab):
    """tr1 has many connections of one tunnel each; tr2 is the peer of the first ten, and nobody that of the others."""

    release = True
    timeout = 200
    peers = 5000 if tools.full() else 1000

    @classmethod
    def build(cls):
        cls.inet = site.Internet()
        cls.inet.ip("route add blackhole 198.20.0.0/16")
        cls.ends, cls.hosts = [], []
        for i in range(2):
            end = transitd.Transitd(f"tr{i + 1}")
            cls.inet.attach(end, None, 16, f"198.{18 + i}.0.1", ifname="wan0")
            host = net.Host(f"host{i + 1}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254")
            site.VpcHosts(end, "lan0", {0: host})
            end.start(cls.config(i), timeout=60)
            cls.routers.append(end)
            cls.ends.append(end)
            cls.hosts.append(host)
        for end in cls.ends:
            end.wait_up(*(f"c{c}/1" for c in range(LIVE)), timeout=60)

    @classmethod
    def config(cls, i):
        mine, theirs = f"198.{18 + i}", f"198.{19 - i}"
        count = LIVE if i else cls.peers

        def peer(c):
            return f"{theirs}.64.{c + 1}" if c < LIVE else f"198.20.{c // 250}.{c % 250 + 1}"
        return {
            "system": {"memory": "1G" if tools.full() else "256M"},
            "ports": {"wan0": {"device": "af_packet:wan0", "address": f"{mine}.0.10/16", "gateway": f"{mine}.0.1"},
                      "lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": f"tr-{i + 1}", "cidr": [f"{mine}.64.0/19"],
                               "limits": {"vpn-attachments": 5000}},
            "customer-gateways": {f"p{c}": {"address": peer(c)} for c in range(count)},
            "vpn-connections": {f"c{c}": {"mode": "single", "tunnels": [
                {"customer-gateway": f"p{c}", "gateway-address": f"{mine}.{64 + c // 250}.{c % 250 + 1}",
                 "psk": world.PSK, "apply-immediately": True, "dpd": {"interval": 1, "timeout": 3},
                 "ike": {"dh-group": "group14"}, "ipsec": {"encryption": "aes128gcm16", "dh-group": "group14"}}]}
                for c in range(count)},
            "attachments": {
                **{f"c{c}": {"kind": "vpn", "connection": f"c{c}", "routes": [
                    {"prefix": f"10.{2 - i}.0.0/16" if c == 0 else f"172.{16 + c // 250}.{c % 250}.0/24"}]}
                   for c in range(count)},
                "vpc": {"kind": "vpc", "port": "lan0", "address": f"10.{i + 1}.255.254/16"}}}

    def sent(self):
        """Frames that came out of the router."""
        path = "/sys/class/net/tr1/statistics/rx_packets"
        return int(self.inet.run("cat", path))

    def test_the_dead_are_no_burden(self):
        router = self.ends[0]
        before = [{sa["spi-in"] for sa in end.ctl("show", "sas") if sa["state"] in ("established", "installed")}
                  for end in self.ends]
        frames, cpu, watch, most = self.sent(), control_seconds(router), wait.Stopwatch(), 0
        stream = tools.Stream(*self.hosts, pps=200, flows=8, settle_ms=2000).start().wait_flowing()
        while watch() < (20 if tools.full() else 8):
            then, second = self.sent(), wait.Stopwatch()
            time.sleep(1)
            most = max(most, (self.sent() - then) / second() - 200)
        cpu, each = (control_seconds(router) - cpu) / watch(), (self.sent() - frames) / watch() - 200
        verdict = stream.finish()
        stall = router.ctl("show", "system")["longest-control-stall-ms"]
        self.note(f"{self.peers - LIVE} dead peers: {each:.0f} frames/s, {most:.0f} in the worst second, control "
                  f"{100 * cpu:.1f} % of a core, longest stall {stall:.1f} ms")
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0), verdict)
        self.assertLess(most, SENT_MAX)
        self.assertLess(cpu, CPU_MAX)
        self.assertLess(stall, 20)
        after = [{sa["spi-in"] for sa in end.ctl("show", "sas")} for end in self.ends]
        for then, now in zip(before, after):
            self.assertLessEqual(then, now)
