/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_SLAB_H
#define BGP_SLAB_H

/*
 * Many small items of one size, named by 32-bit indices instead of pointers: half the memory of what
 * refers to them, and no overhead of malloc(). Items do not move. Index 0 is none.
 */

#include <stddef.h>
#include <stdint.h>

#define BGP_SLAB_SHIFT 12
#define BGP_SLAB_PAGE  (1u << BGP_SLAB_SHIFT) /* items */

struct bgp_slab {
	uint8_t **page;
	uint32_t pages;
	uint32_t item_bytes; /* at least 4 */
	uint32_t fresh;      /* from here on, indices were never used */
	uint32_t free;       /* list of released items, through their first 4 bytes */
	uint32_t used;
};

void bgp_slab_init(struct bgp_slab *s, uint32_t item_bytes);
void bgp_slab_fini(struct bgp_slab *s);
/* Not cleared. */
uint32_t bgp_slab_take(struct bgp_slab *s);
/* The last one back frees all pages. */
void bgp_slab_give(struct bgp_slab *s, uint32_t index);

static inline void *bgp_slab_at(const struct bgp_slab *s, uint32_t index)
{
	return s->page[index >> BGP_SLAB_SHIFT] +
	    (size_t)(index & (BGP_SLAB_PAGE - 1)) * s->item_bytes;
}

#endif
