/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void bgp_slab_init(struct bgp_slab *s, uint32_t item_bytes)
{
	*s = (struct bgp_slab){.item_bytes = item_bytes, .fresh = 1};
}

void bgp_slab_fini(struct bgp_slab *s)
{
	for (uint32_t i = 0; i < s->pages; i++)
		free(s->page[i]);
	free(s->page);
	bgp_slab_init(s, s->item_bytes);
}

static void add_page(struct bgp_slab *s)
{
	/* The directory grows by doubling: no page moves. */
	if ((s->pages & (s->pages - 1)) == 0) {
		uint32_t room = s->pages ? 2 * s->pages : 1;

		s->page = xrealloc(s->page, room * sizeof(s->page[0]));
	}
	s->page[s->pages++] = xmalloc((size_t)BGP_SLAB_PAGE * s->item_bytes);
}

uint32_t bgp_slab_take(struct bgp_slab *s)
{
	uint32_t index = s->free;

	s->used++;
	if (index) {
		memcpy(&s->free, bgp_slab_at(s, index), sizeof(s->free));
		return index;
	}
	index = s->fresh++;
	if (index >> BGP_SLAB_SHIFT == s->pages)
		add_page(s);
	return index;
}

void bgp_slab_give(struct bgp_slab *s, uint32_t index)
{
	if (--s->used == 0) {
		bgp_slab_fini(s);
		return;
	}
	memcpy(bgp_slab_at(s, index), &s->free, sizeof(s->free));
	s->free = index;
}
