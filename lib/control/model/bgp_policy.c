/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What routing policies match in BGP attributes, and change of them (R5). A route that was not learned has an
 * empty path and no communities.
 */

#include <string.h>

#include "base/wire.h"
#include "model/internal.h"

#define SEQUENCE 2 /* type of a path segment (RFC 4271 4.3) */

static bool in_list(const uint32_t *list, unsigned count, uint32_t number)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i] == number)
			return true;
	}
	return false;
}

/* The path is exactly these, as one sequence or several. */
static bool path_is(const struct bgp_attrs *attrs, const uint32_t *asn, unsigned count)
{
	size_t len = 0;
	const uint8_t *value = attrs ? bgp_attrs_value(attrs, BGP_ATTR_AS_PATH, &len) : NULL;
	struct wire path = wire_of(value, value ? len : 0);
	unsigned at = 0;

	while (wire_left(&path) > 0) {
		bool sequence = wire_u8(&path) == SEQUENCE;

		for (unsigned left = wire_u8(&path); left > 0; left--, at++) {
			if (!sequence || at >= count || wire_u32(&path) != asn[at])
				return false;
		}
	}
	return at == count && wire_ok(&path);
}

static bool path_has_any(const struct bgp_attrs *attrs, const uint32_t *asn, unsigned count)
{
	for (unsigned i = 0; attrs && i < count; i++) {
		if (bgp_attrs_count_as(attrs, asn[i]))
			return true;
	}
	return false;
}

static bool communities_match(
    const struct bgp_attrs *attrs, const uint32_t *list, unsigned count, enum conf_match match)
{
	size_t len = 0;
	const uint8_t *value = attrs ? bgp_attrs_value(attrs, BGP_ATTR_COMMUNITY, &len) : NULL;
	struct wire w = wire_of(value, value ? len : 0);
	bool any = false;

	while (wire_left(&w) > 0) {
		bool listed = in_list(list, count, wire_u32(&w));

		if (!listed && match == CONF_MATCH_EXACT)
			return false;
		any |= listed;
	}
	if (match == CONF_MATCH_INCLUDE)
		return any;
	for (unsigned i = 0; i < count; i++) {
		if (!attrs || !bgp_attrs_has_community(attrs, list[i]))
			return false;
	}
	return true;
}

bool policy_wants_attrs(const struct conf_policy *p, const struct bgp_attrs *attrs)
{
	if (p->as_path_count) {
		bool wanted = p->as_path_match == CONF_MATCH_EXACT
		    ? path_is(attrs, p->as_path, p->as_path_count)
		    : path_has_any(attrs, p->as_path, p->as_path_count);

		if (!wanted)
			return false;
	}
	return !p->communities_count ||
	    communities_match(attrs, p->communities, p->communities_count, p->community_match);
}

bool policy_edits(const struct conf_policy *p)
{
	return p->prepend_count || p->has_set_communities || p->add_communities_count;
}

static void add_communities(struct bgp_edit *out, const uint32_t *list, unsigned count)
{
	for (unsigned i = 0; i < count && out->community_count < BGP_EDIT_MAX; i++)
		out->community[out->community_count++] = list[i];
}

void policy_edit(const struct conf_policy *p, struct bgp_edit *out)
{
	out->path_count =
	    (uint8_t)(p->prepend_count < BGP_PREPEND_MAX ? p->prepend_count : BGP_PREPEND_MAX);
	for (unsigned i = 0; i < out->path_count; i++)
		out->path[i] = p->prepend[i];
	out->remove_communities = p->has_set_communities;
	add_communities(out, p->set_communities, p->set_communities_count);
	add_communities(out, p->add_communities, p->add_communities_count);
}

/* ---- as a number ---- */

#define ADD(h, list, count) identity_add(h, list, (count) * sizeof(*(list)))

static uint64_t add_names(uint64_t h, const char *const *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		h = identity_add(h, name[i], strlen(name[i]) + 1);
	return h;
}

static uint64_t add_matches(uint64_t h, const struct conf_policy *p)
{
	const unsigned how[] = {p->priority, p->action, p->source_attachment_count,
	    p->destination_attachment_count, p->source_kind_count, p->destination_kind_count,
	    p->prefixes_count, p->prefix_match, p->route_type_count, p->as_path_count,
	    p->as_path_match, p->communities_count, p->community_match};

	h = ADD(h, how, sizeof(how) / sizeof(how[0]));
	h = add_names(h, p->source_attachment_name, p->source_attachment_count);
	h = add_names(h, p->destination_attachment_name, p->destination_attachment_count);
	h = ADD(h, p->source_kind, p->source_kind_count);
	h = ADD(h, p->destination_kind, p->destination_kind_count);
	for (unsigned i = 0; i < p->prefixes_count; i++) {
		h = ADD(h, &p->prefixes[i].addr.bytes, 1);
		h = ADD(h, &p->prefixes[i].len, 1);
	}
	h = ADD(h, p->route_type, p->route_type_count);
	h = ADD(h, p->as_path, p->as_path_count);
	return ADD(h, p->communities, p->communities_count);
}

static uint64_t add_edits(uint64_t h, const struct conf_policy *p)
{
	const unsigned how[] = {p->prepend_count, p->has_set_communities, p->set_communities_count,
	    p->add_communities_count};

	h = ADD(h, how, sizeof(how) / sizeof(how[0]));
	h = ADD(h, p->prepend, p->prepend_count);
	h = ADD(h, p->set_communities, p->set_communities_count);
	return ADD(h, p->add_communities, p->add_communities_count);
}

uint64_t policies_edits(const struct table *t)
{
	uint64_t h = IDENTITY_START;
	bool any = false;

	for (unsigned i = 1; i <= POLICY_PRIORITY_MAX; i++) {
		const struct conf_policy *p = t->policy[CONF_EGRESS][i];

		if (!p)
			continue;
		any |= policy_edits(p);
		h = add_edits(add_matches(h, p), p);
	}
	return any ? h : 0;
}
