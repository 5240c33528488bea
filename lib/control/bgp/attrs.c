/* SPDX-License-Identifier: BSD-3-Clause */

/* Reading attribute sets: values, communities, paths, and all of it as text. */

#include "bgp/attrs.h"

#include <string.h>

#include "base/text.h"
#include "base/wire.h"
#include "bgp/as_path.h"

const uint8_t *bgp_attrs_value(const struct bgp_attrs *a, uint8_t code, size_t *len)
{
	struct wire w = wire_of(a->wire, a->wire_len);

	while (wire_left(&w) > 0) {
		uint8_t flags = wire_u8(&w), at = wire_u8(&w);
		uint16_t bytes = flags & BGP_FLAG_EXTENDED ? wire_u16(&w) : wire_u8(&w);
		const uint8_t *value = wire_bytes(&w, bytes);

		if (at == code) {
			*len = bytes;
			return value;
		}
		if (at > code)
			break;
	}
	*len = 0;
	return NULL;
}

/* A view of the value; empty when the set lacks it. */
static struct wire value_of(const struct bgp_attrs *a, uint8_t code)
{
	size_t len;
	const uint8_t *value = bgp_attrs_value(a, code, &len);

	return wire_of(value, len);
}

bool bgp_attrs_has_community(const struct bgp_attrs *a, uint32_t community)
{
	struct wire w;

	if (!a->has_community)
		return false;
	w = value_of(a, BGP_ATTR_COMMUNITY);
	while (wire_left(&w) > 0)
		if (wire_u32(&w) == community)
			return true;
	return false;
}

bool bgp_attrs_has_large(const struct bgp_attrs *a, const uint32_t community[3])
{
	struct wire w = value_of(a, BGP_ATTR_LARGE_COMMUNITY);

	while (wire_left(&w) > 0) {
		uint32_t global = wire_u32(&w), first = wire_u32(&w), second = wire_u32(&w);

		if (global == community[0] && first == community[1] && second == community[2])
			return true;
	}
	return false;
}

unsigned bgp_attrs_count_as(const struct bgp_attrs *a, uint32_t as)
{
	size_t len;
	const uint8_t *path = bgp_attrs_value(a, BGP_ATTR_AS_PATH, &len);

	return bgp_as_path_count(path, len, as);
}

uint32_t bgp_attrs_origin_as(const struct bgp_attrs *a)
{
	size_t len;
	const uint8_t *path = bgp_attrs_value(a, BGP_ATTR_AS_PATH, &len);

	return bgp_as_path_last(path, len);
}

const char *bgp_attrs_path_text(const struct bgp_attrs *a, char *buf, size_t capacity)
{
	static const char *const open[] = {"", "{", "", "(", "["};
	static const char *const close[] = {"", "}", "", ")", "]"};
	struct wire w = value_of(a, BGP_ATTR_AS_PATH);
	struct text t = text_of(buf, capacity);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 4, &s)) {
		const char *between =
		    s.type == BGP_AS_SET || s.type == BGP_AS_CONFED_SET ? "," : " ";

		if (t.len)
			text_add(&t, " ");
		text_add(&t, open[s.type]);
		for (unsigned i = 0; i < s.count; i++)
			text_addf(&t, "%s%u", i ? between : "", bgp_segment_as(&s, i));
		text_add(&t, close[s.type]);
	}
	return buf;
}

const char *bgp_attrs_community_text(const struct bgp_attrs *a, char *buf, size_t capacity)
{
	struct wire w = value_of(a, BGP_ATTR_COMMUNITY);
	struct text t = text_of(buf, capacity);

	while (wire_left(&w) > 0) {
		uint32_t c = wire_u32(&w);

		if (t.len)
			text_add(&t, " ");
		if (c == BGP_COMMUNITY_NO_EXPORT)
			text_add(&t, "no-export");
		else if (c == BGP_COMMUNITY_NO_ADVERTISE)
			text_add(&t, "no-advertise");
		else if (c == BGP_COMMUNITY_NO_EXPORT_SUBCONFED)
			text_add(&t, "no-export-subconfed");
		else if (c == BGP_COMMUNITY_GRACEFUL_SHUTDOWN)
			text_add(&t, "graceful-shutdown");
		else
			text_addf(&t, "%u:%u", c >> 16, c & 0xffff);
	}
	return buf;
}

const char *bgp_attrs_large_text(const struct bgp_attrs *a, char *buf, size_t capacity)
{
	struct wire w = value_of(a, BGP_ATTR_LARGE_COMMUNITY);
	struct text t = text_of(buf, capacity);

	while (wire_left(&w) > 0) {
		uint32_t global = wire_u32(&w), first = wire_u32(&w), second = wire_u32(&w);

		text_addf(&t, "%s%u:%u:%u", t.len ? " " : "", global, first, second);
	}
	return buf;
}

const char *bgp_attrs_origin_text(const struct bgp_attrs *a)
{
	static const char *const text[] = {"IGP", "EGP", "incomplete"};

	return text[a->origin];
}
