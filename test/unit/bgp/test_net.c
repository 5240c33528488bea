/* SPDX-License-Identifier: BSD-3-Clause */

/* Prefix tables and batches against simple models of them; prefixes on the wire. */

#include "speaker.h"

#include "bgp/hash.h"
#include "bgp/net.h"
#include "bgp/nlri.h"
#include "bgp/out.h"

enum { KEYS = 3000 };

static void key_of(unsigned i, unsigned bytes, uint8_t *key, uint8_t *len)
{
	memset(key, 0, 16);
	*len = (uint8_t)(8 + i % (bytes * 8 - 7));
	key[0] = (uint8_t)(i % 200 + 1); /* many keys differ in the length alone */
}

static void check_table(enum bgp_family family)
{
	static uint32_t held[KEYS], net[KEYS];
	unsigned bytes = bgp_family_bytes(family);
	struct rng rng = test_rng();
	struct bgp_nets t;

	memset(held, 0, sizeof(held));
	bgp_nets_init(&t, family, rng_u64(&rng));
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = rng_below(&rng, bytes == 4 ? 200 * 25 : KEYS) % KEYS;
		uint8_t key[16], len;
		uint32_t hash, found;

		key_of(i, bytes, key, &len);
		hash = bgp_net_hash(&t, key, len);
		found = bgp_net_find(&t, key, len, hash);
		if (rng_below(&rng, 2)) {
			uint32_t got = bgp_net_get(&t, key, len, hash);

			assert_true(!found || got == found);
			assert_int_equal(bgp_net_at(&t, got)->len, len);
			assert_memory_equal(bgp_net_at(&t, got)->key, key, bytes);
			net[i] = got;
			held[i]++;
		} else if (held[i]) {
			assert_int_equal(found, net[i]);
			bgp_net_unref(&t, net[i]);
			held[i]--;
		}
	}
	for (unsigned i = 0; i < KEYS; i++)
		for (; held[i]; held[i]--)
			bgp_net_unref(&t, net[i]);
	assert_int_equal(bgp_nets_count(&t), 0);
	bgp_nets_fini(&t);
}

static void tables(void **state)
{
	check_table(BGP_IPV4);
	check_table(BGP_IPV6);
}

/* A great many: each is found, the buckets are even. */
static void many_prefixes(void **state)
{
	enum { COUNT = 300000 };
	struct bgp_nets t;
	unsigned longest = 0;

	bgp_nets_init(&t, BGP_IPV4, 12345);
	for (unsigned i = 0; i < COUNT; i++) {
		uint8_t key[4] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0};

		bgp_net_get(&t, key, 24, bgp_net_hash(&t, key, 24));
	}
	assert_int_equal(bgp_nets_count(&t), COUNT);
	for (uint32_t b = 0; b < t.mask + 1 + t.split; b++) {
		unsigned chain = 0;

		for (uint32_t net = t.bucket[b]; net; net = bgp_net_at(&t, net)->next)
			chain++;
		longest = chain > longest ? chain : longest;
	}
	assert_in_range(longest, 2, 16);
	for (unsigned i = 0; i < COUNT; i++) {
		uint8_t key[4] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 0};
		uint32_t net = bgp_net_find(&t, key, 24, bgp_net_hash(&t, key, 24));
		struct ip_prefix p;

		assert_true(net != 0);
		p = bgp_net_prefix(&t, net);
		assert_int_equal(p.len, 24);
		bgp_net_unref(&t, net);
	}
	assert_int_equal(bgp_nets_count(&t), 0);
	bgp_nets_fini(&t);
}

