# SPDX-License-Identifier: BSD-3-Clause
"""Another configuration while traffic flows: what it changes and what it must not touch (O10, C-32, C-34, C-35)."""

import contextlib
import copy
import json
import os
import re
import signal
import socket

from rig import capture, process, tools, transitd, wait, world
from rig.case import Lab

QUIET = {"ike": {"dpd_delay": "0s"}}  # of charon: no message that nobody asked for
PPS = 1000


class Base(Lab):
    """Two data centers, two VPC networks; nobody probes a tunnel that is in use or idle."""

    release = True
    dcs = (1, 2)
    psk = world.PSK

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=cls.dcs)
        cls.config = cls.first_config()
        cls.before_start()
        cls.router = cls.world.router.start(cls.config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(psk=cls.psk, **QUIET)
        cls.world.wait_up()

    @classmethod
    def before_start(cls):
        pass

    @classmethod
    def first_config(cls):
        config = world.config(dcs=cls.dcs)
        for connection in config["vpn-connections"].values():
            for tunnel in connection["tunnels"]:
                tunnel["dpd"] = {"enabled": False}
        return config

    def next(self, change=None):
        """The configuration in force with a change."""
        config = copy.deepcopy(self.config)
        if change:
            change(config)
        return config

    def apply(self, change=None, *options):
        """Applies it; from then on it is the one in force."""
        config = self.next(change)
        answer = self.router.apply(config, *options)
        type(self).config = config
        return answer

    def spis(self, *tunnels):
        """{tunnel: {(type, SPI in, SPI out)}} of the named tunnels, or all."""
        found = {}
        for sa in self.router.ctl("show", "sas"):
            if (not tunnels or sa["tunnel"] in tunnels) and sa["state"] not in ("replaced", "deleting", "inbound-only"):
                found.setdefault(sa["tunnel"], set()).add((sa["type"], sa["spi-in"], sa["spi-out"]))
        return found

    def settle(self):
        """Until no rekey is on its way: what we send stays on the old Child SA for a second."""
        def quiet():
            rows = [sa["state"] for sa in self.router.ctl("show", "sas") if sa["type"] == "esp"]
            return rows and all(state == "installed" for state in rows)
        wait.until(quiet, 20, "every Child SA is in use, and none is replaced")

    def streams(self, *pairs):
        return [tools.Stream(a, b, pps=PPS, flows=16).start() for a, b in pairs]

    def lossless(self, streams):
        for stream in streams:
            verdict = stream.finish()
            self.assertGreater(verdict.sent, 0)
            self.assertEqual((verdict.lost, verdict.duplicated, verdict.corrupted, verdict.misdelivered),
                             (0, 0, 0, 0), verdict)

    def both_ways(self, vpc="vpc-a", dc=1):
        a, b = self.world.vpc[vpc], self.world.dc[dc].host
        return (a, b), (b, a)

    def ike_messages(self, which=capture.IKE):
        return capture.Capture(self.world.inet, "tr", which, name="ike").start()


class Nothing(Base):
    """A change that changes nothing."""

    def test_no_op_touches_nothing(self):
        """No SPI, no packet, no IKE message; not for the same bytes, nor for others that mean the same."""
        before, heard = self.spis(), self.ike_messages()
        streams = self.streams(*self.both_ways())
        for config in (self.config, self.config, dict(reversed(list(self.config.items())))):
            answer = self.router.apply(config)
            self.assertEqual((answer["total"], answer["effects"], answer["changes"]), (0, {}, []))
        answer = self.router.apply(self.next(lambda c: c["vpn-connections"]["dc1"].update(ha="ecmp")))
        self.assertEqual(answer["total"], 0, answer)  # spelled out what is the default
        self.router.apply()
        self.lossless(streams)
        heard.stop()
        self.assertEqual(heard.count(), 0)
        self.assertEqual(self.spis(), before)
        self.router.apply(self.config)

    def test_diff_and_check_change_nothing(self):
        before = self.spis()
        config = self.next(lambda c: c["vpn-connections"]["dc1"]["tunnels"][0].update(psk="something-else"))
        answer = self.router.change("diff", config)
        self.assertEqual([(c["path"], c["from"], c["to"], c["effect"], c["about"]) for c in answer["changes"]],
                         [("vpn-connections.dc1.tunnels.1.psk", "<secret>", "<secret>", "renegotiate", "dc1/1")])
        self.assertTrue(self.router.change("check", config)["sound"])
        self.assertEqual(self.spis(), before)
        words = self.router.text("diff", process.log_path("tr-next.yaml"))
        self.assertIn("vpn-connections.dc1.tunnels.1.psk: <secret> -> <secret>  [renegotiate dc1/1]", words)
        self.assertIn("1 change: 1 renegotiate", words)

    def test_signal_applies_the_startup_file(self):
        before = self.spis()
        self.router.write(self.next(lambda c: c["route-tables"].update(spare={})))
        self.router.process.send_signal(signal.SIGHUP)
        wait.until(lambda: any(t["name"] == "spare" for t in self.router.ctl("show", "tables")), 5, "the new table")
        self.router.write(self.config)
        self.router.process.send_signal(signal.SIGHUP)
        wait.until(lambda: not any(t["name"] == "spare" for t in self.router.ctl("show", "tables")), 5, "it is gone")
        self.assertEqual(self.spis(), before)


class OneTunnel(Base):
    """A change to one tunnel touches no other (C-32)."""

    def setUp(self):
        self.router.apply(self.config)
        self.world.wait_up(30)

    def elsewhere(self, change, changed, timeout=20):
        """0 loss and the same SAs but for the tunnels in `changed`, which are up again; what was sent to dc2."""
        before = self.spis()
        streams = self.streams(*self.both_ways())
        old = self.config
        answer = self.apply(change)
        wait.until(lambda: all(self.spis(n).get(n) and self.spis(n)[n] != before.get(n)
                               and self.router.tunnel(n)["state"] == "up" for n in changed), timeout,
                   "the changed tunnels are up with new SAs", step=0.1)
        self.lossless(streams)
        after = self.spis()
        for name in set(before) - set(changed):
            self.assertEqual(after[name], before[name], name)
        type(self).config = old
        return answer

    def test_psk(self):
        """Both ends get another key; the other three tunnels do not notice."""
        charon = self.world.dc[2].charons()[0]
        charon.tunnels[0].psk = "another-key-altogether"
        charon.load()
        answer = self.elsewhere(lambda c: c["vpn-connections"]["dc2"]["tunnels"][0].update(
            psk="another-key-altogether"), ["dc2/1"])
        self.assertEqual(answer["effects"], {"renegotiate": 1})
        charon.tunnels[0].psk = world.PSK
        charon.load()

    def test_algorithms(self):
        self.elsewhere(lambda c: c["vpn-connections"]["dc2"]["tunnels"][1]["ipsec"].update(
            encryption=["aes256gcm16", "aes128gcm16"]), ["dc2/2"])

    def test_dpd_is_live(self):
        self.elsewhere(lambda c: c["vpn-connections"]["dc2"]["tunnels"][1].update(
            dpd={"interval": 7, "timeout": 21}), [])

    def test_rekey_loses_nothing(self):
        """The very tunnel that carries the traffic gets a shorter life and a wider window."""
        before = self.spis("dc1/1", "dc1/2")
        streams = self.streams(*self.both_ways())
        answer = self.apply(lambda c: [t["ipsec"].update({"lifetime": 4000, "replay-window": 2048})
                                       for t in c["vpn-connections"]["dc1"]["tunnels"]])
        self.assertEqual(answer["effects"], {"rekey": 4})
        wait.until(lambda: all(not {s for s in self.spis(n)[n] if s[0] == "esp"} & before[n] for n in before), 10,
                   "new Child SAs")
        self.lossless(streams)
        for name in before:
            mine = [sa for sa in self.router.esp_sas(name)]
            self.assertTrue(all(sa["rekey-in-seconds"] < 4000 for sa in mine), mine)
        type(self).config = self.first_config()

    def test_connection_comes_and_goes(self):
        """dc2 is taken away and comes back; dc1 does not notice, dc2's peers are told at once."""
        def without(config):
            for section in ("attachments", "vpn-connections"):
                del config[section]["dc2"]
            config["route-tables"]["partner"] = {}
        self.router.apply(self.config)  # dc1 as it will stay: the test before left it another life
        self.settle()
        before = self.spis("dc1/1", "dc1/2")
        streams = self.streams(*self.both_ways())
        self.router.apply(self.next(without))
        for charon in self.world.dc[2].charons():
            wait.until(lambda c=charon: not c.children(), 3, "the peer was told")
        self.assertEqual({t["name"] for t in self.router.ctl("show", "tunnels")}, {"dc1/1", "dc1/2"})
        self.router.apply(self.config)
        self.world.wait_up(30)
        self.lossless(streams)
        self.assertEqual(self.spis("dc1/1", "dc1/2"), before)
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[2].host), 3)

    def test_detached_and_attached_under_another_name(self):
        """The tunnels stay up meanwhile, and what comes out of them belongs to the new attachment at once."""
        def renamed(config):
            config["attachments"]["branch"] = config["attachments"].pop("dc1")
        before, heard = self.spis(), self.ike_messages(f"({capture.IKE}) and host {world.GATEWAYS[1][0]}")
        self.router.apply(self.next(lambda c: c["attachments"].pop("dc1")))
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[1].host, count=2), 0)
        self.router.apply(self.next(renamed))
        for a, b in self.both_ways():
            self.assertEqual(a.ping(b), 3)
        heard.stop()
        self.assertEqual((self.spis(), heard.count()), (before, 0))


