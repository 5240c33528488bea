/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Messages at fault and the exact NOTIFICATION for each (BG-02), before and after the session is up; and
 * the stream they come in, cut in any way.
 */

#include "speaker.h"

#include "base/text.h"

#define MARKER "ffffffffffffffffffffffffffffffff"

/* ---- headers (RFC 4271 6.1) and OPEN (6.2): hex from the first octet on ---- */

struct fault {
	const char *name;
	const char *hex;
	uint8_t code, subcode;
	const char *data;
};

/* An OPEN of peer 1 (AS 65001 = fde9), hold 90, ID 10.0.0.1, and the optional parameters given. */
#define OPEN_OF(len, version, as, hold, id, params) MARKER len "01" version as hold id params
#define GOOD(len, params)                           OPEN_OF(len, "04", "fde9", "005a", "0a000001", params)

static const struct fault faults[] = {
    {"marker", "fffffffffffffffffffffffffffffffe 0013 04", 1, 1, ""},
    {"marker zero", "00000000000000000000000000000000 0013 04", 1, 1, ""},
    {"length 0", MARKER "0000 01", 1, 2, "0000"},
    {"length 18", MARKER "0012 04", 1, 2, "0012"},
    {"length 4097", MARKER "1001 02", 1, 2, "1001"},
    {"length 65535", MARKER "ffff 02", 1, 2, "ffff"},
    {"OPEN of 28", MARKER "001c 01", 1, 2, "001c"},
    {"UPDATE of 22", MARKER "0016 02", 1, 2, "0016"},
    {"NOTIFICATION of 20", MARKER "0014 03", 1, 2, "0014"},
    {"KEEPALIVE of 20", MARKER "0014 04", 1, 2, "0014"},
    {"ROUTE-REFRESH of 22", MARKER "0016 05", 1, 2, "0016"},
    {"type 0", MARKER "0013 00", 1, 3, "00"},
    {"type 6", MARKER "0013 06", 1, 3, "06"},
    {"version 3", OPEN_OF("001d", "03", "fde9", "005a", "0a000001", "00"), 2, 1, "0004"},
    {"version 5", OPEN_OF("001d", "05", "fde9", "005a", "0a000001", "00"), 2, 1, "0004"},
    {"AS 0", OPEN_OF("001d", "04", "0000", "005a", "0a000001", "00"), 2, 2, ""},
    {"AS 0 and the AS in the capability",
	OPEN_OF("0025", "04", "0000", "005a", "0a000001", "08 02 06 41 04 0000fde9"), 2, 2, ""},
    {"another AS", OPEN_OF("001d", "04", "fdea", "005a", "0a000001", "00"), 2, 2, ""},
    {"AS_TRANS without capability", OPEN_OF("001d", "04", "5ba0", "005a", "0a000001", "00"), 2, 2,
	""},
    {"AS 0 in the capability", GOOD("0025", "08 02 06 41 04 00000000"), 2, 2, ""},
    {"another AS in the capability", GOOD("0025", "08 02 06 41 04 0000fdea"), 2, 2, ""},
    {"ID 0", OPEN_OF("001d", "04", "fde9", "005a", "00000000", "00"), 2, 3, ""},
    {"hold 1", OPEN_OF("001d", "04", "fde9", "0001", "0a000001", "00"), 2, 6, ""},
    {"hold 2", OPEN_OF("001d", "04", "fde9", "0002", "0a000001", "00"), 2, 6, ""},
    {"parameter 1 (authentication)", GOOD("0020", "03 01 01 00"), 2, 4, ""},
    {"parameters longer than said", GOOD("0020", "02 02 00 00"), 2, 0, ""},
    {"parameters shorter than said", GOOD("001f", "05 02 00"), 2, 0, ""},
    {"parameter beyond the end", GOOD("0020", "03 02 05 00"), 2, 0, ""},
    {"capability beyond the end", GOOD("0021", "04 02 02 41 04"), 2, 0, ""},
    {"capability of one octet", GOOD("0020", "03 02 01 41"), 2, 0, ""},
    {"extended parameters too short", GOOD("0021", "ff ff 0005 02"), 2, 0, ""},
    {"no family in common", GOOD("0025", "08 02 06 01 04 0002 0001"), 2, 7, "0104 0001 0001"},
    {"UPDATE in OpenSent", MARKER "0017 02 0000 0000", 5, 1, "02"},
    {"KEEPALIVE in OpenSent", MARKER "0013 04", 5, 1, "04"},
    {"ROUTE-REFRESH in OpenSent", MARKER "0017 05 0001 00 01", 5, 1, "05"},
};

