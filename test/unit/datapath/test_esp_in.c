/* SPDX-License-Identifier: BSD-3-Clause */

/* What an inbound SA must refuse, and why (ES-05, ES-08, ES-09, ES-18; E1, E2, E3, E4, E6 of the attack list). */

#include "esp_rig.h"
#include "testing_eal.h"

#define LEN 100

/* Of each kind of framing one: both AEADs, a wide and a narrow block, short and long ICVs. */
static const struct suite kinds[] = {{ENCR_AES128GCM16, AUTH_NONE},
    {ENCR_CHACHA20POLY1305, AUTH_NONE}, {ENCR_AES256, AUTH_SHA256}, {ENCR_AES128, AUTH_SHA512},
    {ENCR_3DES, AUTH_MD5}, {ENCR_DES, AUTH_SHA1}};

/* A spec of the peer, and our inbound SA of it. */
static struct sa_spec peer_of(
    struct rig *r, struct suite s, uint32_t spi, bool esn, struct sa_in **in)
{
	struct sa_spec spec = rig_spec(r, s, spi), mirror;

	spec.esn = esn;
	mirror = rig_mirror(&spec);
	*in = rig_in(r, &mirror);
	return spec;
}

/* An outer packet from the peer. */
static size_t sealed(const struct sa_spec *spec, uint64_t sequence, struct packet *outer)
{
	static const struct oracle_trailer right;
	static const uint8_t iv[16] = {1, 2, 3};
	uint8_t esp[ORACLE_MAX];
	struct packet inner;

	rig_inner(&inner, LEN);
	rig_outer(outer, spec, esp, oracle_seal(spec, sequence, iv, &right, inner.bytes, LEN, esp));
	return outer->len;
}

static struct rte_mbuf *receive(struct rig *r, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = rig_to_receive(r, bytes, len), *inner[BURST_MAX];

	return rig_receive(r, &m, 1, inner) ? inner[0] : NULL;
}

/* A packet with its IPv4 length as it should be. */
static struct rte_mbuf *receive_cut(struct rig *r, const struct packet *p, size_t len)
{
	struct packet cut = *p;

	put16(cut.bytes + 2, (unsigned)len);
	packet_ip4_fix(cut.bytes);
	return receive(r, cut.bytes, len);
}

/* Every byte of the ESP packet is under the ICV, and a bad one changes nothing. */
static void flipped_bits(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2 * TEST_COUNT(kinds); i++) {
		struct sa_in *in;
		struct sa_spec spec;
		struct packet p;
		struct rte_mbuf *m;
		unsigned refused = 0;

		if (!rig_has(kinds[i / 2]))
			continue;
		spec = peer_of(r, kinds[i / 2], 0x10 + i, i & 1, &in);
		sealed(&spec, 9, &p);
		for (size_t at = 20 + 4; at < p.len; at++) { /* behind the SPI */
			p.bytes[at] ^= (uint8_t)(1 << at % 8);
			assert_null(receive(r, p.bytes, p.len));
			p.bytes[at] ^= (uint8_t)(1 << at % 8);
			refused++;
		}
		rig_dropped(r, DROP_ESP_ICV, refused);
		assert_int_equal(in->head.of_worker[0].icv_failed, refused);
		assert_int_equal(in->replay.top, 0);
		m = receive(r, p.bytes, p.len);
		assert_non_null(m);
		rig_free(r, m);
		assert_int_equal(in->replay.top, 9);
	}
}

/* Cut short anywhere, also within the ESP header: the reason is the length when nothing else can be. */
static void truncated(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2 * TEST_COUNT(kinds); i++) {
		struct sa_in *in;
		struct sa_spec spec;
		struct packet p;

		if (!rig_has(kinds[i / 2]))
			continue;
		spec = peer_of(r, kinds[i / 2], 0x30 + i, i & 1, &in);
		sealed(&spec, 9, &p);
		for (size_t len = 20; len < p.len; len++) {
			unsigned body =
			    (unsigned)len - 20 - in->head.header_bytes - in->head.icv_bytes;

			assert_null(receive_cut(r, &p, len));
			rig_dropped(r,
			    len < 20u + in->min_bytes || body % in->head.align ? DROP_ESP_TRUNCATED
									       : DROP_ESP_ICV,
			    1);
		}
		assert_int_equal(in->packets, 0);
		assert_int_equal(in->replay.top, 0);
	}
}

