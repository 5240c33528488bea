# SPDX-License-Identifier: BSD-3-Clause
"""IKEv1 with strongSwan: the life of tunnels in main and aggressive mode."""

import test_ike_live as live

V1 = {"version": 1, "dpd_delay": "1s"}


class _Main:
    """Main mode on both ends."""

    mode = "main"
    peer = {"version": 1, "ike": V1}

    @classmethod
    def configure(cls, config):
        super().configure(config)
        for tunnel in config["vpn-connections"]["dc1"]["tunnels"]:
            tunnel["ike"].update(version="ikev1", mode=cls.mode)

    # Who replaced an SA deletes it seconds later, and strongSwan leaves old Child SAs to their lifetime: what
    # counts is the latest one, which both ends must have.

    def esp_spis(self):
        return self.router.newest(self.router.esp_sas("dc1/1"))

    def ike_spis(self):
        """Of those that are up: one that is connecting has replaced nothing yet."""
        return self.router.newest([sa for sa in self.router.ike_sas("dc1/1") if sa["state"] == "established"])

    def one_pair(self, tunnel="dc1/1", timeout=15):
        live.wait.until(lambda: self.router.newest(self.router.esp_sas(tunnel)) &
                        {child["spi-out"] for child in self.charon.children()}, timeout,
                        f"the latest Child SA of {tunnel} is the same on both ends", step=0.1)


class _Aggressive(_Main):
    mode = "aggressive"
    peer = {"version": 1, "ike": {**V1, "aggressive": "yes"}}


class MainRekey(_Main, live.Rekey):
    rounds = 20 if live.tools.full() else 3


class MainLifetimes(_Main, live.Lifetimes):
    pass


class MainRestart(_Main, live.Restart):
    pass


class MainDpd(_Main, live.Dpd):
    pass


class AggressiveRestart(_Aggressive, live.Restart):
    pass
