# SPDX-License-Identifier: BSD-3-Clause
"""FRR in a namespace as a package runs it: zebra and daemons, and an integrated frr.conf that vtysh loads at boot."""

import json
import os
import shutil

from . import process, wait


class Frr:
    """`text`: frr.conf, whole. rig/bgp.py has a bgpd alone, for tests that need speakers of many kinds."""

    def __init__(self, ns, name, text, daemons=("zebra", "bgpd", "bfdd")):
        self.ns, self.name, self.text, self.daemons = ns, name, text, daemons
        self.dir = f"/run/frr-{name}"
        self.processes = []

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        shutil.chown(self.dir, "frr", "frr")  # the daemons drop what they need not
        for path, text in ((f"{self.dir}/frr.conf", self.text), (process.log_path(f"{self.name}.frr.conf"), self.text),
                           (f"{self.dir}/vtysh.conf", "service integrated-vtysh-config\n")):
            with open(path, "w") as out:
                out.write(text)
        for daemon in self.daemons:
            self.processes.append(self.ns.spawn(
                f"{self.name}.{daemon}", f"/usr/lib/frr/{daemon}", "-f", "/dev/null", "-i", f"{self.dir}/{daemon}.pid",
                "-z", f"{self.dir}/zserv.api", "--vty_socket", self.dir, "-A", "127.0.0.1",
                *(["--bfdctl", f"{self.dir}/bfdd.sock"] if daemon == "bfdd" else []), "--log", "stdout"))
            wait.until(lambda: os.path.exists(f"{self.dir}/{daemon}.vty"), 20, f"{self.name}: {daemon} is there")
        said = self.ns.run("vtysh", "--vty_socket", self.dir, "--config_dir", self.dir, "-b", check=False)
        words = said.stdout + said.stderr
        assert said.returncode == 0 and "%" not in words, words
        return self

    def vtysh(self, *commands):
        argv = ["vtysh", "--vty_socket", self.dir, "--config_dir", self.dir]
        for command in commands:
            argv += ["-c", command]
        return self.ns.run(*argv)

    def bfd(self):
        """{peer address: state} of its BFD sessions, in the words of rig/bird.py."""
        return {row["peer"]: row["status"].capitalize() for row in json.loads(self.vtysh("show bfd peers json"))}

    def learned(self):
        """Prefixes that came from a neighbour."""
        table = json.loads(self.vtysh("show bgp ipv4 unicast json") or "{}").get("routes", {})
        return {prefix for prefix, paths in table.items() if any(path["path"] for path in paths)}

    def stop(self):
        for daemon in reversed(self.processes):
            daemon.stop()
