# SPDX-License-Identifier: BSD-3-Clause
"""A peer that holds the keys and keeps no rule: ESP packets made by hand with scapy, for `keying: manual`."""

import hashlib
import os
import socket
import threading

from scapy.layers.inet import IP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation, _ESPPlain
from scapy.layers.l2 import Ether

from . import capture

IPV4_IN_ESP, NO_NEXT_HEADER = 4, 59


def _keys(spi, aead):
    """Every SA has keys of its own: (encryption, authentication)."""
    material = hashlib.sha512(f"SA {spi}".encode()).digest()
    return (material[:20], b"") if aead else (material[:16], material[16:36])


class EspPeer:
    """One manual tunnel seen from the peer, which has keys like both ends but chooses what it sends.

    Sequence numbers are given by the caller. aead: aes128gcm16, else aes128 with sha1.
    """

    def __init__(self, local, remote, spi_in, spi_out, aead=True):
        """local, remote: outer addresses as the peer sees them; spi_in: of packets to the peer."""
        self.local, self.remote, self.aead = local, remote, aead
        self.spi_in, self.spi_out = spi_in, spi_out
        self.to_router = self._association(spi_out, local, remote)
        self.from_router = self._association(spi_in, remote, local)

    def _association(self, spi, src, dst):
        key, auth_key = _keys(spi, self.aead)
        algorithms = {"crypt_algo": "AES-GCM", "crypt_key": key} if self.aead else {
            "crypt_algo": "AES-CBC", "crypt_key": key, "auth_algo": "HMAC-SHA1-96", "auth_key": auth_key}
        return SecurityAssociation(ESP, spi=spi, tunnel_header=IP(src=src, dst=dst), **algorithms)

    def config(self):
        """Keys and algorithms of this tunnel for the startup file of transitd."""
        def sa(spi):
            key, auth_key = _keys(spi, self.aead)
            return {"spi": spi, "encryption-key": "0x" + key.hex(),
                    **({"authentication-key": "0x" + auth_key.hex()} if auth_key else {})}
        return {"ipsec": {"encryption": "aes128gcm16"} if self.aead else
                {"encryption": "aes128", "authentication": "sha1"},
                "manual": {"in": sa(self.spi_out), "out": sa(self.spi_in)}}

    def seal(self, inner, seq, next_header=IPV4_IN_ESP):
        """The outer IP packet, as bytes, of anything: a packet of scapy or bytes that only claim to be one."""
        sa = self.to_router
        plain = _ESPPlain(spi=sa.spi, seq=seq, data=bytes(inner), nh=next_header,
                          iv=os.urandom(8 if self.aead else 16))
        sealed = sa.crypt_algo.encrypt(sa, sa.crypt_algo.pad(plain), sa.crypt_key, sa.crypt_icv_size)
        sa.auth_algo.sign(sealed, sa.auth_key)
        return bytes(IP(src=self.local, dst=self.remote, proto=socket.IPPROTO_ESP) / sealed)

    def open(self, packet):
        """The inner packet; raises when the ICV is wrong."""
        return self.from_router.decrypt(packet[IP])


class Outside:
    """The wire between transitd and the peer: the peer's MAC and address, a capture, and an injector."""

    def __init__(self, ns, ifname, router_mac):
        self.ns, self.ifname = ns, ifname
        self.ether = Ether(src=ns.mac(ifname), dst=router_mac)
        self.injector = capture.Injector(ns, ifname)

    def send(self, *packets):
        for packet in packets:
            self.injector.send(bytes(self.ether)[:12] + b"\x08\x00" + bytes(packet))


def datagram(source, to, number, port=9000):
    """An inner UDP packet that says its number."""
    return IP(src=source, dst=to) / UDP(sport=port, dport=port) / number.to_bytes(8, "big") / bytes(40)


SO_RCVBUFFORCE = 33  # of <asm-generic/socket.h>; Python has no name for it


class Collector:
    """A UDP socket of a host that keeps the numbers of what arrived, in order."""

    def __init__(self, host, port=9000):
        with host.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.socket.bind((host.address, port))
        self.socket.settimeout(0.2)
        self.numbers, self.stopping = [], False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping:
            try:
                self.numbers.append(int.from_bytes(self.socket.recv(2048)[:8], "big"))
            except TimeoutError:
                pass

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()
