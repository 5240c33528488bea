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
sys.modules["scapy"] = None  # the demo does not install it: what needs it is seen at once, on every machine
LOGS = os.path.join(TOP, "build", "demo-logs")

from rig import bgp_dc, capture, sandbox, tools, transitd, wait, world  # noqa: E402

PICTURE = """
  vpc-a 10.1.0.1 -- VLAN 100 --.                                    .-- dc1-a --.
                               |                                    |           +-- dc1 10.11.0.1
                               |                                    +-- dc1-b --'
                               +-- lan0 transitd wan0 -- internet --+
                               |                                    +-- dc2-a --.
                               |                                    |           +-- dc2 10.12.0.1
  vpc-b 10.2.0.1 -- VLAN 200 --'                                    '-- dc2-b --'

  dc1-a, dc1-b, dc2-a, dc2-b: customer gateways with strongSwan, an IPsec tunnel from each to transitd
  dc1-a, dc1-b: BIRD as well, a BGP session in each tunnel: how to reach dc1 is learned, dc2 is a static route
  route table 'default':      dc1, dc2, vpc-a
  route table 'partner':      vpc-b, with one route, to dc2
"""
TALK = (("vpc-a", "dc1"), ("vpc-a", "dc2"), ("vpc-b", "dc2"))
TUNNELS = ("dc1/1", "dc1/2", "dc2/1", "dc2/2")
FLOWS = 32
HOLD_S = 9  # of the BGP sessions


def pair(one, other):
    return f"{one} <-> {other}".ljust(len("vpc-a <-> vpc-b"))


