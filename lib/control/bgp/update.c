/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * UPDATE: withdrawn routes, attributes, routes (RFC 4271 4.3, 4760). Everything is checked before the
 * first route changes. Attributes that are byte for byte those of a set we have, are not parsed again.
 */

#include <string.h>

#include "base/text.h"
#include "bgp/engine.h"

struct update {
	struct wire withdrawn, attrs, nlri;
};

static bool split(struct wire body, struct update *u, struct bgp_error *error)
{
	u->withdrawn = wire_sub(&body, wire_u16(&body));
	u->attrs = wire_sub(&body, wire_u16(&body));
	u->nlri = body;
	if (!wire_ok(&body)) {
		*error = bgp_error_of(BGP_ERR_UPDATE, BGP_UPD_LIST);
		return false;
	}
	if (!bgp_nlri_ok(BGP_IPV4, u->withdrawn) || !bgp_nlri_ok(BGP_IPV4, u->nlri)) {
		*error = bgp_error_of(BGP_ERR_UPDATE, BGP_UPD_NETWORK);
		return false;
	}
	return true;
}

/* Prefixes are taken in groups, so that the cache misses of one group overlap. */
#define GROUP 16

struct group {
	unsigned count;
	struct bgp_nlri nlri[GROUP];
	uint32_t hash[GROUP];
};

/* The next prefixes of a field; false at its end. */
static bool next_group(
    struct bgp_peer *peer, enum bgp_family family, struct wire *nlri, struct group *g)
{
	g->count = 0;
	while (g->count < GROUP && bgp_nlri_next(family, nlri, &g->nlri[g->count]))
		g->count++;
	bgp_route_prefetch(&peer->engine->rib[family], g->nlri, g->count, g->hash);
	return g->count > 0;
}

static uint32_t withdraw(struct bgp_peer *peer, enum bgp_family family, struct wire nlri)
{
	uint32_t count = 0;
	struct group g;

	for (; next_group(peer, family, &nlri, &g); count += g.count)
		for (unsigned i = 0; i < g.count; i++)
			bgp_route_withdraw(peer, family, &g.nlri[i], g.hash[i]);
	peer->counters.withdrawals_in += count;
	return count;
}

static void announce_group(struct bgp_peer *peer, enum bgp_family family, const struct group *g,
    const struct bgp_import *import)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (bgp_nlri_is_routable(family, &g->nlri[i]))
			bgp_route_announce(peer, family, &g->nlri[i], g->hash[i], import);
		else
			bgp_log_update(peer, "a prefix that cannot be routed was ignored");
	}
}

/* Takes over the reference to the set. */
static uint32_t announce(
    struct bgp_peer *peer, enum bgp_family family, struct wire nlri, struct bgp_attrs *set)
{
	struct bgp_import import = bgp_import_begin(peer, family, set);
	uint32_t count = 0;
	struct group g;

	if (import.refusal == BGP_REFUSE_LOOP)
		peer->counters.loops++;
	for (; next_group(peer, family, &nlri, &g); count += g.count)
		announce_group(peer, family, &g, &import);
	bgp_import_end(peer, &import);
	bgp_set_unref(&peer->engine->sets, set);
	peer->counters.prefixes_in += count;
	return count;
}

/* The leftmost AS is the peer's (RFC 4271 6.3); route servers leave theirs out. */
static bool first_as_ok(const struct bgp_peer *peer, const struct bgp_attrs *set)
{
	return !peer->external || peer->config.any_first_as ||
	    peer->config.role == BGP_ROLE_RS_CLIENT || set->neighbour_as == peer->config.remote_as;
}

static uint32_t announce_or_withdraw(
    struct bgp_peer *peer, enum bgp_family family, struct wire nlri, struct bgp_attrs *set)
{
	if (set && first_as_ok(peer, set))
		return announce(peer, family, nlri, set);
	if (set) {
		bgp_log_update(
		    peer, "the AS path begins with %u: taken as withdrawn", set->neighbour_as);
		peer->counters.treated_as_withdraw++;
		bgp_set_unref(&peer->engine->sets, set);
	}
	return withdraw(peer, family, nlri);
}