class Routes(Base):
    """Tables, policies, interfaces, neighbours: no tunnel notices."""

    def what_follows(self):
        """What a router has made of its configuration."""
        tables = self.router.ctl("show", "tables")
        routes = [{k: v for k, v in row.items() if k != "index"} for row in self.router.ctl("show", "routes")]
        return json.dumps([sorted(tables, key=str), sorted(routes, key=str),
                           self.router.ctl("show", "attachments")], sort_keys=True)

    def test_association_equals_a_fresh_start(self):
        """B9: vpc-b moves to the default table: what follows is what a start with that file gives."""
        before = self.spis()
        streams = self.streams(*self.both_ways(), *self.both_ways("vpc-a", 2))
        self.assertEqual(self.world.vpc["vpc-b"].ping(self.world.dc[1].host, count=2), 0)
        answer = self.apply(lambda c: c["attachments"]["vpc-b"].update(associate="default"))
        self.assertEqual(set(answer["effects"]), {"routes"})
        self.assertEqual(self.world.vpc["vpc-b"].ping(self.world.dc[1].host), 3)
        self.lossless(streams)
        self.assertEqual(self.spis(), before)
        live = self.what_follows()
        self.router.restart(self.config)
        self.router.wait_up(timeout=30)
        self.assertEqual(self.what_follows(), live)
        self.apply(lambda c: c["attachments"]["vpc-b"].update(associate="partner"))
        self.assertEqual(self.world.vpc["vpc-b"].ping(self.world.dc[1].host, count=2), 0)

    def test_policy_opens_and_closes(self):
        before = self.spis()
        a, b = self.world.dc[1].host, self.world.dc[2].host
        streams = self.streams(*self.both_ways())
        self.assertEqual(a.ping(b, count=2), 0)
        self.apply(lambda c: c.update({"routing-policies": [world.OPEN_POLICY]}))
        self.assertEqual(a.ping(b), 3)
        self.apply(lambda c: c.pop("routing-policies"))
        self.assertEqual(a.ping(b, count=2), 0)
        self.lossless(streams)
        self.assertEqual(self.spis(), before)

    def test_network_comes_and_moves(self):
        """An attachment is added on a VLAN, gets another address, and goes."""
        before = self.spis()
        streams = self.streams(*self.both_ways())
        host = self.world.vpc["vpc-b"]
        vpc_b = dict(self.config["attachments"]["vpc-b"])
        self.apply(lambda c: c["attachments"].pop("vpc-b"))
        self.assertEqual(host.ping(self.world.dc[2].host, count=2), 0)
        self.apply(lambda c: c["attachments"].update({"vpc-b": vpc_b}))
        self.assertEqual(host.ping(self.world.dc[2].host), 3)
        self.apply(lambda c: c["attachments"]["vpc-b"].update(address="10.2.255.253/16"))
        host.ip("route replace default via 10.2.255.253")
        wait.until(lambda: host.ping(self.world.dc[2].host) == 3, 10, "the new gateway of vpc-b forwards")
        self.apply(lambda c: c["attachments"]["vpc-b"].update(address="10.2.255.254/16"))
        host.ip("route replace default via 10.2.255.254")
        wait.until(lambda: host.ping(self.world.dc[2].host) == 3, 10, "the old one again")
        self.lossless(streams)
        self.assertEqual(self.spis(), before)


