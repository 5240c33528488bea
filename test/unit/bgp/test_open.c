/* SPDX-License-Identifier: BSD-3-Clause */

/* Capabilities of an OPEN, in every shape they come in (RFC 5492, 9072; G2, BG-07). */

#include "speaker.h"

#include "bgp/message.h"

static const struct bgp_open_rules rules = {
    .local_as = 65000, .remote_as = 65001, .local_id = 1, .families = 3, .role = BGP_ROLE_NONE};

static struct bgp_open open_;
static struct bgp_error error;

/* Version to identifier of a good one, then the optional parameters. */
static bool parse(const char *params)
{
	uint8_t bytes[4096], *exact;
	size_t len = unhex("04 fde9 005a 0a000001", bytes, sizeof(bytes));
	bool good;

	len += unhex(params, bytes + len, sizeof(bytes) - len);
	exact = malloc(len);
	memcpy(exact, bytes, len);
	good = bgp_open_parse(wire_of(exact, len), &rules, &open_, &error);
	free(exact);
	return good;
}

/* The same with one parameter that holds these capabilities. */
static bool parse_caps(const char *caps)
{
	uint8_t bytes[512];
	size_t len = unhex(caps, bytes, sizeof(bytes));
	char hex[1200];

	snprintf(hex, sizeof(hex), "%02zx 02 %02zx %s", len + 2, len, caps);
	return parse(hex);
}

static void no_parameters(void **state)
{
	assert_true(parse("00"));
	assert_int_equal(open_.as, 65001);
	assert_int_equal(open_.id, 0x0a000001);
	assert_int_equal(open_.hold_s, 90);
	assert_int_equal(open_.families, 1); /* IPv4, unless told otherwise */
	assert_false(
	    open_.as4 || open_.refresh || open_.graceful_restart || open_.has_capabilities);
	assert_int_equal(open_.role, BGP_ROLE_NONE);
}

static void all_of_them(void **state)
{
	assert_true(
	    parse_caps("0104 00010001 0104 00020001 0104 00190041 0200 0600 4600 4104 0000fde9"
		       "400a 8078 00010180 00020100 0901 03"));
	assert_int_equal(open_.families, 3);
	assert_true(
	    open_.as4 && open_.refresh && open_.enhanced_refresh && open_.extended_messages);
	assert_true(open_.graceful_restart && open_.restarting && !open_.notification_restart);
	assert_int_equal(open_.restart_s, 120);
	assert_int_equal(open_.restart_families, 3);
	assert_int_equal(open_.forwarding_families, 1);
	assert_int_equal(open_.role, BGP_ROLE_CUSTOMER);
}

/* One parameter each, several parameters, empty parameters. */
static void any_grouping(void **state)
{
	assert_true(parse("0e 02 06 4104 0000fde9 02 02 0200 02 00"));
	assert_true(open_.as4 && open_.refresh);
	assert_true(parse("02 02 00"));
}

static void unknown_ones(void **state)
{
	char hex[2000] = "";

	assert_true(parse_caps("8306 010203040506"));
	assert_true(parse_caps("ff00"));
	/* every code, each empty; those of fixed length are passed over */
	strcat(hex, "ff ff 0203 02 0200");
	for (unsigned code = 0; code < 256; code++)
		sprintf(hex + strlen(hex), "%02x00", code);
	assert_true(parse(hex));
	assert_true(open_.refresh);
	assert_false(open_.as4 || open_.graceful_restart);
	assert_int_equal(open_.families, 1);
}

/* Lengths no RFC gives them: as if they were not there. */
static void odd_lengths(void **state)
{
	assert_true(parse_caps("0103 000200")); /* multiprotocol of 3 */
	assert_int_equal(open_.families, 1);
	assert_true(parse_caps("0105 0002000100"));
	assert_int_equal(open_.families, 1);
	assert_true(parse_caps("0201 00")); /* route refresh with something in it */
	assert_false(open_.refresh);
	assert_true(parse_caps("4103 00fde9"));
	assert_false(open_.as4);
	assert_true(parse_caps("4001 80")); /* graceful restart of 1, 3, 7 */
	assert_false(open_.graceful_restart);
	assert_true(parse_caps("4003 807800"));
	assert_false(open_.graceful_restart);
	assert_true(parse_caps("4007 8078 0001018000"));
	assert_false(open_.graceful_restart);
	assert_true(parse_caps("4002 8078"));
	assert_true(open_.graceful_restart);
	assert_true(parse_caps("0900"));
	assert_int_equal(open_.role, BGP_ROLE_NONE);
}

static void more_than_once(void **state)
{
	assert_true(parse_caps("0200 0200 4104 0000fde9 4104 0000fde9 0200"));
	assert_true(parse_caps("4006 0078 00010180 4008 005a 00020180 0000"
	    /* the second one has an odd length and is passed over */));
	assert_int_equal(open_.restart_s, 120);
	assert_true(parse_caps("4006 0078 00010180 4006 005a 00020180"));
	assert_int_equal(open_.restart_s, 90);
	assert_int_equal(open_.restart_families, 2);
	assert_true(parse_caps("0901 03 0901 03"));
	assert_false(parse_caps("0901 03 0901 04"));
	assert_int_equal(error.subcode, BGP_OPEN_ROLE);
}

