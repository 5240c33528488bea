/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An IKEv1 peer that holds the keys and lies: what it sends is authentic, and must neither crash nor move anything
 * but its own SAs. And one without keys, that wants to be answered with more than it sent.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/v1/v1.h"
#include "pair.h"

static struct pair pair;
static uint8_t mem[60000];
static uint32_t message_id;

static void up(enum ike_v1_mode mode)
{
	pair_init(&pair);
	for (unsigned i = 0; i < 2; i++) {
		pair.side[i].config.version = IKE_V1;
		pair.side[i].config.v1_mode = mode;
	}
	pair_start(&pair);
	pair_assert_up(&pair);
	message_id = 1000;
}

static struct ike_chain begin(void)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));

	v1_chain_hash_begin(pair_sa(&pair, 0), &c);
	return c;
}

/* From A to B, whatever the engine of A thinks of it. */
static void send_as(uint8_t exchange, struct ike_chain *c)
{
	struct ike_sa *sa = pair_sa(&pair, 0);
	struct ike_packet *packet;
	uint8_t iv[V1_IV_MAX];
	uint32_t id = ++message_id;

	v1_chain_hash_end(sa, c, id, (struct ike_span){NULL, 0});
	v1_iv_later(&sa->v1->keys, sa->v1->iv, id, iv);
	packet = v1_seal(sa, exchange, id, iv, c);
	pair_inject(&pair, 1, packet->bytes, packet->len);
	free(packet);
	pair_settle(&pair);
}

static void send_payload(uint8_t type, const void *body, size_t len)
{
	struct ike_chain c = begin();

	ike_chain_put(&c, type, body, len);
	send_as(EXCHANGE_V1_INFORMATIONAL, &c);
}

static void notify(uint8_t protocol, uint16_t type, const void *data, size_t len)
{
	struct ike_chain c = begin();

	v1_chain_notify(
	    &c, protocol, (struct ike_span){NULL, 0}, type, (struct ike_span){data, len});
	send_as(EXCHANGE_V1_INFORMATIONAL, &c);
}

static uint64_t malformed(void)
{
	return ike_counters(pair.side[1].engine)->malformed;
}

static void assert_untouched(void)
{
	pair_assert_up(&pair);
	assert_int_equal(pair_children(&pair, 0), 1);
	assert_int_equal(pair_children(&pair, 1), 1);
	assert_int_equal(pair_count_sas(&pair, 1, "established"), 1);
}

/* ---- deletes (RFC 2408 3.15) ---- */

static void test_delete_of_wrong_sizes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool malformed;
	} deletes[] = {
	    {"\0\0\0\1\3\10\0\1AAAABBBB", 16, false}, /* ESP, 8 bytes of SPI */
	    {"\0\0\0\1\1\4\0\1AAAA", 12, false},      /* ISAKMP, 4 */
	    {"\0\0\0\1\2\4\0\1AAAA", 12, false},      /* AH */
	    {"\0\0\0\1\3\4\0\0", 8, false},           /* none */
	    {"\0\0\0\1\3\4\0\1AAA", 11, true},        /* cut short */
	    {"\0\0\0\1\3\4\0\1AAAAA", 13, true},      /* too long */
	    {"\0\0\0\1\3\4\377\377AAAA", 12, true},   /* more than there are */
	    {"\0\0\0\1\3\0\0\1", 8, true},            /* SPIs of nothing */
	    {"\0\0\0\1\3\377\0\1AAAA", 12, true},
	    {"\0\0\0\1", 4, true},
	    {"", 0, true},
	};

	up(IKE_V1_MAIN);
	for (size_t i = 0; i < sizeof(deletes) / sizeof(deletes[0]); i++) {
		uint64_t before = malformed();

		send_payload(V1_PAYLOAD_DELETE, deletes[i].bytes, deletes[i].len);
		assert_int_equal(malformed() - before, deletes[i].malformed);
		assert_untouched();
	}
	pair_end(&pair);
}

/* Many SPIs, one of them ours: that one goes, and a new one comes. */
static void test_delete_of_many(void **state)
{
	struct wirebuf b = wirebuf_of(mem + 40000, 2000);
	uint32_t spi;

	up(IKE_V1_MAIN);
	spi = pair_in_use(&pair, 1)->info.spi_out;
	wirebuf_u32(&b, V1_DOI_IPSEC);
	wirebuf_u8(&b, V1_PROTOCOL_ESP);
	wirebuf_u8(&b, 4);
	wirebuf_u16(&b, 300);
	for (uint32_t i = 0; i < 300; i++)
		wirebuf_u32(&b, i == 250 ? spi : 0x77000000 + i);
	send_payload(V1_PAYLOAD_DELETE, mem + 40000, wirebuf_len(&b));
	assert_int_equal(pair_children(&pair, 1), 0);
	pair_end(&pair);
}

