#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What demo.sh shows, step by step, with the networks of test/lab. Started by demo.sh."""

import os
import shutil
import signal
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, os.path.join(TOP, "test", "lab"))
sys.dont_write_bytecode = True
LOGS = os.path.join(TOP, "build", "demo-logs")

from rig import capture, sandbox, tools, wait, world  # noqa: E402

PICTURE = """
  vpc-a 10.1.0.1 (VLAN 100) --.                                  .-- dc1-a --.
                               lan0 [ transitd ] wan0 -- internet -- dc1-b --+-- dc1 10.11.0.1
  vpc-b 10.2.0.1 (VLAN 200) --'                                  |-- dc2-a --.
                                                                 '-- dc2-b --+-- dc2 10.12.0.1

  Each gateway dcN-x is a strongSwan with one IPsec tunnel to transitd.
  Route tables: default (dc1, dc2, vpc-a), partner (vpc-b: knows dc2 alone).
"""
TALK = (("vpc-a", "dc1"), ("vpc-a", "dc2"), ("vpc-b", "dc2"))


class Demo:
    def __init__(self):
        self.passed = self.failed = 0
        self.clock = wait.Stopwatch()

    def title(self, text):
        print(f"\n[{self.clock():5.1f} s] {text}", flush=True)

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        print(f"  {'ok  ' if good else 'FAIL'}  {text}", flush=True)

    def step(self, what):
        """Runs a step; whatever goes wrong in it is one failed check, and the demo goes on."""
        self.title(what.__doc__.strip())
        try:
            what()
        except Exception as error:  # noqa: BLE001
            self.check(False, f"{type(error).__name__}: {error}")

    # ---- the steps ----

    def build(self):
        print(PICTURE)
        self.world = world.World()
        self.config = world.config()
        self.router = self.world.router
        self.host = self.world.hosts()
        self.leaks = capture.Leaks(self.world.inet, "tr").start()
        self.world.connect()
        self.router.start(self.config)

    def tunnels_come_up(self):
        """Four tunnels, IKEv2 with strongSwan"""
        for name in ("dc1/1", "dc1/2", "dc2/1", "dc2/2"):
            self.router.wait_up(name)
            row, sa = self.router.tunnel(name), self.router.esp_sas(name)[0]
            self.check(True, f"{name}  {row['gateway-address']} <-> {row['peer-address']}  up, "
                             f"{sa['algorithms']}, inner MTU {row['inner-mtu']}")
        self.world.wait_up()

    def who_may_talk(self, pairs=TALK):
        """Every pair that should talk does: ping both ways, iperf3 for a second"""
        for one, other in pairs:
            there, back = self.host[one].ping(self.host[other]), self.host[other].ping(self.host[one])
            speed = tools.mbit(tools.iperf(self.host[one], self.host[other], 1))
            self.check(there == back == 3 and speed > 1,
                       f"{one} <-> {other}: {there} and {back} of 3 pings, {speed:.0f} Mbit/s")

    def refused(self, one, other, reason, why):
        before = self.router.drops().get(reason, 0)
        got = self.host[one].ping(self.host[other], count=2) + self.host[other].ping(self.host[one], count=2)
        counted = self.router.drops().get(reason, 0) - before
        self.check(got == 0 and counted >= 2, f"{one} and {other}: 0 of 4 pings, {counted} packets counted as "
                                              f"'{reason}': {why}")

    def who_may_not(self):
        """Pairs that should not talk do not, and the counters say why"""
        self.refused("vpc-a", "vpc-b", "no-route", "table 'partner' has no route to vpc-a")
        self.refused("vpc-b", "dc1", "no-route", "table 'partner' has no route to dc1")
        self.refused("dc1", "dc2", "policy-denied", "built-in policy 5000 keeps VPN from VPN")

    def tunnel_cut(self):
        """The cable of dc1-a is cut under traffic: its flows move to the other tunnel, and come back"""
        gateway = self.world.dc[1].gateways[0]
        stream = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000, flows=32).start()
        self.world.inet.cut(gateway)
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 10, "dc1/1 is found dead")
        wait.until(lambda: not gateway.charon.children(), 10, "dc1-a has noticed, too")
        self.check(self.host["vpc-a"].ping(self.host["dc1"]) == 3, "dc1/1 is down; pings go over dc1/2")
        verdict = stream.finish()
        untouched = sum(f["received"] == f["sent"] for f in verdict.flows)
        moved = [f["gap_ms"] for f in verdict.flows if f["received"] != f["sent"]]
        self.check(untouched and moved and max(moved) < 6000,
                   f"{untouched} of 32 flows did not notice; {len(moved)} moved after at most "
                   f"{max(moved, default=0) / 1000:.1f} s (DPD: 3 s)")
        self.world.inet.mend(gateway)
        self.router.wait_up("dc1/1", timeout=30)
        self.world.dc[1].wait_up(30)
        self.check(True, "cable mended: dc1/1 is up again")

    def rekeys(self):
        """New keys under traffic, asked for by both sides: no packet is lost"""
        streams = [tools.Stream(self.host["vpc-a"], self.host["dc2"], pps=2000, flows=16).start(),
                   tools.Stream(self.host["dc2"], self.host["vpc-a"], pps=2000, flows=16).start()]
        charon = self.world.dc[2].charons()[0]
        steps = (("Child SA, by transitd", self.router.esp_sas,
                  lambda: self.router.ctl("tunnel", "rekey", "dc2/1", "child")),
                 ("Child SA, by strongSwan", self.router.esp_sas, lambda: charon.rekey(child="dc2-1")),
                 ("IKE SA, by transitd", self.router.ike_sas,
                  lambda: self.router.ctl("tunnel", "rekey", "dc2/1", "ike")),
                 ("IKE SA, by strongSwan", self.router.ike_sas, lambda: charon.rekey(ike="dc2-1")))
        for name, sas, rekey in steps:
            before = {sa["spi-in"] for sa in sas("dc2/1")}
            rekey()
            new = wait.until(lambda: {sa["spi-in"] for sa in sas("dc2/1")} - before, 10, f"a new {name}")
            self.check(True, f"{name}: SPI {before.pop()} -> {new.pop()}")
        for stream in streams:
            verdict = stream.finish()
            self.check(verdict.lost == verdict.duplicated == 0,
                       f"{stream.source.name} to {stream.to.name}: {verdict.sent} packets sent, "
                       f"{verdict.lost} lost, {verdict.duplicated} duplicated")

    def policy(self):
        """Restarted with a policy that permits VPN to VPN: the data centers reach each other"""
        print("  routing-policies: [{priority: 50, table: default, direction: egress, source-kind: [vpn], "
              "destination-kind: [vpn], action: permit}]")
        self.router.restart({**self.config, "routing-policies": [world.OPEN_POLICY]})
        self.world.wait_up(30)
        self.who_may_talk([("dc1", "dc2")])
        self.refused("vpc-a", "vpc-b", "no-route", "still")

    def shows(self):
        """What transitctl shows"""
        for what in ("system", "tunnels", "connections", "routes", "counters"):
            text = self.router.text("show", what)
            print(f"\n  $ transitctl show {what}")
            print("\n".join("    " + line for line in text.splitlines()))
            self.check(text.strip(), f"show {what}")

    def end(self):
        """The end: the books balance, nothing went out in clear, peers are told goodbye"""
        self.router.check()
        self.check(True, "ledger: received = delivered + drops, on every port, attachment and tunnel")
        self.leaks.check()
        self.check(True, "no inner packet was seen in clear on the outside")
        self.router.end()
        self.check(True, "SIGTERM: exit code 0")

    def keep(self):
        print(f"""
The demo stays until Ctrl-C. From another terminal:
  sudo app/demo.sh ctl show tunnels
  sudo app/demo.sh exec vpc-a ping {self.host["dc1"].address}
  sudo app/demo.sh exec dc1 iperf3 -s     and     sudo app/demo.sh exec vpc-a iperf3 -c {self.host["dc1"].address}
  sudo app/demo.sh exec inet ip link set dc1-a down
startup file: {self.router.config_file}     logs: {LOGS}""", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print()

    def run(self, keep):
        self.build()
        for what in (self.tunnels_come_up, self.who_may_talk, self.who_may_not, self.tunnel_cut, self.rekeys,
                     self.policy, self.shows):
            self.step(what)
        if keep:
            self.keep()
        self.step(self.end)


def main():
    pid_file, keep = sys.argv[1], "--keep" in sys.argv[2:]
    if not sandbox.inside():
        shutil.rmtree(LOGS, ignore_errors=True)
        with open(pid_file, "w") as out:
            out.write(f"{os.getpid()}\n")
        os.environ["TRANSITD_LAB_LOGS"] = LOGS
    sandbox.enter()
    demo = Demo()
    try:
        demo.run(keep)
    except Exception as error:  # noqa: BLE001
        demo.check(False, f"the demo could not go on: {type(error).__name__}: {error}")
    if demo.failed:
        print(f"\nlogs: {LOGS}")
    print(f"demo: {demo.passed} passed, {demo.failed} failed", flush=True)
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
