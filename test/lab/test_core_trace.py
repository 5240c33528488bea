# SPDX-License-Identifier: BSD-3-Clause
"""`transitctl trace`: real packets stage by stage, into a tunnel, out of it, and dropped with the reason (O4)."""

import os
import threading

from rig import capture, esp, manual, net, process, transitd, wait
from rig.manual import FAR, OURS, PEER


class Trace(manual.ManualSite):
    """A tunnel with manual keys to a peer of scapy; a VPC and a private circuit, which may not use each other's."""

    @classmethod
    def build(cls):
        cls.line = net.Host("line", "10.2.0.1/16", "10.2.255.254")
        cls.wire(v200=cls.line)
        config = cls.config()
        config["route-tables"] = {"default": {"routes": [{"prefix": "10.66.0.0/16", "blackhole": True}]}}
        config["attachments"]["line"] = {"kind": "vbr", "port": "lan0", "vlan": 200, "address": "10.2.255.254/16"}
        config["attachments"]["vpc-a"]["routes"] = [{"prefix": "10.88.0.0/16", "next-hop": f"10.1.77.{i}"}
                                                    for i in (1, 2, 3)]
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.router.wait_up()
        cls.wan_mac = next(p for p in cls.router.ctl("show", "ports") if p["name"] == "wan0")["mac"]
        for host in (cls.vpc, cls.line):
            wait.until(lambda h=host: h.ping(h.gateway, count=1) == 1, 15, f"{host.name} is wired")
        wait.until(cls.gateway_is_known, 15, "the gateway of the uplink is known")

    @classmethod
    def gateway_is_known(cls):
        """A packet of its own has gone out into the tunnel, and did not have to wait."""
        before = cls.router.counters()["mk/1"]["sent"]
        cls.vpc.ping(FAR, count=1, wait_s=0.2)
        return cls.router.counters()["mk/1"]["sent"] > before

    def trace(self, *options):
        return self.router.ctl("trace", "start", *options)["token"]

    def stages(self, token, packets=1):
        """What was traced, when that many packets are through: by packet its rows by stage."""
        found = {}

        def read():
            answer = self.router.ctl("trace", "read", token)
            for packet in answer["packets"]:
                found.setdefault(packet["packet"], []).extend(packet["stages"])
            return len(found) >= packets
        wait.until(read, 20, f"{packets} packets are traced")
        return [{row["stage"]: row for row in rows} for _, rows in sorted(found.items())]

    def test_into_a_tunnel(self):
        token = self.trace("--from", "vpc-a", "--destination", "10.11.0.0/16", "--protocol", "icmp", "--count", "1")
        self.vpc.ping(FAR, count=1, wait_s=0.2)
        rows = self.stages(token)[0]
        self.assertEqual(list(rows), ["received", "classified", "looked-up", "policy", "encrypted", "sent"])
        self.assertEqual((rows["received"]["port"], rows["received"]["source"], rows["received"]["destination"]),
                         ("lan0", self.vpc.address, FAR))
        self.assertEqual(rows["received"]["icmp-type"], 8)
        self.assertEqual(rows["classified"]["attachment"], "vpc-a")
        self.assertEqual((rows["looked-up"]["table"], rows["looked-up"]["prefix"], rows["looked-up"]["route"]),
                         ("default", "10.11.0.0/16", "mk/1"))
        self.assertEqual(rows["policy"]["action"], "permit")
        self.assertEqual((rows["encrypted"]["tunnel"], rows["encrypted"]["spi"]), ("mk/1", "00002001"))
        self.assertEqual((rows["sent"]["port"], rows["sent"]["source"], rows["sent"]["destination"]),
                         ("wan0", OURS, PEER))

    def test_out_of_a_tunnel(self):
        outside = esp.Outside(self.inet, self.router.name, self.wan_mac)
        token = self.trace("--tunnel", "mk/1", "--count", "1")
        outside.send(self.peer.seal(esp.datagram(FAR, self.vpc.address, 1), seq=1))
        rows = self.stages(token)[0]
        self.assertEqual(list(rows), ["received", "classified", "decrypted", "looked-up", "policy", "sent"])
        self.assertEqual((rows["received"]["port"], rows["received"]["spi"]), ("wan0", "00001001"))
        self.assertEqual((rows["decrypted"]["tunnel"], rows["decrypted"]["destination"]),
                         ("mk/1", self.vpc.address))
        self.assertEqual(rows["sent"]["port"], "lan0")

        token = self.trace("--drops", "--tunnel", "mk/1", "--count", "1")
        outside.send(self.peer.seal(esp.datagram(FAR, self.vpc.address, 1), seq=1))
        self.assertEqual(self.stages(token)[0]["dropped"]["reason"], "esp-replay")

    def test_written_to_a_file(self):
        """The same packet in clear and as ESP, as tcpdump reads it; a port and a tunnel are interfaces."""
        path = process.log_path("trace.pcapng")
        shown = []
        client = threading.Thread(target=lambda: shown.append(self.router.text(
            "trace", "--from=vpc-a", "--destination", FAR, "--count=1", "--seconds=60", "--write", path)))
        client.start()

        def done():
            self.vpc.ping(FAR, count=1, wait_s=0.1)
            return not client.is_alive()
        wait.until(done, 60, "a packet was traced")
        client.join()
        self.assertIn("trace ended: it has its packets; 1 packets", shown[0])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        lines = process.run(["tcpdump", "-nner", path]).splitlines()
        clear = f"{self.vpc.address} > {FAR}: ICMP echo request"
        outer = f"{OURS} > {PEER}: ESP(spi=0x00002001"
        self.assertEqual([clear in lines[0], outer in lines[1], outer in lines[2], len(lines)], [True] * 3 + [3], lines)
        self.assertIn("00:00:00:00:00:00 > 00:00:00:00:00:00", lines[1])  # not yet in a frame
        self.assertIn(f"{self.wan_mac.lower()} >", lines[2])
        with open(path, "rb") as file:
            text = file.read()
        for word in (b"lan0", b"tunnel mk/1", b"wan0", b"packet 1: encrypted, tunnel mk/1"):
            self.assertIn(word, text)

    def test_piped_to_tcpdump(self):
        """As the README has it: nothing but packets on standard output."""
        shown = []
        command = [self.router.program("transitctl"), "-s", self.router.socket, "trace", "--from=vpc-a", "--destination",
                   FAR, "--count=1", "--seconds=60", "--write", "-"]
        client = threading.Thread(target=lambda: shown.append(process.run(
            ["sh", "-c", '"$@" | tcpdump -nr -', "sh", *command])))
        client.start()

        def done():
            self.vpc.ping(FAR, count=1, wait_s=0.1)
            return not client.is_alive()
        wait.until(done, 60, "a packet was traced")
        client.join()
        lines = shown[0].splitlines()
        self.assertEqual(len(lines), 3, lines)
        self.assertIn(f"{self.vpc.address} > {FAR}: ICMP echo request", lines[0])
        self.assertIn(f"{OURS} > {PEER}: ESP(spi=0x00002001", lines[2])

    def test_a_refused_trace_leaves_the_file_alone(self):
        path = process.log_path("before.pcapng")
        with open(path, "w") as file:
            file.write("a capture of before")
        with self.assertRaisesRegex(Exception, "NoSuchAttachment|no attachment"):
            self.router.text("trace", "--from=nobody", "--write", path)
        with open(path) as file:
            self.assertEqual(file.read(), "a capture of before")

    def test_no_file(self):
        with self.assertRaisesRegex(Exception, "cannot write packets there: No such file"):
            self.router.text("trace", "--count=1", "--write", "/nowhere/trace.pcapng")
        with self.assertRaisesRegex(transitd.Refused, "TraceRunning|NoSuchTrace"):
            self.router.ctl("trace", "stop")  # none was begun

    def test_dropped_with_the_reason(self):
        token = self.trace("--drops", "--source", self.vpc.address, "--count", "1")
        self.vpc.ping(FAR, count=1, wait_s=0.2)  # not dropped: no part of it
        self.vpc.ping("10.66.0.1", count=1, wait_s=0.2)
        rows = self.stages(token)[0]
        self.assertEqual(rows["received"]["destination"], "10.66.0.1")
        self.assertEqual(rows["looked-up"]["route"], "blackhole")
        self.assertEqual(rows["dropped"]["reason"], "blackhole")

    def test_refused_by_policy(self):
        token = self.trace("--from", "line", "--destination", FAR, "--count", "1")
        self.line.ping(FAR, count=1, wait_s=0.2)
        rows = self.stages(token)[0]
        self.assertEqual((rows["policy"]["action"], rows["policy"]["policy"]), ("deny", 5000))
        self.assertEqual(rows["dropped"]["reason"], "policy-denied")
        self.assertNotIn("sent", rows)

    def test_which_member_of_a_group(self):
        """Flow by flow, the member and bucket that `explain` names."""
        members = set()
        for flow in range(12):
            destination = f"10.88.0.{flow + 1}"
            token = self.trace("--from", "vpc-a", "--destination", destination, "--count", "1")
            self.vpc.ping(destination, count=1, wait_s=0.1)
            row = self.stages(token)[0]["ecmp"]
            explained = self.router.ctl("explain", "--from", "vpc-a", self.vpc.address, destination, "icmp")
            self.assertEqual((row["members"], row["bucket"]), (3, explained["bucket"]), explained)
            members.add(row["bucket"])
        self.assertGreater(len(members), 3)

    def test_a_frame_that_nobody_claims(self):
        """vlan-unknown names the port and the VLAN."""
        from scapy.layers.inet import IP
        from scapy.layers.l2 import Dot1Q, Ether
        injector = capture.Injector(self.inet, "tr")
        for vlan in (1234, None):
            token = self.trace("--drops", "--count", "1")
            frame = Ether(dst=self.wan_mac) / Dot1Q(vlan=vlan or 4000) / IP(src=PEER, dst=OURS)
            injector.send(bytes(frame))
            rows = self.stages(token)[0]
            self.assertEqual((rows["dropped"]["reason"], rows["dropped"]["port"], rows["dropped"]["vlan"]),
                             ("vlan-unknown", "wan0", vlan or 4000))
        injector.close()

    def test_one_at_a_time_and_stopped_when_nobody_reads(self):
        token = self.trace("--source", "10.99.0.1", "--seconds", "600")
        with self.assertRaisesRegex(transitd.Refused, "TraceRunning"):
            self.trace()
        def is_over():
            try:
                token = self.trace("--count", "1")
            except transitd.Refused:
                return False
            self.router.ctl("trace", "stop")
            return bool(token)
        wait.until(is_over, 30, "the trace that nobody reads ends by itself", step=0.5)
        with self.assertRaisesRegex(transitd.Refused, "NoSuchTrace"):
            self.router.ctl("trace", "read", token)

    def test_arguments(self):
        for words, code in ((("--from", "nobody"), "NoSuchAttachment"), (("--tunnel", "x/9"), "NoSuchTunnel"),
                            (("--source", "fd00::1"), "BadArgument"), (("--count", "0"), "BadArgument"),
                            (("--protocol", "none"), "BadArgument"), (("--source-port", "70000"), "BadArgument")):
            with self.assertRaisesRegex(transitd.Refused, code):
                self.trace(*words)

    def test_the_command(self):
        """It shows packets as they come, and ends by count."""
        shown = []
        client = threading.Thread(target=lambda: shown.append(self.router.text(
            "trace", "--from=vpc-a", "--destination", FAR, "--count=2", "--seconds=60")))
        client.start()

        def done():
            self.vpc.ping(FAR, count=1, wait_s=0.1)
            return not client.is_alive()
        wait.until(done, 60, "two packets were traced")
        client.join()
        for word in ("packet 1", "packet 2", "classified", "attachment vpc-a", "encrypted", "tunnel mk/1",
                     "trace ended: it has its packets; 2 packets"):
            self.assertIn(word, shown[0])
