/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A peer that holds the key and lies (I8, I16 - I23, V2-12, V2-23, V2-27): what it sends is authentic, and must
 * neither crash nor move anything but its own SAs.
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
static uint8_t mem[60000];

static uint16_t answer(struct pair *p)
{
	static uint8_t buffer[4096];
	struct ike_payloads payloads;
	struct ike_notify n;

	assert_true(pair_open_last(p, 1, buffer, &payloads));
	return ike_notify_error(&payloads, &n) ? n.type : 0;
}

/* A CREATE_CHILD_SA request with a body of choice for one payload (PAYLOAD_NONE: leave `type` out). */
static void send_create(struct pair *p, uint8_t type, const void *body, size_t len)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_sa *sa = pair_sa(p, 0);
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, false);
	const struct ike_slot *slot = &sa->tunnel->slots[0];
	static const uint8_t nonce[32] = {1, 2, 3};

	if (type == PAYLOAD_SA)
		ike_chain_put(&c, type, body, len);
	else
		ike_policy_put(&c, &policy, (const uint8_t *)"\1\2\3\4", 4);
	if (type == PAYLOAD_NONCE)
		ike_chain_put(&c, type, body, len);
	else
		ike_chain_put(&c, PAYLOAD_NONCE, nonce, sizeof(nonce));
	if (type == PAYLOAD_TSI)
		ike_chain_put(&c, type, body, len);
	else
		ike_ts_put(&c, PAYLOAD_TSI, slot->local_ts, slot->local_ts_count);
	if (type == PAYLOAD_TSR)
		ike_chain_put(&c, type, body, len);
	else
		ike_ts_put(&c, PAYLOAD_TSR, slot->remote_ts, slot->remote_ts_count);
	if (type == PAYLOAD_NOTIFY || type == PAYLOAD_KE || type == PAYLOAD_CP)
		ike_chain_put(&c, type, body, len);
	pair_send_request(p, 0, EXCHANGE_CREATE_CHILD_SA, &c);
	p->queued = 0;
}

static void restart(struct pair *p)
{
	if (p->side[0].engine)
		pair_end(p);
	pair_init(p);
	pair_start(p);
}

/* I16: selectors that are no selectors */
static void test_selectors(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		uint16_t answer;
	} cases[] = {
	    {"\1\0\0\0\7\0\0\x10\0\0\xff\xff\1\0\0\0\2\0\0\0", 20, 0},
	    {"\0\0\0\0", 4, NOTIFY_TS_UNACCEPTABLE}, /* none */
	    {"\1\0\0\0\7\0\0\x10\0\0\xff\xff\3\0\0\0\2\0\0\0", 20,
		NOTIFY_TS_UNACCEPTABLE}, /* start > end */
	    {"\1\0\0\0\7\0\0\x10\xff\xff\0\0\1\0\0\0\2\0\0\0", 20,
		NOTIFY_TS_UNACCEPTABLE}, /* opaque */
	    {"\1\0\0\0\x0a\0\0\x10\0\0\xff\xff\1\0\0\0\2\0\0\0", 20, NOTIFY_TS_UNACCEPTABLE},
	    {"\xff\0\0\0\7\0\0\x10\0\0\xff\xff\1\0\0\0\2\0\0\0", 20, NOTIFY_INVALID_SYNTAX},
	    {"\1\0\0\0\7\0\0\x28\0\0\xff\xff\1\0\0\0\2\0\0\0", 20, NOTIFY_INVALID_SYNTAX},
	    {"\1\0\0\0\7\0\0\0\0\0\xff\xff\1\0\0\0\2\0\0\0", 20, NOTIFY_INVALID_SYNTAX},
	    {"", 0, NOTIFY_INVALID_SYNTAX},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint8_t type = PAYLOAD_TSI; type <= PAYLOAD_TSR; type++) {
			restart(p);
			/* Opened with the keys of A, so that they must live: the answer is looked at first. */
			send_create(p, type, cases[i].body, cases[i].len);
			assert_int_equal(answer(p), cases[i].answer);
			/* RFC 7296 2.21.3: INVALID_SYNTAX ends the IKE SA, the others do not. */
			assert_int_equal(pair_count_sas(p, 1, "established"),
			    cases[i].answer != NOTIFY_INVALID_SYNTAX);
			assert_int_equal(pair_children(p, 1),
			    cases[i].answer == 0                           ? 2
				: cases[i].answer == NOTIFY_INVALID_SYNTAX ? 0
									   : 1);
		}
	}
	pair_end(p);
}

