/* SPDX-License-Identifier: BSD-3-Clause */

/* Builds the router of a profile out of the records that control would publish. */

#include "transitbench/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/mem.h"

#define ATTACHMENT_SITE 1
#define ATTACHMENT_VPN  2
#define GATEWAY         UINT32_C(0xac100001) /* + port */
#define OURS            UINT32_C(0xcb007100) /* 203.0.113.0 + tunnel */
#define PEERS           UINT32_C(0xc6120000) /* 198.18.0.0 + tunnel */
#define SPARE           64

static bool into_tunnels(const struct profile *p)
{
	return p->direction == DIR_OUT || p->direction == DIR_RELAY;
}

/* Ports, interfaces, ways out */

static void add_ports(struct site *s)
{
	for (uint16_t i = 0; i < SITE_PORTS; i++) {
		s->port[i] = (struct port){
		    .dpdk_id = s->ports->dpdk[i], .index = i, .mtu = 1600, .mac = SITE_MAC};
		for (uint16_t w = 0; w < s->ports->queues; w++)
			s->port[i].tx_queue_of[w] = w; /* its rings have one producer */
		atomic_store(&s->port[i].link_up, true);
		s->b->port[i] = &s->port[i];
	}
	s->b->ports = SITE_PORTS;
}

static int add_iface(struct site *s, unsigned port)
{
	struct iface spec = {.port = (uint16_t)port,
	    .role = port == WAN ? IFACE_UPLINK : IFACE_ATTACHMENT,
	    .up = true,
	    .mtu = 1600,
	    .mac = SITE_MAC,
	    .slot = slot_alloc(&s->b->counters),
	    .attachment = port == WAN ? 0 : ATTACHMENT_SITE,
	    .fib = s->fib};
	struct rte_ether_addr mac = {{2, 0xee, 0, 0, 0, (uint8_t)port}};
	struct ip_addr gateway = ip_v4(GATEWAY + port);
	struct nexthop_spec via = {.kind = NH_VIA, .slot = spec.slot};
	int index = iface_publish(&s->b->ifaces, &spec), neigh;

	if (index <= 0)
		return -ENOSPC;
	s->iface[port] = (uint32_t)index;
	neigh = neigh_publish(
	    s->b->neighbours, iface_get(&s->b->ifaces, (uint32_t)index), &gateway, &mac);
	if (neigh <= 0)
		return -ENOSPC;
	via.iface = (uint16_t)index;
	via.neigh = (uint32_t)neigh;
	index = nexthop_publish(&s->b->nexthops, &via, &s->gateway[port]);
	if (index || port != LAN || into_tunnels(s->profile))
		return index;
	return nexthop_publish(&s->b->nexthops, &via, &s->detour);
}

/* Tunnels */

static struct sa_spec spec_of(struct site *s, unsigned i)
{
	struct ip_prefix all = {.addr = ip_any(IP_V4)};
	struct sa_spec spec = {.spi = 0x10000 + i,
	    .attachment = ATTACHMENT_VPN,
	    .inner_family = IP_V4,
	    .local = ip_v4(OURS + i % 200),
	    .remote = ip_v4(PEERS + i),
	    .encr = s->profile->encr,
	    .auth = s->profile->auth,
	    .underlay = s->gateway[WAN],
	    .selector_count = 1};

	spec.selector[0] = (struct sa_selector){.local = ip_range_of_prefix(&all),
	    .remote = ip_range_of_prefix(&all),
	    .local_port_last = UINT16_MAX,
	    .remote_port_last = UINT16_MAX};
	for (unsigned k = 0; k < SA_KEY_MAX; k++) {
		spec.encr_key[k] = (uint8_t)(i * 7 + k);
		spec.auth_key[k] = (uint8_t)(i * 13 + k * 3);
	}
	return spec;
}