/* The smallest that may come: one block, or 4 bytes; it holds no inner packet. */
static void smallest(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < TEST_COUNT(kinds); i++) {
		struct oracle_trailer t = {0};
		struct sa_in *in;
		struct sa_spec spec;

		if (!rig_has(kinds[i]))
			continue;
		spec = peer_of(r, kinds[i], 0x50 + i, false, &in);
		assert_null(rig_receive_sealed(r, &spec, 1, &t, "", 0));
		rig_dropped(r, DROP_IP_MALFORMED, 1);
		assert_null(rig_receive_sealed(r, &spec, 1, &t, "", 0));
		rig_dropped(r, DROP_ESP_REPLAY, 1);
	}
}

static void bad_trailers(void **state)
{
	static const struct {
		struct oracle_trailer t;
		enum drop_reason reason;
	} cases[] = {
	    {{.lie = true}, DROP_ESP_PADDING},
	    {{.extra = 16, .wrong_byte = 1}, DROP_ESP_PADDING},
	    {{.extra = 16, .wrong_byte = 16}, DROP_ESP_PADDING},
	    {{.zero_next = true}, DROP_ESP_PADDING},
	    {{.next = 41}, DROP_ESP_PADDING}, /* IPv6 on an SA for IPv4 */
	    {{.next = 17}, DROP_ESP_PADDING},
	    {{.next = 50}, DROP_ESP_PADDING},
	    {{.next = 255}, DROP_ESP_PADDING},
	    {{.next = 59}, DROP_ESP_DUMMY},
	};
	struct rig *r = *state;
	struct packet inner;

	rig_inner(&inner, LEN);
	for (unsigned i = 0; i < 2 * TEST_COUNT(kinds); i++) {
		uint64_t sequence = 1;
		struct sa_in *in;
		struct sa_spec spec;

		if (!rig_has(kinds[i / 2]))
			continue;
		spec = peer_of(r, kinds[i / 2], 0x60 + i, i & 1, &in);
		for (unsigned k = 0; k < TEST_COUNT(cases); k++, sequence++) {
			assert_null(rig_receive_sealed(
			    r, &spec, sequence, &cases[k].t, inner.bytes, inner.len));
			rig_dropped(r, cases[k].reason, 1);
			/* it was authentic: its number is used up */
			assert_null(
			    rig_receive_sealed(r, &spec, sequence, NULL, inner.bytes, inner.len));
			rig_dropped(r, DROP_ESP_REPLAY, 1);
		}
	}
}

/* Inner headers that lie (E4), and padding for traffic-flow confidentiality, which is no lie. */
static void inner_lies(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} lies[] = {{0, 0x65}, {0, 0x44}, {0, 0x40}, {0, 0x4f}, {0, 0x05}, {2, 0x10}, {3, LEN + 1},
	    {3, 19}, {3, 0}};
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x70, false, &in);
	uint64_t sequence = 1;
	struct packet inner;
	struct rte_mbuf *m;

	for (unsigned i = 0; i < TEST_COUNT(lies); i++) {
		rig_inner(&inner, LEN);
		inner.bytes[lies[i].at] = lies[i].value;
		if (lies[i].value == 0x4f)
			put16(inner.bytes + 2, 59); /* shorter than its header of 60 */
		assert_null(rig_receive_sealed(r, &spec, sequence++, NULL, inner.bytes, LEN));
		rig_dropped(r, DROP_IP_MALFORMED, 1);
	}
	rig_inner(&inner, LEN);
	for (size_t len = 1; len < 20; len++) {
		assert_null(rig_receive_sealed(r, &spec, sequence++, NULL, inner.bytes, len));
		rig_dropped(r, DROP_IP_MALFORMED, 1);
	}
	memset(inner.bytes + LEN, 0xaa, 300);
	m = rig_receive_sealed(r, &spec, sequence, NULL, inner.bytes, LEN + 300);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, LEN);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), inner.bytes, LEN);
	rig_free(r, m);
}

static void inner_lies_v6(void **state)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} lies[] = {{0, 0x45}, {0, 0x70}, {0, 0x00}, {4, 1}, {5, 61}};
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x78), mirror;
	struct ip_prefix all = {.addr = ip_any(IP_V6)};
	uint8_t inner[400] = {0};
	uint64_t sequence = 1;
	struct rte_mbuf *m;

	spec.inner_family = IP_V6;
	spec.selector[0].local = spec.selector[0].remote = ip_range_of_prefix(&all);
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	for (unsigned i = 0; i < TEST_COUNT(lies); i++) {
		inner[0] = 0x60;
		inner[4] = 0;
		inner[5] = 60;
		inner[lies[i].at] = lies[i].value;
		assert_null(rig_receive_sealed(r, &spec, sequence++, NULL, inner, 100));
		rig_dropped(r, DROP_IP_MALFORMED, 1);
	}
	inner[5] = 0;
	for (size_t len = 0; len < 40; len += 3) {
		assert_null(rig_receive_sealed(r, &spec, sequence++, NULL, inner, len));
		rig_dropped(r, DROP_IP_MALFORMED, 1);
	}
	inner[5] = 60;
	m = rig_receive_sealed(r, &spec, sequence++, NULL, inner, 400);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, 100);
	rig_free(r, m);
}

