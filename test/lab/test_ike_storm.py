# SPDX-License-Identifier: BSD-3-Clause
"""C-14: very many peers start at once, and each wants a Diffie-Hellman exchange: those that are there do not notice.

tr2 has all the connections to tr1, is killed and starts again. Meanwhile one charon asks tr1 whether it is alive, tr1
asks another one, and BIRD on a private circuit hears keepalives; the times are those of the wires.
"""

import struct

from rig import bgp, capture, net, pair, site, strongswan, tools, wait, world
from rig.case import Lab

INTERVAL_S = 1  # of DPD and of BGP keepalives
LATE_MAX_S = 0.5
INFORMATIONAL, RESPONSE = 37, 0x20
KEEPALIVE = 4
ASKS, ASKED = 1, 2  # the charons: one that probes, and one that tr1 probes


def gateway(n):
    return f"198.18.95.{n}"


class _Pair(pair.Pair):
    def others(self, i):
        self.line = self.line if i else net.Host("line", "10.200.1.2/30", "10.200.1.1")
        return {} if i else {301: self.line}

    def shape(self, i, config):
        if i:
            return
        config["attachments"]["line"] = {
            "kind": "vbr", "port": "lan0", "vlan": 301, "address": "10.200.1.1/30",
            "bgp": {"peer": "10.200.1.2", "peer-asn": 65031, "hold-time": 3 * INTERVAL_S}}
        for n in (ASKS, ASKED):
            config["customer-gateways"][f"live{n}"] = {"address": f"192.0.2.{4 * n + 2}"}
            config["vpn-connections"][f"live{n}"] = {"mode": "single", "tunnels": [
                {**self._tunnel(0, 0), "customer-gateway": f"live{n}", "gateway-address": gateway(n),
                 "dpd": {"interval": INTERVAL_S, "timeout": 5}}]}
            config["attachments"][f"live{n}"] = {"kind": "vpn", "connection": f"live{n}",
                                                 "routes": [{"prefix": f"10.77.{n}.0/24"}]}


class Storm(Lab):
    release = True
    timeout = 300
    connections = 1000 if tools.full() else 100

    @classmethod
    def build(cls):
        cls.pair = _Pair(cls.connections, memory="1G" if tools.full() else "256M",
                         ike={"encryption": "aes256", "authentication": "sha256", "dh-group": "group14"},
                         ipsec={"encryption": "aes128gcm16", "dh-group": "group14"})
        cls.routers += cls.pair.ends
        cls.bird = bgp.Bird(cls.pair.line, "bird-line", 65031, [bgp.Session("10.200.1.2", "10.200.1.1", hold=3 * INTERVAL_S)],
                            ["10.31.0.0/16"]).start()
        cls.charons = {n: cls.live(n) for n in (ASKS, ASKED)}
        cls.pair.start(timeout=200)
        for charon in cls.charons.values():
            charon.wait_up("live", 30)
        wait.until(cls.bird.established, 30, "BGP is established", step=0.2)

    @classmethod
    def live(cls, n):
        peer = site.Gateway(f"live{n}", f"192.0.2.{4 * n + 2}")
        cls.pair.inet.attach(peer, peer.address, 30, f"192.0.2.{4 * n + 1}")
        return strongswan.Charon(peer, peer.name, [strongswan.Tunnel(
            "live", peer.address, gateway(n), world.PSK, proposals="aes256-sha256-modp2048",
            esp="aes128gcm16-modp2048", ike={"dpd_delay": f"{INTERVAL_S if n == ASKS else 0}s"})]).start()

    def answers(self, wire):
        """Seconds from each request of the charon to the answer."""
        asked, took = {}, []
        for when, ike in messages(wire):
            if ike[19] & RESPONSE:
                took.append(when - asked.pop(ike[20:24], when))
            else:
                asked.setdefault(ike[20:24], when)
        self.assertLessEqual(len(asked), 1, "all but the last were answered")
        return took

    def test_those_that_are_there_do_not_notice(self):
        tr1, tr2 = self.pair.ends
        mine = {n: {sa["spi-in"] for sa in tr1.esp_sas(f"live{n}/1")} for n in (ASKS, ASKED)}
        wires = [capture.Capture(self.pair.inet, f"live{ASKS}", capture.IKE, name="asks").start(),
                 capture.Capture(self.pair.inet, f"live{ASKED}", f"({capture.IKE}) and src host {gateway(ASKED)}",
                                 name="asked").start(),
                 capture.Capture(self.pair.line, "eth0", "tcp port 179 and src host 10.200.1.1", name="bgp").start()]
        tr2.kill()
        tr2.start(timeout=60)
        watch = wait.Stopwatch()
        self.pair.wait_up(200)
        seconds = watch()
        wait.until(lambda: min(wire.count() for wire in wires) >= 6, 30, "each has been heard")
        for wire in wires:
            wire.stop()
        took = self.answers(wires[0])
        asked = gaps([when for when, ike in messages(wires[1]) if not ike[19] & RESPONSE])
        kept = gaps([when for when, frame in wires[2].frames() if bgp_type(frame) == KEEPALIVE])
        stall = tr1.ctl("show", "system")["longest-control-stall-ms"]
        self.note(f"{self.connections} peers start at once, up again after {seconds:.1f} s; DPD answered within "
                  f"{1000 * max(took):.0f} ms ({len(took)}); DPD of ours every {max(asked):.2f} s ({len(asked)}) and "
                  f"BGP keepalives every {max(kept):.2f} s ({len(kept)}) at worst; longest stall {stall:.1f} ms")
        self.assertLess(max(took), LATE_MAX_S)
        self.assertLess(max(asked), INTERVAL_S + LATE_MAX_S)
        self.assertLess(max(kept), INTERVAL_S + LATE_MAX_S)
        self.assertLess(stall, 20)
        self.assertEqual({n: {sa["spi-in"] for sa in tr1.esp_sas(f"live{n}/1")} for n in mine}, mine)
        self.assertTrue(self.bird.established())


def messages(wire):
    """(seconds, IKE message) of each INFORMATIONAL exchange, behind its marker."""
    for when, frame in wire.frames():
        at = 14 + 20 + 8 + (4 if frame[36:38] == b"\x11\x94" else 0)
        if len(frame) > at + 28 and frame[at + 18] == INFORMATIONAL:
            yield when, frame[at:]


def bgp_type(frame):
    """Of the first message in a TCP segment; None: there is none."""
    at = 34 + (frame[46] >> 4) * 4
    end = 14 + struct.unpack("!H", frame[16:18])[0]
    return frame[at + 18] if end >= at + 19 else None


def gaps(times):
    return [later - earlier for earlier, later in zip(times, times[1:])]
