# SPDX-License-Identifier: BSD-3-Clause
"""Two transitd with any number of tunnels between them, and a host behind each.

        host1 -- lan0 [tr1] wan0 -- (relay) -- inet -- (NAT) -- wan0 [tr2] lan0 -- host2

Connection N has one tunnel, cN/1. The network of the other host lies behind c0; of it, 10.H.N.0/24 behind cN, where
the host has the address 10.H.N.1. Gateway addresses are routed, as a provider does: the kernel has no more than 1,024
neighbours, in all namespaces together.
"""

import contextlib
import os

from . import net, process, site, transitd, wait, world

INSIDE = "192.168.7"  # of the NAT
PUBLIC = "192.0.2.2"


@contextlib.contextmanager
def keeping_order():
    """What is started meanwhile keeps the order of frames: what a process puts on a veth waits in a queue of the processor
    that it runs on, and what it puts there from another one may overtake. So it stays where it is, as the router's threads
    do; and the kernel forwards on the processor of him who sent."""
    anywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(anywhere)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, anywhere)


class Pair:
    """`ike`, `ipsec`, `tunnel`: of every tunnel in both startup files. `nat`: tr2 is behind a masquerade, with one
    connection, and calls itself by a name."""

    def __init__(self, connections=1, relay_seed=None, nat=False, ike=None, ipsec=None, tunnel=None, memory="256M"):
        self.connections, self.nat, self.memory = connections, nat, memory
        self.ike, self.ipsec, self.tunnel = ike or {}, ipsec or {}, tunnel or {}
        self.inet = site.Internet()
        self.ends, self.hosts = [], []
        with keeping_order():
            for i in range(2):
                self.ends.append(transitd.Transitd(f"tr{i + 1}"))
                self.hosts.append(net.Host(f"host{i + 1}", f"10.{i + 1}.0.1/16", f"10.{i + 1}.255.254"))
                site.VpcHosts(self.ends[i], "lan0", {0: self.hosts[i], **self.others(i)})
                for c in range(1, min(connections, 250)):
                    self.hosts[i].ip("addr add", f"{self.inner(i, c)}/32", "dev eth0")
            self.relay = self._attach(0, relay_seed)
        if nat:
            self._behind_nat()
        else:
            self._attach(1, None)

    def _attach(self, i, relay_seed):
        relay = self.inet.attach(self.ends[i], None, 16, f"198.{18 + i}.0.1", ifname="wan0", relay_seed=relay_seed)
        self.inet.ip("route add", f"198.{18 + i}.64.0/19", "via", f"198.{18 + i}.0.10")
        return relay

    def _behind_nat(self):
        nat = net.Netns("nat", forward=True)
        self.inet.attach(nat, PUBLIC, 30, "192.0.2.1")
        net.wire(nat, "inside", self.ends[1], "wan0")
        nat.ip("addr add", f"{INSIDE}.1/24", "dev inside")
        rules = process.log_path("nat.nft")
        with open(rules, "w") as out:
            out.write("table ip nat {\nchain post {\ntype nat hook postrouting priority srcnat;\n"
                      'oifname "wan" ip protocol udp masquerade to :20000-29999\n}\n}\n')
        nat.run("nft", "-f", rules)

    @staticmethod
    def inner(i, c):
        """An address of the host behind end i that connection c leads to."""
        return f"10.{i + 1}.{c}.1"

    def outer(self, i, c):
        """The gateway address of connection c at end i."""
        if self.nat and i == 1:
            return f"{INSIDE}.33"
        return f"198.{18 + i}.{64 + c // 250}.{c % 250 + 1}"

    def _tunnel(self, i, c):
        ike = dict(self.ike)
        if self.nat:
            ike["local-id" if i else "remote-id"] = "behind.nat.example"
        return {"customer-gateway": f"p{c}", "gateway-address": self.outer(i, c), "psk": world.PSK,
                "apply-immediately": not self.nat or i == 1, "ike": ike, "ipsec": dict(self.ipsec), **self.tunnel}

    def config(self, i):
        behind_nat = self.nat and i == 1
        mine = INSIDE if behind_nat else f"198.{18 + i}.0"
        each = range(self.connections)

        def routes(c):
            return [{"prefix": f"10.{2 - i}.{f'{c}.0/24' if c else '0.0/16'}" if c < 250 else f"172.16.{c % 250}.{c // 250}/32"}]
        config = {
            "system": {"memory": self.memory},
            "ports": {"wan0": {"device": "af_packet:wan0", "gateway": f"{mine}.1",
                               "address": f"{mine}.10/{24 if behind_nat else 16}"},
                      "lan0": {"device": "af_packet:lan0"}},
            "transit-router": {"name": f"tr-{i + 1}", "limits": {"vpn-attachments": 5000},
                               "cidr": [f"{INSIDE}.32/28" if behind_nat else f"198.{18 + i}.64.0/19"]},
            "customer-gateways": {f"p{c}": {"address": PUBLIC if self.nat and i == 0 else self.outer(1 - i, c)}
                                  for c in each},
            "vpn-connections": {f"c{c}": {"mode": "single", "tunnels": [self._tunnel(i, c)]} for c in each},
            "attachments": {
                **{f"c{c}": {"kind": "vpn", "connection": f"c{c}", "routes": routes(c)} for c in each},
                "vpc": {"kind": "vpc", "port": "lan0", "address": f"10.{i + 1}.255.254/16"}}}
        self.shape(i, config)
        return config

    def others(self, _i):
        """More hosts behind an end, by VLAN."""
        return {}

    def shape(self, i, config):
        """What else is in its startup file."""

    def start(self, timeout=60):
        for i, end in enumerate(self.ends):
            end.start(self.config(i), timeout=60)
        self.wait_up(timeout)

    def wait_up(self, timeout):
        for end in self.ends:
            end.wait_up(timeout=timeout)

    def same(self, name):
        """Whether there is one pair of SAs of a tunnel, the same on both ends."""
        one, other = (end.esp_sas(name) for end in self.ends)
        return len(one) == len(other) == 1 and one[0]["spi-in"] == other[0]["spi-out"] and \
            all(len(end.ike_sas(name)) == 1 for end in self.ends)

    def newest_same(self, name):
        """Of IKEv1, where old ones stay a while: whether the latest Child SA of both ends is the same."""
        one, other = (end.esp_sas(name) for end in self.ends)
        return one and other and \
            transitd.Transitd.newest(one) == {min(other, key=lambda sa: sa["age-seconds"])["spi-out"]}

    def wait_settled(self, *names, timeout=15):
        for name in names:
            wait.until(lambda n=name: self.same(n), timeout, f"one pair of SAs for {name}", step=0.1)
