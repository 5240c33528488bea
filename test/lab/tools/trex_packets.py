#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""trex_packets.py SCRIPTS PROFILES MAC OUT: what the TRex profiles of a folder would send, without a TRex server.

SCRIPTS is the folder `scripts` of a TRex; its own library loads the profiles. OUT gets a capture with one packet of
each flow of stl_clear.py, to the MAC address given. Prints addresses and ports of astf_http.py as JSON.
"""

import base64
import json
import os
import struct
import sys


def flows(stream):
    """The packets of a stream: its binary, with each value of its flow variable in its place."""
    packet = base64.b64decode(stream["packet"]["binary"])
    steps = {step["type"]: step for step in stream["vm"]["instructions"]}
    if not steps:
        return [packet]
    variable, write = steps["flow_var"], steps["write_flow_var"]
    assert write["is_big_endian"] and write["name"] == variable["name"] and variable["size"] == 2, stream
    return [packet[:write["pkt_offset"]] + struct.pack("!H", value) + packet[write["pkt_offset"] + 2:]
            for value in range(variable["init_value"], variable["max_value"] + 1, variable["step"])]


def main(scripts, profiles, mac, out):
    sys.path.insert(0, os.path.join(scripts, "automation/trex_control_plane/interactive"))
    sys.dont_write_bytecode = True
    from trex.astf.trex_astf_profile import ASTFProfile  # pylint: disable=import-error,import-outside-toplevel
    from trex.stl.api import STLProfile  # pylint: disable=import-error,import-outside-toplevel

    clear = STLProfile.load_py(os.path.join(profiles, "stl_clear.py"), size=256, flows=64)
    head = bytes.fromhex(mac.replace(":", ""))  # a TRex server writes its port's addresses over those of a profile
    with open(out, "wb") as capture:
        capture.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for stream in clear.get_streams():
            for packet in flows(stream.to_json()):
                capture.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + head + packet[6:])
    http = json.loads(ASTFProfile.load_py(os.path.join(profiles, "astf_http.py"), size=1000).to_json_str())
    print(json.dumps({"addresses": [(row["ip_start"], row["ip_end"]) for row in http["ip_gen_dist_list"]],
                      "mss": http["c_glob_info"]["tcp"]["mss"],
                      "ports": [row["client_template"]["port"] for row in http["templates"]]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