class Second(Base):
    """T2, T5, T6, X1: a second tunnel beside the first, in place."""

    dcs = (1,)

    @classmethod
    def first_config(cls):
        config = super().first_config()
        config["vpn-connections"]["dc1"].update(mode="single")
        del config["vpn-connections"]["dc1"]["tunnels"][1]
        return config

    @classmethod
    def build(cls):
        cls.world = world.World(dcs=cls.dcs)
        cls.config = cls.first_config()
        cls.router = cls.world.router.start(cls.config)
        cls.routers.append(cls.router)
        cls.watch(cls.world.inet, "tr")
        cls.world.connect(**QUIET)
        cls.router.wait_up()
        cls.world.dc[1].gateways[0].wait_up()

    def redundancy(self):
        row = self.router.ctl("show", "connections")[0]
        return row["redundancy"], row["redundancy-reason"]

    def test_second_tunnel_in_place(self):
        met, why = self.redundancy()
        self.assertEqual(met, "NOT_MET")
        self.assertTrue(why)
        before = self.spis()["dc1/1"]
        # To the data center alone: its own choice of links changes when the second one comes up.
        streams = self.streams(self.both_ways()[0])
        second = dict(world.tunnel(1, 1), dpd={"enabled": False})
        answer = self.apply(lambda c: (c["vpn-connections"]["dc1"].update(mode="dual"),
                                       c["vpn-connections"]["dc1"]["tunnels"].append(second)))
        self.assertEqual(answer["effects"]["tunnels"], len([c for c in answer["changes"] if c["effect"] == "tunnels"]))
        self.router.wait_up("dc1/2")
        self.world.wait_up()
        self.lossless(streams)
        self.assertEqual(self.spis()["dc1/1"], before)
        self.assertEqual(self.redundancy()[0], "MET")
        verdict = tools.Stream(*self.both_ways()[0], pps=1000, count=2000, flows=64).run()
        self.assertEqual(verdict.lost, 0, verdict)
        sent = [self.router.tunnel(n)["sent-packets"] for n in ("dc1/1", "dc1/2")]
        self.assertGreater(min(sent), 100, sent)  # X1: both carry

    def test_standby(self):
        """The connection becomes active/standby: the first carries all; no SA changes."""
        before = self.spis()
        self.apply(lambda c: c["vpn-connections"]["dc1"].update(ha="active-standby"))
        first, second = (self.router.tunnel(n)["sent-packets"] for n in ("dc1/1", "dc1/2"))
        verdict = tools.Stream(*self.both_ways()[0], pps=1000, count=1000, flows=64).run()
        self.assertEqual(verdict.lost, 0, verdict)
        self.assertEqual(self.router.tunnel("dc1/2")["sent-packets"], second)
        self.assertGreaterEqual(self.router.tunnel("dc1/1")["sent-packets"], first + 1000)
        self.assertEqual(self.spis(), before)

    def test_one_goes_again(self):
        def single(config):
            config["vpn-connections"]["dc1"].update(mode="single")
            config["vpn-connections"]["dc1"]["tunnels"].pop()
        before = self.spis()["dc1/1"]
        self.apply(single)
        wait.until(lambda: not self.world.dc[1].charons()[1].children(), 3, "the peer of dc1/2 was told")
        self.assertEqual((self.spis(), self.redundancy()[0]), ({"dc1/1": before}, "NOT_MET"))


