/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Packets that come before their SA, on an SPI that was reserved for it: kept, in order, and decrypted when it comes; lost
 * for the reason that they have no SA when it does not, or comes too late (T19, V2-15).
 */

#include "esp_rig.h"
#include "testing_eal.h"

#include <rte_cycles.h>

#include "datapath/stage.h"

#define SPI  0x4711u
#define ROOM 256 /* packets of one SPI that wait */

static struct sa_spec peer_spec(struct rig *r, uint32_t spi)
{
	return rig_spec(r, GCM, spi);
}

/* A packet of the peer, with that sequence number. */
static struct rte_mbuf *early(struct rig *r, const struct sa_spec *spec, uint64_t sequence)
{
	static const struct oracle_trailer right;
	uint8_t iv[16] = {(uint8_t)sequence, (uint8_t)(sequence >> 8), 1}, esp[ORACLE_MAX];
	struct packet inner, outer;

	rig_inner(&inner, 100);
	rig_outer(
	    &outer, spec, esp, oracle_seal(spec, sequence, iv, &right, inner.bytes, 100, esp));
	return rig_to_receive(r, outer.bytes, outer.len);
}

/* `count` packets from `first` on; how many came out at once. */
static unsigned send_early(
    struct rig *r, const struct sa_spec *spec, unsigned first, unsigned count)
{
	unsigned out = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *m = early(r, spec, first + i), *inner[BURST_MAX];

		out += rig_receive(r, &m, 1, inner);
	}
	return out;
}

static void make_sa(struct rig *r, const struct sa_spec *spec, struct sa_in **in)
{
	struct sa_spec mirror = rig_mirror(spec);

	*in = rig_in(r, &mirror);
}

/* Takes what waits and decrypts it; how many came out. */
static unsigned take(struct rig *r)
{
	struct rte_mbuf *m[BURST_MAX], *inner[BURST_MAX];
	unsigned n, out = 0;

	r->w->now = rte_rdtsc();
	while ((n = early_take(r->w, m)) > 0) {
		unsigned done = rig_receive(r, m, n, inner);

		for (unsigned i = 0; i < done; i++)
			rig_free(r, inner[i]);
		out += done;
	}
	return out;
}

static void waits_for_its_sa(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = peer_spec(r, SPI);
	struct sa_in *in;

	assert_true(sa_spi_reserve(r->b->sas, SPI));
	assert_int_equal(send_early(r, &spec, 1, 100), 0);
	assert_int_equal(take(r), 0); /* not yet */
	make_sa(r, &spec, &in);
	assert_false(sa_spi_is_reserved(r->b->sas, SPI));
	assert_int_equal(take(r), 100);
	assert_int_equal(in->replay.top, 100);
	assert_int_equal(take(r), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 0);
}

/* A trace shows that it waits, and for which SPI. */
static void is_traced(void **state)
{
	static struct trace_entry e;
	struct rig *r = *state;
	struct sa_spec spec = peer_spec(r, SPI);
	struct rte_mbuf *m = early(r, &spec, 1), *inner[BURST_MAX];

	assert_int_equal(
	    trace_start(&r->b->trace, &(struct trace_filter){.drops = false}, 1, 0), 0);
	r->w->trace = trace_session(&r->b->trace);
	pkt_meta(m)->trace = trace_number(r->w->trace);
	assert_true(sa_spi_reserve(r->b->sas, SPI));
	assert_int_equal(rig_receive(r, &m, 1, inner), 0);
	assert_true(trace_take(&r->b->trace, &e));
	assert_int_equal(e.record.stage, TRACE_WAITING);
	assert_int_equal(e.record.spi, SPI);
	sa_spi_release(r->b->sas, SPI);
	assert_int_equal(take(r), 0);
	assert_true(trace_take(&r->b->trace, &e));
	assert_int_equal(e.record.stage, TRACE_DROPPED);
	assert_int_equal(e.record.what, DROP_ESP_UNKNOWN_SPI);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 1);
	r->w->trace = NULL;
	trace_stop(&r->b->trace);
}

