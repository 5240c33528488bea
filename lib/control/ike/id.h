/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_ID_H
#define IKE_ID_H

/* Identification payloads (RFC 7296 3.5). The public half is in ike.h. */

#include "ike/message.h"

/*
 * From the body of IDi or IDr. 0; -EBADMSG; -ENOTSUP for a type that can not be configured here (its text
 * can still be printed: type and bytes are set as far as they fit).
 */
int ike_id_read(const struct ike_payload *p, struct ike_id *out);
/* The body as it goes on the wire, and into AUTH. Returns its length. */
#define IKE_ID_BODY_MAX (4 + IKE_ID_MAX)
size_t ike_id_body(const struct ike_id *id, uint8_t out[IKE_ID_BODY_MAX]);
/* Does `id` of a peer satisfy what is configured? */
bool ike_id_matches(const struct ike_id *configured, const struct ike_id *id);

#endif
