/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reads a segment of a peer as the kernel will: TTL first (RFC 5082), then of a SYN the signature (RFC 2385): MD5 of the
 * pseudo-header, the header without options and with no checksum, the data, and the key. Data never comes with these;
 * where it does, it is signed alike.
 */

#include "router/speaker/evidence.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/wire.h"

#define IP_HEADER      20
#define TCP_HEADER     20
#define PROTO_TCP      6
#define FLAG_SYN       0x02
#define FLAG_RST       0x04
#define OPTION_END     0
#define OPTION_NOP     1
#define OPTION_MD5     19
#define OPTION_MD5_LEN 18
#define DIGEST_BYTES   16

struct segment {
	const uint8_t *addresses; /* from, to: 8 bytes */
	const uint8_t *tcp, *data;
	size_t tcp_len, data_len; /* all of it; behind the header and options */
	const uint8_t *signature; /* NULL: none */
	uint8_t ttl, flags;
};

static void read_options(struct wire w, struct segment *out)
{
	while (wire_left(&w) && wire_ok(&w)) {
		uint8_t kind = wire_u8(&w), len;

		if (kind == OPTION_END)
			return;
		if (kind == OPTION_NOP)
			continue;
		len = wire_u8(&w);
		if (len < 2)
			return;
		const uint8_t *value = wire_bytes(&w, len - 2u);
		if (kind == OPTION_MD5 && len == OPTION_MD5_LEN && wire_ok(&w))
			out->signature = value;
	}
}

static bool read_tcp(struct wire w, struct segment *out)
{
	struct wire options;
	uint8_t words;

	out->tcp_len = wire_left(&w);
	out->tcp = wire_bytes(&w, TCP_HEADER);
	if (!wire_ok(&w))
		return false;
	words = out->tcp[12] >> 4;
	out->flags = out->tcp[13];
	if (words * 4 < TCP_HEADER)
		return false;
	options = wire_sub(&w, words * 4u - TCP_HEADER);
	out->data_len = wire_left(&w);
	out->data = wire_bytes(&w, out->data_len);
	if (!wire_ok(&w))
		return false;
	read_options(options, out);
	return true;
}

static bool read_packet(const uint8_t *packet, size_t len, struct segment *out)
{
	struct wire w = wire_of(packet, len), tcp;
	uint8_t version = wire_u8(&w), protocol;
	uint16_t total, fragment;

	wire_skip(&w, 1);
	total = wire_u16(&w);
	wire_skip(&w, 2);
	fragment = wire_u16(&w) & 0x3fff;
	out->ttl = wire_u8(&w);
	protocol = wire_u8(&w);
	wire_skip(&w, 2);
	out->addresses = wire_bytes(&w, 8);
	if (!wire_ok(&w) || version != 0x45 || fragment || protocol != PROTO_TCP ||
	    total < IP_HEADER)
		return false;
	tcp = wire_sub(&w, (size_t)total - IP_HEADER);
	return wire_ok(&w) && read_tcp(tcp, out);
}

static bool is_signed_with(const struct segment *s, const char *key)
{
	const uint8_t rest[] = {0, PROTO_TCP, (uint8_t)(s->tcp_len >> 8), (uint8_t)s->tcp_len};
	uint8_t header[TCP_HEADER], digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool same;

	memcpy(header, s->tcp, sizeof(header));
	header[16] = header[17] = 0; /* the checksum */
	same = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, s->addresses, 8) == 1 &&
	    EVP_DigestUpdate(ctx, rest, sizeof(rest)) == 1 &&
	    EVP_DigestUpdate(ctx, header, sizeof(header)) == 1 &&
	    EVP_DigestUpdate(ctx, s->data, s->data_len) == 1 &&
	    EVP_DigestUpdate(ctx, key, strlen(key)) == 1 &&
	    EVP_DigestFinal_ex(ctx, digest, NULL) == 1 &&
	    memcmp(digest, s->signature, DIGEST_BYTES) == 0;
	EVP_MD_CTX_free(ctx);
	return same;
}

enum evidence evidence_of(const uint8_t *packet, size_t len, const char *key, uint8_t ttl_min)
{
	struct segment s = {0};

	if (!read_packet(packet, len, &s))
		return EVIDENCE_NONE;
	if (s.ttl <
	    ttl_min) /* of any segment: a SYN may come with the TTL of the listening socket */
		return EVIDENCE_TTL_LOW;
	if (!(s.flags & (FLAG_SYN | FLAG_RST)))
		return EVIDENCE_NONE;
	if (s.flags & FLAG_RST) /* of a host without a listener, which has no key either */
		return EVIDENCE_REFUSED;
	if (key && !s.signature)
		return EVIDENCE_KEY_MISSING;
	if (!key && s.signature)
		return EVIDENCE_KEY_UNEXPECTED;
	return key && !is_signed_with(&s, key) ? EVIDENCE_KEY_WRONG : EVIDENCE_FINE;
}

const char *evidence_text(enum evidence e)
{
	static const char *const list[] = {
#define X(e, text) text,
	    EVIDENCE_LIST(X)
#undef X
	};

	return list[e];
}
