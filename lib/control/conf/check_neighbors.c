/* SPDX-License-Identifier: BSD-3-Clause */

/* Rules of neighbours that the file names with their MAC addresses. */

#include "conf/loader.h"
#include "conf/net.h"

static void check_one(struct loader *l, const struct conf_neighbor *n,
    const struct conf_ifaddr *subnets, unsigned count, struct names *seen)
{
	const struct conf_neighbor *first;
	char text[IP_TEXT_MAX];

	if (!ip_is_set(&n->address))
		return;
	ip_text(&n->address, text);
	first = names_put_bytes(
	    seen, l->conf->pool, &n->address, sizeof(n->address), (void *)(uintptr_t)n);
	if (first)
		fail_key(l, &n->source, "address",
		    "address: %s stands here for the second time, first in line %u; remove one",
		    text, first->source.line);
	else if (!net_on_subnet(subnets, count, &n->address))
		fail_key(l, &n->source, "address",
		    "address: %s is on no subnet of `address` here; give a neighbour on one of them",
		    text);
	else if (net_is_own(subnets, count, &n->address))
		fail_key(l, &n->source, "address",
		    "address: %s is our own; give that of a neighbour", text);
}

void check_neighbors(struct loader *l)
{
	for (unsigned i = 0; i < l->conf->ports_count; i++) {
		const struct conf_port *p = l->conf->ports[i];
		struct names seen = {0};

		for (unsigned k = 0; k < p->neighbors_count; k++)
			check_one(l, p->neighbors[k], p->address, p->address_count, &seen);
		names_fini(&seen);
	}
	for (unsigned i = 0; i < l->conf->attachments_count; i++) {
		const struct conf_attachment *a = l->conf->attachments[i];
		struct names seen = {0};

		for (unsigned k = 0; k < a->neighbors_count; k++)
			check_one(l, a->neighbors[k], a->address, a->address_count, &seen);
		names_fini(&seen);
	}
}
