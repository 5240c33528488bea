# SPDX-License-Identifier: BSD-3-Clause
"""The Debian package: built, checked, installed into a copy of this system, started, upgraded, removed."""

import os
import re
import shlex
import socket
import subprocess

from rig import process, tools, wait
from rig.case import Lab

ROOT = "/run/root"  # of the system that the package is installed into
CONFIG = "/etc/transitd/transitd.yaml"
UNIT = "/lib/systemd/system/transitd.service"
# DAC_OVERRIDE, NET_BIND_SERVICE, NET_ADMIN, NET_RAW, IPC_LOCK, BPF: the capabilities of a router that runs
RUNNING = {1, 10, 12, 13, 14, 39}


class Package(Lab):
    """Nothing of this machine changes: its file system is the lower layer of one in memory."""

    release = True
    timeout = 300

    @classmethod
    def build(cls):
        out = process.log_path("packages")
        origin = [] if tools.full() else ["--from", tools.build_dir()]
        process.run([os.path.join(tools.ROOT, "config", "package.sh"), *origin, out], timeout=900)
        cls.folder = out
        cls.deb = next(os.path.join(out, f) for f in os.listdir(out) if re.match(r"transitd_.*\.deb$", f))
        for folder in ("upper", "work"):
            os.makedirs(f"/run/overlay/{folder}")
        os.makedirs(ROOT)
        process.run(["mount", "-t", "overlay", "overlay", "-o",
                     "lowerdir=/,upperdir=/run/overlay/upper,workdir=/run/overlay/work", ROOT])
        for source in ("/proc", "/sys", "/dev"):
            process.run(["mount", "--rbind", source, ROOT + source])
        process.run(["mount", "-t", "tmpfs", "tmpfs", ROOT + "/run"])
        process.run(["mount", "-t", "tmpfs", "tmpfs", ROOT + "/tmp"])

    @classmethod
    def inside(cls, *argv, **more):
        return process.run(["chroot", ROOT, *argv], timeout=120, **more)

    @staticmethod
    def path(name):
        return ROOT + name

    @classmethod
    def install(cls, deb):
        target = os.path.join("/tmp", os.path.basename(deb))
        process.run(["cp", deb, ROOT + target])
        return cls.inside("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", "-i", target)

    def unit(self):
        """{key: [value]} of the unit's service section."""
        found = {}
        with open(self.path(UNIT)) as f:
            for line in f:
                key, equals, value = line.strip().partition("=")
                if equals and not line.startswith("#"):
                    found.setdefault(key, []).append(value)
        return found

    @classmethod
    def made(cls, ending):
        return next(os.path.join(cls.folder, f) for f in os.listdir(cls.folder) if f.startswith("transitd_") and f.endswith(ending))

    def test_lintian_finds_nothing(self):
        """In the package, its source and what an archive would be told of both."""
        # whoever distributes it puts their own address there; programs of a build that was ready have no symbols
        known = "bogus-mail-host" + ("" if tools.full() else ",debug-file-with-no-debug-symbols")
        done = process.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", 0,
                            "--suppress-tags", known, self.made(".changes")], check=False, timeout=120)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stdout + done.stderr)

    def test_the_source_package_is_the_tree(self):
        """What somebody unpacks and builds is what git has, and nothing beside `debian`."""
        tree = process.log_path("source")
        process.run(["dpkg-source", "--no-check", "-x", self.made(".dsc"), tree])
        process.run(["dpkg-checkbuilddeps", os.path.join(tree, "debian", "control")])
        have = set(process.run(["find", tree, "-not", "-type", "d", "-printf", "%P\n"]).splitlines())
        tracked = set(process.run(["git", "-c", "safe.directory=*", "-C", tools.ROOT, "ls-files"]).splitlines())
        self.assertEqual({name for name in have if not name.startswith("debian/")}, tracked - {".gitignore"})
        self.assertTrue({"debian/control", "debian/rules"} <= have)

    def test_installed_things_are_where_they_are_looked_for(self):
        self.install(self.deb)
        for name in ("/usr/sbin/transitd", "/usr/bin/transitctl", UNIT, "/etc/default/transitd",
                     "/usr/libexec/transitd/reserve-hugepages", "/usr/share/man/man8/transitd.8.gz",
                     "/usr/share/man/man1/transitctl.1.gz", "/usr/share/man/man5/transitd.yaml.5.gz",
                     "/usr/share/bash-completion/completions/transitctl", "/usr/lib/sysusers.d/transitd.conf",
                     "/usr/lib/tmpfiles.d/transitd.conf", "/usr/share/doc/transitd/examples/minimal.yaml"):
            self.assertTrue(os.path.exists(self.path(name)), name)
        examples, samples = self.path("/usr/share/doc/transitd/examples"), os.path.join(tools.ROOT, "config")
        for folder in ("", "generators"):
            shipped = {name for name in os.listdir(os.path.join(samples, folder)) if re.search(r"\.(yaml|md|py|lua)$", name)}
            there = {re.sub(r"\.gz$", "", name) for name in os.listdir(os.path.join(examples, folder))}
            self.assertEqual(shipped - there - {"transitd.yaml", "man.py"}, set())
        self.assertEqual(os.stat(self.path(CONFIG)).st_mode & 0o777, 0o600, "it may hold keys")
        self.assertIn("transitd:", self.inside("getent", "group", "transitd"))
        self.assertTrue(os.path.islink(self.path("/etc/systemd/system/multi-user.target.wants/transitd.service")))

    def test_pages_say_what_the_programs_do(self):
        page = self.inside("man", "--warnings", "transitd.yaml")
        for key in ("worker-cores", "gateway-address", "exclusive"):
            self.assertIn(key, page)
        self.assertIn("--check", self.inside("man", "transitd"))
        self.assertIn("--json", self.inside("man", "transitctl"))

    def test_the_unit_is_sound_and_confined(self):
        # of the machine's own units that it needs, none is looked at
        told = process.run(["systemd-analyze", "verify", "--no-pager", "--man=no", f"--root={ROOT}", "transitd.service"],
                           check=False)
        ours = [line for line in (told.stderr + told.stdout).splitlines() if "transitd" in line]
        self.assertEqual(ours, [])
        told = process.run(["systemd-analyze", "security", "--offline=true", "--no-pager", self.path(UNIT)], check=False)
        level = float(re.search(r"exposure level for \S+: ([0-9.]+)", told.stdout).group(1))
        self.assertLessEqual(level, 4.0, told.stdout[-200:])

    def launch(self):
        """What systemd would do, by hand; the process, and the socket on which it reports."""
        unit = self.unit()
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(self.path("/run/notify"))
        manager.settimeout(20)
        for line in unit["ExecStartPre"]:
            self.inside(*shlex.split(line.lstrip("+-")))
        start = shlex.split(unit["ExecStart"][0].replace("$TRANSITD_OPTIONS", "--no-huge"))
        daemon = process.Process("transitd-installed", ["chroot", ROOT, *start], env={"NOTIFY_SOCKET": "/run/notify"})
        self.addCleanup(manager.close)
        self.addCleanup(lambda: os.unlink(self.path("/run/notify")))
        self.addCleanup(daemon.kill)
        self.assertIn(b"READY=1", manager.recv(4096), daemon.tail())
        return daemon, manager

    def test_it_starts_as_installed(self):
        daemon, manager = self.launch()
        self.assertIn("net_ring0", self.inside("transitctl", "show", "ports"))
        self.assertEqual(manager.recv(4096), b"WATCHDOG=1\n")
        for thread in os.listdir(f"/proc/{daemon.pid}/task"):
            with open(f"/proc/{daemon.pid}/task/{thread}/status") as f:
                status = f.read()
            self.assertIn("Seccomp:\t2", status)
            for word in ("CapPrm", "CapEff"):
                held = int(re.search(rf"{word}:\s+(\w+)", status).group(1), 16)
                self.assertEqual({bit for bit in range(64) if held >> bit & 1} - RUNNING, set(), status)
        self.assertEqual(os.stat(self.path("/run/transitd/transitd.sock")).st_mode & 0o777, 0o660)
        self.assertEqual(os.stat(self.path("/var/lib/transitd")).st_mode & 0o777, 0o700)
        words = self.inside("bash", "-c", "source /usr/share/bash-completion/completions/transitctl; "
                            "COMP_WORDS=(transitctl show ro); COMP_CWORD=2; _transitctl transitctl; echo ${COMPREPLY[@]}")
        self.assertEqual(words.split(), ["routes"])
        self.assertEqual(daemon.stop(), 0, daemon.tail())

    def test_an_upgrade_keeps_configuration_and_state(self):
        with open(self.path(CONFIG), "a") as f:
            f.write("# edited\n")
        with open(self.path("/var/lib/transitd/kept"), "w") as f:
            f.write("state\n")
        unpacked, newer = process.log_path("unpacked"), os.path.join(self.folder, "newer.deb")
        process.run(["dpkg-deb", "-R", self.deb, unpacked])
        control = os.path.join(unpacked, "DEBIAN", "control")
        with open(control) as f:
            text = re.sub(r"^Version: (.*)$", r"Version: \1+next", f.read(), flags=re.M)
        with open(control, "w") as f:
            f.write(text)
        process.run(["dpkg-deb", "--root-owner-group", "-b", unpacked, newer])
        self.install(newer)
        self.assertIn("+next", self.inside("dpkg-query", "-W", "transitd"))
        with open(self.path(CONFIG)) as f:
            self.assertIn("# edited", f.read())
        self.assertEqual(os.stat(self.path(CONFIG)).st_mode & 0o777, 0o600)
        self.assertTrue(os.path.exists(self.path("/var/lib/transitd/kept")))
        daemon, _ = self.launch()
        self.assertEqual(daemon.stop(), 0, daemon.tail())

    def test_removed_and_purged(self):
        self.inside("dpkg", "-r", "transitd")
        self.assertFalse(os.path.exists(self.path("/usr/sbin/transitd")))
        self.assertTrue(os.path.exists(self.path(CONFIG)), "the configuration stays")
        self.inside("dpkg", "-P", "transitd")
        for name in ("/etc/transitd", "/var/lib/transitd", UNIT, "/etc/default/transitd"):
            self.assertFalse(os.path.exists(self.path(name)), name)

    def test_huge_pages_are_reserved_where_there_are_some(self):
        tree = "/run/nodes"
        for node in ("node0", "node1"):
            os.makedirs(f"{tree}/{node}/hugepages/hugepages-2048kB")
            with open(f"{tree}/{node}/hugepages/hugepages-2048kB/nr_hugepages", "w") as f:
                f.write("0\n")
        script = os.path.join(tools.ROOT, "config", "systemd", "reserve-hugepages")

        def run(count, folder=tree):
            return subprocess.run(["sh", script], env=dict(os.environ, HUGEPAGES=count, TRANSITD_HUGEPAGES_DIR=folder),
                                  capture_output=True, text=True, check=True).stderr

        def pages():
            return [open(f"{tree}/{n}/hugepages/hugepages-2048kB/nr_hugepages").read().strip() for n in ("node0", "node1")]
        self.assertEqual((run(""), pages()), ("", ["0", "0"]))
        self.assertIn("is no number", run("many"))
        self.assertEqual((run("512"), pages()), ("", ["256", "256"]))
        self.assertEqual((run("100"), pages()), ("", ["256", "256"]))
        self.assertIn("has no huge pages", run("512", "/run/nothing"))

    def test_nics_are_bound_where_some_are_named(self):
        script = os.path.join(tools.ROOT, "config", "systemd", "bind-nics")

        def run(nics):
            return subprocess.run(["sh", script], env=dict(os.environ, NICS=nics, TRANSITCTL="/bin/echo"),
                                  capture_output=True, text=True, check=True).stdout
        self.assertEqual(run(""), "")
        self.assertEqual(run("0000:07:00.0 0000:08:00.0"), "nic bind 0000:07:00.0 0000:08:00.0\n")

    def test_every_error_code_is_explained(self):
        """The page for operators names what transitd says, and nothing that it does not."""
        with open(os.path.join(tools.ROOT, "lib/control/ike/error.h")) as f:
            codes = set(re.findall(r'X\(\w+, "(\w+)"', f.read())) - {"None"}
        with open(os.path.join(tools.ROOT, "config/README.md")) as f:
            page = f.read()
        rows = re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \|", page, re.M)
        explained = {word for row in rows for word in row.split(", ")} - {"Word", "Code"}
        self.assertEqual(codes ^ explained, set())
        for name in re.findall(r"`([a-z-]+\.yaml)`", page):
            self.assertTrue(os.path.exists(os.path.join(tools.ROOT, "config", name)), name)

    def test_programs_are_hardened(self):
        for name in ("transitd", "transitctl"):
            program = os.path.join(tools.build_dir(), "app", name)
            headers = process.run(["readelf", "-hldW", program])
            symbols = process.run(["readelf", "-W", "--dyn-syms", program])
            self.assertIn("DYN (Position-Independent Executable file)", headers, name)
            self.assertIn("GNU_RELRO", headers, name)
            self.assertRegex(headers, r"BIND_NOW|Flags:.* NOW", name)
            self.assertRegex(headers, r"GNU_STACK.* RW ", name)
            self.assertIn("__stack_chk_fail", symbols, name)
            self.assertRegex(symbols, r"__\w+_chk@", name)