class Refused(Base):
    """On any error nothing has changed."""

    dcs = (1,)

    def setUp(self):
        self.before = self.spis(), self.router.text("show", "configuration"), self.router.ctl("show", "routes")

    def tearDown(self):
        self.assertEqual((self.spis(), self.router.text("show", "configuration"),
                          self.router.ctl("show", "routes")), self.before)
        super().tearDown()

    def refused(self, change, *words):
        """The reasons of check and of apply, which must be the same and name every word."""
        config = self.next(change)
        answers = [self.router.change(what, config) for what in ("check", "apply")]
        self.assertFalse(answers[1]["applied"])
        self.assertEqual(answers[0]["lines"], answers[1]["lines"])
        said = "\n".join(answers[1]["lines"]) + answers[1]["reason"]
        for word in words:
            self.assertIn(word, said)
        return answers[1]

    def test_errors_have_their_place(self):
        answer = self.refused(lambda c: c["attachments"]["vpc-a"].update(vlan=5000), "tr-next.yaml:", ": error: vlan:")
        self.assertEqual((answer["code"], answer["errors"]), ("BadConfiguration", 1))

    def test_deleted_while_attached(self):
        """A11-A15."""
        self.refused(lambda c: c["vpn-connections"].pop("dc1"), "detach first")

    def test_grant_is_needed(self):
        self.refused(lambda c: c["vpn-connections"]["dc1"].update(owner="somebody"), "grant")

    def test_second_attachment(self):
        """A6."""
        self.refused(lambda c: c["attachments"].update(again={"kind": "vpn", "connection": "dc1"}),
                     "attaches once")

    def test_limit(self):
        """A7: one more than the limit, which is named."""
        self.refused(lambda c: c["transit-router"].update(limits={"vpn-attachments": 1}) or c["attachments"].update(
            more={"kind": "vpn", "connection": {"mode": "single", "tunnels": [{
                "customer-gateway": "dc1-a", "psk": "x"}]}}), "limit", "1")

    def test_gateway_type_is_for_life(self):
        """A18."""
        def private(config):
            config["attachments"]["line"] = {"kind": "vbr", "port": "lan0", "vlan": 300, "address": "10.30.0.1/24",
                                             "routes": [{"prefix": "192.0.2.0/24", "next-hop": "10.30.0.2"}]}
            config["vpn-connections"]["dc1"]["gateway-type"] = "private"
        self.refused(private, "new connection")

    def test_what_needs_a_restart(self):
        config = self.next(lambda c: c["ports"]["lan0"].update(mtu=1400) or c["route-tables"].update(spare={}))
        answer = self.router.change("apply", config)
        self.assertEqual((answer["applied"], answer["code"]), (False, "NeedsRestart"))
        self.assertIn("ports.lan0.mtu", answer["reason"])
        config = self.next(lambda c: c["ports"].update(lan1={"device": "af_packet:lan1"}))
        answer = self.router.change("apply", config)
        self.assertEqual(answer["code"], "NeedsRestart")

    def test_pool_is_exhausted(self):
        """A5."""
        def many(config):
            config["customer-gateways"].update({f"far-{i}": {"address": f"198.51.100.{i + 1}"} for i in range(20)})
            config["attachments"].update({f"far-{i}": {"kind": "vpn", "connection": {"mode": "single", "tunnels": [
                {"customer-gateway": f"far-{i}", "psk": "x"}]}} for i in range(20)})
        self.refused(many, "exhausted")


