/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What routing policies match in BGP attributes, and change of them (R5). A route that was not learned has an
 * empty path and no communities.
 */

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
