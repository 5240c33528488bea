/* SPDX-License-Identifier: BSD-3-Clause */

/* What one end sends the other end gets: every algorithm, encapsulation and length (T15, T16, ES-04). */

#include "esp_rig.h"
#include "testing_eal.h"

#include "base/mtu.h"

/* Bursts of packets of all these lengths, there and back; bytes and order must be the same. */
static void there_and_back(
    struct rig *r, uint32_t tunnel, const struct sa_spec *spec, size_t from, size_t to, size_t step)
{
	static struct packet inner[BURST_MAX];
	struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];

	for (size_t len = from; len <= to;) {
		unsigned n = 0;

		for (; n < BURST_MAX && len <= to; n++, len += step) {
			rig_inner(&inner[n], len);
			m[n] = rig_to_send(r, tunnel, &inner[n]);
		}
		assert_int_equal(rig_send(r, m, n, outer), n);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(outer[i]->pkt_len,
			    mtu_outer_bytes(
				spec->encr, spec->auth, spec->natt, IP_V4, (uint32_t)inner[i].len));
		rig_turn_round(r, outer, n);
		assert_int_equal(rig_receive(r, outer, n, m), n);
		for (unsigned i = 0; i < n; i++) {
			const struct pkt_meta *meta = pkt_meta(m[i]);

			assert_int_equal(m[i]->pkt_len, inner[i].len);
			assert_memory_equal(
			    rte_pktmbuf_mtod(m[i], void *), inner[i].bytes, inner[i].len);
			assert_int_equal(meta->tunnel, spec->tunnel);
			assert_int_equal(meta->slot, spec->slot);
			assert_int_equal(meta->attachment, spec->attachment);
			assert_int_equal(meta->iface, 0);
			rig_free(r, m[i]);
		}
	}
}

static void every_algorithm(void **state)
{
	struct rig *r = *state;
	unsigned round = 0;

	for (unsigned i = 0; i < SUITES; i++) {
		for (unsigned variant = 0; variant < 4 && rig_has(suite_of(i)); variant++) {
			struct sa_spec spec = rig_spec(r, suite_of(i), 0x1000 + round++);
			struct sa_out *out;
			struct sa_in *in;
			uint32_t tunnel;

			spec.natt = variant & 1;
			spec.esn = variant & 2;
			spec.tunnel = 3;
			tunnel = rig_pair(r, &spec, &out, &in);
			there_and_back(
			    r, tunnel, &spec, 20, 84, 1); /* every length modulo 16, four times */
			there_and_back(r, tunnel, &spec, 85, 1446, 61);
			there_and_back(r, tunnel, &spec, 1431, 1446, 1);
			tunnel_release(&r->b->tunnels, tunnel);
			sa_in_remove(r->b->sas, in);
			sa_out_remove(r->b->sas, out);
			epoch_reclaim(r->b->epoch);
		}
	}
	rig_dropped(r, DROP_ESP_ICV, 0); /* nor for any other reason */
}

/* Sequence numbers go through 2^32 with ESN, for an AEAD and for CBC with HMAC. */
static void through_2_to_32(void **state)
{
	static const struct suite suites[] = {{ENCR_AES128GCM16, AUTH_NONE},
	    {ENCR_CHACHA20POLY1305, AUTH_NONE}, {ENCR_AES256, AUTH_SHA512}};
	struct rig *r = *state;

	for (unsigned i = 0; i < TEST_COUNT(suites); i++) {
		struct sa_spec spec = rig_spec(r, suites[i], 0x2000 + i);
		struct sa_out *out;
		struct sa_in *in;
		uint32_t tunnel;

		if (!rig_has(suites[i]))
			continue;
		spec.esn = true;
		spec.first_sequence = UINT64_C(0x2fffffff0);
		tunnel = rig_pair(r, &spec, &out, &in);
		there_and_back(r, tunnel, &spec, 60, 160, 1);
		assert_int_equal(in->replay.top, UINT64_C(0x2fffffff0) + 100);
		assert_int_equal(sa_out_sequence(out), UINT64_C(0x2fffffff0) + 101);
	}
	rig_dropped(r, DROP_ESP_ICV, 0);
}

