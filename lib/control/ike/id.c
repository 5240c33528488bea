/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Identities: from text, from and to the wire, compared and printed. Names compare without case, as DNS
 * names do; everything else byte by byte.
 */

#include "ike/id.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static struct ike_id id_of(uint8_t type, const void *bytes, size_t len)
{
	struct ike_id id = {.type = type, .len = (uint8_t)len};

	memcpy(id.bytes, bytes, len);
	return id;
}

struct ike_id ike_id_of_addr(const struct ip_addr *addr)
{
	return id_of(
	    addr->family == IP_V6 ? IKE_ID_IPV6 : IKE_ID_IPV4, addr->bytes, ip_bytes(addr->family));
}

static int parse_key_id(const char *text, struct ike_id *out)
{
	uint8_t bytes[IKE_ID_MAX];
	size_t len = strlen(text);
	int n;

	if (!strncmp(text, "0x", 2)) {
		n = text_unhex(text, bytes, sizeof(bytes));
		if (n <= 0)
			return -EINVAL;
		*out = id_of(IKE_ID_KEY_ID, bytes, (size_t)n);
		return 0;
	}
	if (len == 0 || len > IKE_ID_MAX)
		return -EINVAL;
	*out = id_of(IKE_ID_KEY_ID, text, len);
	return 0;
}

int ike_id_parse(const char *text, struct ike_id *out)
{
	size_t len = strlen(text);
	struct ip_addr addr;

	if (!strcmp(text, "%any")) {
		*out = (struct ike_id){.type = IKE_ID_ANY};
		return 0;
	}
	if (!strncmp(text, "keyid:", 6))
		return parse_key_id(text + 6, out);
	if (len == 0 || len > IKE_ID_MAX)
		return -EINVAL;
	if (!ip_parse(text, &addr))
		*out = ike_id_of_addr(&addr);
	else
		*out = id_of(strchr(text, '@') ? IKE_ID_USER_FQDN : IKE_ID_FQDN, text, len);
	return 0;
}

bool ike_id_eq(const struct ike_id *a, const struct ike_id *b)
{
	if (a->type != b->type || a->len != b->len)
		return false;
	if (a->type == IKE_ID_FQDN || a->type == IKE_ID_USER_FQDN)
		return !strncasecmp((const char *)a->bytes, (const char *)b->bytes, a->len) &&
		    !memchr(a->bytes, 0, a->len);
	return !memcmp(a->bytes, b->bytes, a->len);
}

bool ike_id_matches(const struct ike_id *configured, const struct ike_id *id)
{
	return configured->type == IKE_ID_ANY || ike_id_eq(configured, id);
}

const char *ike_id_text(const struct ike_id *id, char buf[IKE_ID_TEXT_MAX])
{
	struct text t = text_of(buf, IKE_ID_TEXT_MAX);
	char bytes[IKE_ID_TEXT_MAX - 20];
	struct ip_addr addr;

	switch (id->type) {
	case IKE_ID_ANY:
		text_add(&t, "%any");
		break;
	case IKE_ID_IPV4:
	case IKE_ID_IPV6:
		if (id->len == 4 || id->len == 16) {
			addr = ip_from_bytes(id->len == 4 ? IP_V4 : IP_V6, id->bytes);
			return ip_text(&addr, buf);
		}
		text_add(&t, "address of the wrong size");
		break;
	case IKE_ID_FQDN:
	case IKE_ID_USER_FQDN:
		return text_sanitise(id->bytes, id->len, buf, IKE_ID_TEXT_MAX);
	case IKE_ID_KEY_ID:
		text_addf(&t, "keyid:%s", text_sanitise(id->bytes, id->len, bytes, sizeof(bytes)));
		break;
	default:
		text_addf(&t, "type %u:%s", id->type,
		    text_sanitise(id->bytes, id->len, bytes, sizeof(bytes)));
	}
	return buf;
}

int ike_id_read(const struct ike_payload *p, struct ike_id *out)
{
	struct wire w = ike_payload_wire(p);
	size_t len;

	*out = (struct ike_id){.type = wire_u8(&w)};
	wire_skip(&w, 3); /* reserved: ignored, but signed as received */
	if (!wire_ok(&w))
		return -EBADMSG;
	len = wire_left(&w);
	out->len = (uint8_t)(len < IKE_ID_MAX ? len : IKE_ID_MAX);
	wire_copy(&w, out->bytes, out->len);
	switch (out->type) {
	case IKE_ID_IPV4:
		return len == 4 ? 0 : -EBADMSG;
	case IKE_ID_IPV6:
		return len == 16 ? 0 : -EBADMSG;
	case IKE_ID_FQDN:
	case IKE_ID_USER_FQDN:
	case IKE_ID_KEY_ID:
		return len == 0 ? -EBADMSG : len > IKE_ID_MAX ? -ENOTSUP : 0;
	default:
		return -ENOTSUP;
	}
}

size_t ike_id_body(const struct ike_id *id, uint8_t out[IKE_ID_BODY_MAX])
{
	out[0] = id->type;
	memset(out + 1, 0, 3);
	memcpy(out + 4, id->bytes, id->len);
	return 4u + id->len;
}
