/* SPDX-License-Identifier: BSD-3-Clause */
/* Uplinks, and what is addressed to the router: ESP, IKE, ICMP, TCP, by where it comes from. */

#include <string.h>

#include <rte_cycles.h>

#include "world.h"

#define GATEWAY "203.0.113.10"
#define PEER    "198.51.100.7"

static const struct ip4 to_gateway = {.src = PEER, .dst = GATEWAY, .id = 9};
static const struct ip4 to_vpc_address = {.src = "10.1.0.1", .dst = "10.1.255.254", .id = 9};

static void punted(
    struct world *t, enum punt_class class, enum world_iface from, const struct packet *p)
{
	struct rte_mbuf *m = world_punted(t, class);
	struct packet seen;

	assert_non_null(m);
	assert_int_equal(pkt_meta(m)->punt_class, class);
	assert_int_equal(pkt_meta(m)->iface, t->iface[from]);
	world_bytes(m, &seen);
	assert_int_equal(seen.len, p->len);
	assert_memory_equal(seen.bytes, p->bytes, p->len);
	rte_pktmbuf_free(m);
	assert_int_equal(world_since(t, t->slot[from]).punted, 1);
	world_no_drops(t);
}

static void expect_punt(
    struct world *t, enum world_iface from, const struct packet *p, enum punt_class class)
{
	world_mark(t);
	world_receive_on(t, from, p);
	punted(t, class, from, p);
}

static void expect_drop(
    struct world *t, enum world_iface from, const struct packet *p, enum drop_reason why)
{
	world_mark(t);
	world_receive_on(t, from, p);
	world_dropped_once(t, t->slot[from], why);
}

/* No transit from an uplink, whatever its table says. */
static void test_uplink_carries_no_transit(void **state)
{
	struct world *t = *state;
	static const char *elsewhere[] = {"203.0.113.11", "198.51.100.1", "10.1.0.1"};

	world_route(t, t->underlay, "10.1.0.0/16", t->connected[W_A]);
	for (unsigned i = 0; i < TEST_COUNT(elsewhere); i++) {
		const struct ip4 ip = {.src = PEER, .dst = elsewhere[i], .protocol = 253};
		struct packet p = {0};

		packet_ip4(&p, &ip, "abc", 3);
		expect_drop(t, W_UPLINK, &p, DROP_NOT_FOR_US);
		p.len = 0;
		packet_icmp(&p, &ip, 8, "ping", 4);
		expect_drop(t, W_UPLINK, &p, DROP_NOT_FOR_US);
		p.len = 0;
		packet_udp(&p, &ip, 500, 500, "0123456789012345678901234567", 28);
		expect_drop(t, W_UPLINK, &p, DROP_NOT_FOR_US);
	}
}

static void test_uplink_without_any_route(void **state)
{
	struct world *t = *state;
	struct ip_prefix all = test_prefix("0.0.0.0/0");
	const struct ip4 ip = {.src = PEER, .dst = "192.0.2.1", .protocol = 253};
	struct packet p = {0};

	assert_int_equal(fib_unset(t->underlay, &all), 0);
	packet_ip4(&p, &ip, "abc", 3);
	expect_drop(t, W_UPLINK, &p, DROP_NOT_FOR_US);
	assert_null(world_punted(t, PUNT_ICMP_ERROR));
}

/* Straight to decryption, which knows no such SPI. */
static void test_esp(void **state)
{
	struct world *t = *state;
	struct ip4 ip = to_gateway;
	uint8_t esp[64] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct packet p = {0};

	ip.protocol = 50;
	packet_ip4(&p, &ip, esp, sizeof(esp));
	expect_drop(t, W_UPLINK, &p, DROP_ESP_UNKNOWN_SPI);
	p.len = 0;
	packet_udp(&p, &to_gateway, 4500, 4500, esp, sizeof(esp));
	expect_drop(t, W_UPLINK, &p, DROP_ESP_UNKNOWN_SPI);
	put16(p.bytes + 20 + 6, 0); /* no UDP checksum: RFC 3948 2.1 */
	expect_drop(t, W_UPLINK, &p, DROP_ESP_UNKNOWN_SPI);
	p.len = 0;
	packet_ip4(&p, &ip, esp, 7);
	expect_drop(t, W_UPLINK, &p, DROP_ESP_TRUNCATED);
}

