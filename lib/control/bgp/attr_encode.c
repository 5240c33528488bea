/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writes a set for one peer: the set as it is, the peer's next hop put in, and for a speaker of 2-octet
 * AS numbers AS_TRANS and the AS4 attributes beside it (RFC 6793 4.2.2).
 */

#include "bgp/as_path.h"
#include "bgp/attr.h"

/* AS4_PATH has no confederation segments; we have none to begin with (attr_decode.c). */
bool bgp_to_old_as_path(struct bgp_list *list, struct bgp_attr *a, struct bgp_attr_room *room)
{
	struct bgp_attr whole = {.code = BGP_ATTR_AS4_PATH,
	    .flags = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE,
	    .len = a->len,
	    .value = a->value};
	bool lossy;
	int len =
	    bgp_as_path_narrow(a->value, a->len, room->widened, sizeof(room->widened), &lossy);

	if (len < 0)
		return false;
	a->value = room->widened;
	a->len = (uint16_t)len;
	if (lossy)
		bgp_list_put(list, whole);
	return true;
}

bool bgp_to_old_aggregator(struct bgp_list *list, struct bgp_attr *a, struct bgp_attr_room *room)
{
	struct wirebuf b = wirebuf_of(room->aggregator, sizeof(room->aggregator));
	struct wire w = wire_of(a->value, a->len);
	struct bgp_attr whole = *a;
	uint32_t as = wire_u32(&w);

	wirebuf_u16(&b, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
	wirebuf_u32(&b, wire_u32(&w));
	a->value = room->aggregator;
	a->len = 6;
	if (as > UINT16_MAX) {
		whole.code = BGP_ATTR_AS4_AGGREGATOR;
		bgp_list_put(list, whole);
	}
	return true;
}

/* What to_old() adds stands behind what it was made of, and is reached, and skipped, later. */
static bool make_old(struct bgp_list *list, struct bgp_attr_room *room)
{
	for (unsigned i = 0; i < list->count; i++) {
		const struct bgp_attr_row *row = bgp_attr_row(list->attr[i].code);

		if (row && row->to_old && !row->to_old(list, &list->attr[i], room))
			return false;
	}
	return true;
}

bool bgp_attr_encode(const struct bgp_attrs *a, const struct bgp_attr_encoding *how,
    struct bgp_attr_room *room, struct wirebuf *out)
{
	struct bgp_list list;

	bgp_list_of(a, &list);
	bgp_list_drop(&list, BGP_ATTR_MP_REACH);
	if (how->next_hop)
		bgp_list_put(&list,
		    (struct bgp_attr){.code = BGP_ATTR_NEXT_HOP,
			.flags = BGP_FLAG_TRANSITIVE,
			.len = 4,
			.value = how->next_hop});
	else
		bgp_list_drop(&list, BGP_ATTR_NEXT_HOP);
	if (!how->as4 && !make_old(&list, room))
		return false;
	for (unsigned i = 0; i < list.count; i++)
		bgp_attr_write(out, &list.attr[i]);
	return wirebuf_ok(out);
}
