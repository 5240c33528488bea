# SPDX-License-Identifier: BSD-3-Clause
"""TRex, stateful: HTTP between clients in 10.1.0.0/16 and servers in 10.9.0.0/16, through esp-out and esp-in.

    trex: ./t-rex-64 --astf -i ;  console: start -f astf_http.py -m 1000 -t --size 65536
"""

import argparse

from trex.astf.api import (ASTFAssociationRule, ASTFGlobalInfo, ASTFIPGen, ASTFIPGenDist, ASTFIPGenGlobal, ASTFProfile,
                           ASTFProgram, ASTFTCPClientTemplate, ASTFTCPServerTemplate, ASTFTemplate)

REQUEST = b"GET / HTTP/1.1\r\nHost: 10.9.0.1\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
MSS = 1400  # at most what fits the tunnel whole: 1406 with AES-GCM


class Http:
    """A request and its response on a connection of its own, at as many a second as `-m` says."""

    def get_profile(self, tunables=(), **_):
        parser = argparse.ArgumentParser()
        parser.add_argument("--size", type=int, default=32768, help="bytes of a response's body")
        size = parser.parse_args(tunables).size
        response = RESPONSE % size + b"x" * size
        client, server = ASTFProgram(), ASTFProgram()
        client.send(REQUEST)
        client.recv(len(response))
        server.recv(len(REQUEST))
        server.send(response)
        addresses = ASTFIPGen(
            glob=ASTFIPGenGlobal(ip_offset="0.0.0.0"),
            dist_client=ASTFIPGenDist(ip_range=["10.1.0.1", "10.1.0.254"], distribution="seq"),
            dist_server=ASTFIPGenDist(ip_range=["10.9.0.1", "10.9.0.254"], distribution="seq"))
        info = ASTFGlobalInfo()
        info.tcp.mss = MSS
        return ASTFProfile(
            default_ip_gen=addresses, default_c_glob_info=info, default_s_glob_info=info,
            templates=ASTFTemplate(
                client_template=ASTFTCPClientTemplate(program=client, ip_gen=addresses, port=80, cps=1),
                server_template=ASTFTCPServerTemplate(program=server, assoc=ASTFAssociationRule(port=80))))


def register():
    return Http()