/* On an uplink ESP is not looked up: the SA knows its addresses. In fragments it is. */
static void test_esp_for_another(void **state)
{
	struct world *t = *state;
	struct ip4 ip = {.src = PEER, .dst = "203.0.113.99", .protocol = 50};
	uint8_t esp[64] = {1, 2, 3, 4};
	struct packet p = {0};

	packet_ip4(&p, &ip, esp, sizeof(esp));
	expect_drop(t, W_UPLINK, &p, DROP_ESP_UNKNOWN_SPI);
	p.len = 0;
	packet_udp(&p, &ip, 4500, 4500, esp, sizeof(esp));
	expect_drop(t, W_UPLINK, &p, DROP_ESP_UNKNOWN_SPI);
	p.len = 0;
	ip.fragment = MF;
	packet_ip4(&p, &ip, esp, sizeof(esp));
	expect_drop(t, W_UPLINK, &p, DROP_NOT_FOR_US);
}

/* Private gateways: ESP to an address of the router behind an attachment. */
static void test_esp_on_an_attachment(void **state)
{
	struct world *t = *state;
	struct ip4 ip = to_vpc_address;
	uint8_t esp[64] = {1, 2, 3, 4, 0, 0, 0, 1};
	struct packet p = {0};

	ip.protocol = 50;
	packet_ip4(&p, &ip, esp, sizeof(esp));
	expect_drop(t, W_A, &p, DROP_ESP_UNKNOWN_SPI);
	p.len = 0;
	packet_udp(&p, &to_vpc_address, 4500, 4500, esp, sizeof(esp));
	expect_drop(t, W_A, &p, DROP_ESP_UNKNOWN_SPI);
}

static void test_natt_odd_payloads(void **state)
{
	struct world *t = *state;
	static const struct {
		const char *payload;
		size_t len;
		enum drop_reason why;
	} cases[] = {
	    {"\xff", 1, DROP_NATT_KEEPALIVE},
	    {"\xfe", 1, DROP_ESP_TRUNCATED},
	    {"", 0, DROP_ESP_TRUNCATED},
	    {"\xff\xff", 2, DROP_ESP_TRUNCATED},
	    {"\0\0\0", 3, DROP_ESP_TRUNCATED},
	    {"\0\0\0\0", 4, DROP_LOCAL_UNWANTED}, /* marker without IKE */
	    {"\0\0\0\1", 4, DROP_ESP_TRUNCATED},
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		struct packet p = {0};

		packet_udp(&p, &to_gateway, 4500, 4500, cases[i].payload, cases[i].len);
		expect_drop(t, W_UPLINK, &p, cases[i].why);
	}
}

static void test_udp_lengths(void **state)
{
	struct world *t = *state;
	static const uint16_t ports[] = {500, 4500};
	static const uint16_t lengths[] = {0, 7, 8, 71, 73, 65535};
	static const uint8_t payload[64] = {1};

	for (unsigned i = 0; i < TEST_COUNT(lengths) * TEST_COUNT(ports); i++) {
		struct packet p = {0};

		packet_udp(&p, &to_gateway, 500, ports[i % 2], payload, sizeof(payload));
		put16(p.bytes + 20 + 4, lengths[i / 2]);
		expect_drop(t, W_UPLINK, &p, DROP_UDP_MALFORMED);
	}
	for (unsigned len = 0; len < 8; len++) {
		struct ip4 ip = to_gateway;
		struct packet p = {0};

		ip.protocol = 17;
		packet_ip4(&p, &ip, payload, len);
		expect_drop(t, W_UPLINK, &p, DROP_UDP_MALFORMED);
	}
}

/* An IKE header (RFC 7296 3.1) */
static void ike_header(
    uint8_t h[28], bool responder, uint8_t version, uint8_t exchange, uint8_t flags)
{
	memset(h, 0, 28);
	memset(h, 0xaa, 8);
	if (responder)
		h[15] = 1;
	h[16] = 33;
	h[17] = version;
	h[18] = exchange;
	h[19] = flags;
	h[27] = 28;
}