/* I4, I20: proposals of a Child SA */
static void test_proposals(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		uint16_t answer;
	} cases[] = {
	    /* AES-GCM-128 with SPI 00112233 and ESN off */
	    {"\0\0\0\x20\1\3\4\2\0\x11\x22\x33"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
	     "\0\0\0\x08\5\0\0\0",
		32, 0},
	    {"\0\0\0\x20\1\3\4\2\0\0\0\0"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
	     "\0\0\0\x08\5\0\0\0",
		32, NOTIFY_NO_PROPOSAL_CHOSEN}, /* SPI 0 */
	    {"\0\0\0\x1c\1\3\0\2"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
	     "\0\0\0\x08\5\0\0\0",
		28, NOTIFY_NO_PROPOSAL_CHOSEN}, /* no SPI */
	    {"\0\0\0\x24\1\3\x08\2\0\x11\x22\x33\0\0\0\0"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
	     "\0\0\0\x08\5\0\0\0",
		36, NOTIFY_NO_PROPOSAL_CHOSEN},
	    /* NULL without integrity; a key of no length; AH */
	    {"\0\0\0\x1c\1\3\4\2\0\x11\x22\x33"
	     "\3\0\0\x08\1\0\0\x0b"
	     "\0\0\0\x08\5\0\0\0",
		28, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {"\0\0\0\x20\1\3\4\2\0\x11\x22\x33"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\0"
	     "\0\0\0\x08\5\0\0\0",
		32, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {"\0\0\0\x20\1\2\4\2\0\x11\x22\x33"
	     "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
	     "\0\0\0\x08\5\0\0\0",
		32, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {"", 0, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {"\0\0\0\x08\1\3\0\0", 8, NOTIFY_NO_PROPOSAL_CHOSEN}, /* no transform */
	    {"\0\0\0\x07\1\3\0\0", 8, NOTIFY_INVALID_SYNTAX},
	    {"\2\0\0\x08\1\3\0\0", 8, NOTIFY_INVALID_SYNTAX},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		restart(p);
		send_create(p, PAYLOAD_SA, cases[i].body, cases[i].len);
		assert_int_equal(answer(p), cases[i].answer);
		if (cases[i].answer == NOTIFY_NO_PROPOSAL_CHOSEN)
			assert_int_equal(pair_children(p, 1), 1);
	}
	pair_end(p);
}

/* I6 behind IKE_SA_INIT */
static void test_nonces(void **state)
{
	static const uint8_t nonce[257];
	static const size_t lengths[] = {0, 15, 16, 256, 257};
	struct pair *p = &pair;

	for (size_t i = 0; i < 5; i++) {
		bool good = lengths[i] >= 16 && lengths[i] <= 256;

		restart(p);
		send_create(p, PAYLOAD_NONCE, nonce, lengths[i]);
		assert_int_equal(answer(p), good ? 0 : NOTIFY_INVALID_SYNTAX);
	}
	pair_end(p);
}

/* I22, V2-23: extensions that we do not speak are declined without a trace */
static void test_extensions(void **state)
{
	/* MOBIKE, redirect, transport mode, IPComp, TFC, multiple AUTH, PPK, IKE_FOLLOWUP_KE, AGGFRAG, resources */
	static const uint16_t notifies[] = {16387, 16391, 16392, 16394, 16395, 16396, 16397, 16399,
	    16400, 16401, 16403, 16404, 16406, 16407, 16408, 16409, 16410, 16411, 16420, 16431,
	    16433, 16435, 16437, 16439, 16441, 16442, 16443, 16444, 40000, 65535};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(notifies) / sizeof(notifies[0]); i++) {
		uint8_t body[64] = {0, 0, (uint8_t)(notifies[i] >> 8), (uint8_t)notifies[i]};
		struct ike_chain c;

		restart(p);
		send_create(p, PAYLOAD_NOTIFY, body, 4 + i);
		assert_int_equal(answer(p), 0);
		c = ike_chain_of(mem, sizeof(mem));
		ike_chain_put(&c, PAYLOAD_NOTIFY, body, 4 + i);
		ike_chain_put(&c, PAYLOAD_CP, "\1\0\0\0\0\1\0\0", 8);
		ike_chain_put(&c, PAYLOAD_EAP, "\1\0\0\4", 4);
		ike_chain_put(&c, PAYLOAD_CERT, "\4garbage", 8);
		pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
		assert_int_equal(answer(p), 0);
		assert_int_equal(pair_count_sas(p, 1, "established"), 1);
		assert_int_equal(pair_sa(p, 1)->remote.port, IKE_PORT);
		p->queued = 0;
	}
	pair_end(p);
}

/* V2-12 in a protected request: refused, the SA stays */
static void test_unknown_critical(void **state)
{
	static const uint8_t exchanges[] = {EXCHANGE_INFORMATIONAL, EXCHANGE_CREATE_CHILD_SA};
	struct pair *p = &pair;

	for (size_t i = 0; i < 2; i++) {
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));

		restart(p);
		ike_chain_put(&c, 201, "what is it", 10);
		mem[1] = 0x80;
		pair_send_request(p, 0, exchanges[i], &c);
		assert_int_equal(answer(p), NOTIFY_UNSUPPORTED_CRITICAL_PAYLOAD);
		assert_int_equal(pair_count_sas(p, 1, "established"), 1);
		p->queued = 0;
	}
	pair_end(p);
}

