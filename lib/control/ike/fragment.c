/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One message at a time per IKE SA and direction: with a window of one there is no second worth keeping.
 */

#include "ike/fragment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

void ike_reassembly_reset(struct ike_reassembly *r)
{
	for (unsigned i = 0; i < IKE_FRAGMENTS_MAX; i++)
		secret_free(r->part[i], r->part_len[i]);
	*r = (struct ike_reassembly){0};
}

static size_t join(const struct ike_reassembly *r, uint8_t *out)
{
	size_t at = 0;

	for (unsigned i = 0; i < r->total; i++) {
		memcpy(out + at, r->part[i], r->part_len[i]);
		at += r->part_len[i];
	}
	return at;
}

int ike_reassembly_add(struct ike_reassembly *r, uint32_t message_id, uint16_t number,
    uint16_t total, uint8_t first_payload, const uint8_t *part, size_t len, uint8_t *out,
    size_t capacity, size_t *out_len)
{
	if (number == 0 || number > total || total > IKE_FRAGMENTS_MAX || len > UINT16_MAX)
		return -EBADMSG;
	if (r->active && (r->message_id != message_id || total > r->total))
		ike_reassembly_reset(r);
	if (r->active && (total < r->total || r->part[number - 1]))
		return 0;
	if (r->bytes + len > capacity) {
		ike_reassembly_reset(r);
		return -EBADMSG;
	}
	r->active = true;
	r->message_id = message_id;
	r->total = total;
	if (number == 1)
		r->first_payload = first_payload;
	r->part[number - 1] = xmalloc(len ? len : 1);
	memcpy(r->part[number - 1], part, len);
	r->part_len[number - 1] = (uint16_t)len;
	r->bytes += len;
	if (++r->have < r->total)
		return 0;
	*out_len = join(r, out);
	return 1;
}
