/* SPDX-License-Identifier: BSD-3-Clause */
/* The MSS option of SYNs: where it stands, what it says, and the checksum afterwards. */

#include <string.h>

#include "world.h"

static const struct ip4 flow = {.src = "10.1.0.1", .dst = "10.9.0.1"};

/* Clamps a SYN with these options to 1400; what it looks like then. */
static void clamp(struct world *t, const void *options, size_t len, struct packet *out)
{
	struct packet p = {0};
	struct rte_mbuf *m;

	packet_tcp(&p, &flow, 1, 2, 2, options, len);
	m = world_mbuf(t, &p);
	mss_clamp_syn(m, 1400);
	world_bytes(m, out);
	assert_int_equal(out->len, p.len);
	assert_memory_equal(out->bytes, p.bytes, 36); /* IP header, TCP up to the checksum */
	assert_true(packet_l4_is_right(out->bytes));
	rte_pktmbuf_free(m);
}

#define OPTIONS 40 /* offset of the options in a packet */

static void test_lowers(void **state)
{
	struct packet out;

	clamp(*state, "\2\4\5\xb4", 4, &out);
	assert_int_equal(get16(out.bytes + OPTIONS + 2), 1400);
}

static void test_never_raises(void **state)
{
	static const uint16_t values[] = {0, 1, 536, 1399, 1400};

	for (unsigned i = 0; i < TEST_COUNT(values); i++) {
		uint8_t option[4] = {2, 4};
		struct packet out;

		put16(option + 2, values[i]);
		clamp(*state, option, sizeof(option), &out);
		assert_int_equal(get16(out.bytes + OPTIONS + 2), values[i]);
	}
}

/* Behind NOPs, at odd offsets too. */
static void test_at_every_offset(void **state)
{
	for (unsigned offset = 0; offset <= 36; offset++) {
		uint8_t options[40];
		struct packet out;

		memset(options, 1, sizeof(options));
		memcpy(options + offset, "\2\4\xff\xfe", 4);
		clamp(*state, options, sizeof(options), &out);
		assert_int_equal(get16(out.bytes + OPTIONS + offset + 2), 1400);
	}
}

/* Every checksum, and every value above. */
static void test_every_value(void **state)
{
	for (unsigned offset = 0; offset < 2; offset++) {
		for (unsigned value = 1401; value < 65536; value += 7) {
			uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 1};
			struct packet out;

			options[offset] = 2;
			options[offset + 1] = 4;
			put16(options + offset + 2, value);
			clamp(*state, options, sizeof(options), &out);
			assert_int_equal(get16(out.bytes + OPTIONS + offset + 2), 1400);
		}
	}
}

static void test_behind_other_options(void **state)
{
	/* timestamps, window scale, SACK permitted, MSS */
	static const char options[] = "\x08\x0a\1\2\3\4\5\6\7\x08\3\3\7\4\2\2\4\x22\x33\1";
	struct packet out;

	clamp(*state, options, 20, &out);
	assert_int_equal(get16(out.bytes + OPTIONS + 17), 1400);
}

/* What makes no sense is left alone. */
static void test_odd_options(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
	    {"\0\2\4\xff\xff\0\0\0", 8}, /* behind the end */
	    {"\2\3\xff\xff", 4},         /* wrong length */
	    {"\2\5\xff\xff\0\0\0\0", 8}, {"\2\0\xff\xff", 4}, {"\2\1\xff\xff", 4},
	    {"\1\1\1\2", 4}, /* cut off */
	    {"\1\1\2\4", 4}, {"\1\2\4\xff", 4},
	    {"\3\0\2\4\xff\xff\0\0", 8}, /* length 0: would loop for ever */
	    {"\3\1\2\4\xff\xff\0\0", 8}, {"\3\xff\2\4\xff\xff\0\0", 8}, /* longer than the header */
	    {"\5\7\2\4\xff\xff\0\0", 8},                                /* inside another option */
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct packet out;

		clamp(*state, cases[i].bytes, cases[i].len, &out);
		assert_memory_equal(out.bytes + OPTIONS, cases[i].bytes, cases[i].len);
	}
}

/* A header length that lies, and a header across two segments. */
static void test_header_not_at_hand(void **state)
{
	struct world *t = *state;

	for (unsigned words = 0; words < 16; words++) {
		struct packet p = {0}, out;
		struct rte_mbuf *m;

		packet_tcp(&p, &flow, 1, 2, 2, (const uint8_t *)"\2\4\xff\xff", 4);
		p.bytes[20 + 12] = (uint8_t)(words << 4);
		m = world_mbuf(t, &p);
		mss_clamp_syn(m, 1400);
		world_bytes(m, &out);
		assert_int_equal(get16(out.bytes + OPTIONS + 2), words == 6 ? 1400 : 0xffff);
		rte_pktmbuf_free(m);
	}
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lowers),
	    TEST(test_never_raises),
	    TEST(test_at_every_offset),
	    TEST(test_every_value),
	    TEST(test_behind_other_options),
	    TEST(test_odd_options),
	    TEST(test_header_not_at_hand),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
