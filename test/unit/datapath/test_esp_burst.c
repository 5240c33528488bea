/* SPDX-License-Identifier: BSD-3-Clause */

/* Bursts over many SAs, several workers, SAs that come and go, and devices that are full (ES-02, ES-17). */

#include "base/mtu.h"
#include "esp_rig.h"
#include "testing_eal.h"

#include <rte_ring.h>

#define SAS 100

struct many {
	struct sa_spec spec[SAS];
	struct sa_out *out[SAS];
	struct sa_in *in[SAS];
	uint32_t tunnel[SAS];
	unsigned count;
};

/* SAs of every algorithm, some with NAT, some with ESN. */
static void make_many(struct rig *r, struct many *t)
{
	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; t->count < SAS; i++) {
		struct suite s = suite_of(i * 5 % SUITES);
		unsigned n = t->count;

		if (!rig_has(s))
			continue;
		t->spec[n] = rig_spec(r, s, 0x10000 + n);
		t->spec[n].natt = i % 3 == 0;
		t->spec[n].esn = i % 4 == 0;
		t->spec[n].tunnel = 1000 + n;
		t->tunnel[n] = rig_pair(r, &t->spec[n], &t->out[n], &t->in[n]);
		t->count++;
	}
}

/* A packet that says which SA it is for and its number there. */
static void numbered(struct packet *p, unsigned sa, unsigned number)
{
	uint8_t payload[100];
	struct ip4 ip = {.src = "10.0.0.1", .dst = "10.0.0.2", .protocol = 1};
	size_t len = 12 + number % 80;

	packet_fill(payload, sizeof(payload));
	put16(payload, sa);
	put16(payload + 2, number);
	p->len = 0;
	packet_ip4(p, &ip, payload, len);
}

/* Random mixtures: all come through, and those of an SA in order, in both directions. */
static void mixture(void **state)
{
	static struct many t;
	unsigned sent[SAS] = {0}, got[SAS] = {0};
	struct rig *r = *state;
	struct rng rng = test_rng();

	make_many(r, &t);
	for (unsigned burst = 0; burst < 300; burst++) {
		struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];
		unsigned n = 1 + rng_below(&rng, BURST_MAX);
		unsigned spread = 1 + rng_below(&rng, SAS);

		for (unsigned i = 0; i < n; i++) {
			unsigned sa = rng_below(&rng, spread);
			struct packet p;

			numbered(&p, sa, sent[sa]++);
			m[i] = rig_to_send(r, t.tunnel[sa], &p);
		}
		assert_int_equal(rig_send(r, m, n, outer), n);
		rig_turn_round(r, outer, n);
		assert_int_equal(rig_receive(r, outer, n, m), n);
		for (unsigned i = 0; i < n; i++) {
			const uint8_t *ip = rte_pktmbuf_mtod(m[i], const uint8_t *);
			unsigned sa = get16(ip + 20);
			struct packet p;

			assert_in_range(sa, 0, SAS - 1);
			assert_int_equal(pkt_meta(m[i])->tunnel, 1000 + sa);
			assert_int_equal(get16(ip + 22), got[sa]);
			numbered(&p, sa, got[sa]++);
			assert_int_equal(m[i]->pkt_len, p.len);
			assert_memory_equal(ip, p.bytes, p.len);
			rig_free(r, m[i]);
		}
	}
	assert_memory_equal(sent, got, sizeof(sent));
	rig_dropped(r, DROP_ESP_ICV, 0);
}

/* A burst of good and bad packets of many SAs: each bad one is dropped for its own reason. */
static void bad_among_good(void **state)
{
	static struct many t;
	struct rig *r = *state;
	struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];

	make_many(r, &t);
	for (unsigned i = 0; i < BURST_MAX;
	     i++) { /* SPIs of each remainder modulo 4, as many of each */
		struct packet p;

		numbered(&p, i, 0);
		m[i] = rig_to_send(r, t.tunnel[i], &p);
	}
	assert_int_equal(rig_send(r, m, BURST_MAX, outer), BURST_MAX);
	rig_turn_round(r, outer, BURST_MAX);
	for (unsigned i = 0; i < BURST_MAX; i++) {
		uint8_t *ip = rte_pktmbuf_mtod(outer[i], uint8_t *);
		uint8_t *spi = ip + esp_note(outer[i])->offset;

		switch (spi[3] % 4) {
		case 0:
			ip[outer[i]->pkt_len - 1] ^= 1; /* in the ICV */
			break;
		case 1:
			spi[0] = 0xee;
			break;
		case 2:
			rte_pktmbuf_trim(outer[i], 40);
			break;
		}
	}
	assert_int_equal(rig_receive(r, outer, BURST_MAX, m), BURST_MAX / 4);
	for (unsigned i = 0; i < BURST_MAX / 4; i++) {
		const uint8_t *ip = rte_pktmbuf_mtod(m[i], const uint8_t *);

		assert_int_equal(t.spec[get16(ip + 20)].spi % 4, 3);
		rig_free(r, m[i]);
	}
	assert_int_equal(rig_drops(r, DROP_ESP_ICV), BURST_MAX / 4);
	assert_int_equal(rig_drops(r, DROP_ESP_UNKNOWN_SPI), BURST_MAX / 4);
	assert_int_equal(rig_drops(r, DROP_ESP_TRUNCATED), BURST_MAX / 4);
}

