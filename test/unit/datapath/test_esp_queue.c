/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A crypto device that takes its time: nothing is finished until it is polled (ES-17). The device is one of
 * software, told to be treated like hardware.
 */

#include "esp_rig.h"
#include "testing_eal.h"

#define LEN 100

struct pair {
	struct sa_spec spec;
	struct sa_out *out;
	struct sa_in *in;
	uint32_t tunnel;
};

static void make_slow(struct rig *r)
{
	for (unsigned i = 0; i < r->w->esp->queue_count; i++)
		r->w->esp->queue[i].software = false;
}

static void make_pair(struct rig *r, struct pair *p, uint32_t spi)
{
	p->spec = rig_spec(r, CBC_SHA1, spi);
	p->tunnel = rig_pair(r, &p->spec, &p->out, &p->in);
}

static struct rte_mbuf *to_send(struct rig *r, const struct pair *p, unsigned number)
{
	struct packet inner;

	rig_inner(&inner, LEN);
	put16(inner.bytes + 40, number);
	return rig_to_send(r, p->tunnel, &inner);
}

static struct rte_mbuf *to_receive(struct rig *r, const struct pair *p, unsigned number)
{
	static const struct oracle_trailer right;
	static const uint8_t iv[16] = {1, 2, 3};
	static uint8_t esp[ORACLE_MAX];
	static struct packet inner, outer;

	rig_inner(&inner, LEN);
	put16(inner.bytes + 40, number);
	rig_outer(&outer, &p->spec, esp,
	    oracle_seal(&p->spec, number, iv, &right, inner.bytes, LEN, esp));
	return rig_to_receive(r, outer.bytes, outer.len);
}

/* Polls until nothing comes; checks that numbers go up in each direction, and ends the packets. */
static void poll(struct rig *r, unsigned max, unsigned *sent, unsigned *received)
{
	unsigned last_sent = 0, last_received = 0, in, out;
	struct rte_mbuf *inner[BURST_MAX], *outer[BURST_MAX];

	*sent = *received = 0;
	for (unsigned idle = 0; idle < 3; idle = in + out ? 0 : idle + 1) {
		in = out = 0;
		esp_poll(r->w, max, inner, &in, outer, &out);
		assert_in_range(in, 0, max);
		assert_in_range(out, 0, max);
		for (unsigned i = 0; i < out; i++) {
			const uint8_t *esp = rte_pktmbuf_mtod_offset(outer[i], const uint8_t *, 20);

			assert_true(get16(esp + 6) > last_sent);
			last_sent = get16(esp + 6);
			rig_free(r, outer[i]);
		}
		for (unsigned i = 0; i < in; i++) {
			const uint8_t *ip = rte_pktmbuf_mtod(inner[i], const uint8_t *);

			assert_true(get16(ip + 40) > last_received);
			last_received = get16(ip + 40);
			rig_free(r, inner[i]);
		}
		*sent += out;
		*received += in;
	}
}

static void both_directions(void **state)
{
	struct rig *r = *state;
	struct pair p;
	unsigned sent, received;

	make_slow(r);
	make_pair(r, &p, 0x10);
	for (unsigned round = 0; round < 10; round++) {
		struct rte_mbuf *m[BURST_MAX], *done[BURST_MAX];

		for (unsigned i = 0; i < 20; i++)
			m[i] = to_send(r, &p, round * 20 + i + 1);
		assert_int_equal(rig_esp_out(r->w, m, 20, done), 0);
		for (unsigned i = 0; i < 20; i++)
			m[i] = to_receive(r, &p, round * 20 + i + 1);
		assert_int_equal(esp_in(r->w, m, 20, done), 0);
	}
	assert_int_equal(p.out->head.of_worker[0].in_flight, 200);
	assert_int_equal(p.in->head.of_worker[0].in_flight, 200);
	poll(r, 7, &sent, &received);
	assert_int_equal(sent, 200);
	assert_int_equal(received, 200);
	assert_int_equal(p.out->head.of_worker[0].in_flight, 0);
	assert_int_equal(p.in->head.of_worker[0].in_flight, 0);
	rig_dropped(r, DROP_CRYPTO_QUEUE_FULL, 0);
}

/* What a stage finds finished of earlier bursts leaves before what comes now. */
static void in_order_with_later_bursts(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m[BURST_MAX], *done[BURST_MAX], *inner[BURST_MAX];
	unsigned last = 0, n, inner_n;
	struct pair p;

	make_slow(r);
	make_pair(r, &p, 0x11);
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 16; i++)
			m[i] = to_send(r, &p, 0);
		n = rig_esp_out(r->w, m, 16, done);
		assert_in_range(n, 0, 16);
		for (unsigned poll = 0; poll < 2; poll++) {
			for (unsigned i = 0; i < n; i++) {
				const uint8_t *esp =
				    rte_pktmbuf_mtod_offset(done[i], const uint8_t *, 20);

				assert_int_equal(get16(esp + 6), ++last);
				rig_free(r, done[i]);
			}
			n = 0;
			if (round % 3 == 0 && poll == 0)
				esp_poll(r->w, 5, inner, &inner_n, done, &n);
		}
	}
	poll(r, BURST_MAX, &n, &inner_n);
	assert_int_equal(last + n, 800);
}

