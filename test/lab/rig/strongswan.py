# SPDX-License-Identifier: BSD-3-Clause
"""strongSwan as a peer: one charon in a namespace, driven with swanctl over a vici socket of its own.

The kernel's IPsec is not used (a test machine may have none): kernel-libipsec carries the traffic through
the TUN device ipsec0. It knows UDP-encapsulated ESP only, so charon acts as if there were a NAT (NAT-T,
port 4500). Its one TUN device sends by the first policy that fits, so a charon *sends* through one tunnel
only when several have the same selectors; it receives from all. A data center with two tunnels in use is
therefore two gateways, as it is with two customer gateways in the field (see topology.py).
"""

import ctypes
import os
import re
import socket

from . import process, wait

_SYS_PIDFD_GETFD = 438
_SO_RCVBUFFORCE = 33
_BUFFER_BYTES = 8 << 20

_PLUGINS = ("random nonce aes des md5 sha1 sha2 hmac kdf gmp openssl gcm ccm chapoly pem pkcs1 x509 pubkey vici "
            "kernel-libipsec kernel-netlink socket-default updown curve25519")

_STRONGSWAN_CONF = """\
charon {{
  load = {plugins}
  routing_table_prio = 40000
  retransmit_timeout = {retransmit_timeout}
  retransmit_base = {retransmit_base}
  retransmit_tries = {retransmit_tries}
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  plugins {{
    kernel-libipsec {{
      allow_peer_ts = yes
    }}
  }}
  filelog {{
    log {{
      path = {log}
      time_format = %T
      time_add_ms = yes
      flush_line = yes
      default = 1
      ike = 2
      cfg = 2
    }}
  }}
{extra}
}}
"""


class Tunnel:
    """One connection with one Child SA of the same name, in swanctl's terms.

    `ike`, `child`: further settings of swanctl.conf, names as there. `local_id`, `remote_id` default to the
    addresses.
    """

    def __init__(self, name, local, remote, psk, local_id=None, remote_id=None, version=2,
                 proposals="aes256-sha256-modp2048", esp="aes128gcm16-modp2048",
                 local_ts="0.0.0.0/0", remote_ts="0.0.0.0/0", start="none", updown=None, ike=None, child=None):
        self.name, self.local, self.remote, self.psk = name, local, remote, psk
        self.local_id, self.remote_id = local_id or local, remote_id or remote
        self.ike = {"version": version, "proposals": proposals, "mobike": "no", "keyingtries": 0,
                    **(ike or {})}
        self.child = {"esp_proposals": esp, "local_ts": local_ts, "remote_ts": remote_ts,
                      "start_action": start, **(child or {})}
        if updown:
            self.child["updown"] = updown

    def connection(self):
        def lines(settings, indent):
            return "".join(f"{indent}{key} = {value}\n" for key, value in settings.items())
        return (f"  {self.name} {{\n    local_addrs = {self.local}\n    remote_addrs = {self.remote}\n"
                + lines(self.ike, "    ")
                + f"    local {{\n      auth = psk\n      id = {self.local_id}\n    }}\n"
                f"    remote {{\n      auth = psk\n      id = {self.remote_id}\n    }}\n"
                f"    children {{\n      {self.name} {{\n" + lines(self.child, "        ")
                + "      }\n    }\n  }\n")

    def secret(self):
        return (f"  ike-{self.name} {{\n    id-local = {self.local_id}\n    id-remote = {self.remote_id}\n"
                f"    secret = \"{self.psk}\"\n  }}\n")