/* SAs made and removed while packets flow: nothing is lost, nothing stays behind. */
static void come_and_go(void **state)
{
	struct rig *r = *state;

	for (unsigned round = 0; round < 2000; round++) {
		struct sa_spec spec = rig_spec(r, suite_of(round * 3 % 25), 0x20000 + round);
		struct rte_mbuf *m, *inner[BURST_MAX];
		struct sa_out *out;
		struct sa_in *in;
		struct packet p;
		uint32_t tunnel = rig_pair(r, &spec, &out, &in);

		rig_inner(&p, 64);
		m = rig_send_one(r, tunnel, &p);
		assert_non_null(m);
		rig_turn_round(r, &m, 1);
		assert_int_equal(rig_receive(r, &m, 1, inner), 1);
		rig_free(r, inner[0]);
		assert_true(sa_spi_in_use(r->b->sas, spec.spi));
		tunnel_release(&r->b->tunnels, tunnel);
		sa_out_remove(r->b->sas, out);
		sa_in_remove(r->b->sas, in);
		assert_false(sa_spi_in_use(r->b->sas, spec.spi));
		assert_int_equal(epoch_reclaim(r->b->epoch) > 0, 1);
	}
}

/* Two workers */

/* The first worker that sees an inbound SA owns it; the other hands its packets over, and drops none. */
static void hand_over(void **state)
{
	struct rig *r = *state;
	struct worker *first = &r->workers[0], *second = &r->workers[1];
	struct sa_spec spec = rig_spec(r, GCM, 0x40000);
	struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];
	struct sa_out *out;
	struct sa_in *in;
	uint32_t tunnel = rig_pair(r, &spec, &out, &in);
	struct packet p;

	rig_inner(&p, 100);
	for (unsigned i = 0; i < 30; i++)
		m[i] = rig_to_send(r, tunnel, &p);
	assert_int_equal(rig_send(r, m, 30, outer), 30);
	rig_turn_round(r, outer, 30);
	assert_int_equal(esp_in(second, outer, 10, m), 10);
	assert_int_equal(in->owner, 1);
	for (unsigned i = 0; i < 10; i++)
		rig_free(r, m[i]);
	assert_int_equal(esp_in(first, outer + 10, 20, m), 0);
	assert_int_equal(rte_ring_count(second->handoff_in), 20);
	assert_int_equal(rte_ring_dequeue_burst(second->handoff_in, (void **)outer, 20, NULL), 20);
	assert_int_equal(esp_in(second, outer, 20, m), 20);
	for (unsigned i = 0; i < 20; i++)
		rig_free(r, m[i]);
	assert_int_equal(in->replay.top, 30);
	assert_int_equal(in->packets, 30);
	rig_dropped(r, DROP_HANDOFF_FULL, 0);
}

/* A trace says to which worker. */
static void hand_over_traced(void **state)
{
	static struct trace_entry e;
	struct rig *r = *state;
	struct worker *first = &r->workers[0], *second = &r->workers[1];
	struct sa_spec spec = rig_spec(r, GCM, 0x40002);
	struct rte_mbuf *m[1], *outer[1];
	struct sa_out *out;
	struct sa_in *in;
	uint32_t tunnel = rig_pair(r, &spec, &out, &in);
	struct packet p;

	rig_inner(&p, 100);
	m[0] = rig_to_send(r, tunnel, &p);
	assert_int_equal(rig_send(r, m, 1, outer), 1);
	rig_turn_round(r, outer, 1);
	atomic_store(&in->owner, 1);
	assert_int_equal(
	    trace_start(&r->b->trace, &(struct trace_filter){.drops = false}, 1, 0), 0);
	first->trace = trace_session(&r->b->trace);
	pkt_meta(outer[0])->trace = trace_number(first->trace);
	assert_int_equal(esp_in(first, outer, 1, m), 0);
	assert_true(trace_take(&r->b->trace, &e));
	assert_int_equal(e.record.stage, TRACE_HANDED);
	assert_int_equal(e.record.what, 1);
	assert_int_equal(e.record.worker, 0);
	assert_int_equal(e.record.spi, 0x40002);
	first->trace = NULL;
	trace_stop(&r->b->trace);
	assert_int_equal(rte_ring_dequeue_burst(second->handoff_in, (void **)outer, 1, NULL), 1);
	assert_int_equal(esp_in(second, outer, 1, m), 1);
	rig_free(r, m[0]);
}

