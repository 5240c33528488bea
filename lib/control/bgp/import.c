/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Import: what the protocol itself refuses or changes (once per UPDATE), then the policy of the
 * configuration (once per route).
 */

#include <string.h>

#include "bgp/engine.h"

const char *bgp_refusal_text(enum bgp_refusal refusal)
{
	switch (refusal) {
	case BGP_REFUSE_NOT:
		break;
	case BGP_REFUSE_LOOP:
		return "our AS is in the path";
	case BGP_REFUSE_ORIGINATOR:
		return "we originated it";
	case BGP_REFUSE_CLUSTER:
		return "our cluster is in the list";
	case BGP_REFUSE_NEXT_HOP:
		return "the next hop is an address of ours";
	case BGP_REFUSE_OTC:
		return "a route leak, by its role";
	case BGP_REFUSE_NO_POLICY:
		return "no import policy is configured";
	case BGP_REFUSE_POLICY:
		return "refused by policy";
	case BGP_REFUSE_UNREACHABLE:
		return "the tunnel or port to the peer is down";
	}
	return "not refused";
}

static bool has_u32(const struct bgp_attrs *a, uint8_t code, uint32_t number)
{
	size_t len;
	const uint8_t *value = bgp_attrs_value(a, code, &len);
	struct wire w = wire_of(value, len);

	while (wire_left(&w) > 0)
		if (wire_u32(&w) == number)
			return true;
	return false;
}

static bool is_our_address(
    const struct bgp_peer *peer, enum bgp_family family, const struct ip_addr *addr)
{
	return ip_eq(addr, &peer->config.transport.local) ||
	    ip_eq(addr, &peer->config.next_hop[family]) ||
	    (peer->up && ip_eq(addr, &peer->up->local));
}

/* RFC 9234 5: from whom a route with OTC is a leak. */
static bool is_leak(const struct bgp_peer *peer, const struct bgp_attrs *a)
{
	if (!peer->external || !a->has_otc)
		return false;
	switch (peer->config.role) {
	case BGP_ROLE_PROVIDER:
	case BGP_ROLE_RS:
		return true;
	case BGP_ROLE_PEER:
		return !has_u32(a, BGP_ATTR_OTC, peer->config.remote_as);
	default:
		return false;
	}
}

static bool wants_otc(const struct bgp_peer *peer, const struct bgp_attrs *a)
{
	enum bgp_role role = peer->config.role;

	return peer->external && !a->has_otc &&
	    (role == BGP_ROLE_CUSTOMER || role == BGP_ROLE_PEER || role == BGP_ROLE_RS_CLIENT);
}

static enum bgp_refusal refusal_of(
    struct bgp_peer *peer, enum bgp_family family, const struct bgp_attrs *a)
{
	const struct bgp_engine *e = peer->engine;

	if (bgp_attrs_count_as(a, peer->config.local_as) > peer->config.allow_as_in)
		return BGP_REFUSE_LOOP;
	if (!peer->external && has_u32(a, BGP_ATTR_ORIGINATOR_ID, e->config.router_id))
		return BGP_REFUSE_ORIGINATOR;
	if (!peer->external && has_u32(a, BGP_ATTR_CLUSTER_LIST, bgp_cluster_id(e)))
		return BGP_REFUSE_CLUSTER;
	if (is_our_address(peer, family, &a->next_hop))
		return BGP_REFUSE_NEXT_HOP;
	if (is_leak(peer, a))
		return BGP_REFUSE_OTC;
	if (peer->external && peer->config.require_policy && !peer->config.has_import)
		return BGP_REFUSE_NO_POLICY;
	if (peer->unreachable)
		return BGP_REFUSE_UNREACHABLE;
	return BGP_REFUSE_NOT;
}

/* The set with OTC (RFC 9234 5) and the preference of graceful shutdown (RFC 8326 4.2). */
static struct bgp_attrs *base_of(struct bgp_peer *peer, struct bgp_attrs *received)
{
	bool otc = wants_otc(peer, received);
	bool shutdown = peer->config.graceful_shutdown && peer->external &&
	    bgp_attrs_has_community(received, BGP_COMMUNITY_GRACEFUL_SHUTDOWN);
	struct bgp_edit_room *room = peer->engine->edit_room;
	struct bgp_attrs *made = NULL;
	struct bgp_list list;

	if (otc || shutdown) {
		bgp_list_of(received, &list);
		if (otc)
			bgp_list_put_u32(&list, BGP_ATTR_OTC,
			    BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, peer->config.remote_as,
			    room->otc);
		if (shutdown)
			bgp_list_put_u32(
			    &list, BGP_ATTR_LOCAL_PREF, BGP_FLAG_TRANSITIVE, 0, room->local_pref);
		made = bgp_set_intern(&peer->engine->sets, &list);
	}
	if (made)
		return made;
	bgp_set_ref(received);
	return received;
}

struct bgp_import bgp_import_begin(
    struct bgp_peer *peer, enum bgp_family family, struct bgp_attrs *received)
{
	return (struct bgp_import){.received = received,
	    .base = base_of(peer, received),
	    .refusal = refusal_of(peer, family, received)};
}

void bgp_import_end(struct bgp_peer *peer, struct bgp_import *import)
{
	bgp_set_unref(&peer->engine->sets, import->base);
}

static struct bgp_attrs *ask_policy(
    struct bgp_peer *peer, const struct ip_prefix *prefix, struct bgp_attrs *base, uint8_t *refusal)
{
	struct bgp_engine *e = peer->engine;
	struct bgp_edit edit = {0};
	struct bgp_attrs *used = NULL;
	struct bgp_list list;

	*refusal = BGP_REFUSE_POLICY;
	if (!e->ops->import(e->ctx, peer->id, prefix, base, &edit))
		return NULL;
	if (bgp_edit_is_empty(&edit)) {
		bgp_set_ref(base);
		used = base;
	} else {
		if (edit.prepend_as == 0)
			edit.prepend_as = peer->config.local_as;
		bgp_list_of(base, &list);
		if (bgp_list_edit(&list, &edit, e->edit_room))
			used = bgp_set_intern(&e->sets, &list);
	}
	if (used)
		*refusal = BGP_REFUSE_NOT;
	return used;
}

struct bgp_attrs *bgp_import_one(struct bgp_peer *peer, enum bgp_family family, uint32_t net,
    const struct bgp_import *import, uint8_t *refusal)
{
	struct bgp_engine *e = peer->engine;

	*refusal = (uint8_t)import->refusal;
	if (import->refusal)
		return NULL;
	if (peer->config.has_import && e->ops->import) {
		struct ip_prefix prefix = bgp_net_prefix(&e->rib[family].nets, net);

		return ask_policy(peer, &prefix, import->base, refusal);
	}
	bgp_set_ref(import->base);
	return import->base;
}