class Full(Base):
    """C-25: no room left on the disk of startup file and state."""

    dcs = (1,)

    @classmethod
    def before_start(cls):
        router = cls.world.router
        cls.disk = router.run_dir
        os.makedirs(cls.disk)
        process.run(["mount", "-t", "tmpfs", "-o", "size=256k", "full", cls.disk])
        router.config_file = f"{cls.disk}/startup.yaml"

    def setUp(self):
        ballast = os.open(f"{self.disk}/ballast", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):  # until there is no byte left
            while True:
                os.write(ballast, b"x" * 4096)
        os.close(ballast)

    def doCleanups(self):
        os.unlink(f"{self.disk}/ballast")
        super().doCleanups()

    def test_nothing_is_applied_that_cannot_be_kept(self):
        """Said before anything changes; what runs can be changed all the same, and says what is not kept."""
        before = self.spis()
        streams = self.streams(*self.both_ways())
        config = self.next(lambda c: c["route-tables"].update(spare={}))
        for options in ([], ["--confirm-within", "9"]):
            answer = self.router.change("apply", config, *options)
            self.assertEqual((answer["applied"], answer["code"]), (False, "NotSaved"), answer)
            self.assertIn("No space left", answer["reason"])
        self.assertEqual(len(self.router.ctl("show", "tables")), 2)
        answer = self.router.apply(config, "--running")
        self.assertRegex(answer["trouble"], "history.*No space left")
        self.assertEqual(len(self.router.ctl("show", "tables")), 3)
        self.router.ctl("tunnel", "rekey", "dc1/1")
        wait.until(lambda: self.spis("dc1/1") != {"dc1/1": before["dc1/1"]}, 10, "a rekey goes on as ever")
        self.lossless(streams)
        self.assertEqual(self.spis("dc1/2")["dc1/2"], before["dc1/2"])

    def test_restart_with_a_full_disk(self):
        self.router.kill()
        self.router.start()
        self.world.wait_up(30)
        self.assertEqual(self.world.vpc["vpc-a"].ping(self.world.dc[1].host), 3)