/* There is an end to what may be under way. */
static void bounded(void **state)
{
	struct rig *r = *state;
	unsigned given = 0, sent, received;
	struct rte_mbuf *one, *out[BURST_MAX];
	struct pair p;

	make_slow(r);
	make_pair(r, &p, 0x12);
	while (rig_drops(r, DROP_CRYPTO_QUEUE_FULL) == 0) {
		struct rte_mbuf *m[BURST_MAX], *done[BURST_MAX];

		for (unsigned i = 0; i < 50; i++)
			m[i] = to_send(r, &p, 0);
		assert_int_equal(rig_esp_out(r->w, m, 50, done), 0);
		given += 50;
		assert_true(given < 4 * ESP_IN_FLIGHT_MAX);
	}
	assert_int_equal(p.out->head.of_worker[0].in_flight, ESP_IN_FLIGHT_MAX);
	rig_dropped(r, DROP_CRYPTO_QUEUE_FULL, given - ESP_IN_FLIGHT_MAX);
	poll(r, BURST_MAX, &sent, &received);
	assert_int_equal(sent, ESP_IN_FLIGHT_MAX);
	one = to_send(r, &p, 0);
	assert_int_equal(rig_send(r, &one, 1, out), 1);
	rig_free(r, out[0]);
}

/* An SA that control removed lives until its packets are out. */
static void removed_under_way(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m[BURST_MAX], *done[BURST_MAX];
	unsigned sent, received;
	struct pair p, other;

	make_slow(r);
	make_pair(r, &p, 0x13);
	for (unsigned i = 0; i < 10; i++)
		m[i] = to_send(r, &p, 0);
	assert_int_equal(rig_esp_out(r->w, m, 10, done), 0);
	for (unsigned i = 0; i < 10; i++)
		m[i] = to_receive(r, &p, i + 1);
	assert_int_equal(esp_in(r->w, m, 10, done), 0);
	tunnel_release(&r->b->tunnels, p.tunnel);
	sa_out_remove(r->b->sas, p.out);
	sa_in_remove(r->b->sas, p.in);
	epoch_reclaim(r->b->epoch);
	m[0] = to_receive(r, &p, 11); /* nobody finds it any more */
	assert_int_equal(esp_in(r->w, m, 1, done), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 1);
	poll(r, BURST_MAX, &sent, &received);
	assert_int_equal(sent, 10);
	assert_int_equal(received, 10);
	make_pair(r, &other, 0x13);
}

/* A worker that ends takes back what it gave away. */
static void worker_ends(void **state)
{
	struct rig *r = *state;
	struct rte_mbuf *m[BURST_MAX], *done[BURST_MAX];
	struct pair p;

	make_slow(r);
	make_pair(r, &p, 0x14);
	for (unsigned i = 0; i < 30; i++)
		m[i] = to_send(r, &p, 0);
	assert_int_equal(rig_esp_out(r->w, m, 30, done), 0);
	r->w->slots[r->lan].delivered += 30; /* as it would have been */
	esp_worker_fini(r->w);
	assert_int_equal(rte_mempool_avail_count(r->pool), r->buffers);
	assert_int_equal(p.out->head.of_worker[0].in_flight, 0);
	assert_int_equal(esp_worker_init(r->w), 0);
}

/* More packets than operations: what does not fit is dropped and counted, and the device works again after. */
static void no_operations(void **state)
{
	struct rig *r = *state;
	struct rte_mempool *pool = crypto_op_pool(r->crypto);
	struct rte_crypto_op *taken[8192];
	struct sa_spec spec = rig_spec(r, CBC_SHA1, 0x30000);
	struct rte_mbuf *m[BURST_MAX], *out[BURST_MAX];
	struct sa_out *sa_out;
	struct sa_in *sa_in;
	uint32_t tunnel = rig_pair(r, &spec, &sa_out, &sa_in);
	unsigned n = 0;
	struct packet p;

	rig_inner(&p, 100);
	while (n < TEST_COUNT(taken) && rte_mempool_get(pool, (void **)&taken[n]) == 0)
		n++;
	for (unsigned i = 0; i < 10; i++)
		m[i] = rig_to_send(r, tunnel, &p);
	assert_int_equal(rig_send(r, m, 10, out), 0);
	rig_dropped(r, DROP_CRYPTO_QUEUE_FULL, 10);
	rte_mempool_put_bulk(pool, (void **)taken, n);
	for (unsigned i = 0; i < 10; i++)
		m[i] = rig_to_send(r, tunnel, &p);
	assert_int_equal(rig_send(r, m, 10, out), 10);
	rig_turn_round(r, out, 10);
	assert_int_equal(rig_receive(r, out, 10, m), 10);
	for (unsigned i = 0; i < 10; i++)
		rig_free(r, m[i]);
	assert_int_equal(sa_out->head.of_worker[0].in_flight, 0);
	assert_int_equal(sa_in->head.of_worker[0].in_flight, 0);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(both_directions),
	    RIG_TEST(in_order_with_later_bursts),
	    RIG_TEST(bounded),
	    RIG_TEST(removed_under_way),
	    RIG_TEST(worker_ends),
	    RIG_TEST(no_operations),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
