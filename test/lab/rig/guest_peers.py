# SPDX-License-Identifier: BSD-3-Clause
"""IKE daemons inside a guest: strongSwan, libreswan and OpenIKED with the kernel's IPsec, driven alike.

Each is one tunnel between two subnets. Names of algorithms are those of transitd's startup file; each
daemon translates them into its own words.
"""

import re

from . import strongswan, wait

_CURVES = {"group1": "modp768", "group2": "modp1024", "group5": "modp1536", "group14": "modp2048",
           "group15": "modp3072", "group16": "modp4096", "group19": "ecp256", "group20": "ecp384",
           "group21": "ecp521", "group31": "curve25519"}


class Suite:
    """Algorithms of both phases: encryption, authentication, group. `pfs`: None is without."""

    def __init__(self, ike=("aes256", "sha256", "group14"), esp=("aes128gcm16", None), pfs="group14"):
        self.ike, self.esp, self.pfs = ike, esp, pfs

    def config(self, version="ikev2", **ike):
        """For transitd: the sections `ike` and `ipsec` of a tunnel."""
        encryption, authentication, group = self.ike
        return {"ike": {"version": version, "encryption": encryption, "authentication": authentication,
                        "dh-group": group, **ike},
                "ipsec": {"encryption": self.esp[0], "dh-group": self.pfs or "disabled",
                          **({"authentication": self.esp[1]} if self.esp[1] else {})}}

    def __str__(self):
        return "-".join(str(word) for word in (*self.ike, *self.esp, self.pfs) if word)


class Peer:
    """What all have in common. `gateway` is a guest_site.GuestCenter, `remote` transitd's outer address."""

    name = None


    def __init__(self, site, remote, remote_cidr, psk, suite, version="ikev2", aggressive=False):
        self.site, self.guest = site, site.guest
        self.remote, self.remote_cidr, self.psk = remote, remote_cidr, psk
        self.suite, self.version, self.aggressive = suite, version, aggressive
        self.pid = None

    def prepare(self):
        """Writes its files; once for each start."""
        raise NotImplementedError

    def launch(self):
        """Starts the daemon and returns its process number."""
        raise NotImplementedError

    def loaded(self):
        """Whether it answers and has its connection; called until it is true."""
        raise NotImplementedError

    rekey_child = rekey_ike = None  # where a daemon cannot be told to
    def start(self):
        self.guest.forget(f"{self.name}.log")
        self.prepare()
        self.pid = self.launch()
        wait.until(self._is_loaded, 60, f"{self.name} answers", step=0.2)
        return self

    def _is_loaded(self):
        if not self.alive():
            raise RuntimeError(f"{self.name} ended early: {self.guest.read(self.name + '.log')[-2000:]}")
        return self.loaded()

    def alive(self):
        return self.guest.sh(f"kill -0 {self.pid}", check=False)[0] == 0

    def signal(self, word):
        self.guest.sh(f"kill -{word} {self.pid}")

    def _gone(self):
        wait.until(lambda: not self.alive(), 20, f"{self.name} ends", step=0.2)
        self.guest.sh("ip xfrm state flush; ip xfrm policy flush")
        self.pid = None

    def stop(self):
        """Orderly: the peer is told."""
        if self.pid:
            self.signal("TERM")
            self._gone()

    def kill(self):
        """As by a power cut: nobody is told, and the kernel forgets."""
        if self.pid:
            self.signal("KILL")
            self._gone()


