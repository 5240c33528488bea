# SPDX-License-Identifier: BSD-3-Clause
"""A BGP speaker with no manners: a TCP connection to the router on which a test sends what bytes it likes.

It always connects itself. Messages of the router are read by a thread, which also sends KEEPALIVEs, so that a test
is free to wait; `deaf()` makes it read no more.
"""

import select
import socket
import struct
import threading
import time

from . import wait

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, REFRESH = range(1, 6)
MARKER = b"\xff" * 16
WELL_KNOWN, OPTIONAL, TRANSITIVE, PARTIAL, EXTENDED = 0x40, 0x80, 0xC0, 0x20, 0x10
ORIGIN, AS_PATH, NEXT_HOP, MED, COMMUNITY = 1, 2, 3, 4, 8
SEND_MAX_S = 30  # until the router has read it


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def attr(flags, code, value):
    size = struct.pack("!H" if flags & EXTENDED else "!B", len(value))
    return bytes([flags, code]) + size + value


def nlri(*prefixes):
    out = b""
    for prefix in prefixes:
        address, length = prefix.split("/")
        out += bytes([int(length)]) + socket.inet_aton(address)[:(int(length) + 7) // 8]
    return out


def as_path(*numbers, kind=2):
    return bytes([kind, len(numbers)]) + b"".join(struct.pack("!I", n) for n in numbers) if numbers else b""


def body(attributes=b"", routes=b"", withdrawn=b""):
    return struct.pack("!H", len(withdrawn)) + withdrawn + struct.pack("!H", len(attributes)) + attributes + routes


def capability(code, value=b""):
    return bytes([code, len(value)]) + value


class Raw:
    """`local`, `remote`: addresses of the session; `hold`: the hold time offered."""

    def __init__(self, ns, local, remote, asn, hold=90):
        self.ns, self.local, self.remote, self.asn, self.hold = ns, local, remote, asn, hold
        self.socket, self.reader, self.lock = None, None, threading.Lock()

    # ---- the connection ----

    def connect(self, buffer_bytes=0):
        """A fresh connection, nothing said yet. `buffer_bytes`: how little it takes before it is read."""
        self.close()
        self.messages, self.ended, self.reading = [], None, True
        with self.ns.entered():
            self.socket = socket.socket()
        if buffer_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.bind((self.local, 0))
        self.socket.settimeout(5)
        self.socket.connect((self.remote, 179))
        self.socket.settimeout(SEND_MAX_S)
        self.reader = threading.Thread(target=self._read, args=(self.socket,), daemon=True)
        self.reader.start()
        return self

    def close(self):
        if self.socket:
            self.reading = False
            self.reader.join()
            self.socket.close()
            self.socket = None

    def reset(self):
        """Ends with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def _read(self, sock):
        """Until the end: messages by kind; `ended` is then the NOTIFICATION's body, or b"" without one."""
        got, beat = b"", time.monotonic()
        while self.reading:
            if time.monotonic() - beat > min(5, self.hold / 4) and self.has(OPEN):
                beat = time.monotonic()
                self._try(message(KEEPALIVE))
            if self.reading == "deaf":
                time.sleep(0.1)
                continue
            if not select.select([sock], [], [], 0.2)[0]:
                continue
            try:
                more = sock.recv(65536)
            except OSError:
                more = b""
            if not more:
                self.ended = next((b for k, b in self.messages if k == NOTIFICATION), b"")
                return
            got = self._split(got + more)

    def _split(self, got):
        while len(got) >= 19:
            size = struct.unpack("!H", got[16:18])[0]
            if len(got) < size:
                break
            self.messages.append((got[18], got[19:size]))
            got = got[size:]
        return got

    def _try(self, octets):
        try:
            self.send(octets)
        except OSError:
            pass  # the reader sees the end

    def send(self, octets):
        with self.lock:
            self.socket.sendall(octets)

    def deaf(self):
        self.reading = "deaf"

    # ---- the session ----

    def open_body(self, version=4, asn=None, hold=None, identifier=None, parameters=None):
        if parameters is None:
            four = capability(65, struct.pack("!I", self.asn)) + capability(2) + capability(1, b"\0\1\0\1")
            parameters = bytes([2, len(four)]) + four
        return (struct.pack("!BHH", version, self.asn if asn is None else asn, self.hold if hold is None else hold)
                + socket.inet_aton(identifier or self.local) + bytes([len(parameters)]) + parameters)

    def establish(self, buffer_bytes=0, timeout=30):
        """Connects as often as it takes (the router may be closing the last session), until KEEPALIVEs went both ways."""
        def try_once():
            try:
                self.connect(buffer_bytes)
                self.send(message(OPEN, self.open_body()))
            except OSError:
                return False
            end = time.monotonic() + 5
            while not self.has(KEEPALIVE) and self.ended is None and time.monotonic() < end:
                time.sleep(0.01)
            return self.ended is None and self.has(KEEPALIVE)
        wait.until(try_once, timeout, f"{self.local} gets its OPEN answered", step=0.1)
        self.send(message(KEEPALIVE))
        return self

    def has(self, kind):
        return any(k == kind for k, _ in self.messages)

    def updates(self):
        return [b for k, b in self.messages if k == UPDATE]

    def good(self, path=None, hop=None, more=b""):
        """The attributes of a sound UPDATE, `more` behind them."""
        return (attr(WELL_KNOWN, ORIGIN, b"\0") + attr(WELL_KNOWN, AS_PATH, as_path(*(path or [self.asn])))
                + attr(WELL_KNOWN, NEXT_HOP, socket.inet_aton(hop or self.local)) + more)

    def announce(self, *prefixes, **how):
        self.send(message(UPDATE, body(self.good(**how), nlri(*prefixes))))

    def withdraw(self, *prefixes):
        self.send(message(UPDATE, body(withdrawn=nlri(*prefixes))))

    def wait_end(self, timeout=10):
        """(code, subcode) of the NOTIFICATION with which the router ended the session; (0, 0): without one."""
        wait.until(lambda: self.ended is not None, timeout, f"the session of {self.local} ends")
        return (self.ended[0], self.ended[1]) if len(self.ended) >= 2 else (0, 0)
