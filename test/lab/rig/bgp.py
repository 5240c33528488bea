# SPDX-License-Identifier: BSD-3-Clause
"""BGP speakers of others as peers: BIRD, FRR, GoBGP and ExaBGP behind one interface.

Each runs in a namespace, announces static routes and tells what it has learned. `Session` is one neighbour as the
speaker sees it: all four know the same few settings.
"""

import json
import os
import re

from . import process, wait


class Session:
    """A neighbour: our address there and the router's. `ttl_security`: RFC 5082; `password`: RFC 2385. BIRD alone knows
    `passive`: it waits for the other end."""

    def __init__(self, local, remote, remote_as=45104, hold=90, password=None, ttl_security=False,
                 graceful_restart=True, passive=False):
        self.passive = passive
        self.local, self.remote, self.remote_as, self.hold = local, remote, remote_as, hold
        self.password, self.ttl_security, self.graceful_restart = password, ttl_security, graceful_restart


class Speaker:
    """What the four have in common. `routes`: prefixes announced from the start."""

    def __init__(self, ns, name, asn, sessions, routes=(), router_id=None):
        self.ns, self.name, self.asn, self.sessions = ns, name, asn, list(sessions)
        self.routes = list(routes)
        self.router_id = router_id or self.sessions[0].local
        self.process = None
        self.recovering = False  # start() comes after kill(): a graceful restart (RFC 4724)
        self.dir = f"/run/bgp-{name}"
        os.makedirs(self.dir, exist_ok=True)

    def write(self, text):
        self.config = process.log_path(f"{self.name}.conf")
        with open(self.config, "w") as out:
            out.write(text)
        return self.config

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()

    def come_back(self):
        """After kill(): forwarding was kept, and it says so."""
        self.recovering = True
        return self.start()

    def freeze(self, number):
        self.process.send_signal(number)

    def wait_learned(self, *prefixes, timeout=15):
        wait.until(lambda: set(prefixes) <= set(self.learned()), timeout,
                   f"{self.name} learns {' '.join(prefixes)}", step=0.1)

    def wait_lost(self, *prefixes, timeout=15):
        wait.until(lambda: not set(prefixes) & set(self.learned()), timeout,
                   f"{self.name} loses {' '.join(prefixes)}", step=0.1)

    def learned(self):
        """{prefix: AS path as a list} of what the router announced."""
        raise NotImplementedError


class Bird(Speaker):
    """BIRD 2. `include`: a file of further static routes, for large tables; `extra`: of each protocol bgp."""

    def __init__(self, *args, include=None, extra="", export="all", **more):
        super().__init__(*args, **more)
        self.include, self.extra, self.export = include, extra, export

    def start(self):
        sock = f"{self.dir}/ctl"
        lines = [f"router id {self.router_id};", "protocol device {}",
                 "protocol static statics { ipv4; " + "".join(f"route {p} blackhole; " for p in self.routes)
                 + (f'\ninclude "{self.include}";\n' if self.include else "") + "}"]
        for i, s in enumerate(self.sessions):
            security = "ttl security on; " if s.ttl_security else ""
            lines.append(
                f"protocol bgp peer{i + 1} {{ local {s.local} as {self.asn}; neighbor {s.remote} as {s.remote_as}; "
                f"{'multihop 1; ' if s.ttl_security else 'multihop; '}{security}hold time {s.hold}; "
                f"connect retry time 1; connect delay time 1; error wait time 1, 2; "
                f"{f'password {json.dumps(s.password)}; ' if s.password else ''}"
                f"graceful restart {'on' if s.graceful_restart else 'off'}; passive {'on' if s.passive else 'off'}; "
                f"ipv4 {{ import all; export where source = RTS_STATIC; next hop self; import keep filtered; "
                f"{self.extra} }}; }}")
        self.write("\n".join(lines) + "\n")
        self.process = self.ns.spawn(self.name, "bird", "-f", "-c", self.config, "-s", sock,
                                     *(["-R"] if self.recovering else []))
        wait.until(lambda: os.path.exists(sock), 10, f"{self.name} is there")
        self.sock = sock
        return self

    def birdc(self, *words):
        return self.ns.run("birdc", "-s", self.sock, *words)

    def learned(self):
        found, prefix = {}, None
        for line in self.birdc("show", "route", "all", "where", "source", "=", "RTS_BGP").splitlines():
            start = re.match(r"(\d+\.\d+\.\d+\.\d+/\d+)", line)
            if start:
                prefix = start.group(1)
                found.setdefault(prefix, [])
            path = re.match(r"\s+BGP.as_path:(.*)", line)
            if path and prefix:
                found[prefix] = [int(a) for a in path.group(1).split()]
        return found

    def announce(self, *prefixes):
        self.routes += prefixes
        self._reconfigure()

    def withdraw(self, *prefixes):
        self.routes = [p for p in self.routes if p not in prefixes]
        self._reconfigure()

    def _reconfigure(self):
        with open(self.config) as old:
            text = old.read()
        statics = "protocol static statics { ipv4; " + "".join(f"route {p} blackhole; " for p in self.routes)
        self.write(re.sub(r"protocol static statics \{ ipv4; (route [^;]*; )*", statics, text))
        self.birdc("configure")

    def established(self):
        return self.birdc("show", "protocols").count("Established")

    def refresh(self):
        """Asks for the routes again, and sends its own again."""
        self.birdc("reload", "peer1")