class StrongSwan(Peer):
    name = "strongswan"
    _conf = """charon {
  load = random nonce aes des md5 sha1 sha2 hmac kdf gmp openssl gcm ccm chapoly pem pkcs1 x509 pubkey vici \
kernel-netlink socket-default updown curve25519
  retransmit_timeout = 1
  retransmit_base = 1
  retransmit_tries = 4
  install_routes = no
  i_dont_care_about_security_and_use_aggressive_mode_psk = yes
  filelog {
    log {
      path = %s/strongswan.charon
      flush_line = yes
      ike = 2
    }
  }
}
"""

    def _words(self):
        encryption, authentication, group = self.suite.ike
        prf = f"-prf{authentication}" if "gcm" in encryption or "poly" in encryption else f"-{authentication}"
        esp = "-".join(word for word in (*self.suite.esp, _CURVES.get(self.suite.pfs)) if word)
        return f"{encryption}{prf}-{_CURVES[group]}", esp

    def prepare(self):
        proposals, esp = self._words()
        tunnel = strongswan.Tunnel(
            "t", self.site.address, self.remote, self.psk, version=1 if self.version == "ikev1" else 2,
            proposals=proposals, esp=esp, local_ts=self.site.prefix, remote_ts=self.remote_cidr,
            ike={"dpd_delay": "2s", **({"aggressive": "yes"} if self.aggressive else {})})
        self.guest.write("strongswan.conf", self._conf % self.guest.dir)
        self.conf = self.guest.write(
            "swanctl.conf", f"connections {{\n{tunnel.connection()}}}\nsecrets {{\n{tunnel.secret()}}}\n")
        self.guest.sh("rm -f /run/charon.vici /run/charon.pid")

    def launch(self):
        return self.guest.spawn(self.name, f"STRONGSWAN_CONF={self.guest.dir}/strongswan.conf "
                                "/usr/lib/ipsec/charon")

    def swanctl(self, words, **more):
        return self.guest.sh(f"STRONGSWAN_CONF={self.guest.dir}/strongswan.conf swanctl {words} "
                             "--uri unix:///run/charon.vici", **more)

    def loaded(self):
        return self.guest.sh("test -S /run/charon.vici", check=False)[0] == 0 and \
            self.swanctl(f"--load-all --noprompt --file {self.conf}", check=False)[0] == 0

    def initiate(self):
        self.swanctl("--initiate --child t --timeout 20", timeout=40)

    def rekey_child(self):
        self.swanctl("--rekey --child t")

    def rekey_ike(self):
        self.swanctl("--rekey --ike t")

    def ike_spis(self):
        """Of the peer that it has SAs with: transitd's."""
        return {sa["initiator-spi"] for sa in strongswan.parse_sas(self.swanctl("--list-sas --raw"))}


class Libreswan(Peer):
    name = "libreswan"
    _groups = {**_CURVES, "group19": "dh19", "group20": "dh20", "group21": "dh21", "group31": "dh31"}
    _hashes = {"md5": "md5", "sha1": "sha1", "sha256": "sha2_256", "sha384": "sha2_384", "sha512": "sha2_512"}
    _ciphers = {"aes128gcm16": "aes_gcm128", "aes256gcm16": "aes_gcm256",
                "chacha20poly1305": "chacha20_poly1305"}
    _whack = "/usr/libexec/ipsec/whack"

    def _words(self):
        encryption, authentication, group = self.suite.ike
        ike = f"{self._ciphers.get(encryption, encryption)}-{self._hashes[authentication]}-{self._groups[group]}"
        cipher, integrity = self.suite.esp
        esp = self._ciphers.get(cipher, cipher) + (f"-{self._hashes[integrity]}" if integrity else "-null")
        return ike, esp + (f"-{self._groups[self.suite.pfs]}" if self.suite.pfs and self.version == "ikev2" else "")

    def prepare(self):
        ike, esp = self._words()
        settings = {
            "left": self.site.address, "leftsubnet": self.site.prefix, "right": self.remote,
            "rightsubnet": self.remote_cidr, "authby": "secret", "ikev2": "yes" if self.version == "ikev2" else "no",
            "ike": ike, "esp": esp, "pfs": "yes" if self.suite.pfs else "no", "type": "tunnel", "auto": "ignore",
            "leftupdown": "%disabled", "dpddelay": "2", "dpdtimeout": "6", "dpdaction": "hold",
            "retransmit-interval": "500", "retransmit-timeout": "20", "encapsulation": "no",
            "rekey": "no" if self.version == "ikev2" else "yes",  # else its IKEv1 drops what it replaces at once
            **({"aggressive": "yes"} if self.aggressive else {})}
        conf = "config setup\n  logtime=yes\n  ikev1-policy=accept\nconn t\n" + \
            "".join(f"  {k}={v}\n" for k, v in settings.items())
        self.guest.write("ipsec.conf", conf)
        self.guest.write("ipsec.secrets", f'{self.site.address} {self.remote} : PSK "{self.psk}"\n')
        self.guest.sh(f"cp {self.guest.dir}/ipsec.conf {self.guest.dir}/ipsec.secrets /etc/ && "
                      "mkdir -p /run/pluto /etc/ipsec.d /var/lib/ipsec/nss && "
                      "{ test -f /var/lib/ipsec/nss/cert9.db || "
                      "certutil -N -d sql:/var/lib/ipsec/nss --empty-password; }", timeout=60)

    def launch(self):
        return self.guest.spawn(self.name, "/usr/libexec/ipsec/pluto --config /etc/ipsec.conf --nofork --stderrlog "
                                "--nssdir /var/lib/ipsec/nss")

    def loaded(self):
        return self.guest.sh("test -S /run/pluto/pluto.ctl", check=False)[0] == 0 and \
            self.guest.sh(f"{self._whack} --listen && "
                          "/usr/libexec/ipsec/addconn --config /etc/ipsec.conf --ctlsocket /run/pluto/pluto.ctl t",
                          check=False)[0] == 0

    def whack(self, words, check=False, timeout=40):
        """whack's exit code is the number of its last message: not zero does not mean that it failed."""
        return self.guest.sh(f"{self._whack} {words}", check=check, timeout=timeout)

    def initiate(self):
        self.whack("--name t --initiate")

    def rekey_child(self):
        if self.version == "ikev1":
            self._replace("IPsec")
        else:
            self.whack("--name t --rekey-ipsec")

    def rekey_ike(self):
        if self.version == "ikev1":
            self._replace("ISAKMP")
        else:
            self.whack("--name t --rekey-ike")

    def _replace(self, what):
        """What it cannot be told to in IKEv1: the time of its newest SA of that kind has come."""
        states = self.whack("--status")[1]
        number = re.search(rf"newest {what} SA: #(\d+)", states)
        assert number, f"no SA of {self.name} to replace: {states}"
        self.impair(f"event-sa-replace:{number[1]} --asynchronous")

    def impair(self, *what):
        """Makes it lie (see `whack --impair help`); without arguments it is honest again."""
        for word in what or ("none",):
            code, text = self.whack(f"--impair {word}")
            assert "unrecognized" not in text and "unknown" not in text, (code, text)


