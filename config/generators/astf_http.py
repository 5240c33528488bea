# SPDX-License-Identifier: BSD-3-Clause
"""TRex, stateful: HTTP between clients in 10.1.0.0/16 and servers in 10.9.0.0/16, through esp-out and esp-in.

    trex: ./t-rex-64 --astf -i ;  console: start -f astf_http.py -m 1000
"""

from trex.astf.api import (ASTFAssociationRule, ASTFCapInfo, ASTFIPGen, ASTFIPGenDist, ASTFIPGenGlobal, ASTFGlobalInfo,
                           ASTFProfile)


class Http:
    """The HTTP capture that comes with TRex, at connections/s that `-m` multiplies; segments that fit the tunnel."""

    def get_profile(self, tunables=(), **_):
        generator = ASTFIPGen(
            glob=ASTFIPGenGlobal(ip_offset="0.0.0.0"),
            dist_client=ASTFIPGenDist(ip_range=["10.1.0.1", "10.1.0.254"], distribution="seq"),
            dist_server=ASTFIPGenDist(ip_range=["10.9.0.1", "10.9.0.254"], distribution="seq"))
        info = ASTFGlobalInfo()
        info.tcp.mss = 1386
        return ASTFProfile(
            default_ip_gen=generator, default_c_glob_info=info, default_s_glob_info=info,
            cap_list=[ASTFCapInfo(file="../avl/delay_10_http_browsing_0.pcap", cps=1,
                                  assoc=[ASTFAssociationRule(port=80)])])


def register():
    return Http()
