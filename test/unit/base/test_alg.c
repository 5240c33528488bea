/* SPDX-License-Identifier: BSD-3-Clause */

/* The tables of base/alg.h: names, identifiers on the wire, and sizes against the RFCs that give them. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alg.h"
#include "testing.h"

static void names_parse_to_their_row(void **state)
{
	enum alg_encr e;
	enum alg_auth a;
	enum alg_dh g;

	for (enum alg_encr i = ENCR_NONE + 1; i < ENCR_COUNT; i++) {
		assert_int_equal(alg_encr_parse(alg_encr(i)->name, &e), 0);
		assert_int_equal(e, i);
	}
	for (enum alg_auth i = AUTH_NONE + 1; i < AUTH_COUNT; i++) {
		assert_int_equal(alg_auth_parse(alg_auth(i)->name, &a), 0);
		assert_int_equal(a, i);
	}
	for (enum alg_dh i = DH_NONE + 1; i < DH_COUNT; i++) {
		assert_int_equal(alg_dh_parse(alg_dh(i)->name, &g), 0);
		assert_int_equal(g, i);
	}
}

static void aliases_parse(void **state)
{
	enum alg_encr e = ENCR_NONE;
	enum alg_dh g = DH_1;

	assert_int_equal(alg_encr_parse("aes", &e), 0);
	assert_int_equal(e, ENCR_AES128);
	assert_int_equal(alg_dh_parse("disabled", &g), 0);
	assert_int_equal(g, DH_NONE);
}

static void other_names_are_refused(void **state)
{
	static const char *const names[] = {"", "none", "AES128", "aes 128", "aes12", "aes1288",
	    "sha", "sha-256", "group", "group3", "group014", "14", "disabled "};
	enum alg_encr e = ENCR_AES192;
	enum alg_auth a = AUTH_SHA384;
	enum alg_dh g = DH_16;

	for (unsigned i = 0; i < TEST_COUNT(names); i++) {
		assert_int_equal(alg_encr_parse(names[i], &e), -EINVAL);
		assert_int_equal(alg_auth_parse(names[i], &a), -EINVAL);
		assert_int_equal(alg_dh_parse(names[i], &g), -EINVAL);
	}
	assert_int_equal(alg_auth_parse("disabled", &a), -EINVAL);
	assert_int_equal(e, ENCR_AES192);
	assert_int_equal(a, AUTH_SHA384);
	assert_int_equal(g, DH_16);
}

static void none_rows_are_empty(void **state)
{
	assert_string_equal(alg_encr(ENCR_NONE)->name, "none");
	assert_int_equal(alg_encr(ENCR_NONE)->key_bytes, 0);
	assert_int_equal(alg_encr(ENCR_NONE)->iv_bytes, 0);
	assert_false(alg_is_aead(ENCR_NONE));
	assert_string_equal(alg_auth(AUTH_NONE)->name, "none");
	assert_int_equal(alg_auth(AUTH_NONE)->icv_bytes, 0);
	assert_string_equal(alg_dh(DH_NONE)->name, "none");
	assert_int_equal(alg_dh(DH_NONE)->public_bytes, 0);
}

/* What a proposal says is the identifier and, where the cipher has several, the key length. */
static void ciphers_differ_on_the_wire(void **state)
{
	for (enum alg_encr i = ENCR_NONE + 1; i < ENCR_COUNT; i++) {
		for (enum alg_encr j = i + 1; j < ENCR_COUNT; j++) {
			const struct alg_encr_info *a = alg_encr(i), *b = alg_encr(j);
			bool same_key = a->key_bytes == b->key_bytes;

			assert_string_not_equal(a->name, b->name);
			assert_false(a->v2_id == b->v2_id && same_key);
			assert_false(a->v1_ike_id && a->v1_ike_id == b->v1_ike_id && same_key);
			assert_false(a->v1_esp_id && a->v1_esp_id == b->v1_esp_id && same_key);
			if (a->v2_id == b->v2_id)
				assert_true(!a->fixed_key && !b->fixed_key);
		}
	}
}

static void hashes_and_groups_differ_on_the_wire(void **state)
{
	for (enum alg_auth i = AUTH_NONE + 1; i < AUTH_COUNT; i++) {
		for (enum alg_auth j = i + 1; j < AUTH_COUNT; j++) {
			assert_string_not_equal(alg_auth(i)->name, alg_auth(j)->name);
			assert_int_not_equal(alg_auth(i)->v2_integ_id, alg_auth(j)->v2_integ_id);
			assert_int_not_equal(alg_auth(i)->v2_prf_id, alg_auth(j)->v2_prf_id);
			assert_int_not_equal(alg_auth(i)->v1_hash_id, alg_auth(j)->v1_hash_id);
			assert_int_not_equal(alg_auth(i)->v1_esp_id, alg_auth(j)->v1_esp_id);
		}
	}
	for (enum alg_dh i = DH_NONE + 1; i < DH_COUNT; i++) {
		for (enum alg_dh j = i + 1; j < DH_COUNT; j++) {
			assert_string_not_equal(alg_dh(i)->name, alg_dh(j)->name);
			assert_int_not_equal(alg_dh(i)->id, alg_dh(j)->id);
		}
	}
}

