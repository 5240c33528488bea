# SPDX-License-Identifier: BSD-3-Clause
"""The C helpers of test/lab/tools as seen from a test: switch, relay, and the oracle of traffic."""

import itertools
import json
import os
import subprocess

from . import wait

_streams = itertools.count(1)
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def build_dir():
    """The release build: helpers of the lab, and transitd where speed matters."""
    return os.environ.get("TRANSITD_BUILD") or os.path.join(ROOT, "build")


def app_dir():
    """Where transitd and transitctl are taken from: the release build, or one with sanitizers."""
    return os.path.join(os.environ.get("TRANSITD_BUILD_APP") or build_dir(), "app")


def full():
    """Whether the long sweeps are wanted (test/run.sh --full)."""
    return os.environ.get("TRANSITD_TEST_FULL") == "1"


def tool(name):
    path = os.path.join(build_dir(), "test", "lab", "tools", name)
    if not os.path.exists(path):
        raise RuntimeError(f"{path} is missing: ninja -C {build_dir()}")
    return path


def switch(ns, trunk, vlans):
    """A switch in `ns`: interface `trunk`, and an access interface for each VLAN of the dictionary."""
    port = ns.spawn(f"switch-{ns.name}-{trunk}", tool("vlan_switch"), trunk,
                    *(f"{vlan}:{ifname}" for vlan, ifname in vlans.items()))
    port.wait_log("ready")
    return port


class Relay:
    """A cable with faults between two interfaces of `ns`; see tools/relay.c and tools/relay_rule.h."""

    def __init__(self, ns, a, b, seed=1):
        self.process = ns.spawn(f"relay-{ns.name}-{a}-{b}", tool("relay"), seed, a, b,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.popen.stdout.readline() == "ready\n", self.process.tail()

    def _ask(self, command):
        self.process.popen.stdin.write(command + "\n")
        self.process.popen.stdin.flush()
        return self.process.popen.stdout.readline().strip()

    def add(self, rule_id, rule):
        answer = self._ask(f"add {rule_id} {rule}")
        assert answer == "ok", f"rule '{rule}': {answer}"

    def remove(self, rule_id):
        assert self._ask(f"del {rule_id}") == "ok", rule_id

    def clear(self):
        self._ask("clear")

    def stats(self):
        stats = json.loads(self._ask("stats"))
        assert stats["lost"] == 0, "the relay itself was too slow"
        return stats

    def rule(self, rule_id):
        return self.stats()["rules"][rule_id]


class Verdict:
    """What became of a stream: the sums of both ends."""

    def __init__(self, sent, got):
        self.sent = sent["sent"]
        self.errors = sent["errors"]
        self.received = got["received"]
        self.duplicated = got["duplicated"]
        self.corrupted = got["corrupted"]
        self.misdelivered = got["misdelivered"]
        self.foreign = got["foreign"]
        self.reorder_depth = got["reorder_depth"]
        self.gap_ms = got["gap_ms"]
        arrived = got["flows"] + [{"received": 0, "gap_ms": 0.0}] * (len(sent["flows"]) - len(got["flows"]))
        self.flows = [dict(flow, sent=count) for flow, count in zip(arrived, sent["flows"])]

    @property
    def lost(self):
        return self.sent - self.received

    def __str__(self):
        return (f"{self.sent} sent, {self.received} received, {self.lost} lost, {self.duplicated} duplicated, "
                f"{self.corrupted} corrupted, {self.misdelivered} misdelivered, {self.foreign} foreign, "
                f"reordered by up to {self.reorder_depth}, longest gap {self.gap_ms:.0f} ms")


class Stream:
    """Datagrams from one host to another, each accounted for; see tools/probe.c. `settle_ms`: how long after the
    end the last ones may take; more through a guest, whose processor may be taken away from it.

    start() ... finish() around what happens meanwhile, or run() for a fixed number.
    """

    def __init__(self, source, to, pps=1000, flows=1, size=64, count=0, to_address=None,
                 settle_ms=300):
        self.number = next(_streams)
        self.source, self.to = source, to
        self.to_address = to_address or to.address
        self.options = [f"pps={pps}", f"flows={flows}", f"size={size}", f"count={count}",
                        f"stream={self.number}"]
        if source.address:
            self.options.append(f"source={source.address}")
        self.flows, self.settle_ms = flows, settle_ms
        self.timeout = 30 + count / pps

    def start(self):
        port, name = 20000 + self.number, f"{self.number}-{self.source.name}-{self.to.name}"
        self.receiver = self.to.spawn(f"recv-{name}", tool("probe"), "recv", self.to_address, port,
                                      f"stream={self.number}", f"flows={self.flows}", f"settle={self.settle_ms}",
                                      stdout=subprocess.PIPE)
        self.receiver.wait_log("ready")
        self.sender = self.source.spawn(f"send-{name}", tool("probe"), "send", self.to_address, port,
                                        *self.options, stdout=subprocess.PIPE)
        return self

    def wait_flowing(self, timeout=5):
        """Until a datagram of each flow has arrived."""
        self.receiver.wait_log("flowing", timeout)
        return self

    @staticmethod
    def _result(end, name):
        line = end.popen.stdout.readline()
        assert line, f"{name} of the stream failed: {end.tail()}"
        end.popen.wait()
        return json.loads(line)

    def finish(self):
        """Ends the sender (one with a count ends by itself), waits for what is still on the way."""
        if self.options[3] == "count=0":
            self.sender.send_signal(15)
        else:
            wait.until(lambda: not self.sender.alive(), self.timeout, "the stream is sent")
        sent = self._result(self.sender, "sender")
        self.receiver.send_signal(15)
        return Verdict(sent, self._result(self.receiver, "receiver"))

    def run(self):
        return self.start().finish()


def iperf(client, server, seconds=2, streams=1, reverse=False, udp_mbit=None, length=None, mbit_max=None,
          interval=None):
    """iperf3 between two hosts, TCP held to `mbit_max` if given; its JSON. Needs a route both ways."""
    listener = server.spawn(f"iperf3-{server.name}", "iperf3", "-s", "-1", "--forceflush")
    try:
        listener.wait_log("Server listening")
        argv = ["iperf3", "-J", "-c", server.address, "-B", client.address, "-t", seconds, "-P", streams]
        argv += ["-R"] if reverse else []
        argv += ["-u", "-b", f"{udp_mbit}M"] if udp_mbit else []
        argv += ["-l", length] if length else []
        argv += ["-b", f"{mbit_max}M", "-l", 8192] if mbit_max else []
        argv += ["-i", interval] if interval else []
        done = client.run(*[str(a) for a in argv], check=False, timeout=seconds + 30)
        report = json.loads(done.stdout)
        assert "error" not in report, f"iperf3 {client.name} to {server.name}: {report['error']}"
        return report
    finally:
        listener.kill()


def mbit(report):
    """Received Mbit/s of an iperf3 report."""
    end = report["end"]
    return end.get("sum_received", end.get("sum"))["bits_per_second"] / 1e6
