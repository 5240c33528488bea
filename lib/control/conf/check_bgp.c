/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of BGP over tunnels (B1..B6) and on port attachments (B10). */
#include "conf/loader.h"
#include "conf/net.h"

#define SESSION_BITS 30

static const struct ip_prefix link_local = {
    .addr = {.family = IP_V4, .bytes = {169, 254}}, .len = 16};

/* RFC 4271 section 4.2: a hold time is 0 or 3 seconds at least. */
static void check_times(
    struct loader *l, const struct conf_source *s, uint32_t hold_time, uint32_t keepalive)
{
	if (hold_time == 1 || hold_time == 2)
		fail_key(l, s, "hold-time", "hold-time: %u is not possible; give 0 or 3..65535",
		    hold_time);
	else if (hold_time && keepalive >= hold_time)
		fail_key(l, s, is_given(l, s, "keepalive") ? "keepalive" : "hold-time",
		    "keepalive: %u s is no shorter than the hold time of %u s; give a third of it",
		    keepalive, hold_time);
}

/* B2 */
static bool check_cidr(struct loader *l, const struct conf_tunnel_bgp *bgp)
{
	const char *reserved = net_reserved_cidr(&bgp->cidr);
	char text[IP_PREFIX_TEXT_MAX];

	ip_prefix_text(&bgp->cidr, text);
	if (bgp->cidr.len != SESSION_BITS || !ip_prefix_covers(&link_local, &bgp->cidr)) {
		fail_key(l, &bgp->source, "cidr",
		    "cidr: %s is no /30 of 169.254.0.0/16; give one, such as 169.254.10.0/30",
		    text);
		return false;
	}
	if (reserved) {
		fail_key(l, &bgp->source, "cidr",
		    "cidr: %s is reserved; give another /30 of 169.254.0.0/16", text);
		return false;
	}
	return true;
}

/* B3 */
static void check_local_ip(struct loader *l, const struct conf_tunnel_bgp *bgp)
{
	struct ip_addr first = ip_next(&bgp->cidr.addr), second = ip_next(&first);
	char ip[IP_TEXT_MAX], a[IP_TEXT_MAX], b[IP_TEXT_MAX], cidr[IP_PREFIX_TEXT_MAX];

	if (ip_eq(&bgp->local_ip, &first) || ip_eq(&bgp->local_ip, &second))
		return;
	fail_key(l, &bgp->source, "local-ip", "local-ip: %s is no host of %s; give %s or %s",
	    ip_text(&bgp->local_ip, ip), ip_prefix_text(&bgp->cidr, cidr), ip_text(&first, a),
	    ip_text(&second, b));
}

/* B2, B6: each session has a network of its own. `seen` is keyed by it. */
static void check_unique(struct loader *l, const struct conf_tunnel *t, struct names *seen)
{
	struct conf_tunnel *first = names_put_bytes(
	    seen, l->conf->pool, &t->bgp.cidr, sizeof(t->bgp.cidr), (void *)(uintptr_t)t);
	char text[IP_PREFIX_TEXT_MAX];

	if (first)
		fail_key(l, &t->bgp.source, "cidr",
		    "cidr: %s is that of tunnel %u of connection '%s' (line %u) too; give another /30 of "
		    "169.254.0.0/16",
		    ip_prefix_text(&t->bgp.cidr, text), first->number, first->connection->name,
		    first->bgp.source.line);
}

/* The session's packets have to fit the traffic selectors. */
static void check_selectors(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_connection *c = t->connection;
	char text[IP_PREFIX_TEXT_MAX];

	if (c->routing_mode != CONF_ROUTING_FLOW_PROTECTION || c->local_cidrs_count == 0 ||
	    c->peer_cidrs_count == 0)
		return;
	if (net_contains(c->local_cidrs, c->local_cidrs_count, &t->bgp.local_ip) &&
	    net_contains(c->peer_cidrs, c->peer_cidrs_count, &t->bgp.peer_ip))
		return;
	fail_key(l, &t->bgp.source, "cidr",
	    "cidr: %s lies outside of `local-cidrs` and `peer-cidrs`, so BGP cannot pass; add it to both, "
	    "or use `routing-mode: destination`",
	    ip_prefix_text(&t->bgp.cidr, text));
}

