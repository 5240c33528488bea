/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Routing policies (R4, R5). Policies of a table and direction are asked in order of priority, the lower number
 * first; the first that matches decides; none: permit.
 *
 *   ingress: may a route of attachment S enter the table?
 *   egress:  may attachment D use (be sent packets by, hear of) the route of S in the table?
 *
 * The built-in egress policy 5000 of every table rejects {VPN, VBR, CCN} to {VPN, VBR, CCN} as soon as there is a
 * VPN attachment; a user policy with a lower number opens it (X13).
 *
 * Static routes of a table are its own: no ingress policy is asked about them. Addresses of the router are no
 * routes of anybody: no policy at all.
 */

#include "model/internal.h"

static bool in_attachments(
    struct conf_attachment *const *list, unsigned count, const struct attach *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (a && list[i] == a->conf)
			return true;
	}
	return count == 0;
}

static bool in_kinds(const enum conf_kind *list, unsigned count, const struct attach *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (a && list[i] == a->conf->kind)
			return true;
	}
	return count == 0;
}

static bool in_prefixes(const struct conf_policy *p, const struct ip_prefix *prefix)
{
	for (unsigned i = 0; i < p->prefixes_count; i++) {
		if (p->prefix_match == CONF_MATCH_EXACT ? ip_prefix_eq(&p->prefixes[i], prefix)
							: ip_prefix_covers(&p->prefixes[i], prefix))
			return true;
	}
	return p->prefixes_count == 0;
}

static bool in_types(const struct conf_policy *p, enum source route)
{
	enum conf_route_type type =
	    route == SOURCE_CONNECTED ? CONF_ROUTE_CONNECTED : CONF_ROUTE_STATIC;

	for (unsigned i = 0; i < p->route_type_count; i++) {
		if (p->route_type[i] == type)
			return true;
	}
	return p->route_type_count == 0;
}

static bool matches(
    const struct conf_policy *p, enum conf_direction direction, const struct policy_question *q)
{
	if (p->direction != direction || p->table != q->table)
		return false;
	/* Routes without BGP attributes have an empty path and no communities. */
	if (p->as_path_count || p->communities_count)
		return false;
	return in_attachments(p->source_attachment, p->source_attachment_count, q->source) &&
	    in_attachments(
		p->destination_attachment, p->destination_attachment_count, q->destination) &&
	    in_kinds(p->source_kind, p->source_kind_count, q->source) &&
	    in_kinds(p->destination_kind, p->destination_kind_count, q->destination) &&
	    in_prefixes(p, q->prefix) && in_types(p, q->route);
}

static bool is_line(const struct attach *a)
{
	return a &&
	    (a->conf->kind == CONF_KIND_VPN || a->conf->kind == CONF_KIND_VBR ||
		a->conf->kind == CONF_KIND_CCN);
}

struct policy_answer policy_ask(
    const struct model *m, enum conf_direction direction, const struct policy_question *q)
{
	const struct conf_policy *best = NULL;

	for (unsigned i = 0; i < m->conf->routing_policies_count; i++) {
		const struct conf_policy *p = m->conf->routing_policies[i];

		if (matches(p, direction, q) && (!best || p->priority < best->priority))
			best = p;
	}
	if (best)
		return (struct policy_answer){
		    best->action == CONF_PERMIT, (uint16_t)best->priority, best};
	if (direction == CONF_EGRESS && m->has_vpn && is_line(q->source) && is_line(q->destination))
		return (struct policy_answer){false, POLICY_BUILT_IN, NULL};
	return (struct policy_answer){true, 0, NULL};
}