/* RFC 9072: longer than 255, told by the type 255 of the first parameter, whatever the length says. */
static void extended_parameters(void **state)
{
	static char hex[3000];

	assert_true(parse("ff ff 0009 02 0006 4104 0000fde9"));
	assert_true(open_.as4);
	assert_true(parse("01 ff 0009 02 0006 4104 0000fde9"));
	assert_true(open_.as4);
	assert_true(parse("ff ff 0000"));
	assert_false(parse("ff ff 0001"));
	assert_false(parse("ff ff"));
	assert_false(parse("ff ff 00"));
	assert_false(parse("ff ff 0004 02 0006 41"));
	assert_false(parse("ff ff 0003 01 0000"));
	assert_int_equal(error.subcode, BGP_OPEN_PARAMETER);
	strcpy(
	    hex, "ff ff 0306 02 0300"); /* 768 octets of capabilities, 3 times 254 and one more */
	for (unsigned i = 0; i < 3; i++) {
		strcat(hex, "c8fc");
		for (unsigned k = 0; k < 252; k++)
			strcat(hex, "aa");
	}
	strcat(hex, "4104 0000fde9 02 0000");
	assert_true(parse(hex));
	assert_true(open_.as4);
}

/* Every cut of a good one is refused, or is one that says less. */
static void every_cut(void **state)
{
	static const char whole[] = "04fde9005a0a00000120021e010400010001010400020001020046004104"
				    "0000fde94006007800010180";
	char cut[200];

	for (size_t n = 0; n + 2 <= sizeof(whole); n += 2) {
		uint8_t bytes[100], *exact;
		size_t len;

		memcpy(cut, whole, n);
		cut[n] = '\0';
		len = unhex(cut, bytes, sizeof(bytes));
		exact = malloc(len + !len);
		memcpy(exact, bytes, len);
		assert_false(bgp_open_parse(wire_of(exact, len), &rules, &open_, &error));
		free(exact);
	}
}

/* What we write is what we read. */
static void round_trip(void **state)
{
	struct rng rng = test_rng();

	for (unsigned round = 0; round < 5000; round++) {
		uint8_t bytes[BGP_MESSAGE_MAX];
		struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
		struct bgp_open_rules r = rules;
		struct bgp_header header;
		struct bgp_open o = {.id = 1 + rng_below(&rng, 99999),
		    .as = 1 + rng_below(&rng, 65000),
		    .hold_s = (uint16_t)(3 + rng_below(&rng, 65533)),
		    .families = (uint8_t)(1 + rng_below(&rng, 3)),
		    .refresh = rng_below(&rng, 2),
		    .enhanced_refresh = rng_below(&rng, 2),
		    .extended_messages = rng_below(&rng, 2),
		    .role = rng_below(&rng, 2) ? BGP_ROLE_NONE : (uint8_t)rng_below(&rng, 5),
		    .has_capabilities = true};

		o.as4 = rng_below(&rng, 2);
		if (o.as4)
			o.as = 1 + rng_u32(&rng) % 4294967295u;
		o.graceful_restart = rng_below(&rng, 2);
		if (o.graceful_restart) {
			o.restarting = rng_below(&rng, 2);
			o.notification_restart = rng_below(&rng, 2);
			o.restart_s = (uint16_t)rng_below(&rng, 4096);
			o.restart_families = (uint8_t)rng_below(&rng, 4);
			o.forwarding_families = o.restart_families & (uint8_t)rng_below(&rng, 4);
		}
		r.remote_as = o.as;
		bgp_open_write(&b, &o);
		assert_true(bgp_header_parse(bytes, BGP_MESSAGE_MAX, &header, &error));
		assert_int_equal(header.len, wirebuf_len(&b));
		assert_true(
		    bgp_open_parse(wire_of(bytes + 19, wirebuf_len(&b) - 19), &r, &open_, &error));
		assert_int_equal(open_.as, o.as);
		assert_int_equal(open_.id, o.id);
		assert_int_equal(open_.hold_s, o.hold_s);
		assert_int_equal(open_.families, o.families);
		assert_int_equal(open_.as4, o.as4);
		assert_int_equal(open_.refresh, o.refresh);
		assert_int_equal(open_.enhanced_refresh, o.enhanced_refresh);
		assert_int_equal(open_.extended_messages, o.extended_messages);
		assert_int_equal(open_.role, o.role);
		assert_int_equal(open_.graceful_restart, o.graceful_restart);
		assert_int_equal(open_.restarting, o.restarting);
		assert_int_equal(open_.notification_restart, o.notification_restart);
		assert_int_equal(open_.restart_s, o.restart_s);
		assert_int_equal(open_.restart_families, o.restart_families);
		assert_int_equal(open_.forwarding_families, o.forwarding_families);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_parameters),
	    cmocka_unit_test(all_of_them),
	    cmocka_unit_test(any_grouping),
	    cmocka_unit_test(unknown_ones),
	    cmocka_unit_test(odd_lengths),
	    cmocka_unit_test(more_than_once),
	    cmocka_unit_test(extended_parameters),
	    cmocka_unit_test(every_cut),
	    cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
