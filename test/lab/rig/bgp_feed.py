# SPDX-License-Identifier: BSD-3-Clause
"""Large tables: the generator tools/bgp_feed.c, and receivers that are asked over an open socket.

A receiver is asked every few milliseconds how far it is; a process for each question would take a good part of the
machine from what is measured.
"""

import json
import re
import socket
import subprocess
import threading
import time

from . import tools, wait


def prefix(i):
    """The network of that number in the table of a generator's first peer: put_prefix() of tools/bgp_feed.c."""
    at = i * 2654435761 % (1 << 23)
    first = 11 + (at >> 16)
    return f"{139 if first == 127 else first}.{at >> 8 & 255}.{at & 255}"  # /24


class Feed:
    """`peers` speakers in namespace `ns`: peer i at local + i * step speaks to remote + i * step."""

    def __init__(self, ns, local, remote, asn, **options):
        self.lines, self.changed = [], threading.Condition()
        self.process = ns.spawn(f"feed-{ns.name}", tools.tool("bgp_feed"), local, remote, asn,
                                *(f"{k}={v}" for k, v in options.items()),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.popen.stdout:
            with self.changed:
                self.lines.append(line.split())
                self.changed.notify_all()

    def say(self, *words):
        self.process.popen.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.popen.stdin.flush()

    def wait(self, word, timeout=60, since=0):
        """The words behind the first line since then that begins with `word`."""
        with self.changed:
            found = self.changed.wait_for(lambda: next((i for i in self.lines[since:] if i[0] == word), None), timeout)
            if not found:
                raise wait.Timeout(f"the generator does not say '{word}' within {timeout} s, but {self.lines[-5:]}")
            return found[1:]

    def lost(self):
        return [line for line in self.lines if line[0] == "lost"]

    def send(self):
        """Announces all tables. (seconds of the clock before the first octet, octets)"""
        mark = len(self.lines)
        self.say("send")
        first, _, octets = self.wait("sent", since=mark)
        return float(first), int(octets)

    def stop(self):
        self.say("quit")
        self.process.popen.wait(10)


class Asker:
    """A stream socket that answers each question in one piece."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)

    def exchange(self, question, ended):
        self.socket.sendall(question)
        answer = b""
        while not ended(answer):
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("the socket was closed")
            answer += more
        return answer.decode()


class AskTransitd(Asker):
    """(routes accepted from peers, routes in the FIB of a table)."""

    def __init__(self, path, table="default"):
        super().__init__(path)
        self.table = table

    def request(self, request):
        answer = json.loads(self.exchange(json.dumps(request).encode() + b"\n", lambda got: got.endswith(b"\n")))
        assert answer["ok"], answer
        return answer["result"]

    def ask(self, *words):
        return self.request({"command": list(words)})

    def learned(self):
        return sum(row["accepted-prefixes"] for row in self.ask("show", "bgp"))

    def in_fib(self):
        return next(row["routes"] for row in self.ask("show", "tables") if row["name"] == self.table)

    def stall_ms(self):
        return self.ask("show", "system")["longest-control-stall-ms"]


class AskBird(Asker):
    def __init__(self, path):
        super().__init__(path)
        self.exchange(b"", lambda got: got.endswith(b"\n"))

    def learned(self):
        text = self.exchange(b"show route count\n", lambda got: re.search(rb"(?m)^0014 .*\n", got))
        return int(re.search(r"(\d+) of \d+ routes", text).group(1))


def time_until(count, target, since, timeout=60):
    """Seconds from `since` until count() is at least `target`, to some 5 ms."""
    end = time.monotonic() + timeout
    while (got := count()) < target:
        if time.monotonic() > end:
            raise wait.Timeout(f"{got} of {target} routes after {timeout} s")
        time.sleep(0.005)
    return time.monotonic() - since


def memory_kib(pid):
    """Resident, without what it shares with files: (now, most so far)."""
    found = {}
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            key, _, value = line.partition(":")
            if key in ("RssAnon", "VmRSS", "VmHWM", "RssShmem"):
                found[key] = int(value.split()[0])
    return found