class Confirm(Base):
    """apply --confirm-within, rollback, history; writers that meet, and one that dies."""

    dcs = (1,)

    def tables(self):
        return {t["name"] for t in self.router.ctl("show", "tables")}

    def spare(self, name="spare"):
        return self.next(lambda c: c["route-tables"].update({name: {}}))

    def startup(self):
        with open(self.router.config_file) as file:
            return file.read()

    def test_confirmed(self):
        answer = self.router.apply(self.spare(), "--confirm-within", "60")
        self.assertFalse(answer["saved"])
        self.assertNotIn("spare", self.startup())
        answer = self.router.change("apply", self.config)
        self.assertEqual((answer["applied"], answer["code"]), (False, "ConfirmPending"))
        self.router.ctl("confirm")
        self.assertIn("spare", self.startup())
        with self.assertRaisesRegex(transitd.Refused, "NothingToConfirm"):
            self.router.ctl("confirm")
        self.router.apply(self.config)
        self.assertNotIn("spare", self.tables())

    def test_not_confirmed(self):
        before, startup = self.spis(), self.startup()
        self.router.apply(self.spare(), "--confirm-within", "2")
        self.assertIn("spare", self.tables())
        wait.until(lambda: "spare" not in self.tables(), 4, "the change is taken back")
        self.assertEqual((self.spis(), self.startup()), (before, startup))
        self.assertIn("not confirmed", self.router.ctl("history")[0]["how"])

    def test_tunnel_that_does_not_come_back(self):
        """A wrong key: confirm is refused, and the deadline brings the tunnel back."""
        config = self.next(lambda c: c["vpn-connections"]["dc1"]["tunnels"][0].update(psk="wrong-key"))
        answer = self.router.apply(config, "--confirm-within", "4")
        self.assertEqual(answer["confirm"]["were-up"], 2)
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] != "up", 3, "dc1/1 goes down")
        with self.assertRaisesRegex(transitd.Refused, "NotBack.*tunnel dc1/1"):
            self.router.ctl("confirm")
        wait.until(lambda: self.router.tunnel("dc1/1")["state"] == "up", 15, "dc1/1 is back", step=0.1)
        self.world.wait_up(30)

    def test_crash_before_the_confirmation(self):
        """After a kill the configuration of before counts, whether FILE was another one or the startup file itself."""
        self.router.apply(self.spare(), "--confirm-within", "60")
        self.router.kill()
        self.router.start()
        self.assertNotIn("spare", self.tables())
        self.router.write(self.spare())
        self.router.apply(None, "--confirm-within", "60")
        self.assertIn("spare", self.tables())
        self.router.kill()
        self.router.start()
        self.assertNotIn("spare", self.tables())
        self.assertNotIn("spare", self.startup())
        self.router.write(self.spare("edited"))  # by hand, after a third one
        self.router.apply(None, "--confirm-within", "60")
        self.router.kill()
        self.router.write(self.spare("again"))
        self.router.start()
        self.assertIn("again", self.tables())
        self.router.apply(self.config)
        self.world.wait_up(30)

    def test_rollback_and_history(self):
        self.router.apply(self.spare("one"))
        self.router.apply(self.spare("two"))
        rows = self.router.ctl("history")
        self.assertEqual([r["how"] for r in rows[:2]], ["apply", "apply"])
        self.router.ctl("rollback")
        self.assertIn("one", self.tables())
        self.assertIn("one", self.startup())
        self.router.ctl("rollback", str(rows[0]["revision"]))
        self.assertIn("two", self.tables())
        with self.assertRaisesRegex(transitd.Refused, "NoSuchRevision"):
            self.router.ctl("rollback", "99999")
        self.router.apply(self.config)

    def test_running_alone(self):
        startup = self.startup()
        answer = self.router.apply(self.spare(), "--running")
        self.assertEqual((answer["saved"], self.startup()), (False, startup))
        self.assertIn("spare", self.tables())
        self.router.apply()
        self.assertNotIn("spare", self.tables())

    def _ask(self, link, **request):
        link.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += link.recv(65536)
        return json.loads(answer)

    def _connect(self):
        link = socket.socket(socket.AF_UNIX)
        link.connect(self.router.socket)
        return link

    def test_two_writers(self):
        """C-34: the second is told who the first is; readers go on; a writer that dies leaves the way free."""
        child = os.fork()
        if child == 0:  # a writer that stops half-way
            try:
                link = self._connect()
                token = self._ask(link, command=["candidate", "open", "apply"])["result"]["candidate"]
                self._ask(link, command=["candidate", "add"], candidate=token, bytes="70" * 1000)
                os.kill(os.getpid(), signal.SIGSTOP)
            finally:
                os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        with self.assertRaisesRegex(transitd.Refused, r"Busy: user 0 \(process \d+\)"):
            self.router.change("apply", self.spare())
        self.assertTrue(self.router.change("check", self.spare())["sound"])
        for _ in range(100):
            self.router.change("check", self.spare())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.router.apply(self.spare())
        self.router.apply(self.config)