static void publish_end(struct site *s, uint32_t index, struct sa_out *sa, uint16_t slot)
{
	struct tunnel t = {.index = index,
	    .slot = slot,
	    .attachment = ATTACHMENT_VPN,
	    .state = TUNNEL_UP,
	    .fib = s->fib,
	    .inner_mtu = 1500,
	    .mss_v4 = 1360,
	    .any = true,
	    .out_count = 1};

	t.out[0].sa = sa;
	tunnel_publish(&s->b->tunnels, &t);
}

static uint32_t add_end(struct site *s, struct sa_out *sa, uint16_t slot)
{
	uint32_t index = tunnel_alloc(&s->b->tunnels);

	if (index)
		publish_end(s, index, sa, slot);
	return index;
}

/* Into our end of a tunnel. */
static int add_leaf(struct site *s, unsigned i, uint32_t *leaf)
{
	const struct sa_head *sa = &s->in_sa[i]->head;
	struct nexthop_spec into = {.kind = NH_TUNNEL,
	    .attachment = ATTACHMENT_VPN,
	    .tunnel = sa->tunnel,
	    .slot = sa->slot};

	return nexthop_publish(&s->b->nexthops, &into, leaf);
}

static int add_tunnel(struct site *s, unsigned i, uint32_t *leaf)
{
	struct sa_spec spec = spec_of(s, i), peer = spec;
	uint32_t ours;

	spec.slot = peer.slot = slot_alloc(&s->b->counters);
	s->out_sa[i] = sa_out_create(s->b->sas, &spec);
	ours = s->out_sa[i] ? add_end(s, s->out_sa[i], spec.slot) : 0;
	if (!ours)
		return -errno;
	spec.tunnel = ours;
	spec.replays_pass = s->replays;
	s->in_sa[i] = sa_in_create(s->b->sas, &spec);
	peer.local = spec.remote;
	peer.remote = spec.local;
	s->peer_sa[i] = sa_out_create(s->b->sas, &peer);
	s->peer_tunnel[i] = s->peer_sa[i] ? add_end(s, s->peer_sa[i], s->slot) : 0;
	if (!s->in_sa[i] || !s->peer_tunnel[i])
		return -errno;
	return add_leaf(s, i, leaf);
}

int site_rekey(struct site *s, unsigned i, uint32_t spi)
{
	struct sa_spec spec = spec_of(s, i);
	const struct tunnel *t = tunnel_get(&s->b->tunnels, s->in_sa[i]->head.tunnel);
	struct sa_out *out, *old = s->out_sa[i];
	struct sa_in *in;

	spec.spi = spi;
	spec.slot = t->slot;
	spec.tunnel = t->index;
	out = sa_out_create(s->b->sas, &spec);
	in = sa_in_create(s->b->sas, &spec);
	if (!out || !in)
		return -errno;
	publish_end(s, t->index, out, t->slot);
	s->out_sa[i] = out;
	sa_out_remove(s->b->sas, old);
	if (s->fresh_in)
		sa_in_remove(s->b->sas, s->fresh_in);
	s->fresh_in = in;
	return 0;
}

static int add_group(struct site *s, const uint32_t *leaf, uint32_t *index)
{
	struct nexthop_spec group = {.kind = NH_GROUP, .member_count = s->tunnels};

	for (unsigned i = 0; i < s->tunnels; i++)
		group.members[i] =
		    (struct ecmp_member){.leaf = leaf[i], .identity = i + 1, .alive = true};
	return nexthop_publish(&s->b->nexthops, &group, index);
}

/* All of them, and the leaves that routes may name. */
static int add_tunnels(struct site *s, uint32_t *leaf)
{
	const bool ecmp = s->profile->ecmp;
	uint32_t group = 0;
	int rc = 0;

	for (unsigned i = 0; i < s->tunnels && rc == 0; i++)
		rc = add_tunnel(s, i, &leaf[i]);
	if (rc == 0 && ecmp)
		rc = add_group(s, leaf, &group);
	if (rc == 0 && into_tunnels(s->profile))
		rc = ecmp ? add_group(s, leaf, &s->detour) : add_leaf(s, 0, &s->detour);
	if (ecmp)
		leaf[0] = group;
	return rc;
}

