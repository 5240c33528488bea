/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two engines, one wire: our framing over intel-ipsec-mb and rte_ipsec over crypto devices get the same SAs, numbers,
 * IV masks and packets, and must make the same bytes of them; and each must say the same as the other of what both of
 * them sent, whole or damaged.
 *
 * Everything is drawn: algorithms, ESN, UDP, families, DF and DSCP, lengths, segments, how SAs mix in a
 * burst. TEST_SEED=N draws other ones; TRANSITD_TEST_FULL draws more of them.
 */

#include "esp_rig.h"
#include "testing_eal.h"

#define SAS_MAX 6
#define CLEAR   1400

struct end { /* of one engine */
	struct rig *r;
	struct sa_out *out[SAS_MAX];
	struct sa_in *in[SAS_MAX];
	uint32_t tunnel[SAS_MAX];
};

struct game {
	struct rng rng;
	struct end mb, dev;
	struct sa_spec spec[SAS_MAX];
	unsigned sas;
	uint32_t spi; /* of the next SA */
};

static uint32_t draw(struct game *g, uint32_t below)
{
	return rng_u32(&g->rng) % below;
}

/* SAs */

static struct sa_spec draw_spec(struct game *g)
{
	struct sa_spec s = rig_spec(g->mb.r, suite_of(draw(g, SUITES)), g->spi++);

	s.natt = draw(g, 2);
	s.esn = draw(g, 2);
	s.df = (enum sa_df)draw(g, 3);
	s.copy_dscp = draw(g, 2);
	s.dscp = s.copy_dscp ? 0 : (uint8_t)draw(g, 64);
	if (draw(g, 4) == 0)
		s.first_sequence = 1 + rng_u32(&g->rng) % UINT32_MAX / 2;
	else if (s.esn && draw(g, 2))
		s.first_sequence = UINT64_C(0x300000000) - draw(g, 64);
	if (draw(g, 3) == 0) {
		s.local = test_addr("2001:db8::1");
		s.remote = test_addr("2001:db8:1::2");
	}
	return s;
}

static void end_add(struct end *e, unsigned i, const struct sa_spec *spec)
{
	struct sa_spec mine = *spec;

	mine.slot = e->r->lan;
	e->tunnel[i] = rig_pair(e->r, &mine, &e->out[i], &e->in[i]);
}

static void end_remove(struct end *e, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		tunnel_release(&e->r->b->tunnels, e->tunnel[i]);
		sa_out_remove(e->r->b->sas, e->out[i]);
		sa_in_remove(e->r->b->sas, e->in[i]);
	}
	epoch_reclaim(e->r->b->epoch);
}

static void add_sas(struct game *g)
{
	g->sas = 1 + draw(g, SAS_MAX);
	for (unsigned i = 0; i < g->sas; i++) {
		g->spec[i] = draw_spec(g);
		end_add(&g->mb, i, &g->spec[i]);
		end_add(&g->dev, i, &g->spec[i]);
		assert_in_range(g->mb.out[i]->head.engine, ESP_MB_AEAD, ESP_MB_CHAIN);
		assert_in_range(
		    g->dev.out[i]->head.engine, ESP_RTE_IPSEC_SYNC, ESP_RTE_IPSEC_QUEUE);
		/* secrets that each SA draws for itself */
		memcpy(
		    g->dev.out[i]->iv_mask, g->mb.out[i]->iv_mask, sizeof(g->mb.out[i]->iv_mask));
		g->dev.out[i]->id_offset = g->mb.out[i]->id_offset;
	}
}

/* Packets */

/* Puts the last `cut` bytes into a segment of their own. */
static void split(struct rig *r, struct rte_mbuf *m, unsigned cut)
{
	struct rte_mbuf *tail = rte_pktmbuf_alloc(r->pool);

	assert_non_null(tail);
	memcpy(rte_pktmbuf_append(tail, (uint16_t)cut),
	    rte_pktmbuf_mtod_offset(m, void *, m->data_len - cut), cut);
	assert_int_equal(rte_pktmbuf_trim(m, (uint16_t)cut), 0);
	assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
}

static void send_burst(
    struct game *g, struct rte_mbuf **mb, struct rte_mbuf **dev, unsigned *mb_n, unsigned *dev_n)
{
	struct rte_mbuf *to_mb[BURST_MAX], *to_dev[BURST_MAX];
	unsigned n = 1 + draw(g, BURST_MAX);

	for (unsigned i = 0; i < n; i++) {
		unsigned sa = draw(g, g->sas), cut;
		static struct packet inner;

		rig_inner(&inner, 20 + draw(g, CLEAR - 20));
		inner.bytes[1] = (uint8_t)rng_u32(&g->rng);
		inner.bytes[6] = draw(g, 2) ? 0x40 : 0;
		packet_ip4_fix(inner.bytes);
		to_mb[i] = rig_to_send(g->mb.r, g->mb.tunnel[sa], &inner);
		to_dev[i] = rig_to_send(g->dev.r, g->dev.tunnel[sa], &inner);
		if (draw(g, 4) == 0 && inner.len > 40) {
			cut = 1 + draw(g, (uint32_t)inner.len - 40);
			split(g->mb.r, to_mb[i], cut);
			split(g->dev.r, to_dev[i], cut);
		}
	}
	*mb_n = rig_send(g->mb.r, to_mb, n, mb);
	*dev_n = rig_send(g->dev.r, to_dev, n, dev);
}

