/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that nobody meant (L1): bytes that are no text, lines and nesting without end, everything cut off
 * somewhere. No crash, no leak (the sanitizers watch), no long wait, and an error in the right place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cases.h"
#include "conf/conf.h"

#define LAN0 "ports: {lan0: {device: '0000:04:00.0'}}\n"

static void check_says(const char *bytes, size_t len, const char *expected)
{
	char *said = conf_says(bytes, len);

	assert_string_equal(said, expected);
	free(said);
}

#define SAYS(bytes, expected) check_says(bytes, sizeof(bytes) - 1, expected)

static void test_bytes_that_are_no_text(void **state)
{
	SAYS("", "1:1: error: the file is empty; it needs at least `ports`\n");
	SAYS(LAN0 "# \0\n", "2:3: error: a NUL byte; the file must be plain text in UTF-8\n");
	SAYS(LAN0 "# \0\0\0\n# \0\0\n",
	    "2:3: error: a NUL byte; the file must be plain text in UTF-8\n"
	    "3:3: error: a NUL byte; the file must be plain text in UTF-8\n");
	SAYS(LAN0 "# caf\xe9\n# \xc3\xa9 \xc0\xaf \xed\xa0\x80\n",
	    "2:6: error: the byte 0xe9 is no UTF-8; save the file as UTF-8\n"
	    "3:5: error: the byte 0xc0 is no UTF-8; save the file as UTF-8\n"
	    "3:6: error: the byte 0xaf is no UTF-8; save the file as UTF-8\n"
	    "3:8: error: the byte 0xed is no UTF-8; save the file as UTF-8\n"
	    "3:9: error: the byte 0xa0 is no UTF-8; save the file as UTF-8\n"
	    "3:10: error: the byte 0x80 is no UTF-8; save the file as UTF-8\n");
	SAYS(LAN0 "# \x1b[2J\n",
	    "2:3: error: the control character U+001B; remove it, or write it as \\x1B in double quotes\n");
	SAYS("\xff\xfeh\0i\0", "1:1: error: the file is UTF-16; save it as UTF-8\n");
	SAYS("\xf4\x90\x80\x80", /* U+110000 */
	    "1:1: error: the byte 0xf4 is no UTF-8; save the file as UTF-8\n"
	    "1:1: error: the file: a single value stands where a mapping, `KEY: VALUE`, belongs\n"
	    "1:2: error: the byte 0x90 is no UTF-8; save the file as UTF-8\n"
	    "1:3: error: the byte 0x80 is no UTF-8; save the file as UTF-8\n"
	    "1:4: error: the byte 0x80 is no UTF-8; save the file as UTF-8\n");
}

/* The rest of the file is read all the same. */
static void test_more_errors_behind_bad_bytes(void **state)
{
	SAYS("# \xff\nports: {lan0: {device: '0000:04:00.0', mtu: 1}}\n",
	    "1:3: error: the byte 0xff is no UTF-8; save the file as UTF-8\n"
	    "2:45: error: mtu: '1' is out of range; give a whole number, 576..9600\n");
}

static void test_text_of_other_systems(void **state)
{
	SAYS("\xef\xbb\xbf" LAN0, "");
	SAYS("ports:\r\n  lan0: {device: '0000:04:00.0', mtu: 1}\r\n",
	    "2:39: error: mtu: '1' is out of range; give a whole number, 576..9600\n");
	SAYS("ports:\r  lan0: {device: '0000:04:00.0', mtu: 1}\r",
	    "2:39: error: mtu: '1' is out of range; give a whole number, 576..9600\n");
	/* Columns count characters: the line has two of two bytes before the value. */
	SAYS("ports:\n  lan0: {device: '0000:04:00.0', description: '\xc3\xa9\xc3\xa9', mtu: 1}\n",
	    "2:58: error: mtu: '1' is out of range; give a whole number, 576..9600\n");
}

/* Processor time, so that a busy machine does not fail the test. */
static struct mono cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct mono){DUR_S(t.tv_sec) + t.tv_nsec};
}

static char *repeated(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t len = strlen(unit);
	char *text = xmalloc(strlen(head) + len * count + strlen(tail) + 1), *at = text;

	at = stpcpy(at, head);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, unit);
	strcpy(at, tail);
	return text;
}

/* What is said about head, count times unit, tail. */
static void check_repeated(
    const char *head, const char *unit, size_t count, const char *tail, const char *expected)
{
	char *text = repeated(head, unit, count, tail);
	struct mono start = cpu_now();

	check_says(text, strlen(text), expected);
	assert_true(mono_diff(start, cpu_now()) < DUR_S(5));
	free(text);
}

static void test_long_lines(void **state)
{
	check_repeated(LAN0 "# ", "x", 1 << 20, "\n", "");
	check_repeated(LAN0 "system: {crypto: ", "x", 1 << 20, "}\n",
	    "2:18: error: crypto: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is out of "
	    "range; give printable text of 1..128 characters\n");
	check_repeated(LAN0 "system: {crypto: \"", "\\x41", 1 << 18, "\"}\n",
	    "2:18: error: crypto: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA...' is out of "
	    "range; give printable text of 1..128 characters\n");
	check_repeated(LAN0 "system: {worker-cores: [", "1, ", 1 << 18, "2]}\n",
	    "2:24: error: worker-cores: 262145 values; at most 128 are possible\n");
	check_repeated(LAN0, " ", 1 << 20, "\n", "");
	check_repeated("", "x", 1 << 20, "",
	    "1:1: error: the file: a single value stands where a mapping, `KEY: VALUE`, belongs\n");
}

