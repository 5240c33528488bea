/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_SA_INIT as anybody can send it to a responder: again and again, in masses, and with every field wrong
 * (V2-01, V2-12, V2-25 - V2-27, V2-29, I3, I5 - I7, I9).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

static struct pair pair;

/* V2-01: the same bytes, no second SA, no second computation */
static void test_repeated_request(void **state)
{
	struct pair *p = &pair;
	struct datagram request, response;
	uint32_t half_open, sas;

	pair_init(p);
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	request = p->last[0];
	p->cut = true;
	pair_settle(p);
	for (unsigned i = 0; i < 3; i++) {
		pair_inject(p, 1, request.bytes, request.len);
		if (i == 0)
			response = p->last[1];
		assert_int_equal(p->last[1].len, response.len);
		assert_memory_equal(p->last[1].bytes, response.bytes, response.len);
	}
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 1);
	assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, 2);
	assert_int_equal(ike_counters(p->side[1].engine)->replays_answered, 2);
	pair_settle(p);
	pair_end(p);
}

/* A datagram of A to a responder that has not seen it. */
static struct datagram first_request(struct pair *p)
{
	pair_init(p);
	p->cut = true;
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	pair_settle(p);
	return p->last[0];
}

/* V2-25: half-open SAs end, and are counted by source */
static void test_half_open_limits(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	uint32_t half_open, sas;

	ike_destroy(p->side[1].engine);
	p->side[1].limits.cookie_threshold = 1000;
	p->side[1].limits.half_open_source_max = 5;
	pair_start_side(p, 1);
	for (uint8_t i = 0; i < 20; i++) {
		d.bytes[7] = i; /* another SPI */
		pair_inject(p, 1, d.bytes, d.len);
	}
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 5);
	assert_int_equal(ike_counters(p->side[1].engine)->half_open_refused, 15);
	assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, 10);
	pair_settle(p);
	pair_kill_side(p, 0);
	pair_run(p, DUR_S(29));
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 5);
	pair_run(p, DUR_S(2));
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 0);
	assert_int_equal(sas, 0);
	pair_end(p);
}

/* C-06: a flood costs no Diffie-Hellman and little memory */
static void test_flood(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	struct ike_endpoint local = {p->side[1].config.local, IKE_PORT};
	uint32_t half_open, sas;

	pair_kill_side(p, 1);
	p->side[1].config.remote = ip_any(IP_V4);
	pair_start_side(p, 1);
	for (uint32_t i = 0; i < 10000; i++) {
		struct ike_endpoint from = {ip_v4(0x0a000000 + i), IKE_PORT};

		d.bytes[6] = (uint8_t)(i >> 8);
		d.bytes[7] = (uint8_t)i;
		ike_receive(p->side[1].engine, p->now, &local, &from, d.bytes, d.len);
		p->queued = 0;
	}
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(half_open, 30);
	assert_int_equal(ike_counters(p->side[1].engine)->dh_computed, 60);
	assert_int_equal(ike_counters(p->side[1].engine)->cookies_sent, 9970);
	/* A real peer comes through. */
	p->cut = false;
	pair_run(p, DUR_S(2));
	pair_assert_up(p);
	pair_end(p);
}

/* V2-26: no answer is longer than the question; a stranger gets none */
static void test_no_reflector(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	struct ike_endpoint local = {p->side[1].config.local, IKE_PORT};
	struct ike_endpoint stranger = {ip_v4(0x0a0b0c0d), IKE_PORT};
	unsigned seen = p->seen[1];

	ike_receive(p->side[1].engine, p->now, &local, &stranger, d.bytes, d.len);
	assert_int_equal(p->seen[1], seen);
	assert_int_equal(ike_counters(p->side[1].engine)->unknown_peer, 1);
	/* Every shortening and every changed byte of a request. */
	for (size_t len = 0; len < d.len; len++) {
		struct datagram cut = d;

		cut.bytes[26] = (uint8_t)(len >> 8);
		cut.bytes[27] = (uint8_t)len;
		seen = p->seen[1];
		pair_inject(p, 1, cut.bytes, len);
		if (p->seen[1] != seen)
			assert_in_range(p->last[1].len, 28, len);
		p->queued = 0;
	}
	for (size_t at = 0; at < d.len; at++) {
		struct datagram other = d;

		other.bytes[at] ^= 0x55;
		seen = p->seen[1];
		pair_inject(p, 1, other.bytes, other.len);
		if (p->seen[1] != seen)
			assert_in_range(p->last[1].len, 28, d.len * 12 / 10);
		p->queued = 0;
	}
	pair_end(p);
}

/* Replaces one payload of the request by another body. */
static size_t with_payload(
    const struct datagram *d, uint8_t type, const void *body, size_t len, uint8_t *out)
{
	struct ike_payloads payloads;
	struct ike_header h;
	uint8_t mem[4096];
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_packet *packet;
	size_t all;

	assert_int_equal(ike_header_parse(d->bytes, d->len, &h), 0);
	assert_int_equal(
	    ike_payloads_parse(wire_of(d->bytes + 28, d->len - 28), h.next_payload, &payloads), 0);
	for (unsigned i = 0; i < payloads.count; i++) {
		const struct ike_payload *old = &payloads.list[i];

		if (old->type == type)
			ike_chain_put(&c, type, body, len);
		else
			ike_chain_put(&c, old->type, old->body, old->len);
	}
	packet = ike_message_plain(h.spi_i, h.spi_r, h.exchange, true, false, &c);
	all = packet->len;
	memcpy(out, packet->bytes, all);
	free(packet);
	return all;
}

