/* SPDX-License-Identifier: BSD-3-Clause */

/* Making, finding and freeing SAs. What they do with packets is tested in datapath/. */

#include "testing_eal.h"

#include <errno.h>
#include <string.h>

#include "boundary/sa.h"

#define CAPACITY 60

struct fixture {
	struct crypto *crypto;
	struct epoch *epoch;
	struct sa_table *table;
	unsigned sessions;
};

static int open_with(void **state, const char *backend, unsigned sessions)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *why;

	f->crypto = crypto_open(backend, 2, sessions, &why);
	assert_non_null(f->crypto);
	f->epoch = epoch_create(2);
	f->table = sa_table_create(f->epoch, f->crypto, 2, CAPACITY);
	assert_non_null(f->table);
	*state = f;
	return 0;
}

/* TEST_CRYPTO in the environment says what does the crypto. */
static int setup(void **state)
{
	const char *backend = getenv("TEST_CRYPTO");

	return open_with(state, backend ? backend : "auto", 256);
}

/* Sessions of a crypto device */
static int setup_few_sessions(void **state)
{
	return open_with(state, "cryptodev", 2);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	epoch_flush(f->epoch);
	sa_table_free(f->table);
	epoch_free(f->epoch);
	crypto_close(f->crypto);
	free(f);
	return 0;
}

static struct sa_spec spec_of(uint32_t spi)
{
	struct sa_spec spec = {.spi = spi,
	    .inner_family = IP_V4,
	    .local = test_addr("192.0.2.1"),
	    .remote = test_addr("198.51.100.2"),
	    .encr = ENCR_AES128GCM16,
	    .window = 64,
	    .selector_count = 1};

	for (unsigned i = 0; i < SA_KEY_MAX; i++) {
		spec.encr_key[i] = (uint8_t)(0x80 + i);
		spec.auth_key[i] = (uint8_t)(0xff - i);
	}
	return spec;
}

/* Specs that must not become an SA */

static void refuse(struct fixture *f, const struct sa_spec *spec, int error)
{
	errno = 0;
	assert_null(sa_in_create(f->table, spec));
	assert_int_equal(errno, error);
	errno = 0;
	assert_null(sa_out_create(f->table, spec));
	assert_int_equal(errno, error);
}

static void bad_specs(void **state)
{
	struct fixture *f = *state;
	struct sa_spec s = spec_of(0);

	refuse(f, &s, EINVAL); /* SPI 0 */
	s = spec_of(1);
	s.encr = ENCR_NONE;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.auth = AUTH_SHA1; /* besides an AEAD */
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.encr = ENCR_AES128; /* without integrity */
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.encr = ENCR_NULL;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.remote = test_addr("2001:db8::1");
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.local = (struct ip_addr){0};
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.inner_family = 0;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.window = SA_WINDOW_MIN - 1;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.window = SA_WINDOW_MAX + 1;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.selector_count = SA_SELECTORS_MAX + 1;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.dscp = 64;
	refuse(f, &s, EINVAL);
	s = spec_of(1);
	s.first_sequence = SA_SEQUENCE_LAST + 1; /* nothing could be sent */
	assert_null(sa_out_create(f->table, &s));
	assert_int_equal(errno, EINVAL);
	assert_false(sa_spi_in_use(f->table, 1));
}

static void defaults(void **state)
{
	struct fixture *f = *state;
	struct sa_spec s = spec_of(1);
	struct sa_out *out;
	struct sa_in *in;

	s.window = 0;
	in = sa_in_create(f->table, &s);
	assert_non_null(in);
	assert_int_equal(in->replay.size, SA_WINDOW_DEFAULT);
	assert_int_equal(in->head.cold->window, SA_WINDOW_DEFAULT);
	assert_int_equal(in->owner, -1);
	assert_int_equal(in->hard_packets, UINT64_MAX);
	out = sa_out_create(f->table, &s);
	assert_non_null(out);
	assert_int_equal(sa_out_sequence(out), 1);
	assert_false(out->counts_bytes);
	sa_out_remove(f->table, out);
}

/* With ESN the library insists on a window of its own: never one at which it loses packets, nor one below ours. */
static void esn_window(void **state)
{
	struct fixture *f = *state;

	for (uint32_t window = SA_WINDOW_MIN; window <= SA_WINDOW_MAX;
	     window = window * 5 / 4 + 1) {
		struct sa_spec s = spec_of(0x100);
		uint32_t words;
		struct sa_in *in;

		s.esn = true;
		s.window = window;
		in = sa_in_create(f->table, &s);
		assert_non_null(in);
		assert_int_equal(in->replay.size, window);
		assert_true(in->replay.infer_size >= window);
		words = in->replay.infer_size / 64;
		assert_int_equal(in->replay.infer_size % 64, 0);
		assert_int_equal(words & (words + 1), 0); /* 2^k - 1 of them */
		sa_in_remove(f->table, in);
		epoch_reclaim(f->epoch);
	}
}

/* Keys live in the crypto session alone. */
static void no_keys(void **state)
{
	struct fixture *f = *state;
	struct sa_spec s = spec_of(1);
	struct sa_out *out;
	struct sa_in *in;

	s.encr = ENCR_AES256;
	s.auth = AUTH_SHA512;
	in = sa_in_create(f->table, &s);
	out = sa_out_create(f->table, &s);
	assert_non_null(in);
	assert_non_null(out);
	for (unsigned i = 0; i + 8 <= 32; i++) {
		assert_null(memmem(in, sizeof(*in), s.encr_key + i, 8));
		assert_null(memmem(out, sizeof(*out), s.encr_key + i, 8));
		assert_null(memmem(in->head.cold, sizeof(*in->head.cold), s.encr_key + i, 8));
		assert_null(memmem(in, sizeof(*in), s.auth_key + i, 8));
		assert_null(memmem(out, sizeof(*out), s.auth_key + i, 8));
		assert_null(memmem(in->head.cold, sizeof(*in->head.cold), s.auth_key + i, 8));
	}
	sa_out_remove(f->table, out);
}

