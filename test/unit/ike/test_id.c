/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Identities (V2-33, I17): text, wire, comparison, and what a terminal gets to see.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/id.h"

static struct ike_id of(const char *text)
{
	struct ike_id id;

	assert_int_equal(ike_id_parse(text, &id), 0);
	return id;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		uint8_t type, len;
		const char *printed;
	} cases[] = {
	    {"192.0.2.1", IKE_ID_IPV4, 4, "192.0.2.1"},
	    {"2001:db8::1", IKE_ID_IPV6, 16, "2001:db8::1"},
	    {"gw.example", IKE_ID_FQDN, 10, "gw.example"},
	    {"ops@gw.example", IKE_ID_USER_FQDN, 14, "ops@gw.example"},
	    {"keyid:site 7", IKE_ID_KEY_ID, 6, "keyid:site 7"},
	    {"keyid:0x00ff41", IKE_ID_KEY_ID, 3, "keyid:\\x00\\xffA"},
	    {"%any", IKE_ID_ANY, 0, "%any"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_id id = of(cases[i].text);
		char text[IKE_ID_TEXT_MAX];

		assert_int_equal(id.type, cases[i].type);
		assert_int_equal(id.len, cases[i].len);
		assert_string_equal(ike_id_text(&id, text), cases[i].printed);
	}
}

static void test_parse_refused(void **state)
{
	char text[IKE_ID_MAX + 10];
	struct ike_id id;

	assert_int_equal(ike_id_parse("", &id), -EINVAL);
	assert_int_equal(ike_id_parse("keyid:", &id), -EINVAL);
	assert_int_equal(ike_id_parse("keyid:0x", &id), -EINVAL);
	assert_int_equal(ike_id_parse("keyid:0xzz", &id), -EINVAL);
	memset(text, 'a', sizeof(text));
	text[IKE_ID_MAX] = '\0';
	assert_int_equal(ike_id_parse(text, &id), 0);
	text[IKE_ID_MAX] = 'a';
	text[IKE_ID_MAX + 1] = '\0';
	assert_int_equal(ike_id_parse(text, &id), -EINVAL);
}

static void test_equal(void **state)
{
	struct ike_id a = of("gw.example"), b = of("GW.Example"), c = of("gw.exampla"),
		      d = of("192.0.2.1");
	struct ike_id key = of("keyid:gw.example"), any = of("%any"), nul = a;

	assert_true(ike_id_eq(&a, &b));
	assert_false(ike_id_eq(&a, &c));
	assert_false(ike_id_eq(&a, &d));
	assert_false(ike_id_eq(&a, &key)); /* the type counts */
	assert_true(ike_id_matches(&any, &d));
	assert_true(ike_id_matches(&a, &b));
	assert_false(ike_id_matches(&a, &any));
	/* An embedded NUL does not end the comparison early. */
	nul.bytes[2] = '\0';
	c = nul;
	c.bytes[5] = 'X';
	assert_false(ike_id_eq(&nul, &c));
	assert_false(ike_id_eq(&a, &nul));
}

static int read(const void *bytes, size_t len, struct ike_id *id)
{
	struct ike_payload p = {.body = bytes, .len = (uint16_t)len};

	return ike_id_read(&p, id);
}

static void test_wire(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1", "2001:db8::1", "gw.example", "a@b", "keyid:x"};
	uint8_t body[IKE_ID_BODY_MAX];
	struct ike_id back;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ike_id id = of(texts[i]);
		size_t len = ike_id_body(&id, body);

		assert_int_equal(len, 4 + id.len);
		body[1] = body[3] = 0xff; /* reserved bytes do not matter */
		assert_int_equal(read(body, len, &back), 0);
		assert_true(ike_id_eq(&id, &back));
	}
}

static void test_wire_refused(void **state)
{
	static uint8_t big[65535] = {IKE_ID_FQDN};
	struct ike_id id;
	char text[IKE_ID_TEXT_MAX];

	assert_int_equal(read("", 0, &id), -EBADMSG);
	assert_int_equal(read("\2\0\0", 3, &id), -EBADMSG);
	assert_int_equal(read("\2\0\0\0", 4, &id), -EBADMSG);    /* an empty name */
	assert_int_equal(read("\1\0\0\0abc", 7, &id), -EBADMSG); /* 3 bytes of IPv4 */
	assert_int_equal(read("\1\0\0\0abcde", 9, &id), -EBADMSG);
	assert_int_equal(read("\5\0\0\0abcd", 8, &id), -EBADMSG);
	assert_int_equal(read("\xff\0\0\0abcd", 8, &id), -ENOTSUP);
	assert_int_equal(read("\x09\0\0\0abcd", 8, &id), -ENOTSUP); /* a certificate's name */
	assert_int_equal(read(big, sizeof(big), &id), -ENOTSUP);
	assert_non_null(ike_id_text(&id, text));
}

/* I17: escapes and formats stay text */
static void test_text_is_safe(void **state)
{
	static const char evil[] = "\2\0\0\0\x1b[2J%s%n\x07\xc3\x28\n";
	struct ike_id id;
	char text[IKE_ID_TEXT_MAX];

	assert_int_equal(read(evil, sizeof(evil) - 1, &id), 0);
	ike_id_text(&id, text);
	assert_string_equal(text, "\\x1b[2J%s%n\\x07\\xc3(\\x0a");
	id.type = 200;
	ike_id_text(&id, text);
	assert_string_equal(text, "type 200:\\x1b[2J%s%n\\x07\\xc3(\\x0a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_parse_refused),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_wire),
	    cmocka_unit_test(test_wire_refused),
	    cmocka_unit_test(test_text_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
