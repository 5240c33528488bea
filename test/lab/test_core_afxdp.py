# SPDX-License-Identifier: BSD-3-Clause
"""AF_XDP on interfaces that the host uses too: who gets what, under load, and after a kill."""

from rig import process, tools, wait, world
from rig.case import Lab

HOST = "203.0.113.5"  # of the machine itself, on the interface that is also the uplink
LAN_HOST = "10.250.0.1"
VERDICTS_OF_ROUTER = ("esp", "ike", "icmp", "neighbour", "fragment", "attachment", "everything")


class Admin:
    """Somebody who works on the machine from outside while it routes."""

    def __init__(self, ns, address):
        self.ns, self.address = ns, address

    def ping(self, to=HOST):
        return self.ns.ping(to, wait_s=2) == 3


class Shared(Lab):
    """wan0 and lan0 carry the host's own addresses beside the uplink and the VLANs of attachments."""

    release = True  # under load, and started twice within one TCP session

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        cls.router = cls.world.router
        cls.router.ip("addr add", f"{HOST}/24", "dev wan0")
        cls.router.ip("route add default via 203.0.113.1")
        cls.admin = Admin(cls.world.inet, "203.0.113.1")
        config = world.config(dcs=(1,))
        for name in ("wan0", "lan0"):
            config["ports"][name]["device"] = f"af_xdp:{name}"
        config["system"] = {"memory": "384M"}
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect()
        cls.world.wait_up()

    def ports(self):
        return {row["name"]: row for row in self.router.ctl("show", "ports")}

    def sessions(self, seconds):
        """TCP to the host's own address, as a shell or a copy would have it; the client's process."""
        self.server = self.router.spawn("iperf3-host", "iperf3", "-s", "-1", "--forceflush", "-B", HOST)
        self.server.wait_log("Server listening")
        return self.world.inet.spawn("iperf3-admin", "iperf3", "-c", HOST, "-t", seconds, "-b", "40M",
                                     "--forceflush")

    def assert_done(self, client):
        wait.until(lambda: not client.alive(), 40, "the TCP session ends")
        self.assertEqual(client.popen.returncode, 0, client.tail())
        self.assertIn("iperf Done", client.output())
        self.server.stop()

    def streams(self, count=4000):
        """Traffic through the tunnels, both ways, at the same time."""
        vpc, dc = self.world.vpc["vpc-a"], self.world.dc[1].host
        both = [tools.Stream(vpc, dc, pps=1000, count=count, flows=8).start(),
                tools.Stream(dc, vpc, pps=1000, count=count, flows=8).start()]
        for verdict in [s.finish() for s in both]:
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered), (0, 0, 0, 0),
                             verdict)

    def test_the_host_and_the_router_both_answer(self):
        self.assertTrue(self.admin.ping(HOST), "the host's own address")
        self.assertTrue(self.admin.ping("203.0.113.33"), "a gateway address")
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[1].host), 3)

    def test_tcp_of_the_host_beside_traffic_of_tunnels(self):
        before = self.ports()
        client = self.sessions(seconds=5)
        self.streams()
        self.assert_done(client)
        after = self.ports()

        def since(port, name):
            return after[port]["steering"][name] - before[port]["steering"][name]
        for name in ("wan0", "lan0"):
            seen = {verdict: since(name, verdict) for verdict in after[name]["steering"] if since(name, verdict)}
            self.note(f"{name}: {seen}")
        self.assertGreaterEqual(since("wan0", "ike"), 4000, "ESP in UDP of one direction")
        self.assertGreaterEqual(since("wan0", "host"), 10000, "segments of 25 MB")
        self.assertGreaterEqual(since("lan0", "attachment"), 4000, "the VLAN of the other direction")
        for name in ("wan0", "lan0"):
            ours = sum(since(name, v) for v in VERDICTS_OF_ROUTER)
            received = after[name]["rx-packets"] - before[name]["rx-packets"]
            self.assertLessEqual(abs(ours - received), 8, f"{name}: {ours} steered, {received} received")
            self.assertEqual(since(name, "no-socket") + since(name, "truncated"), 0)

    def test_nothing_of_the_host_comes_to_the_router(self):
        """What the router would drop as not its own stays below what a wire has of noise."""
        before = self.router.drops()
        client = self.sessions(seconds=1)
        self.assert_done(client)
        after = self.router.drops()
        for reason in ("not-for-us", "l2-not-ours", "vlan-unknown", "local-unwanted"):
            self.assertEqual(after.get(reason, 0), before.get(reason, 0), reason)

    def attached(self, ifname):
        return "prog/xdp" in self.router.run("ip", "-d", "link", "show", "dev", ifname)

    def test_killed_and_started_again_while_the_host_is_at_work(self):
        client = self.sessions(seconds=12)
        for _ in range(2):
            self.router.kill()
            self.assertTrue(self.attached("wan0"), "a killed process leaves its program")
            self.assertTrue(self.admin.ping(HOST), "the host answers while nobody routes")
            self.router.start()
            self.router.wait_up()
            self.world.wait_up()
        self.streams(count=1000)
        self.assert_done(client)
        self.router.process.wait_log("removed the XDP program")

    def test_two_processes_do_not_share_an_interface(self):
        with open(self.router.config_file) as out:
            text = out.read().replace(self.router.run_dir, self.router.run_dir + "-second")
        second = process.log_path("second.yaml")
        with open(second, "w") as out:
            out.write(text)
        done = self.router.run(self.router.program("transitd"), "-c", second, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("another transitd has the interface 'wan0'", done.stderr)
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[1].host), 3, "the first one is not disturbed")

    def test_nothing_stays_after_an_orderly_end(self):
        self.router.end()
        for name in ("wan0", "lan0"):
            self.assertFalse(self.attached(name), name)
        self.assertTrue(self.admin.ping(HOST))


class Queues(Lab):
    """A driver that counts rx queues apart from tx queues: AF_XDP opens one of them."""

    release = True

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=())
        cls.router = cls.world.router

    def said(self, rx):
        """Starts with so many rx queues of wan0; what is said of queues that nobody opens."""
        self.router.run("ethtool", "-L", "wan0", "rx", rx)
        config = world.config(dcs=())
        config["ports"]["wan0"]["device"] = "af_xdp:wan0"
        self.router.start(config)
        try:
            return [line for line in self.router.process.output().splitlines() if "are opened" in line]
        finally:
            self.router.end()

    def test_queues_that_nobody_opens_are_told(self):
        self.assertEqual(self.said(rx=1), [])
        lines = self.said(rx=2)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn("wan0 has 2 queues and 1 of them are opened: what arrives on the others is lost; "
                      "`ethtool -L wan0 rx 1` closes them", lines[0])