static void faults_before_open(void **state)
{
	for (unsigned i = 0; i < TEST_COUNT(faults); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		print_message("%s\n", faults[i].name);
		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		speaker_hex(&s, 1, faults[i].hex);
		speaker_expect_notification(
		    &s, 1, faults[i].code, faults[i].subcode, faults[i].data);
		speaker_expect_nothing(&s, 1);
		assert_int_equal(s.remote[1].closes, 1);
		assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
		speaker_fini(&s);
	}
}

/* The same octets one by one, and with rubbish behind them, say the same once. */
static void faults_byte_by_byte(void **state)
{
	for (unsigned i = 0; i < TEST_COUNT(faults); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;
		uint8_t bytes[256];
		size_t len = unhex(faults[i].hex, bytes, 200);

		memset(bytes + len, 0xaa, 50);
		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		for (size_t k = 0; k < len + 50; k++)
			speaker_bytes(&s, 1, bytes + k, 1);
		speaker_expect_notification(
		    &s, 1, faults[i].code, faults[i].subcode, faults[i].data);
		speaker_expect_nothing(&s, 1);
		speaker_fini(&s);
	}
}

/* ---- the same once established ---- */

static const struct fault later[] = {
    {"marker", "fffffffffffffffffffffffffffffffe 0013 04", 1, 1, ""},
    {"length 4097 without capability", MARKER "1001 02", 1, 2, "1001"},
    {"type 7", MARKER "0013 07", 1, 3, "07"},
    {"type 0", MARKER "0013 00", 1, 3, "00"},
    {"type 255", MARKER "0013 ff", 1, 3, "ff"},
    {"KEEPALIVE with a payload", MARKER "0014 04 00", 1, 2, "0014"},
    {"NOTIFICATION of one octet", MARKER "0014 03 06", 1, 2, "0014"},
    {"NOTIFICATION of none", MARKER "0013 03", 1, 2, "0013"},
    {"UPDATE of 22", MARKER "0016 02 000000", 1, 2, "0016"},
    {"ROUTE-REFRESH of 22", MARKER "0016 05 000100", 1, 2, "0016"},
    {"OPEN of 28 where none is due", MARKER "001c 01 04 fde9 005a 0a000001", 1, 2, "001c"},
    {"second OPEN", GOOD("001d", "00"), 5, 3, "01"},
    {"second OPEN, of another version", OPEN_OF("001d", "03", "fde9", "005a", "0a000001", "00"), 5,
	3, "01"},
    {"withdrawn routes that take the length of attributes", MARKER "0018 02 0003 00 0000", 3, 1,
	""},
    {"both lengths too long", MARKER "0017 02 ffff ffff", 3, 1, ""},
    {"attributes that take the routes", MARKER "001e 02 0000 0008 400101 00 08 0a 00", 3, 1, ""},
    {"unknown well-known attribute", MARKER "001b 02 0000 0004 40630100", 3, 2, "40630100"},
    {"next hop of MP_REACH_NLRI of 3 octets",
	MARKER "0022 02 0000 000b 800e08 0001 01 03 0a0000 00", 3, 9,
	"800e08 0001 01 03 0a0000 00"},
    {"MP_REACH_NLRI twice",
	MARKER "002f 02 0000 0018 800e09 000101 04 0a000001 00 800e09 000101 04 0a000001 00", 3, 1,
	""},
    {"withdrawn routes too long", MARKER "0017 02 0001 0000", 3, 1, ""},
    {"attributes too long", MARKER "0017 02 0000 0001", 3, 1, ""},
    {"withdrawn prefix of 33", MARKER "001d 02 0006 21 0a00000000 0000", 3, 10, ""},
    {"withdrawn prefix cut off", MARKER "0019 02 0002 10 0a 0000", 3, 10, ""},
    {"prefix of 255", MARKER "0018 02 0000 0000 ff", 3, 10, ""},
    {"prefix cut off", MARKER "0019 02 0000 0000 18 0a", 3, 10, ""},
    {"BoRR with something behind", MARKER "0018 05 0001 01 01 00", 7, 1,
	MARKER "0018 05 0001 01 01 00"},
    {"EoRR with something behind", MARKER "0019 05 0001 02 01 0000", 7, 1,
	MARKER "0019 05 0001 02 01 0000"},
};

