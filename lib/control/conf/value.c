/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/text.h"
#include "conf/pool.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

bool parse_decimal(const char *s, uint64_t *out, bool *huge)
{
	uint64_t v = 0;

	if (*s == '\0' || strspn(s, DIGITS) != strlen(s) || (s[0] == '0' && s[1] != '\0'))
		return false;
	for (; *s; s++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v)) {
			*huge = true;
			return false;
		}
	}
	*out = v;
	return true;
}

bool is_name(const char *s)
{
	size_t len = strlen(s);

	return len >= 2 && len <= 128 && strspn(s, LETTERS) > 0 &&
	    strspn(s, LETTERS DIGITS "_-") == len;
}

static enum value_fault parse_bool(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}};

	for (unsigned i = 0; i < 6; i++) {
		if (strcasecmp(s, words[i / 2][i % 2]) == 0) {
			*(bool *)at = i % 2;
			return VALUE_GOOD;
		}
	}
	return VALUE_NOT_VALID;
}

static enum value_fault parse_number(const struct kw *row, const char *s, uint64_t *out)
{
	bool huge = false;

	if (*s == '-' && parse_decimal(s + 1, out, &huge))
		return VALUE_OUT_OF_RANGE;
	if (!parse_decimal(s, out, &huge))
		return huge ? VALUE_OUT_OF_RANGE : VALUE_NOT_VALID;
	return *out < row->min || *out > row->max ? VALUE_OUT_OF_RANGE : VALUE_GOOD;
}

static enum value_fault parse_uint(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	uint64_t v;
	enum value_fault fault = parse_number(row, s, &v);

	if (fault == VALUE_GOOD)
		*(uint32_t *)at = (uint32_t)v;
	return fault;
}

static enum value_fault parse_count(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	uint64_t v;
	enum value_fault fault = parse_number(row, s, &v);

	if (fault == VALUE_GOOD)
		*(uint64_t *)at = v;
	return fault;
}

/* Numbers with a unit behind them, each `step` times the one before. */
struct units {
	const char *letters;
	uint64_t step;
};
static const struct units size_units = {"KMGT", 1024}, rate_units = {"kMGT", 1000};

static enum value_fault parse_with_unit(
    const struct kw *row, const struct units *units, const char *s, void *at)
{
	size_t len = strlen(s);
	const char *unit = len ? strchr(units->letters, s[len - 1]) : NULL;
	uint64_t factor = 1, v;
	char digits[24] = "";
	bool huge = false;

	if (len == 0 || len >= sizeof(digits))
		return VALUE_NOT_VALID;
	memcpy(digits, s, unit ? len - 1 : len);
	if (!parse_decimal(digits, &v, &huge))
		return huge ? VALUE_OUT_OF_RANGE : VALUE_NOT_VALID;
	for (const char *u = units->letters; unit && u <= unit; u++)
		factor *= units->step;
	if (__builtin_mul_overflow(v, factor, &v) || v < row->min || v > row->max)
		return VALUE_OUT_OF_RANGE;
	*(uint64_t *)at = v;
	return VALUE_GOOD;
}

static enum value_fault parse_size(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	return parse_with_unit(row, &size_units, s, at);
}

static enum value_fault parse_rate(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	return parse_with_unit(row, &rate_units, s, at);
}

/*
 * Text that any terminal and any YAML reader takes as it is: no control characters of ASCII or C1, no
 * line ends of Unicode, no byte order mark, no U+FFFE and U+FFFF. The text is UTF-8.
 */
static bool is_clean(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s; s++) {
		const char *at = (const char *)s;

		if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
			return false;
		if (strncmp(at, "\xe2\x80\xa8", 3) == 0 || strncmp(at, "\xe2\x80\xa9", 3) == 0 ||
		    strncmp(at, "\xef\xbb\xbf", 3) == 0 || strncmp(at, "\xef\xbf\xbe", 3) == 0 ||
		    strncmp(at, "\xef\xbf\xbf", 3) == 0)
			return false;
	}
	return true;
}

