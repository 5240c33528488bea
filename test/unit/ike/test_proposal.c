/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Proposals (V2-07, V2-30, I4, I20): every pair of policies against an oracle that walks lists of transforms one by
 * one, where the code under test works on bit masks; and malformed SA payloads.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proposal.h"

struct transform {
	uint8_t type;
	uint16_t id;
	int key_bits; /* -1: none */
};

struct proposal {
	uint8_t number, protocol, spi_len;
	unsigned count;
	struct transform list[64];
};

/* ---- an SA payload from a list of transforms ---- */

static size_t write_sa(uint8_t *out, size_t capacity, const struct proposal *p, unsigned proposals)
{
	struct wirebuf b = wirebuf_of(out, capacity);

	for (unsigned i = 0; i < proposals; i++, p++) {
		size_t start = wirebuf_len(&b);

		wirebuf_u8(&b, i + 1 < proposals ? 2 : 0);
		wirebuf_u8(&b, 0);
		wirebuf_u16(&b, 0);
		wirebuf_u8(&b, p->number);
		wirebuf_u8(&b, p->protocol);
		wirebuf_u8(&b, p->spi_len);
		wirebuf_u8(&b, (uint8_t)p->count);
		for (unsigned k = 0; k < p->spi_len; k++)
			wirebuf_u8(&b, (uint8_t)(0xa0 + k));
		for (unsigned k = 0; k < p->count; k++) {
			const struct transform *t = &p->list[k];

			wirebuf_u8(&b, k + 1 < p->count ? 3 : 0);
			wirebuf_u8(&b, 0);
			wirebuf_u16(&b, t->key_bits >= 0 ? 12 : 8);
			wirebuf_u8(&b, t->type);
			wirebuf_u8(&b, 0);
			wirebuf_u16(&b, t->id);
			if (t->key_bits >= 0) {
				wirebuf_u16(&b, 0x800e);
				wirebuf_u16(&b, (uint16_t)t->key_bits);
			}
		}
		wirebuf_u16_at(&b, start + 2, (uint16_t)(wirebuf_len(&b) - start));
	}
	assert_true(wirebuf_ok(&b));
	return wirebuf_len(&b);
}

/* ---- the oracle ---- */

/* IANA numbers, apart from base/alg.h */
static struct transform encr_transform(enum alg_encr e)
{
	switch (e) {
	case ENCR_DES:
		return (struct transform){1, 2, -1};
	case ENCR_3DES:
		return (struct transform){1, 3, -1};
	case ENCR_NULL:
		return (struct transform){1, 11, -1};
	case ENCR_AES128:
		return (struct transform){1, 12, 128};
	case ENCR_AES192:
		return (struct transform){1, 12, 192};
	case ENCR_AES256:
		return (struct transform){1, 12, 256};
	case ENCR_AES128GCM16:
		return (struct transform){1, 20, 128};
	case ENCR_AES256GCM16:
		return (struct transform){1, 20, 256};
	case ENCR_CHACHA20POLY1305:
		return (struct transform){1, 28, -1};
	default:
		return (struct transform){0};
	}
}

static uint16_t integ_id(enum alg_auth a)
{
	static const uint16_t ids[] = {0, 1, 2, 12, 13, 14};

	return ids[a];
}

static uint16_t prf_id(enum alg_auth a)
{
	static const uint16_t ids[] = {0, 1, 2, 5, 6, 7};

	return ids[a];
}

static uint16_t group_id(enum alg_dh g)
{
	static const uint16_t ids[] = {0, 1, 2, 5, 14, 15, 16, 19, 20, 21, 31};

	return ids[g];
}

static bool offers(const struct proposal *p, struct transform t)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == t.type && p->list[i].id == t.id &&
		    p->list[i].key_bits == t.key_bits)
			return true;
	return false;
}

static bool offers_type(const struct proposal *p, uint8_t type)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == type)
			return true;
	return false;
}

static bool is_combined(enum alg_encr e)
{
	return e == ENCR_AES128GCM16 || e == ENCR_AES256GCM16 || e == ENCR_CHACHA20POLY1305;
}

