/* SPDX-License-Identifier: BSD-3-Clause */

/* Adj-RIB-Out: which set the peer has of each prefix, and which prefixes are to be looked at. */

#include "bgp/out.h"

#include <stdlib.h>

#include "base/mem.h"
#include "bgp/engine.h"

#define WORD_BITS 64

void bgp_adj_out_init(struct bgp_adj_out *out, struct bgp_peer *peer)
{
	*out = (struct bgp_adj_out){.peer = peer, .mrai = {.fn = bgp_out_mrai_expired}};
}

static struct bgp_out_page *page_of(const struct bgp_adj_out *out, uint32_t net)
{
	uint32_t page = net >> BGP_PAGE_SHIFT;

	return page < out->pages ? out->page[page] : NULL;
}

static struct bgp_out_page *page_make(struct bgp_adj_out *out, uint32_t net)
{
	uint32_t page = net >> BGP_PAGE_SHIFT;

	if (page >= out->pages) {
		uint32_t room = out->pages ? out->pages : 1;

		while (room <= page)
			room *= 2;
		out->page = xrealloc(out->page, room * sizeof(out->page[0]));
		for (uint32_t i = out->pages; i < room; i++)
			out->page[i] = NULL;
		out->pages = room;
	}
	if (!out->page[page])
		out->page[page] = xcalloc(1, sizeof(*out->page[page]));
	return out->page[page];
}

/* A page in the queue of dirty ones is freed when it is taken from there. */
static void page_release(struct bgp_adj_out *out, uint32_t page)
{
	if (out->page[page]->used || out->page[page]->queued)
		return;
	free(out->page[page]);
	out->page[page] = NULL;
}

static void queue(struct bgp_adj_out *out, struct bgp_out_page *p, uint32_t page)
{
	if (p->queued)
		return;
	p->queued = true;
	p->next_dirty = 0;
	if (out->dirty_last)
		out->page[out->dirty_last - 1]->next_dirty = page + 1;
	else
		out->dirty_first = page + 1;
	out->dirty_last = page + 1;
}

/* Nobody has to be told anything before there is a session. */
void bgp_out_dirty(struct bgp_peer *peer, enum bgp_family family, uint32_t net, bool again)
{
	struct bgp_adj_out *out = &peer->out[family];
	uint32_t at = net & (BGP_PAGE_NETS - 1);
	uint64_t bit = UINT64_C(1) << at % WORD_BITS;
	struct bgp_out_page *p;

	if (!peer->up || !(peer->up->attrs.families & BGP_FAMILY_BIT(family)))
		return;
	p = page_make(out, net);
	if (again)
		p->again[at / WORD_BITS] |= bit;
	if (p->dirty[at / WORD_BITS] & bit)
		return;
	p->dirty[at / WORD_BITS] |= bit;
	p->used++;
	out->dirty++;
	bgp_net_ref(&peer->engine->rib[family].nets, net);
	queue(out, p, net >> BGP_PAGE_SHIFT);
	bgp_ready(peer);
}

uint32_t bgp_out_take_dirty(struct bgp_peer *peer, enum bgp_family family, bool *again)
{
	struct bgp_adj_out *out = &peer->out[family];

	while (out->dirty_first) {
		uint32_t page = out->dirty_first - 1;
		struct bgp_out_page *p = out->page[page];

		for (uint32_t w = 0; w < BGP_PAGE_NETS / WORD_BITS; w++) {
			uint32_t at = (uint32_t)__builtin_ctzll(p->dirty[w] | UINT64_C(1) << 63);
			uint64_t bit = UINT64_C(1) << at;

			if (!p->dirty[w])
				continue;
			*again = p->again[w] & bit;
			p->again[w] &= ~bit;
			p->dirty[w] &= ~bit;
			p->used--;
			out->dirty--;
			return page << BGP_PAGE_SHIFT | w * WORD_BITS | at;
		}
		out->dirty_first = p->next_dirty;
		if (!out->dirty_first)
			out->dirty_last = 0;
		p->queued = false;
		page_release(out, page);
	}
	return 0;
}

