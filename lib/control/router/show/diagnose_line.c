/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * `diagnose` of an attachment of a port, a private circuit for the most part, from the cable outwards: link, BFD, the
 * neighbour's MAC, its BGP session, routes on all three sides.
 */

#include <string.h>

#include "router/show/diagnose.h"

static const struct model_iface *iface_of(const struct report *p)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(p->r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		if (all[i]->attachment == p->a)
			return all[i];
	}
	return NULL;
}

static bool has_link(const struct report *p)
{
	for (unsigned i = 0; i < p->r->b->ports; i++) {
		const struct port *port = p->r->b->port[i];

		if (strcmp(port->name, p->a->port->name) == 0)
			return atomic_load(&port->link_up);
	}
	return false;
}

/* The model calls it down with its link up: BFD has told it so. */
static bool is_up(const struct report *p)
{
	json_t *rows = model_show_attachments(p->r->model), *row;
	bool up = false;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		up |= row_has(row, "name", p->a->name) && row_has(row, "state", "up");
	}
	json_decref(rows);
	return up;
}

static void state_of(struct report *p)
{
	const char *name = p->a->name;

	if (!has_link(p))
		find(p, FINDING_LINE_DOWN, name, "port \"%s\" has no link", p->a->port->name);
	else if (!is_up(p))
		find(
		    p, FINDING_LINE_BFD_DOWN, name, "there is a link, and its BFD session is down");
	else
		find(p, FINDING_LINE_UP, name, "port \"%s\" has a link", p->a->port->name);
}

/* ---- the neighbour ---- */

struct wanted {
	uint32_t iface;
	const struct ip_addr *addr;
	bool known; /* with a MAC */
};

static void look_at(void *ctx, const struct neigh_view *v)
{
	static const uint8_t none[6];
	struct wanted *w = ctx;

	if (v->iface == w->iface && ip_eq(&v->addr, w->addr))
		w->known = memcmp(v->mac, none, sizeof(none)) != 0;
}

/* True: it answers ARP, or its MAC is in the file. Of a peer behind a router it is that one which would be asked. */
static bool neighbour_of(struct report *p, const struct model_iface *iface)
{
	struct wanted w = {.iface = iface->index, .addr = &p->a->bgp.peer};
	char peer[IP_TEXT_MAX];

	neigh_walk(p->r->neigh, mono_now(), look_at, &w);
	if (!w.known)
		find(p, FINDING_NEIGHBOUR_SILENT, p->a->name, "%s does not answer ARP",
		    ip_text(w.addr, peer));
	return w.known;
}

static void drops_of(struct report *p, const struct model_iface *iface)
{
	struct slot_counters sum;

	slot_read(&p->r->b->counters, iface->slot, &sum);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (sum.drop[i] && i != DROP_POLICED)
			find(p, FINDING_LINE_DROPS, p->a->name,
			    "%llu packets that came from the line, or were to go there, were dropped: %s",
			    (unsigned long long)sum.drop[i], drop_reason_help(i));
	}
}

void diagnose_line(struct report *p)
{
	const struct model_iface *iface = iface_of(p);

	state_of(p);
	if (iface && has_link(p) && p->a->bgp.enabled)
		diagnose_line_bgp(p, iface, neighbour_of(p, iface));
	if (iface)
		drops_of(p, iface);
	diagnose_policers(p);
	diagnose_routes(p);
}