/* Is this the combination that the proposal allows? */
static bool allows(const struct proposal *p, const struct ike_policy *policy, enum alg_encr e,
    enum alg_auth integ, enum alg_auth prf, enum alg_dh dh, bool esn)
{
	bool ike = policy->protocol == PROTOCOL_IKE;

	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type < 1 || p->list[i].type > 5)
			return false;
	if (p->protocol != policy->protocol || !offers(p, encr_transform(e)))
		return false;
	if (is_combined(e)) {
		if (integ != AUTH_NONE ||
		    (offers_type(p, 3) && !offers(p, (struct transform){3, 0, -1})))
			return false;
	} else if (integ == AUTH_NONE || !offers(p, (struct transform){3, integ_id(integ), -1})) {
		return false;
	}
	if (ike ? !offers(p, (struct transform){2, prf_id(prf), -1}) : offers_type(p, 2))
		return false;
	if (!policy->without_dh) {
		if (dh == DH_NONE &&
		    (ike || (offers_type(p, 4) && !offers(p, (struct transform){4, 0, -1}))))
			return false;
		if (dh != DH_NONE && !offers(p, (struct transform){4, group_id(dh), -1}))
			return false;
	}
	if (ike)
		return !offers_type(p, 5);
	if (!offers_type(p, 5))
		return !esn;
	return offers(p, (struct transform){5, esn, -1});
}

static bool has(const uint8_t *list, unsigned count, unsigned value)
{
	return memchr(list, (int)value, count) != NULL;
}

/* Does any combination of ours fit this proposal? */
static bool oracle(const struct proposal *p, const struct ike_policy *policy)
{
	const struct ike_algs *a = policy->algs;
	bool ike = policy->protocol == PROTOCOL_IKE;

	for (unsigned e = 0; e < a->encr_count; e++)
		for (unsigned i = 0; i <= a->auth_count; i++)
			for (unsigned f = 0; f < (ike ? a->auth_count : 1u); f++)
				for (unsigned d = 0; d < a->dh_count; d++)
					for (int esn = 0; esn < 2; esn++) {
						if (esn && (ike || policy->esn == IKE_ESN_NO))
							continue;
						if (!esn && !ike && policy->esn == IKE_ESN_YES)
							continue;
						if (allows(p, policy, a->encr[e],
							i < a->auth_count ? a->auth[i] : AUTH_NONE,
							a->auth[f], a->dh[d], esn))
							return true;
					}
	return false;
}

/* ---- random policies and offers ---- */

static unsigned choose(struct rng *rng, uint8_t *list, unsigned from, unsigned end, unsigned max)
{
	unsigned count = 0, want = 1 + rng_below(rng, max);

	for (unsigned i = 0; i < want; i++) {
		unsigned v = from + rng_below(rng, end - from);

		if (!has(list, count, v))
			list[count++] = (uint8_t)v;
	}
	return count;
}

static struct ike_algs random_algs(struct rng *rng, bool ike)
{
	struct ike_algs a = {0};

	a.encr_count = (uint8_t)choose(rng, a.encr, 1, ike ? ENCR_NULL : ENCR_COUNT, 3);
	a.auth_count = (uint8_t)choose(rng, a.auth, 1, AUTH_COUNT, 3);
	a.dh_count = (uint8_t)choose(rng, a.dh, ike ? 1 : 0, DH_COUNT, 4);
	return a;
}

static void add(struct proposal *p, uint8_t type, uint16_t id, int key_bits)
{
	if (p->count < 64)
		p->list[p->count++] = (struct transform){type, id, key_bits};
}

static struct proposal random_proposal(struct rng *rng, bool ike, uint8_t number)
{
	struct proposal p = {.number = number, .protocol = ike ? 1 : 3, .spi_len = ike ? 0 : 4};