/* Counters of both SAs and of the ledger. */
static void counts(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x3000);
	struct sa_totals sent, received;
	struct slot_counters slot;
	struct sa_out *out;
	struct sa_in *in;
	uint32_t tunnel = rig_pair(r, &spec, &out, &in);

	there_and_back(r, tunnel, &spec, 100, 109, 1);
	sa_totals_read(&out->head, &sent);
	sa_totals_read(&in->head, &received);
	assert_int_equal(sent.packets, 10);
	assert_int_equal(sent.bytes, 1045);
	assert_int_equal(received.packets, 10);
	assert_int_equal(received.bytes, 1045);
	assert_int_equal(sent.outer_bytes, received.outer_bytes);
	assert_true(sent.outer_bytes > 1045 + 10 * (20 + 16 + 16));
	slot_read(&r->b->counters, r->wan, &slot);
	assert_int_equal(slot.decrypted, 10);
	slot_read(&r->b->counters, r->lan, &slot);
	assert_int_equal(slot.received, 20); /* given to send, and come out of the tunnel */
	assert_int_equal(slot.received_bytes, 1045);
	rig_dropped(r, DROP_ESP_ICV, 0);
}

/* IPv6 inside: lengths and ECN of that family, in an SA of its own. */
static void ipv6_inside(void **state)
{
	static uint8_t header[40] = {0x60, 0, 0, 0, 0, 60, 17, 64, [8] = 0x20, 1, [24] = 0x20, 2};
	struct rig *r = *state;

	for (unsigned i = 0; i < SUITES; i += 3) {
		struct sa_spec spec = rig_spec(r, suite_of(i), 0x4000 + i);
		struct ip_prefix all = {.addr = ip_any(IP_V6)};
		struct packet p = {.len = 100};
		struct rte_mbuf *m, *inner[BURST_MAX];
		struct sa_out *out;
		struct sa_in *in;
		uint32_t tunnel;

		if (!rig_has(suite_of(i)))
			continue;
		spec.inner_family = IP_V6;
		spec.selector[0].local = spec.selector[0].remote = ip_range_of_prefix(&all);
		tunnel = rig_pair(r, &spec, &out, &in);
		memcpy(p.bytes, header, sizeof(header));
		packet_fill(p.bytes + 40, 60);
		m = rig_send_one(r, tunnel, &p);
		assert_non_null(m);
		rig_turn_round(r, &m, 1);
		assert_int_equal(rig_receive(r, &m, 1, inner), 1);
		assert_int_equal(inner[0]->pkt_len, 100);
		assert_memory_equal(rte_pktmbuf_mtod(inner[0], void *), p.bytes, 100);
		rig_free(r, inner[0]);
		rig_inner(&p, 100); /* IPv4 has no business there */
		assert_null(rig_send_one(r, tunnel, &p));
		rig_dropped(r, DROP_TUNNEL_SELECTOR, 1);
	}
}

/* IPv6 outside. */
static void ipv6_outside(void **state)
{
	struct rig *r = *state;

	for (unsigned natt = 0; natt < 2; natt++) {
		struct sa_spec spec = rig_spec(r, natt ? GCM : CBC_SHA1, 0x5000 + natt);
		struct rte_mbuf *m, *inner[BURST_MAX];
		struct packet p;
		struct sa_out *out;
		struct sa_in *in;
		uint32_t tunnel;
		uint8_t *ip;

		spec.natt = natt;
		spec.local = test_addr("2001:db8::1");
		spec.remote = test_addr("2001:db8::2");
		spec.dscp = 46;
		tunnel = rig_pair(r, &spec, &out, &in);
		rig_inner(&p, 200);
		m = rig_send_one(r, tunnel, &p);
		assert_non_null(m);
		ip = rte_pktmbuf_mtod(m, uint8_t *);
		assert_int_equal(ip[0] >> 4, 6);
		assert_int_equal((ip[0] & 15) << 4 | ip[1] >> 4, 46 << 2);
		assert_int_equal(get16(ip + 4) + 40, m->pkt_len);
		assert_int_equal(ip[6], natt ? 17 : 50);
		assert_int_equal(ip[7], 64);
		assert_memory_equal(ip + 8, spec.local.bytes, 16);
		assert_memory_equal(ip + 24, spec.remote.bytes, 16);
		rig_turn_round(r, &m, 1);
		esp_found(m, 40, natt ? 8 : 0);
		assert_int_equal(rig_receive(r, &m, 1, inner), 1);
		assert_int_equal(inner[0]->pkt_len, 200);
		assert_memory_equal(rte_pktmbuf_mtod(inner[0], void *), p.bytes, 200);
		rig_free(r, inner[0]);
	}
	rig_dropped(r, DROP_ESP_ICV, 0);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(every_algorithm),
	    RIG_TEST(through_2_to_32),
	    RIG_TEST(counts),
	    RIG_TEST(ipv6_inside),
	    RIG_TEST(ipv6_outside),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