/* Hashes depend on the key in all their bits, on every octet and on the length. */
static void hashes(void **state)
{
	uint8_t bytes[64] = {0};
	uint32_t plain = bgp_hash_bytes(1, bytes, 64);

	assert_int_not_equal(plain, bgp_hash_bytes(2, bytes, 64));
	assert_int_not_equal(plain, bgp_hash_bytes(1, bytes, 63));
	for (unsigned i = 0; i < 64 * 8; i++) {
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(plain, bgp_hash_bytes(1, bytes, 64));
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* ---- prefixes on the wire ---- */

static void prefixes_on_the_wire(void **state)
{
	uint8_t bytes[64];
	struct bgp_nlri n;
	struct wire w =
	    wire_of(bytes, unhex("00 01ff 1f c0000203 20 c0000201", bytes, sizeof(bytes)));

	assert_true(bgp_nlri_ok(BGP_IPV4, w));
	assert_true(bgp_nlri_next(BGP_IPV4, &w, &n));
	assert_int_equal(n.len, 0);
	assert_true(bgp_nlri_next(BGP_IPV4, &w, &n));
	assert_int_equal(n.key[0], 0x80);
	assert_true(bgp_nlri_next(BGP_IPV4, &w, &n));
	assert_memory_equal(n.key, "\xc0\x00\x02\x02", 4);
	assert_true(bgp_nlri_next(BGP_IPV4, &w, &n));
	assert_memory_equal(n.key, "\xc0\x00\x02\x01", 4);
	assert_false(bgp_nlri_next(BGP_IPV4, &w, &n));
	for (unsigned len = 0; len < 256; len++) {
		memset(bytes, 0xff, sizeof(bytes));
		bytes[0] = (uint8_t)len;
		for (int f = 0; f < BGP_FAMILY_COUNT; f++) {
			unsigned max = f == BGP_IPV4 ? 32 : 128, need = 1 + (len + 7) / 8;

			assert_int_equal(bgp_nlri_ok(f, wire_of(bytes, need)), len <= max);
			assert_false(bgp_nlri_ok(f, wire_of(bytes, need - 1)) && need > 1);
		}
	}
}

static void routable(void **state)
{
	static const struct {
		const char *prefix;
		bool good;
	} cell[] = {
	    {"0.0.0.0/0", true},
	    {"0.0.0.0/1", true},
	    {"0.0.0.0/8", false},
	    {"0.1.0.0/16", false},
	    {"1.0.0.0/8", true},
	    {"127.0.0.0/8", false},
	    {"126.0.0.0/7", true},
	    {"223.0.0.0/8", true},
	    {"224.0.0.0/4", false},
	    {"224.0.0.0/3", true},
	    {"239.1.0.0/16", false},
	    {"240.0.0.0/4", false},
	    {"255.255.255.255/32", false},
	    {"::/0", true},
	    {"::/96", false},
	    {"::1/128", false},
	    {"::ffff:1.2.3.0/120", false},
	    {"fe80::/10", false},
	    {"fe80::/64", false},
	    {"fec0::/10", true},
	    {"ff02::/16", false},
	    {"2001:db8::/32", true},
	    {"fc00::/7", true},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct ip_prefix p = test_prefix(cell[i].prefix);
		struct bgp_nlri n = {.len = p.len};

		memcpy(n.key, p.addr.bytes, 16);
		assert_int_equal(
		    bgp_nlri_is_routable(p.addr.family == IP_V4 ? BGP_IPV4 : BGP_IPV6, &n),
		    cell[i].good);
	}
}

/* ---- batches ---- */

static void batches(void **state)
{
	enum { NETS = 20000, SETS = 700 };
	static uint32_t set_of[NETS + 1];
	static bool seen[SETS + 1];
	struct rng rng = test_rng();
	struct bgp_batch b = {0};
	unsigned taken = 0;
	uint32_t net;

	for (uint32_t i = 1; i <= NETS; i++) {
		bool is_new = !seen[set_of[i] = rng_below(&rng, SETS + 1)];

		seen[set_of[i]] = true;
		assert_int_equal(bgp_batch_add(&b, i, set_of[i]), is_new && set_of[i]);
	}
	assert_int_equal(b.bucket[0].set, 0); /* withdrawals come first */
	for (; b.at < b.buckets; b.at++) {
		uint32_t before = 0;

		assert_true(b.at == 0 || seen[b.bucket[b.at].set]);
		seen[b.bucket[b.at].set] = false; /* each set once */
		while ((net = bgp_batch_peek(&b)) != 0) {
			assert_int_equal(bgp_batch_take(&b), net);
			assert_int_equal(set_of[net], b.bucket[b.at].set);
			assert_true(net > before); /* in the order they were added */
			before = net;
			taken++;
		}
	}
	assert_int_equal(taken, NETS);
	bgp_batch_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables),
	    cmocka_unit_test(many_prefixes),
	    cmocka_unit_test(hashes),
	    cmocka_unit_test(prefixes_on_the_wire),
	    cmocka_unit_test(routable),
	    cmocka_unit_test(batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
