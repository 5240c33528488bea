# SPDX-License-Identifier: BSD-3-Clause
"""A traffic generator with DPDK on vhost-user cables: the startup files of config/generators, run with testpmd.

    testpmd txonly -- lan0 [esp-out] wan0 -- vhost-user -- wan0 [esp-in] lan0 -- testpmd rxonly

Everything between the two testpmd is vhost-user or virtio-user; nothing passes a kernel. What is sent is what
the files say: clear packets of 10.1.0.1 to 10.9.0.1, in the clear again behind the second router.

Where there is a pktgen-DPDK (PKTGEN names its program) or a TRex (TREX names its folder `scripts`), the profiles for
them are run as well; Debian has neither.
"""

import json
import os
import re
import shlex

from rig import process, testpmd, tools, transitd, wait
from rig.case import Lab

MIDDLE, SOURCE, SINK = (f"/run/vhost/{name}.sock" for name in ("middle", "source", "sink"))
ROUTER_MAC = {"wan0": "02:00:00:00:00:01", "lan0": "02:00:00:00:00:02"}


def sample(name):
    with open(os.path.join(tools.ROOT, "config", "generators", name)) as text:
        return text.read()


class Chain(Lab):
    """Both startup files as they are, but for the devices and what the lab decides."""

    release = True

    @classmethod
    def build(cls):
        os.makedirs("/run/vhost", exist_ok=True)
        cls.out, cls.into = transitd.Transitd("out"), transitd.Transitd("into")
        cls.start(cls.out, "esp-out.yaml", f"vdev:net_vhost0,iface={MIDDLE}", f"vdev:net_vhost1,iface={SOURCE}")
        cls.start(cls.into, "esp-in.yaml", f"virtio-user:{MIDDLE}", f"vdev:net_vhost1,iface={SINK}")
        cls.routers += [cls.out, cls.into]

    @classmethod
    def up(cls, router, *names):
        return {p["link"] for p in router.ctl("show", "ports") if p["name"] in names} == {"up"}

    @classmethod
    def start(cls, router, name, wan, lan):
        """The sample's own text, with devices of the lab and memory for a small machine."""
        text = sample(name).replace('"0000:03:00.0"', f'"{wan}"').replace('"0000:04:00.0"', f'"{lan}"')
        text = text.replace("poll: busy", "poll: adaptive\n  memory: 256M\n  huge-pages: no\n"
                            f"  run-dir: {router.run_dir}\n  state-dir: {router.run_dir}/state")
        assert text.count("vdev:") + text.count("virtio-user:") == 2 and "huge-pages" in text, text
        text = text.replace("neighbors: [{address: 203.0.113.1,", "promiscuous: yes\n    neighbors: [{address: 203.0.113.1,")
        text = text.replace("neighbors: [{address: 192.0.2.254,", "promiscuous: yes\n    neighbors: [{address: 192.0.2.254,")
        with open(router.config_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(text)
        router.start()

    def directions_agree(self):
        """The ledger of both routers balances, and no packet was dropped for what it was."""
        for router in (self.out, self.into):
            router.check()
            wrong = {reason for reason in router.drops() if reason.startswith("esp-") or reason == "no-route"}
            self.assertEqual(wrong, set(), router.drops())


class Sink(Chain):
    """testpmd counts what arrives."""

    @classmethod
    def build(cls):
        super().build()
        cls.sink = testpmd.Testpmd(cls.into, "sink", f"net_virtio_user0,path={SINK},queue_size=1024",
                                   mode="rxonly", commands=["start"]).start()
        wait.until(lambda: cls.up(cls.out, "wan0") and cls.up(cls.into, "wan0", "lan0"), 10,
                   "the cables between the routers and to the sink are up")

    def received(self):
        text = self.sink.do("show port stats 0", "RX-packets:")
        wait.until(lambda: "############################################################################"
                   in self.sink.process.output()[-400:], 2, "the statistics are printed")
        counts = re.findall(r"RX-packets: (\d+)", self.sink.process.output())
        assert counts, text
        return int(counts[-1])


class Generator(Sink):
    """testpmd at both ends."""

    def test_everything_arrives_decrypted(self):
        """A generator at its own pace, for as long as it takes to see 20,000 packets at the far end."""
        mac = next(p["mac"] for p in self.out.ctl("show", "ports") if p["name"] == "lan0")
        before = self.received()
        source = testpmd.Testpmd(
            self.out, "source", f"net_virtio_user0,path={SOURCE},queue_size=1024", mode="txonly",
            options=["--tx-ip=10.1.0.1,10.9.0.1", f"--eth-peer=0,{mac}", "--burst=8", "--txpkts=128"],
            commands=["start"]).start()
        wait.until(lambda: self.received() - before > 20000, 30, "20,000 packets arrive", step=0.2)
        source.stop()
        out, into = self.out.counters()["bench/1"], self.into.counters()["bench/1"]
        self.assertGreater(out["sent"], 20000)
        self.assertGreater(into["received"], 20000)
        self.assertLessEqual(into["received"], out["sent"])
        self.assertLessEqual(set(self.into.drops("bench/1")), {"tx-queue-full"}, "the generator waits for nobody")

    def test_directions_agree(self):
        self.directions_agree()


class Pktgen(Chain):
    """pktgen.lua, its ports at both ends of the chain; a short search at sizes of its choice."""

    timeout = 200

    def test_finds_a_rate_without_loss(self):
        mac = next(p["mac"] for p in self.out.ctl("show", "ports") if p["name"] == "lan0")
        script = os.path.join(tools.ROOT, "config", "generators", "pktgen.lua")
        vdevs = [f"--vdev=net_virtio_user{i},path={path},queue_size=1024" for i, path in enumerate((SOURCE, SINK))]
        command = shlex.join([
            os.environ["PKTGEN"], "--lcores", "0@(0-1),1@(0-1),2@(0-1)", "--no-huge", "-m", "4096", "--no-pci",
            "--file-prefix=pktgen", "--no-telemetry", *vdevs, "--", "-P", "-m", "1.0,2.1", "-f", script])
        pktgen = self.out.spawn(  # it wants a terminal
            "pktgen", "script", "-qfec", command, "/dev/null",
            env={"ROUTER_MAC": mac, "SECONDS_EACH": "2", "SIZES": "64 1400", "RESOLUTION": "25", "TERM": "dumb"})
        self.addCleanup(pktgen.kill)
        wait.until(lambda: "throughput 1400" in pktgen.output() or not pktgen.alive(), 120, "both sizes are done", step=0.5)
        trials = re.findall(r"(\d+) bytes, +([0-9.]+) %: (\d+) sent, (\d+) received", pktgen.output())
        self.assertEqual({size for size, *_ in trials}, {"64", "1400"}, pktgen.tail())
        for size, _, sent, received in trials:
            self.note(f"{size} bytes: {sent} sent, {received} received")
            self.assertGreater(int(sent), 1000)
            self.assertGreater(int(received), 1000)

    def test_directions_agree(self):
        self.directions_agree()


class Trex(Sink):
    """The profiles as TRex's own library loads them; testpmd plays what they make."""

    def test_profiles_fit_the_routers(self):
        capture = process.log_path("stl_clear.pcap")
        mac = next(p["mac"] for p in self.out.ctl("show", "ports") if p["name"] == "lan0")
        http = json.loads(process.run([os.path.join(tools.ROOT, "test/lab/tools/trex_packets.py"), os.environ["TREX"],
                                       os.path.join(tools.ROOT, "config/generators"), mac, capture]))
        clients, servers = http["addresses"]
        for source, to in zip(clients, servers):
            told = self.out.text("explain", "--from", "vpc-a", source, to, "tcp", "40000", str(http["ports"][0]))
            self.assertIn("bench/1", told)
        before = self.received()
        source = testpmd.Testpmd(self.out, "source", f"net_pcap0,rx_pcap={capture}",
                                 f"net_virtio_user0,path={SOURCE},queue_size=1024", options=["--no-flush-rx"],
                                 commands=[]).start()
        source.do("start")
        wait.until(lambda: self.received() - before == 65, 20, "64 flows and the latency stream arrive", step=0.2)
        source.stop()

    def test_directions_agree(self):
        self.directions_agree()


if not os.environ.get("PKTGEN"):
    del Pktgen
if not os.environ.get("TREX"):
    del Trex
