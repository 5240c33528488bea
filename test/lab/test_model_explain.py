# SPDX-License-Identifier: BSD-3-Clause
"""explain against a live router: what it says of a flow is what the flow does (O4, X13)."""

from rig import world
from rig.case import Lab
from rig.transitd import Refused


class Explain(Lab):
    """The topology of the demo."""

    @classmethod
    def build(cls):
        cls.world = world.World()
        cls.router = cls.world.router.start(world.config())
        cls.routers.append(cls.router)
        cls.world.connect()
        cls.world.wait_up()
        cls.host = cls.world.hosts()

    def explain(self, source, destination, *more):
        return self.router.ctl("explain", "--from", source, self.host[source].address,
                               self.host[destination].address, *(str(word) for word in more))

    def test_the_member_it_names_carries_the_flow(self):
        for port in range(6000, 6006):
            said = self.explain("vpc-a", "dc1", "udp", port, 7)
            before = self.router.counters()[said["out"]]["sent"]
            self.host["vpc-a"].run("python3", "-c", (
                "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                f"s.bind(('', {port}))\n"
                f"for i in range(50): s.sendto(b'x', ('{self.host['dc1'].address}', 7))"))
            sas = {row["spi-out"]: row["tunnel"] for row in self.router.esp_sas(said["out"])}
            self.assertEqual(sas.get(said["sa"]["spi-out"]), said["out"])
            self.assertGreaterEqual(self.router.counters()[said["out"]]["sent"] - before, 50)

    def test_the_built_in_policy_is_named(self):
        said = self.router.ctl("explain", "--from", "dc1", "10.11.0.1", "10.12.0.1")
        self.assertEqual((said["verdict"], said["reason"]), ("dropped", "policy-denied"))
        self.assertEqual([p["policy"] for p in said["policies"] if p["direction"] == "egress"], [5000])

    def test_tables_decide(self):
        self.assertEqual(self.explain("vpc-b", "vpc-a")["reason"], "no-route")
        self.assertEqual(self.explain("vpc-b", "dc2")["table"], "partner")
        self.assertEqual(self.explain("dc2", "vpc-b")["out"], "vpc-b")

    def test_mtu_verdict(self):
        self.assertIn("fit", self.explain("vpc-a", "dc1", "udp", 1, 1, 1438)["mtu-verdict"])
        self.assertIn("do not fit", self.explain("vpc-a", "dc1", "udp", 1, 1, 1439)["mtu-verdict"])

    def test_text_for_people(self):
        text = self.router.text("explain", "--from", "vpc-a", "10.1.0.1", "10.11.0.1", "tcp", "1", "2")
        for word in ("verdict:", "sent", "candidates", "members", "sa:", "mtu-verdict:"):
            self.assertIn(word, text)

    def test_wrong_questions(self):
        for words in (("vpc-x", "10.1.0.1", "10.2.0.1"), ("vpc-a", "10.1.0.1", "nonsense"),
                      ("vpc-a", "10.1.0.1", "10.2.0.1", "icmq"), ("vpc-a", "10.1.0.1")):
            self.assertRaises(Refused, self.router.ctl, "explain", "--from", *words)
