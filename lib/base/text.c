/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Strings for logs, answers and config. Bytes that a peer chose never reach a terminal as they are.
 */

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

struct text text_of(char *buf, size_t capacity)
{
	if (capacity)
		buf[0] = '\0';
	return (struct text){buf, 0, capacity, false};
}

void text_add(struct text *t, const char *s)
{
	size_t len = strlen(s);
	size_t room = t->capacity ? t->capacity - 1 - t->len : 0;

	if (len > room) {
		t->cut = true;
		len = room;
	}
	if (len == 0)
		return;
	memcpy(t->buf + t->len, s, len);
	t->len += len;
	t->buf[t->len] = '\0';
}

void text_addf(struct text *t, const char *format, ...)
{
	size_t room = t->capacity ? t->capacity - t->len : 0; /* with the terminator */
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? t->buf + t->len : NULL, room, format, args);
	va_end(args);
	if (n < 0) { /* not encodable, or beyond INT_MAX */
		t->cut = true;
		if (room)
			t->buf[t->len] = '\0';
	} else if ((size_t)n < room) {
		t->len += (size_t)n;
	} else if (n > 0) {
		t->cut = true;
		t->len = room ? t->capacity - 1 : 0;
	}
}

/*
 * Output made of units that are never split. `mark` is the end of the last unit behind which "..."
 * still fits: the place to cut at once a unit turns out to be too much.
 */
struct units {
	char *buf;
	size_t room; /* without the terminator */
	size_t at;
	size_t mark;
};

/* False when the unit did not fit; the output is then finished. */
static bool add_unit(struct units *u, const char *unit, size_t len)
{
	static const char dots[] = "...";

	if (len > u->room - u->at) {
		size_t n = u->room < 3 ? u->room : 3;

		memcpy(u->buf + u->mark, dots, n);
		u->at = u->mark + n;
		return false;
	}
	memcpy(u->buf + u->at, unit, len);
	u->at += len;
	if (u->room - u->at >= 3)
		u->mark = u->at;
	return true;
}

const char *text_sanitise(const void *bytes, size_t len, char *buf, size_t capacity)
{
	struct units u = {.buf = buf, .room = capacity - 1};
	const uint8_t *in = bytes;

	if (capacity == 0)
		return buf;
	for (size_t i = 0; i < len; i++) {
		char escaped[4] = {'\\', 'x', hex_digits[in[i] >> 4], hex_digits[in[i] & 15]};
		bool plain = in[i] >= 0x20 && in[i] <= 0x7e && in[i] != '\\';

		if (!add_unit(&u, plain ? (const char *)&in[i] : escaped, plain ? 1 : 4))
			break;
	}
	buf[u.at] = '\0';
	return buf;
}

const char *text_hex(const void *bytes, size_t len, char *buf, size_t capacity)
{
	struct units u = {.buf = buf, .room = capacity - 1};
	const uint8_t *in = bytes;

	if (capacity == 0)
		return buf;
	for (size_t i = 0; i < len; i++) {
		char pair[2] = {hex_digits[in[i] >> 4], hex_digits[in[i] & 15]};

		if (!add_unit(&u, pair, sizeof(pair)))
			break;
	}
	buf[u.at] = '\0';
	return buf;
}

/* 0..15, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_unhex(const char *hex, uint8_t *out, size_t capacity)
{
	size_t digits;

	if (hex[0] == '0' && hex[1] == 'x')
		hex += 2;
	for (digits = 0; hex[digits]; digits++) {
		if (hex_value(hex[digits]) < 0)
			return -EINVAL;
	}
	if (digits % 2)
		return -EINVAL;
	if (digits / 2 > capacity)
		return -ENOSPC;
	for (size_t i = 0; i < digits / 2; i++)
		out[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
	return (int)(digits / 2);
}

bool text_copy(char *dst, size_t capacity, const char *src)
{
	struct text t = text_of(dst, capacity);

	text_add(&t, src);
	return capacity && !t.cut;
}
