# SPDX-License-Identifier: BSD-3-Clause
"""What a table, a route and a tunnel cost in memory, as README.md says, and what stays there."""

import re

from rig import transitd
from rig.case import Lab

# At most so many KiB each, a tenth and more above what README.md says.
TABLES, TABLE_MAX = 10, 4700
ROUTES, ROUTE_MAX = 20000, 1.3
TUNNELS, TUNNEL_MAX = 500, 50


def keys(number):
    return {"spi": 0x1000 + number, "encryption-key": f"{number:040x}"}


class Costs(Lab):
    """Routers that differ in one thing; resident memory and huge pages of each."""

    release = True

    @classmethod
    def build(cls):
        cls.router = transitd.Transitd("tr")
        cls.bare = cls.memory(cls.config())

    @staticmethod
    def config():
        return {
            "system": {"huge-pages": "no"},
            "ports": {"lan0": {"device": "vdev:net_null0"},
                      "wan0": {"device": "vdev:net_null1", "address": "203.0.113.10/24", "gateway": "203.0.113.1"}},
            "transit-router": {"name": "tr-1", "limits": {"vpn-attachments": TUNNELS}},
            "route-tables": {"default": {}},
            "customer-gateways": {}, "vpn-connections": {},
            "attachments": {"vpc-a": {"kind": "vpc", "port": "lan0", "address": "10.1.255.254/16"}}}

    @classmethod
    def memory(cls, config):
        """KiB, once it answers."""
        cls.router.start({name: body for name, body in config.items() if body})
        with open(f"/proc/{cls.router.process.pid}/status") as status:
            kib = sum(int(line.split()[1]) for line in status if line.startswith(("VmRSS", "HugetlbPages")))
        cls.router.end()
        return kib

    def test_code_stays(self):
        """A worker never waits for the disk, not for the first packet of an algorithm either."""
        self.router.start(self.config())
        with open(f"/proc/{self.router.process.pid}/smaps") as maps:
            pieces = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", maps.read())[1:]
        self.router.end()
        code = [p for p in pieces if re.match(r"\S+ r.x\S* \S+ \S+ \S+ +/", p)]
        self.assertTrue(any("libIPSec_MB" in p for p in code))
        for piece in code:
            size, there = (int(re.search(rf"(?m)^{name}: +(\d+) kB", piece)[1]) for name in ("Size", "Rss"))
            self.assertEqual(there, size, piece)
            self.assertRegex(piece, r"(?m)^VmFlags:.* lo\b")  # locked

    def judge(self, what, count, config, most):
        each = (self.memory(config) - self.bare) / count
        self.note(f"{count} {what}: {each:.2f} KiB each (at most {most})")
        self.assertGreater(each, 0)
        self.assertLessEqual(each, most)

    def test_a_table(self):
        config = self.config()
        for number in range(TABLES):
            config["route-tables"][f"t{number}"] = {"routes": [{"prefix": f"10.0.{number}.0/24", "blackhole": True}]}
        self.judge("tables", TABLES, config, TABLE_MAX)

    def test_a_static_route(self):
        config = self.config()
        config["route-tables"]["default"] = {"routes": [
            {"prefix": f"20.{n >> 16}.{n >> 8 & 255}.{n & 255}/32", "blackhole": True} for n in range(ROUTES)]}
        self.judge("static routes", ROUTES, config, ROUTE_MAX)

    def test_a_tunnel(self):
        """With its connection, customer gateway, attachment and route."""
        config = self.config()
        for n in range(1, TUNNELS + 1):
            config["customer-gateways"][f"p{n}"] = {"address": f"198.18.{n >> 8}.{n & 255}"}
            config["vpn-connections"][f"c{n}"] = {"mode": "single", "keying": "manual", "tunnels": [
                {"customer-gateway": f"p{n}", "gateway-address": "203.0.113.11",
                 "ipsec": {"encryption": "aes128gcm16", "esn": False},
                 "manual": {"in": keys(2 * n), "out": keys(2 * n + 1)}}]}
            config["attachments"][f"c{n}"] = {"kind": "vpn", "connection": f"c{n}",
                                              "routes": [{"prefix": f"30.{n >> 8}.{n & 255}.0/24"}]}
        self.judge("tunnels", TUNNELS, config, TUNNEL_MAX)