class Frr(Speaker):
    """FRR's bgpd alone, without zebra: next hops are taken as reachable."""

    def start(self):
        lines = ["frr defaults traditional", "log stdout", f"router bgp {self.asn}",
                 f" bgp router-id {self.router_id}", " no bgp ebgp-requires-policy",
                 " no bgp network import-check", " bgp graceful-restart",
                 " bgp graceful-restart preserve-fw-state"]  # F bit: it has no kernel's table to look into
        for s in self.sessions:
            n = f" neighbor {s.remote}"
            lines += [f"{n} remote-as {s.remote_as}", f"{n} update-source {s.local}",
                      f"{n} timers 20 {s.hold}", f"{n} timers connect 1",
                      f"{n} ttl-security hops 1" if s.ttl_security else f"{n} ebgp-multihop",
                      f"{n} disable-connected-check" if s.ttl_security else "!",
                      f"{n} advertisement-interval 0"]
            lines += [f"{n} password {s.password}"] if s.password else []
        lines += [" address-family ipv4 unicast"]
        lines += [f"  network {p}" for p in self.routes]
        lines += [" exit-address-family"]
        self.write("\n".join(lines) + "\n")
        self.process = self.ns.spawn(self.name, "/usr/lib/frr/bgpd", "-f", self.config, "-S", "-Z", "-n",
                                     "-i", f"{self.dir}/pid", "--vty_socket", self.dir, "-A", "127.0.0.1")
        wait.until(lambda: os.path.exists(f"{self.dir}/bgpd.vty"), 10, f"{self.name} is there")
        return self

    def vtysh(self, *commands):
        argv = ["vtysh", "--vty_socket", self.dir, "-d", "bgpd"]
        for command in commands:
            argv += ["-c", command]
        return self.ns.run(*argv)

    def learned(self):
        table = json.loads(self.vtysh("show bgp ipv4 unicast json") or "{}")
        return {prefix: [int(a) for a in paths[0]["path"].split()]
                for prefix, paths in table.get("routes", {}).items() if paths[0].get("peerId", "(unspec)") != "(unspec)"}

    def _configure(self, *lines):
        self.vtysh("configure terminal", f"router bgp {self.asn}", "address-family ipv4 unicast", *lines)

    def announce(self, *prefixes):
        self._configure(*(f"network {p}" for p in prefixes))

    def withdraw(self, *prefixes):
        self._configure(*(f"no network {p}" for p in prefixes))

    def established(self):
        peers = json.loads(self.vtysh("show bgp ipv4 unicast summary json")).get("peers", {})
        return sum(p["state"] == "Established" for p in peers.values())

    def refresh(self):
        self.vtysh(f"clear bgp ipv4 unicast {self.sessions[0].remote} in")


class Gobgp(Speaker):
    """GoBGP: daemon and command of the same package."""

    def start(self):
        lines = ["[global.config]", f"  as = {self.asn}", f'  router-id = "{self.router_id}"', "  port = 179",
                 f'  local-address-list = ["{self.sessions[0].local}"]']
        for s in self.sessions:
            lines += ["[[neighbors]]", "  [neighbors.config]", f'    neighbor-address = "{s.remote}"',
                      f"    peer-as = {s.remote_as}"]
            lines += [f'    auth-password = "{s.password}"'] if s.password else []
            lines += ["  [neighbors.transport.config]", f'    local-address = "{s.local}"',
                      "  [neighbors.timers.config]", "    connect-retry = 1", f"    hold-time = {s.hold}",
                      f"    keepalive-interval = {max(1, s.hold // 3)}"]
            lines += (["  [neighbors.ttl-security.config]", "    enabled = true", "    ttl-min = 255"]
                      if s.ttl_security else
                      ["  [neighbors.ebgp-multihop.config]", "    enabled = true", "    multihop-ttl = 255"])
            if s.graceful_restart:
                lines += ["  [neighbors.graceful-restart.config]", "    enabled = true", "    restart-time = 60"]
            lines += ["  [[neighbors.afi-safis]]", "    [neighbors.afi-safis.config]",
                      '      afi-safi-name = "ipv4-unicast"']
            if s.graceful_restart:
                lines += ["    [neighbors.afi-safis.mp-graceful-restart.config]", "      enabled = true"]
        self.write("\n".join(lines) + "\n")
        self.process = self.ns.spawn(self.name, "gobgpd", "-t", "toml", "-f", self.config, "--api-hosts",
                                     "127.0.0.1:50051", "--pprof-disable", *(["-r"] if self.recovering else []))
        wait.until(lambda: self.gobgp("global", check=False).returncode == 0, 15, f"{self.name} is there", step=0.1)
        self.announce(*self.routes)
        return self

    def gobgp(self, *words, check=True):
        return self.ns.run("gobgp", *words, check=check)

    def learned(self):
        table = json.loads(self.gobgp("-j", "global", "rib") or "{}")
        found = {}
        for prefix, paths in (table or {}).items():
            for path in paths:
                attrs = {a["type"]: a for a in path["attrs"]}
                segments = attrs.get(2, {}).get("as_paths", [])
                if segments:
                    found[prefix] = [a for s in segments for a in s["asns"]]
        return found

    def announce(self, *prefixes):
        for p in prefixes:
            self.gobgp("global", "rib", "add", p, "origin", "igp")

    def withdraw(self, *prefixes):
        for p in prefixes:
            self.gobgp("global", "rib", "del", p)

    def established(self):
        # 6: ESTABLISHED of its enumeration
        return sum(n["state"].get("session_state") == 6 for n in json.loads(self.gobgp("-j", "neighbor")))


