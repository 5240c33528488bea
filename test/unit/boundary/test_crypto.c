/* SPDX-License-Identifier: BSD-3-Clause */

/* Opening crypto devices by name, and which device gets a session. */

#include "testing_eal.h"

#include <errno.h>
#include <string.h>

#include <rte_dev.h>

#include "boundary/crypto.h"
#include "boundary/mb.h"

static struct crypto *open_or_fail(const char *backend, unsigned workers, unsigned sessions)
{
	const char *why = "";
	struct crypto *c = crypto_open(backend, workers, sessions, &why);

	if (!c)
		fail_msg("%s: %s", backend, why);
	assert_null(why);
	return c;
}

static struct rte_crypto_sym_xform aead_of(enum rte_crypto_aead_algorithm algo, unsigned key_bytes)
{
	static const uint8_t key[64] = {1, 2, 3};
	struct rte_crypto_sym_xform x = {.type = RTE_CRYPTO_SYM_XFORM_AEAD};

	x.aead.algo = algo;
	x.aead.key.data = key;
	x.aead.key.length = (uint16_t)key_bytes;
	x.aead.iv.offset = CRYPTO_IV_OFFSET;
	x.aead.iv.length = 12;
	x.aead.digest_length = 16;
	x.aead.aad_length = 8;
	return x;
}

static void fill_cbc(struct rte_crypto_sym_xform x[2])
{
	static const uint8_t key[64] = {1, 2, 3};

	memset(x, 0, 2 * sizeof(x[0]));
	x[0].type = RTE_CRYPTO_SYM_XFORM_CIPHER;
	x[0].next = &x[1];
	x[0].cipher.algo = RTE_CRYPTO_CIPHER_AES_CBC;
	x[0].cipher.op = RTE_CRYPTO_CIPHER_OP_ENCRYPT;
	x[0].cipher.key.data = key;
	x[0].cipher.key.length = 16;
	x[0].cipher.iv.offset = CRYPTO_IV_OFFSET;
	x[0].cipher.iv.length = 16;
	x[1].type = RTE_CRYPTO_SYM_XFORM_AUTH;
	x[1].auth.algo = RTE_CRYPTO_AUTH_SHA1_HMAC;
	x[1].auth.op = RTE_CRYPTO_AUTH_OP_GENERATE;
	x[1].auth.key.data = key;
	x[1].auth.key.length = 20;
	x[1].auth.digest_length = 12;
}

/* AEADs are done at once, CBC with HMAC through queues. */
static void paths(void **state)
{
	struct crypto *c = open_or_fail("cryptodev", 2, 16);
	struct rte_crypto_sym_xform gcm = aead_of(RTE_CRYPTO_AEAD_AES_GCM, 16), cbc[2];
	struct rte_crypto_sym_xform chacha = aead_of(RTE_CRYPTO_AEAD_CHACHA20_POLY1305, 32);
	struct crypto_session a, b, d;
	uint8_t device[8];
	unsigned n;

	(void)state;
	fill_cbc(cbc);
	assert_int_equal(crypto_session_create(c, &gcm, &a), 0);
	assert_int_equal(a.path, CRYPTO_SYNC);
	assert_int_equal(crypto_session_create(c, &chacha, &b), 0);
	assert_int_equal(b.path, CRYPTO_SYNC);
	assert_int_equal(crypto_session_create(c, cbc, &d), 0);
	assert_int_equal(d.path, CRYPTO_QUEUE);
	crypto_warm_up(c);
	n = crypto_queue_devices(c, device, RTE_DIM(device));
	assert_int_equal(n, 1); /* the GCM device has no work for its queues */
	assert_int_equal(device[0], d.dev);
	assert_true(crypto_is_software(c, d.dev));
	assert_string_equal(
	    crypto_describe(c), "crypto_aesni_gcm_tr (sync), crypto_aesni_mb_tr (sync, queue)");
	crypto_session_destroy(c, &a);
	crypto_session_destroy(c, &b);
	crypto_session_destroy(c, &d);
	crypto_close(c);
}

/* The library itself: no devices, nothing to dequeue from, a manager per worker. */
static void library(void **state)
{
	struct crypto *c = open_or_fail("auto", 3, 1);
	uint8_t device[8];

	(void)state;
	assert_non_null(crypto_mb(c));
	assert_int_equal(rte_cryptodev_count(), 0);
	assert_int_equal(crypto_queue_devices(c, device, RTE_DIM(device)), 0);
	assert_null(crypto_op_pool(c));
	assert_int_equal(strncmp(crypto_describe(c), "ipsec-mb ", 9), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_not_equal(mb_of_worker(crypto_mb(c), i), mb_of_control(crypto_mb(c)));
		assert_ptr_not_equal(
		    mb_of_worker(crypto_mb(c), i), mb_of_worker(crypto_mb(c), (i + 1) % 3));
	}
	crypto_warm_up(c);
	crypto_close(c);
	c = open_or_fail("cryptodev", 1, 1);
	assert_null(crypto_mb(c));
	crypto_close(c);
}

static void openssl(void **state)
{
	struct crypto *c = open_or_fail("openssl", 1, 16);
	struct rte_crypto_sym_xform gcm = aead_of(RTE_CRYPTO_AEAD_AES_GCM, 32);
	struct rte_crypto_sym_xform chacha = aead_of(RTE_CRYPTO_AEAD_CHACHA20_POLY1305, 32);
	struct crypto_session s;

	(void)state;
	assert_int_equal(crypto_session_create(c, &gcm, &s), 0);
	assert_int_equal(s.path, CRYPTO_QUEUE);
	crypto_session_destroy(c, &s);
	assert_int_equal(crypto_session_create(c, &chacha, &s), -ENOTSUP);
	assert_string_equal(crypto_describe(c), "crypto_openssl_tr (queue)");
	crypto_close(c);
}