	if (rng_below(rng, 12) == 0)
		p.protocol = (uint8_t)rng_below(rng, 5);
	for (unsigned n = rng_below(rng, 4); n > 0; n--) {
		struct transform t =
		    encr_transform((enum alg_encr)(1 + rng_below(rng, ENCR_COUNT - 1)));

		if (rng_below(rng, 8) == 0)
			t.key_bits = (int)rng_below(rng, 5) * 64 - 64 < 0 ? -1 : 192;
		add(&p, 1, t.id, t.key_bits);
	}
	for (unsigned n = rng_below(rng, 3); n > 0; n--)
		add(&p, 3, integ_id((enum alg_auth)rng_below(rng, AUTH_COUNT)), -1);
	if (ike || rng_below(rng, 10) == 0)
		for (unsigned n = rng_below(rng, 3); n > 0; n--)
			add(&p, 2, prf_id((enum alg_auth)rng_below(rng, AUTH_COUNT)), -1);
	for (unsigned n = rng_below(rng, 4); n > 0; n--)
		add(&p, 4, group_id((enum alg_dh)rng_below(rng, DH_COUNT)), -1);
	if (!ike || rng_below(rng, 10) == 0)
		for (unsigned n = rng_below(rng, 3); n > 0; n--)
			add(&p, 5, (uint16_t)rng_below(rng, 2), -1);
	if (rng_below(rng, 20) == 0)
		add(&p, 6, 0, -1); /* RFC 9370 */
	if (rng_below(rng, 10) == 0)
		add(&p, 4, 22, -1);              /* groups that we do not have */
	for (unsigned i = p.count; i > 1; i--) { /* any order of kinds */
		unsigned k = rng_below(rng, i);
		struct transform t = p.list[i - 1];

		p.list[i - 1] = p.list[k];
		p.list[k] = t;
	}
	return p;
}

static void check_one(struct rng *rng)
{
	bool ike = rng_below(rng, 2);
	struct ike_algs algs = random_algs(rng, ike);
	struct ike_policy policy = {.protocol = ike ? PROTOCOL_IKE : PROTOCOL_ESP,
	    .algs = &algs,
	    .esn = (enum ike_esn)rng_below(rng, 3),
	    .without_dh = !ike && rng_below(rng, 3) == 0};
	struct proposal p[4];
	unsigned count = 1 + rng_below(rng, 4), expected = count;
	uint16_t ke_group = group_id((enum alg_dh)rng_below(rng, DH_COUNT));
	struct ike_suite suite;
	uint8_t bytes[4096];
	size_t len;
	int result;

	for (unsigned i = 0; i < count; i++)
		p[i] = random_proposal(rng, ike, (uint8_t)(i + 1));
	for (unsigned i = count; i-- > 0;)
		if (oracle(&p[i], &policy))
			expected = i;
	len = write_sa(bytes, sizeof(bytes), p, count);
	result = ike_suite_choose(&policy, wire_of(bytes, len), ke_group, &suite);
	assert_int_equal(result, expected < count ? 0 : -ENOENT);
	if (result)
		return;
	assert_int_equal(suite.number, expected + 1);
	assert_true(
	    allows(&p[expected], &policy, suite.encr, suite.integ, suite.prf, suite.dh, suite.esn));
	assert_true(has(algs.encr, algs.encr_count, suite.encr));
	assert_true(suite.integ == AUTH_NONE || has(algs.auth, algs.auth_count, suite.integ));
	assert_true(policy.without_dh || has(algs.dh, algs.dh_count, suite.dh));
	/* The group at hand saves a round trip. */
	for (enum alg_dh g = DH_1; g < DH_COUNT && !policy.without_dh; g++)
		if (group_id(g) == ke_group && has(algs.dh, algs.dh_count, g) &&
		    offers(&p[expected], (struct transform){4, ke_group, -1}))
			assert_int_equal(suite.dh, g);
}

static void test_choice_equals_oracle(void **state)
{
	struct rng rng;

	rng_init_seeded(&rng, 42);
	for (unsigned i = 0; i < 100000; i++)
		check_one(&rng);
}

