# SPDX-License-Identifier: BSD-3-Clause
"""BIRD in a namespace: one instance with a configuration of the test's, asked through birdc."""

import os
import re

from . import process, wait


class Bird:
    """`config`: the text of bird.conf without router id and log."""

    def __init__(self, ns, name, router_id, config):
        self.ns, self.name = ns, name
        self.socket = f"/run/{name}.bird.ctl"
        self.config_file = process.log_path(f"{name}.bird.conf")
        with open(self.config_file, "w") as out:
            out.write(f"router id {router_id};\nlog \"{process.log_path(name + '.bird.log')}\" all;\n{config}")
        self.process = None

    def start(self):
        self.process = self.ns.spawn(f"{self.name}.bird", "bird", "-f", "-c", self.config_file, "-s",
                                     self.socket)
        wait.until(lambda: os.path.exists(self.socket), 10, f"{self.name} answers")
        return self

    def ask(self, *words):
        return self.ns.run("birdc", "-s", self.socket, *words)

    def bfd(self):
        """{peer address: state} of its BFD sessions."""
        rows = re.findall(r"^(\S+)\s+\S+\s+(Up|Down|Init|AdminDown)\s", self.ask("show", "bfd", "sessions"), re.M)
        return dict(rows)

    def stop(self):
        self.process.stop()
