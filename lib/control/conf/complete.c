/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values that follow from others: owners, AS numbers, sections that are on because they are there. What
 * depends on gateway addresses is filled in by allocate.c.
 */
#include <string.h>

#include "conf/loader.h"

#define KEEPALIVE_SHARE 3 /* RFC 4271 section 10: a third of the hold time */

/* A section without `enabled` is on when it stands in the file. */
static bool section_is_on(const struct loader *l, const struct conf_source *parent,
    const char *section, const struct conf_source *source, bool enabled)
{
	return is_given(l, source, "enabled") ? enabled : is_given(l, parent, section);
}

static void default_owner(const struct conf *conf, const char **owner)
{
	if (!*owner)
		*owner = conf->transit_router.owner;
}

static void complete_owners(struct conf *conf)
{
	for (unsigned i = 0; i < conf->ports_count; i++)
		default_owner(conf, &conf->ports[i]->owner);
	for (unsigned i = 0; i < conf->route_tables_count; i++)
		default_owner(conf, &conf->route_tables[i]->owner);
	for (unsigned i = 0; i < conf->customer_gateways_count; i++)
		default_owner(conf, &conf->customer_gateways[i]->owner);
	for (unsigned i = 0; i < conf->routing_policies_count; i++)
		default_owner(conf, &conf->routing_policies[i]->owner);
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		struct conf_attachment *a = conf->attachments[i];

		default_owner(conf, &a->owner);
		if (a->connection && a->connection->is_inline && !a->connection->owner)
			a->connection->owner = a->owner;
	}
	for (unsigned i = 0; i < conf->vpn_connections_count; i++)
		default_owner(conf, &conf->vpn_connections[i]->owner);
}

/* B3: the hosts of a /30 are the second and the third address. */
static void complete_session_addresses(struct conf_tunnel_bgp *bgp)
{
	struct ip_addr first = ip_next(&bgp->cidr.addr), second = ip_next(&first);

	if (!ip_is_set(&bgp->cidr.addr))
		return;
	if (!ip_is_set(&bgp->local_ip))
		bgp->local_ip = first;
	bgp->peer_ip = ip_eq(&bgp->local_ip, &first) ? second : first;
}

/* BFD watches the BGP peer unless another one is named. */
static void complete_bfd(
    struct conf_bfd *bfd, const struct ip_addr *local, const struct ip_addr *peer)
{
	if (!ip_is_set(&bfd->peer))
		bfd->peer = *peer;
	if (!ip_is_set(&bfd->local))
		bfd->local = *local;
}

#define BURSTS_PER_SECOND 20 /* of the rate, when no burst is given */
#define BURST_BYTES_MIN   6000
#define BURST_PACKETS_MIN 8

static uint64_t burst_of(uint64_t per_second, uint64_t least)
{
	uint64_t burst = per_second / BURSTS_PER_SECOND;

	return burst > least ? burst : least;
}

static void complete_policer(const struct loader *l, const struct conf_source *parent,
    const char *section, struct conf_policer *p)
{
	p->enabled = section_is_on(l, parent, section, &p->source, p->enabled);
	if (p->cir && !is_given(l, &p->source, "cbs"))
		p->cbs = burst_of(p->cir / 8, BURST_BYTES_MIN);
	if (p->packet_rate && !is_given(l, &p->source, "packet-burst"))
		p->packet_burst = burst_of(p->packet_rate, BURST_PACKETS_MIN);
}

static void complete_tunnel(struct loader *l, struct conf_tunnel *t)
{
	struct conf_tunnel_bgp *bgp = &t->bgp;
	struct conf_health_check *check = &t->health_check;

	t->psk_absent = t->connection->keying == CONF_KEYING_IKE && !is_given(l, &t->source, "psk");
	check->enabled =
	    section_is_on(l, &t->source, "health-check", &check->source, check->enabled);
	bgp->enabled = section_is_on(l, &t->source, "bgp", &bgp->source, bgp->enabled);
	if (bgp->local_asn == 0)
		bgp->local_asn = l->conf->transit_router.asn;
	if (!is_given(l, &bgp->source, "keepalive"))
		bgp->keepalive = bgp->hold_time / KEEPALIVE_SHARE;
	if (t->customer_gateway)
		bgp->peer_asn = t->customer_gateway->asn;
	complete_session_addresses(bgp);
	t->bfd.enabled = section_is_on(l, &t->source, "bfd", &t->bfd.source, t->bfd.enabled);
	complete_policer(l, &t->source, "ingress-policer", &t->ingress_policer);
	complete_policer(l, &t->source, "egress-policer", &t->egress_policer);
	if (!bgp->enabled)
		return;
	complete_bfd(&t->bfd, &bgp->local_ip, &bgp->peer_ip);
}

/* What a virtual device replays was captured elsewhere, for other MAC addresses. */
static void complete_port(struct loader *l, struct conf_port *p)
{
	if (!is_given(l, &p->source, "promiscuous"))
		p->promiscuous = p->device && strncmp(p->device, "vdev:", 5) == 0;
}

static void complete_attachment(struct loader *l, struct conf_attachment *a)
{
	struct conf_attachment_bgp *bgp = &a->bgp;
	struct conf_bfd *bfd = &a->bfd;

	bfd->enabled = section_is_on(l, &a->source, "bfd", &bfd->source, bfd->enabled);
	complete_policer(l, &a->source, "ingress-policer", &a->ingress_policer);
	complete_policer(l, &a->source, "egress-policer", &a->egress_policer);
	if (!ip_is_set(&bfd->peer))
		bfd->peer = bgp->peer;
	if (a->mtu == 0 && a->port)
		a->mtu = a->port->mtu;
	bgp->enabled = section_is_on(l, &a->source, "bgp", &bgp->source, bgp->enabled);
	if (bgp->local_asn == 0)
		bgp->local_asn = l->conf->transit_router.asn;
	if (!is_given(l, &bgp->source, "keepalive"))
		bgp->keepalive = bgp->hold_time / KEEPALIVE_SHARE;
	for (unsigned i = 0; i < a->address_count; i++) {
		struct ip_prefix subnet = ip_prefix_of(&a->address[i].addr, a->address[i].len);

		if (ip_prefix_has(&subnet, &bgp->peer))
			bgp->local_ip = a->address[i].addr;
		if (!is_given(l, &bfd->source, "local-ip") && ip_prefix_has(&subnet, &bfd->peer))
			bfd->local = a->address[i].addr;
	}
}

static void complete_policy(struct loader *l, struct conf_policy *p)
{
	p->has_preference = is_given(l, &p->source, "set-preference");
	p->has_set_communities = is_given(l, &p->source, "set-communities");
}

void complete(struct loader *l)
{
	struct conf *conf = l->conf;
	struct conf_metrics *metrics = &conf->system.metrics;

	metrics->enabled =
	    section_is_on(l, &conf->system.source, "metrics", &metrics->source, metrics->enabled);
	complete_owners(conf);
	for (unsigned i = 0; i < conf->ports_count; i++)
		complete_port(l, conf->ports[i]);
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++)
			complete_tunnel(l, c->tunnels[k]);
	}
	for (unsigned i = 0; i < conf->attachments_count; i++)
		complete_attachment(l, conf->attachments[i]);
	for (unsigned i = 0; i < conf->routing_policies_count; i++)
		complete_policy(l, conf->routing_policies[i]);
}
