/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Path attributes: what is kept of them, and what becomes of an UPDATE with each kind of error (RFC 7606).
 * Parsing alone; test_update.c has the session around it.
 */

#include "speaker.h"

#include "bgp/attr.h"

enum from { EXTERNAL, INTERNAL, OLD, SETS }; /* OLD: external, 2-octet AS numbers */

static const struct bgp_attr_session sessions[] = {
    [EXTERNAL] = {.as4 = true, .external = true, .families = 3},
    [INTERNAL] = {.as4 = true, .families = 3},
    [OLD] = {.external = true, .families = 3},
    [SETS] = {.as4 = true, .external = true, .allow_sets = true, .families = 3},
};

#define NONE BGP_CLASS_NONE
#define DISC BGP_CLASS_DISCARD
#define TAW  BGP_CLASS_WITHDRAW
#define RST  BGP_CLASS_RESET

#define O  "400101 00"
#define P  "400206 0201 0000fde9"
#define N  "400304 0a000001"
#define OK O P N

struct row {
	const char *attrs;
	enum from from;
	uint8_t class;
	uint8_t subcode;  /* 0 with NONE */
	const char *kept; /* canonical; NULL: not looked at */
};

/* Each with a route in the NLRI field. */
static const struct row rows[] = {
    /* what is good, and how it is kept */
    {OK, EXTERNAL, NONE, 0, OK},
    {N P O, EXTERNAL, NONE, 0, OK},
    {"50010001 00"
     "50020006 0201 0000fde9" N,
	EXTERNAL, NONE, 0, OK},
    {"4f0101 00" P N, EXTERNAL, NONE, 0, OK},        /* reserved flag bits */
    {"600101 00" P N, EXTERNAL, NONE, 0, OK},        /* Partial means nothing here */
    {O "400200" N, EXTERNAL, NONE, 0, O "400200" N}, /* empty path */
    {OK "800404 00000005", EXTERNAL, NONE, 0, OK "800404 00000005"},
    {OK "400504 00000064", INTERNAL, NONE, 0, OK "400504 00000064"},
    {OK "400504 00000064", EXTERNAL, NONE, 0, OK},
    {OK "400600", EXTERNAL, NONE, 0, OK "400600"},
    {OK "c00708 0000fde9 0a000001", EXTERNAL, NONE, 0, OK "c00708 0000fde9 0a000001"},
    {OK "e00708 0000fde9 0a000001", EXTERNAL, NONE, 0, OK "e00708 0000fde9 0a000001"},
    {OK "c00808 00010002 ffffff01", EXTERNAL, NONE, 0, OK "c00808 00010002 ffffff01"},
    {OK "800904 0a000001", INTERNAL, NONE, 0, OK "800904 0a000001"},
    {OK "800904 0a000001", EXTERNAL, NONE, 0, OK},
    {OK "800a08 0a000001 0a000002", INTERNAL, NONE, 0, OK "800a08 0a000001 0a000002"},
    {OK "800a08 0a000001 0a000002", EXTERNAL, NONE, 0, OK},
    {OK "c01008 0002fde900000001", EXTERNAL, NONE, 0, OK "c01008 0002fde900000001"},
    {OK "c01914 0002 20010db8000000000000000000000001 0001", EXTERNAL, NONE, 0,
	OK "c01914 0002 20010db8000000000000000000000001 0001"},
    {OK "c0200c 00000001 00000002 00000003", EXTERNAL, NONE, 0,
	OK "c0200c 00000001 00000002 00000003"},
    /* in the order they came, but what is there twice (RFC 8092 3) */
    {OK "c02018 00000002 00000002 00000003 00000001 00000002 00000003", EXTERNAL, NONE, 0,
	OK "c02018 00000002 00000002 00000003 00000001 00000002 00000003"},
    {OK "c02018 00000001 00000002 00000003 00000001 00000002 00000003", EXTERNAL, NONE, 0,
	OK "c0200c 00000001 00000002 00000003"},
    {OK "e02030 00000002 00000002 00000003 00000001 00000002 00000003"
	"00000002 00000002 00000003 00000001 00000002 00000003",
	EXTERNAL, NONE, 0, OK "e02018 00000002 00000002 00000003 00000001 00000002 00000003"},
    {OK "c02304 0000fde9", EXTERNAL, NONE, 0, OK "c02304 0000fde9"},

    /* ORIGIN (7.1) */
    {"400100" P N, EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {"400102 0000" P N, EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {"400101 03" P N, EXTERNAL, TAW, BGP_UPD_ORIGIN, NULL},
    {"400101 ff" P N, INTERNAL, TAW, BGP_UPD_ORIGIN, NULL},
    {"c00101 00" P N, EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {"000101 00" P N, EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {"800101 00" P N, EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {P N, EXTERNAL, TAW, BGP_UPD_MISSING, NULL},

    /* AS_PATH (7.2) */
    {O "400201 02" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400202 0200" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},        /* no AS in the segment */
    {O "400205 0201 0000fd" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL}, /* cut off */
    {O "400206 0202 0000fde9" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400207 0201 0000fde9 02" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400206 0001 0000fde9" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400206 0501 0000fde9" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400206 0301 0000fde9" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL}, /* confederation */
    {O "400206 0401 0000fde9" N, INTERNAL, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400206 0101 0000fde9" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL}, /* AS_SET (RFC 9774) */
    {O "400206 0101 0000fde9" N, SETS, NONE, 0, O "400206 0101 0000fde9" N},
    {O "40020a 0202 0000fde9 00000000" N, EXTERNAL, TAW, BGP_UPD_AS_PATH, NULL}, /* AS 0 */
    {O "c00206 0201 0000fde9" N, EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {O N, EXTERNAL, TAW, BGP_UPD_MISSING, NULL},

    /* NEXT_HOP (7.3, RFC 4271 6.3) */
    {O P "400303 0a0000", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {O P "400305 0a00000101", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {O P "400304 00000000", EXTERNAL, TAW, BGP_UPD_NEXT_HOP, NULL},
    {O P "400304 7f000001", EXTERNAL, TAW, BGP_UPD_NEXT_HOP, NULL},
    {O P "400304 e0000001", EXTERNAL, TAW, BGP_UPD_NEXT_HOP, NULL},
    {O P "400304 ffffffff", EXTERNAL, TAW, BGP_UPD_NEXT_HOP, NULL},
    {O P "c00304 0a000001", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {O P, EXTERNAL, TAW, BGP_UPD_MISSING, NULL},

    /* MULTI_EXIT_DISC (7.4), LOCAL_PREF (7.5) */
    {OK "800403 000005", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "800400", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "400404 00000005", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "c00404 00000005", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "400503 000064", INTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "400503 000064", EXTERNAL, NONE, 0, OK}, /* discarded before it is looked at */
    {OK "c00504 00000064", INTERNAL, TAW, BGP_UPD_FLAGS, NULL},

    /* ATOMIC_AGGREGATE (7.6), AGGREGATOR (7.7, RFC 7607) */
    {OK "400601 00", EXTERNAL, DISC, BGP_UPD_LENGTH, OK},
    {OK "c00600", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "c00601 00", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL}, /* both are wrong: the worse counts */
    {OK "c00706 fde9 0a000001", EXTERNAL, DISC, BGP_UPD_LENGTH, OK},
    {OK "c00709 0000fde9 0a000001 00", EXTERNAL, DISC, BGP_UPD_LENGTH, OK},
    {OK "c00700", EXTERNAL, DISC, BGP_UPD_LENGTH, OK},
    {OK "c00708 00000000 0a000001", EXTERNAL, DISC, BGP_UPD_OPTIONAL, OK},
    {OK "400708 0000fde9 0a000001", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "400706 fde9 0a000001", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "800801 00", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},

    /* communities (7.8, 7.14, 7.15, RFC 8092) */
    {OK "c00800", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c00803 000100", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c00805 0001000200", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "800804 00010002", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},
    {OK "c01000", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c01007 0002fde9000000", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c01900", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c01908 0002fde900000001", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c02000", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c0200b 00000001 00000002 000000", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c02300", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c02303 000001", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},

    /* reflection (7.9, 7.10) */
    {OK "800903 0a0000", INTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "800903 0a0000", EXTERNAL, NONE, 0, OK},
    {OK "800a00", INTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "800a05 0a00000100", INTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "800a00", EXTERNAL, NONE, 0, OK},

    /* unknown ones: kept, passed over, or known to everybody but us */
    {OK "c06303 010203", EXTERNAL, NONE, 0, OK "c06303 010203"},
    {OK "e06303 010203", EXTERNAL, NONE, 0, OK "e06303 010203"},
    {OK "d0630003 010203", EXTERNAL, NONE, 0,
	OK "d0630003 010203"}, /* not even the length changes */
    {OK "806303 010203", EXTERNAL, NONE, 0, OK},
    {OK "406303 010203", EXTERNAL, RST, BGP_UPD_UNKNOWN, NULL},
    {OK "006300", EXTERNAL, RST, BGP_UPD_UNKNOWN, NULL},
    {OK "c00000", EXTERNAL, NONE, 0, "c00000" OK},
    {OK "c0ff01 00", EXTERNAL, NONE, 0, OK "c0ff01 00"},

    /* more than once (3 g) */
    {OK "400101 02", EXTERNAL, NONE, 0, OK},
    {OK "400100", EXTERNAL, NONE, 0, OK}, /* not even looked at */
    {OK "c06301 01"
	"c06301 02",
	EXTERNAL, NONE, 0, OK "c06301 01"},
    {OK "800f03 000101"
	"800f03 000101",
	EXTERNAL, RST, BGP_UPD_LIST, NULL},
    {OK "800e05 0063010000"
	"800e05 0063010000",
	EXTERNAL, RST, BGP_UPD_LIST, NULL},

    /* lengths that do not add up (4) */
    {OK "c0", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c008", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "c00804 000100", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "d008", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "d00800", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {OK "d0080004 000100", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {"4001ff 00", EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},

    /* the worst of several counts */
    {OK "400601 00"
	"400101 07"
	"c00803 000100",
	EXTERNAL, TAW, BGP_UPD_LENGTH, NULL},
    {"400101 07" P N "406300", EXTERNAL, RST, BGP_UPD_UNKNOWN, NULL},
    {"", EXTERNAL, TAW, BGP_UPD_MISSING, NULL},

    /* MP_REACH_NLRI (7.11) and MP_UNREACH_NLRI (7.12) */
    {OK "800e00", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800e04 00020110", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800e05 0002010000", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL}, /* next hop of 0 octets */
    {OK "800e09 0002010420010db800", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL}, /* of 4 */
    /* of 1, with routes: nothing is read beyond it */
    {OK "800e08 000201 01 fd 00 0820", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800e15 000201 10 20010db8000000000000000000000001 00", EXTERNAL, NONE, 0, NULL},
    {OK "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8", EXTERNAL, NONE, 0,
	NULL},
    {OK "800e1a 000201 10 20010db8000000000000000000000001 00 21 20010db8", EXTERNAL, RST,
	BGP_UPD_OPTIONAL, NULL},
    {OK "800e17 000201 10 20010db8000000000000000000000001 00 81 00", EXTERNAL, RST,
	BGP_UPD_OPTIONAL, NULL},
    {OK "800e1a 000201 10 ff020000000000000000000000000001 00 20 20010db8", EXTERNAL, TAW,
	BGP_UPD_NEXT_HOP, NULL},
    {OK "c00e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8", EXTERNAL, TAW,
	BGP_UPD_FLAGS, NULL},
    {OK "800e09 00010104 0a000001 00", EXTERNAL, NONE, 0, NULL}, /* IPv4 in MP_REACH */
    {OK "800e15 000101 10 20010db8000000000000000000000001 00", EXTERNAL, RST, BGP_UPD_OPTIONAL,
	NULL},
    {OK "800e05 0063010000", EXTERNAL, NONE, 0, NULL}, /* a family that is not ours: passed over */
    {OK "800f02 0002", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800f00", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800f04 000201 81", EXTERNAL, RST, BGP_UPD_OPTIONAL, NULL},
    {OK "800f08 000201 20 20010db8", EXTERNAL, NONE, 0, NULL},
    {OK "c00f08 000201 20 20010db8", EXTERNAL, TAW, BGP_UPD_FLAGS, NULL},

    /* from a speaker of 2-octet AS numbers (RFC 6793) */
    {O "400204 0201 fde9" N, OLD, NONE, 0, OK},
    {O "400206 0201 0000fde9" N, OLD, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400204 0201 fde9" N "c00706 fde9 0a000001", OLD, NONE, 0, OK "c00708 0000fde9 0a000001"},
    {O "400204 0201 fde9" N "c00708 0000fde9 0a000001", OLD, DISC, BGP_UPD_LENGTH, OK},
    {O "400204 0201 fde9" N "c00706 0000 0a000001", OLD, DISC, BGP_UPD_OPTIONAL, OK},
    /* AS_TRANS stands for what AS4_PATH tells */
    {O "400206 0202 fde9 5ba0" N "c01106 0201 00030d40", OLD, NONE, 0,
	O "40020a 0202 0000fde9 00030d40" N},
    {O "400208 0203 fde9 5ba0 fdea" N "c0110a 0202 00030d40 0000fdea", OLD, NONE, 0,
	O "40020e 0203 0000fde9 00030d40 0000fdea" N},
    /* AS4_PATH longer than the path: somebody cut it, so it is void */
    {O "400204 0201 5ba0" N "c0110a 0202 00030d40 00030d41", OLD, NONE, 0,
	O "400206 0201 00005ba0" N},
    /* malformed AS4_PATH: left out (6) */
    {O "400204 0201 5ba0" N "c01105 0201 00030d", OLD, DISC, BGP_UPD_AS_PATH,
	O "400206 0201 00005ba0" N},
    {O "400204 0201 5ba0" N "c01106 0301 00030d40", OLD, DISC, BGP_UPD_AS_PATH, NULL},
    {O "400204 0201 5ba0" N "c01106 0201 00000000", OLD, DISC, BGP_UPD_AS_PATH, NULL},
    /* of a confederation it must not speak: the rest of it stands (6), wherever AS_PATH is */
    {O "400208 0203 fde9 5ba0 fdea" N "c01110 0301 0000fc01 0202 00030d40 0000fdea", OLD, DISC,
	BGP_UPD_AS_PATH, O "40020e 0203 0000fde9 00030d40 0000fdea" N},
    {O "c0110a 0202 00030d40 0000fdea 400208 0203 fde9 5ba0 fdea" N, OLD, NONE, 0,
	O "40020e 0203 0000fde9 00030d40 0000fdea" N},
    /* a set in it is a set in the path (RFC 9774) */
    {O "400204 0201 5ba0" N "c01106 0401 00030d40", OLD, TAW, BGP_UPD_AS_PATH, NULL},
    {O "400204 0201 5ba0" N "c01106 0101 00030d40", OLD, TAW, BGP_UPD_AS_PATH, NULL},
    /* aggregators */
    {O "400204 0201 fde9" N "c00706 5ba0 0a000001"
       "c01208 00030d40 0a000001",
	OLD, NONE, 0, OK "c00708 00030d40 0a000001"},
    {O "400206 0202 fde9 5ba0" N "c00706 fdea 0a000001"
       "c01106 0201 00030d40"
       "c01208 00030d40 0a000001",
	OLD, NONE, 0, O "40020a 0202 0000fde9 00005ba0" N "c00708 0000fdea 0a000001"},
    {O "400204 0201 fde9" N "c01208 00030d40 0a000001", OLD, NONE, 0, OK},
    {O "400204 0201 fde9" N "c00706 5ba0 0a000001"
       "c01207 00030d40 0a0000",
	OLD, DISC, BGP_UPD_LENGTH, OK "c00708 00005ba0 0a000001"},
    {O "400204 0201 fde9" N "c01208 00000000 0a000001", OLD, DISC, BGP_UPD_OPTIONAL, OK},
    /* from a speaker of 4-octet ones they are void */
    {OK "c01106 0201 00030d40"
	"c01208 00030d40 0a000001",
	EXTERNAL, NONE, 0, OK},
    {OK "c01105 0201 00030d", EXTERNAL, NONE, 0, OK},
};

static struct bgp_attr_room room;
static struct bgp_parse parse;

static void run_parse(const char *hex, enum from from, bool nlri)
{
	static uint8_t bytes[66000];
	size_t len = unhex(hex, bytes, sizeof(bytes));
	/* of exactly that size, so that sanitizers see a read beyond */
	static uint8_t *exact;

	free(exact);
	exact = malloc(len ? len : 1);
	memcpy(exact, bytes, len);
	bgp_attr_parse(&parse, &sessions[from], &room, wire_of(exact, len), nlri);
}

static void check_kept(const char *hex)
{
	uint8_t want[4096], have[4096];
	size_t len = unhex(hex, want, sizeof(want));
	struct wirebuf b = wirebuf_of(have, sizeof(have));

	for (unsigned i = 0; i < parse.list.count; i++)
		bgp_attr_write(&b, &parse.list.attr[i]);
	assert_int_equal(wirebuf_len(&b), len);
	assert_memory_equal(have, want, len);
}

static void every_class(void **state)
{
	for (unsigned i = 0; i < TEST_COUNT(rows); i++) {
		const struct row *row = &rows[i];

		run_parse(row->attrs, row->from, true);
		if (parse.class != row->class || parse.error.subcode != row->subcode)
			fail_msg("row %u: %s: class %d (%d), subcode %u (%u)", i, row->attrs,
			    parse.class, row->class, parse.error.subcode, row->subcode);
		if (row->class != NONE)
			assert_int_equal(parse.error.code, BGP_ERR_UPDATE);
		if (row->kept)
			check_kept(row->kept);
	}
}

/* Without any route, an error that would withdraw them ends the session (5.2). */
static void errors_without_routes(void **state)
{
	run_parse(O P, EXTERNAL, false);
	assert_int_equal(parse.class, NONE);
	run_parse("400101 07" P, EXTERNAL, false);
	assert_int_equal(parse.class, RST);
	assert_int_equal(parse.error.subcode, BGP_UPD_ORIGIN);
	run_parse("400101 07" P "800f08 000201 20 20010db8", EXTERNAL, false);
	assert_int_equal(parse.class, RST);
	run_parse("400601 00" P, EXTERNAL, false);
	assert_int_equal(parse.class, DISC);
	/* with routes in MP_REACH_NLRI it withdraws */
	run_parse("400101 07" P "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8",
	    EXTERNAL, false);
	assert_int_equal(parse.class, TAW);
	/* NEXT_HOP is not asked for then */
	run_parse(O P "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8", EXTERNAL,
	    false);
	assert_int_equal(parse.class, NONE);
	/* nor looked at when it is there (RFC 4760 3) */
	run_parse(O P "400304 00000000 800e0b 000101 04 0a000001 00 08 0a", EXTERNAL, false);
	assert_int_equal(parse.class, NONE);
	run_parse(O P "400304 00000000 800e0b 000101 04 0a000001 00 08 0a", EXTERNAL, true);
	assert_int_equal(parse.class, TAW);
}

/* The NOTIFICATION of a reset carries the attribute, or the code of the missing one. */
static void error_data(void **state)
{
	run_parse(OK "406303 010203", EXTERNAL, true);
	assert_int_equal(parse.error.len, 6);
	assert_memory_equal(parse.error.data, "\x40\x63\x03\x01\x02\x03", 6);
	run_parse(OK "800f02 0002"
		     "c00803 000100",
	    EXTERNAL, true);
	assert_int_equal(parse.error.len, 5);
	assert_memory_equal(parse.error.data, "\x80\x0f\x02\x00\x02", 5);
	run_parse(O N, EXTERNAL, true);
	assert_int_equal(parse.error.own_len, 1);
	assert_int_equal(parse.error.own[0], BGP_ATTR_AS_PATH);
}

/*
 * Every code and every combination of flags, empty and with a value (G7): unknown transitive ones are kept
 * octet for octet, and nothing but the four classes comes out.
 */
static void every_code_and_flag(void **state)
{
	static const char *const values[] = {"", "00", "01020304", "0102030405060708090a0b0c"};

	for (unsigned code = 0; code < 256; code++) {
		for (unsigned flags = 0; flags < 256; flags += 1) {
			unsigned v = (code + flags) % 4;
			size_t len = strlen(values[v]) / 2;
			char hex[256], kept[256];
			bool extended = flags & BGP_FLAG_EXTENDED;

			snprintf(hex, sizeof(hex),
			    extended ? OK "%02x%02x%04zx%s" : OK "%02x%02x%02zx%s", flags, code,
			    len, values[v]);
			run_parse(hex, code % 2 ? EXTERNAL : INTERNAL, true);
			assert_in_range(parse.class, NONE, RST);
			if (bgp_attr_row((uint8_t)code))
				continue;
			if (!(flags & BGP_FLAG_OPTIONAL)) {
				assert_int_equal(parse.class, RST);
				continue;
			}
			assert_int_equal(parse.class, NONE);
			if (!(flags & BGP_FLAG_TRANSITIVE)) {
				check_kept(OK);
				continue;
			}
			snprintf(kept, sizeof(kept),
			    extended ? "%s%02x%02x%04zx%s%s" : "%s%02x%02x%02zx%s%s",
			    code == 0 ? "" : OK, flags & 0xf0, code, len, values[v],
			    code == 0 ? OK : "");
			check_kept(kept);
		}
	}
}

/* ---- sets ---- */

static void sets_are_canonical(void **state)
{
	struct bgp_sets sets;
	struct bgp_attrs *a, *b, *c;
	char text[64];

	bgp_sets_init(&sets, 1);
	run_parse(OK "800404 00000007"
		     "c00804 00010002"
		     "c06301 05",
	    EXTERNAL, true);
	a = bgp_parse_set(&parse, &sets, false);
	run_parse("c06301 05"
		  "c00804 00010002"
		  "800404 00000007" N P O,
	    EXTERNAL, true);
	b = bgp_parse_set(&parse, &sets, false);
	assert_ptr_equal(a, b);
	assert_int_equal(a->refs, 2);
	assert_int_equal(sets.count, 1);
	run_parse(OK "800404 00000008"
		     "c00804 00010002"
		     "c06301 05",
	    EXTERNAL, true);
	c = bgp_parse_set(&parse, &sets, false);
	assert_ptr_not_equal(a, c);
	assert_true(a->has_med && a->med == 7 && a->path_len == 1 && a->neighbour_as == 65001);
	assert_true(a->has_community && !a->has_local_pref && a->origin == 0);
	assert_string_equal(ip_text(&a->next_hop, (char[IP_TEXT_MAX]){0}), "10.0.0.1");
	assert_true(bgp_attrs_has_community(a, 0x00010002));
	assert_false(bgp_attrs_has_community(a, 0x00010003));
	assert_string_equal(bgp_attrs_path_text(a, text, sizeof(text)), "65001");
	assert_string_equal(bgp_attrs_community_text(a, text, sizeof(text)), "1:2");
	bgp_set_unref(&sets, a);
	bgp_set_unref(&sets, b);
	bgp_set_unref(&sets, c);
	assert_int_equal(sets.count, 0);
	assert_int_equal(sets.bytes, 0);
	bgp_sets_fini(&sets);
}

/* A set of an IPv6 route has the next hop of MP_REACH_NLRI and no NEXT_HOP. */
static void mp_sets(void **state)
{
	struct bgp_sets sets;
	struct bgp_attrs *v4, *v6;
	size_t len;

	bgp_sets_init(&sets, 2);
	run_parse(OK
	    "800e2a 000201 20 20010db8000000000000000000000001 fe800000000000000000000000000001"
	    "00 20 20010db8",
	    EXTERNAL, true);
	v4 = bgp_parse_set(&parse, &sets, false);
	v6 = bgp_parse_set(&parse, &sets, true);
	assert_int_equal(v4->next_hop.family, IP_V4);
	assert_int_equal(v6->next_hop.family, IP_V6);
	assert_null(bgp_attrs_value(v6, BGP_ATTR_NEXT_HOP, &len));
	assert_non_null(bgp_attrs_value(v6, BGP_ATTR_MP_REACH, &len));
	assert_int_equal(len, 32);
	bgp_set_unref(&sets, v4);
	bgp_set_unref(&sets, v6);
	bgp_sets_fini(&sets);
}

/* What is found by its bytes is what parsing would give, on sessions of that kind only. */
static void found_by_bytes(void **state)
{
	struct bgp_sets sets;
	struct bgp_attrs *a;
	uint8_t bytes[64];
	size_t len = unhex(OK, bytes, sizeof(bytes));
	uint8_t external = bgp_attr_context(&sessions[EXTERNAL]);

	bgp_sets_init(&sets, 3);
	run_parse(OK, EXTERNAL, true);
	a = bgp_parse_set(&parse, &sets, false);
	assert_null(bgp_set_find(&sets, bytes, len, external));
	a->contexts |= external;
	assert_ptr_equal(bgp_set_find(&sets, bytes, len, external), a);
	assert_null(bgp_set_find(&sets, bytes, len, bgp_attr_context(&sessions[INTERNAL])));
	assert_null(bgp_set_find(&sets, bytes, len, bgp_attr_context(&sessions[OLD])));
	assert_null(bgp_set_find(&sets, bytes, len - 1, external));
	bgp_sets_fini(&sets);
}

/* Thousands of sets, held and released in disorder. */
static void many_sets(void **state)
{
	enum { COUNT = 5000 };
	static struct bgp_attrs *held[COUNT];
	struct rng rng = test_rng();
	struct bgp_sets sets;

	bgp_sets_init(&sets, 4);
	for (unsigned round = 0; round < 40000; round++) {
		unsigned i = rng_below(&rng, COUNT);
		char hex[128];

		if (held[i]) {
			assert_int_equal(held[i]->med, i / 2);
			bgp_set_unref(&sets, held[i]);
			held[i] = NULL;
			continue;
		}
		snprintf(hex, sizeof(hex), OK "800404 %08x", i / 2);
		run_parse(hex, EXTERNAL, true);
		held[i] = bgp_parse_set(&parse, &sets, false);
		if (held[i ^ 1])
			assert_ptr_equal(held[i], held[i ^ 1]);
	}
	for (unsigned i = 0; i < COUNT; i++)
		if (held[i])
			bgp_set_unref(&sets, held[i]);
	assert_int_equal(sets.count, 0);
	bgp_sets_fini(&sets);
}

/* ---- writing ---- */

static void check_encoded(const char *attrs, enum from to, const char *want_hex)
{
	const uint8_t hop[4] = {192, 0, 2, 1};
	struct bgp_attr_encoding how = {.as4 = to != OLD, .next_hop = hop};
	uint8_t have[4096], want[4096];
	size_t len = unhex(want_hex, want, sizeof(want));
	struct wirebuf b = wirebuf_of(have, sizeof(have));
	struct bgp_sets sets;
	struct bgp_attrs *a;

	bgp_sets_init(&sets, 5);
	run_parse(attrs, SETS, true);
	a = bgp_parse_set(&parse, &sets, false);
	assert_true(bgp_attr_encode(a, &how, &room, &b));
	assert_int_equal(wirebuf_len(&b), len);
	assert_memory_equal(have, want, len);
	bgp_sets_fini(&sets);
}

#define H "400304 c0000201"

static void encoding(void **state)
{
	check_encoded(OK, EXTERNAL, O P H);
	check_encoded(OK "d0630003 010203", EXTERNAL, O P H "d0630003 010203");
	check_encoded(OK, OLD, O "400204 0201 fde9" H);
	/* AS numbers of 4 octets for one that has 2 (RFC 6793 4.2.2) */
	check_encoded(O "40020a 0202 0000fde9 00030d40" N, OLD,
	    O "400206 0202 fde9 5ba0" H "c0110a 0202 0000fde9 00030d40");
	check_encoded(OK "c00708 00030d40 0a000001"
			 "c0200c 00000001 00000002 00000003",
	    OLD,
	    O "400204 0201 fde9" H "c00706 5ba0 0a000001"
	      "c01208 00030d40 0a000001"
	      "c0200c 00000001 00000002 00000003");
	check_encoded(
	    OK "c00708 0000fde9 0a000001", OLD, O "400204 0201 fde9" H "c00706 fde9 0a000001");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_class),
	    cmocka_unit_test(errors_without_routes),
	    cmocka_unit_test(error_data),
	    cmocka_unit_test(every_code_and_flag),
	    cmocka_unit_test(sets_are_canonical),
	    cmocka_unit_test(mp_sets),
	    cmocka_unit_test(found_by_bytes),
	    cmocka_unit_test(many_sets),
	    cmocka_unit_test(encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
