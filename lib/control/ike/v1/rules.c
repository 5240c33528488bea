/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which payloads a message must, may, and must not repeat, as data (RFC 2409 5.4, 5.5, 5.7; RFC 3947 4).
 *
 * What is not listed may come any number of times and is ignored where it has no meaning. Payload types that
 * RFC 2408 reserves are refused.
 */

#include <errno.h>

#include "ike/v1/message.h"

struct rule {
	uint8_t message; /* enum v1_step_message */
	uint8_t payload;
	uint8_t min, max;
};

static const struct rule rules[] = {
    /* message, payload, min, max */
    {V1_MESSAGE_MM1, V1_PAYLOAD_SA, 1, 1},
    {V1_MESSAGE_MM2, V1_PAYLOAD_SA, 1, 1},

    {V1_MESSAGE_MM3, V1_PAYLOAD_KE, 1, 1},
    {V1_MESSAGE_MM3, V1_PAYLOAD_NONCE, 1, 1},

    {V1_MESSAGE_MM5, V1_PAYLOAD_ID, 1, 1},
    {V1_MESSAGE_MM5, V1_PAYLOAD_HASH, 1, 1},

    {V1_MESSAGE_AM1, V1_PAYLOAD_SA, 1, 1},
    {V1_MESSAGE_AM1, V1_PAYLOAD_KE, 1, 1},
    {V1_MESSAGE_AM1, V1_PAYLOAD_NONCE, 1, 1},
    {V1_MESSAGE_AM1, V1_PAYLOAD_ID, 1, 1},

    {V1_MESSAGE_AM2, V1_PAYLOAD_SA, 1, 1},
    {V1_MESSAGE_AM2, V1_PAYLOAD_KE, 1, 1},
    {V1_MESSAGE_AM2, V1_PAYLOAD_NONCE, 1, 1},
    {V1_MESSAGE_AM2, V1_PAYLOAD_ID, 1, 1},
    {V1_MESSAGE_AM2, V1_PAYLOAD_HASH, 1, 1},

    {V1_MESSAGE_AM3, V1_PAYLOAD_HASH, 1, 1},

    /* Two identities or none: the selectors. KE with PFS. */
    {V1_MESSAGE_QM1, V1_PAYLOAD_HASH, 1, 1},
    {V1_MESSAGE_QM1, V1_PAYLOAD_SA, 1, 1},
    {V1_MESSAGE_QM1, V1_PAYLOAD_NONCE, 1, 1},
    {V1_MESSAGE_QM1, V1_PAYLOAD_KE, 0, 1},
    {V1_MESSAGE_QM1, V1_PAYLOAD_ID, 0, 2},

    {V1_MESSAGE_QM2, V1_PAYLOAD_HASH, 1, 1},
    {V1_MESSAGE_QM2, V1_PAYLOAD_SA, 1, 1},
    {V1_MESSAGE_QM2, V1_PAYLOAD_NONCE, 1, 1},
    {V1_MESSAGE_QM2, V1_PAYLOAD_KE, 0, 1},
    {V1_MESSAGE_QM2, V1_PAYLOAD_ID, 0, 2},

    {V1_MESSAGE_QM3, V1_PAYLOAD_HASH, 1, 1},

    {V1_MESSAGE_INFORMATIONAL, V1_PAYLOAD_HASH, 1, 1},
};

/* RFC 2409 5.5: "the HASH payload MUST immediately follow the ISAKMP header". */
static bool hash_is_first(const struct v1_payloads *p, enum v1_step_message message)
{
	return message < V1_MESSAGE_QM1 ||
	    (p->list.count > 0 && p->list.list[0].type == V1_PAYLOAD_HASH);
}

int v1_payloads_check(const struct v1_payloads *p, enum v1_step_message message)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];
		unsigned count = 0;

		if (r->message != message)
			continue;
		for (unsigned k = 0; k < p->list.count; k++)
			count += p->list.list[k].type == r->payload;
		if (count < r->min || count > r->max)
			return -EBADMSG;
	}
	return p->unknown || !hash_is_first(p, message) ? -EBADMSG : 0;
}
