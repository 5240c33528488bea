/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of networking: addresses, prefixes, AS numbers, communities, identities. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/pool.h"
#include "conf/value.h"

enum value_fault parse_ip(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	return ip_parse(s, at) == 0 ? VALUE_GOOD : VALUE_NOT_VALID;
}

enum value_fault parse_prefix(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	switch (ip_prefix_parse(s, at)) {
	case 0:
		return VALUE_GOOD;
	case -EDOM:
		return VALUE_HOST_BITS;
	case -ERANGE:
		return VALUE_OUT_OF_RANGE;
	default:
		return VALUE_NOT_VALID;
	}
}

enum value_fault parse_ifaddr(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	struct conf_ifaddr *out = at;
	int err = ip_ifaddr_parse(s, &out->addr, &out->len);

	return err == 0 ? VALUE_GOOD : err == -ERANGE ? VALUE_OUT_OF_RANGE : VALUE_NOT_VALID;
}

void write_ip(const struct kw *row, const void *at, char *buf)
{
	ip_text(at, buf);
}

void write_prefix(const struct kw *row, const void *at, char *buf)
{
	ip_prefix_text(at, buf);
}

void write_ifaddr(const struct kw *row, const void *at, char *buf)
{
	const struct conf_ifaddr *a = at;
	char text[IP_TEXT_MAX];

	snprintf(buf, VALUE_TEXT_MAX, "%s/%u", ip_text(&a->addr, text), a->len);
}

/* "high<separator>low", both of 16 bits. */
static enum value_fault parse_halves(const char *s, char separator, uint32_t *out)
{
	const char *at = strchr(s, separator);
	char high[8] = "";
	uint64_t h, l;
	bool huge = false;

	if (!at || (size_t)(at - s) >= sizeof(high))
		return VALUE_NOT_VALID;
	memcpy(high, s, (size_t)(at - s));
	if (!parse_decimal(high, &h, &huge) || !parse_decimal(at + 1, &l, &huge))
		return huge ? VALUE_OUT_OF_RANGE : VALUE_NOT_VALID;
	if (h > UINT16_MAX || l > UINT16_MAX)
		return VALUE_OUT_OF_RANGE;
	*out = (uint32_t)(h << 16 | l);
	return VALUE_GOOD;
}

/* B4: plain or asdot (RFC 5396). AS 0 is nobody's (RFC 7607). */
enum value_fault parse_asn(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	uint32_t asn = 0;
	bool huge = false;
	uint64_t v;

	if (strchr(s, '.')) {
		enum value_fault fault = parse_halves(s, '.', &asn);

		if (fault)
			return fault;
	} else if (!parse_decimal(s, &v, &huge)) {
		return huge ? VALUE_OUT_OF_RANGE : VALUE_NOT_VALID;
	} else if (v > UINT32_MAX) {
		return VALUE_OUT_OF_RANGE;
	} else {
		asn = (uint32_t)v;
	}
	if (asn == 0)
		return VALUE_OUT_OF_RANGE;
	*(uint32_t *)at = asn;
	return VALUE_GOOD;
}

/* RFC 1997, RFC 8326 (graceful-shutdown), RFC 9494 (llgr-stale), RFC 7999 (blackhole). */
static const struct value_name communities[] = {{"graceful-shutdown", 0xffff0000},
    {"llgr-stale", 0xffff0006}, {"no-llgr", 0xffff0007}, {"blackhole", 0xffff029a},
    {"no-export", 0xffffff01}, {"no-advertise", 0xffffff02}, {"no-export-subconfed", 0xffffff03},
    {"no-peer", 0xffffff04}, {0}};

enum value_fault parse_community(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	for (const struct value_name *n = communities; n->name; n++) {
		if (strcmp(n->name, s) == 0) {
			*(uint32_t *)at = n->value;
			return VALUE_GOOD;
		}
	}
	return parse_halves(s, ':', at);
}

void write_community(const struct kw *row, const void *at, char *buf)
{
	uint32_t v = *(const uint32_t *)at;

	for (const struct value_name *n = communities; n->name; n++) {
		if (n->value == v) {
			strcpy(buf, n->name);
			return;
		}
	}
	snprintf(buf, VALUE_TEXT_MAX, "%u:%u", v >> 16, v & 0xffff);
}

/* Six bytes in hexadecimal with colons, of one station: not zero, not a group. */
enum value_fault parse_mac(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	struct conf_mac mac = {{0}};
	unsigned any = 0;

	for (unsigned i = 0; i < sizeof(mac.bytes); i++, s += 3) {
		const char end = i + 1 < sizeof(mac.bytes) ? ':' : '\0';

		if (strlen(s) < 2 || s[2] != end ||
		    text_unhex((char[]){s[0], s[1], '\0'}, &mac.bytes[i], 1) != 1)
			return VALUE_NOT_VALID;
		any |= mac.bytes[i];
	}
	if (!any || mac.bytes[0] & 1)
		return VALUE_NOT_VALID;
	*(struct conf_mac *)at = mac;
	return VALUE_GOOD;
}

void write_mac(const struct kw *row, const void *at, char *buf)
{
	const uint8_t *b = ((const struct conf_mac *)at)->bytes;

	snprintf(buf, VALUE_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
	    b[5]);
}

#define KEY_ID_PREFIX "keyid:"

/* Letters, digits, '-', '_' and single dots, 1..255: what goes for a domain name in an identity. */
static bool is_domain(const char *s)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(s);

	return len > 0 && len <= 255 && strspn(s, letters) == len && s[0] != '.' &&
	    !strstr(s, "..");
}

static bool is_printable(const char *s)
{
	for (; *s; s++) {
		if (*s < 0x21 || *s > 0x7e)
			return false;
	}
	return true;
}

/* T20. Looks like an address and is none (1.2.3, 10.0.0.256): a typing error, not a domain name. */
static bool is_number_like(const char *s)
{
	return strspn(s, "0123456789.") == strlen(s);
}

enum value_fault parse_id(const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	struct conf_id id = {.type = CONF_ID_FQDN};
	const char *sign = strchr(s, '@');
	size_t len = strlen(s);

	if (len == 0 || len > 255 || !is_printable(s))
		return VALUE_NOT_VALID;
	if (ip_parse(s, &id.addr) == 0) {
		id.type = CONF_ID_ADDRESS;
	} else if (strncmp(s, KEY_ID_PREFIX, strlen(KEY_ID_PREFIX)) == 0) {
		id.type = CONF_ID_KEY_ID;
		s += strlen(KEY_ID_PREFIX);
		if (*s == '\0')
			return VALUE_NOT_VALID;
	} else if (sign && sign != s) {
		id.type = CONF_ID_USER_FQDN;
		if (!is_domain(sign + 1))
			return VALUE_NOT_VALID;
	} else {
		s += sign == s;
		if (!is_domain(s) || (!sign && is_number_like(s)))
			return VALUE_NOT_VALID;
	}
	id.text = pool_text(pool, s, strlen(s));
	memcpy(at, &id, sizeof(id));
	return VALUE_GOOD;
}

void write_id(const struct kw *row, const void *at, char *buf)
{
	const struct conf_id *id = at;
	const char *mark = id->type == CONF_ID_KEY_ID              ? KEY_ID_PREFIX
	    : id->type == CONF_ID_FQDN && is_number_like(id->text) ? "@"
								   : "";

	snprintf(buf, VALUE_TEXT_MAX, "%s%s", mark, id->text ? id->text : "");
}