class Exabgp(Speaker):
    """ExaBGP: what it hears comes as JSON lines, what it is to say goes through a FIFO."""

    def start(self):
        fifo = f"{self.dir}/say"
        self.heard = process.log_path(f"{self.name}.heard")
        open(self.heard, "w").close()
        if os.path.exists(fifo):
            os.unlink(fifo)
        os.mkfifo(fifo)
        lines = [f"process hear {{ run /bin/sh -c 'cat >> {self.heard}'; encoder json; }}",
                 f"process say {{ run /bin/sh -c 'while true; do cat {fifo}; done'; encoder text; }}"]
        for s in self.sessions:
            lines += [f"neighbor {s.remote} {{", f"  router-id {self.router_id};", f"  local-address {s.local};",
                      f"  local-as {self.asn};", f"  peer-as {s.remote_as};", f"  hold-time {s.hold};",
                      "  capability { route-refresh enable; graceful-restart 60; }" if s.graceful_restart else
                      "  capability { route-refresh enable; }",
                      "  family { ipv4 unicast; }", "  adj-rib-out true;"]
            lines += [f'  md5-password "{s.password}";'] if s.password else []
            lines += ["  outgoing-ttl 255;", "  incoming-ttl 255;"] if s.ttl_security else ["  outgoing-ttl 255;"]
            lines += ["  api { processes [ hear, say ]; neighbor-changes; receive { parsed; update; } }",
                      "  static {", *(f"    route {p} next-hop self;" for p in self.routes), "  }", "}"]
        self.write("\n".join(lines) + "\n")
        self.process = self.ns.spawn(
            self.name, "exabgp", self.config,
            env={"exabgp.daemon.user": "root", "exabgp.api.cli": "false", "exabgp.tcp.bind": "",
                 "exabgp.log.level": "INFO", "exabgp.api.ack": "false", "exabgp.daemon.drop": "false",
                 "exabgp.cache.nexthops": "false", "exabgp.tcp.delay": "0"})
        self.say_path = fifo
        return self

    def say(self, *lines):
        with open(self.say_path, "w") as out:
            out.write("".join(line + "\n" for line in lines))

    def _events(self):
        with open(self.heard) as heard:
            for line in heard:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue  # the last line, half written

    def learned(self):
        found = {}
        for event in self._events():
            neighbor = event.get("neighbor", {})
            if event.get("type") == "state" and neighbor.get("state") == "down":
                found = {}
            update = neighbor.get("message", {}).get("update", {})
            for hops in update.get("announce", {}).get("ipv4 unicast", {}).values():
                for nlri in hops:
                    path = update["attribute"].get("as-path", [])
                    found[nlri["nlri"] if isinstance(nlri, dict) else nlri] = path
            for nlri in update.get("withdraw", {}).get("ipv4 unicast", []):
                found.pop(nlri["nlri"] if isinstance(nlri, dict) else nlri, None)
        return found

    def announce(self, *prefixes):
        self.say(*(f"announce route {p} next-hop self" for p in prefixes))

    def withdraw(self, *prefixes):
        self.say(*(f"withdraw route {p} next-hop self" for p in prefixes))

    def established(self):
        state = [e["neighbor"]["state"] for e in self._events() if e.get("type") == "state"]
        return int(bool(state) and state[-1] == "up")

    def refresh(self):
        self.say(f"neighbor {self.sessions[0].remote} announce route-refresh ipv4 unicast")


KINDS = {"bird": Bird, "frr": Frr, "gobgp": Gobgp, "exabgp": Exabgp}