static void is_given_up(void **state)
{
	struct rig *r = *state;
	struct sa_spec spec = peer_spec(r, SPI);
	struct rte_mbuf *m[BURST_MAX];

	/* the SPI is given back */
	assert_true(sa_spi_reserve(r->b->sas, SPI));
	assert_int_equal(send_early(r, &spec, 1, 3), 0);
	sa_spi_release(r->b->sas, SPI);
	assert_int_equal(take(r), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 3);

	/* the time is over */
	assert_true(sa_spi_reserve(r->b->sas, SPI));
	assert_int_equal(send_early(r, &spec, 1, 2), 0);
	r->w->now += 2 * rte_get_tsc_hz();
	assert_int_equal(early_take(r->w, m), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 2);
	sa_spi_release(r->b->sas, SPI);

	/* and nothing is kept of what nobody waits for */
	assert_int_equal(send_early(r, &spec, 1, 1), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 1);
}

/* One SPI fills its room, and the next ones still have theirs. Closing the rig shows that no packet is left behind. */
static void has_limits(void **state)
{
	struct rig *r = *state;
	unsigned waiting_max = RTE_MIN(1024u, r->pool->size / 8), room = RTE_MIN(ROOM, waiting_max);
	unsigned kept = room, rooms = 1;
	struct sa_spec spec = peer_spec(r, SPI);

	assert_true(sa_spi_reserve(r->b->sas, SPI));
	assert_int_equal(send_early(r, &spec, 1, room + 10), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 10);
	while (kept < waiting_max && rooms < 8) {
		unsigned more = RTE_MIN(8u, waiting_max - kept);

		spec = peer_spec(r, SPI + rooms);
		assert_true(sa_spi_reserve(r->b->sas, SPI + rooms));
		assert_int_equal(send_early(r, &spec, 1, more), 0);
		kept += more;
		rooms++;
	}
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 0);
	if (rooms == 8) {
		spec = peer_spec(r, SPI + rooms);
		assert_true(sa_spi_reserve(r->b->sas, SPI + rooms));
		assert_int_equal(send_early(r, &spec, 1, 1), 0);
		rig_dropped(r, DROP_ESP_UNKNOWN_SPI, 1);
		sa_spi_release(r->b->sas, SPI + rooms);
	}
	for (unsigned i = 0; i < rooms; i++)
		sa_spi_release(r->b->sas, SPI + i);
	assert_int_equal(take(r), 0);
	rig_dropped(r, DROP_ESP_UNKNOWN_SPI, kept);
}

static void reservations(void **state)
{
	struct rig *r = *state;
	struct sa_table *t = r->b->sas;
	struct sa_spec spec = peer_spec(r, SPI);
	struct sa_in *in;
	unsigned held = 0;

	assert_true(sa_spi_reserve(t, SPI));
	assert_false(sa_spi_reserve(t, SPI));
	assert_false(sa_spi_reserve(t, 0));
	make_sa(r, &spec, &in);
	assert_false(sa_spi_reserve(t, SPI)); /* in use */
	sa_spi_release(t, 0);
	sa_spi_release(t, SPI); /* nothing to give back */

	/* more than there are places: the rest goes without, none is lost on the way back */
	for (uint32_t spi = 1; spi <= 20000; spi++)
		assert_true(sa_spi_reserve(t, 0x10000 + spi * 7919));
	for (uint32_t spi = 1; spi <= 20000; spi++) {
		held += sa_spi_is_reserved(t, 0x10000 + spi * 7919);
		sa_spi_release(t, 0x10000 + spi * 7919);
		assert_false(sa_spi_is_reserved(t, 0x10000 + spi * 7919));
	}
	assert_in_range(held, 4096, 8192);
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(waits_for_its_sa),
	    RIG_TEST(is_traced),
	    RIG_TEST(is_given_up),
	    RIG_TEST(has_limits),
	    RIG_TEST(reservations),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
