/* SPDX-License-Identifier: BSD-3-Clause */

/* NOTIFICATION: errors, shutdown communications (RFC 9003), hard resets (RFC 8538). */

#include <string.h>

#include "base/text.h"
#include "bgp/message.h"

void bgp_notification_write(struct wirebuf *out, const struct bgp_error *error)
{
	size_t begin = bgp_message_begin(out, BGP_NOTIFICATION);
	const uint8_t *data = error->data ? error->data : error->own;
	size_t len = error->data ? error->len : error->own_len;

	if (len > BGP_MESSAGE_MAX - BGP_HEADER_BYTES - 2)
		len = BGP_MESSAGE_MAX - BGP_HEADER_BYTES - 2;
	wirebuf_u8(out, error->code);
	wirebuf_u8(out, error->subcode);
	wirebuf_put(out, data, len);
	bgp_message_end(out, begin);
}

bool bgp_notification_parse(struct wire body, struct bgp_notification *out)
{
	out->code = wire_u8(&body);
	out->subcode = wire_u8(&body);
	out->hard = false;
	if (!wire_ok(&body))
		return false;
	if (out->code == BGP_ERR_CEASE && out->subcode == BGP_CEASE_HARD_RESET) {
		out->hard = true;
		if (wire_left(&body) >= 2) {
			out->code = wire_u8(&body);
			out->subcode = wire_u8(&body);
		}
	}
	out->data = body.at;
	out->len = wire_left(&body);
	return true;
}

struct bgp_error bgp_error_hard(const struct bgp_error *inner, uint8_t room[BGP_MESSAGE_MAX])
{
	size_t len = inner->data ? inner->len : inner->own_len;

	if (len > BGP_MESSAGE_MAX - 2)
		len = BGP_MESSAGE_MAX - 2;
	room[0] = inner->code;
	room[1] = inner->subcode;
	if (len)
		memcpy(room + 2, inner->data ? inner->data : inner->own, len);
	return bgp_error_bytes(BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, room, len + 2);
}

const char *bgp_shutdown_text(const struct bgp_notification *n, char *buf, size_t capacity)
{
	struct wire w = wire_of(n->data, n->len);
	uint8_t len = wire_u8(&w);
	const uint8_t *text = wire_bytes(&w, len);

	buf[0] = '\0';
	if (n->code != BGP_ERR_CEASE ||
	    (n->subcode != BGP_CEASE_SHUTDOWN && n->subcode != BGP_CEASE_RESET))
		return buf;
	if (wire_ok(&w))
		return text_sanitise(text, len, buf, capacity);
	return buf;
}

/* Cuts at a character of UTF-8, not amid one. */
static size_t cut_utf8(const char *text)
{
	size_t len = strlen(text);

	if (len <= BGP_SHUTDOWN_MAX)
		return len;
	len = BGP_SHUTDOWN_MAX;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

struct bgp_error bgp_error_cease(
    enum bgp_cease cease, const char *text, uint8_t room[BGP_SHUTDOWN_MAX + 1])
{
	size_t len = text ? cut_utf8(text) : 0;

	if (len == 0 || (cease != BGP_CEASE_SHUTDOWN && cease != BGP_CEASE_RESET))
		return bgp_error_of(BGP_ERR_CEASE, (uint8_t)cease);
	room[0] = (uint8_t)len;
	memcpy(room + 1, text, len);
	return bgp_error_bytes(BGP_ERR_CEASE, (uint8_t)cease, room, len + 1);
}
