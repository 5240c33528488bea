/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames through a whole worker. An input is a handful of frames, each behind three bytes: the port and what to put
 * right (VLAN tag, our MAC, IPv4 checksum), then the length. Frames stand in memory of exactly their size, so that
 * the sanitizer sees a read behind their end. After every input the ledger must balance and every buffer must be
 * back.
 */

#include <string.h>

#include <rte_cycles.h>

#include "world.h"

#define FRAMES_MAX 16
#define FRAME_MAX  9000

enum {
	PORT = 0x03,
	TAG = 0x04,
	OUR_MAC = 0x08,
	FIX = 0x10,
	TWICE = 0x20,
	TAG_B = 0x40,
	SPLIT = 0x80
};

const char *__asan_default_options(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tables of the boundary stand in mappings of their own, where the search for leaks does not look. A frame that
 * is lost shows in the count of buffers. */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static struct world *world;

struct exact { /* memory of a frame */
	struct rte_mbuf_ext_shared_info info;
	uint8_t *bytes;
};

static void exact_free(void *addr, void *opaque)
{
	struct exact *e = opaque;

	free(e->bytes);
	free(e);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	void *state;

	if (world_setup(&state) != 0)
		abort();
	world = state;
	return 0;
}

/* One segment with headroom and not a byte behind its end. */
static struct rte_mbuf *exact_mbuf(const uint8_t *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(world->pool);
	struct exact *e = calloc(1, sizeof(*e));

	if (!m || !e)
		abort();
	e->bytes = malloc(RTE_PKTMBUF_HEADROOM + len);
	memcpy(e->bytes + RTE_PKTMBUF_HEADROOM, bytes, len);
	e->info =
	    (struct rte_mbuf_ext_shared_info){.free_cb = exact_free, .fcb_opaque = e, .refcnt = 1};
	rte_pktmbuf_attach_extbuf(
	    m, e->bytes, RTE_BAD_IOVA, (uint16_t)(RTE_PKTMBUF_HEADROOM + len), &e->info);
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
	return m;
}

static struct rte_mbuf *frame_of(const struct packet *p, unsigned flags)
{
	size_t first = flags & SPLIT && p->len > 100 ? 100 : p->len;
	struct rte_mbuf *m = exact_mbuf(p->bytes, first);

	if (first < p->len &&
	    rte_pktmbuf_chain(m, exact_mbuf(p->bytes + first, p->len - first)) != 0)
		abort();
	return m;
}

static void put_right(struct packet *p, unsigned flags, const uint8_t *bytes, size_t len)
{
	unsigned port = (flags & PORT) % W_PORTS;
	size_t ip;

	p->len = 0;
	if (flags & TAG)
		packet_vlan(p, world_mac(port), flags & TAG_B ? 200 : 100, 0x0800);
	else if (flags & OUR_MAC)
		packet_eth(p, world_mac(port), 0x0800);
	ip = p->len;
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
	if (flags & FIX && ip > 0 && len >= 20 && (bytes[0] & 15) >= 5 &&
	    (bytes[0] & 15) * 4u <= len)
		packet_ip4_fix(p->bytes + ip);
}

static void clean_up(void)
{
	struct rte_mbuf *m;

	for (unsigned port = 0; port < W_PORTS; port++)
		while (rte_ring_dequeue(world->from_router[port], (void **)&m) == 0)
			rte_pktmbuf_free(m);
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++)
		while ((m = world_punted(world, c)) != NULL)
			rte_pktmbuf_free(m);
	world->w->now = rte_rdtsc() + 3 * rte_get_tsc_hz();
	reassembly_expire(world->w);
	world->waiting = false;
	world_run(world);
	if (rte_mempool_avail_count(world->pool) != world->buffers)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct packet p;

	world->waiting = true;
	for (unsigned i = 0; i < FRAMES_MAX && size >= 3; i++) {
		unsigned flags = data[0];
		size_t len = RTE_MIN((size_t)get16(data + 1), size - 3);

		len = RTE_MIN(len, (size_t)FRAME_MAX);
		put_right(&p, flags, data + 3, len);
		for (unsigned n = 0; n < (flags & TWICE ? 2 : 1) && p.len > 0; n++)
			if (rte_ring_enqueue(
				world->to_router[(flags & PORT) % W_PORTS], frame_of(&p, flags)))
				abort();
		data += 3 + len;
		size -= 3 + len;
	}
	world_run(world);
	clean_up();
	return 0;
}
