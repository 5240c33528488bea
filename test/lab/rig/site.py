# SPDX-License-Identifier: BSD-3-Clause
"""The places of the lab's world: the internet, data centers with strongSwan gateways, VPC networks.

        vpc-a (VLAN 100) --.                                            .-- dc1-a --.
                            switch -- lan0 [transitd] wan0 -- internet -+            +-- dc1
        vpc-b (VLAN 200) --'                                            '-- dc1-b --'

A data center is a host with two links to two gateways, each with one charon, one outer address and one
tunnel. Each gateway takes its LAN link down while its tunnel is down, as a site's gateways do with a
tracked interface; the host spreads flows over the links that are up.

Address plan: data center N is 10.(10+N).0.0/16, its host .0.1; its outer addresses are 192.0.2.(8N+2) and
192.0.2.(8N+6). VPC networks are 10.1.0.0/16, 10.2.0.0/16 ...; transitd is the last host address of each.
"""

import os

from . import net, process, strongswan, tools, wait

INNER = "10.0.0.0/8"


class Internet(net.Netns):
    """A router between the outer addresses; no route to inner ones, so a leak would go nowhere."""

    def __init__(self, name="inet"):
        super().__init__(name, forward=True)
        self.ip("route add unreachable", INNER)

    def attach(self, ns, address, plen, own_address, ifname="wan", relay_seed=None):
        """Wires the interface `ifname` of `ns` to the internet. With a seed, a relay is in between."""
        far = ns.name
        relay = None
        if relay_seed is None:
            net.wire(ns, ifname, self, far)
        else:
            cable = net.Netns(f"{ns.name}-cable")
            net.wire(ns, ifname, cable, "a")
            net.wire(cable, "b", self, far)
            relay = tools.Relay(cable, "a", "b", relay_seed)
        self.ip("addr add", f"{own_address}/{plen}", "dev", far)
        if address:
            ns.ip("addr add", f"{address}/{plen}", "dev", ifname)
            ns.ip("route add default via", own_address)
        return relay

    def cut(self, ns):
        """Pulls the cable between the internet and `ns`."""
        self.ip("link set dev", ns.name, "down")

    def mend(self, ns):
        self.ip("link set dev", ns.name, "up")


# Runs in the gateway's namespace with PLUTO_VERB set; /run is the charon's own. Counts tunnels, because a
# peer that comes back may bring the new one up before the old one is taken down.
_UPDOWN = """\
#!/bin/sh
n=$(cat /run/tunnels 2>/dev/null || echo 0)
case "$PLUTO_VERB" in
up-client) n=$((n + 1)) ;;
down-client) n=$((n - 1)) ;;
esac
echo $n >/run/tunnels
if [ $n -gt 0 ]; then
  ip link set dev lan up
  ip route replace {inside} via {host}
  ip route replace {inner} dev ipsec0
else
  ip link set dev lan down
fi
"""


class Gateway(net.Netns):
    """A customer gateway: charon between the outer address `address` and the link to the host."""

    def __init__(self, name, address):
        super().__init__(name, forward=True)
        self.address = address
        self.charon = None
        self.relay = None

    def configure(self, tunnels, inside, host, **more):
        self.updown = process.log_path(f"{self.name}.updown")
        with open(self.updown, "w") as out:
            out.write(_UPDOWN.format(inside=inside, host=host, inner=INNER))
        os.chmod(self.updown, 0o755)
        for tunnel in tunnels:
            tunnel.child.setdefault("updown", self.updown)
        self.charon = strongswan.Charon(self, self.name, tunnels, **more)

    def start(self):
        self.ip("link set dev lan down")
        self.charon.start()

    def _carries(self):
        return self.run("cat", "/sys/class/net/lan/operstate").strip() == "up"

    def wait_up(self, timeout=20):
        """Until the tunnel is up and the LAN link with it."""
        self.charon.wait_up(self.charon.tunnels[0].name, timeout)
        wait.until(self._carries, 5, f"{self.name} has its LAN link up")

    def wait_down(self, timeout=10):
        """Until charon has found its tunnel dead, and the LAN link is down."""
        wait.until(lambda: not self.charon.children(), timeout, f"{self.name} finds its tunnel dead")
        wait.until(lambda: not self._carries(), 5, f"{self.name} takes its LAN link down")

    def power_cut(self):
        """The gateway is gone from one moment to the next: nobody is told, and its links are dead."""
        self.ip("link set dev lan down")
        self.charon.kill()