class Charon:
    """One charon. `tunnels` is a list of Tunnel; change it and load() again at any time."""

    def __init__(self, ns, name, tunnels, retransmit=(1.0, 1.4, 4), extra=""):
        self.ns, self.name, self.tunnels = ns, name, list(tunnels)
        self.retransmit, self.extra = retransmit, extra
        self.run_dir = f"/run/private/{name}"
        self.vici = f"{self.run_dir}/charon.vici"
        self.log = process.log_path(f"{name}.charon.log")
        self.process = None

    def start(self):
        conf = process.log_path(f"{self.name}.strongswan.conf")
        timeout, base, tries = self.retransmit
        with open(conf, "w") as out:
            out.write(_STRONGSWAN_CONF.format(
                plugins=_PLUGINS, log=self.log, extra=self.extra,
                retransmit_timeout=timeout, retransmit_base=base, retransmit_tries=tries))
        # charon insists on /run/charon.pid, so each sees a folder of its own as /run.
        self.process = self.ns.spawn(
            self.name, "unshare", "--mount", "sh", "-c",
            f"mkdir -p {self.run_dir} && mount --bind {self.run_dir} /run && exec /usr/lib/ipsec/charon",
            env={"STRONGSWAN_CONF": conf})
        wait.until(self._listening, 10, f"vici socket of {self.name}")
        self._deepen_queues()
        self.load()
        return self

    def _deepen_queues(self):
        """A charon that waits for the processor must not lose packets: its sockets hold a few hundred by default."""
        self.ns.ip("link set dev ipsec0 txqueuelen 10000")
        pidfd = os.pidfd_open(self.process.pid)
        for fd in os.listdir(f"/proc/{self.process.pid}/fd"):
            ours = ctypes.CDLL(None).syscall(_SYS_PIDFD_GETFD, pidfd, int(fd), 0)
            if ours < 0:
                continue
            if os.readlink(f"/proc/self/fd/{ours}").startswith("socket:"):
                with socket.socket(fileno=os.dup(ours)) as same:
                    if same.family == socket.AF_INET and same.type == socket.SOCK_DGRAM:
                        same.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
            os.close(ours)
        os.close(pidfd)

    def _listening(self):
        if not self.process.alive():
            raise RuntimeError(f"{self.name} ended early: {self.process.tail()}")
        return os.path.exists(self.vici) and self.swanctl("--version", check=False).returncode == 0

    def swanctl(self, *argv, check=True, timeout=30):
        return process.run(["swanctl", *argv, "--uri", f"unix://{self.vici}"], check=check,
                           timeout=timeout)

    def load(self):
        conf = process.log_path(f"{self.name}.swanctl.conf")
        with open(conf, "w") as out:
            out.write("connections {\n" + "".join(t.connection() for t in self.tunnels) + "}\n")
            out.write("secrets {\n" + "".join(t.secret() for t in self.tunnels) + "}\n")
        self.swanctl("--load-all", "--noprompt", "--file", conf)

    def initiate(self, child, timeout=20, check=True):
        """Brings a Child SA up and waits for it."""
        return self.swanctl("--initiate", "--child", child, "--timeout", timeout, check=check,
                            timeout=timeout + 10)

    def terminate(self, ike, check=True):
        return self.swanctl("--terminate", "--ike", ike, check=check)

    def rekey(self, child=None, ike=None):
        """Starts a rekey of a Child SA or an IKE SA; returns when it is under way. Of several of that name, as IKEv1 leaves
        them for a while, the newest one: by name it would be all of them at once, and each time twice as many. While the
        other end rekeys, the old one may be on its way out and the new one not listed yet: waits for one that can be."""
        newest = wait.until(lambda: self._newest(child, ike), 10, f"{self.name} has a {child or ike} to rekey", step=0.05)
        self.swanctl("--rekey", "--child-id" if child else "--ike-id", newest)

    def _newest(self, child, ike):
        """ID of the newest Child SA, or IKE SA, of that name that is in use; None if there is none."""
        those = self.children(child) if child else [
            sa for sa in self.sas() if sa["name"] == ike and sa["state"] == "ESTABLISHED"]
        return max((int(sa["uniqueid"]) for sa in those), default=None)

    def sas(self):
        """List of IKE SAs as dictionaries, each with `name` and the list `children`."""
        return parse_sas(self.swanctl("--list-sas", "--raw"))

    def children(self, name=None, state="INSTALLED"):
        """Child SAs in a state, of one name or of all."""
        return [c for sa in self.sas() for c in sa["children"]
                if c["state"] == state and name in (None, c["name"])]

    def wait_up(self, name, timeout=20):
        wait.until(lambda: self.children(name), timeout, f"Child SA {name} of {self.name} is installed")

    def logged(self, text):
        if not os.path.exists(self.log):
            return 0
        with open(self.log, errors="replace") as log:
            return log.read().count(text)

    def stop(self):
        """Orderly end: peers get a Delete."""
        if self.process:
            self.process.stop()

    def kill(self):
        """As by a power cut: nobody is told."""
        if self.process:
            self.process.kill()

    def freeze(self, number):
        """SIGSTOP or SIGCONT: a peer that is silent, but whose machine answers ARP and ping."""
        self.process.send_signal(number)


def parse_sas(out):
    """What `swanctl --list-sas --raw` prints, as Charon.sas() returns it."""
    sas = []
    for name, body in re.findall(r"^list-sa event \{(\S+) \{(.*)\}\}$", out, re.M):
        tree = _parse_raw(body)
        children = [dict(c, name=c.get("name", key)) for key, c in tree.pop("child-sas", {}).items()]
        sas.append(dict(tree, name=name, children=children))
    return sas


def _parse_raw(text):
    """The braces of `swanctl --raw` as nested dictionaries; lists in brackets become lists."""
    tokens = re.findall(r"[{}]|\[[^\]]*\]|[^\s{}=\[\]]+=?|=", text)
    root, stack = {}, []
    here, i = root, 0
    while i < len(tokens):
        token = tokens[i]
        if token == "}":
            here = stack.pop()
        elif i + 1 < len(tokens) and tokens[i + 1] == "{":
            stack.append(here)
            here[token] = here = {}
            i += 1
        elif token.endswith("="):
            value = tokens[i + 1] if i + 1 < len(tokens) else ""
            if value.endswith("=") or value in ("}", ""):
                here[token[:-1]] = ""
            else:
                here[token[:-1]] = value[1:-1].split() if value.startswith("[") else value
                i += 1
        i += 1
    return root