/* I5: none of these makes state */
static void test_bad_ke(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	uint8_t bytes[4096], ke[4 + 33] = {0, 31};
	uint32_t half_open, sas;

	for (size_t len = 0; len <= sizeof(ke);
	     len++) { /* zeros of every length; 32: a point of small order */
		size_t all = with_payload(&d, PAYLOAD_KE, ke, len, bytes);

		pair_inject(p, 1, bytes, all);
	}
	ke[1] = 0; /* no such group */
	pair_inject(p, 1, bytes, with_payload(&d, PAYLOAD_KE, ke, 36, bytes));
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(sas, 0);
	p->queued = 0;
	pair_end(p);
}

/* I6 */
static void test_nonce_lengths(void **state)
{
	static const struct {
		size_t len;
		bool good;
	} cases[] = {{0, false}, {15, false}, {16, true}, {256, true}, {257, false}};
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	uint8_t nonce[257] = {1}, bytes[4096];
	uint32_t half_open, sas, expected = 0;

	for (size_t i = 0; i < 5; i++) {
		size_t all = with_payload(&d, PAYLOAD_NONCE, nonce, cases[i].len, bytes);

		bytes[7] = (uint8_t)i;
		pair_inject(p, 1, bytes, all);
		expected += cases[i].good;
		ike_load(p->side[1].engine, &half_open, &sas);
		assert_int_equal(sas, expected);
	}
	p->queued = 0;
	pair_end(p);
}

/* I7, I9 */
static void test_odd_headers(void **state)
{
	static const struct {
		uint8_t at, value;
	} odd[] = {
	    {8, 1},     /* a responder SPI in a first message */
	    {19, 0x28}, /* a response that nobody asked for */
	    {19, 0x00}, /* from the responder of nothing */
	    {23, 1},    /* message ID */
	    {18, 35}, {18, 36}, {18, 37}, {18, 33}, {18, 0}, /* other exchanges (I8) */
	    {17, 0x00}, {17, 0x10}, {17, 0xf0},              /* versions */
	    {16, 0}, {16, 46}, {16, 53},                     /* first payload */
	};
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	uint32_t half_open, sas;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct datagram other = d;

		other.bytes[odd[i].at] = odd[i].value;
		pair_inject(p, 1, other.bytes, other.len);
		ike_load(p->side[1].engine, &half_open, &sas);
		assert_int_equal(sas, 0);
	}
	memset(d.bytes, 0, 8); /* SPI zero */
	pair_inject(p, 1, d.bytes, d.len);
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(sas, 0);
	p->queued = 0;
	pair_end(p);
}

/* Our own request reflected to us. */
static void test_reflected(void **state)
{
	struct pair *p = &pair;
	uint32_t half_open, sas;

	pair_init(p);
	p->cut = true;
	pair_start_side(p, 0);
	pair_inject(p, 0, p->last[0].bytes, p->last[0].len);
	ike_load(p->side[0].engine, &half_open, &sas);
	assert_int_equal(pair_count_sas(p, 0, "connecting"), 1);
	pair_settle(p);
	pair_end(p);
}

/* V2-12: minor versions, reserved bits and payload flags do not matter; a major version above ours is refused */
static void test_versions(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);
	unsigned seen;
	uint32_t half_open, sas;

	d.bytes[17] = 0x2f; /* 2.15 */
	d.bytes[19] |= 0x10 | 0x47;
	pair_inject(p, 1, d.bytes, d.len);
	ike_load(p->side[1].engine, &half_open, &sas);
	assert_int_equal(sas, 1);
	d.bytes[17] = 0x30;
	seen = p->seen[1];
	pair_inject(p, 1, d.bytes, d.len);
	assert_int_equal(p->seen[1], seen + 1);
	assert_int_equal(p->last[1].bytes[17], 0x20);
	assert_int_equal(p->last[1].bytes[35], NOTIFY_INVALID_MAJOR_VERSION);
	pair_inject(p, 1, d.bytes, d.len); /* once a second */
	assert_int_equal(p->seen[1], seen + 1);
	p->queued = 0;
	pair_end(p);
}

static void test_unknown_critical(void **state)
{
	struct pair *p = &pair;
	struct datagram d = first_request(p);

	/* The last payload becomes an unknown one with the critical bit: its type stands in the one before. */
	d.bytes[16] = 200;
	d.bytes[29] = 0x80;
	pair_inject(p, 1, d.bytes, d.len);
	assert_int_equal(p->last[1].bytes[16], PAYLOAD_NOTIFY);
	assert_int_equal(p->last[1].bytes[35], NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_int_equal(p->last[1].bytes[36], 200);
	assert_int_equal(p->last[1].len, 37);
	p->queued = 0;
	pair_end(p);
}

/* An IKEv1 message to a tunnel of IKEv2 (T13, T27) */
static void test_other_version(void **state)
{
	uint8_t v1[28] = {1, 2, 3, 4, 5, 6, 7, 8, [16] = 1, [17] = 0x10, [18] = 2, [27] = 28};
	struct pair *p = &pair;
	unsigned i;

	first_request(p);
	pair_inject(p, 1, v1, sizeof(v1));
	assert_true(pair_has_error(p, 1, IKE_ERROR_IKE_VERSION_MISMATCH, &i));
	assert_string_equal(p->side[1].error[i].ours, "ikev2");
	assert_string_equal(p->side[1].error[i].theirs, "ikev1");
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_repeated_request),
	    cmocka_unit_test(test_half_open_limits),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_no_reflector),
	    cmocka_unit_test(test_bad_ke),
	    cmocka_unit_test(test_nonce_lengths),
	    cmocka_unit_test(test_odd_headers),
	    cmocka_unit_test(test_reflected),
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test(test_unknown_critical),
	    cmocka_unit_test(test_other_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