/* What one side offers, the other chooses from, and the first takes the choice: for any two policies. */
static void test_offer_choose_accept(void **state)
{
	struct rng rng;
	unsigned agreed = 0;

	rng_init_seeded(&rng, 43);
	for (unsigned i = 0; i < 20000; i++) {
		bool ike = rng_below(&rng, 2);
		struct ike_algs a = random_algs(&rng, ike), b = random_algs(&rng, ike);
		struct ike_policy ours = {
		    ike ? PROTOCOL_IKE : PROTOCOL_ESP, &a, IKE_ESN_BOTH, false};
		struct ike_policy theirs = {ours.protocol, &b, IKE_ESN_BOTH, false};
		struct ike_suite chosen, taken;
		struct ike_payloads p;
		uint8_t offer[2048], answer[512];
		struct ike_chain c = ike_chain_of(offer, sizeof(offer));
		static const uint8_t spi[8] = {1, 2, 3, 4, 5, 6, 7, 8};
		uint8_t spi_len = ike ? 8 : 4;

		ike_policy_put(&c, &ours, spi, spi_len);
		assert_int_equal(
		    ike_payloads_parse(wire_of(offer, wirebuf_len(&c.buf)), c.first, &p), 0);
		if (ike_suite_choose(&theirs, ike_payload_wire(&p.list[0]), 0, &chosen))
			continue;
		agreed++;
		assert_memory_equal(chosen.spi, spi, spi_len);
		c = ike_chain_of(answer, sizeof(answer));
		ike_suite_put(&c, &chosen, ours.protocol, spi, spi_len);
		assert_int_equal(
		    ike_payloads_parse(wire_of(answer, wirebuf_len(&c.buf)), c.first, &p), 0);
		assert_int_equal(ike_suite_accept(&ours, ike_payload_wire(&p.list[0]), &taken), 0);
		assert_int_equal(taken.encr, chosen.encr);
		assert_int_equal(taken.integ, chosen.integ);
		assert_int_equal(taken.dh, chosen.dh);
		assert_int_equal(taken.esn, false); /* V2-30: 32 bits preferred */
		if (ike)
			assert_int_equal(taken.prf, chosen.prf);
	}
	assert_true(agreed > 1000);
}

static const struct ike_algs plain = {
    {ENCR_AES128, ENCR_AES128GCM16}, {AUTH_SHA1}, {DH_2, DH_14}, 2, 1, 2};

/* The answer must be one choice of one proposal of ours. */
static void test_accept_refuses(void **state)
{
	struct ike_policy policy = {PROTOCOL_IKE, &plain, IKE_ESN_NO, false};
	struct proposal good = {1, 1, 0, 4, {{1, 12, 128}, {2, 2, -1}, {3, 2, -1}, {4, 14, -1}}};
	struct proposal aead = {2, 1, 0, 3, {{1, 20, 128}, {2, 2, -1}, {4, 2, -1}}};
	struct proposal two[2] = {good, aead}, bad;
	struct ike_suite suite;
	uint8_t bytes[512];
	size_t len;

	len = write_sa(bytes, sizeof(bytes), &good, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), 0);
	len = write_sa(bytes, sizeof(bytes), &aead, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), 0);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, 0), &suite), -EBADMSG);
	len = write_sa(bytes, sizeof(bytes), two, 2); /* two proposals */
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
	for (unsigned i = 0; i < 4; i++) { /* a kind missing, doubled, of another value */
		bad = good;
		bad.list[i] = bad.list[--bad.count];
		len = write_sa(bytes, sizeof(bytes), &bad, 1);
		assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
		bad = good;
		bad.list[i].id = 13;
		len = write_sa(bytes, sizeof(bytes), &bad, 1);
		assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
	}
	bad = good;
	bad.list[bad.count++] = (struct transform){4, 2, -1}; /* two groups */
	len = write_sa(bytes, sizeof(bytes), &bad, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
	bad = good;
	bad.number = 2; /* the choice of the other proposal */
	len = write_sa(bytes, sizeof(bytes), &bad, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
	bad = good;
	bad.list[0].key_bits = 256;
	len = write_sa(bytes, sizeof(bytes), &bad, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), -ENOENT);
}