static void faults_established(void **state)
{
	for (unsigned i = 0; i < TEST_COUNT(later); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		print_message("%s\n", later[i].name);
		config.extended_messages = false;
		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_establish(&s, 1, CAP_REFRESH CAP_ENHANCED);
		speaker_hex(&s, 1, later[i].hex);
		speaker_expect_notification(&s, 1, later[i].code, later[i].subcode, later[i].data);
		assert_int_equal(s.remote[1].downs, 1);
		assert_int_equal(s.remote[1].end.by, BGP_END_SENT);
		assert_int_equal(s.remote[1].end.code, later[i].code);
		speaker_fini(&s);
	}
}

static void faults_openconfirm(void **state)
{
	static const struct fault fault[] = {
	    {"UPDATE", MARKER "0017 02 0000 0000", 5, 2, "02"},
	    {"OPEN", GOOD("001d", "00"), 5, 2, "01"},
	    {"ROUTE-REFRESH", MARKER "0017 05 0001 00 01", 5, 2, "05"},
	};

	for (unsigned i = 0; i < TEST_COUNT(fault); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		speaker_open(&s, 1, NULL);
		assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
		speaker_hex(&s, 1, fault[i].hex);
		speaker_expect_notification(&s, 1, fault[i].code, fault[i].subcode, fault[i].data);
		speaker_fini(&s);
	}
}

/* ---- what is unusual, and good: an OPEN that comes up, and what the session hears without an answer ---- */

static void odd_opens_are_taken(void **state)
{
	static const struct {
		const char *name, *hex;
		unsigned hold_s;
	} good[] = {
	    {"ID 224.0.0.1", OPEN_OF("001d", "04", "fde9", "005a", "e0000001", "00"), 90},
	    {"ID 255.255.255.255", OPEN_OF("001d", "04", "fde9", "005a", "ffffffff", "00"), 90},
	    {"hold 0", OPEN_OF("001d", "04", "fde9", "0000", "0a000001", "00"), 0},
	    {"hold 3", OPEN_OF("001d", "04", "fde9", "0003", "0a000001", "00"), 3},
	    {"hold 65535", OPEN_OF("001d", "04", "fde9", "ffff", "0a000001", "00"), 90},
	    {"parameter without capabilities", GOOD("001f", "02 02 00"), 90},
	    {"unknown capability", GOOD("0023", "06 02 04 4d 02 1234"), 90},
	    {"graceful restart of no family", GOOD("0023", "06 02 04 40 02 8078"), 90},
	    {"route refresh of three octets", GOOD("0024", "07 02 05 02 03 010203"), 90},
	    {"AS_TRANS and the AS in the capability",
		OPEN_OF("0025", "04", "5ba0", "005a", "0a000001", "08 02 06 41 04 0000fde9"), 90},
	    {"extended parameters", GOOD("0023", "ff ff 0003 02 0000"), 90},
	};

	for (unsigned i = 0; i < TEST_COUNT(good); i++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		print_message("%s\n", good[i].name);
		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		speaker_hex(&s, 1, good[i].hex);
		KEEPALIVE(&s, 1);
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		assert_int_equal(speaker_info(&s, 1).hold_s, good[i].hold_s);
		speaker_fini(&s);
	}
}

