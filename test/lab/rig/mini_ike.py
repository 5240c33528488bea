# SPDX-License-Identifier: BSD-3-Clause
"""An IKEv2 peer of a few lines that holds the right key and says what it is told to say (RFC 7296).

One suite: AES-CBC-256, HMAC-SHA2-256-128, PRF-HMAC-SHA2-256, X25519; ESP: AES-GCM-128. It begins by itself, keeps
its keys in the open and repeats nothing: what is sent, and in which order, is the business of the test.
"""

import hashlib
import hmac
import os
import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SA, KE, IDI, IDR, AUTH, NONCE, NOTIFY, DELETE, TSI, TSR, SK, SKF = 33, 34, 35, 36, 39, 40, 41, 42, 44, 45, 46, 53
SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL = 34, 35, 36, 37
RESPONSE, INITIATOR = 0x20, 0x08
INVALID_SYNTAX, NO_PROPOSAL_CHOSEN, AUTHENTICATION_FAILED, TS_UNACCEPTABLE = 7, 14, 24, 38
UNSUPPORTED_CRITICAL_PAYLOAD, NO_ADDITIONAL_SAS, TEMPORARY_FAILURE, CHILD_SA_NOT_FOUND = 1, 35, 43, 44
INITIAL_CONTACT, COOKIE, REKEY_SA, FRAGMENTATION = 16384, 16390, 16393, 16430
ICV = 16

IKE_PROPOSAL = bytes.fromhex("0000002c 01010004"
                             "0300000c 0100000c 800e0100"  # AES-CBC-256
                             "03000008 02000005"           # PRF-HMAC-SHA2-256
                             "03000008 0300000c"           # HMAC-SHA2-256-128
                             "00000008 0400001f")          # X25519


def esp_proposal(spi):
    return (bytes.fromhex("00000020 01030402") + spi +
            bytes.fromhex("0300000c 01000014 800e0080 00000008 05000000"))  # AES-GCM-16-128, no ESN


def prf(key, *data):
    return hmac.new(key, b"".join(data), hashlib.sha256).digest()


def prf_plus(key, seed, length):
    out = last = b""
    n = 1
    while len(out) < length:
        last = prf(key, last, seed, bytes([n]))
        out, n = out + last, n + 1
    return out[:length]


def chain(payloads):
    """(type of the first, bytes) of a list of (type, body); type may be (type, critical)."""
    out = b""
    kinds = [p[0] if isinstance(p[0], tuple) else (p[0], False) for p in payloads]
    for i, ((_, critical), (_, body)) in enumerate(zip(kinds, payloads)):
        following = kinds[i + 1][0] if i + 1 < len(kinds) else 0
        out += struct.pack("!BBH", following, 0x80 if critical else 0, 4 + len(body)) + body
    return (kinds[0][0] if kinds else 0), out


def unchain(first, data):
    payloads = []
    while first:
        following, _, length = struct.unpack("!BBH", data[:4])
        payloads.append((first, data[4:length]))
        first, data = following, data[length:]
    return payloads


def notify(kind, data=b"", protocol=0, spi=b""):
    return NOTIFY, struct.pack("!BBH", protocol, len(spi), kind) + spi + data


def delete(protocol, *spis):
    return DELETE, struct.pack("!BBH", protocol, 4 if protocol in (2, 3) else 0, len(spis)) + b"".join(spis)


def selector(first="0.0.0.0", last="255.255.255.255", ports=(0, 65535), protocol=0, kind=7, length=16):
    return struct.pack("!BBHHH", kind, protocol, length, *ports) + socket.inet_aton(first) + socket.inet_aton(last)


def selectors(*each, count=None):
    return bytes([len(each) if count is None else count, 0, 0, 0]) + b"".join(each)


def notifies(payloads):
    """The notify types among payloads."""
    return [struct.unpack("!H", body[2:4])[0] for kind, body in payloads if kind == NOTIFY]


