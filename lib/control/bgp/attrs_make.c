/* SPDX-License-Identifier: BSD-3-Clause */

/* Attribute sets for callers: local routes, edits, references. */

#include "bgp/engine.h"

const struct bgp_attrs *bgp_attrs_local(
    struct bgp_engine *e, enum bgp_origin origin, const struct bgp_edit *edit)
{
	uint8_t value = (uint8_t)origin;
	struct bgp_list list = {0};

	bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_ORIGIN, BGP_FLAG_TRANSITIVE, 1, &value});
	bgp_list_put(&list, (struct bgp_attr){BGP_ATTR_AS_PATH, BGP_FLAG_TRANSITIVE, 0, NULL});
	if (edit && !bgp_list_edit(&list, edit, e->edit_room))
		return NULL;
	return bgp_set_intern(&e->sets, &list);
}

const struct bgp_attrs *bgp_attrs_edit(
    struct bgp_engine *e, const struct bgp_attrs *attrs, const struct bgp_edit *edit)
{
	struct bgp_list list;

	bgp_list_of(attrs, &list);
	if (!bgp_list_edit(&list, edit, e->edit_room))
		return NULL;
	return bgp_set_intern(&e->sets, &list);
}

void bgp_attrs_ref(struct bgp_engine *e, const struct bgp_attrs *attrs)
{
	bgp_set_ref(bgp_set_at(&e->sets, attrs->id));
}

void bgp_attrs_unref(struct bgp_engine *e, const struct bgp_attrs *attrs)
{
	bgp_set_unref(&e->sets, bgp_set_at(&e->sets, attrs->id));
}
