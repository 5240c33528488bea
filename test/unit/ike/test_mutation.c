/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Good messages with something wrong in them (I1 - I4, I16 - I20): of each message of a tunnel's life, from the first
 * IKE_SA_INIT over rekeys to deletes, one is changed: in clear, or inside of SK under the right keys, so that no
 * integrity check stops it. Both engines must stand, keep their books, and come together again.
 *
 * A failure prints the seed: TRANSITD_SEED=N plays it alone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

#define SEEDS     3000
#define TEXT_MAX  3000
#define AGAIN_MAX 60 /* times ten seconds to come together */

static struct pair pair;
static struct {
	struct rng rng;
	unsigned target; /* the message to change, counted from the first one */
	unsigned changed;
} mutation;

static unsigned below(unsigned bound)
{
	return bound ? rng_below(&mutation.rng, bound) : 0;
}

/* One change of bytes in `text`; returns the new length. */
static size_t change(uint8_t *text, size_t len)
{
	size_t at = below((unsigned)len), n = below((unsigned)(len - at) + 1);
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	if (len == 0) { /* an empty message gets something in it */
		len = 1 + below(40);
		rng_fill(&mutation.rng, text, len);
		return len;
	}
	switch (below(7)) {
	case 0:
		text[at] ^= (uint8_t)(1 << below(8));
		return len;
	case 1:
		text[at] = values[below(5)];
		return len;
	case 2: /* cut short */
		return at;
	case 3: /* a piece is missing */
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 4: /* a piece comes twice */
		if (len + n > TEXT_MAX)
			return len;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	case 5: /* a piece is noise */
		rng_fill(&mutation.rng, text + at, n);
		return len;
	default: /* a length or type says something else */
		text[at] = (uint8_t)below(256);
		return len;
	}
}

/* The payloads inside of SK, changed and sealed again by the SA of the sender. */
static void change_sealed(struct pair *p, struct datagram *d, const struct ike_header *h,
    const struct ike_payloads *clear, uint8_t *copy)
{
	bool from_initiator = h->flags & IKE_FLAG_INITIATOR;
	struct ike_sa *from =
	    ike_engine_find_sa(p->side[d->from].engine, from_initiator ? h->spi_i : h->spi_r);
	struct ike_sa *to =
	    ike_engine_find_sa(p->side[!d->from].engine, from_initiator ? h->spi_r : h->spi_i);
	static uint8_t text[TEXT_MAX + 64];
	struct ike_packet *packet;
	struct ike_chain c;
	struct wire inner;
	uint8_t first;
	size_t len;

	if (!from || !to || ike_message_open(to, h, copy, d->len, clear, &inner, &first) != 1)
		return;
	len = wire_left(&inner);
	if (len > TEXT_MAX)
		return;
	memcpy(text, inner.at, len);
	for (unsigned i = 1 + below(3); i > 0; i--)
		len = change(text, len);
	if (below(10) == 0)
		first = (uint8_t)(33 + below(16));
	c = ike_chain_of(text, len);
	c.buf.at = c.buf.end;
	c.first = len && first == PAYLOAD_NONE ? (uint8_t)(33 + below(16)) : first;
	packet =
	    ike_message_seal(from, h->exchange, h->flags & IKE_FLAG_RESPONSE, h->message_id, &c);
	if (packet->len <= sizeof(d->bytes)) {
		memcpy(d->bytes, packet->bytes, packet->len);
		d->len = packet->len;
		mutation.changed++;
	}
	free(packet);
}