static void check_tunnel(struct loader *l, const struct conf_tunnel *t, struct names *seen)
{
	const struct conf_tunnel_bgp *bgp = &t->bgp;

	check_switched_off(l, &bgp->source, bgp->enabled, "bgp"); /* B1 */
	if (!bgp->enabled || is_reported(l, &t->source, "bgp"))
		return;
	check_local_asn(l, &bgp->source, "local-asn", bgp->local_asn);
	check_times(l, &bgp->source, bgp->hold_time, bgp->keepalive);
	if (t->customer_gateway && bgp->peer_asn == 0 && /* B5 */
	    !is_reported(l, &t->customer_gateway->source, "asn"))
		fail_key(l, &t->source, "customer-gateway",
		    "customer-gateway: '%s' has no `asn`, which BGP needs; give it under "
		    "customer-gateways (line %u)",
		    t->customer_gateway->name, t->customer_gateway->source.line);
	if (is_reported(l, &bgp->source, "cidr"))
		return;
	if (!is_given(l, &bgp->source, "cidr")) {
		fail_object(l, &bgp->source,
		    "bgp: 'cidr' is missing; give a /30 of 169.254.0.0/16, such as 169.254.10.0/30");
		return;
	}
	if (!check_cidr(l, bgp))
		return;
	check_unique(l, t, seen);
	if (is_reported(l, &bgp->source, "local-ip"))
		return;
	check_local_ip(l, bgp);
	check_selectors(l, t);
}

static void check_both(struct loader *l, const struct conf_connection *c)
{
	const struct conf_tunnel *without;

	if (c->tunnels_count < 2 || c->tunnels[0]->bgp.enabled == c->tunnels[1]->bgp.enabled)
		return;
	without = c->tunnels[c->tunnels[0]->bgp.enabled];
	warn_object(l, &without->source,
	    "tunnel %u of connection '%s' has no bgp while the other has: no route is learned over it; "
	    "give both tunnels bgp",
	    without->number, c->name);
}

/* B6: a prefix attached elsewhere in the room of tunnel CIDRs. Such prefixes are rare, tunnels are many. */
static void check_overlaps(struct loader *l, const struct ip_prefix *prefix,
    const struct conf_source *source, const char *name)
{
	char a[IP_PREFIX_TEXT_MAX], b[IP_PREFIX_TEXT_MAX];

	if (prefix->len == 0 || !ip_prefix_overlaps(prefix, &link_local))
		return;
	for (unsigned i = 0; i < l->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = l->conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			const struct conf_tunnel_bgp *bgp = &c->tunnels[k]->bgp;

			if (!bgp->enabled || !ip_prefix_overlaps(&bgp->cidr, prefix))
				continue;
			fail_key(l, &bgp->source, "cidr",
			    "cidr: %s overlaps %s of '%s' (line %u); give another /30 of 169.254.0.0/16",
			    ip_prefix_text(&bgp->cidr, a), ip_prefix_text(prefix, b), name,
			    source->line);
		}
	}
}

static void check_attached_prefixes(struct loader *l)
{
	const struct conf *conf = l->conf;

	for (unsigned i = 0; i < conf->attachments_count; i++) {
		const struct conf_attachment *a = conf->attachments[i];

		for (unsigned k = 0; k < a->address_count; k++) {
			struct ip_prefix p = ip_prefix_of(&a->address[k].addr, a->address[k].len);

			check_overlaps(l, &p, &a->source, a->name);
		}
		for (unsigned k = 0; k < a->routes_count; k++)
			check_overlaps(l, &a->routes[k]->prefix, &a->routes[k]->source, a->name);
	}
	for (unsigned i = 0; i < conf->ports_count; i++) {
		const struct conf_port *p = conf->ports[i];

		for (unsigned k = 0; k < p->address_count; k++) {
			struct ip_prefix subnet =
			    ip_prefix_of(&p->address[k].addr, p->address[k].len);

			check_overlaps(l, &subnet, &p->source, p->name);
		}
	}
}