/* I19 */
static void test_deletes(void **state)
{
	struct pair *p = &pair;
	struct ike_chain c;
	uint32_t spis[4];

	/* unknown, doubled and the right one: the right one goes, once */
	restart(p);
	spis[0] = 0xdeadbeef;
	spis[1] = spis[2] = pair_in_use(p, 0)->info.spi_in;
	spis[3] = 0;
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_delete_children(&c, spis, 4);
	ike_chain_delete_children(&c, spis, 4);
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(pair_children(p, 1), 0);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	p->queued = 0;

	/* 10,000 SPIs */
	restart(p);
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_begin(&c, PAYLOAD_DELETE);
	wirebuf_u32(&c.buf, 3u << 24 | 4 << 16 | 10000);
	for (uint32_t i = 0; i < 10000; i++)
		wirebuf_u32(&c.buf, i % 2 ? i : pair_in_use(p, 0)->info.spi_in);
	ike_chain_end(&c);
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(pair_children(p, 1), 0);
	assert_int_equal(pair_count_sas(p, 1, "established"), 1);
	p->queued = 0;

	/* the IKE SA, with more behind it */
	restart(p);
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_delete_ike(&c);
	spis[0] = pair_in_use(p, 0)->info.spi_in;
	ike_chain_delete_children(&c, spis, 1);
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(answer(p), 0);
	assert_int_equal(pair_children(p, 1), 0);
	assert_int_equal(pair_count_sas(p, 1, "established"), 0);
	p->queued = 0;

	/* nothing: no SPIs; an SPI size of 0, with any count. Neither Child nor IKE SA is meant */
	static const char *const empty[] = {"\3\4\0\0", "\3\0\0\0", "\3\0\0\1", "\2\0\0\0"};
	for (unsigned i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		restart(p);
		c = ike_chain_of(mem, sizeof(mem));
		ike_chain_put(&c, PAYLOAD_DELETE, empty[i], 4);
		pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
		assert_int_equal(answer(p), 0);
		assert_int_equal(pair_children(p, 1), 1);
		assert_int_equal(pair_count_sas(p, 1, "established"), 1);
		p->queued = 0;
	}

	/* sizes that cannot be */
	restart(p);
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_put(&c, PAYLOAD_DELETE, "\3\4\xff\xff", 4);
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	assert_int_equal(answer(p), NOTIFY_INVALID_SYNTAX);
	p->queued = 0;
	pair_end(p);
}

/* A delete of the peer for SAs that its own rekey is replacing */
static void test_delete_during_rekey(void **state)
{
	struct pair *p = &pair;
	struct ike_chain c;
	uint32_t spi;

	restart(p);
	spi = pair_in_use(p, 0)->info.spi_in;
	p->cut = true;
	ike_tunnel_rekey(p->side[1].engine, p->now, TUNNEL, false); /* ours is under way */
	pair_settle(p);
	c = ike_chain_of(mem, sizeof(mem));
	ike_chain_delete_children(&c, &spi, 1);
	pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
	pair_settle(p);
	p->cut = false;
	ike_child_limit(p->side[0].engine, p->now, TUNNEL, spi, true);
	pair_run(p, DUR_S(60));
	pair_assert_up(p);
	pair_end(p);
}