/* ---- notifies ---- */

static void test_initial_contact(void **state)
{
	up(IKE_V1_MAIN);
	/* On the only IKE SA there is: whatever it carries was made on it. */
	notify(V1_PROTOCOL_ISAKMP, V1_NOTIFY_INITIAL_CONTACT, NULL, 0);
	assert_untouched();
	pair_end(&pair);
}

/* An initiator that lost its memory: what the responder had from before is gone at once (RFC 2407 4.6.3.3). */
static void test_initial_contact_of_a_new_one(void **state)
{
	for (unsigned mode = 0; mode < 2; mode++) {
		uint32_t old;

		up(mode ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN);
		old = pair_in_use(&pair, 1)->info.spi_in;
		pair_run(&pair, DUR_S(2));
		pair_kill_side(&pair, 0);
		pair_start_side(&pair, 0);
		pair_settle(&pair);
		pair_assert_up(&pair);
		assert_int_not_equal(pair_in_use(&pair, 1)->info.spi_in, old);
		assert_int_equal(pair_children(&pair, 1), 1);
		assert_int_equal(pair_count_sas(&pair, 1, NULL), 1);
		pair_end(&pair);
	}
}

/* RESPONDER-LIFETIME of one second: obeyed as far as it makes sense; nothing that is longer than agreed. */
static void test_short_lifetime(void **state)
{
	static const uint8_t one_second[] = {0x80, 1, 0, 1, 0x80, 2, 0, 1};
	static const uint8_t a_year[] = {0x80, 1, 0, 1, 0, 2, 0, 4, 1, 0xe1, 0x33, 0x80};
	struct ike_chain c;
	uint8_t spi[4];
	unsigned rounds = 0;

	up(IKE_V1_MAIN);
	pair.side[1].config.esp_lifetime_s = 1800;
	for (unsigned i = 0; i < 2; i++) {
		c = begin();
		v1_chain_notify(&c, V1_PROTOCOL_ESP,
		    v1_spi_span(spi, pair_in_use(&pair, 1)->info.spi_out),
		    V1_NOTIFY_RESPONDER_LIFETIME,
		    i ? (struct ike_span){one_second, 8} : (struct ike_span){a_year, 12});
		send_as(EXCHANGE_V1_INFORMATIONAL, &c);
	}
	for (unsigned i = 0; i < 30; i++) {
		uint32_t before = pair_in_use(&pair, 1)->info.spi_in;

		pair_run(&pair, DUR_S(1));
		assert_int_equal(pair.side[0].state, IKE_TUNNEL_UP);
		assert_int_equal(pair.side[1].state, IKE_TUNNEL_UP);
		rounds += pair_in_use(&pair, 1)->info.spi_in != before;
		assert_true(rounds == 0 || i >= 5); /* not at once: 10 s are the least */
	}
	pair_assert_up(&pair);
	assert_int_equal(rounds, 1); /* the one that replaces it lives as long as was agreed */
	pair_end(&pair);
}

static void test_dpd_numbers(void **state)
{
	struct ike_sa *sa;
	uint32_t number;
	unsigned seen;

	up(IKE_V1_MAIN);
	sa = pair_sa(&pair, 1);
	for (unsigned i = 0; i < 4; i++) {
		static const int32_t steps[] = {1, 1, -1, 100000};
		uint8_t data[4];
		struct wirebuf b = wirebuf_of(data, 4);

		number = (i ? sa->v1->dpd_heard : 77) + (uint32_t)steps[i];
		wirebuf_u32(&b, number);
		seen = pair.seen[1];
		notify(V1_PROTOCOL_ISAKMP, V1_NOTIFY_R_U_THERE, data, 4);
		/* Old ones and those from far off get no answer. */
		assert_int_equal(pair.seen[1] - seen, i < 2);
	}
	seen = pair.seen[1];
	notify(V1_PROTOCOL_ISAKMP, V1_NOTIFY_R_U_THERE, "\0\0", 2);
	notify(V1_PROTOCOL_ISAKMP, V1_NOTIFY_R_U_THERE_ACK, "\0\0\0\1", 4);
	assert_int_equal(pair.seen[1], seen);
	assert_untouched();
	pair_end(&pair);
}

