#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Known answers for the crypto of IKEv2 and IKEv1, computed apart from the C code:
vectors.py > vectors.h, vectors.py v1 > vectors_v1.h

Groups and derivations are written down here from RFC 2409, 3526, 7296, 5282 and 7634 with hashlib, hmac and
python3-cryptography; primes come from their definition by the digits of pi.
"""
import hashlib
import hmac
import sys
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305


def pi_floor(bits):
    """floor(2^bits * pi) by Machin's formula, with guard bits."""
    one = 1 << (bits + 64)

    def arctan(n):
        total = term = one // n
        k, sign = 3, -1
        while term:
            term //= n * n
            total += sign * (term // k)
            k, sign = k + 2, -sign
        return total
    return (4 * (4 * arctan(5) - arctan(239))) >> 64


def modp(bits, k):
    return (1 << bits) - (1 << (bits - 64)) - 1 + ((pi_floor(bits - 130) + k) << 64)


GROUPS = {1: (768, 149686), 2: (1024, 129093), 5: (1536, 741804), 14: (2048, 124476),
          15: (3072, 1690314), 16: (4096, 240904)}
HASHES = ['md5', 'sha1', 'sha256', 'sha384', 'sha512']
ICV = {'md5': 12, 'sha1': 12, 'sha256': 16, 'sha384': 24, 'sha512': 32}
ENCR = {'3des': (24, 0, 8), 'des': (8, 0, 8), 'aes128': (16, 0, 16), 'aes192': (24, 0, 16),
        'aes256': (32, 0, 16), 'aes128gcm16': (16, 4, 8), 'aes256gcm16': (32, 4, 8),
        'chacha20poly1305': (32, 4, 8)}


def seq(first, count):
    return bytes((first + i) & 0xff for i in range(count))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def prf(name, key, data):
    return hmac.new(key, data, name).digest()


def prf_plus(name, key, seed, length):
    out, block, n = b'', b'', 1
    while len(out) < length:
        block = prf(name, key, block + seed + bytes([n]))
        out, n = out + block, n + 1
    return out[:length]


def stretched(name, key, seed, length, seed_again):
    """K1 | K2 ... of RFC 2409: 5.5 with the seed in each, appendix B in the first alone."""
    out = block = prf(name, key, seed)
    while len(out) < length:
        block = prf(name, key, block + (seed if seed_again else b''))
        out += block
    return out[:length]


def v1_keys(name, encr, psk_len, secret):
    """All that RFC 2409 derives, in one string: SKEYIDs, cipher key, proofs, IVs, hashes, an ESP SA without PFS."""
    psk, ni, nr = bytes(0x21 + i % 90 for i in range(psk_len)), seq(0x10, 32), seq(0x40, 20)
    i, r, gi, gr, mid = seq(0xa0, 8), seq(0xb0, 8), seq(1, 96), seq(2, 96), bytes([0xde, 0xad, 0xbe, 0xef])
    skeyid = prf(name, psk, ni + nr)
    d = prf(name, skeyid, secret + i + r + b'\0')
    a = prf(name, skeyid, d + secret + i + r + b'\1')
    e = prf(name, skeyid, a + secret + i + r + b'\2')
    key_len, _, iv_len = ENCR[encr]
    key = e[:key_len] if key_len <= len(e) else stretched(name, e, b'\0', key_len, False)
    sa, ident, rest = seq(0x77, 52), bytes([1, 0, 0, 0, 192, 0, 2, 1]), seq(0x66, 100)
    first = hashlib.new(name, gi + gr).digest()[:iv_len]
    later = hashlib.new(name, first + mid).digest()[:iv_len]
    child = b''.join(stretched(name, d, pfs + b'\3' + spi + ni + nr, 32 + 64, True)
                     for pfs in (b'', secret) for spi in (b'\x11\x22\x33\x44', b'\x55\x66\x77\x88'))
    return b''.join((skeyid, d, a, key, prf(name, skeyid, gi + gr + i + r + sa + ident),
                     prf(name, skeyid, gr + gi + r + i + sa + ident), first, later,
                     prf(name, a, mid + rest), prf(name, a, mid + ni + rest), prf(name, a, b'\0' + mid + ni + nr), child))


def sealed(encr, integ, key, integ_key, aad, iv, text):
    key_len, salt_len, _ = ENCR[encr]
    if salt_len:
        aead = ChaCha20Poly1305 if encr.startswith('chacha') else AESGCM
        return aad + iv + aead(key[:key_len]).encrypt(key[key_len:] + iv, text, aad)
    algorithm = algorithms.AES(key) if encr.startswith('aes') else \
        algorithms.TripleDES(key * (3 if encr == 'des' else 1))
    enc = Cipher(algorithm, modes.CBC(iv)).encryptor()
    body = aad + iv + enc.update(text) + enc.finalize()
    return body + hmac.new(integ_key, body, integ).digest()[:ICV[integ]]


def head():
    print('/* SPDX-License-Identifier: BSD-3-Clause */')
    print('/* Written by vectors.py. */')
    print('/* clang-format off */\n')


def main():
    head()

    print('/* MODP: SHA-256 of g^x and of g^xy for x = 01..20, y = 81..a0 */')
    print('static const struct modp_vector { unsigned group; const char *public_sha, *secret_sha; } modp_vectors[] = {')
    x, y = int.from_bytes(seq(1, 32), 'big'), int.from_bytes(seq(0x81, 32), 'big')
    for group, (bits, k) in GROUPS.items():
        p = modp(bits, k)
        public = pow(2, x, p).to_bytes(bits // 8, 'big')
        secret = pow(pow(2, y, p), x, p).to_bytes(bits // 8, 'big')
        print(f'\t{{{group}, "{sha(public)}",\n\t\t"{sha(secret)}"}},')
    print('};\n')

    print('/* prf+ of 300 bytes: its SHA-256 */')
    print('static const struct { const char *prf, *sha; } prf_plus_vectors[] = {')
    for name in HASHES:
        print(f'\t{{"{name}", "{sha(prf_plus(name, b"key of the prf", b"seed of the prf", 300))}"}},')
    print('};\n')

    print('/* Keys of an IKE SA, of its rekey, of a Child SA: SHA-256 of all of them in order */')
    print('static const struct key_vector { const char *prf, *integ, *encr, *first, *rekey, *child; } key_vectors[] = {')
    ni, nr, secret = seq(0x10, 32), seq(0x40, 48), seq(0x90, 256)
    spis = seq(0xa0, 8) + seq(0xb0, 8)
    for name, integ, encr in [('md5', 'md5', '3des'), ('sha1', 'sha1', 'aes128'), ('sha256', 'sha256', 'aes256'),
                              ('sha384', 'sha384', 'aes192'), ('sha512', 'sha512', 'des'), ('sha256', 'sha1', 'aes128'),
                              ('sha256', None, 'aes128gcm16'), ('sha512', None, 'chacha20poly1305')]:
        key_len, salt_len, _ = ENCR[encr]
        digest = hashlib.new(name).digest_size
        integ_len = hashlib.new(integ).digest_size if integ else 0
        length = 3 * digest + 2 * integ_len + 2 * (key_len + salt_len)
        keys = prf_plus(name, prf(name, ni + nr, secret), ni + nr + spis, length)
        sk_d = keys[:digest]
        rekeyed = prf_plus(name, prf(name, sk_d, secret + ni + nr), ni + nr + spis, length)
        child = prf_plus(name, sk_d, secret + ni + nr, 2 * (integ_len + key_len + salt_len))
        print(f'\t{{"{name}", "{integ or "none"}", "{encr}",\n\t\t"{sha(keys)}",\n\t\t"{sha(rekeyed)}",'
              f'\n\t\t"{sha(child)}"}},')
    print('};\n')

    print('/* AUTH with a key of psk_len bytes 0x21, 0x22 ...; the ID body has reserved bytes that are not zero */')
    print('static const struct { const char *prf; unsigned psk_len; const char *auth_sha; } auth_vectors[] = {')
    for name in HASHES:
        for length in [1, 63, 64, 65, 100, 128, 129]:
            psk = bytes(0x21 + i % 90 for i in range(length))
            id_body = bytes([2, 1, 2, 3]) + b'peer.example'
            sk_p = seq(0x33, hashlib.new(name).digest_size)
            octets = seq(5, 300) + seq(0x40, 48) + prf(name, sk_p, id_body)
            auth = prf(name, prf(name, psk, b'Key Pad for IKEv2'), octets)
            print(f'\t{{"{name}", {length}, "{sha(auth)}"}},')
    print('};\n')

    print('/* 32 bytes in clear, IV, 48 bytes protected: SHA-256 of the whole */')
    print('static const struct { const char *encr, *integ, *sha; } seal_vectors[] = {')
    for encr in ENCR:
        for integ in HASHES if not ENCR[encr][1] else [None]:
            key_len, salt_len, iv_len = ENCR[encr]
            out = sealed(encr, integ, seq(0x01, key_len + salt_len),
                         seq(0x71, hashlib.new(integ).digest_size) if integ else b'',
                         seq(0x20, 32), seq(0x55, iv_len), seq(0xc0, 48))
            print(f'\t{{"{encr}", "{integ or "none"}", "{sha(out)}"}},')
    print('};')


def main_v1():
    head()
    secret = seq(0x90, 256)
    print('/* IKEv1: SHA-256 of all that v1_keys() of vectors.py derives, with a key of psk_len bytes */')
    print('static const struct { const char *hash, *encr; unsigned psk_len; const char *sha; } v1_vectors[] = {')
    for name in HASHES:
        for encr in ('des', '3des', 'aes128', 'aes192', 'aes256'):
            for length in (1, 64, 129):
                print(f'\t{{"{name}", "{encr}", {length}, "{sha(v1_keys(name, encr, length, secret))}"}},')
    print('};')


main_v1() if sys.argv[1:] == ['v1'] else main()