class Secrets(Base):
    """C-35, T12: a key is in no log, answer or file that others can read."""

    dcs = (1,)
    psk = "canary-7Q2x-psk"

    @classmethod
    def first_config(cls):
        config = super().first_config()
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["psk"] = cls.psk
        return config

    def test_canary(self):
        other = self.psk.replace("7Q2x", "8R3y")
        config = self.next(lambda c: c["vpn-connections"]["dc1"]["tunnels"][0].update(psk=other))
        said = [json.dumps(self.router.change("diff", config)), self.router.text("show", "configuration")]
        self.router.apply(config)
        said += [json.dumps(self.router.change("check", self.next(lambda c: c["vpn-connections"]["dc1"]["tunnels"][0]
                                                                  .update(psk=other + " with blanks"))))]
        self.router.apply(self.config)
        for what in ("system", "tunnels", "sas", "connections", "attachments", "configuration", "ike", "counters"):
            said.append(self.router.text("show", what))
        said += [self.router.text("history"), self.router.process.output()]
        pid = self.router.process.pid
        for name in ("cmdline", "environ", "status"):
            with open(f"/proc/{pid}/{name}", errors="replace") as file:
                said.append(file.read())
        for text in said:
            self.assertNotRegex(text, "canary|7Q2x|8R3y")

    def test_files_are_private(self):
        """Whatever holds a key in the state directory is for the owner alone."""
        state, holders = f"{self.router.run_dir}/state", 0
        self.assertEqual(os.stat(state).st_mode & 0o777, 0o700)
        for folder, _, names in os.walk(state):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, errors="replace") as file:
                    if re.search("canary", file.read()):
                        holders += 1
                        self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
        self.assertGreater(holders, 0)
        self.assertEqual(os.stat(self.router.config_file).st_mode & 0o077, 0)

    def test_no_core_and_no_debugger(self):
        pid = self.router.process.pid
        with open(f"/proc/{pid}/limits") as file:
            self.assertRegex(file.read(), r"Max core file size\s+0\s+0")
        self.assertEqual(os.stat(f"/proc/{pid}/mem").st_uid, 0)
