# SPDX-License-Identifier: BSD-3-Clause
"""What the pages tell newcomers to write and to type: taken from the pages themselves, and tried."""

import os
import re

from rig import net, process, site, strongswan, tools, transitd, wait
from rig.case import Lab


def page(name):
    with open(os.path.join(tools.ROOT, name)) as text:
        return text.read()


def section(text, title):
    """From a heading to the next."""
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text):
    """The fenced YAML of a text."""
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)


def without_comments(text):
    lines = (re.sub(r"(^|\s+)# ?.*$", "", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line]


def first_tunnel():
    """The startup file of the page that goes from a package to a tunnel."""
    steps = section(page("config/README.md"), "The first tunnel, on real NICs")
    shown = re.search(r"keys are in it\):\n\n(.*?)\n\n   \S", steps, re.S).group(1)
    return re.sub(r"^ {7}", "", shown, flags=re.M) + "\n"


class Pages(Lab):
    """No topology: transitd --check says whether it would take what the pages show."""

    release = True

    @classmethod
    def build(cls):
        pass

    def check(self, name, text):
        path = process.log_path(f"{name}.yaml")
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(text)
        return process.run([os.path.join(tools.app_dir(), "transitd"), "--check", "-c", path])

    def test_the_first_startup_file_is_the_sample(self):
        shown = "".join(blocks(section(page("README.md"), "The first startup file")))
        self.assertEqual(without_comments(shown), without_comments(page("config/minimal.yaml")))

    def test_the_first_tunnel_is_sound(self):
        self.assertIn("sound", self.check("first-tunnel", first_tunnel()))

    def test_the_virtual_machine_is_sound(self):
        """The fragment stands in for the ports and networks of a sample; NICs are those that the service binds."""
        text = page("config/virtual-machine.md")
        first_boot, fragment = blocks(text)
        self.assertTrue(first_boot.startswith("#cloud-config\n"))
        devices = re.findall(r'device: "([0-9a-f:.]+)"', fragment)
        self.assertEqual(re.search(r'NICS="(.*)"', first_boot).group(1).split(), devices)
        self.assertIn("sound", self.check("guest", fragment))

    def test_commands_are_there(self):
        """Files that README says to run exist and are programs; so do the pages that it points to."""
        text = page("README.md")
        commands = re.findall(r"^    (?:sudo )?((?:app|test|config)/\S+)", text, re.M)
        self.assertTrue({"app/demo.sh", "test/run.sh", "config/package.sh"} <= set(commands), commands)
        for name in commands:
            self.assertTrue(os.access(os.path.join(tools.ROOT, name), os.X_OK), name)
        for name in re.findall(r"`((?:config|test|drivers|lib)/[\w./-]+)`", text):
            self.assertTrue(os.path.exists(os.path.join(tools.ROOT, name)), name)


class FirstTunnel(Lab):
    """The page's startup file, but for its devices and directories, with a peer that does what the page leaves to it."""

    @classmethod
    def build(cls):
        cls.router, cls.inet = transitd.Transitd("tr"), site.Internet()
        cls.inet.attach(cls.router, None, 24, "203.0.113.1", ifname="wan0")
        cls.vpc = net.Host("vpc-a", "10.1.0.1/16", "10.1.255.254")
        site.VpcHosts(cls.router, "lan0", {100: cls.vpc})
        cls.gateway, cls.host = net.Netns("gateway", forward=True), net.Host("dc-host", "10.9.0.1/16", "10.9.255.254")
        cls.inet.attach(cls.gateway, "192.0.2.1", 30, "192.0.2.2")
        net.wire(cls.gateway, "lan", cls.host, "eth0", mtu=1500)
        cls.gateway.ip("addr add 10.9.255.254/16 dev lan")
        cls.host.attach()
        cls.charon = strongswan.Charon(cls.gateway, "gateway", [strongswan.Tunnel(
            "transit", "192.0.2.1", "203.0.113.33", re.search(r'psk: "(.*?)"', first_tunnel()).group(1))]).start()
        cls.gateway.ip("route add 10.1.0.0/16 dev ipsec0")
        text, devices = re.subn(r'device: "[^"]*"', 'device: "af_packet:PORT"', first_tunnel())
        assert devices == 2, text
        for port in ("wan0", "lan0"):
            text = text.replace("PORT", port, 1)
        text += (f"system: {{memory: 256M, huge-pages: no, run-dir: {cls.router.run_dir}, "
                 f"state-dir: {cls.router.run_dir}/state}}\n")
        with open(cls.router.config_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(text)
        cls.router.start()
        cls.routers.append(cls.router)

    def test_it_comes_up_and_carries(self):
        wait.until(lambda: self.router.ctl("show", "tunnels")[0]["state"] == "up", 30, "the tunnel is up")
        wait.until(lambda: self.vpc.ping(self.host, count=1), 20, "the VPC reaches the data center")
        self.assertEqual(self.vpc.ping(self.host), 3)

    def test_step_6_shows_it(self):
        for command, words in (("ports", ("wan0", "lan0", "up")), ("neighbors", ("203.0.113.1",)), ("tunnels", ("dc1/1", "up"))):
            told = self.router.text("show", command)
            for word in words:
                self.assertIn(word, told)