static void hand_over_full(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x40001);
	struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];
	struct sa_out *out;
	struct sa_in *in;
	uint32_t tunnel = rig_pair(r, &spec, &out, &in);
	unsigned lost = 0;
	struct packet p;

	rig_inner(&p, 100);
	atomic_store(&in->owner, 1);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < BURST_MAX; i++)
			m[i] = rig_to_send(r, tunnel, &p);
		assert_int_equal(rig_send(r, m, BURST_MAX, outer), BURST_MAX);
		rig_turn_round(r, outer, BURST_MAX);
		assert_int_equal(esp_in(r->w, outer, BURST_MAX, m), 0);
	}
	lost = 20 * BURST_MAX - rte_ring_count(r->workers[1].handoff_in);
	assert_true(lost > 0);
	rig_dropped(r, DROP_HANDOFF_FULL, lost);
	while (rte_ring_dequeue(r->workers[1].handoff_in, (void **)&m[0]) == 0)
		rig_free(r, m[0]);
}

/* Both workers send by one SA: no number twice, none left out, and the limit holds for both together. */
static void shared_outbound(void **state)
{
	static bool seen[10001];
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x40002);
	struct rng rng = test_rng();
	struct sa_totals totals;
	struct sa_out *sa;
	uint32_t tunnel;
	unsigned sent = 0;
	struct packet p;

	memset(seen, 0, sizeof(seen));
	spec.hard_packets = 10000;
	sa = rig_out(r, &spec);
	tunnel = rig_tunnel(r, sa);
	rig_inner(&p, 100);
	for (unsigned burst = 0; burst < 500; burst++) {
		struct worker *w = &r->workers[rng_below(&rng, 2)];
		struct rte_mbuf *m[BURST_MAX], *outer[BURST_MAX];
		unsigned n = 1 + rng_below(&rng, BURST_MAX);

		for (unsigned i = 0; i < n; i++)
			m[i] = rig_to_send(r, tunnel, &p);
		n = rig_esp_out(w, m, n, outer);
		for (unsigned i = 0; i < n; i++) {
			const uint8_t *esp = rte_pktmbuf_mtod_offset(outer[i], uint8_t *, 20);
			unsigned number = (unsigned)get16(esp + 4) << 16 | get16(esp + 6);

			assert_in_range(number, 1, 10000);
			assert_false(seen[number]);
			seen[number] = true;
			rig_free(r, outer[i]);
		}
		sent += n;
	}
	assert_int_equal(sent, 10000);
	assert_true(rig_drops(r, DROP_SA_EXPIRED) > 0);
	sa_totals_read(&sa->head, &totals); /* numbers taken behind the last one are none of them */
	assert_int_equal(totals.packets, 10000);
	assert_int_equal(totals.bytes, 10000 * 100);
	assert_int_equal(totals.outer_bytes,
	    10000 * mtu_outer_bytes(ENCR_AES128GCM16, AUTH_NONE, false, IP_V4, 100));
}

/* A byte limit holds for both workers together. */
static void shared_bytes(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = rig_spec(r, GCM, 0x40003);
	struct rte_mbuf *m, *outer[BURST_MAX];
	unsigned sent = 0;
	struct packet p;
	uint32_t tunnel;

	spec.hard_bytes = 100 * 70;
	tunnel = rig_tunnel(r, rig_out(r, &spec));
	rig_inner(&p, 100);
	for (unsigned i = 0; i < 100; i++) {
		m = rig_to_send(r, tunnel, &p);
		if (rig_esp_out(&r->workers[i % 2], &m, 1, outer) == 0)
			continue;
		rig_free(r, outer[0]);
		sent++;
	}
	assert_int_equal(sent, 70);
	rig_dropped(r, DROP_SA_EXPIRED, 30);
}

#define RIG_TEST(f)     cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
#define RIG_TEST_TWO(f) cmocka_unit_test_setup_teardown(f, rig_setup_two, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(mixture),
	    RIG_TEST(bad_among_good),
	    RIG_TEST(come_and_go),
	    RIG_TEST_TWO(hand_over),
	    RIG_TEST_TWO(hand_over_traced),
	    RIG_TEST_TWO(hand_over_full),
	    RIG_TEST_TWO(shared_outbound),
	    RIG_TEST_TWO(shared_bytes),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
