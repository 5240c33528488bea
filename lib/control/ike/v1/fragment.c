/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One message at a time. A piece that contradicts what is there begins a new message: peers number all their
 * messages alike.
 */

#include "ike/v1/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FLAG_LAST 1

void v1_fragments_reset(struct v1_fragments *f)
{
	for (unsigned i = 0; i < V1_FRAGMENTS_MAX; i++)
		free(f->part[i]);
	*f = (struct v1_fragments){0};
}

static bool contradicts(const struct v1_fragments *f, uint16_t id, uint8_t number, bool last,
    const uint8_t *bytes, size_t len)
{
	const uint8_t *part = f->part[number - 1];

	if (f->have == 0)
		return false;
	for (unsigned i = number; last && i < V1_FRAGMENTS_MAX; i++)
		if (f->part[i])
			return true;
	if (f->id != id || (f->last && (last ? f->last != number : number >= f->last)))
		return true;
	return part && (f->part_len[number - 1] != len || memcmp(part, bytes, len));
}

static size_t join(const struct v1_fragments *f, uint8_t *out)
{
	size_t at = 0;

	for (unsigned i = 0; i < f->last; i++) {
		memcpy(out + at, f->part[i], f->part_len[i]);
		at += f->part_len[i];
	}
	return at;
}

int v1_fragments_add(
    struct v1_fragments *f, struct wire body, uint8_t *out, size_t capacity, size_t *out_len)
{
	uint16_t id = wire_u16(&body);
	uint8_t number = wire_u8(&body);
	bool last = wire_u8(&body) & FLAG_LAST;
	size_t len = wire_left(&body);
	const uint8_t *bytes = wire_bytes(&body, len);

	if (!wire_ok(&body) || len == 0 || number == 0 || number > V1_FRAGMENTS_MAX)
		return -EBADMSG;
	if (contradicts(f, id, number, last, bytes, len))
		v1_fragments_reset(f);
	if (f->part[number - 1])
		return 0;
	if (f->bytes + len > V1_FRAGMENT_BYTES_MAX || f->bytes + len > capacity) {
		v1_fragments_reset(f);
		return -EBADMSG;
	}
	f->id = id;
	if (last)
		f->last = number;
	f->part[number - 1] = xmalloc(len);
	memcpy(f->part[number - 1], bytes, len);
	f->part_len[number - 1] = (uint16_t)len;
	f->bytes += len;
	f->have++;
	if (!f->last || f->have < f->last)
		return 0;
	*out_len = join(f, out);
	v1_fragments_reset(f);
	return 1;
}