class Peer:
    """One IKE SA from `local` to `remote`, as initiator, on port 500 without NAT traversal."""

    def __init__(self, ns, local, remote, psk, identity=None, timeout=2.0):
        with ns.entered():
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((local, 500))
        self.timeout = timeout
        self.remote, self.psk = (remote, 500), psk.encode()
        self.id = identity or b"\x01\0\0\0" + socket.inet_aton(local)
        self.restart()

    def restart(self):
        self.spi_i, self.spi_r = os.urandom(8), bytes(8)
        self.nonce_i = os.urandom(32)
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.next_id = 0
        self.spi = os.urandom(3).rjust(4, b"\x40")  # of the next Child SA
        self.drain()

    def close(self):
        self.socket.close()

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(65535)
        except BlockingIOError:
            pass

    def header(self, first, exchange, flags, message_id, length):
        return self.spi_i + self.spi_r + struct.pack("!BBBBII", first, 0x20, exchange, flags, message_id, length)

    def plain(self, exchange, payloads, flags=INITIATOR, message_id=0):
        first, body = chain(payloads)
        return self.header(first, exchange, flags, message_id, 28 + len(body)) + body

    def send(self, message):
        self.socket.sendto(message, self.remote)

    def receive(self):
        """The next response for this IKE SA; None when none comes. What the router asks by itself is not answered."""
        end = time.monotonic() + self.timeout
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                message = self.socket.recv(65535)
            except TimeoutError:
                return None
            if message[:8] == self.spi_i and message[19] & RESPONSE:
                return message

    # ---- IKE_SA_INIT ----

    def init_payloads(self):
        return [(SA, IKE_PROPOSAL), (KE, struct.pack("!HH", 31, 0) + self.public), (NONCE, self.nonce_i),
                notify(FRAGMENTATION)]

    def init(self, payloads=None):
        """Exchanges IKE_SA_INIT, with a cookie where one is asked for, and derives the keys; the payloads of the answer."""
        payloads = payloads or self.init_payloads()
        for _ in range(2):
            self.message_i = self.plain(SA_INIT, payloads)
            self.send(self.message_i)
            self.message_r = self.receive()
            assert self.message_r, "IKE_SA_INIT is answered"
            answer = unchain(self.message_r[16], self.message_r[28:])
            if COOKIE not in notifies(answer):
                break
            payloads = [answer[0], *payloads]
        kinds = dict(answer)
        if KE in kinds:
            self.spi_r = self.message_r[8:16]
            self._derive(kinds[KE][4:], kinds[NONCE])
        self.next_id = 1
        return answer

    def _derive(self, public, nonce_r):
        secret = self.private.exchange(X25519PublicKey.from_public_bytes(public))
        self.nonce_r = nonce_r
        seed = prf(self.nonce_i + nonce_r, secret)
        keys = prf_plus(seed, self.nonce_i + nonce_r + self.spi_i + self.spi_r, 7 * 32)
        self.sk_d, self.sk_ai, self.sk_ar, self.sk_ei, self.sk_er, self.sk_pi, self.sk_pr = (
            keys[i:i + 32] for i in range(0, 7 * 32, 32))

    # ---- protected messages ----

    def seal(self, exchange, payloads, flags=INITIATOR, message_id=None, fragment=None):
        """A protected request. `payloads`: a list, or (first, raw bytes); fragment: (number, total)."""
        first, text = payloads if isinstance(payloads, tuple) else chain(payloads)
        if fragment and fragment[0] > 1:
            first = 0
        iv = os.urandom(16)
        pad = -(len(text) + 1) % 16
        text += bytes(pad) + bytes([pad])
        encryptor = Cipher(algorithms.AES(self.sk_ei), modes.CBC(iv)).encryptor()
        extra = struct.pack("!HH", *fragment) if fragment else b""
        body = extra + iv + encryptor.update(text) + encryptor.finalize()
        message = self.header(SKF if fragment else SK, exchange, flags,
                              self.next_id if message_id is None else message_id, 28 + 4 + len(body) + ICV)
        message += struct.pack("!BBH", first, 0, 4 + len(body) + ICV) + body
        return message + prf(self.sk_ai, message)[:ICV]

    def open(self, message):
        """The payloads inside of a message of the other side."""
        assert prf(self.sk_ar, message[:-ICV])[:ICV] == message[-ICV:], "the answer is authentic"
        iv, text = message[32:48], message[48:-ICV]
        decryptor = Cipher(algorithms.AES(self.sk_er), modes.CBC(iv)).decryptor()
        text = decryptor.update(text) + decryptor.finalize()
        return unchain(message[28], text[:-1 - text[-1]])

    def request(self, exchange, payloads):
        """Sends a protected request and returns the payloads of its answer; None when there is none."""
        self.send(self.seal(exchange, payloads))
        wanted = self.next_id
        self.next_id += 1
        while True:
            message = self.receive()
            if message is None:
                return None
            if message[19] & RESPONSE and struct.unpack("!I", message[20:24])[0] == wanted:
                return self.open(message)

    # ---- IKE_AUTH ----

    def proof(self, identity=None):
        key = prf(self.psk, b"Key Pad for IKEv2")
        return b"\x02\0\0\0" + prf(key, self.message_i, self.nonce_r, prf(self.sk_pi, identity or self.id))

    def child_payloads(self, tsi=None, tsr=None):
        return [(SA, esp_proposal(self.spi)), (TSI, tsi or selectors(selector())), (TSR, tsr or selectors(selector()))]

    def auth(self, more=None, identity=None):
        return self.request(IKE_AUTH, [(IDI, identity or self.id), (AUTH, self.proof(identity)),
                                       *(self.child_payloads() if more is None else more)])

    def up(self):
        """IKE_SA_INIT and IKE_AUTH as they should be; the payloads of the second answer."""
        self.restart()
        self.init()
        answer = self.auth([notify(INITIAL_CONTACT), *self.child_payloads()])
        assert answer and dict(answer).get(AUTH), f"authenticated, but {answer}"
        return answer

    def create_child(self, payloads=None, nonce=None):
        return self.request(CREATE_CHILD_SA, payloads or [
            (SA, esp_proposal(self.spi)), (NONCE, nonce or os.urandom(32)), (TSI, selectors(selector())),
            (TSR, selectors(selector()))])