/* Two SAs of one key mask their IVs differently. */
static void own_iv_masks(void **state)
{
	static const uint8_t zero[16];
	struct fixture *f = *state;
	struct sa_spec s = spec_of(1);
	struct sa_out *a, *b;

	s.encr = ENCR_AES128;
	s.auth = AUTH_SHA1;
	a = sa_out_create(f->table, &s);
	b = sa_out_create(f->table, &s);
	assert_non_null(a);
	assert_non_null(b);
	assert_memory_not_equal(a->iv_mask, zero, 16);
	assert_memory_not_equal(a->iv_mask, b->iv_mask, 16);
	sa_out_remove(f->table, a);
	sa_out_remove(f->table, b);
}

/* The table */

static void table_limits(void **state)
{
	struct fixture *f = *state;
	struct sa_spec s;

	for (uint32_t spi = 1; spi <= CAPACITY; spi++) {
		s = spec_of(spi);
		assert_non_null(sa_in_create(f->table, &s));
		errno = 0;
		assert_null(sa_in_create(f->table, &s));
		assert_int_equal(errno, EEXIST);
	}
	s = spec_of(CAPACITY + 1);
	errno = 0;
	assert_null(sa_in_create(f->table, &s));
	assert_int_equal(errno, ENOSPC);
	sa_in_remove(f->table, sa_in_find(f->table, 7));
	assert_non_null(sa_in_create(f->table, &s));
}

/* SPIs come and go at random for long, also ones that collide; the table always finds exactly those that are there. */
static void table_churn(void **state)
{
	static struct sa_in *model[500];
	struct fixture *f = *state;
	struct rng rng = test_rng();
	unsigned live = 0;

	memset(model, 0, sizeof(model));
	for (unsigned step = 0; step < 6000; step++) {
		uint32_t n = rng_below(&rng, TEST_COUNT(model));
		uint32_t spi = n % 2 ? n * 0x10000 + 1 : n + 256;

		if (model[n]) {
			sa_in_remove(f->table, model[n]);
			model[n] = NULL;
			live--;
		} else if (live < CAPACITY) {
			struct sa_spec s = spec_of(spi);

			model[n] = sa_in_create(f->table, &s);
			assert_non_null(model[n]);
			live++;
		}
		epoch_reclaim(f->epoch);
		for (uint32_t i = step % 7; i < TEST_COUNT(model); i += 7)
			assert_ptr_equal(
			    sa_in_find(f->table, i % 2 ? i * 0x10000 + 1 : i + 256), model[i]);
		assert_null(sa_in_find(f->table, 0));
		assert_null(sa_in_find(f->table, 0xdeadbeef));
	}
}

/* A burst finds what each packet would, whether records are asked for ahead or not. */
static void found_by_bursts(void **state)
{
	struct fixture *f = *state;
	struct sa_table *t = sa_table_create(f->epoch, f->crypto, 2, 100);
	struct sa_in *all[100], *found[3];

	assert_non_null(t);
	for (uint32_t i = 0; i < 100; i++) {
		const uint32_t spi[3] = {0x1000 + 77 * i, 0xdeadbeef, 0x1000};
		struct sa_spec s = spec_of(spi[0]);

		all[i] = sa_in_create(t, &s);
		assert_non_null(all[i]);
		sa_in_find_burst(t, spi, found, 3);
		assert_ptr_equal(found[0], all[i]);
		assert_null(found[1]);
		assert_ptr_equal(found[2], all[0]);
		if (i == 15)
			assert_false(sa_many_in(t));
	}
	assert_true(sa_many_in(t));
	for (unsigned i = 15; i < 100; i++)
		sa_in_remove(t, all[i]);
	assert_false(sa_many_in(t));
	epoch_flush(f->epoch);
	sa_table_free(t);
}

/* Freed after a grace period only, and not while packets of it are in a crypto device. */
static void freed_when_idle(void **state)
{
	struct fixture *f = *state;
	struct sa_spec s = spec_of(1);
	struct sa_in *in = sa_in_create(f->table, &s);
	struct sa_out *out = sa_out_create(f->table, &s), *third;

	assert_non_null(in);
	assert_non_null(out);
	assert_null(sa_out_create(f->table, &s)); /* there are two sessions */
	assert_int_equal(errno, ENOMEM);
	epoch_online(f->epoch, 1);
	sa_out_remove(f->table, out);
	epoch_reclaim(f->epoch);
	assert_null(sa_out_create(f->table, &s)); /* worker 1 may still see it */
	out->head.of_worker[1].in_flight = 3;
	epoch_quiescent(f->epoch, 1);
	epoch_reclaim(f->epoch);
	assert_null(sa_out_create(f->table, &s)); /* three packets are on their way */
	out->head.of_worker[1].in_flight = 0;
	third = sa_out_create(f->table, &s);
	assert_non_null(third);
	epoch_offline(f->epoch, 1);
	sa_out_remove(f->table, third);
	epoch_reclaim(f->epoch);
}

#define SA_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SA_TEST(bad_specs),
	    SA_TEST(defaults),
	    SA_TEST(esn_window),
	    SA_TEST(no_keys),
	    SA_TEST(own_iv_masks),
	    SA_TEST(table_limits),
	    SA_TEST(table_churn),
	    SA_TEST(found_by_bursts),
	    cmocka_unit_test_setup_teardown(freed_when_idle, setup_few_sessions, teardown),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
