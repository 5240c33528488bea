/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels: immutable records by index, in state TUNNEL_DOWN from their number's first day to its
 * last. */

#include <stdlib.h>

#include "boundary/tunnel.h"

_Static_assert(offsetof(struct tunnel, out) + sizeof(struct sa_out *) <= RTE_CACHE_LINE_SIZE,
    "a tunnel that takes every packet is read in one line");

int tunnels_init(struct tunnels *t, struct epoch *e, uint32_t capacity)
{
	return records_init(&t->rec, e, capacity);
}

void tunnels_fini(struct tunnels *t)
{
	records_fini(&t->rec, record_free);
}

uint32_t tunnel_alloc(struct tunnels *t)
{
	struct tunnel down = {.index = records_alloc(&t->rec), .state = TUNNEL_DOWN};

	if (down.index)
		tunnel_publish(t, &down);
	return down.index;
}

void tunnel_publish(struct tunnels *t, const struct tunnel *spec)
{
	struct tunnel *rec = record_new(sizeof(*rec));

	*rec = *spec;
	records_publish(&t->rec, spec->index, rec, record_free);
}

void tunnel_release(struct tunnels *t, uint32_t index)
{
	records_release(&t->rec, index, record_free);
}

struct sa_out *tunnel_select(const struct tunnel *t, const struct ip_addr *src,
    const struct ip_addr *dst, uint8_t protocol, uint16_t src_port, uint16_t dst_port)
{
	for (unsigned i = 0; i < t->out_count; i++) {
		const struct sa_selector *s = &t->out[i].selector;

		if (ip_range_has(&s->local, src) && ip_range_has(&s->remote, dst) &&
		    sa_selects_transport(s, protocol, src_port, dst_port))
			return t->out[i].sa;
	}
	return NULL;
}
