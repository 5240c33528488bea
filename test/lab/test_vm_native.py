# SPDX-License-Identifier: BSD-3-Clause
"""IKEv2 with native ESP against the IPsec of Debian's kernel in a guest: strongSwan, libreswan, OpenIKED."""

from rig import guest_peers, tools
from rig.guest_cell import Native, suite_test

SUITES = (
    (guest_peers.StrongSwan, ("3des", "md5", "group2"), ("3des", "md5"), "group2"),
    (guest_peers.StrongSwan, ("aes256", "sha512", "group31"), ("chacha20poly1305", None), "group31"),
    (guest_peers.Libreswan, ("aes256", "sha512", "group19"), ("aes256", "sha512"), "group19"),
    (guest_peers.OpenIked, ("aes256", "sha256", "group19"), ("aes256", "sha512"), "group19"),
)
FULL_SUITES = (
    *((guest_peers.StrongSwan, (encryption, authentication, group), esp, pfs)
      for encryption, authentication, group, esp, pfs in (
          ("aes192", "sha384", "group20", ("aes192", "sha384"), "group20"),
          ("des", "md5", "group1", ("des", "md5"), "group1"),
          ("aes128", "sha1", "group2", ("aes128", "sha1"), None),
          ("aes128", "sha256", "group15", ("aes128", "sha256"), "group15"),
          ("aes256", "sha384", "group16", ("aes256", "sha512"), "group16"),
          ("aes256gcm16", "sha512", "group21", ("aes256gcm16", None), "group21"),
          ("aes128gcm16", "sha256", "group19", ("aes128gcm16", None), None),
          ("chacha20poly1305", "sha256", "group31", ("aes256", "sha1"), "group5"))),
    *((guest_peers.Libreswan, ike, esp, pfs) for ike, esp, pfs in (
        (("aes128", "sha1", "group5"), ("aes128", "sha1"), "group5"),
        (("3des", "sha1", "group14"), ("3des", "sha1"), "group14"),
        (("aes128", "sha256", "group15"), ("aes192", "sha256"), "group15"),
        (("aes256", "sha384", "group20"), ("aes256gcm16", None), "group20"),
        (("aes256", "sha256", "group31"), ("chacha20poly1305", None), "group31"))),
    *((guest_peers.OpenIked, ike, esp, pfs) for ike, esp, pfs in (
        (("aes128", "sha1", "group2"), ("aes128", "sha1"), "group2"),
        (("3des", "sha1", "group5"), ("3des", "sha1"), "group5"),
        (("aes192", "sha384", "group20"), ("aes192", "sha384"), "group20"),
        (("aes256", "sha512", "group31"), ("aes256", "sha1"), "group31"))),
)


class Peers(Native):
    """One suite of algorithms, everything that can happen to a tunnel."""

    def test_strongswan_v2(self):
        self.cell(guest_peers.StrongSwan, guest_peers.Suite())

    def test_libreswan_v2(self):
        self.cell(guest_peers.Libreswan, guest_peers.Suite(esp=("aes256", "sha256")))

    def test_openiked_v2(self):
        self.cell(guest_peers.OpenIked, guest_peers.Suite(esp=("aes128", "sha384")))


class Algorithms(Native):
    """Many suites, each negotiated, carrying traffic and rekeyed."""


for _kind, _ike, _esp, _pfs in (*SUITES, *(FULL_SUITES if tools.full() else ())):
    _suite = guest_peers.Suite(_ike, _esp, _pfs)
    setattr(Algorithms, f"test_{_kind.name}_{_suite}".replace("-", "_"), suite_test(_kind, _suite))
