/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_MESSAGE_H
#define BGP_MESSAGE_H

/* Messages as bytes: headers, and the bodies that are not UPDATE. Pure: verdicts, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "bgp/error.h"
#include "bgp/numbers.h"

struct bgp_header {
	uint16_t len; /* of the whole message */
	uint8_t type; /* enum bgp_message_type */
};

/*
 * Checks a header (RFC 4271 6.1). `max`: the longest message this session may have (RFC 8654; OPEN and
 * KEEPALIVE stay at 4096 anyway). True, or false with the NOTIFICATION to send.
 */
bool bgp_header_parse(const uint8_t bytes[BGP_HEADER_BYTES], unsigned max, struct bgp_header *out,
    struct bgp_error *error);

/* Writes a header whose length bgp_message_end() fills in. Returns where the message began. */
size_t bgp_message_begin(struct wirebuf *out, enum bgp_message_type type);
void bgp_message_end(struct wirebuf *out, size_t begin);

/* ---- OPEN (RFC 4271 4.2) ---- */

/* What an OPEN says, ours or theirs. */
struct bgp_open {
	uint32_t as, id; /* the AS from capability 65 when it is there */
	uint16_t hold_s;
	uint8_t families; /* without capability 1 from the peer: IPv4 */
	bool as4;
	bool refresh, enhanced_refresh, extended_messages;
	uint8_t role; /* enum bgp_role */
	bool graceful_restart, restarting, notification_restart;
	uint16_t restart_s;
	uint8_t restart_families, forwarding_families; /* RFC 4724 3: listed; F bit set */
	bool has_capabilities;
};

/* What an OPEN must be to be ours. */
struct bgp_open_rules {
	uint32_t local_as, remote_as, local_id;
	uint8_t families; /* one of them at least */
	uint8_t role;     /* ours */
	bool role_strict;
};

/*
 * The body of an OPEN against RFC 4271 6.2, 6286, 7607, 5492, 9072, 9234. True, or false and *error.
 * Capabilities that we do not know, or of impossible length, are ignored.
 */
bool bgp_open_parse(struct wire body, const struct bgp_open_rules *rules, struct bgp_open *out,
    struct bgp_error *error);
/* A whole message. */
void bgp_open_write(struct wirebuf *out, const struct bgp_open *open);

/* ---- NOTIFICATION (RFC 4271 4.5) ---- */

void bgp_notification_write(struct wirebuf *out, const struct bgp_error *error);
struct bgp_notification {
	uint8_t code, subcode;
	bool hard; /* came inside a hard reset (RFC 8538): code and subcode are the inner ones */
	const uint8_t *data;
	size_t len;
};
/* False when there is not even a code and subcode. */
bool bgp_notification_parse(struct wire body, struct bgp_notification *out);
/* Cease 9 around another NOTIFICATION. *inner must outlive the result. */
struct bgp_error bgp_error_hard(const struct bgp_error *inner, uint8_t room[BGP_MESSAGE_MAX]);
/* The text of a shutdown communication (RFC 9003), made printable; "" when there is none. */
const char *bgp_shutdown_text(const struct bgp_notification *n, char *buf, size_t capacity);
/* Cease with such a text; `room` holds the data. */
struct bgp_error bgp_error_cease(
    enum bgp_cease cease, const char *text, uint8_t room[BGP_SHUTDOWN_MAX + 1]);

/* ---- ROUTE-REFRESH (RFC 2918, 7313) ---- */

enum bgp_refresh_kind { BGP_REFRESH_REQUEST, BGP_REFRESH_BEGIN, BGP_REFRESH_END };
void bgp_refresh_write(struct wirebuf *out, enum bgp_family family, enum bgp_refresh_kind kind);
struct bgp_refresh {
	int family; /* -1: not ours */
	uint8_t kind;
};
/* `whole` is the message. True, or false and *error. */
bool bgp_refresh_parse(struct wire whole, struct bgp_refresh *out, struct bgp_error *error);

#endif