/* What no device does */
static void not_supported(void **state)
{
	struct crypto *c = open_or_fail("cryptodev", 1, 16);
	struct rte_crypto_sym_xform gcm = aead_of(RTE_CRYPTO_AEAD_AES_GCM, 17), cbc[2];
	struct crypto_session s;

	(void)state;
	assert_int_equal(crypto_session_create(c, &gcm, &s), -ENOTSUP);
	gcm.aead.key.length = 16;
	gcm.aead.digest_length = 17;
	assert_int_equal(crypto_session_create(c, &gcm, &s), -ENOTSUP);
	fill_cbc(cbc);
	cbc[0].cipher.algo = RTE_CRYPTO_CIPHER_ARC4;
	assert_int_equal(crypto_session_create(c, cbc, &s), -ENOTSUP);
	fill_cbc(cbc);
	cbc[1].auth.algo = RTE_CRYPTO_AUTH_SHA3_256_HMAC;
	assert_int_equal(crypto_session_create(c, cbc, &s), -ENOTSUP);
	crypto_close(c);
}

/* Sessions run out, and are good again when one is given back. */
static void sessions_run_out(void **state)
{
	struct crypto *c = open_or_fail("cryptodev", 1, 3);
	struct rte_crypto_sym_xform gcm = aead_of(RTE_CRYPTO_AEAD_AES_GCM, 16);
	struct crypto_session s[3], more;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(crypto_session_create(c, &gcm, &s[i]), 0);
	assert_int_equal(crypto_session_create(c, &gcm, &more), -ENOMEM);
	crypto_session_destroy(c, &s[1]);
	crypto_session_destroy(c, &s[1]); /* a second time does nothing */
	assert_int_equal(crypto_session_create(c, &gcm, &s[1]), 0);
	for (unsigned i = 0; i < 3; i++)
		crypto_session_destroy(c, &s[i]);
	crypto_close(c);
}

static void fails_to_open(const char *backend, unsigned workers)
{
	const char *why = NULL;

	errno = 0;
	assert_null(crypto_open(backend, workers, 4, &why));
	assert_int_not_equal(errno, 0);
	assert_non_null(why);
}

/* Devices that the operator made are used as named, and stay when they are closed. */
static void by_name(void **state)
{
	struct rte_crypto_sym_xform gcm = aead_of(RTE_CRYPTO_AEAD_AES_GCM, 16), cbc[2];
	struct crypto_session s;
	struct crypto *c;

	(void)state;
	fails_to_open("", 1);
	fails_to_open("nosuch", 1);
	assert_int_equal(
	    rte_eal_hotplug_add("vdev", "crypto_aesni_mb7", "max_nb_queue_pairs=2"), 0);
	fails_to_open("crypto_aesni_mb7,nosuch", 1);
	fails_to_open("crypto_aesni_mb7", 3); /* more workers than queues */
	assert_int_equal(errno, ENOSPC);
	for (unsigned i = 0; i < 2; i++) {
		c = open_or_fail("crypto_aesni_mb7", 2, 4);
		assert_string_equal(crypto_describe(c), "crypto_aesni_mb7 (sync, queue)");
		assert_int_equal(crypto_session_create(c, &gcm, &s), 0);
		crypto_session_destroy(c, &s);
		crypto_close(c);
		assert_true(rte_cryptodev_get_dev_id("crypto_aesni_mb7") >= 0);
	}
	/* the order is that of preference, but an AEAD goes where it is done at once */
	assert_int_equal(rte_eal_hotplug_add("vdev", "crypto_openssl7", ""), 0);
	c = open_or_fail("crypto_openssl7,crypto_aesni_mb7", 1, 4);
	assert_int_equal(crypto_session_create(c, &gcm, &s), 0);
	assert_int_equal(s.path, CRYPTO_SYNC);
	assert_int_equal(s.dev, rte_cryptodev_get_dev_id("crypto_aesni_mb7"));
	crypto_session_destroy(c, &s);
	fill_cbc(cbc);
	assert_int_equal(crypto_session_create(c, cbc, &s), 0);
	assert_int_equal(s.dev, rte_cryptodev_get_dev_id("crypto_openssl7"));
	crypto_session_destroy(c, &s);
	crypto_close(c);
	assert_int_equal(rte_eal_hotplug_remove("vdev", "crypto_openssl7"), 0);
	assert_int_equal(rte_eal_hotplug_remove("vdev", "crypto_aesni_mb7"), 0);
}

/* Opened and closed again and again, nothing is left behind. */
static void again_and_again(void **state)
{
	static const char *const backends[] = {"ipsec-mb", "cryptodev", "openssl"};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		crypto_close(open_or_fail(backends[i % 3], 1 + i % 4, 64));
		assert_int_equal(rte_cryptodev_count(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths),
	    cmocka_unit_test(library),
	    cmocka_unit_test(openssl),
	    cmocka_unit_test(not_supported),
	    cmocka_unit_test(sessions_run_out),
	    cmocka_unit_test(by_name),
	    cmocka_unit_test(again_and_again),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