static void unknown_spi(void **state)
{
	static const uint32_t spis[] = {0, 1, 255, 256, 0x81, 0xffffffff};
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x80, false, &in);
	struct packet p;

	for (unsigned i = 0; i < TEST_COUNT(spis); i++) {
		sealed(&spec, 1, &p);
		put16(p.bytes + 20, spis[i] >> 16);
		put16(p.bytes + 22, spis[i] & 0xffff);
		assert_null(receive(r, p.bytes, p.len));
		rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 1);
	}
}

/* The SPI of another customer's tunnel from the wrong place, and to the wrong address of ours. */
static void wrong_peer(void **state)
{
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x90, false, &in), wrong;
	struct packet p;

	wrong = spec;
	wrong.local = test_addr("192.0.2.77");
	sealed(&wrong, 1, &p);
	assert_null(receive(r, p.bytes, p.len));
	rig_dropped(r, DROP_ESP_WRONG_PEER, 1);
	wrong = spec;
	wrong.remote = test_addr("198.51.100.3");
	sealed(&wrong, 1, &p);
	assert_null(receive(r, p.bytes, p.len));
	rig_dropped(r, DROP_ESP_WRONG_PEER, 1);
	assert_int_equal(in->head.of_worker[0].other, 2);
	assert_int_equal(in->replay.top, 0);
}

/* UDP encapsulation is understood whether a NAT was found or not (RFC 7296 2.23). */
static void udp_without_nat(void **state)
{
	struct rig *r = *state;
	struct sa_in *in;
	struct sa_spec spec = peer_of(r, GCM, 0x98, false, &in);
	struct rte_mbuf *m;
	struct packet p;

	spec.natt = true;
	spec.local_port = 1234;
	sealed(&spec, 1, &p);
	m = receive(r, p.bytes, p.len);
	assert_non_null(m);
	rig_free(r, m);
	spec.local = test_addr("192.0.2.77");
	sealed(&spec, 2, &p);
	assert_null(receive(r, p.bytes, p.len));
	rig_dropped(r, DROP_ESP_WRONG_PEER, 1);
}

/* Behind a NAT the source may change, but that of plain ESP cannot have passed one. */
static void plain_to_nat(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x9a), mirror;
	struct rte_mbuf *m;
	struct packet p;

	spec.natt = true;
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	spec.natt = false;
	sealed(&spec, 1, &p);
	m = receive(r, p.bytes, p.len);
	assert_non_null(m);
	rig_free(r, m);
	spec.local = test_addr("192.0.2.77");
	sealed(&spec, 2, &p);
	assert_null(receive(r, p.bytes, p.len));
	rig_dropped(r, DROP_ESP_WRONG_PEER, 1);
}

/* Put together from fragments: a chain of buffers, made one where it fits. */
static void chained(void **state)
{
	struct rig *r = *state;

	for (unsigned big = 0; big < 2; big++) {
		static const struct oracle_trailer right;
		static const uint8_t iv[16] = {1};
		struct sa_spec spec = rig_spec(r, big ? GCM : CBC_SHA1, 0x9c + big), mirror;
		struct rte_mbuf *m, *tail, *inner[BURST_MAX];
		static struct packet p, outer;
		uint8_t esp[ORACLE_MAX];
		size_t len = big ? 3000 : 1400;

		mirror = rig_mirror(&spec);
		rig_in(r, &mirror);
		rig_inner(&p, len);
		rig_outer(&outer, &spec, esp, oracle_seal(&spec, 1, iv, &right, p.bytes, len, esp));
		m = rig_to_receive(r, outer.bytes, 22); /* the SPI lies in two buffers */
		for (size_t at = 22; at < outer.len; at += 500) {
			size_t n = RTE_MIN(outer.len - at, 500u);

			tail = rte_pktmbuf_alloc(r->pool);
			memcpy(rte_pktmbuf_append(tail, (uint16_t)n), outer.bytes + at, n);
			assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
		}
		if (big) {
			assert_int_equal(rig_receive(r, &m, 1, inner), 0);
			rig_dropped(r, DROP_NO_HEADROOM, 1);
			continue;
		}
		assert_int_equal(rig_receive(r, &m, 1, inner), 1);
		assert_int_equal(inner[0]->pkt_len, len);
		assert_memory_equal(rte_pktmbuf_mtod(inner[0], void *), p.bytes, len);
		rig_free(r, inner[0]);
	}
}

