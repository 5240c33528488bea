/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which tunnel a pair of outer addresses means: asked for every IKE message that leaves. Tunnels may share a gateway
 * address: the one to that peer comes first, else the first with that gateway address.
 *
 * Two open-addressing tables, by both addresses and by the gateway's alone, made anew after each change of the
 * configuration. Half of their places at most are taken.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "model/internal.h"

static uint32_t hash(uint32_t h, const struct ip_addr *a)
{
	for (unsigned i = 0; i < ip_bytes(a->family); i++)
		h = (h ^ a->bytes[i]) * UINT32_C(16777619); /* FNV-1a */
	return h;
}

static uint32_t place_of(
    const struct peers *p, const struct ip_addr *local, const struct ip_addr *remote)
{
	uint32_t h = hash(UINT32_C(2166136261), local);

	return (remote ? hash(h, remote) : h) & p->mask;
}

static bool is_meant(
    const struct tunnel_entry *t, const struct ip_addr *local, const struct ip_addr *remote)
{
	const struct conf_tunnel *conf = t->pub.conf;

	return ip_eq(&conf->gateway_address, local) &&
	    (!remote || ip_eq(&conf->customer_gateway->address, remote));
}

/* Where it is, or would be put. */
static struct tunnel_entry **find(struct peers *p, struct tunnel_entry **table,
    const struct ip_addr *local, const struct ip_addr *remote)
{
	uint32_t i = place_of(p, local, remote);

	while (table[i] && !is_meant(table[i], local, remote))
		i = (i + 1) & p->mask;
	return &table[i];
}

static void put(struct tunnel_entry **at, struct tunnel_entry *t)
{
	if (!*at)
		*at = t;
}

void peers_build(struct model *m)
{
	struct peers *p = &m->peers;
	struct tunnel_entry *t;
	uint32_t places = 4;

	peers_fini(m);
	while (places < 2 * m->tunnel_count)
		places *= 2;
	p->mask = places - 1;
	p->by_pair = xcalloc(places, sizeof(*p->by_pair));
	p->by_local = xcalloc(places, sizeof(*p->by_local));
	list_for (t, &m->tunnels, node) {
		const struct conf_tunnel *conf = t->pub.conf;

		put(find(p, p->by_pair, &conf->gateway_address, &conf->customer_gateway->address),
		    t);
		put(find(p, p->by_local, &conf->gateway_address, NULL), t);
	}
}

void peers_fini(struct model *m)
{
	free(m->peers.by_pair);
	free(m->peers.by_local);
	m->peers = (struct peers){0};
}

struct tunnel_entry *peers_find(
    struct model *m, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct tunnel_entry *t;

	if (!m->peers.by_pair)
		return NULL;
	t = *find(&m->peers, m->peers.by_pair, local, remote);
	return t ? t : *find(&m->peers, m->peers.by_local, local, NULL);
}