/* I17 */
static void test_identities(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} ids[] = {
	    {"", 0},
	    {"\1\0\0\0", 4},
	    {"\xff\0\0\0evil", 8},
	    {"\2\0\0\0a\0b", 7},
	    {"\2\0\0\0%s%s%n", 10},
	    {"\2\0\0\0\x1b[31m\r\n", 11},
	    {"\x0b\0\0\0\xc3\x28\xff", 7},
	    {"\5\0\0\0abcd", 8},
	    {"\1\0\0\0abcdefgh", 12},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) + 1; i++) {
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		struct ike_packet *packet;
		struct ike_sa *sa;

		pair_init(p);
		p->cut = false;
		pair_start_side(p, 1);
		pair_start_side(p, 0);
		/* IKE_SA_INIT, and then our own IKE_AUTH instead of the engine's */
		{
			struct datagram d = p->queue[p->head];

			p->queued = 0;
			ike_receive(p->side[1].engine, p->now, &d.remote, &d.local, d.bytes, d.len);
			d = p->queue[p->head];
			p->queued = 0;
			ike_receive(p->side[0].engine, p->now, &d.remote, &d.local, d.bytes, d.len);
			p->queued = 0;
		}
		sa = list_entry(p->side[0].engine->sas.next, struct ike_sa, node);
		assert_int_equal(sa->state, IKE_SA_AUTH_SENT);
		if (i < sizeof(ids) / sizeof(ids[0])) {
			ike_chain_put(&c, PAYLOAD_IDI, ids[i].body, ids[i].len);
		} else {
			static const uint8_t big[50000] = {IKE_ID_FQDN};

			ike_chain_put(&c, PAYLOAD_IDI, big, sizeof(big));
		}
		ike_chain_put(&c, PAYLOAD_AUTH, "\2\0\0\0abcdefgh", 12);
		sa->fragments = false;
		packet = ike_message_seal(sa, EXCHANGE_IKE_AUTH, false, 1, &c);
		pair_inject(p, 1, packet->bytes, packet->len);
		free(packet);
		assert_int_equal(pair_count_sas(p, 1, "established"), 0);
		assert_int_equal(ike_counters(p->side[1].engine)->auth_failed, 1);
		assert_int_equal(exchange_of(&p->last[1]), EXCHANGE_IKE_AUTH);
		p->queued = 0;
		pair_end(p);
	}
}

/* I23: as many Child SAs as the limit says */
static void test_many_children(void **state)
{
	struct pair *p = &pair;
	unsigned made;

	pair_init(p);
	p->side[1].limits.child_per_ike_max = 20;
	pair_start(p);
	for (made = 1; made < 100; made++) {
		uint8_t body[32] = "\0\0\0\x20\1\3\4\2\0\x11\x22\x33"
				   "\3\0\0\x0c\1\0\0\x14\x80\x0e\0\x80"
				   "\0\0\0\x08\5\0\0";

		body[11] = (uint8_t)made;
		send_create(p, PAYLOAD_SA, body, 32);
		if (answer(p) == NOTIFY_NO_ADDITIONAL_SAS)
			break;
		assert_int_equal(answer(p), 0);
	}
	assert_int_equal(made, 20);
	assert_int_equal(pair_children(p, 1), 20);
	pair_end(p);
}

