# SPDX-License-Identifier: BSD-3-Clause
"""IKEv1 with native ESP against the IPsec of Debian's kernel in a guest: strongSwan and libreswan (OpenIKED has none).

The cells of test_vm_native.py in main and in aggressive mode. Each run plays one of them whole, the full run all, and
suites of algorithms as peers of IKEv1 have them.
"""

from rig import guest_peers, tools, wait
from rig.guest_cell import Native, suite_test


class Cells(Native):
    """Everything that can happen to a tunnel. Old SAs may stay a while (strongSwan keeps them): the latest counts."""

    def plays(self, kind, esp, mode="main"):
        aggressive = {"aggressive": True} if mode == "aggressive" else {}
        self.cell(kind, guest_peers.Suite(esp=esp), "ikev1", **aggressive)

    def spis(self, kind):
        if kind == "child":
            return self.router.newest(self.router.esp_sas("dc1/1"))
        return self.router.newest([sa for sa in self.router.ike_sas("dc1/1") if sa["state"] == "established"])

    def one_pair(self):
        def settled():
            mine = self.router.esp_sas("dc1/1")
            latest = next((sa for sa in mine if sa["spi-in"] in self.router.newest(mine)), None)
            return latest and {int(latest[spi], 16) for spi in ("spi-in", "spi-out")} <= set(self.site.esp())
        wait.until(settled, 20, "the latest Child SA is the same on both ends", step=0.2)


class Main(Cells):
    """The rest is in the full run."""

    def test_libreswan(self):
        self.plays(guest_peers.Libreswan, ("aes256", "sha256"))


if tools.full():
    class MainStrongSwan(Cells):
        def test_strongswan(self):
            self.plays(guest_peers.StrongSwan, ("aes128gcm16", None))

    class Aggressive(Cells):
        def test_strongswan(self):
            self.plays(guest_peers.StrongSwan, ("aes128", "sha1"), "aggressive")

        def test_libreswan(self):
            self.plays(guest_peers.Libreswan, ("aes128", "sha1"), "aggressive")

    class Algorithms(Cells):
        """Suites as peers of IKEv1 have them, each negotiated, carrying traffic and rekeyed."""

    for _kind, _ike, _esp, _pfs in (
            (guest_peers.StrongSwan, ("des", "md5", "group1"), ("des", "md5"), "group1"),
            (guest_peers.StrongSwan, ("3des", "sha1", "group2"), ("3des", "sha1"), "group2"),
            (guest_peers.StrongSwan, ("3des", "md5", "group5"), ("3des", "md5"), None),
            (guest_peers.StrongSwan, ("aes192", "sha384", "group15"), ("aes192", "sha384"), "group14"),
            (guest_peers.StrongSwan, ("aes256", "sha512", "group16"), ("aes256", "sha512"), "group5"),
            (guest_peers.Libreswan, ("3des", "sha1", "group5"), ("3des", "sha1"), "group5"),
            (guest_peers.Libreswan, ("aes256", "sha512", "group19"), ("aes256", "sha512"), None)):
        _suite = guest_peers.Suite(_ike, _esp, _pfs)
        setattr(Algorithms, f"test_{_kind.name}_{_suite}".replace("-", "_"), suite_test(_kind, _suite, "ikev1"))
