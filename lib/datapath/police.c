/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does it keep within the rate? (M3)
 *
 * Policers count what the router forwards: packets that have a way out, by the length of their IP packet, payload of
 * tunnels and not ESP. A packet meets the policers of where it came in (its tunnel's, then its attachment's), then those
 * of where it leaves, and passes when all of them cover it; then it costs each of them its size. One that any of them
 * refuses costs nobody anything and is dropped, on the ledger of where it came in.
 *
 * The router's own packets (slot SLOT_CONTROL: BGP, probes, ICMP) and those for the router itself are not counted: a
 * customer above the rate must not bring down the session that carries its routes. Classes of punts limit those.
 */

#include "datapath/stage.h"

struct toll {             /* the policers of packets between two slots */
	uint32_t in, out; /* slots; TOLL_NONE: no packet was looked at yet */
	unsigned in_count, count;
	struct policer *gate[2 * POLICERS_OF_SLOT];
};
#define TOLL_NONE UINT32_MAX

static void add_gates(struct toll *toll, struct policer *const of_slot[POLICERS_OF_SLOT])
{
	for (unsigned i = 0; i < POLICERS_OF_SLOT && of_slot[i]; i++)
		toll->gate[toll->count++] = of_slot[i];
}

static void toll_set(struct worker *w, struct toll *toll, uint16_t in, uint16_t out)
{
	const struct policing *from = policing_of(&w->b->policings, in);
	const struct policing *to = policing_of(&w->b->policings, out);

	*toll = (struct toll){.in = in, .out = out};
	if (in == SLOT_CONTROL)
		return;
	if (from)
		add_gates(toll, from->in);
	toll->in_count = toll->count;
	if (to)
		add_gates(toll, to->out);
}

static struct policer_gate gate_of(const struct toll *toll, unsigned i)
{
	bool out = i >= toll->in_count;

	return (struct policer_gate){.slot = (uint16_t)(out ? toll->out : toll->in),
	    .index = (uint8_t)(out ? i - toll->in_count : i),
	    .out = out};
}

static bool may_pass(struct worker *w, const struct toll *toll, uint32_t bytes)
{
	for (unsigned i = 0; i < toll->count; i++) {
		if (!policer_covers(toll->gate[i], w->id, bytes, w->now)) {
			policer_refuse(toll->gate[i], w->id, bytes);
			w->gate = gate_of(toll, i);
			return false;
		}
	}
	for (unsigned i = 0; i < toll->count; i++)
		policer_pass(toll->gate[i], w->id, bytes);
	return true;
}

/* `toll` is that of the packet before. False: dropped. */
static bool passes(struct worker *w, struct toll *toll, struct rte_mbuf *m, uint16_t out)
{
	uint16_t in = pkt_meta(m)->slot;

	if (in != toll->in || out != toll->out)
		toll_set(w, toll, in, out);
	if (toll->count == 0 || may_pass(w, toll, m->pkt_len))
		return true;
	drop(w, m, DROP_POLICED);
	return false;
}

void police(struct worker *w, struct departures *d)
{
	struct toll toll = {.in = TOLL_NONE};
	unsigned n = d->n;

	d->n = 0;
	for (unsigned i = 0; i < n; i++) {
		if (passes(w, &toll, d->m[i], d->leaf[i]->slot))
			departures_put(d, d->m[i], d->leaf[i]);
	}
}

void police_tunnelled(struct worker *w, struct tunnelled *d)
{
	struct toll toll = {.in = TOLL_NONE};
	unsigned n = d->n;

	d->n = 0;
	for (unsigned i = 0; i < n; i++) {
		if (passes(w, &toll, d->m[i], d->tunnel[i] ? d->tunnel[i]->slot : SLOT_CONTROL))
			tunnelled_put(d, d->m[i], d->tunnel[i]);
	}
}
