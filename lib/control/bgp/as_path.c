/* SPDX-License-Identifier: BSD-3-Clause */

#include "bgp/as_path.h"

#include <errno.h>
#include <string.h>

#define SEGMENT_MAX 255

bool bgp_segment_next(struct wire *path, uint8_t as_bytes, struct bgp_segment *out)
{
	if (wire_left(path) == 0)
		return false;
	out->type = wire_u8(path);
	out->count = wire_u8(path);
	out->as_bytes = as_bytes;
	out->as = wire_bytes(path, (size_t)out->count * as_bytes);
	return wire_ok(path);
}

uint32_t bgp_segment_as(const struct bgp_segment *s, unsigned i)
{
	const uint8_t *p = s->as + (size_t)i * s->as_bytes;

	if (s->as_bytes == 2)
		return (uint32_t)p[0] << 8 | p[1];
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_confed(const struct bgp_segment *s)
{
	return s->type == BGP_AS_CONFED_SEQUENCE || s->type == BGP_AS_CONFED_SET;
}

static bool segment_ok(const struct bgp_segment *s, unsigned allowed)
{
	if (s->type < BGP_AS_SET || s->type > BGP_AS_CONFED_SET || s->count == 0)
		return false;
	if (is_confed(s) && !(allowed & BGP_PATH_CONFED))
		return false;
	if ((s->type == BGP_AS_SET || s->type == BGP_AS_CONFED_SET) && !(allowed & BGP_PATH_SETS))
		return false;
	for (unsigned i = 0; i < s->count; i++)
		if (bgp_segment_as(s, i) == 0)
			return false;
	return true;
}

bool bgp_as_path_check(const uint8_t *path, size_t len, uint8_t as_bytes, unsigned allowed)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, as_bytes, &s))
		if (!segment_ok(&s, allowed))
			return false;
	return wire_done(&w);
}

/* How many hops a segment counts for. */
static unsigned weight(const struct bgp_segment *s)
{
	return is_confed(s) ? 0 : s->type == BGP_AS_SET ? 1 : s->count;
}

unsigned bgp_as_path_length(const uint8_t *path, size_t len, uint8_t as_bytes)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;
	unsigned n = 0;

	while (bgp_segment_next(&w, as_bytes, &s))
		n += weight(&s);
	return n;
}

uint32_t bgp_as_path_first(const uint8_t *path, size_t len)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	if (!bgp_segment_next(&w, 4, &s) || s.type != BGP_AS_SEQUENCE)
		return 0;
	return bgp_segment_as(&s, 0);
}

uint32_t bgp_as_path_last(const uint8_t *path, size_t len)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;
	uint32_t last = 0;

	while (bgp_segment_next(&w, 4, &s))
		last = s.type == BGP_AS_SEQUENCE ? bgp_segment_as(&s, s.count - 1u) : 0;
	return last;
}

unsigned bgp_as_path_count(const uint8_t *path, size_t len, uint32_t as)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;
	unsigned n = 0;

	while (bgp_segment_next(&w, 4, &s))
		for (unsigned i = 0; i < s.count; i++)
			n += bgp_segment_as(&s, i) == as;
	return n;
}

static int finish(const struct wirebuf *b)
{
	return wirebuf_ok(b) ? (int)wirebuf_len(b) : -ENOSPC;
}

/* Joins the first sequence as long as that has room (RFC 4271 5.1.2). */
int bgp_as_path_prepend(
    const uint8_t *path, size_t len, uint32_t as, unsigned times, uint8_t *out, size_t capacity)
{
	struct wirebuf b = wirebuf_of(out, capacity);
	struct wire w = wire_of(path, len);
	struct bgp_segment first;

	if (times == 0 || times > SEGMENT_MAX) {
		wirebuf_put(&b, path, len);
		return times ? -ENOSPC : finish(&b);
	}
	wirebuf_u8(&b, BGP_AS_SEQUENCE);
	if (bgp_segment_next(&w, 4, &first) && first.type == BGP_AS_SEQUENCE &&
	    first.count + times <= SEGMENT_MAX) {
		wirebuf_u8(&b, (uint8_t)(first.count + times));
		path += 2;
		len -= 2;
	} else {
		wirebuf_u8(&b, (uint8_t)times);
	}
	for (unsigned i = 0; i < times; i++)
		wirebuf_u32(&b, as);
	wirebuf_put(&b, path, len);
	return finish(&b);
}

