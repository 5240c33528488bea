# SPDX-License-Identifier: BSD-3-Clause
"""V1-13: IKEv1 to one peer and IKEv2 to another, from the same ports; and peers that change from one to the other."""

import test_ike_live as live

from rig import tools, wait


class Versions(live.Base):
    """dc1/1 speaks IKEv1, dc1/2 IKEv2; the peers answer either."""

    peer = {"version": 0, "ike": {"dpd_delay": "0s"}}

    @classmethod
    def configure(cls, config):
        cls.config = config
        cls.speak(0, 1)

    @classmethod
    def speak(cls, i, version):
        cls.config["vpn-connections"]["dc1"]["tunnels"][i]["ike"]["version"] = f"ikev{version}"

    def versions(self):
        """The version of the IKE SA of each tunnel, as the peers have it."""
        return [[sa["version"] for sa in charon.sas() if sa["state"] == "ESTABLISHED"]
                for charon in self.world.dc[1].charons()]

    def agreed(self, *versions):
        self.router.wait_up(timeout=30)
        wait.until(lambda: self.versions() == [[str(v)] for v in versions], 20, f"IKE versions are {versions}")
        tools.Stream(self.vpc, self.dc, pps=500, flows=32).start().wait_flowing().finish()  # the peers know their hosts
        stream = tools.Stream(self.vpc, self.dc, pps=500, count=500, flows=32, settle_ms=2000).run()
        self.assertEqual(stream.lost, 0, stream)

    def spis_of_the_other(self):
        return {sa["spi-in"] for sa in self.router.esp_sas("dc1/2") + self.router.ike_sas("dc1/2")}

    def test_one_of_each(self):
        self.agreed(1, 2)

    def test_ours_changes(self):
        """There and back; the tunnel beside it keeps its SAs."""
        before = self.spis_of_the_other()
        for version in (2, 1):
            self.speak(0, version)
            self.router.apply(self.config)
            self.agreed(version, 2)
        self.assertEqual(self.spis_of_the_other(), before)

    def test_the_peer_changes_first(self):
        """It asks in the other version and is refused, it refuses ours, and the error says so; then we follow."""
        before = self.spis_of_the_other()
        tunnel = self.charon.tunnels[0]
        for version in (2, 1):
            self.charon.terminate(tunnel.name)
            tunnel.ike["version"] = version
            self.charon.load()
            self.charon.initiate(tunnel.name, timeout=2, check=False)
            wait.until(lambda: self.router.tunnel("dc1/1")["error"], 30, "the tunnel says why it is down")
            self.assertNotEqual(self.router.tunnel("dc1/1")["state"], "up")
            self.assertEqual(self.charon.children(), [])
            self.speak(0, version)
            self.router.apply(self.config)
            self.charon.terminate(tunnel.name, check=False)
            self.agreed(version, 2)
        self.assertEqual(self.spis_of_the_other(), before)
