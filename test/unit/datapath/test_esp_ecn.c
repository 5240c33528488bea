/* SPDX-License-Identifier: BSD-3-Clause */

/* Congestion marks through a tunnel: RFC 6040, all 16 pairs of marks, both families inside and outside (ES-14). */

#include "esp_rig.h"
#include "testing_eal.h"

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, DROPPED = -1 };

/* Figure 4 of the RFC. */
static const struct {
	int inner, outer, result;
} rows[16] = {
    {NOT_ECT, NOT_ECT, NOT_ECT},
    {NOT_ECT, ECT_0, NOT_ECT},
    {NOT_ECT, ECT_1, NOT_ECT},
    {NOT_ECT, CE, DROPPED},
    {ECT_0, NOT_ECT, ECT_0},
    {ECT_0, ECT_0, ECT_0},
    {ECT_0, ECT_1, ECT_1},
    {ECT_0, CE, CE},
    {ECT_1, NOT_ECT, ECT_1},
    {ECT_1, ECT_0, ECT_1},
    {ECT_1, ECT_1, ECT_1},
    {ECT_1, CE, CE},
    {CE, NOT_ECT, CE},
    {CE, ECT_0, CE},
    {CE, ECT_1, CE},
    {CE, CE, CE},
};

static void make_inner(struct packet *p, uint8_t family, uint8_t tos)
{
	struct ip4 ip = {.src = "10.1.2.3", .dst = "10.9.8.7", .protocol = 1, .tos = tos};
	uint8_t payload[60];

	packet_fill(payload, sizeof(payload));
	p->len = 0;
	if (family == IP_V4) {
		packet_ip4(p, &ip, payload, sizeof(payload));
		return;
	}
	memset(p->bytes, 0, 40);
	p->bytes[0] = 0x60 | tos >> 4;
	p->bytes[1] = (uint8_t)(tos << 4) | 0x0a; /* and a flow label */
	p->bytes[3] = 0xbc;
	put16(p->bytes + 4, sizeof(payload));
	memcpy(p->bytes + 40, payload, sizeof(payload));
	p->len = 40 + sizeof(payload);
}

static uint8_t tos_of(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

static void set_tos(uint8_t *ip, uint8_t tos)
{
	if (ip[0] >> 4 == 4) {
		ip[1] = tos;
		packet_ip4_fix(ip);
	} else {
		ip[0] = 0x60 | tos >> 4;
		ip[1] = (uint8_t)(tos << 4) | (ip[1] & 15);
	}
}

/* One packet there, its outer mark changed on the way, and back out. */
static void one_row(struct rig *r, uint32_t tunnel, unsigned row, uint8_t inner_family)
{
	uint8_t dscp = (uint8_t)(row * 4 + 1);
	struct rte_mbuf *m, *inner[BURST_MAX];
	struct packet sent, expected;
	uint8_t *ip;

	make_inner(&sent, inner_family, (uint8_t)(dscp << 2 | rows[row].inner));
	m = rig_send_one(r, tunnel, &sent);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, uint8_t *);
	assert_int_equal(tos_of(ip) & 3, rows[row].inner); /* 4.1, normal mode */
	set_tos(ip, (uint8_t)(tos_of(ip) & ~3) | (uint8_t)rows[row].outer);
	rig_turn_round(r, &m, 1);
	esp_found(m, ip[0] >> 4 == 4 ? 20 : 40, 0);
	if (rows[row].result == DROPPED) {
		assert_int_equal(rig_receive(r, &m, 1, inner), 0);
		rig_dropped(r, DROP_ESP_ECN, 1);
		return;
	}
	assert_int_equal(rig_receive(r, &m, 1, inner), 1);
	make_inner(&expected, inner_family, (uint8_t)(dscp << 2 | rows[row].result));
	assert_int_equal(inner[0]->pkt_len, expected.len);
	assert_memory_equal(rte_pktmbuf_mtod(inner[0], void *), expected.bytes, expected.len);
	rig_free(r, inner[0]);
}

static void all_rows(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < 8; i++) {
		struct sa_spec spec = rig_spec(r, i & 4 ? CBC_SHA1 : GCM, 0x10 + i);
		struct ip_prefix all = {.addr = ip_any(i & 1 ? IP_V6 : IP_V4)};
		struct sa_out *out;
		struct sa_in *in;
		uint32_t tunnel;

		spec.inner_family = i & 1 ? IP_V6 : IP_V4;
		spec.selector[0].local = spec.selector[0].remote = ip_range_of_prefix(&all);
		if (i & 2) {
			spec.local = test_addr("2001:db8::1");
			spec.remote = test_addr("2001:db8::2");
		}
		tunnel = rig_pair(r, &spec, &out, &in);
		for (unsigned row = 0; row < 16; row++)
			one_row(r, tunnel, row, spec.inner_family);
	}
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(all_rows),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