/* IANA "Internet Key Exchange Version 2 (IKEv2) Parameters" and RFC 2407, 2409, 4106, 7634. */
static void identifiers_are_those_of_iana(void **state)
{
	assert_int_equal(alg_encr(ENCR_3DES)->v2_id, 3);
	assert_int_equal(alg_encr(ENCR_3DES)->v1_ike_id, 5);
	assert_int_equal(alg_encr(ENCR_3DES)->v1_esp_id, 3);
	assert_int_equal(alg_encr(ENCR_AES256)->v2_id, 12);
	assert_int_equal(alg_encr(ENCR_AES256)->v1_ike_id, 7);
	assert_int_equal(alg_encr(ENCR_AES256)->v1_esp_id, 12);
	assert_int_equal(alg_encr(ENCR_AES128GCM16)->v2_id, 20);
	assert_int_equal(alg_encr(ENCR_CHACHA20POLY1305)->v2_id, 28);
	assert_int_equal(alg_encr(ENCR_NULL)->v2_id, 11);
	assert_int_equal(alg_auth(AUTH_SHA256)->v2_integ_id, 12);
	assert_int_equal(alg_auth(AUTH_SHA256)->v2_prf_id, 5);
	assert_int_equal(alg_auth(AUTH_SHA256)->v1_hash_id, 4);
	assert_int_equal(alg_auth(AUTH_SHA256)->v1_esp_id, 5);
	assert_int_equal(alg_auth(AUTH_SHA512)->v2_integ_id, 14);
	assert_int_equal(alg_auth(AUTH_SHA512)->v2_prf_id, 7);
	for (enum alg_dh g = DH_NONE + 1; g < DH_COUNT; g++)
		assert_int_equal(alg_dh(g)->id, atoi(alg_dh(g)->name + strlen("group")));
}

static void sizes_agree_with_each_other(void **state)
{
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		const struct alg_encr_info *i = alg_encr(e);

		assert_int_equal(alg_is_aead(e), i->salt_bytes != 0);
		if (alg_is_aead(e)) { /* RFC 4106, RFC 7634: 8 bytes of IV, 16 of ICV, a stream */
			assert_int_equal(i->salt_bytes, 4);
			assert_int_equal(i->iv_bytes, 8);
			assert_int_equal(i->icv_bytes, 16);
			assert_int_equal(i->block_bytes, 1);
		} else if (e != ENCR_NULL) { /* CBC: RFC 2451, RFC 3602 */
			assert_int_equal(i->iv_bytes, i->block_bytes);
		}
		assert_true(i->block_bytes && !(i->block_bytes & (i->block_bytes - 1)));
	}
	for (enum alg_auth a = AUTH_NONE + 1; a < AUTH_COUNT; a++) {
		const struct alg_auth_info *i = alg_auth(a);

		assert_int_equal(i->key_bytes, i->digest_bytes);
		/* RFC 4868 halves; RFC 2403 and 2404 take 96 bits */
		assert_int_equal(i->icv_bytes, a <= AUTH_SHA1 ? 12 : i->digest_bytes / 2);
		assert_int_equal(i->block_bytes, i->digest_bytes > 32 ? 128 : 64);
	}
}

static void key_length_attribute_is_for_aes_alone(void **state)
{
	for (enum alg_encr e = ENCR_NONE; e < ENCR_COUNT; e++)
		assert_int_equal(!alg_encr(e)->fixed_key, !strncmp(alg_encr(e)->name, "aes", 3));
}

static void weak_ones_are_marked(void **state)
{
	static const char *const weak[] = {
	    "des", "3des", "null", "md5", "group1", "group2", "group5"};
	unsigned found = 0;

	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++)
		found += alg_encr(e)->weak;
	for (enum alg_auth a = AUTH_NONE + 1; a < AUTH_COUNT; a++)
		found += alg_auth(a)->weak;
	for (enum alg_dh g = DH_NONE + 1; g < DH_COUNT; g++)
		found += alg_dh(g)->weak;
	assert_int_equal(found, TEST_COUNT(weak));
	for (unsigned i = 0; i < TEST_COUNT(weak); i++) {
		enum alg_encr e = ENCR_NONE;
		enum alg_auth a = AUTH_NONE;
		enum alg_dh g = DH_NONE;

		alg_encr_parse(weak[i], &e);
		alg_auth_parse(weak[i], &a);
		alg_dh_parse(weak[i], &g);
		assert_true(alg_encr(e)->weak || alg_auth(a)->weak || alg_dh(g)->weak);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_parse_to_their_row),
	    cmocka_unit_test(aliases_parse),
	    cmocka_unit_test(other_names_are_refused),
	    cmocka_unit_test(none_rows_are_empty),
	    cmocka_unit_test(ciphers_differ_on_the_wire),
	    cmocka_unit_test(hashes_and_groups_differ_on_the_wire),
	    cmocka_unit_test(identifiers_are_those_of_iana),
	    cmocka_unit_test(sizes_agree_with_each_other),
	    cmocka_unit_test(key_length_attribute_is_for_aes_alone),
	    cmocka_unit_test(weak_ones_are_marked),
	};

	return cmocka_run_group_tests_name("alg", tests, NULL, NULL);
}
