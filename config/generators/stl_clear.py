# SPDX-License-Identifier: BSD-3-Clause
"""TRex, stateless: clear packets of 10.1.0.1 to 10.9.0.1 for esp-out.yaml.

    trex: ./t-rex-64 -i ;  console: start -f stl_clear.py -p 0 -m 1mpps -t --size 256 --flows 1024
"""

import argparse

from trex_stl_lib.api import (STLFlowLatencyStats, STLPktBuilder, STLProfile, STLScVmRaw, STLStream, STLTXCont,
                              STLVmFixIpv4, STLVmFlowVar, STLVmWrFlowVar)
from scapy.all import IP, UDP, Ether


class Clear:
    """One stream that counts through sources and ports, and a thin one that measures latency."""

    def get_streams(self, direction=0, tunables=(), **_):
        parser = argparse.ArgumentParser()
        parser.add_argument("--size", type=int, default=64, help="bytes of the frame, with its checksum")
        parser.add_argument("--flows", type=int, default=256, help="source ports")
        args = parser.parse_args(tunables)
        base = Ether() / IP(src="10.1.0.1", dst="10.9.0.1") / UDP(sport=1024, dport=5678, chksum=0)
        packet = base / (b"x" * max(0, args.size - 4 - len(base)))
        ports = STLScVmRaw([
            STLVmFlowVar("port", min_value=1024, max_value=1024 + args.flows - 1, size=2, op="inc"),
            STLVmWrFlowVar(fv_name="port", pkt_offset="UDP.sport"),
            STLVmFixIpv4(offset="IP")])
        probe = base / (b"x" * max(16, args.size - 4 - len(base)))
        return STLProfile([
            STLStream(packet=STLPktBuilder(pkt=packet, vm=ports), mode=STLTXCont(pps=1)),
            STLStream(packet=STLPktBuilder(pkt=probe), mode=STLTXCont(pps=1000),
                      flow_stats=STLFlowLatencyStats(pg_id=7))]).get_streams()


def register():
    return Clear()