int bgp_as_path_widen(const uint8_t *path2, size_t len, uint8_t *out, size_t capacity)
{
	struct wirebuf b = wirebuf_of(out, capacity);
	struct wire w = wire_of(path2, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 2, &s)) {
		wirebuf_u8(&b, s.type);
		wirebuf_u8(&b, s.count);
		for (unsigned i = 0; i < s.count; i++)
			wirebuf_u32(&b, bgp_segment_as(&s, i));
	}
	return finish(&b);
}

int bgp_as_path_narrow(const uint8_t *path, size_t len, uint8_t *out, size_t capacity, bool *lossy)
{
	struct wirebuf b = wirebuf_of(out, capacity);
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	*lossy = false;
	while (bgp_segment_next(&w, 4, &s)) {
		wirebuf_u8(&b, s.type);
		wirebuf_u8(&b, s.count);
		for (unsigned i = 0; i < s.count; i++) {
			uint32_t as = bgp_segment_as(&s, i);

			*lossy |= as > UINT16_MAX;
			wirebuf_u16(&b, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
		}
	}
	return finish(&b);
}

/*
 * Copies the leading part of a path that counts for `hops`, confederation segments before and amid it
 * included. A sequence may be cut; a set counts as one.
 */
static void put_leading(struct wirebuf *b, const uint8_t *path, size_t len, unsigned hops)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 4, &s) && (hops > 0 || is_confed(&s))) {
		unsigned take = s.type == BGP_AS_SEQUENCE && s.count > hops ? hops : s.count;

		wirebuf_u8(b, s.type);
		wirebuf_u8(b, (uint8_t)take);
		wirebuf_put(b, s.as, (size_t)take * 4);
		hops -= s.type == BGP_AS_SEQUENCE ? take : weight(&s);
	}
}

static void put_without_confed(struct wirebuf *b, const uint8_t *path, size_t len)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 4, &s)) {
		if (is_confed(&s))
			continue;
		wirebuf_u8(b, s.type);
		wirebuf_u8(b, s.count);
		wirebuf_put(b, s.as, (size_t)s.count * 4);
	}
}

/* One sequence where the two parts meet, so that equal paths have equal bytes. */
static int join(uint8_t *out, size_t lead, size_t total)
{
	struct wire w = wire_of(out, lead);
	struct bgp_segment s, last = {0};
	const uint8_t *head = out;

	while (wire_left(&w) > 0) {
		head = w.at;
		if (!bgp_segment_next(&w, 4, &s))
			break;
		last = s;
	}
	if (last.type != BGP_AS_SEQUENCE || lead == total || out[lead] != BGP_AS_SEQUENCE ||
	    last.count + out[lead + 1] > SEGMENT_MAX)
		return (int)total;
	out[head - out + 1] = (uint8_t)(last.count + out[lead + 1]);
	memmove(out + lead, out + lead + 2, total - lead - 2);
	return (int)(total - 2);
}

int bgp_as_path_merge(const uint8_t *path, size_t len, const uint8_t *path4, size_t len4,
    uint8_t *out, size_t capacity)
{
	unsigned hops = bgp_as_path_length(path, len, 4),
		 hops4 = bgp_as_path_length(path4, len4, 4);
	struct wirebuf b = wirebuf_of(out, capacity);
	size_t lead;

	if (hops <
	    hops4) { /* somebody in between dropped ASes: AS4_PATH is no longer of this path */
		wirebuf_put(&b, path, len);
		return finish(&b);
	}
	put_leading(&b, path, len, hops - hops4);
	lead = wirebuf_len(&b);
	put_without_confed(&b, path4, len4);
	if (!wirebuf_ok(&b))
		return -ENOSPC;
	return join(out, lead, wirebuf_len(&b));
}

void bgp_as_path_replace(const uint8_t *path, size_t len, uint32_t from, uint32_t to, uint8_t *out)
{
	struct wire w = wire_of(path, len);
	struct wirebuf b = wirebuf_of(out, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 4, &s)) {
		wirebuf_u8(&b, s.type);
		wirebuf_u8(&b, s.count);
		for (unsigned i = 0; i < s.count; i++) {
			uint32_t as = bgp_segment_as(&s, i);

			wirebuf_u32(&b, as == from ? to : as);
		}
	}
}

static bool is_private(uint32_t as)
{
	return (as >= 64512 && as <= 65534) || (as >= 4200000000u && as <= 4294967294u);
}

bool bgp_as_path_is_private(const uint8_t *path, size_t len)
{
	struct wire w = wire_of(path, len);
	struct bgp_segment s;

	while (bgp_segment_next(&w, 4, &s))
		for (unsigned i = 0; i < s.count; i++)
			if (!is_private(bgp_segment_as(&s, i)))
				return false;
	return true;
}