uint32_t bgp_out_sent(const struct bgp_adj_out *out, uint32_t net)
{
	const struct bgp_out_page *p = page_of(out, net);

	return p ? p->sent[net & (BGP_PAGE_NETS - 1)] : 0;
}

void bgp_out_set_sent(struct bgp_peer *peer, enum bgp_family family, uint32_t net, uint32_t set)
{
	struct bgp_adj_out *out = &peer->out[family];
	struct bgp_nets *nets = &peer->engine->rib[family].nets;
	struct bgp_out_page *p = set ? page_make(out, net) : page_of(out, net);
	uint32_t at = net & (BGP_PAGE_NETS - 1), before = p ? p->sent[at] : 0;

	if (!p)
		return;
	p->sent[at] = set;
	if (before)
		bgp_set_unref(&peer->engine->sets, bgp_set_at(&peer->engine->sets, before));
	if (set && !before) {
		bgp_net_ref(nets, net);
		p->used++;
		out->announced++;
	} else if (!set && before) {
		bgp_net_unref(nets, net);
		p->used--;
		out->announced--;
		page_release(out, net >> BGP_PAGE_SHIFT);
	}
}

void bgp_adj_out_clear(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_out *out = &peer->out[family];
	struct bgp_engine *e = peer->engine;
	struct bgp_grave *grave;

	timer_cancel(&e->timers, &out->mrai);
	if (out->pages || out->batch.buckets) {
		grave = xcalloc(1, sizeof(*grave));
		grave->family = family;
		grave->page = out->page;
		grave->pages = out->pages;
		grave->batch = out->batch;
		list_append(&e->graves, &grave->node);
	}
	bgp_adj_out_init(out, peer);
}

static void free_page(struct bgp_engine *e, struct bgp_grave *g, uint32_t page)
{
	struct bgp_nets *nets = &e->rib[g->family].nets;
	struct bgp_out_page *p = g->page[page];

	for (uint32_t at = 0; at < BGP_PAGE_NETS; at++) {
		uint32_t net = page << BGP_PAGE_SHIFT | at;

		if (p->dirty[at / WORD_BITS] & UINT64_C(1) << at % WORD_BITS)
			bgp_net_unref(nets, net);
		if (!p->sent[at])
			continue;
		bgp_set_unref(&e->sets, bgp_set_at(&e->sets, p->sent[at]));
		bgp_net_unref(nets, net);
	}
	free(p);
}

static bool free_batch(struct bgp_engine *e, struct bgp_grave *g, uint32_t *budget)
{
	struct bgp_batch *b = &g->batch;

	for (; b->at < b->buckets; b->at++) {
		for (; bgp_batch_peek(b) && *budget > 0; --*budget)
			bgp_net_unref(&e->rib[g->family].nets, bgp_batch_take(b));
		if (bgp_batch_peek(b))
			return false;
		if (b->bucket[b->at].set)
			bgp_set_unref(&e->sets, bgp_set_at(&e->sets, b->bucket[b->at].set));
	}
	bgp_batch_clear(b);
	return true;
}

static bool free_pages(struct bgp_engine *e, struct bgp_grave *g, uint32_t *budget)
{
	for (; g->at < g->pages; g->at++) {
		if (!g->page[g->at])
			continue;
		if (*budget < BGP_PAGE_NETS)
			return false;
		*budget -= BGP_PAGE_NETS;
		free_page(e, g, g->at);
	}
	free(g->page);
	return true;
}

bool bgp_graves_work(struct bgp_engine *e, uint32_t *budget)
{
	struct bgp_grave *g, *next;

	list_for_safe (g, next, &e->graves, node) {
		if (!free_batch(e, g, budget) || !free_pages(e, g, budget))
			return true;
		list_remove(&g->node);
		free(g);
	}
	return false;
}