/* Marks of a port's own IPsec offload mean nothing here. */
static void stale_flags(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct sa_in *in;
		struct sa_spec spec = peer_of(r, i ? CBC_SHA1 : GCM, 0x9e + i, false, &in);
		struct rte_mbuf *m, *inner[BURST_MAX];
		struct packet p;

		sealed(&spec, 1, &p);
		m = rig_to_receive(r, p.bytes, p.len);
		m->ol_flags = RTE_MBUF_F_RX_SEC_OFFLOAD | RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED |
		    RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_VLAN;
		assert_int_equal(rig_receive(r, &m, 1, inner), 1);
		assert_int_equal(inner[0]->ol_flags, 0);
		rig_free(r, inner[0]);
	}
}

/* Addresses, protocol and ports of what was inside, by the selectors of this very SA (RFC 4301 5.2). */
static void selectors(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t protocol;
		uint16_t src_port, dst_port;
		bool fragment, pass;
	} cases[] = {
	    {"10.1.0.0", "10.9.0.0", 17, 5, 6, false, true},
	    {"10.1.255.255", "10.9.0.255", 17, 5, 6, false, true},
	    {"10.2.0.0", "10.9.0.1", 17, 5, 6, false, false}, /* another customer's source */
	    {"10.0.255.255", "10.9.0.1", 17, 5, 6, false, false},
	    {"10.1.0.1", "10.9.1.0", 17, 5, 6, false, false}, /* the router itself, say */
	    {"10.9.0.1", "10.1.0.1", 17, 5, 6, false, false}, /* the wrong way round */
	    {"172.16.0.1", "172.17.0.1", 6, 40000, 443, false, true},
	    {"172.16.0.1", "172.17.0.1", 6, 40000, 444, false, false},
	    {"172.16.0.1", "172.17.0.1", 17, 40000, 443, false, false},
	    {"172.16.0.1", "172.17.0.1", 6, 40000, 443, true, false}, /* ports cannot be seen */
	};
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0xa0), mirror;
	struct ip_prefix a = test_prefix("10.1.0.0/16"), b = test_prefix("10.9.0.0/24");
	struct ip_prefix c = test_prefix("172.16.0.0/24"), d = test_prefix("172.17.0.0/24");

	spec.selector[0].local = ip_range_of_prefix(&a);
	spec.selector[0].remote = ip_range_of_prefix(&b);
	spec.selector[1] = (struct sa_selector){.local = ip_range_of_prefix(&c),
	    .remote = ip_range_of_prefix(&d),
	    .protocol = 6,
	    .local_port_last = UINT16_MAX,
	    .remote_port_first = 443,
	    .remote_port_last = 443};
	spec.selector_count = 2;
	mirror = rig_mirror(&spec);
	rig_in(r, &mirror);
	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct ip4 ip = {
		    .src = cases[i].src, .dst = cases[i].dst, .protocol = cases[i].protocol};
		uint8_t payload[40];
		struct packet p = {.len = 0};
		struct rte_mbuf *m;

		packet_fill(payload, sizeof(payload));
		put16(payload, cases[i].src_port);
		put16(payload + 2, cases[i].dst_port);
		ip.fragment = cases[i].fragment ? 0x2000 : 0;
		packet_ip4(&p, &ip, payload, sizeof(payload));
		m = rig_receive_sealed(r, &spec, i + 1, NULL, p.bytes, p.len);
		if (!!m != cases[i].pass)
			fail_msg("case %u", i);
		if (m)
			rig_free(r, m);
		else
			rig_dropped(r, DROP_ESP_SELECTOR, 1);
	}
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(flipped_bits),
	    RIG_TEST(truncated),
	    RIG_TEST(smallest),
	    RIG_TEST(bad_trailers),
	    RIG_TEST(inner_lies),
	    RIG_TEST(unknown_spi),
	    RIG_TEST(wrong_peer),
	    RIG_TEST(inner_lies_v6),
	    RIG_TEST(udp_without_nat),
	    RIG_TEST(plain_to_nat),
	    RIG_TEST(chained),
	    RIG_TEST(stale_flags),
	    RIG_TEST(selectors),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
