/* SPDX-License-Identifier: BSD-3-Clause */

/* ICMP of the router: what it answers, what it reports, and when it must keep silent (RFC 1812 4.3.2.7). */

#include "testing.h"

#include <string.h>

#include "neigh/icmp.h"

static uint16_t fold(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum; /* 0xffff when the checksum inside is right */
}

/* 10.0.0.1 -> 10.0.0.2, ICMP echo with `data` bytes. */
static size_t echo(uint8_t *p, size_t data)
{
	size_t total = 28 + data;

	memset(p, 0, 28);
	p[0] = 0x45;
	p[1] = 0xb8;
	p[2] = (uint8_t)(total >> 8);
	p[3] = (uint8_t)total;
	p[8] = 64;
	p[9] = 1;
	memcpy(p + 12, "\x0a\0\0\x01\x0a\0\0\x02", 8);
	p[20] = 8;
	p[25] = 7;
	for (size_t i = 0; i < data; i++)
		p[28 + i] = (uint8_t)i;
	uint16_t sum = (uint16_t)~fold(p + 20, total - 20);
	p[22] = (uint8_t)(sum >> 8);
	p[23] = (uint8_t)sum;
	return total;
}

static void test_echo_is_mirrored(void **state)
{
	uint8_t in[2000], out[2000];

	for (size_t data = 0; data < 1500; data += 37) {
		size_t len = echo(in, data), n = icmp_echo_reply(in, len, out, sizeof(out));

		assert_int_equal(n, len);
		assert_memory_equal(out + 12, in + 16, 4);
		assert_memory_equal(out + 16, in + 12, 4);
		assert_int_equal(out[20], 0);
		assert_int_equal(out[1], 0xb8);
		assert_memory_equal(out + 24, in + 24, len - 24);
		assert_int_equal(fold(out, 20), 0xffff);
		assert_int_equal(fold(out + 20, n - 20), 0xffff);
	}
}

static void test_echo_refuses(void **state)
{
	uint8_t in[200], out[200];
	size_t len = echo(in, 56);

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(icmp_echo_reply(in, cut, out, sizeof(out)), 0);
	assert_int_equal(icmp_echo_reply(in, len, out, len - 1), 0); /* no room */
	in[30] ^= 1;                                                 /* ICMP checksum */
	assert_int_equal(icmp_echo_reply(in, len, out, sizeof(out)), 0);
	in[30] ^= 1;
	in[6] = 0x20; /* a fragment */
	assert_int_equal(icmp_echo_reply(in, len, out, sizeof(out)), 0);
	in[6] = 0;
	in[12] = 224;
	assert_int_equal(icmp_echo_reply(in, len, out, sizeof(out)), 0);
	in[12] = 10;
	in[20] = 0; /* a reply */
	assert_int_equal(icmp_echo_reply(in, len, out, sizeof(out)), 0);
}

static void test_errors_quote_the_packet(void **state)
{
	static const struct {
		enum icmp_error kind;
		uint8_t type, code;
	} rows[] = {
	    {ICMP_TTL_EXCEEDED, 11, 0},
	    {ICMP_NET_UNREACHABLE, 3, 0},
	    {ICMP_HOST_UNREACHABLE, 3, 1},
	    {ICMP_PROTO_UNREACHABLE, 3, 2},
	    {ICMP_PORT_UNREACHABLE, 3, 3},
	    {ICMP_FRAG_NEEDED, 3, 4},
	    {ICMP_ADMIN_PROHIBITED, 3, 13},
	};
	struct ip_addr us = ip_v4(0x0a0000fe);
	uint8_t in[2000], out[2000];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t data = 0; data < 1400; data += 211) {
			size_t len = echo(in, data),
			       n = icmp_error(rows[i].kind, 1438, &us, in, len, out, sizeof(out));

			assert_int_equal(n, 28 + (len < 548 ? len : 548));
			assert_int_equal(out[20], rows[i].type);
			assert_int_equal(out[21], rows[i].code);
			assert_int_equal(
			    out[26] << 8 | out[27], rows[i].kind == ICMP_FRAG_NEEDED ? 1438 : 0);
			assert_memory_equal(out + 12, us.bytes, 4);
			assert_memory_equal(out + 16, in + 12, 4);
			assert_memory_equal(out + 28, in, n - 28);
			assert_int_equal(fold(out, 20), 0xffff);
			assert_int_equal(fold(out + 20, n - 20), 0xffff);
		}
	}
}

static void test_no_error_about(void **state)
{
	struct ip_addr us = ip_v4(0x0a0000fe);
	uint8_t in[200], out[700];
	size_t len = echo(in, 56);

#define SILENT()                                                                                   \
	assert_int_equal(icmp_error(ICMP_TTL_EXCEEDED, 0, &us, in, len, out, sizeof(out)), 0)
	static const uint8_t errors[] = {3, 4, 5, 11, 12};
	for (unsigned i = 0; i < sizeof(errors); i++) {
		in[20] = errors[i];
		SILENT();
	}
	in[20] = 8;
	in[7] = 1; /* a later fragment */
	SILENT();
	in[7] = 0;
	static const uint8_t bad[] = {0, 127, 224, 240, 255};
	for (unsigned i = 0; i < sizeof(bad); i++) {
		in[12] = bad[i];
		SILENT();
		in[12] = 10;
		in[16] = bad[i];
		SILENT();
		in[16] = 10;
	}
	in[0] = 0x65;
	SILENT();
	in[0] = 0x44;
	SILENT();
	in[0] = 0x45;
	in[3] = 255;
	SILENT();
#undef SILENT
}