static int add_routes(struct site *s)
{
	for (unsigned i = 0; i < s->routes; i++) {
		struct ip_addr a = ip_v4(SITE_ROUTES + (i << 8));
		struct ip_prefix p = ip_prefix_of(&a, 24);
		int rc = fib_set(s->fib, &p, s->route_leaf[i % s->route_leaves]);

		if (rc)
			return rc;
	}
	return 0;
}

static int fill(struct site *s)
{
	int rc;

	s->route_leaf = xcalloc(s->tunnels + 1, sizeof(*s->route_leaf));
	rc = s->profile->direction == DIR_PLAIN ? 0 : add_tunnels(s, s->route_leaf);
	s->route_leaves = s->profile->ecmp ? 1 : s->tunnels;
	if (!into_tunnels(s->profile)) {
		s->route_leaf[0] = s->gateway[LAN];
		s->route_leaves = 1;
	}
	return rc ? rc : add_routes(s);
}

/* Open, close */

int site_open(struct site *s, const struct profile *p, struct rte_mempool *pool,
    struct bench_ports *ports, bool replays)
{
	struct boundary_limits limits = {.workers = ports->queues,
	    .ifaces = 8,
	    .neighbours = SPARE,
	    .nexthops = p->tunnels + SPARE,
	    .tunnels = 2 * p->tunnels + SPARE,
	    .sas = p->tunnels + SPARE,
	    .slots = p->tunnels + SPARE};
	struct fib_limits routes = {.groups = SPARE};
	const char *why;
	int rc;

	*s = (struct site){.profile = p,
	    .pool = pool,
	    .ports = ports,
	    .replays = replays,
	    .tunnels = p->tunnels,
	    .random = 1};
	s->routes = into_tunnels(p) && !p->ecmp ? RTE_MAX(p->routes, p->tunnels) : p->routes;
	routes.routes = s->routes + 1;
	s->in_sa = xcalloc(p->tunnels, sizeof(*s->in_sa));
	s->out_sa = xcalloc(p->tunnels, sizeof(*s->out_sa));
	s->peer_sa = xcalloc(p->tunnels, sizeof(*s->peer_sa));
	s->peer_tunnel = xcalloc(p->tunnels, sizeof(*s->peer_tunnel));
	s->crypto = crypto_open("auto", ports->queues, 4 * p->tunnels + SPARE, &why);
	s->b = s->crypto ? boundary_create(&limits, s->crypto, pool) : NULL;
	s->fib = s->b ? fib_create(s->b->epoch, "bench", 0, &routes) : NULL;
	if (!s->fib)
		return -ENOMEM;
	add_ports(s);
	s->slot = slot_alloc(&s->b->counters);
	rc = add_iface(s, LAN);
	if (rc == 0)
		rc = add_iface(s, WAN);
	if (rc == 0)
		rc = fill(s);
	if (rc)
		return rc;
	s->w = workers_create(s->b, false);
	if (!s->w)
		return -ENOMEM;
	for (uint16_t q = 0; q < ports->queues; q++) {
		worker_add_queue(&s->w[q], LAN, q);
		worker_add_queue(&s->w[q], WAN, q);
	}
	epoch_online(s->b->epoch, 0);
	return 0;
}

void site_close(struct site *s)
{
	if (s->w)
		epoch_offline(s->b->epoch, 0);
	workers_free(s->w, s->ports->queues);
	bench_ports_drain(s->ports);
	if (s->fib)
		fib_free(s->fib);
	boundary_free(s->b);
	crypto_close(s->crypto);
	free(s->route_leaf);
	free(s->in_sa);
	free(s->out_sa);
	free(s->peer_sa);
	free(s->peer_tunnel);
}