class OpenIked(Peer):
    """On Linux it programs the kernel through PF_KEY: no AEAD in ESP, and SHA-256 with 96 bits, so neither here."""

    name = "openiked"
    _ciphers = {"aes128": "aes-128", "aes192": "aes-192", "aes256": "aes-256", "aes128gcm16": "aes-128-gcm",
                "aes256gcm16": "aes-256-gcm", "3des": "3des", "chacha20poly1305": "chacha20-poly1305"}
    _hashes = {name: f"hmac-{name if name in ('md5', 'sha1') else 'sha2-' + name[3:]}"
               for name in ("md5", "sha1", "sha256", "sha384", "sha512")}

    def __init__(self, *args, lifetime_s=None, **more):
        super().__init__(*args, **more)
        self.lifetime_s = lifetime_s

    def prepare(self):
        encryption, authentication, group = self.suite.ike
        cipher, integrity = self.suite.esp
        lifetime = f" lifetime {self.lifetime_s}" if self.lifetime_s else ""
        ike_lifetime = f" ikelifetime {self.lifetime_s}" if self.lifetime_s else ""
        ike_auth = f" auth {self._hashes[authentication]}" if "gcm" not in encryption else ""
        esp_auth = f" auth {self._hashes[integrity]}" if integrity else ""
        pfs = f" group {_CURVES[self.suite.pfs]}" if self.suite.pfs else ""
        self.guest.write("iked.conf", (
            "set dpd_check_interval 2\n"
            f'ikev2 "t" passive esp from {self.site.prefix} to {self.remote_cidr} '
            f"local {self.site.address} peer {self.remote} "
            f"ikesa{ike_auth} enc {self._ciphers[encryption]} prf {self._hashes[authentication]} "
            f"group {_CURVES[group]} "
            f"childsa{esp_auth} enc {self._ciphers[cipher]}{pfs} "
            f"srcid {self.site.address} dstid {self.remote}{ike_lifetime}{lifetime} psk \"{self.psk}\"\n"))
        self.guest.sh(
            "grep -q _iked /etc/passwd || { echo _iked:x:101:101::/var/empty:/bin/false >>/etc/passwd; "
            "echo _iked:x:101: >>/etc/group; mkdir -p -m 755 /var/empty; }; "
            "mkdir -p /etc/iked/private /etc/iked/certs /etc/iked/ca /etc/iked/crls /etc/iked/pubkeys && "
            "{ test -f /etc/iked/private/local.key || "
            "openssl ecparam -genkey -name prime256v1 -noout -out /etc/iked/private/local.key 2>/dev/null; } && "
            "openssl ec -in /etc/iked/private/local.key -pubout -out /etc/iked/local.pub 2>/dev/null; "
            f"chmod 600 /etc/iked/private/local.key; install -m 600 {self.guest.dir}/iked.conf /etc/iked.conf", timeout=60)

    def launch(self):
        return self.guest.spawn(self.name, "/usr/sbin/iked -d -vv")

    def loaded(self):
        """Not before its last settings have arrived: they come with a reset that forgets SAs."""
        log = self.guest.read(f"{self.name}.log")
        return "compilation done" in log and "config_getstatic: nattport" in log

    def initiate(self):
        """iked starts what is `active`; here the policy becomes that, and is loaded again."""
        self.guest.sh('sed -i "s/ passive / active /" /etc/iked.conf && ikectl reload')