static void test_ike_classes(void **state)
{
	struct world *t = *state;
	static const struct {
		bool responder;
		uint8_t version, exchange, flags;
		enum punt_class class;
	} cases[] = {
	    {false, 0x20, 34, 0x08, PUNT_IKE_INIT},  /* IKE_SA_INIT request */
	    {false, 0x20, 34, 0x20, PUNT_IKE_KNOWN}, /* its response with COOKIE */
	    {true, 0x20, 34, 0x20, PUNT_IKE_KNOWN},
	    {true, 0x20, 34, 0x08, PUNT_IKE_KNOWN},
	    {true, 0x20, 35, 0x08, PUNT_IKE_KNOWN},
	    {false, 0x20, 35, 0x08, PUNT_IKE_KNOWN},
	    {false, 0x10, 2, 0, PUNT_IKE_INIT}, /* main mode */
	    {false, 0x10, 4, 0, PUNT_IKE_INIT}, /* aggressive mode */
	    {true, 0x10, 2, 0, PUNT_IKE_KNOWN},
	    {false, 0x10, 5, 0, PUNT_IKE_KNOWN},
	    {false, 0x10, 34, 0, PUNT_IKE_KNOWN},
	    {false, 0x20, 2, 0, PUNT_IKE_KNOWN},
	};

	for (unsigned i = 0; i < TEST_COUNT(cases); i++) {
		uint8_t natt[32] = {0}, *ike = natt + 4;
		struct packet p = {0};

		ike_header(
		    ike, cases[i].responder, cases[i].version, cases[i].exchange, cases[i].flags);
		packet_udp(&p, &to_gateway, 500, 500, ike, 28);
		expect_punt(t, W_UPLINK, &p, cases[i].class);
		p.len = 0;
		packet_udp(&p, &to_gateway, 61234, 4500, natt, 32);
		expect_punt(t, W_UPLINK, &p, cases[i].class);
	}
}

static void test_ike_on_an_attachment(void **state)
{
	uint8_t ike[28];
	struct packet p = {0};

	ike_header(ike, false, 0x20, 34, 8);
	packet_udp(&p, &to_vpc_address, 500, 500, ike, sizeof(ike));
	expect_punt(*state, W_A, &p, PUNT_IKE_INIT);
}

static void test_ike_too_short(void **state)
{
	struct world *t = *state;
	uint8_t ike[28];

	ike_header(ike, false, 0x20, 34, 8);
	for (unsigned len = 0; len < 28; len++) {
		struct packet p = {0};

		packet_udp(&p, &to_gateway, 500, 500, ike, len);
		expect_drop(t, W_UPLINK, &p, DROP_LOCAL_UNWANTED);
	}
}

static void test_udp_checksum_of_ike(void **state)
{
	struct world *t = *state;
	uint8_t ike[28];
	struct packet p = {0};

	ike_header(ike, false, 0x20, 34, 8);
	packet_udp(&p, &to_gateway, 500, 500, ike, sizeof(ike));
	p.bytes[20 + 7] ^= 1;
	expect_drop(t, W_UPLINK, &p, DROP_UDP_MALFORMED);
	put16(p.bytes + 20 + 6, 0);
	expect_punt(t, W_UPLINK, &p, PUNT_IKE_INIT);
}

/* A flood of first messages leaves the class of established peers alone. */
static void test_ike_flood(void **state)
{
	struct world *t = *state;
	uint8_t ike[28];
	struct packet p = {0};
	uint64_t limited;

	ike_header(ike, false, 0x20, 34, 8);
	packet_udp(&p, &to_gateway, 500, 500, ike, sizeof(ike));
	world_mark(t);
	for (unsigned i = 0; i < 3500; i++)
		world_queue_on(t, W_UPLINK, &p);
	world_run(t);
	limited = world_drops(t, DROP_PUNT_LIMITED);
	assert_in_range(limited, 100, 2500);
	assert_int_equal(world_since(t, t->slot[W_UPLINK]).punted, 3500 - limited);
	p.len = 0;
	ike_header(ike, true, 0x20, 35, 8);
	packet_udp(&p, &to_gateway, 500, 500, ike, sizeof(ike));
	expect_punt(t, W_UPLINK, &p, PUNT_IKE_KNOWN);
}

/* Within its rate, but control does not take what is there. One buffer stands for all the packets. */
static void test_queue_to_control_full(void **state)
{
	struct world *t = *state;
	const unsigned packets = 20000;
	struct slot_counters since;
	struct packet p = {0};
	struct rte_mbuf *m;

	packet_icmp(&p, &to_gateway, 8, "ping", 4);
	m = world_mbuf(t, &p);
	pkt_meta(m)->slot = t->slot[W_UPLINK];
	rte_mbuf_refcnt_update(m, packets - 1);
	world_mark(t);
	for (unsigned i = 0; i < packets; i++) {
		t->w->slots[t->slot[W_UPLINK]].received++;
		t->w->now += rte_get_tsc_hz() / 1000;
		punt(t->w, m, PUNT_ICMP_LOCAL);
	}
	since = world_since(t, t->slot[W_UPLINK]);
	assert_in_range(since.punted, 4000, packets - 1000);
	assert_int_equal(since.drop[DROP_PUNT_FULL], packets - since.punted);
}