static bool mutate(struct pair *p, struct datagram *d)
{
	static uint8_t copy[sizeof(d->bytes)];
	struct ike_payloads clear;
	struct ike_header h;

	if (p->count++ != mutation.target)
		return true;
	memcpy(copy, d->bytes, d->len);
	if (ike_header_parse(copy, d->len, &h) ||
	    ike_payloads_parse(wire_of(copy + IKE_HEADER_BYTES, d->len - IKE_HEADER_BYTES),
		h.next_payload, &clear))
		return true;
	if (clear.count && clear.list[clear.count - 1].type == PAYLOAD_SK && below(8)) {
		change_sealed(p, d, &h, &clear, copy);
		return true;
	}
	for (unsigned i = 1 + below(3); i > 0; i--)
		d->len = change(d->bytes, d->len);
	if (below(2) && d->len >= IKE_HEADER_BYTES) { /* a length field that fits */
		d->bytes[24] = d->bytes[25] = 0;
		d->bytes[26] = (uint8_t)(d->len >> 8);
		d->bytes[27] = (uint8_t)d->len;
	}
	mutation.changed++;
	return d->len > 0;
}

/* By themselves, or, when one has been told a wrong SPI or nonce under the right key, with the next negotiation. */
static void come_together(struct pair *p)
{
	for (unsigned i = 0; i < AGAIN_MAX; i++) {
		if (i == AGAIN_MAX / 3) {
			ike_tunnel_stop(p->side[0].engine, p->now, TUNNEL);
			pair_run(p, DUR_S(2));
			ike_tunnel_start(p->side[0].engine, p->now, TUNNEL);
			pair_run(p, DUR_S(2));
		}
		struct pair_child *a = pair_in_use(p, 0), *b = pair_in_use(p, 1);

		if (a && b && a->info.spi_in == b->info.spi_out &&
		    a->info.spi_out == b->info.spi_in &&
		    !memcmp(a->info.encr_key_in, b->info.encr_key_out, IKE_KEY_MAX) &&
		    !memcmp(a->info.encr_key_out, b->info.encr_key_in, IKE_KEY_MAX) &&
		    a->info.esn == b->info.esn && pair_count_sas(p, 0, NULL) == 1 &&
		    pair_count_sas(p, 1, NULL) == 1)
			break;
		ike_tunnel_trigger(p->side[0].engine, p->now, TUNNEL);
		pair_run(p, DUR_S(10));
	}
	pair_assert_up(p);
}

static void play(uint64_t seed)
{
	struct pair *p = &pair;

	rng_init_seeded(&mutation.rng, seed);
	mutation.target = (unsigned)(seed % 24);
	pair_init(p);
	p->count = 0;
	p->filter = mutate;
	for (unsigned i = 0; i < 2; i++) {
		p->side[i].config.esp.dh[0] = seed & 32 ? DH_31 : DH_NONE;
		p->side[i].config.dpd_interval_s = 5;
		p->side[i].config.dpd_timeout_s = 15;
	}
	pair_start(p);
	for (unsigned i = 0; i < 2; i++) {
		ike_tunnel_rekey(p->side[i].engine, p->now, TUNNEL, false);
		pair_settle(p);
		ike_tunnel_rekey(p->side[i].engine, p->now, TUNNEL, true);
		pair_run(p, DUR_S(1));
	}
	pair_run(p, DUR_S(20)); /* probes */
	p->filter = NULL;
	come_together(p);
	pair_end(p);
}

static void test_mutations(void **state)
{
	const char *one = getenv("TRANSITD_SEED");
	uint64_t from = one ? strtoull(one, NULL, 10) : 1;
	uint64_t count = one ? 1 : getenv("TRANSITD_TEST_FULL") ? 50 * SEEDS : SEEDS;

	mutation.changed = 0;
	for (uint64_t seed = from; seed < from + count; seed++) {
		/* printed at once, to be there when the next one ends the process */
		if (one)
			printf("# seed %llu\n", (unsigned long long)seed);
		*(volatile uint64_t *)*state = seed;
		play(seed);
	}
	if (!one)
		assert_true(mutation.changed > count / 2);
}

static uint64_t last_seed;

static int begin(void **state)
{
	*state = &last_seed;
	return 0;
}

static int end(void **state)
{
	printf("# last seed: TRANSITD_SEED=%llu\n", (unsigned long long)last_seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_mutations, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
