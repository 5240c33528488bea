/* SPDX-License-Identifier: BSD-3-Clause */

/* What a peer's SYN or reset says of why a session does not come about (RFC 2385, 5082). */

#include <string.h>

#include "router/speaker/evidence.h"
#include "testing.h"

#define KEY     "opensesame"
#define TTL     8  /* where it is */
#define DATA    32 /* words of the TCP header */
#define FLAGS   33
#define OPTIONS 40
#define MD5     46

/* A SYN with TTL 255, MSS and a signature with KEY, which another implementation of MD5 made. */
static const uint8_t syn[64] = {
    0x45,
    0xc0,
    0x00,
    0x40,
    0x00,
    0x01,
    0x40,
    0x00,
    0xff,
    0x06,
    0x00,
    0x00,
    0xa9,
    0xfe,
    0x0b,
    0x02,
    0xa9,
    0xfe,
    0x0b,
    0x01,
    0x9c,
    0x40,
    0x00,
    0xb3,
    0x01,
    0x02,
    0x03,
    0x04,
    0x00,
    0x00,
    0x00,
    0x00,
    0xb0,
    0x02,
    0xfa,
    0xf0,
    0xab,
    0xcd,
    0x00,
    0x00,
    0x02,
    0x04,
    0x05,
    0x78,
    0x01,
    0x01,
    0x13,
    0x12,
    0x6f,
    0x7c,
    0x03,
    0x2c,
    0x66,
    0x82,
    0xc9,
    0xa3,
    0x52,
    0x04,
    0x75,
    0x12,
    0x1d,
    0xda,
    0x59,
    0xa9,
};

static enum evidence of(const uint8_t *packet, const char *key, uint8_t ttl_min)
{
	return evidence_of(packet, sizeof(syn), key, ttl_min);
}

static void fine(void **state)
{
	uint8_t p[100];

	assert_int_equal(of(syn, KEY, 0), EVIDENCE_FINE);
	assert_int_equal(of(syn, KEY, 255), EVIDENCE_FINE);
	memcpy(
	    p, syn, sizeof(syn)); /* what an Ethernet frame has behind the packet does not count */
	memset(p + sizeof(syn), 7, sizeof(p) - sizeof(syn));
	assert_int_equal(evidence_of(p, sizeof(p), KEY, 255), EVIDENCE_FINE);
	assert_null(evidence_text(EVIDENCE_FINE));
	assert_null(evidence_text(EVIDENCE_NONE));
}

static void keys(void **state)
{
	uint8_t p[sizeof(syn)];

	assert_int_equal(of(syn, "opensesami", 0), EVIDENCE_KEY_WRONG);
	assert_int_equal(of(syn, "", 0), EVIDENCE_KEY_WRONG);
	assert_int_equal(of(syn, NULL, 0), EVIDENCE_KEY_UNEXPECTED);
	memcpy(p, syn, sizeof(p));
	p[MD5] = 1; /* NOP: what follows is an option of kind 18, which nobody knows */
	assert_int_equal(of(p, KEY, 0), EVIDENCE_KEY_MISSING);
	assert_int_equal(of(p, NULL, 0), EVIDENCE_FINE);
	for (unsigned i = 12; i < sizeof(p);
	     i++) { /* addresses to the last byte of the signature */
		memcpy(p, syn, sizeof(p));
		p[i] ^= 0x40;
		if (i < 36 || (i >= 38 && i < OPTIONS) || i >= MD5 + 2)
			assert_int_not_equal(of(p, KEY, 0), EVIDENCE_FINE);
	}
}

static void ttl(void **state)
{
	uint8_t p[sizeof(syn)];

	memcpy(p, syn, sizeof(p));
	p[TTL] = 254;
	assert_int_equal(of(p, KEY, 255), EVIDENCE_TTL_LOW);
	assert_int_equal(of(p, "opensesami", 255), EVIDENCE_TTL_LOW);
	assert_int_equal(of(p, KEY, 0), EVIDENCE_FINE);
	p[FLAGS] = 0x10; /* a SYN may have come with the TTL of the listening socket */
	assert_int_equal(of(p, KEY, 255), EVIDENCE_TTL_LOW);
}

static void others(void **state)
{
	uint8_t p[sizeof(syn)];

	memcpy(p, syn, sizeof(p));
	p[FLAGS] = 0x14;
	assert_int_equal(of(p, KEY, 0), EVIDENCE_REFUSED);
	p[FLAGS] = 0x10;
	assert_int_equal(of(p, NULL, 255), EVIDENCE_NONE);
	for (size_t len = 0; len < sizeof(syn); len++) {
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, syn, len);
		assert_int_equal(evidence_of(cut, len, KEY, 255), EVIDENCE_NONE);
		free(cut);
	}
	for (unsigned byte = 0; byte < 256; byte++) { /* lengths of header and options that lie */
		memcpy(p, syn, sizeof(p));
		p[DATA] = (uint8_t)byte;
		of(p, KEY, 0);
		memcpy(p, syn, sizeof(p));
		p[OPTIONS + 1] = (uint8_t)byte;
		of(p, KEY, 0);
		p[OPTIONS + 1] = 4;
		p[MD5 + 1] = (uint8_t)byte;
		assert_int_equal(of(p, KEY, 0), byte == 18 ? EVIDENCE_FINE : EVIDENCE_KEY_MISSING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fine),
	    cmocka_unit_test(keys),
	    cmocka_unit_test(ttl),
	    cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
