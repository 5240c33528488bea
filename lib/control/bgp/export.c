/* SPDX-License-Identifier: BSD-3-Clause */

/* Export: whether a route is told to a peer, and as which set. */

#include "bgp/engine.h"

/* Well-known communities (RFC 1997). We have no confederation: its outside is the AS's. */
static bool community_permits(const struct bgp_peer *peer, const struct bgp_attrs *a)
{
	if (!a->has_community)
		return true;
	if (bgp_attrs_has_community(a, BGP_COMMUNITY_NO_ADVERTISE))
		return false;
	return !peer->external ||
	    (!bgp_attrs_has_community(a, BGP_COMMUNITY_NO_EXPORT) &&
		!bgp_attrs_has_community(a, BGP_COMMUNITY_NO_EXPORT_SUBCONFED));
}

/* RFC 9234 5: what came from a provider, a peer or a route server goes to customers only. */
static bool role_permits(const struct bgp_peer *peer, const struct bgp_attrs *a)
{
	enum bgp_role role = peer->config.role;

	return !peer->external || !a->has_otc || role == BGP_ROLE_NONE ||
	    role == BGP_ROLE_PROVIDER || role == BGP_ROLE_RS;
}

/* Internal routes are not passed on between internal peers, but by reflection (RFC 4456 6). */
static bool source_permits(const struct bgp_peer *peer, const struct bgp_view_route *r)
{
	if (r->from == peer->id && r->source != BGP_SOURCE_LOCAL)
		return false;
	return peer->external || r->source != BGP_SOURCE_INTERNAL || peer->config.reflect;
}

/* Never the peer itself as next hop (RFC 4271 5.1.3), and never none. */
static bool next_hop_permits(
    const struct bgp_peer *peer, enum bgp_family family, const struct bgp_attrs *told)
{
	uint8_t version = family == BGP_IPV4 ? IP_V4 : IP_V6;

	if (ip_is_set(&told->next_hop))
		return told->next_hop.family == version &&
		    !ip_eq(&told->next_hop, &peer->config.transport.remote);
	return peer->config.next_hop[family].family == version || peer->up->local.family == version;
}

static bool permits(const struct bgp_peer *peer, const struct bgp_view_route *r)
{
	if (!r->attrs || !source_permits(peer, r))
		return false;
	if (peer->external && peer->config.require_policy && !peer->config.has_export)
		return false;
	if (!community_permits(peer, r->attrs) || !role_permits(peer, r->attrs))
		return false;
	return !peer->config.no_announce_to_as ||
	    bgp_attrs_count_as(r->attrs, peer->config.remote_as) == 0;
}

struct bgp_attrs *bgp_export(struct bgp_peer *peer, enum bgp_family family, uint32_t net)
{
	struct bgp_engine *e = peer->engine;
	struct bgp_view_route r = bgp_view_get(e, peer->view, family, net);
	struct bgp_edit edit = {0}, *edited = NULL;
	struct bgp_attrs *told;

	if (!permits(peer, &r))
		return NULL;
	if (peer->config.has_export && e->ops->export) {
		struct ip_prefix prefix = bgp_net_prefix(&e->rib[family].nets, net);

		if (!e->ops->export(e->ctx, peer->id, &prefix, r.attrs, r.tag, &edit))
			return NULL;
		if (edit.prepend_as == 0)
			edit.prepend_as = peer->config.local_as;
		edited = bgp_edit_is_empty(&edit) ? NULL : &edit;
	}
	told = bgp_transform(peer, r.attrs, edited, &r);
	if (told && !next_hop_permits(peer, family, told)) {
		bgp_set_unref(&e->sets, told);
		return NULL;
	}
	return told;
}