static void check_peer(struct loader *l, const struct conf_attachment *a)
{
	const struct conf_attachment_bgp *bgp = &a->bgp;
	char text[IP_TEXT_MAX];

	if (!ip_is_set(&bgp->peer)) {
		if (!is_reported(l, &bgp->source, "peer"))
			fail_object(l, &bgp->source,
			    "bgp: 'peer' is missing; give the neighbour's address on the subnet of '%s'",
			    a->name);
	} else if (is_reported(l, &a->source, "address") || a->address_count == 0) {
		return;
	} else if (!net_on_subnet(a->address, a->address_count, &bgp->peer)) {
		fail_key(l, &bgp->source, "peer",
		    "peer: %s is on no subnet of '%s'; give a neighbour on the subnet of its `address`",
		    ip_text(&bgp->peer, text), a->name);
	} else if (net_is_own(a->address, a->address_count, &bgp->peer)) {
		fail_key(l, &bgp->source, "peer",
		    "peer: %s is the attachment's own address; give that of the neighbour",
		    ip_text(&bgp->peer, text));
	}
}

/*
 * A session is known by its two addresses. Circuits in different tables may have the same subnet, but not the same
 * pair of speakers. `seen` is keyed by it.
 */
static void check_pair(struct loader *l, const struct conf_attachment *a, struct names *seen)
{
	const struct conf_attachment_bgp *bgp = &a->bgp;
	const struct ip_addr pair[2] = {bgp->local_ip, bgp->peer};
	const struct conf_attachment *first;
	char ours[IP_TEXT_MAX], theirs[IP_TEXT_MAX];

	if (!ip_is_set(&bgp->local_ip) || !ip_is_set(&bgp->peer))
		return;
	first = names_put_bytes(seen, l->conf->pool, pair, sizeof(pair), (void *)(uintptr_t)a);
	if (first)
		fail_key(l, &bgp->source, "peer",
		    "peer: %s and %s are the two ends of the session of '%s' (line %u) too; give one of "
		    "them another address",
		    ip_text(&bgp->peer, theirs), ip_text(&bgp->local_ip, ours), first->name,
		    first->bgp.source.line);
}

static void check_attachment(struct loader *l, const struct conf_attachment *a, struct names *pairs)
{
	const struct conf_attachment_bgp *bgp = &a->bgp;

	check_switched_off(l, &bgp->source, bgp->enabled, "bgp");
	if (!bgp->enabled || is_reported(l, &a->source, "bgp"))
		return;
	check_peer(l, a);
	check_pair(l, a, pairs);
	if (bgp->peer_asn == 0 && !is_reported(l, &bgp->source, "peer-asn"))
		fail_object(l, &bgp->source,
		    "bgp: 'peer-asn' is missing; give the neighbour's AS number, 1..4294967295");
	check_local_asn(l, &bgp->source, "local-asn", bgp->local_asn);
	check_times(l, &bgp->source, bgp->hold_time, bgp->keepalive);
}

void check_bgp(struct loader *l)
{
	const struct conf *conf = l->conf;
	struct names seen = {0}, pairs = {0};

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++)
			check_tunnel(l, c->tunnels[k], &seen);
		check_both(l, c);
	}
	for (unsigned i = 0; i < conf->attachments_count; i++)
		check_attachment(l, conf->attachments[i], &pairs);
	check_attached_prefixes(l);
	names_fini(&seen);
	names_fini(&pairs);
}