/* Hold 0: neither end says anything, and neither minds (RFC 4271 4.4). */
static void no_hold_time_no_keepalives(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	speaker_hex(&s, 1, OPEN_OF("001d", "04", "fde9", "0000", "0a000001", "00"));
	KEEPALIVE(&s, 1);
	speaker_run(&s);
	speaker_drain(&s, 1);
	for (unsigned hour = 0; hour < 24; hour++)
		speaker_wait(&s, DUR_S(3600));
	speaker_expect_nothing(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

static void heard_without_an_answer(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *body;
		unsigned routes;
	} heard[] = {
	    {"a route", BGP_UPDATE,
		"0000 0014 400101 00 400206 0201 0000fde9 400304 0a000001 08 0a", 1},
	    {"End-of-RIB", BGP_UPDATE, "0000 0000", 1},
	    {"attributes alone", BGP_UPDATE,
		"0000 0014 400101 00 400206 0201 0000fde9 400304 0a000001", 1},
	    {"a withdrawal of what is not there", BGP_UPDATE, "0002 08 0b 0000", 1},
	    {"refresh of an unknown family", BGP_ROUTE_REFRESH, "4004 00 47", 1},
	    {"refresh of IPv6, which is not carried", BGP_ROUTE_REFRESH, "0002 00 01", 1},
	    {"refresh with a reserved octet", BGP_ROUTE_REFRESH, "0001 ff 01", 1},
	    {"our address as next hop: the route goes", BGP_UPDATE,
		"0000 0014 400101 00 400206 0201 0000fde9 400304 0a0000fe 08 0a", 1},
	    {"the first AS is another's: the route goes", BGP_UPDATE,
		"0000 0014 400101 00 400206 0201 0000fdea 400304 0a000001 08 0a", 0},
	    {"no ORIGIN: no route", BGP_UPDATE,
		"0000 0010 400206 0201 0000fde9 400304 0a000001 08 0a", 0},
	    {"KEEPALIVE", BGP_KEEPALIVE, "", 0},
	};
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned i = 0; i < TEST_COUNT(heard); i++) {
		print_message("%s\n", heard[i].name);
		speaker_send(&s, 1, heard[i].type, heard[i].body);
		speaker_settle(&s);
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].received, heard[i].routes);
		assert_int_equal(speaker_info(&s, 1).counters.notifications_out, 0);
	}
	speaker_fini(&s);
}

/* Whatever it says, nothing is said to a NOTIFICATION (RFC 4271 6). */
static void notifications_are_not_answered(void **state)
{
	for (unsigned code = 0; code < 256; code++) {
		struct speaker s;
		char body[8];

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_drain(&s, 1);
		snprintf(body, sizeof(body), "%02x%02x", code, 255 - code);
		speaker_send(&s, 1, BGP_NOTIFICATION, body);
		speaker_expect_nothing(&s, 1);
		assert_int_equal(s.remote[1].closes, 1);
		assert_int_equal(s.remote[1].end.by, BGP_END_RECEIVED);
		assert_int_equal(s.remote[1].end.code, code);
		speaker_fini(&s);
	}
}

/* Our own identifier from an internal peer is refused, from an external one it is not (RFC 6286). */
static void own_identifier(void **state)
{
	for (int internal = 0; internal < 2; internal++) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		config.local_as = internal ? PEER_AS(1) : LOCAL_AS;
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		speaker_send(&s, 1, BGP_OPEN, "04 fde9 005a 0a0000fe 00");
		if (internal)
			speaker_expect_notification(&s, 1, BGP_ERR_OPEN, BGP_OPEN_ID, "");
		else
			assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
		speaker_fini(&s);
	}
}

/* ---- the stream ---- */

static size_t put_message(uint8_t *out, uint8_t type, const char *body)
{
	size_t len = 19 + unhex(body, out + 19, 4077);

	memset(out, 0xff, 16);
	out[16] = (uint8_t)(len >> 8);
	out[17] = (uint8_t)len;
	out[18] = type;
	return len;
}

/* OPEN, KEEPALIVE and 200 routes, cut in pieces of every size from 1 to 300 and at random. */
static void any_segmentation(void **state)
{
	static uint8_t bytes[65536];
	struct rng rng = test_rng();
	size_t len = put_message(bytes, BGP_OPEN, "04 fde9 005a 0a000001 08 02 06 41 04 0000fde9");
	char body[256];

	len += put_message(bytes + len, BGP_KEEPALIVE, "");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(body, sizeof(body), "0000 0014 %s 18 0a01%02x", speaker_good(1), i);
		len += put_message(bytes + len, BGP_UPDATE, body);
	}
	for (unsigned size = 0; size <= 300; size += size < 40 ? 1 : 20) {
		struct bgp_peer_config config = speaker_config(1);
		struct speaker s;

		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_accept(&s, 1);
		for (size_t at = 0; at < len;) {
			size_t n = size ? size : 1 + rng_below(&rng, 5000);

			n = n < len - at ? n : len - at;
			speaker_bytes(&s, 1, bytes + at, n);
			at += n;
		}
		assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].received, 200);
		assert_int_equal(speaker_info(&s, 1).counters.bytes_in, len);
		speaker_fini(&s);
	}
}

