/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_MESSAGE_H
#define IKE_MESSAGE_H

/*
 * The form of IKEv2 messages: header, chain of payloads, and what each payload holds (RFC 7296 3).
 *
 * Reading gives views into the datagram. Nothing here changes state: a parser says what it found, or that
 * it is malformed (-EBADMSG).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "ike/crypto.h"
#include "ike/numbers.h"

struct ike_header {
	uint64_t spi_i, spi_r;
	uint8_t next_payload;
	uint8_t major, minor;
	uint8_t exchange;
	uint8_t flags;
	uint32_t message_id;
	uint32_t length;
};

/* -EBADMSG when shorter than a header, or when the length field is not `len`. */
int ike_header_parse(const uint8_t *bytes, size_t len, struct ike_header *out);
void ike_header_put(struct wirebuf *b, const struct ike_header *h);

/* ---- the chain of payloads ---- */

#define IKE_PAYLOADS_MAX 96 /* per message, vendor IDs not counted */

struct ike_payload {
	uint8_t type;
	uint8_t next; /* of SK and SKF: the first payload inside */
	const uint8_t *body;
	uint16_t len;
};

struct ike_payloads {
	struct ike_payload list[IKE_PAYLOADS_MAX];
	unsigned count;
	uint8_t unknown_critical; /* type of the first payload that we do not know but must; or 0 */
};

/*
 * Walks the chain, which must end where `w` ends; SK and SKF end it as well. Vendor IDs and unknown payloads
 * that are not critical are skipped. 0 or -EBADMSG.
 */
int ike_payloads_parse(struct wire w, uint8_t first, struct ike_payloads *out);
/* The first of that type, or NULL. */
const struct ike_payload *ike_payload_find(const struct ike_payloads *p, uint8_t type);
/*
 * How often each payload may come in a message (rules.c), and that notifies can be read. 0; -EBADMSG and the payload in *type (may be
 * NULL). A response that carries an error notify instead of its payloads passes.
 */
int ike_payloads_check(
    const struct ike_payloads *p, uint8_t exchange, bool response, uint8_t *type);

static inline struct wire ike_payload_wire(const struct ike_payload *p)
{
	return wire_of(p->body, p->len);
}
static inline struct ike_span ike_payload_span(const struct ike_payload *p)
{
	return (struct ike_span){p->body, p->len};
}

struct ike_notify {
	uint8_t protocol;
	uint8_t spi_len;
	const uint8_t *spi;
	uint16_t type;
	struct ike_span data;
};
int ike_notify_parse(const struct ike_payload *p, struct ike_notify *out);
/* The first notify of that type; false when there is none. */
bool ike_notify_find(const struct ike_payloads *p, uint16_t type, struct ike_notify *out);
/* The first notify that tells of an error. */
bool ike_notify_error(const struct ike_payloads *p, struct ike_notify *out);

struct ike_ke {
	uint16_t group;
	struct ike_span value;
};
int ike_ke_parse(const struct ike_payload *p, struct ike_ke *out);

struct ike_delete {
	uint8_t protocol;
	uint8_t spi_len;
	uint16_t count;
	struct wire spis;
};
int ike_delete_parse(const struct ike_payload *p, struct ike_delete *out);

/* ---- writing ---- */

/* A chain of payloads under construction. */
struct ike_chain {
	struct wirebuf buf;
	uint8_t first;     /* type of the first payload */
	size_t last_next;  /* offset of the last payload's next-payload byte */
	size_t last_start; /* offset of the last payload */
	bool any;
};

struct ike_chain ike_chain_of(void *mem, size_t capacity);
/* Opens a payload; its body is then written to chain->buf. Close it before the next. */
void ike_chain_begin(struct ike_chain *c, uint8_t type);
void ike_chain_end(struct ike_chain *c);
/* A whole payload. */
void ike_chain_put(struct ike_chain *c, uint8_t type, const void *body, size_t len);
void ike_chain_notify(struct ike_chain *c, uint16_t type, const void *data, size_t len);
/* With protocol ESP and an SPI. */
void ike_chain_notify_spi(struct ike_chain *c, uint16_t type, uint32_t spi);
void ike_chain_ke(struct ike_chain *c, const struct ike_dh *dh);
/* Protocol ESP: the SPIs of `count` Child SAs. */
void ike_chain_delete_children(struct ike_chain *c, const uint32_t *spis, unsigned count);
void ike_chain_delete_ike(struct ike_chain *c);

#endif