static void test_limiter(void **state)
{
	struct icmp_limiter *l = icmp_limiter_create(100, 1000);
	struct ip_addr a = ip_v4(0x0a000001);
	struct mono now = {DUR_S(5)};
	unsigned one = 0, all = 0;

	for (unsigned ms = 0; ms < 1000; ms++) {
		now = mono_add(now, DUR_MS(1));
		one += icmp_limiter_pass(l, &a, now);
	}
	assert_in_range(one, 95, 112);
	for (unsigned ms = 0; ms < 1000; ms++) {
		now = mono_add(now, DUR_MS(1));
		for (uint32_t i = 0; i < 50; i++) {
			struct ip_addr to = ip_v4(0x0b000001 + (i << 8));
			all += icmp_limiter_pass(l, &to, now);
		}
	}
	assert_in_range(all, 900, 1110);
	icmp_limiter_free(l);
}

/* ---- reports about the MTU of a path ---- */

/* From 192.0.2.9 to 10.0.0.2: 3/4 with this MTU about an ESP packet of `total` bytes, of which `quoted` are there. */
static size_t too_big(uint8_t *p, uint16_t mtu, uint16_t total, size_t quoted)
{
	static const uint8_t inner[20] = {
	    0x45, 0, 0, 0, 0, 1, 0x40, 0, 63, 50, 0, 0, 10, 0, 0, 2, 192, 0, 2, 1};
	size_t len = 28 + quoted;

	memset(p, 0, 28);
	p[0] = 0x45;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	p[8] = 64;
	p[9] = 1;
	memcpy(p + 12, "\xc0\0\x02\x09\x0a\0\0\x02", 8);
	p[20] = 3;
	p[21] = 4;
	p[26] = (uint8_t)(mtu >> 8);
	p[27] = (uint8_t)mtu;
	for (size_t i = 0; i < quoted; i++)
		p[28 + i] = i < 20 ? inner[i] : (uint8_t)i;
	if (quoted > 3) {
		p[30] = (uint8_t)(total >> 8);
		p[31] = (uint8_t)total;
	}
	uint16_t sum = (uint16_t)~fold(p + 20, len - 20);
	p[22] = (uint8_t)(sum >> 8);
	p[23] = (uint8_t)sum;
	return len;
}

static void test_too_big(void **state)
{
	struct icmp_too_big report;
	uint8_t p[700];

	for (size_t quoted = 0; quoted <= 548; quoted++) {
		size_t len = too_big(p, 1400, 1500, quoted);

		if (icmp_too_big_read(p, len, &report) != (quoted >= 20))
			fail_msg("%zu bytes are quoted", quoted);
		if (quoted < 20)
			continue;
		assert_int_equal(report.mtu, 1400);
		assert_int_equal(report.total, 1500);
		assert_int_equal(report.protocol, 50);
		assert_int_equal(report.payload_len, quoted - 20);
		assert_int_equal(ip_v4_host(&report.src), 0x0a000002);
		assert_int_equal(ip_v4_host(&report.dst), 0xc0000201);
	}
}

static void test_too_big_refused(void **state)
{
	/* bytes that make another message of it, or a wrong one */
	static const struct {
		size_t at;
		uint8_t value;
	} lies[] = {{9, 17}, {6, 0x20}, {20, 11}, {21, 3}, {22, 0xee}, {28, 0x65}, {28, 0x44},
	    {28, 0x4f}, {0, 0x4f}};
	struct icmp_too_big report;
	uint8_t p[700];

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		size_t len = too_big(p, 1400, 1500, 28);

		assert_true(icmp_too_big_read(p, len, &report));
		p[lies[i].at] = lies[i].value;
		if (lies[i].at >= 24) { /* the sum is to hold */
			p[22] = p[23] = 0;
			uint16_t sum = (uint16_t)~fold(p + 20, len - 20);
			p[22] = (uint8_t)(sum >> 8);
			p[23] = (uint8_t)sum;
		}
		if (icmp_too_big_read(p, len, &report))
			fail_msg("byte %zu = %02x is believed", lies[i].at, lies[i].value);
	}
	for (size_t cut = 0; cut < 56; cut++) {
		too_big(p, 1400, 1500, 28);
		assert_false(icmp_too_big_read(p, cut, &report));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo_is_mirrored),
	    cmocka_unit_test(test_echo_refuses),
	    cmocka_unit_test(test_errors_quote_the_packet),
	    cmocka_unit_test(test_no_error_about),
	    cmocka_unit_test(test_limiter),
	    cmocka_unit_test(test_too_big),
	    cmocka_unit_test(test_too_big_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
