/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ESP that comes before its SA: waits here for it.
 *
 * A peer may send on a new SA as soon as it has answered our CREATE_CHILD_SA, IKE_AUTH or quick mode (RFC 7296 2.8), and
 * some do. The answer takes the way through control, with a key exchange to compute; packets behind it do not. They are
 * kept when their SPI is one that control has reserved, in a room for each SPI, in the order in which they came, and
 * go on to esp_in() at the top of the first round that finds the SA. Packets wait for WAIT_MS at most; what the rooms do
 * not hold is dropped, as is what waits in vain: its reason is that no SA has this SPI.
 *
 * An attacker who does not see inside our IKE messages cannot name a reserved SPI; a peer that floods its own fills
 * one room.
 */

#include <rte_cycles.h>
#include <rte_esp.h>
#include <rte_malloc.h>

#include "boundary/near.h"
#include "datapath/esp.h"
#include "datapath/stage.h"
#include "datapath/trace.h"

#define ROOMS        8
#define ROOM_PACKETS 256
#define WAITING_MAX  1024 /* and never more than 1/8 of the packet pool */
#define WAIT_MS      1000

struct room {
	uint32_t spi; /* 0: free */
	unsigned first, count;
	uint64_t expires; /* cycles */
	struct rte_mbuf *m[ROOM_PACKETS];
};

struct worker_early {
	unsigned waiting, waiting_max;
	uint64_t wait_cycles;
	struct room room[ROOMS];
};

struct worker_early *early_create(const struct boundary *b, unsigned worker)
{
	struct worker_early *e = near_zmalloc(worker, sizeof(*e));

	if (!e)
		return NULL;
	e->waiting_max = RTE_MIN(WAITING_MAX, b->pool->size / 8);
	e->wait_cycles = rte_get_tsc_hz() / 1000 * WAIT_MS;
	return e;
}

/* esp_in() has seen that the header is there. */
static uint32_t spi_of(const struct rte_mbuf *m)
{
	const struct rte_esp_hdr *esp =
	    rte_pktmbuf_mtod_offset(m, const struct rte_esp_hdr *, esp_note(m)->offset);

	return rte_be_to_cpu_32(esp->spi);
}

static struct room *room_of(struct worker_early *e, uint32_t spi)
{
	struct room *free = NULL;

	for (unsigned i = 0; i < ROOMS; i++) {
		if (e->room[i].spi == spi)
			return &e->room[i];
		if (e->room[i].spi == 0)
			free = &e->room[i];
	}
	return free;
}

bool early_hold(struct worker *w, struct rte_mbuf *m)
{
	struct worker_early *e = w->early;
	uint32_t spi = spi_of(m);
	struct room *room;

	if (likely(!sa_spi_is_reserved(w->b->sas, spi)) || e->waiting >= e->waiting_max)
		return false;
	room = room_of(e, spi);
	if (!room || room->first + room->count == ROOM_PACKETS)
		return false;
	if (room->spi == 0) {
		room->spi = spi;
		room->expires = w->now + e->wait_cycles;
	}
	room->m[room->count++] = m;
	e->waiting++;
	trace_stage(w, TRACE_WAITING, 0, &m, 1);
	return true;
}

static void leave(struct worker_early *e, struct room *room, unsigned n)
{
	e->waiting -= n;
	room->first += n;
	room->count -= n;
	if (room->count == 0)
		room->spi = room->first = 0;
}

static void refuse(struct worker *w, struct room *room)
{
	drop_burst(w, room->m + room->first, room->count, DROP_ESP_UNKNOWN_SPI);
	leave(w->early, room, room->count);
}

unsigned early_take(struct worker *w, struct rte_mbuf **m)
{
	struct worker_early *e = w->early;

	if (likely(e->waiting == 0))
		return 0;
	for (unsigned i = 0; i < ROOMS; i++) {
		struct room *room = &e->room[i];
		bool reserved =
		    sa_spi_is_reserved(w->b->sas, room->spi); /* before the SA is looked for */
		unsigned n;

		if (room->spi == 0)
			continue;
		if (sa_in_find(w->b->sas, room->spi)) {
			n = RTE_MIN(room->count, (unsigned)BURST_MAX);
			memcpy(m, room->m + room->first, n * sizeof(*m));
			leave(e, room, n);
			return n;
		}
		if (!reserved || w->now >= room->expires)
			refuse(w, room);
	}
	return 0;
}

void early_free(struct worker *w)
{
	struct worker_early *e = w->early;

	if (!e)
		return;
	for (unsigned i = 0; i < ROOMS; i++)
		refuse(w, &e->room[i]);
	rte_free(e);
	w->early = NULL;
}
