/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What becomes of a packet: the walk of a worker over the same records with the same functions.
 * explain_json.c tells what lies behind each step.
 */

#include "model/explain.h"

#include <errno.h>
#include <string.h>

#include "boundary/decide.h"
#include "boundary/flow.h"
#include "model/internal.h"

static void drop(struct model_verdict *v, unsigned reason)
{
	v->fate = FATE_DROPPED;
	v->drop = reason;
}

/* The table that looks up what comes in there, as the ingress' own record says. */
static int ingress(const struct model *m, const char *name, struct model_verdict *v)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, name) != 0)
			continue;
		const struct iface *iface =
		    a->iface ? iface_get(&m->b->ifaces, a->iface->pub.index) : NULL;
		const struct tunnel *tunnel =
		    a->tunnel_count ? tunnel_get(&m->b->tunnels, a->tunnel[0]->pub.index) : NULL;

		v->attachment = a->number;
		v->by_port = iface != NULL;
		v->fib = iface ? iface->fib : tunnel ? tunnel->fib : NULL;
		return 0;
	}
	return -ENOENT;
}

static bool is_martian(const struct ip_addr *a)
{
	return decide_martian_v4(ip_v4_host(a));
}

/* Without its hash a packet is worth nothing to a group. */
static void choose_member(
    const struct model *m, const struct model_flow *f, struct model_verdict *v)
{
	v->leaf = v->nh;
	if (v->nh->kind != NH_GROUP)
		return;
	v->grouped = true;
	v->hash = flow_hash(&f->src, &f->dst, f->protocol, f->src_port, f->dst_port);
	v->bucket = nexthop_bucket(v->hash);
	v->leaf = decide_member(&m->b->nexthops, v->nh, v->hash);
	if (!v->leaf)
		drop(v, DROP_NO_MEMBER);
}

/* Out of the interface of a leaf, to the neighbour that it names or that `dst` is. */
static void leave(const struct model *m, const struct nexthop *leaf, const struct ip_addr *dst,
    bool transit, struct model_verdict *v)
{
	v->iface = leaf && leaf->iface ? iface_get(&m->b->ifaces, leaf->iface) : NULL;
	unsigned why = decide_way_out(v->iface, transit);

	if (why != DROP_NOT) {
		drop(v, why);
		return;
	}
	v->neigh = leaf->kind == NH_VIA
	    ? neigh_get(m->b->neighbours, leaf->neigh)
	    : neigh_find(m->b->neighbours, (uint16_t)v->iface->index, dst);
	v->fate = v->neigh && v->neigh->state == NEIGH_READY ? FATE_SENT : FATE_HELD;
	if (v->fate == FATE_SENT && !atomic_load(&m->b->port[v->neigh->port]->link_up))
		drop(v, DROP_TX_PORT_DOWN);
}

static void leave_in_clear(
    const struct model *m, const struct model_flow *f, struct model_verdict *v)
{
	leave(m, v->leaf, &f->dst, true, v);
	v->mtu = v->iface ? v->iface->mtu : 0;
}

static void leave_by_tunnel(
    const struct model *m, const struct model_flow *f, struct model_verdict *v)
{
	v->tunnel = tunnel_get(&m->b->tunnels, v->leaf->tunnel);
	if (v->tunnel && v->tunnel->state == TUNNEL_TRAP) {
		v->fate = FATE_HELD;
		return;
	}
	unsigned why = decide_tunnel(v->tunnel, v->attachment);
	if (why != DROP_NOT) {
		drop(v, why);
		return;
	}
	v->mtu = v->tunnel->inner_mtu;
	bool ports = flow_has_ports(f->protocol);
	v->sa = v->tunnel->any ? v->tunnel->out[0].sa
			       : tunnel_select(v->tunnel, &f->src, &f->dst, f->protocol,
				     ports ? f->src_port : 0, ports ? f->dst_port : 0);
	if (!v->sa || v->sa->head.inner_family != f->dst.family)
		drop(v, DROP_TUNNEL_SELECTOR);
	else
		leave(m, nexthop_get(&m->b->nexthops, v->sa->underlay), &v->sa->head.cold->remote,
		    false, v);
}

static void decide(const struct model *m, const struct model_flow *f, struct model_verdict *v)
{
	if (is_martian(&f->src) || is_martian(&f->dst)) {
		drop(v, DROP_IP_MARTIAN);
		return;
	}
	if (!v->fib) {
		drop(v, decide_no_table(v->by_port));
		return;
	}
	uint32_t index = fib_lookup_one(v->fib, &f->dst);
	v->nh = index ? nexthop_get(&m->b->nexthops, index) : NULL;
	unsigned why = decide_entry(v->nh, v->attachment);
	if (why != DROP_NOT) {
		drop(v, why);
		return;
	}
	choose_member(m, f, v);
	if (!v->leaf)
		return;
	if (v->leaf->kind == NH_LOCAL)
		v->fate = FATE_LOCAL;
	else if (v->leaf->kind == NH_BLACKHOLE)
		drop(v, DROP_BLACKHOLE);
	else if (v->leaf->kind == NH_TUNNEL)
		leave_by_tunnel(m, f, v);
	else
		leave_in_clear(m, f, v);
	v->too_big = v->mtu && f->bytes > v->mtu;
}

int model_explain(const struct model *m, const struct model_flow *flow, struct model_verdict *out)
{
	*out = (struct model_verdict){.drop = DROP_NOT};
	if (flow->src.family != flow->dst.family || flow->dst.family != IP_V4)
		return -EAFNOSUPPORT;
	int rc = ingress(m, flow->from, out);
	if (rc == 0)
		decide(m, flow, out);
	return rc;
}
