/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Any bytes as the path attributes of an UPDATE. A set that came of them is written for a peer and read again: the
 * same set. The first byte says of what kind the session is. For a peer with 2-octet AS numbers the path comes back
 * from AS4_PATH (RFC 6793), so the set is the same as well, unless its path has something of a confederation or too
 * many ASNs, which no AS4_PATH tells.
 */

#include <stdlib.h>
#include <string.h>

#include "bgp/as_path.h"
#include "bgp/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bgp_sets sets;
static struct bgp_parse parse;
static struct bgp_attr_room room, room_out;

static void check_again(struct bgp_attrs *set, bool as4)
{
	const struct bgp_attr_session session = {.as4 = as4,
	    .allow_sets = true,
	    .families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6)};
	static uint8_t bytes[2 * BGP_SET_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	struct bgp_attr_encoding how = {.as4 = as4, .next_hop = set->next_hop.bytes};
	struct bgp_attrs *again;

	if (set->next_hop.family != IP_V4 || !bgp_attr_encode(set, &how, &room_out, &b))
		return;
	bgp_attr_parse(&parse, &session, &room, wire_of(bytes, wirebuf_len(&b)), true);
	if (parse.class != BGP_CLASS_NONE)
		abort();
	again = bgp_parse_set(&parse, &sets, false);
	if (again != set)
		abort();
	bgp_set_unref(&sets, again);
}

static void check_texts(const struct bgp_attrs *set)
{
	char text[64];

	bgp_attrs_path_text(set, text, sizeof(text));
	bgp_attrs_community_text(set, text, sizeof(text));
	bgp_attrs_large_text(set, text, sizeof(text));
	bgp_attrs_origin_as(set);
	bgp_attrs_count_as(set, 65000);
}

static void check(struct wire w, const struct bgp_attr_session *session, bool ipv4)
{
	struct bgp_attrs *set;
	bool mp;

	bgp_attr_parse(&parse, session, &room, w, ipv4);
	mp = !ipv4 && parse.reach.family >= 0;
	if (parse.class >= BGP_CLASS_WITHDRAW || (!ipv4 && !mp))
		return;
	set = bgp_parse_set(&parse, &sets, mp);
	if (!set)
		return;
	check_texts(set);
	if (ipv4) {
		check_again(set, true);
		check_again(set, false);
	}
	bgp_set_unref(&sets, set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = wire_of(data, size);
	uint8_t choice = wire_u8(&w);
	const struct bgp_attr_session session = {.as4 = choice & 1,
	    .external = choice & 2,
	    .allow_sets = choice & 4,
	    .families = BGP_FAMILY_BIT(BGP_IPV4) | (choice & 8 ? BGP_FAMILY_BIT(BGP_IPV6) : 0)};

	if (!sets.scratch)
		bgp_sets_init(&sets, 1);
	check(w, &session, !(choice & 16));
	if (sets.count)
		abort();
	return 0;
}