class Report:
    """Titles with the time, checks that count, and what else there is to read."""

    def __init__(self):
        self.passed = self.failed = self.steps = 0
        self.clock = wait.Stopwatch()
        self.colours = sys.stdout.isatty()

    def title(self, text):
        self.steps += 1
        print(f"\n[{self.clock():4.1f} s] {self._paint(1, f'{self.steps}. {text}')}", flush=True)

    def check(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        print(f"  {self._paint(32, 'ok  ') if good else self._paint(31, 'FAIL')}  {text}", flush=True)

    def note(self, text):
        print(f"        {text}", flush=True)

    def block(self, head, text):
        lines = [head, *("  " + line for line in text.splitlines())]
        print("\n".join("        " + line if line.strip() else "" for line in lines) + "\n", flush=True)

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colours else text


class Demo(Report):
    """`make_world` makes the networks; `slower` divides the packet rates, for a router that is emulated.

    `bgp`: the data centers that announce themselves; the others are static routes.
    """

    def __init__(self, make_world=world.World, slower=1, bgp=(1,)):
        super().__init__()
        self.make_world, self.slower, self.bgp = make_world, slower, bgp

    def build(self):
        print(PICTURE, end="", flush=True)
        self.world = self.make_world()
        self.config = world.config()
        for dc in self.bgp:
            bgp_dc.configure(self.config, dc, **{"hold-time": HOLD_S})
        self.router = self.world.router
        self.host = self.world.hosts()
        self.leaks = capture.Leaks(self.world.inet, "tr").start()
        self.world.connect()
        self.speakers = []
        for place in (self.world.dc[dc] for dc in self.bgp):
            for i in (0, 1):
                self.speakers.append(bgp_dc.speaker(place, i, hold=HOLD_S))
                bgp_dc.route(place, i)
                self.speakers[-1].start()

    def show(self, *words):
        self.block(f"$ transitctl show {' '.join(words)}", self.router.text("show", *words))

    def both_ways(self, one, other, pps):
        return [tools.Stream(self.host[a], self.host[b], pps=pps // self.slower, flows=FLOWS).start().wait_flowing()
                for a, b in ((one, other), (other, one))]

    # ---- the steps, in their order ----

    def tunnels_come_up(self):
        """transitd starts: four IKEv2 tunnels with pre-shared keys come up"""
        started = wait.Stopwatch()
        self.router.start(self.config)
        self.router.wait_up()
        self.note(f"up {started():.1f} s after the start of the process")
        for name in TUNNELS:
            row, sa = self.router.tunnel(name), self.router.esp_sas(name)[0]
            self.check(row["state"] == "up",
                       f"{name}  {row['gateway-address']} <-> {row['peer-address']}  {sa['algorithms']}, "
                       f"SPI {sa['spi-in']} in, {sa['spi-out']} out, inner MTU {row['inner-mtu']}")
        self.world.wait_up()

    def learned(self, dc):
        """The route to a data center that came with BGP, once it leads into both tunnels."""
        def both():
            rows = [row for row in self.router.ctl("show", "routes", "default")
                    if row["prefix"] == self.world.dc[dc].prefix and row["used"] and row["type"] == "bgp"]
            hops = sorted(hop for row in rows for hop in row["next-hops"])
            return rows if hops == [f"dc{dc}/1", f"dc{dc}/2"] else None
        return wait.until(both, 30, f"dc{dc} is announced in both of its tunnels", step=0.1)

    def wait_ready(self):
        """Every tunnel carries, and every route is there."""
        self.world.wait_up(30)
        for dc in self.bgp:
            self.learned(dc)

    def session(self, name):
        return next(row for row in self.router.ctl("show", "bgp") if row["name"] == name)

    def bgp_comes_up(self):
        """BGP in the tunnels of dc1: its prefix is learned from both gateways, and they learn ours"""
        for dc in self.bgp:
            path = self.learned(dc)[0]["as-path"]
            self.check(path == str(bgp_dc.ASN[dc]),
                       f"{self.world.dc[dc].prefix}  learned over dc{dc}/1 and dc{dc}/2, AS path {path}")
        ours = ("10.1.0.0/16", "10.2.0.0/16")
        for speaker in self.speakers:
            speaker.wait_learned(*ours)
            table = speaker.learned()
            self.check(sorted(table) == sorted(ours) and table[ours[0]] == [45104],
                       f"{speaker.ns.name}'s BIRD  has learned {', '.join(sorted(table))}, and not dc2 (VPN from VPN)")
        self.show("bgp")

    def who_may_talk(self, pairs=TALK):
        """Networks that should talk do: ping both ways, then iperf3 for a second"""
        for one, other in pairs:
            there, back = self.host[one].ping(self.host[other]), self.host[other].ping(self.host[one])
            speed = tools.mbit(tools.iperf(self.host[one], self.host[other], 1))
            self.check(there == back == 3 and speed > 1,
                       f"{pair(one, other)}  ping {there} of 3 there, {back} of 3 back; iperf3 {speed:.0f} Mbit/s")

    def ecmp(self):
        """Both tunnels of a connection carry: ECMP by the inner addresses and ports"""
        before = self.router.counters()
        verdict = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=4000 // self.slower, count=4000, flows=64).run()
        after = self.router.counters()
        first, second = (after[t]["sent"] - before[t]["sent"] for t in ("dc1/1", "dc1/2"))
        self.check(verdict.lost == verdict.reorder_depth == 0 and min(first, second) > 400,
                   f"vpc-a -> dc1  {verdict.sent} packets in 64 flows: {first} over dc1/1, {second} over dc1/2; "
                   f"{verdict.lost} lost, none out of order")

    def refused(self, one, other, reason, why):
        before = self.router.drops().get(reason, 0)
        got = sum(self.host[a].ping(self.host[b], count=2, wait_s=0.5) for a, b in ((one, other), (other, one)))
        counted = self.router.drops().get(reason, 0) - before
        self.check(got == 0 and counted == 4,
                   f"{pair(one, other)}  {got} of 4 pings, {counted} drops '{reason}': {why}")

    def who_may_not(self):
        """Networks that should not talk do not, and the counters say why"""
        self.refused("vpc-a", "vpc-b", "no-route", "table 'partner' has no route to vpc-a")
        self.refused("vpc-b", "dc1", "no-route", "table 'partner' has no route to dc1")
        self.refused("dc1", "dc2", "policy-denied", "the built-in policy keeps VPN from VPN")

    def tunnel_cut(self):
        """A tunnel is cut under traffic: its flows move to the other one"""
        gateway = self.world.dc[1].gateways[0]
        streams = self.both_ways("vpc-a", "dc1", 2000)
        self.world.inet.cut(gateway)
        since_cut = wait.Stopwatch()
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 10, "dc1/1 is found dead")
        self.note(f"the cable of dc1-a is cut; transitd finds dc1/1 dead after {since_cut():.1f} s "
                  "(DPD every second, dead after 3)")
        gateway.wait_down()
        self.show("connections")
        after = tools.Stream(self.host["vpc-a"], self.host["dc1"], pps=2000 // self.slower, count=2000, flows=FLOWS).run()
        self.check(after.lost == 0, f"vpc-a -> dc1  over dc1/2 alone: {after.sent} packets, {after.lost} lost")
        for stream in streams:
            self.judge_cut(stream, stream.finish())
        if self.bgp:  # the hold timer has run since the cut; mended just before it ends, the route would come and go
            wait.until(lambda: self.session("dc1/1")["state"] != "Established", 2 * HOLD_S, "BGP in dc1/1 is closed")
        self.world.inet.mend(gateway)
        self.wait_ready()
        self.note("the cable is mended, dc1/1 is up again" + (" and has its routes" if self.bgp else ""))
        self.ecmp()

    def judge_cut(self, stream, verdict):
        stayed = sum(f["received"] == f["sent"] for f in verdict.flows)
        gaps = [f["gap_ms"] / 1000 for f in verdict.flows if f["received"] != f["sent"]]
        self.check(stayed and gaps and 1 < min(gaps) <= max(gaps) < 6,
                   f"{stream.source.name} -> {stream.to.name}  {stayed} flows were on dc1/2: 0 packets lost; "
                   f"{len(gaps)} were on dc1/1: silent for {max(gaps, default=0):.1f} s, then on dc1/2")

    def rekeys(self):
        """New keys under traffic, asked for by both sides: no packet is lost"""
        streams = self.both_ways("vpc-a", "dc2", 5000)
        charon = self.world.dc[2].charons()[0]
        for name, sas, rekey in (
                ("Child SA, by transitd  ", self.router.esp_sas,
                 lambda: self.router.ctl("tunnel", "rekey", "dc2/1", "child")),
                ("Child SA, by strongSwan", self.router.esp_sas, lambda: charon.rekey(child="dc2-1")),
                ("IKE SA,   by transitd  ", self.router.ike_sas,
                 lambda: self.router.ctl("tunnel", "rekey", "dc2/1", "ike")),
                ("IKE SA,   by strongSwan", self.router.ike_sas, lambda: charon.rekey(ike="dc2-1"))):
            before = {sa["spi-in"] for sa in sas("dc2/1")}
            rekey()
            new = wait.until(lambda s=sas, b=before: {sa["spi-in"] for sa in s("dc2/1")} - b, 10, f"a new {name}")
            self.check(len(new) == 1, f"dc2/1  {name}  SPI {before.pop()} -> {new.pop()}")
            self.carries("dc2/1", 1000 // self.slower)
        for stream in streams:
            verdict = stream.finish()
            self.check(verdict.lost == verdict.duplicated == 0,
                       f"{stream.source.name} -> {stream.to.name}  {verdict.sent:,} packets meanwhile: "
                       f"{verdict.lost} lost, {verdict.duplicated} twice")

    def carries(self, tunnel, packets):
        """Waits until a tunnel has carried that many more, each way."""
        before = self.router.counters()[tunnel]

        def enough():
            now = self.router.counters()[tunnel]
            return min(now[way] - before[way] for way in ("sent", "received")) >= packets
        wait.until(enough, 10, f"{packets} packets more over {tunnel}")

    def policy(self):
        """A policy that permits VPN to VPN: started again with it, the data centers reach each other"""
        opened = {"routing-policies": [world.OPEN_POLICY]}
        self.block("added to the startup file:", transitd.yaml(opened))
        self.router.restart({**self.config, **opened})
        self.wait_ready()
        self.who_may_talk([("dc1", "dc2")])
        self.refused("vpc-a", "vpc-b", "no-route", "as before")

    def shows(self):
        """What an operator sees"""
        for what in ("system", "tunnels", "bgp", "routes", "counters"):
            self.show(what)
        self.check(True, "transitctl answers; with --json it does so for programs")

    def end(self):
        """The end"""
        self.router.check()
        self.check(True, "ledger: received = delivered + dropped, on every port, attachment and tunnel")
        self.leaks.check()
        self.check(True, "no inner packet was seen in clear on the outside")
        self.router.end()
        self.check(True, "SIGTERM: peers told, exit code 0")

    # ---- running them ----

    def step(self, what):
        """Whatever goes wrong in a step is one failed check, and the demo goes on."""
        self.title(what.__doc__.strip())
        try:
            what()
        except Exception as error:  # noqa: BLE001
            self.check(False, f"{type(error).__name__}: {error}")

    def keep(self):
        print(f"""
The demo stays until Ctrl-C. From another terminal:
  sudo app/demo.sh ctl show tunnels
  sudo app/demo.sh exec vpc-a ping {self.host["dc1"].address}
  sudo app/demo.sh exec dc1 iperf3 -s -D     then     sudo app/demo.sh exec vpc-a iperf3 -c {self.host["dc1"].address}
  sudo app/demo.sh exec inet ip link set dc1-a down
startup file: {self.router.config_file}
logs:         {LOGS}""", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print()

    def run(self, keep):
        self.build()
        for what in (self.tunnels_come_up, self.bgp_comes_up, self.who_may_talk, self.ecmp, self.who_may_not, self.tunnel_cut,
                     self.rekeys, self.policy, self.shows):
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
    except KeyboardInterrupt:
        demo.check(False, "interrupted")
    except Exception as error:  # noqa: BLE001
        demo.check(False, f"the demo could not go on: {type(error).__name__}: {error}")
    if demo.failed:
        print(f"\nlogs: {LOGS}")
    print(f"\ndemo: {demo.passed} passed, {demo.failed} failed", flush=True)
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