static void test_notifies_that_mean_nothing(void **state)
{
	up(IKE_V1_MAIN);
	for (uint32_t type = 1; type < 65536; type += 7)
		if (type != V1_NOTIFY_R_U_THERE)
			notify(V1_PROTOCOL_ESP, (uint16_t)type, "data", 4);
	for (size_t len = 0; len < 12; len++)
		send_payload(V1_PAYLOAD_NOTIFY, "\0\0\0\1\3\377\0\16AAAA", len);
	assert_untouched();
	pair_end(&pair);
}

/* ---- quick mode ---- */

/* What differs from a good message 1. */
struct quick {
	const char *attributes; /* instead of tunnel mode and 128 bits */
	size_t attributes_len;
	uint8_t spi_len, ids, nonce_len;
	const char *id;
	size_t id_len;
	uint8_t transforms; /* said, of one that is there */
	bool ke, twice, zero_spi;
};

static void put_sa(struct ike_chain *c, const struct quick *q)
{
	static const char good[] = "\x80\4\0\1\x80\6\0\x80";
	const char *attributes = q->attributes ? q->attributes : good;
	size_t len = q->attributes ? q->attributes_len : 8;
	struct wirebuf *b = &c->buf;

	ike_chain_begin(c, V1_PAYLOAD_SA);
	wirebuf_u32(b, V1_DOI_IPSEC);
	wirebuf_u32(b, V1_IDENTITY_ONLY);
	wirebuf_u16(b, 0);
	wirebuf_u16(b, (uint16_t)(8 + q->spi_len + 8 + len));
	wirebuf_u8(b, 1);
	wirebuf_u8(b, V1_PROTOCOL_ESP);
	wirebuf_u8(b, q->spi_len);
	wirebuf_u8(b, q->transforms);
	wirebuf_put(
	    b, q->zero_spi ? "\0\0\0\0\0\0\0\0" : "\x12\x34\x56\x78\x9a\xbc\xde\xf0", q->spi_len);
	wirebuf_u16(b, 0);
	wirebuf_u16(b, (uint16_t)(8 + len));
	wirebuf_u8(b, 1);
	wirebuf_u8(b, (uint8_t)alg_encr(ENCR_AES128GCM16)->v1_esp_id);
	wirebuf_u16(b, 0);
	wirebuf_put(b, attributes, len);
	ike_chain_end(c);
}

static void send_quick(const struct quick *q)
{
	static const uint8_t nonce[255] = {1, 2, 3};
	struct ike_chain c = begin();

	put_sa(&c, q);
	if (q->twice)
		put_sa(&c, q);
	ike_chain_put(&c, V1_PAYLOAD_NONCE, nonce, q->nonce_len);
	if (q->ke)
		ike_chain_put(&c, V1_PAYLOAD_KE, nonce, 32);
	for (unsigned i = 0; i < q->ids; i++)
		ike_chain_put(&c, V1_PAYLOAD_ID, q->id, q->id_len);
	send_as(EXCHANGE_V1_QUICK, &c);
}

#define ANY "\4\0\0\0\0\0\0\0\0\0\0\0"
/* Bytes of SPI and of nonce, the identity and how often it comes, transforms. */
#define Q(spi, nonce, id_, times, transforms_)                                                     \
	.spi_len = (spi), .nonce_len = (nonce), .id = (id_), .id_len = sizeof(id_) - 1,            \
	.ids = (times), .transforms = (transforms_)
#define GOOD       Q(4, 32, ANY, 2, 1)
#define ATTRS(s)   .attributes = (s), .attributes_len = sizeof(s) - 1
#define TUNNEL_GCM "\x80\4\0\1\x80\6\0\x80"

