# SPDX-License-Identifier: BSD-3-Clause
"""Every algorithm of T15 to T18 in IKEv1, on both phases, negotiated with strongSwan and carrying traffic."""

import test_ike_negotiate as negotiate

from rig import tools

CIPHERS = ("aes128", "aes192", "aes256", "des", "3des")
HASHES = ("sha1", "md5", "sha256", "sha384", "sha512")
GROUPS = {"group1": "modp768", "group2": "modp1024", "group5": "modp1536", "group14": "modp2048",
          "group15": "modp3072", "group16": "modp4096", "group19": "ecp256", "group20": "ecp384",
          "group21": "ecp521"}


def _suite(n):
    """Number n of 25: each cipher with each hash in phase 1, other pairs of them in phase 2; groups take turns."""
    group, pfs = list(GROUPS)[n % 9], [*GROUPS, "disabled"][(n + 4) % 10]
    one = CIPHERS[n % 5], HASHES[(n % 5 + n // 5) % 5]
    two = CIPHERS[(n + 1) % 5], HASHES[(n % 5 + 3 * (n // 5)) % 5]
    esp = "-".join((*two, *([GROUPS[pfs]] if pfs in GROUPS else [])))
    return ({"encryption": one[0], "authentication": one[1], "dh-group": group,
             **({"mode": "aggressive"} if n % 3 == 0 else {})},
            {"encryption": two[0], "authentication": two[1], "dh-group": pfs},
            "-".join((*one, GROUPS[group])), esp)


class SuitesV1(negotiate.SuitesOf):
    """Two of five hashes for each cipher; all 25 pairs in the full run."""

    cells = {f"suite{n}": _suite(n) for n in range(25 if tools.full() else 10)}
    version = 1

    def rekeys(self, name):
        super().rekeys(name, ("child",))


negotiate.add_suite_tests(SuitesV1)
