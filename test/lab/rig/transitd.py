# SPDX-License-Identifier: BSD-3-Clause
"""transitd under test: one process in a namespace of its own, asked through transitctl."""

import json
import os
import re

from . import net, process, tools, wait

_SANITIZER = re.compile(r"(ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:).*")
STOP_S = 5  # C-02: an orderly end takes no longer
DESCRIPTORS = 4096


def yaml(config):
    """A configuration as people would write it: objects of a section on a line each."""
    def flow(value):
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(flow(v) for v in value) + "]"
        text = str(value)
        return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9./@_-]*", text) else json.dumps(text)

    lines = []
    for section, body in config.items():
        lines.append(f"{section}:")
        if isinstance(body, list):
            lines += [f"  - {flow(item)}" for item in body]
        for name, item in body.items() if isinstance(body, dict) else ():
            tunnels = item.pop("tunnels", None) if isinstance(item, dict) else None
            lines.append(f"  {name}: {flow(item)}" if not tunnels else f"  {name}:")
            if tunnels:
                lines += [f"    {k}: {flow(v)}" for k, v in item.items()] + ["    tunnels:"]
                lines += [f"      - {flow(tunnel)}" for tunnel in tunnels]
                item["tunnels"] = tunnels
    return "\n".join(lines) + "\n"


class Refused(Exception):
    """transitctl answered with an error."""