static void test_deep_nesting(void **state)
{
	static const char deep[] =
	    "nested deeper than 32 levels; no setting is that deep, and the rest is not read\n";
	char expected[512];

	snprintf(expected, sizeof(expected),
	    "1:1: error: the file: a list stands where a mapping, `KEY: VALUE`, belongs\n1:33: error: %s",
	    deep);
	check_repeated("", "[", 10000, "", expected);
	check_repeated("", "[", 1000000, "", expected);
	snprintf(expected, sizeof(expected),
	    "1:2: error: unknown key 'a' in the file; known keys: system, ports, transit-router, "
	    "route-tables, customer-gateways, vpn-connections, attachments, routing-policies\n1:129: error: %s",
	    deep);
	check_repeated("", "{a: ", 10000, "", expected);
	snprintf(expected, sizeof(expected),
	    "1:1: error: the file: a list stands where a mapping, `KEY: VALUE`, belongs\n1:65: error: %s",
	    deep);
	check_repeated("", "- ", 10000, "x", expected);
}

static void test_many_keys(void **state)
{
	char *text = xmalloc(4 << 20), *at = text, *said;
	struct mono start = cpu_now();

	at = stpcpy(at, LAN0 "customer-gateways:\n");
	for (unsigned i = 0; i < 50000; i++)
		at += sprintf(at, "  gw-%u: {address: 192.0.2.1}\n", i);
	strcpy(at, "  gw-49999: {address: 192.0.2.1}\n");
	said = conf_says(text, strlen(text));
	assert_string_equal(said,
	    "50003:3: error: 'gw-49999' stands here for the second time, first in line 50002 column 3; remove "
	    "one of them\n");
	assert_true(mono_diff(start, cpu_now()) < DUR_S(5));
	free(said);
	free(text);
}

static void test_a_file_too_large(void **state)
{
	char *text = xmalloc(9 << 20);
	char *at = stpcpy(text, "system: [");

	for (unsigned i = 0; i < 4 << 20; i++)
		at = stpcpy(at, "a,");
	strcpy(at, "]\n");
	check_says(text, strlen(text),
	    "1:9: error: system: a list stands where a mapping, `KEY: VALUE`, belongs\n"
	    "1:4194310: error: the file has too many values (2097152 at most); the rest is not read\n");
	free(text);
}

static const char sample[] =
    "ports: {wan0: {device: '0000:03:00.0', address: 203.0.113.10/24, gateway: 203.0.113.1}}\n"
    "transit-router: {cidr: 203.0.113.32/28, tags: {a: b}, limits: {ecmp: 64}}\n"
    "customer-gateways:\n"
    "  gw-a: {address: 192.0.2.1, asn: 65010}\n"
    "  gw-b: {address: 192.0.2.2, asn: 65010}\n"
    "vpn-connections:\n"
    "  dc1:\n"
    "    tunnels:\n"
    "      - {customer-gateway: gw-a, psk: \"\\x41b\\u0041\", bgp: {cidr: 169.254.10.0/30}}\n"
    "      - {customer-gateway: gw-b, health-check: {destination: 10.1.1.1, source: 10.2.2.2}}\n"
    "attachments:\n"
    "  dc1: {kind: vpn, connection: dc1, propagate: [default]}\n"
    "  dc2: {kind: vpn, connection: {mode: single, tunnels: {customer-gateway: gw-a}}}\n"
    "routing-policies:\n"
    "  - {priority: 1, direction: egress, action: permit, communities: ['1:2', no-export]}\n";

static void test_cut_at_every_byte(void **state)
{
	for (size_t len = 0; len < sizeof(sample); len++)
		free(conf_says(sample, len));
}

/* One byte after another replaced, removed, doubled: some of it loads, none of it breaks. */
static void test_changed_bytes(void **state)
{
	static const char odd[] = "{}[]:,-#&*!|>'\"%@`\\\n\t \0\xff\xc3~?0";
	struct rng rng;
	char text[2 * sizeof(sample)];

	rng_init_seeded(&rng, 30);
	for (unsigned run = 0; run < 4000; run++) {
		size_t len = sizeof(sample) - 1;

		memcpy(text, sample, len);
		for (unsigned edits = 1 + rng_below(&rng, 4); edits; edits--) {
			size_t at = rng_below(&rng, (uint32_t)len);

			switch (rng_below(&rng, 3)) {
			case 0:
				text[at] = odd[rng_below(&rng, sizeof(odd) - 1)];
				break;
			case 1:
				memmove(text + at, text + at + 1, len - at - 1);
				len--;
				break;
			default:
				memmove(text + at + 1, text + at, len - at);
				len++;
			}
		}
		free(conf_says(text, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes_that_are_no_text),
	    cmocka_unit_test(test_more_errors_behind_bad_bytes),
	    cmocka_unit_test(test_text_of_other_systems),
	    cmocka_unit_test(test_long_lines),
	    cmocka_unit_test(test_deep_nesting),
	    cmocka_unit_test(test_many_keys),
	    cmocka_unit_test(test_a_file_too_large),
	    cmocka_unit_test(test_cut_at_every_byte),
	    cmocka_unit_test(test_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