static void log_error(struct bgp_peer *peer, const struct bgp_parse *p)
{
	char hex[64];

	text_hex(p->error.data ? p->error.data : p->error.own,
	    p->error.data ? p->error.len : p->error.own_len, hex, sizeof(hex));
	bgp_log_update(peer, "%s (%u): %s, %s: %s", bgp_attr_name(p->error_attr), p->error_attr,
	    bgp_suberror_name(p->error.code, p->error.subcode),
	    p->class == BGP_CLASS_RESET          ? "session ends"
		: p->class == BGP_CLASS_WITHDRAW ? "taken as withdrawn"
						 : "attribute ignored",
	    hex);
}

static bool is_end_of_rib(const struct update *u, const struct bgp_parse *p, int *family)
{
	if (wire_left(&u->withdrawn) || wire_left(&u->nlri))
		return false;
	*family = BGP_IPV4;
	if (wire_left(&u->attrs) == 0)
		return true;
	*family = p->unreach.family;
	return p->seen_count == 1 && p->unreach.present && wire_left(&p->unreach.nlri) == 0 &&
	    *family >= 0;
}

/* The whole message, its attributes parsed and not so bad that the session ends. */
static uint32_t apply(struct bgp_session *s, const struct update *u, struct bgp_parse *p)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_sets *sets = &peer->engine->sets;
	bool good = p->class < BGP_CLASS_WITHDRAW,
	     ipv4 = s->attrs.families & BGP_FAMILY_BIT(BGP_IPV4);
	uint8_t context = bgp_attr_context(&s->attrs);
	struct bgp_attrs *set;
	uint32_t cost = 0;

	if (ipv4)
		cost += withdraw(peer, BGP_IPV4, u->withdrawn);
	if (p->unreach.family >= 0)
		cost += withdraw(peer, p->unreach.family, p->unreach.nlri);
	if (ipv4 && wire_left(&u->nlri) > 0) {
		set = good ? bgp_parse_set(p, sets, false) : NULL;
		if (set && !p->reach.present && !p->unreach.present &&
		    set->wire_len == wire_left(&u->attrs) &&
		    memcmp(set->wire, u->attrs.at, set->wire_len) == 0)
			set->contexts |= context;
		cost += announce_or_withdraw(peer, BGP_IPV4, u->nlri, set);
	}
	if (p->reach.family >= 0 && wire_left(&p->reach.nlri) > 0) {
		set = good ? bgp_parse_set(p, sets, true) : NULL;
		cost += announce_or_withdraw(peer, p->reach.family, p->reach.nlri, set);
	}
	return cost;
}

static bool receive_parsed(
    struct bgp_session *s, const struct update *u, struct bgp_error *error, uint32_t *cost)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_parse *p = &peer->engine->parse;
	int family;

	bgp_attr_parse(p, &s->attrs, peer->engine->attr_room, u->attrs, wire_left(&u->nlri) > 0);
	peer->counters.attributes_discarded += p->discarded;
	if (p->class != BGP_CLASS_NONE)
		log_error(peer, p);
	if (p->class == BGP_CLASS_RESET) {
		*error = p->error;
		return false;
	}
	if (p->class == BGP_CLASS_WITHDRAW)
		peer->counters.treated_as_withdraw++;
	*cost = apply(s, u, p);
	if (is_end_of_rib(u, p, &family))
		bgp_graceful_end_of_rib(peer, family);
	return true;
}

bool bgp_update_receive(
    struct bgp_session *s, struct wire body, struct bgp_error *error, uint32_t *cost)
{
	struct bgp_peer *peer = s->peer;
	struct bgp_sets *sets = &peer->engine->sets;
	bool ipv4 = s->attrs.families & BGP_FAMILY_BIT(BGP_IPV4);
	struct bgp_attrs *set = NULL;
	struct update u;

	if (!split(body, &u, error))
		return false;
	if (ipv4 && wire_left(&u.nlri) > 0)
		set = bgp_set_find(
		    sets, u.attrs.at, wire_left(&u.attrs), bgp_attr_context(&s->attrs));
	if (set) {
		*cost = withdraw(peer, BGP_IPV4, u.withdrawn);
		*cost += announce_or_withdraw(peer, BGP_IPV4, u.nlri, set);
	} else if (!receive_parsed(s, &u, error, cost)) {
		return false;
	}
	for (int f = 0; f < BGP_FAMILY_COUNT; f++)
		if (!bgp_limit_in(peer, f, error))
			return false;
	return true;
}