static void test_lying_quick_modes(void **state)
{
	static const struct quick lies[] = {
	    {GOOD, .zero_spi = true},
	    {Q(0, 32, ANY, 2, 1)},
	    {Q(3, 32, ANY, 2, 1)},
	    {Q(8, 32, ANY, 2, 1)},
	    {Q(4, 7, ANY, 2, 1)},
	    {Q(4, 0, ANY, 2, 1)},
	    {Q(4, 32, ANY, 1, 1)},
	    {Q(4, 32, ANY, 3, 1)},
	    {Q(4, 32, "\2\0\0\0hub.example", 2, 1)}, /* a name */
	    {Q(4, 32, "\4\0\0\0\0\0\0\0\0\xff\0\0", 2, 1)},
	    {Q(4, 32, "\6\0\0\0", 2, 1)},
	    {Q(4, 32, "", 2, 1)},
	    {Q(4, 32, ANY, 2, 0)},
	    {Q(4, 32, ANY, 2, 255)},
	    {GOOD, .twice = true},
	    {GOOD, ATTRS("\x80\4\0\2\x80\6\0\x80")},            /* transport mode */
	    {GOOD, ATTRS("\x80\4\0\3\x80\6\0\x80")},            /* in UDP, without a NAT */
	    {GOOD, ATTRS("\x80\6\0\x80")},                      /* no mode at all */
	    {GOOD, ATTRS(TUNNEL_GCM "\x80\6\0\x80")},           /* a key length twice */
	    {GOOD, ATTRS(TUNNEL_GCM "\x80\3\0\2"), .ke = true}, /* PFS that we do not want */
	    {GOOD, ATTRS(TUNNEL_GCM "\x80\5\0\2")},             /* an AEAD with integrity */
	    {GOOD, ATTRS(TUNNEL_GCM "\0\2\xff\xff")},           /* longer than there is */
	    {GOOD, ATTRS(TUNNEL_GCM "\x7f\xff\0\0")},           /* nobody knows it */
	    {GOOD, ATTRS("\x80\4\0\1\x80\6\xff\xff")},
	};

	up(IKE_V1_MAIN);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		send_quick(&lies[i]);
		if (pair_children(&pair, 1) != 1)
			fail_msg("lie %zu was believed", i);
		assert_untouched();
	}
	/* and the truth, to see that it was not the form of the rest */
	send_quick(&(struct quick){GOOD});
	assert_int_equal(pair_children(&pair, 1), 2);
	pair_end(&pair);
}

/* RFC 2407 4.5: the peer's kilobytes reach the data path, but none that would be used up at once. */
static void test_kilobytes(void **state)
{
	static const struct {
		struct quick q;
		uint64_t bytes;
	} cases[] = {
	    {{GOOD}, 0},
	    {{GOOD, ATTRS("\x80\1\0\2\0\2\0\4\0\x0f\x42\x40" TUNNEL_GCM)}, 1000000ull << 10},
	    {{GOOD, ATTRS("\x80\1\0\2\x80\2\0\1" TUNNEL_GCM)}, 2560ull << 10},
	    {{GOOD, ATTRS("\x80\1\0\2\0\2\0\x08\xff\xff\xff\xff\xff\xff\xff\xff" TUNNEL_GCM)}, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool found = false;

		up(IKE_V1_MAIN);
		send_quick(&cases[i].q);
		for (unsigned k = 0; k < CHILDREN_MAX; k++) {
			const struct pair_child *c = &pair.side[1].child[k];

			if (!c->in || c->info.spi_out != 0x12345678)
				continue;
			found = true;
			assert_int_equal(c->info.lifetime_bytes, cases[i].bytes);
		}
		assert_true(found);
		pair_end(&pair);
	}
}

/* V1-08: each side says what it keeps a Child SA for, and the shorter counts for both: also when the responder's is. */
static void test_kilobytes_of_ours(void **state)
{
	static const uint64_t ours[][2] = {{0, 0}, {1ull << 30, 0}, {0, 1ull << 30},
	    {1ull << 40, 1ull << 33}, {1ull << 33, 1ull << 40}, {1ull << 30, 1ull << 30}};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		pair_init(&pair);
		for (unsigned k = 0; k < 2; k++) {
			pair.side[k].config.version = IKE_V1;
			pair.side[k].config.esp_lifetime_bytes = ours[i][k];
		}
		pair_start(&pair);
		pair_assert_up(&pair);
		/* Of our own the data path knows; here is what the peer said. */
		for (unsigned k = 0; k < 2; k++) {
			uint64_t mine = ours[i][k], theirs = ours[i][!k];
			uint64_t said = pair_in_use(&pair, k)->info.lifetime_bytes;

			if (theirs && (!mine || theirs < mine))
				assert_int_equal(said, theirs);
			else
				assert_true(said == 0 || said >= mine);
		}
		pair_end(&pair);
	}
}