class DataCenter:
    """Host `dcN` behind the gateways `dcN-a` and `dcN-b`."""

    def __init__(self, internet, number, relay_seed=None):
        self.internet, self.number, self.name = internet, number, f"dc{number}"
        net_of_dc = f"10.{10 + number}"
        self.prefix = f"{net_of_dc}.0.0/16"
        self.host = net.Host(self.name, f"{net_of_dc}.0.1/32")
        self.host.attach("lo")
        self.gateways = []
        for i, letter in enumerate("ab"):
            outer = 8 * number + 4 * i
            gateway = Gateway(f"{self.name}-{letter}", f"192.0.2.{outer + 2}")
            gateway.relay = internet.attach(gateway, gateway.address, 30, f"192.0.2.{outer + 1}",
                                            relay_seed=relay_seed and relay_seed + i)
            net.wire(gateway, "lan", self.host, letter)
            gateway.ip("addr add", f"{net_of_dc}.{i + 1}.1/30", "dev lan")
            # kernel-libipsec takes a policy only if an address that is up lies within the local selector
            gateway.ip("addr add", f"{net_of_dc}.0.{251 + i}/32", "dev wan")
            self.host.ip("addr add", f"{net_of_dc}.{i + 1}.2/30", "dev", letter)
            self.gateways.append(gateway)

    def connect(self, peers, psk, active_standby=False, retransmit=(0.5, 1.0, 4), **more):
        """One tunnel from each gateway to the address of `peers` of the same place, and starts charon.

        `psk`: one key, or one for each tunnel. `more`: settings of strongswan.Tunnel.
        """
        keys = [psk] * len(peers) if isinstance(psk, str) else psk
        for i, (gateway, peer, key) in enumerate(zip(self.gateways, peers, keys)):
            settings = dict({"ike": {"dpd_delay": "1s"}}, **more)
            tunnel = strongswan.Tunnel(f"{self.name}-{i + 1}", gateway.address, peer, key, **settings)
            gateway.configure([tunnel], self.prefix, f"10.{10 + self.number}.{i + 1}.2", retransmit=retransmit)
            gateway.start()
        self.route(active_standby)

    def route(self, active_standby=False):
        links = [f"10.{10 + self.number}.{i + 1}.1" for i in range(len(self.gateways))]
        if active_standby:
            for metric, link in enumerate(links):
                self.host.ip("route add", INNER, "metric", metric + 10, "via", link, "src", self.host.address)
        else:
            self.host.ip("route add", INNER, "src", self.host.address,
                         *(f"nexthop via {link}" for link in links))

    def charons(self):
        return [g.charon for g in self.gateways]

    def wait_up(self, timeout=20):
        for gateway in self.gateways:
            gateway.wait_up(timeout)

    def stop(self):
        for charon in self.charons():
            charon.stop()


class VpcHosts:
    """Hosts behind one port of the router, each in a VLAN of its own (0: untagged)."""

    def __init__(self, router_ns, ifname, hosts, switch_ns=None):
        """`hosts`: {vlan: net.Host}; the router's end of the cable is `ifname` in `router_ns`.

        With `switch_ns`, the router is behind the interface `trunk` of that namespace already.
        """
        self.switch_ns = switch_ns or net.Netns(f"switch-{router_ns.name}-{ifname}")
        if not switch_ns:
            net.wire(router_ns, ifname, self.switch_ns, "trunk")
        for vlan, host in hosts.items():
            net.wire(host, "eth0", self.switch_ns, host.name)
            host.attach()
        self.switch = tools.switch(self.switch_ns, "trunk", {v: h.name for v, h in hosts.items()})
