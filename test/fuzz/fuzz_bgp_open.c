/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Any bytes as the body of an OPEN, NOTIFICATION and ROUTE-REFRESH. What an OPEN was understood to say is written and
 * read again: the same. The rules of the session come from the first bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "bgp/bgp.h"
#include "bgp/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct bgp_open *open, const struct bgp_open_rules *rules)
{
	uint8_t bytes[BGP_MESSAGE_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	struct bgp_open again;
	struct bgp_error error;
	struct bgp_header header;
	struct wire body;

	bgp_open_write(&b, open);
	if (!wirebuf_ok(&b) || !bgp_header_parse(bytes, BGP_MESSAGE_MAX, &header, &error) ||
	    header.len != wirebuf_len(&b))
		abort();
	body = wire_of(bytes, header.len);
	wire_skip(&body, BGP_HEADER_BYTES);
	if (!bgp_open_parse(body, rules, &again, &error))
		abort();
	if (again.as != open->as || again.id != open->id || again.hold_s != open->hold_s ||
	    again.families != open->families || again.as4 != open->as4 ||
	    again.refresh != open->refresh || again.enhanced_refresh != open->enhanced_refresh ||
	    again.extended_messages != open->extended_messages || again.role != open->role ||
	    again.graceful_restart != open->graceful_restart ||
	    again.restarting != open->restarting ||
	    again.notification_restart != open->notification_restart ||
	    again.restart_s != open->restart_s ||
	    again.restart_families != open->restart_families ||
	    again.forwarding_families != open->forwarding_families)
		abort();
}

static void open_of(struct wire w)
{
	struct bgp_open_rules rules = {
	    .local_as = 65000, .remote_as = 65001, .local_id = 0x0a000001};
	uint8_t choice = wire_u8(&w);
	struct bgp_open open;
	struct bgp_error error;

	if (choice & 1)
		rules.remote_as = rules.local_as;
	if (choice & 2)
		rules.remote_as = 4200000000u;
	rules.families = choice >> 2 & 3 ? choice >> 2 & 3 : 1;
	rules.role = choice >> 4 & 7;
	if (rules.role > BGP_ROLE_PEER)
		rules.role = BGP_ROLE_NONE;
	rules.role_strict = choice & 128;
	if (bgp_open_parse(w, &rules, &open, &error))
		check_again(&open, &rules);
	else if (error.code != BGP_ERR_OPEN || error.subcode > BGP_OPEN_ROLE)
		abort();
}

/* The text of a shutdown is printable, whatever it was (RFC 9003). */
static void notification_of(struct wire w)
{
	char text[BGP_END_TEXT_MAX];
	struct bgp_notification n;

	if (!bgp_notification_parse(w, &n))
		return;
	bgp_shutdown_text(&n, text, sizeof(text));
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	}
}

static void refresh_of(struct wire w)
{
	uint8_t bytes[BGP_MESSAGE_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	size_t begin = bgp_message_begin(&b, BGP_ROUTE_REFRESH);
	struct bgp_refresh refresh;
	struct bgp_error error;

	wirebuf_put(&b, w.at, wire_left(&w));
	bgp_message_end(&b, begin);
	if (wirebuf_ok(&b))
		bgp_refresh_parse(wire_of(bytes, wirebuf_len(&b)), &refresh, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = wire_of(data, size);

	open_of(w);
	notification_of(w);
	refresh_of(w);
	return 0;
}