/* RFC 2407 4.6.3.1: the same in a RESPONDER-LIFETIME of its own; the shorter counts, whichever comes first. */
static void test_kilobytes_later(void **state)
{
	static const struct {
		const char *attributes;
		size_t len;
		uint64_t bytes; /* of the SA, from then on */
	} steps[] = {
	    {"\x80\1\0\2\0\2\0\4\0\x0f\x42\x40", 12, 1000000ull << 10},
	    {"\x80\1\0\2\0\2\0\4\0\x1e\x84\x80", 12, 1000000ull << 10}, /* more than before */
	    {"\x80\1\0\2\x80\2\0\0", 8, 1000000ull << 10},
	    {"\x80\1\0\2", 4, 1000000ull << 10},
	    {"\x80\1\0\1\x80\2\x0e\x10\x80\1\0\2\x80\2\xff\xff", 16,
		65535ull << 10}, /* and an hour */
	    {"\x80\1\0\2\x80\2\0\1", 8, 2560ull << 10},
	};
	uint8_t spi[4];
	struct ike_chain c;

	up(IKE_V1_MAIN);
	for (unsigned known = 0; known < 2; known++) {
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			const struct pair_child *child = pair_in_use(&pair, 1);

			c = begin();
			v1_chain_notify(&c, V1_PROTOCOL_ESP,
			    v1_spi_span(spi, child->info.spi_out ^ !known),
			    V1_NOTIFY_RESPONDER_LIFETIME,
			    (struct ike_span){(const uint8_t *)steps[i].attributes, steps[i].len});
			send_as(EXCHANGE_V1_INFORMATIONAL, &c);
			assert_int_equal(child->info.lifetime_bytes, known ? steps[i].bytes : 0);
		}
	}
	assert_untouched();
	pair_end(&pair);
}

/* Quick modes that are begun and never ended take up a bounded number of SAs, and go by themselves. */
static void test_quick_flood(void **state)
{
	up(IKE_V1_MAIN);
	for (unsigned i = 0; i < 500; i++)
		send_quick(&(struct quick){GOOD});
	assert_true(pair_children(&pair, 1) <= CHILDREN_MAX);
	pair_assert_up(&pair);
	pair_run(&pair, DUR_S(300));
	assert_int_equal(pair_children(&pair, 1), 1);
	pair_assert_up(&pair);
	pair_end(&pair);
}

/* ---- what we do not speak ---- */

static void test_other_exchanges(void **state)
{
	struct ike_chain c;

	up(IKE_V1_MAIN);
	for (unsigned i = 0; i < 2; i++) {
		c = begin();
		ike_chain_put(&c, V1_PAYLOAD_NOTIFY, "\0\0\0\1\1\0\0\16", 8);
		send_as(i ? EXCHANGE_V1_TRANSACTION : EXCHANGE_V1_NEW_GROUP, &c);
		assert_untouched();
	}
	assert_true(pair_has_error(&pair, 1, IKE_ERROR_PEER_REFUSED, NULL));
	pair_end(&pair);
}

/* ---- without keys ---- */

/* A first message of aggressive mode gets no more than three times its bytes. */
static void test_amplification(void **state)
{
	char name[240];

	for (unsigned i = 0; i < 2; i++) {
		pair_init(&pair);
		for (unsigned k = 0; k < 2; k++) {
			pair.side[k].config.version = IKE_V1;
			pair.side[k].config.v1_mode = IKE_V1_AGGRESSIVE;
			pair.side[k].config.natt = IKE_NATT_OFF;
			pair.side[k].config.ike.auth[0] = AUTH_SHA512;
		}
		if (i) {
			memset(name, 'a', sizeof(name) - 1);
			name[sizeof(name) - 1] = '\0';
			assert_int_equal(ike_id_parse(name, &pair.side[1].config.local_id), 0);
			pair.side[0].config.remote_id = pair.side[1].config.local_id;
		}
		pair_start(&pair);
		assert_true(pair.last[1].len <= 3 * pair.last[0].len);
		if (!i)
			pair_assert_up(&pair);
		pair_end(&pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_delete_of_wrong_sizes),
	    cmocka_unit_test(test_delete_of_many),
	    cmocka_unit_test(test_initial_contact),
	    cmocka_unit_test(test_initial_contact_of_a_new_one),
	    cmocka_unit_test(test_short_lifetime),
	    cmocka_unit_test(test_dpd_numbers),
	    cmocka_unit_test(test_notifies_that_mean_nothing),
	    cmocka_unit_test(test_lying_quick_modes),
	    cmocka_unit_test(test_kilobytes),
	    cmocka_unit_test(test_kilobytes_of_ours),
	    cmocka_unit_test(test_kilobytes_later),
	    cmocka_unit_test(test_quick_flood),
	    cmocka_unit_test(test_other_exchanges),
	    cmocka_unit_test(test_amplification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