class Transitd(net.Netns):
    """The router. Wire its ports, then start(config); `config` is the startup file as a dictionary."""

    def __init__(self, name="tr"):
        super().__init__(name)
        self.config_file = process.log_path(f"{name}.yaml")
        self.run_dir = f"/run/transitd-{name}"
        self.socket = f"{self.run_dir}/transitd.sock"
        self.process = None

    def program(self, name):
        return os.path.join(tools.app_dir(), name)

    def write(self, config, path=None):
        """The startup file, with what the lab decides: directories, small memory, no huge pages, deep rings."""
        system = {"control-core": 0, "worker-cores": [1], "memory": "256M", "huge-pages": "no",
                  "poll": "adaptive", "run-dir": self.run_dir, "state-dir": f"{self.run_dir}/state",
                  **config.get("system", {})}
        ports = {name: {"descriptors": DESCRIPTORS, **port} for name, port in config.get("ports", {}).items()}
        path = path or self.config_file
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(yaml({"system": system, **dict(config, system=system, ports=ports)}))
        return path

    def start(self, config=None, timeout=30):
        """Returns when it answers on its socket. Without `config` the file of the last start is used."""
        if config is not None:
            self.write(config)
        os.makedirs(self.run_dir, exist_ok=True)
        env = {"UBSAN_OPTIONS": "print_stacktrace=1",
               "LSAN_OPTIONS": f"suppressions={os.path.join(tools.ROOT, 'test', 'lsan.supp')}"}
        self.process = self.spawn(f"transitd-{self.name}", self.program("transitd"), "-c", self.config_file,
                                  env=env)

        def answers():
            if not self.process.alive():
                raise RuntimeError(f"{self.name} ended early: {self.process.tail()}")
            return os.path.exists(self.socket) and self._ctl("show", "system").returncode == 0
        wait.until(answers, timeout, f"{self.name} answers on {self.socket}", step=0.05)
        return self

    def restart(self, config):
        self.end()
        return self.start(config)

    def _ctl(self, *words):
        return process.run([self.program("transitctl"), "-s", self.socket, "--json", *words], check=False)

    def ctl(self, *words):
        """The answer of `transitctl --json WORDS`."""
        done = self._ctl(*words)
        if done.returncode:
            raise Refused(done.stderr.strip() or done.stdout.strip())
        return json.loads(done.stdout)

    def text(self, *words):
        """What a person sees."""
        return process.run([self.program("transitctl"), "-s", self.socket, *words])

    # ---- changes of the configuration ----

    def change(self, what, config=None, *options):
        """The answer to check, diff or apply; with `config` of a file of its own, else of the startup file."""
        words = [what] + ([self.write(config, process.log_path(f"{self.name}-next.yaml"))] if config else [])
        done = self._ctl(*options, *words)
        if not done.stdout:
            raise Refused(done.stderr.strip())
        answer = json.loads(done.stdout)
        assert (done.returncode == 0) == bool(answer.get("applied", answer["sound"])), (done.returncode, answer)
        return answer

    def apply(self, config=None, *options):
        """As change("apply"); it must succeed."""
        answer = self.change("apply", config, *options)
        assert answer["applied"], answer
        return answer

    # ---- tunnels ----

    def tunnel(self, name):
        return next(row for row in self.ctl("show", "tunnels") if row["name"] == name)

    def wait_state(self, state, *names, timeout=20):
        """Until the named tunnels, or all, are in that state."""
        def reached():
            rows = [r for r in self.ctl("show", "tunnels") if not names or r["name"] in names]
            return rows and all(r["state"] == state for r in rows)
        wait.until(reached, timeout, f"tunnels {' '.join(names) or 'all'} of {self.name} are {state}", step=0.05)

    def wait_up(self, *names, timeout=20):
        self.wait_state("up", *names, timeout=timeout)

    def wait_error(self, name, timeout=20):
        """The code (T27) of the first error reported for a tunnel."""
        return wait.until(lambda: self.tunnel(name)["error"], timeout, f"an error of tunnel {name}", step=0.05)

    def esp_sas(self, tunnel, state="installed"):
        return [r for r in self.ctl("show", "sas")
                if r["type"] == "esp" and r["tunnel"] == tunnel and r["state"] == state]

    def ike_sas(self, tunnel):
        """Without those that another one replaced: they are kept a while to answer a repeated delete."""
        return [r for r in self.ctl("show", "sas")
                if r["type"] != "esp" and r["tunnel"] == tunnel and r["state"] not in ("replaced", "deleting")]

    @staticmethod
    def newest(sas):
        """The SPI of the latest of them as a set, empty if there is none. In IKEv1 old ones may stay a while."""
        return {min(sas, key=lambda sa: sa["age-seconds"])["spi-in"]} if sas else set()

    # ---- the ledger ----

    def counters(self):
        """{name: row}: `control`, uplinks, attachments with a port, tunnels as CONNECTION/NUMBER."""
        return {row["name"]: row for row in self.ctl("show", "counters")}

    def drops(self, *names):
        """{reason: packets} summed over the named rows, or all."""
        sums = {}
        for row in self.counters().values():
            if names and row["name"] not in names:
                continue
            for reason, count in row["drops"].items():
                sums[reason] = sums.get(reason, 0) + count
        return sums

    def wait_drops(self, expected, before, *names, timeout=3):
        """Until the drops since `before` (an answer of drops()) are exactly `expected`, reason by reason."""
        def since():
            now = self.drops(*names)
            return {r: n - before.get(r, 0) for r, n in now.items() if n != before.get(r, 0)}
        try:
            wait.until(lambda: since() == expected, timeout, "the drops are counted")
        except wait.Timeout:
            raise AssertionError(f"drops: expected {expected}, counted {since()}") from None

    def _unbalanced(self):
        return [row for row in self.counters().values()
                if row["received"] + row["created"] != row["delivered"] + row["decrypted"] + row["punted"]
                + row["absorbed"] + sum(row["drops"].values())]

    def check(self):
        """What must hold at any quiet moment: alive, no sanitizer report, and the ledger balances (M2)."""
        if self.process is None:
            return
        assert self.process.alive(), f"{self.name} died: {self.process.tail(30)}"
        report = _SANITIZER.search(self.process.output())
        assert not report, report.group(0)
        try:
            wait.until(lambda: not self._unbalanced(), 3, "the ledger balances")
        except wait.Timeout:
            raise AssertionError(f"the ledger does not balance: {self._unbalanced()}") from None

    # ---- the end ----

    def end(self):
        """SIGTERM; it must go in time and with exit code 0."""
        if self.process is None:
            return
        ended, self.process = self.process, None
        code = ended.stop(timeout=STOP_S)
        report = _SANITIZER.search(ended.output())
        assert not report, report.group(0)
        assert code == 0, f"{self.name}: exit code {code}: {ended.tail(30)}"

    def kill(self):
        self.process.kill()
        self.process = None