/* 10 MB of it and then a reset: everything is as before (G1). */
static void megabytes_then_reset(void **state)
{
	static uint8_t bytes[1 << 20];
	struct rng rng = test_rng();
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	for (int round = 0; round < 10; round++) {
		size_t len = 0;

		while (len + 200 < sizeof(bytes)) {
			char body[256];

			snprintf(body, sizeof(body), "0000 0014 %s 18 %02x%04x", speaker_good(1),
			    1 + rng_below(&rng, 100), rng_below(&rng, 65536));
			len += put_message(bytes + len, BGP_UPDATE, body);
		}
		speaker_bytes(&s, 1, bytes, len);
		speaker_settle(&s);
	}
	assert_true(speaker_info(&s, 1).rib[BGP_IPV4].received > 100000);
	speaker_bytes(&s, 1, bytes, 1000); /* amid a message */
	speaker_close(&s, 1);
	assert_int_equal(s.remote[1].end.by, BGP_END_TRANSPORT);
	speaker_settle(&s);
	assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].received, 0);
	speaker_fini(&s);
}

/* The longest message of each kind: 4096 octets, and 65535 with both capabilities (RFC 8654). */
static void longest_messages(void **state)
{
	static char attrs[256], nlri[200000];

	for (int extended = 0; extended < 2; extended++) {
		struct speaker s;
		struct bgp_peer_config config = speaker_config(1);
		unsigned total = extended ? 65535 : 4096, prefixes = (total - 23 - 20) / 4, rest;
		struct text t = text_of(nlri, sizeof(nlri));

		speaker_init(&s);
		speaker_add(&s, 1, &config);
		speaker_establish(&s, 1, extended ? CAP_EXTENDED : "");
		rest = (total - 23 - 20) % 4;
		for (unsigned i = 0; i < prefixes; i++)
			text_addf(&t, "18 %02x%02x%02x", 1 + (i >> 16), i >> 8 & 255, i & 255);
		for (unsigned i = 0; i < rest; i++)
			text_add(&t, "00"); /* the default route, again and again */
		text_copy(attrs, sizeof(attrs), speaker_good(1));
		speaker_update(&s, 1, "", attrs, nlri);
		assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
		assert_int_equal(
		    speaker_info(&s, 1).rib[BGP_IPV4].received, prefixes + (rest ? 1 : 0));
		speaker_fini(&s);
	}
}

/* The longest that we send: attributes that leave room for one host route, and not with one octet more (RFC 4271 9.2). */
static void longest_update_sent(void **state)
{
	static char attrs[10000];

	for (unsigned more = 0; more < 2; more++) {
		size_t longest = 0;
		struct speaker s;

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_up(&s, 2);
		speaker_run(&s);
		speaker_drain(&s, 2);
		/* 23 octets of header and lengths, ORIGIN 4, AS_PATH 13, NEXT_HOP 7, something unknown 4 + 4040, prefix 5 */
		snprintf(attrs, sizeof(attrs), "%s d063 %04x", speaker_good(1), 4040 + more);
		for (unsigned i = 0; i < 4040 + more; i++)
			strcat(attrs, "aa");
		speaker_update(&s, 1, "", attrs, "20 0a000001");
		speaker_settle(&s);
		while (speaker_next(&s, 2))
			longest = s.message.len > longest ? s.message.len : longest;
		assert_int_equal(longest, more ? 0 : BGP_MESSAGE_MAX - BGP_HEADER_BYTES);
		speaker_fini(&s);
	}
}

/* One octet more is refused when we did not offer it. */
static void too_long_without_offer(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	config.extended_messages = false;
	speaker_init(&s);
	speaker_add(&s, 1, &config);
	speaker_establish(&s, 1, CAP_EXTENDED);
	speaker_hex(&s, 1, MARKER "1001 02");
	speaker_expect_notification(&s, 1, BGP_ERR_HEADER, BGP_HEADER_LENGTH, "1001");
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_before_open),
	    cmocka_unit_test(faults_byte_by_byte),
	    cmocka_unit_test(faults_established),
	    cmocka_unit_test(faults_openconfirm),
	    cmocka_unit_test(odd_opens_are_taken),
	    cmocka_unit_test(no_hold_time_no_keepalives),
	    cmocka_unit_test(heard_without_an_answer),
	    cmocka_unit_test(notifications_are_not_answered),
	    cmocka_unit_test(own_identifier),
	    cmocka_unit_test(any_segmentation),
	    cmocka_unit_test(megabytes_then_reset),
	    cmocka_unit_test(longest_messages),
	    cmocka_unit_test(longest_update_sent),
	    cmocka_unit_test(too_long_without_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