/* I8: before IKE_AUTH, under the right keys */
static void test_before_auth(void **state)
{
	static const uint8_t exchanges[] = {
	    EXCHANGE_CREATE_CHILD_SA, EXCHANGE_INFORMATIONAL, EXCHANGE_IKE_SA_INIT, 38};
	struct pair *p = &pair;
	struct datagram d;
	struct ike_sa *sa;

	pair_init(p);
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	d = p->queue[p->head];
	p->queued = 0;
	ike_receive(p->side[1].engine, p->now, &d.remote, &d.local, d.bytes, d.len);
	d = p->queue[p->head];
	p->queued = 0;
	ike_receive(p->side[0].engine, p->now, &d.remote, &d.local, d.bytes, d.len);
	p->queued = 0;
	sa = list_entry(p->side[0].engine->sas.next, struct ike_sa, node);
	for (size_t i = 0; i < 4; i++) {
		for (uint32_t id = 0; id < 4; id++) {
			struct ike_chain c = ike_chain_of(mem, sizeof(mem));
			struct ike_packet *packet;
			unsigned seen = p->seen[1];

			ike_chain_delete_ike(&c);
			packet = ike_message_seal(sa, exchanges[i], false, id, &c);
			pair_inject(p, 1, packet->bytes, packet->len);
			free(packet);
			assert_int_equal(p->seen[1], seen);
			assert_int_equal(pair_count_sas(p, 1, "half-open"), 1);
		}
	}
	p->queued = 0;
	pair_run(p, DUR_S(2)); /* and the real one is served */
	pair_assert_up(p);
	pair_end(p);
}

/* Padding and lengths inside of SK that cannot be, under a right ICV */
static void test_bad_inside(void **state)
{
	struct pair *p = &pair;

	for (unsigned kind = 0; kind < 3; kind++) {
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));

		restart(p);
		ike_chain_put(&c, PAYLOAD_NOTIFY, "\0\0\x40\1", 4);
		if (kind == 0)
			mem[3] = 0xff; /* payload length */
		else if (kind == 1)
			mem[0] = PAYLOAD_NOTIFY; /* one more that is not there */
		else
			c.first = PAYLOAD_SK; /* SK in SK */
		pair_send_request(p, 0, EXCHANGE_INFORMATIONAL, &c);
		assert_int_equal(answer(p), NOTIFY_INVALID_SYNTAX);
		assert_int_equal(pair_count_sas(p, 1, "established"), 0);
		p->queued = 0;
	}
	pair_end(p);
}

/* A rekey of the IKE SA with bodies of choice */
static void test_ike_rekeys(void **state)
{
	static const uint8_t point[4 + 32] = {0, 31, 0, 0, 9};
	static const uint8_t zero[4 + 32] = {0, 31};
	static const struct {
		uint8_t spi_len;
		const uint8_t *spi, *ke;
		size_t ke_len;
		uint16_t answer;
	} cases[] = {
	    {8, (const uint8_t *)"12345678", point, 36, 0},
	    {8, (const uint8_t *)"\0\0\0\0\0\0\0\0", point, 36, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {4, (const uint8_t *)"1234", point, 36, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {0, NULL, point, 36, NOTIFY_NO_PROPOSAL_CHOSEN},
	    {8, (const uint8_t *)"12345678", zero, 36, NOTIFY_INVALID_SYNTAX},
	    {8, (const uint8_t *)"12345678", point, 35, NOTIFY_INVALID_SYNTAX},
	    {8, (const uint8_t *)"12345678", point, 3, NOTIFY_INVALID_SYNTAX},
	    {8, (const uint8_t *)"12345678", (const uint8_t *)"\0\2\0\0abcd", 8,
		NOTIFY_INVALID_KE_PAYLOAD},
	};
	struct pair *p = &pair;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_chain c = ike_chain_of(mem, sizeof(mem));
		static const uint8_t nonce[32] = {1};
		struct ike_policy policy;

		restart(p);
		policy = ike_tunnel_ike_policy(pair_sa(p, 0)->tunnel);
		ike_policy_put(&c, &policy, cases[i].spi, cases[i].spi_len);
		ike_chain_put(&c, PAYLOAD_NONCE, nonce, 32);
		ike_chain_put(&c, PAYLOAD_KE, cases[i].ke, cases[i].ke_len);
		pair_send_request(p, 0, EXCHANGE_CREATE_CHILD_SA, &c);
		assert_int_equal(answer(p), cases[i].answer);
		p->queued = 0;
	}
	pair_end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_selectors),
	    cmocka_unit_test(test_proposals),
	    cmocka_unit_test(test_nonces),
	    cmocka_unit_test(test_extensions),
	    cmocka_unit_test(test_unknown_critical),
	    cmocka_unit_test(test_deletes),
	    cmocka_unit_test(test_delete_during_rekey),
	    cmocka_unit_test(test_identities),
	    cmocka_unit_test(test_many_children),
	    cmocka_unit_test(test_before_auth),
	    cmocka_unit_test(test_bad_inside),
	    cmocka_unit_test(test_ike_rekeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