/* RFC 7296 1.2: IKE_AUTH negotiates no group; whoever says NONE says nothing else. */
static void test_accept_without_dh(void **state)
{
	struct ike_policy policy = {PROTOCOL_ESP, &plain, IKE_ESN_NO, true};
	struct proposal answer = {2, 3, 4, 2, {{1, 20, 128}, {5, 0, -1}}};
	static const struct {
		int id, result;
	} groups[] = {{0, 0}, {2, -ENOENT}, {14, -ENOENT}, {200, -ENOENT}};
	struct ike_suite suite;
	uint8_t bytes[512];
	size_t len;

	len = write_sa(bytes, sizeof(bytes), &answer, 1);
	assert_int_equal(ike_suite_accept(&policy, wire_of(bytes, len), &suite), 0);
	answer.count++;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		answer.list[2] = (struct transform){4, (uint16_t)groups[i].id, -1};
		len = write_sa(bytes, sizeof(bytes), &answer, 1);
		assert_int_equal(
		    ike_suite_accept(&policy, wire_of(bytes, len), &suite), groups[i].result);
	}
}

/* I4: the last-marks, counts and lengths */
static void test_malformed(void **state)
{
	struct ike_policy policy = {PROTOCOL_IKE, &plain, IKE_ESN_NO, false};
	struct proposal good = {1, 1, 0, 4, {{1, 12, 128}, {2, 2, -1}, {3, 2, -1}, {4, 14, -1}}};
	static const struct {
		uint8_t at, value;
	} spoil[] = {
	    {0, 1}, {0, 2}, {0, 3},                /* proposal: last or more */
	    {3, 0}, {3, 7}, {3, 8}, {3, 200},      /* proposal length */
	    {6, 1}, {6, 255},                      /* SPI size */
	    {7, 0}, {7, 3}, {7, 5}, {7, 255},      /* transform count */
	    {8, 0}, {8, 1}, {8, 2},                /* transform: last or more */
	    {11, 0}, {11, 7}, {11, 13}, {11, 255}, /* transform length */
	    {16, 0},                               /* key length as TLV of 128 bytes */
	};
	struct ike_suite suite;
	uint8_t bytes[512], copy[512];
	size_t len = write_sa(bytes, sizeof(bytes), &good, 1);

	assert_int_equal(ike_suite_choose(&policy, wire_of(bytes, len), 0, &suite), 0);
	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		memcpy(copy, bytes, len);
		copy[spoil[i].at] = spoil[i].value;
		assert_int_equal(
		    ike_suite_choose(&policy, wire_of(copy, len), 0, &suite), -EBADMSG);
	}
	for (size_t cut = 1; cut < len; cut++)
		assert_int_equal(
		    ike_suite_choose(&policy, wire_of(bytes, cut), 0, &suite), -EBADMSG);
	assert_int_equal(ike_suite_choose(&policy, wire_of(bytes, 0), 0, &suite), -ENOENT);
}

/* Attributes: unknown ones and doubled ones make a transform unusable, not the proposal. */
static void test_attributes(void **state)
{
	struct ike_policy policy = {PROTOCOL_IKE, &plain, IKE_ESN_NO, false};
	struct proposal two = {
	    1, 1, 0, 5, {{1, 12, 128}, {1, 20, 128}, {2, 2, -1}, {4, 14, -1}, {4, 2, -1}}};
	struct ike_suite suite;
	uint8_t bytes[512];
	size_t len = write_sa(bytes, sizeof(bytes), &two, 1);

	assert_int_equal(ike_suite_choose(&policy, wire_of(bytes, len), 0, &suite), 0);
	assert_int_equal(suite.encr, ENCR_AES128GCM16); /* no integrity for the other */
	assert_int_equal(suite.dh, DH_2);               /* our order */
	bytes[8 + 12 + 9] = 15;                         /* attribute 15 on the GCM transform */
	assert_int_equal(ike_suite_choose(&policy, wire_of(bytes, len), 0, &suite), -ENOENT);
}

