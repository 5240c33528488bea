/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Routing policies (R4, R5). Policies of a table and direction are asked in order of priority, the
 * lower number first; the first that matches decides; none: permit.
 *
 *   ingress: may a route of attachment S enter the table?
 *   egress:  may attachment D use (be sent packets by, hear of) the route of S in the table?
 *
 * An egress policy has two halves: what it wants of the route, and of who uses it. Routes that the
 * same policies want have the same outcome for everybody, so the first half is asked per route and
 * the second once per set of policies.
 *
 * The built-in egress policy 5000 of every table rejects {VPN, VBR, CCN} to {VPN, VBR, CCN} as soon
 * as there is a VPN attachment; a user policy with a lower number opens it (X13).
 *
 * Static routes of a table are its own: no ingress policy is asked about them. Addresses of the
 * router are no routes of anybody: no policy at all.
 */

#include <string.h>

#include "model/internal.h"

void policies_sort(struct table *t, const struct conf *conf)
{
	memset(t->policy, 0, sizeof(t->policy));
	for (unsigned i = 0; i < conf->routing_policies_count; i++) {
		const struct conf_policy *p = conf->routing_policies[i];

		if (t->conf && p->table == t->conf && p->priority <= POLICY_PRIORITY_MAX)
			t->policy[p->direction][p->priority] = p;
	}
	for (unsigned d = CONF_INGRESS; d <= CONF_EGRESS; d++) {
		t->policy_count[d] = 0;
		for (unsigned i = 1; i <= POLICY_PRIORITY_MAX; i++)
			t->policy_count[d] += t->policy[d][i] != NULL;
	}
}

/* ---- what a policy matches ---- */

static bool in_attachments(
    struct conf_attachment *const *list, unsigned count, const struct attach *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i] == a->conf)
			return true;
	}
	return count == 0;
}

static bool in_kinds(const enum conf_kind *list, unsigned count, const struct attach *a)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i] == a->conf->kind)
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

static bool in_types(const struct conf_policy *p, enum source source)
{
	enum conf_route_type type = source == SOURCE_CONNECTED ? CONF_ROUTE_CONNECTED
	    : source == SOURCE_BGP                             ? CONF_ROUTE_BGP
							       : CONF_ROUTE_STATIC;

	for (unsigned i = 0; i < p->route_type_count; i++) {
		if (p->route_type[i] == type)
			return true;
	}
	return p->route_type_count == 0;
}

static bool wants_route(const struct conf_policy *p, const struct candidate *c)
{
	return in_attachments(p->source_attachment, p->source_attachment_count, c->origin) &&
	    in_kinds(p->source_kind, p->source_kind_count, c->origin) &&
	    in_prefixes(p, &c->prefix) && in_types(p, c->source) && policy_wants_attrs(p, c->attrs);
}

static bool wants_user(const struct conf_policy *p, const struct attach *who)
{
	return in_attachments(p->destination_attachment, p->destination_attachment_count, who) &&
	    in_kinds(p->destination_kind, p->destination_kind_count, who);
}

/* ---- the questions ---- */

static struct policy_answer answer_of(const struct conf_policy *p)
{
	return (struct policy_answer){p->action == CONF_PERMIT, (uint16_t)p->priority, p};
}

struct policy_answer policy_ingress(const struct table *t, const struct candidate *c)
{
	for (unsigned i = 1; t->policy_count[CONF_INGRESS] && i <= POLICY_PRIORITY_MAX; i++) {
		const struct conf_policy *p = t->policy[CONF_INGRESS][i];

		/* On the way in there is no destination that could be wanted. */
		if (p && !p->destination_attachment_count && !p->destination_kind_count &&
		    wants_route(p, c))
			return answer_of(p);
	}
	return (struct policy_answer){true, 0, NULL};
}

static bool is_line(const struct attach *a)
{
	return a->conf->kind == CONF_KIND_VPN || a->conf->kind == CONF_KIND_VBR ||
	    a->conf->kind == CONF_KIND_CCN;
}

/* What an ingress policy has made of a route that was not learned; a reference. NULL: nothing. */
static const struct bgp_attrs *attrs_made(const struct model *m, const struct candidate *c)
{
	return m->bgp && !c->attrs && c->ingress && policy_edits(c->ingress) ? gathered_attrs(m, c)
									     : NULL;
}

struct policy_set policy_set_of(
    const struct model *m, const struct table *t, const struct candidate *c)
{
	struct policy_set set = {.built_in = m->has_vpn && is_line(c->origin)};
	struct candidate route = *c;
	const struct bgp_attrs *made;

	if (!t->policy_count[CONF_EGRESS])
		return set;
	made = attrs_made(m, c);
	if (made)
		route.attrs = made;
	for (unsigned i = 1; i <= POLICY_PRIORITY_MAX; i++) {
		const struct conf_policy *p = t->policy[CONF_EGRESS][i];

		if (p && wants_route(p, &route))
			set.word[i / 64] |= UINT64_C(1) << (i % 64);
	}
	if (made)
		bgp_attrs_unref(m->bgp, made);
	return set;
}

struct policy_answer policy_egress(
    const struct table *t, const struct policy_set *set, const struct attach *who)
{
	for (unsigned w = 0; w < POLICY_WORDS; w++) {
		for (uint64_t left = set->word[w]; left; left &= left - 1) {
			unsigned priority = w * 64 + (unsigned)__builtin_ctzll(left);
			const struct conf_policy *p = t->policy[CONF_EGRESS][priority];

			if (wants_user(p, who))
				return answer_of(p);
		}
	}
	if (set->built_in && is_line(who))
		return (struct policy_answer){false, POLICY_BUILT_IN, NULL};
	return (struct policy_answer){true, 0, NULL};
}