int text_characters(const char *s)
{
	int n = 0;

	if (!is_clean(s))
		return -1;
	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void store(const char *s, struct conf_pool *pool, void *at)
{
	*(const char **)at = pool_text(pool, s, strlen(s));
}

static enum value_fault parse_text(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	int n = text_characters(s);

	if (n < 0)
		return VALUE_NOT_VALID;
	if ((uint64_t)n < row->min || (uint64_t)n > row->max)
		return VALUE_OUT_OF_RANGE;
	store(s, pool, at);
	return VALUE_GOOD;
}

static enum value_fault parse_label(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	size_t len = strlen(s);

	if (len < 1 || len > 64 || strspn(s, LETTERS DIGITS "_-.") != len)
		return VALUE_NOT_VALID;
	store(s, pool, at);
	return VALUE_GOOD;
}

static enum value_fault parse_name(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	if (!is_name(s))
		return VALUE_NOT_VALID;
	store(s, pool, at);
	return VALUE_GOOD;
}

static enum value_fault parse_path(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	if (s[0] != '/')
		return VALUE_NOT_VALID;
	return parse_text(row, s, pool, at);
}

static enum value_fault parse_enum(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	for (const struct value_name *n = row->names; n->name; n++) {
		if (strcmp(n->name, s) == 0) {
			*(unsigned *)at = n->value;
			return VALUE_GOOD;
		}
	}
	return VALUE_UNKNOWN_WORD;
}

/* T12: printable, no space. */
static enum value_fault check_secret(const struct kw *row, const char *s)
{
	size_t len = strlen(s);

	if (strcmp(s, VALUE_SECRET_PLACEHOLDER) == 0)
		return VALUE_PLACEHOLDER;
	if (len < row->min || len > row->max)
		return VALUE_OUT_OF_RANGE;
	for (; *s; s++) {
		if (*s < 0x21 || *s > 0x7e)
			return VALUE_NOT_VALID;
	}
	return VALUE_GOOD;
}

static enum value_fault parse_psk(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	enum value_fault fault = check_secret(row, s);

	if (fault == VALUE_GOOD)
		text_copy(at, CONF_PSK_MAX + 1, s);
	return fault;
}

static enum value_fault parse_secret(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	enum value_fault fault = check_secret(row, s);

	if (fault == VALUE_GOOD)
		store(s, pool, at);
	return fault;
}

static enum value_fault parse_key(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	struct conf_key *key = at;
	int n;

	if (strcmp(s, VALUE_SECRET_PLACEHOLDER) == 0)
		return VALUE_PLACEHOLDER;
	n = text_unhex(s, key->bytes, sizeof(key->bytes));
	if (n <= 0) {
		secret_wipe(key, sizeof(*key));
		return VALUE_NOT_VALID;
	}
	key->len = (uint8_t)n;
	return VALUE_GOOD;
}

static enum value_fault parse_spi(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at)
{
	uint64_t v = 0;

	if (strncmp(s, "0x", 2) != 0)
		return parse_uint(row, s, pool, at);
	s += 2;
	if (*s == '\0' || strspn(s, DIGITS "abcdefABCDEF") != strlen(s))
		return VALUE_NOT_VALID;
	if (strlen(s) > 8)
		return VALUE_OUT_OF_RANGE;
	for (; *s; s++)
		v = v << 4 | (unsigned)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	if (v < row->min || v > row->max)
		return VALUE_OUT_OF_RANGE;
	*(uint32_t *)at = (uint32_t)v;
	return VALUE_GOOD;
}

static void write_bool(const struct kw *row, const void *at, char *buf)
{
	strcpy(buf, *(const bool *)at ? "yes" : "no");
}

static void write_uint(const struct kw *row, const void *at, char *buf)
{
	snprintf(buf, VALUE_TEXT_MAX, "%" PRIu32, *(const uint32_t *)at);
}

static void write_count(const struct kw *row, const void *at, char *buf)
{
	snprintf(buf, VALUE_TEXT_MAX, "%" PRIu64, *(const uint64_t *)at);
}

/* In the largest unit that leaves no rest. */
static void write_with_unit(const struct units *units, uint64_t v, char *buf)
{
	const char *unit = "", *next = units->letters;

	for (; *next && v && v % units->step == 0; next++) {
		v /= units->step;
		unit = next;
	}
	snprintf(buf, VALUE_TEXT_MAX, "%" PRIu64 "%.1s", v, unit);
}

static void write_size(const struct kw *row, const void *at, char *buf)
{
	write_with_unit(&size_units, *(const uint64_t *)at, buf);
}

static void write_rate(const struct kw *row, const void *at, char *buf)
{
	write_with_unit(&rate_units, *(const uint64_t *)at, buf);
}

static void write_string(const struct kw *row, const void *at, char *buf)
{
	const char *s = *(const char *const *)at;

	text_copy(buf, VALUE_TEXT_MAX, s ? s : "");
}

static void write_enum(const struct kw *row, const void *at, char *buf)
{
	strcpy(buf, keyword_word(row->names, *(const unsigned *)at));
}

static void write_psk(const struct kw *row, const void *at, char *buf)
{
	text_copy(buf, VALUE_TEXT_MAX, at);
}

static void write_key(const struct kw *row, const void *at, char *buf)
{
	const struct conf_key *key = at;

	text_hex(key->bytes, key->len, buf, VALUE_TEXT_MAX);
}

static void write_spi(const struct kw *row, const void *at, char *buf)
{
	snprintf(buf, VALUE_TEXT_MAX, "0x%08" PRIx32, *(const uint32_t *)at);
}

static const struct value_kind {
	size_t size;
	enum value_fault (*parse)(
	    const struct kw *row, const char *s, struct conf_pool *pool, void *at);
	void (*write)(const struct kw *row, const void *at, char *buf);
} kinds[VALUE_SCALARS] = {
    [VALUE_BOOL] = {sizeof(bool), parse_bool, write_bool},
    [VALUE_UINT] = {sizeof(uint32_t), parse_uint, write_uint},
    [VALUE_COUNT] = {sizeof(uint64_t), parse_count, write_count},
    [VALUE_SIZE] = {sizeof(uint64_t), parse_size, write_size},
    [VALUE_RATE] = {sizeof(uint64_t), parse_rate, write_rate},
    [VALUE_TEXT] = {sizeof(char *), parse_text, write_string},
    [VALUE_LABEL] = {sizeof(char *), parse_label, write_string},
    [VALUE_NAME] = {sizeof(char *), parse_name, write_string},
    [VALUE_PATH] = {sizeof(char *), parse_path, write_string},
    [VALUE_ENUM] = {sizeof(unsigned), parse_enum, write_enum},
    [VALUE_IP] = {sizeof(struct ip_addr), parse_ip, write_ip},
    [VALUE_PREFIX] = {sizeof(struct ip_prefix), parse_prefix, write_prefix},
    [VALUE_IFADDR] = {sizeof(struct conf_ifaddr), parse_ifaddr, write_ifaddr},
    [VALUE_ASN] = {sizeof(uint32_t), parse_asn, write_uint},
    [VALUE_COMMUNITY] = {sizeof(uint32_t), parse_community, write_community},
    [VALUE_PSK] = {CONF_PSK_MAX + 1, parse_psk, write_psk},
    [VALUE_SECRET] = {sizeof(char *), parse_secret, write_string},
    [VALUE_ID] = {sizeof(struct conf_id), parse_id, write_id},
    [VALUE_KEY] = {sizeof(struct conf_key), parse_key, write_key},
    [VALUE_SPI] = {sizeof(uint32_t), parse_spi, write_spi},
    [VALUE_MAC] = {sizeof(struct conf_mac), parse_mac, write_mac},
    [VALUE_REF] = {sizeof(char *), parse_name, write_string},
};

size_t value_size(enum value_type type)
{
	return kinds[type].size;
}

enum value_fault value_parse(
    const struct kw *row, const char *text, struct conf_pool *pool, void *at)
{
	return kinds[row->type].parse(row, text, pool, at);
}

const char *value_text(const struct kw *row, const void *at, char buf[VALUE_TEXT_MAX])
{
	kinds[row->type].write(row, at, buf);
	return buf;
}
