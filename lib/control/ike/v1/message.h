/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_MESSAGE_H
#define IKE_V1_MESSAGE_H

/*
 * The form of IKEv1 messages: chain of payloads and what the small ones hold (RFC 2408 3). The header has the
 * shape of IKEv2's (ike/message.h), and so has the chain; numbers and bodies differ.
 *
 * Reading gives views into the datagram. Nothing here changes state.
 */

#include "ike/message.h"
#include "ike/v1/numbers.h"

/* What a peer says of itself in vendor IDs: bits. */
enum v1_vendor {
	V1_VENDOR_NATT_RFC = 1 << 0, /* RFC 3947 */
	V1_VENDOR_NATT_03 = 1 << 1,  /* draft-ietf-ipsec-nat-t-ike-03 */
	V1_VENDOR_NATT_02 = 1 << 2,  /* draft -02, with and without a line feed */
	V1_VENDOR_DPD = 1 << 3,
	V1_VENDOR_FRAGMENTATION = 1 << 4,
};
#define V1_VENDOR_NATT (V1_VENDOR_NATT_RFC | V1_VENDOR_NATT_03 | V1_VENDOR_NATT_02)

struct v1_payloads {
	struct ike_payloads list; /* without vendor IDs and without what we do not know */
	unsigned vendors;         /* bits of enum v1_vendor */
	size_t used;              /* bytes of the chain; what follows is padding */
	uint8_t unknown;          /* type of the first payload that RFC 2408 reserves; or 0 */
};

/* Walks the chain. `padded`: bytes may follow it. 0 or -EBADMSG. */
int v1_payloads_parse(struct wire w, uint8_t first, bool padded, struct v1_payloads *out);
static inline const struct ike_payload *v1_find(const struct v1_payloads *p, uint8_t type)
{
	return ike_payload_find(&p->list, type);
}

/* The messages that have rules (rules.c). */
enum v1_step_message {
	V1_MESSAGE_MM1,
	V1_MESSAGE_MM2,
	V1_MESSAGE_MM3, /* and 4 */
	V1_MESSAGE_MM5, /* and 6 */
	V1_MESSAGE_AM1,
	V1_MESSAGE_AM2,
	V1_MESSAGE_AM3,
	V1_MESSAGE_QM1,
	V1_MESSAGE_QM2,
	V1_MESSAGE_QM3,
	V1_MESSAGE_INFORMATIONAL,
};
/* How often each payload may come in a message; HASH stands first where it is demanded. 0 or -EBADMSG. */
int v1_payloads_check(const struct v1_payloads *p, enum v1_step_message message);

struct v1_notify {
	uint32_t doi;
	uint8_t protocol;
	struct ike_span spi;
	uint16_t type;
	struct ike_span data;
};
int v1_notify_parse(const struct ike_payload *p, struct v1_notify *out);
/* The first notify of that type; false when there is none. */
bool v1_notify_find(const struct v1_payloads *p, uint16_t type, struct v1_notify *out);
/* The first notify that tells of an error. */
bool v1_notify_error(const struct v1_payloads *p, struct v1_notify *out);

struct v1_delete {
	uint32_t doi;
	uint8_t protocol;
	uint8_t spi_len;
	uint16_t count;
	struct wire spis;
};
int v1_delete_parse(const struct ike_payload *p, struct v1_delete *out);

/* ---- writing ---- */

void v1_chain_vendors(struct ike_chain *c, unsigned vendors);
void v1_chain_notify(struct ike_chain *c, uint8_t protocol, struct ike_span spi, uint16_t type,
    struct ike_span data);
void v1_chain_delete(struct ike_chain *c, uint8_t protocol, struct ike_span spi);
/* A message in clear. Release with free(). */
struct ike_packet *v1_plain(uint64_t spi_i, uint64_t spi_r, uint8_t exchange, uint32_t message_id,
    const struct ike_chain *c);

#endif