/* Where the ESP header is. */
static unsigned esp_at(struct rte_mbuf *m)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	bool v4 = ip[0] >> 4 == 4;

	return (v4 ? 20 : 40) + ((v4 ? ip[9] : ip[6]) == 17 ? 8 : 0);
}

/* SPI and number */
static uint64_t name_of(struct rte_mbuf *m)
{
	uint64_t name;

	memcpy(&name, rte_pktmbuf_mtod_offset(m, void *, esp_at(m)), sizeof(name));
	return name;
}

static struct rte_mbuf *find(struct rte_mbuf **m, unsigned n, uint64_t name)
{
	for (unsigned i = 0; i < n; i++) {
		if (name_of(m[i]) == name)
			return m[i];
	}
	fail_msg("one engine sent a packet that the other did not");
	return NULL;
}

static void compare(struct rte_mbuf *a, struct rte_mbuf *b)
{
	assert_int_equal(a->pkt_len, b->pkt_len);
	assert_int_equal(a->nb_segs, 1);
	assert_memory_equal(rte_pktmbuf_mtod(a, void *), rte_pktmbuf_mtod(b, void *), a->pkt_len);
	assert_int_equal(a->ol_flags, b->ol_flags);
	assert_int_equal(pkt_meta(a)->nexthop, pkt_meta(b)->nexthop);
}

/* Back */

static struct rte_mbuf *received(struct rig *r, const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = rig_mbuf(r, r->wan, bytes, len);
	bool v4 = bytes[0] >> 4 == 4;
	bool udp = (v4 ? bytes[9] : bytes[6]) == 17;

	esp_found(m, v4 ? 20 : 40, udp ? 8 : 0);
	return m;
}

/* As the other end would see the SA: our pairs have both ends at one place, with the addresses exchanged. */
static void receive_both(struct game *g, struct rte_mbuf **sent, unsigned n)
{
	struct rte_mbuf *to_mb[BURST_MAX], *to_dev[BURST_MAX], *mb[BURST_MAX], *dev[BURST_MAX];
	unsigned mb_n, dev_n, found;

	for (unsigned i = 0; i < n; i++) {
		uint8_t bytes[2048];
		unsigned len = sent[i]->pkt_len, from = esp_at(sent[i]);

		memcpy(bytes, rte_pktmbuf_mtod(sent[i], void *), len);
		if (draw(g, 4) == 0)
			bytes[from + draw(g, len - from)] ^= (uint8_t)(1u << draw(g, 8));
		if (draw(g, 16) == 0)
			len -= draw(g, len - from);
		to_mb[i] = received(g->mb.r, bytes, len);
		to_dev[i] = received(g->dev.r, bytes, len);
	}
	mb_n = rig_receive(g->mb.r, to_mb, n, mb);
	dev_n = rig_receive(g->dev.r, to_dev, n, dev);
	assert_int_equal(mb_n, dev_n);
	found = 0; /* in their own order each, as packets of different SAs may pass each other */
	for (unsigned i = 0; i < mb_n; i++) {
		for (unsigned k = 0; k < dev_n; k++) {
			if (dev[k] && dev[k]->pkt_len == mb[i]->pkt_len &&
			    memcmp(rte_pktmbuf_mtod(dev[k], void *),
				rte_pktmbuf_mtod(mb[i], void *), mb[i]->pkt_len) == 0) {
				rig_free(g->dev.r, dev[k]);
				dev[k] = NULL;
				found++;
				break;
			}
		}
		rig_free(g->mb.r, mb[i]);
	}
	assert_int_equal(found, mb_n);
	for (unsigned reason = 0; reason < DROP_REASON_COUNT; reason++)
		assert_int_equal(rig_drops(g->mb.r, reason), rig_drops(g->dev.r, reason));
}

static void round_of(struct game *g)
{
	struct rte_mbuf *mb[BURST_MAX], *dev[BURST_MAX];
	unsigned mb_n, dev_n;

	add_sas(g);
	for (unsigned burst = 0; burst < 3; burst++) {
		send_burst(g, mb, dev, &mb_n, &dev_n);
		assert_int_equal(mb_n, dev_n);
		for (unsigned i = 0; i < mb_n; i++)
			compare(mb[i], find(dev, dev_n, name_of(mb[i])));
		receive_both(g, burst % 2 ? dev : mb, mb_n);
		for (unsigned i = 0; i < mb_n; i++) {
			rig_free(g->mb.r, mb[i]);
			rig_free(g->dev.r, dev[i]);
		}
	}
	end_remove(&g->mb, g->sas);
	end_remove(&g->dev, g->sas);
}

static void same_on_the_wire(void **state)
{
	struct game g = {.rng = test_rng(), .spi = 0x1000};
	unsigned rounds = getenv("TRANSITD_TEST_FULL") ? 20000 : 400;

	(void)state;
	g.mb.r = rig_open("ipsec-mb", 1);
	g.dev.r = rig_open("cryptodev", 1);
	for (unsigned i = 0; i < rounds; i++)
		round_of(&g);
	rig_close(g.mb.r);
	rig_close(g.dev.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_on_the_wire),
	};

	return cmocka_run_group_tests(tests, test_eal_setup, test_eal_teardown);
}