/* 255 proposals of 255 transforms: read, nothing stored */
static void test_many(void **state)
{
	static uint8_t bytes[65535];
	struct ike_policy policy = {PROTOCOL_IKE, &plain, IKE_ESN_NO, false};
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	struct ike_suite suite;

	for (unsigned i = 0; i < 31; i++) {
		wirebuf_u8(&b, i < 30 ? 2 : 0);
		wirebuf_u8(&b, 0);
		wirebuf_u16(&b, 8 + 255 * 8);
		wirebuf_u32(&b, (i + 1) << 24 | 1 << 16 | 255);
		for (unsigned k = 0; k < 255; k++) {
			wirebuf_u32(&b, (k < 254 ? 3u : 0) << 24 | 8);
			wirebuf_u32(&b, (1 + k % 5) << 24 | k);
		}
	}
	assert_true(wirebuf_ok(&b));
	assert_int_equal(
	    ike_suite_choose(&policy, wire_of(bytes, wirebuf_len(&b)), 0, &suite), -ENOENT);
}

/* T27: which field, and both values */
static void test_mismatch(void **state)
{
	static const struct {
		struct proposal p;
		enum ike_error_code code;
		const char *field, *ours, *theirs;
	} cases[] = {
	    {{1, 1, 0, 4, {{1, 12, 256}, {2, 2, -1}, {3, 2, -1}, {4, 14, -1}}},
		IKE_ERROR_ENCRYPTION_ALGORITHM_MISMATCH, "ike.encryption", "aes128,aes128gcm16",
		"aes256"},
	    {{1, 1, 0, 4, {{1, 12, 128}, {2, 5, -1}, {3, 12, -1}, {4, 14, -1}}},
		IKE_ERROR_AUTHENTICATION_ALGORITHM_MISMATCH, "ike.authentication", "sha1",
		"sha256"},
	    {{1, 1, 0, 4, {{1, 12, 128}, {2, 2, -1}, {3, 2, -1}, {4, 5, -1}}},
		IKE_ERROR_DH_GROUP_MISMATCH, "ike.dh-group", "group2,group14", "group5"},
	    {{1, 1, 0, 3, {{1, 12, 128}, {2, 2, -1}, {4, 14, -1}}},
		IKE_ERROR_AUTHENTICATION_ALGORITHM_MISMATCH, "ike.authentication", "sha1",
		"none that we know"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_policy policy = {PROTOCOL_IKE, &plain, IKE_ESN_NO, false};
		struct ike_mismatch m;
		uint8_t bytes[512];
		size_t len = write_sa(bytes, sizeof(bytes), &cases[i].p, 1);

		ike_mismatch_find(&policy, wire_of(bytes, len), &m);
		assert_int_equal(m.code, cases[i].code);
		assert_string_equal(m.field, cases[i].field);
		assert_string_equal(m.ours, cases[i].ours);
		assert_string_equal(m.theirs, cases[i].theirs);
	}
}

static void test_mismatch_esp(void **state)
{
	static const struct ike_algs algs = {{ENCR_AES128}, {AUTH_SHA1}, {DH_2}, 1, 1, 1};
	struct ike_policy policy = {PROTOCOL_ESP, &algs, IKE_ESN_NO, false};
	struct proposal p = {1, 3, 4, 3, {{1, 12, 128}, {3, 2, -1}, {5, 0, -1}}};
	struct ike_mismatch m;
	uint8_t bytes[512];
	size_t len = write_sa(bytes, sizeof(bytes), &p, 1);

	ike_mismatch_find(&policy, wire_of(bytes, len), &m);
	assert_int_equal(m.code, IKE_ERROR_PFS_MISMATCH);
	assert_string_equal(m.field, "ipsec.dh-group");
	assert_string_equal(m.ours, "group2");
	assert_string_equal(m.theirs, "disabled");
	p.list[2].id = 1;
	p.list[p.count++] = (struct transform){4, 2, -1};
	len = write_sa(bytes, sizeof(bytes), &p, 1);
	ike_mismatch_find(&policy, wire_of(bytes, len), &m);
	assert_int_equal(m.code, IKE_ERROR_ESN_MISMATCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_choice_equals_oracle),
	    cmocka_unit_test(test_offer_choose_accept),
	    cmocka_unit_test(test_accept_refuses),
	    cmocka_unit_test(test_accept_without_dh),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_mismatch),
	    cmocka_unit_test(test_mismatch_esp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