static void test_icmp(void **state)
{
	struct world *t = *state;
	struct packet p = {0};

	packet_icmp(&p, &to_gateway, 8, "ping", 4);
	expect_punt(t, W_UPLINK, &p, PUNT_ICMP_LOCAL);
	p.len = 0;
	packet_icmp(&p, &to_gateway, 3, "about a packet of ours", 22);
	expect_punt(t, W_UPLINK, &p, PUNT_ICMP_LOCAL);
	p.len = 0;
	packet_icmp(&p, &to_gateway, 0, "pong", 4); /* no health check goes over an uplink */
	expect_punt(t, W_UPLINK, &p, PUNT_ICMP_LOCAL);
	p.len = 0;
	packet_icmp(&p, &to_vpc_address, 8, "ping", 4);
	expect_punt(t, W_A, &p, PUNT_ICMP_LOCAL);
	p.len = 0;
	packet_icmp(&p, &to_vpc_address, 0, "pong", 4);
	expect_punt(t, W_A, &p, PUNT_HOST);
}

static void test_icmp_too_short(void **state)
{
	struct world *t = *state;
	struct ip4 ip = to_gateway;
	struct packet p;

	ip.protocol = 1;
	for (unsigned len = 0; len < 8; len++) {
		p.len = 0;
		packet_ip4(&p, &ip, "\10\0\0\0\0\0\0", len);
		expect_drop(t, W_UPLINK, &p, DROP_IP_MALFORMED);
	}
	p.len = 0;
	packet_icmp(&p, &to_gateway, 8, NULL, 0);
	expect_punt(t, W_UPLINK, &p, PUNT_ICMP_LOCAL);
}

static void test_tcp(void **state)
{
	struct world *t = *state;
	struct packet p = {0};

	packet_tcp(&p, &to_vpc_address, 40000, 179, 2, NULL, 0);
	expect_punt(t, W_A, &p, PUNT_BGP);
	p.len = 0;
	packet_tcp(&p, &to_vpc_address, 179, 40000, 16, NULL, 0);
	expect_punt(t, W_A, &p, PUNT_BGP);
	p.len = 0;
	packet_tcp(&p, &to_vpc_address, 40000, 22, 2, NULL, 0); /* nothing else is served */
	expect_drop(t, W_A, &p, DROP_LOCAL_UNWANTED);
	p.len = 0;
	packet_tcp(&p, &to_gateway, 40000, 179, 2, NULL, 0);
	expect_drop(t, W_UPLINK, &p, DROP_LOCAL_UNWANTED);
}

static void test_unwanted(void **state)
{
	struct world *t = *state;
	static const uint8_t protocols[] = {0, 2, 4, 41, 47, 51, 89, 132, 255};

	for (unsigned i = 0; i < TEST_COUNT(protocols); i++) {
		struct ip4 ip = i % 2 ? to_gateway : to_vpc_address;
		struct packet p = {0};

		ip.protocol = protocols[i];
		packet_ip4(&p, &ip, "0123456789", 10);
		expect_drop(t, i % 2 ? W_UPLINK : W_A, &p, DROP_LOCAL_UNWANTED);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const uint16_t ports[] = {53, 499, 4501};
		struct packet p = {0};

		packet_udp(&p, &to_gateway, 500, ports[i], "0123456789", 10);
		expect_drop(t, W_UPLINK, &p, DROP_LOCAL_UNWANTED);
	}
}

/* Nobody speaks in the router's name. */
static void test_source_is_the_router(void **state)
{
	struct world *t = *state;
	static const char *own[] = {"10.1.255.254", "10.3.255.254"};

	for (unsigned i = 0; i < TEST_COUNT(own); i++) {
		const struct ip4 ip = {.src = own[i], .dst = "10.1.255.254"};
		struct packet p = {0};

		packet_icmp(&p, &ip, 8, "ping", 4);
		expect_drop(t, W_A, &p, DROP_IP_MARTIAN);
		p.len = 0;
		packet_tcp(&p, &ip, 179, 179, 2, NULL, 0);
		expect_drop(t, W_A, &p, DROP_IP_MARTIAN);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_uplink_carries_no_transit),
	    TEST(test_uplink_without_any_route),
	    TEST(test_esp),
	    TEST(test_esp_for_another),
	    TEST(test_esp_on_an_attachment),
	    TEST(test_natt_odd_payloads),
	    TEST(test_udp_lengths),
	    TEST(test_ike_classes),
	    TEST(test_ike_on_an_attachment),
	    TEST(test_ike_too_short),
	    TEST(test_udp_checksum_of_ike),
	    TEST(test_ike_flood),
	    TEST(test_queue_to_control_full),
	    TEST(test_icmp),
	    TEST(test_icmp_too_short),
	    TEST(test_tcp),
	    TEST(test_unwanted),
	    TEST(test_source_is_the_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
