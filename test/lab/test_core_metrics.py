# SPDX-License-Identifier: BSD-3-Clause
"""OpenMetrics as Prometheus sees it: every object, also those that are down; rules and dashboard that use it."""

import json
import os
import re
import shutil
import socket
import time
import urllib.parse

from rig import bgp_dc, process, tools, wait, world
from rig.case import Lab

MONITORING = os.path.join(tools.ROOT, "config", "monitoring")
ENDPOINT = ("127.0.0.1", 9469)


class Metrics(Lab):
    """A router whose data center does not answer, a VPC behind it, and Prometheus beside it."""

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=(1,))
        cls.router = cls.world.router
        config = world.config(dcs=(1,))
        config["system"] = {"metrics": {}}
        bgp_dc.configure(config, 1)
        cls.router.start(config)
        cls.routers.append(cls.router)
        cls.vpc = cls.world.vpc["vpc-a"]
        cls.vpc.ping("10.77.0.1", count=3)  # a drop for want of a route

    def fetch(self, path="/metrics", *more):
        return self.router.run("curl", "-sS", "-m", 5, *more, f"http://127.0.0.1:9469{path}")

    def samples(self):
        """{name{labels}: value} of one scrape."""
        found = {}
        for line in self.fetch().splitlines():
            if not line.startswith("#"):
                key, value = line.rsplit(" ", 1)
                found[key] = float(value)
        return found

    def test_objects_that_are_down_are_there(self):
        samples = self.samples()
        for number in (1, 2):
            self.assertEqual(samples[f'transitd_tunnel_up{{tunnel="dc1/{number}",connection="dc1"}}'], 0)
        self.assertEqual(samples['transitd_attachment_up{attachment="dc1",kind="vpn"}'], 0)
        self.assertEqual(samples['transitd_attachment_up{attachment="vpc-a",kind="vpc"}'], 1)
        self.assertEqual(samples['transitd_connection_redundant{connection="dc1"}'], 0)
        self.assertEqual(samples['transitd_connection_tunnels{connection="dc1"}'], 2)
        self.assertEqual(samples['transitd_port_up{port="wan0"}'], 1)
        for peer in ("dc1/1", "dc1/2"):
            labels = f'{{peer="{peer}",attachment="dc1"}}'
            self.assertEqual(samples["transitd_bgp_up" + labels], 0)
            self.assertEqual(samples["transitd_bgp_received_prefixes" + labels], 0)
            self.assertEqual(samples["transitd_bgp_losses_total" + labels], 0)

    def test_counters_are_those_of_the_control_socket(self):
        self.vpc.ping("10.77.0.1", count=3)
        shown = self.router.drops("vpc-a")["no-route"]
        self.assertGreaterEqual(shown, 6)
        key = 'transitd_dropped_packets_total{name="vpc-a",kind="vpc",reason="no-route"}'
        wait.until(lambda: self.samples()[key] == self.router.drops("vpc-a")["no-route"], 5, "both say the same")

    def test_the_format_is_that_of_openmetrics(self):
        headers = self.fetch("/metrics", "-i").split("\r\n\r\n")[0]
        self.assertIn("application/openmetrics-text; version=1.0.0", headers)
        text = self.fetch()
        self.assertTrue(text.endswith("# EOF\n"))
        families = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M)
        self.assertEqual(len(families), len(set(families)))
        current, kinds = None, dict(families)
        suffix = {"counter": "_total", "info": "_info", "gauge": ""}
        for line in text.splitlines()[:-1]:
            if line.startswith("# TYPE"):
                current = line.split()[2]
            elif not line.startswith("#"):
                self.assertRegex(line, r'^[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? -?[0-9.e+-]+$')
                self.assertEqual(line.split("{")[0].split(" ")[0], current + suffix[kinds[current]])

    def test_rules_and_dashboard_use_what_there_is(self):
        known = {line.split()[2] for line in self.fetch().splitlines() if line.startswith("# TYPE")}
        for name in ("transitd-rules.yml", "grafana-transitd.json"):
            with open(os.path.join(MONITORING, name)) as f:
                used = set(re.findall(r"\btransitd_[a-z0-9_]+", f.read()))
            self.assertEqual({u for u in used if re.sub("_(total|info)$", "", u) not in known}, set(), name)

    def test_rules_fire_when_they_should(self):
        folder = process.log_path("rules")
        shutil.copytree(MONITORING, folder)
        shutil.copy(os.path.join(tools.ROOT, "test", "lab", "rules_test.yml"), folder)
        process.run(["promtool", "check", "config", "prometheus.yml"], cwd=folder)
        self.assertIn("SUCCESS", process.run(["promtool", "test", "rules", "rules_test.yml"], cwd=folder))

    def ask(self, query):
        answer = json.loads(self.router.run(
            "curl", "-sS", "-m", 5, "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(query)))
        self.assertEqual(answer["status"], "success", answer)
        return answer["data"]["result"]

    def test_prometheus_scrapes_and_evaluates(self):
        folder = process.log_path("prometheus")
        shutil.copytree(MONITORING, folder)
        path = os.path.join(folder, "prometheus.yml")
        with open(path) as f:
            text = f.read().replace("interval: 15s", "interval: 1s")
        with open(path, "w") as f:
            f.write(text)
        server = self.router.spawn("prometheus", "prometheus", f"--config.file={path}",
                                   f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:9090")
        try:
            server.wait_log("Server is ready", timeout=30)
            wait.until(lambda: self.ask('up{job="transitd"} == 1'), 20, "a scrape")
            self.assertEqual(len(self.ask("transitd_tunnel_up == 0")), 2)
            wait.until(lambda: self.ask('ALERTS{alertname="TransitdConnectionDown",connection="dc1"}'), 10, "an alert")
            with open(os.path.join(MONITORING, "grafana-transitd.json")) as f:
                dashboard = json.load(f)
            for panel in dashboard["panels"]:
                for target in panel["targets"]:
                    self.ask(target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m"))
        finally:
            server.stop()

    def test_clients_without_manners_disturb_nobody(self):
        clients = []
        with self.router.entered():
            for i in range(100):
                client = socket.socket()
                client.settimeout(0.05)
                clients.append(client)
                try:
                    client.connect(ENDPOINT)
                    client.send((b"GET /metrics HTTP/1.1\r\n", b"\x00\xff" * 5000, b"GET / HTTP/1.1\r\nX: " + b"a" * 60000,
                                 b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"b" * 1000)[i % 4])
                except OSError:
                    pass  # refused, or not taken: all places are taken
        start = time.monotonic()
        self.router.ctl("show", "system")
        self.assertLess(time.monotonic() - start, 2)
        for client in clients:
            client.close()
        wait.until(lambda: "# EOF" in self.router.run("curl", "-s", "-m", 1, "http://127.0.0.1:9469/metrics",
                                                      check=False).stdout, 15, "scrapes work again")
        self.assertEqual(self.fetch("/other", "-o", "/dev/null", "-w", "%{http_code}"), "404")
        self.assertEqual(self.fetch("/metrics", "-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}"), "405")
