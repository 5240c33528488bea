/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Every read passes through wire_bytes() and every write through wirebuf_reserve(): the two bounds
 * checks of the wire protocols stand there and nowhere else.
 */

#include "base/wire.h"

#include <string.h>

/* Reader */

const uint8_t *wire_bytes(struct wire *w, size_t len)
{
	const uint8_t *at = w->at;

	if (w->failed || len > (size_t)(w->end - w->at)) {
		w->failed = true;
		return NULL;
	}
	if (len)
		w->at += len;
	return at;
}

/* A big-endian integer of 1..8 bytes; 0 on failure. */
static uint64_t read_uint(struct wire *w, unsigned bytes)
{
	const uint8_t *p = wire_bytes(w, bytes);
	uint64_t v = 0;

	if (!p)
		return 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t wire_u8(struct wire *w)
{
	return (uint8_t)read_uint(w, 1);
}

uint16_t wire_u16(struct wire *w)
{
	return (uint16_t)read_uint(w, 2);
}

uint32_t wire_u24(struct wire *w)
{
	return (uint32_t)read_uint(w, 3);
}

uint32_t wire_u32(struct wire *w)
{
	return (uint32_t)read_uint(w, 4);
}

uint64_t wire_u64(struct wire *w)
{
	return read_uint(w, 8);
}

void wire_copy(struct wire *w, void *out, size_t len)
{
	const uint8_t *p = wire_bytes(w, len);

	if (len == 0)
		return;
	if (p)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

void wire_skip(struct wire *w, size_t len)
{
	wire_bytes(w, len);
}

struct wire wire_sub(struct wire *w, size_t len)
{
	const uint8_t *p = wire_bytes(w, len);

	if (w->failed)
		return (struct wire){NULL, NULL, true};
	return wire_of(p, len);
}

/* Writer */

uint8_t *wirebuf_reserve(struct wirebuf *b, size_t len)
{
	uint8_t *at = b->at;

	if (b->failed || len > (size_t)(b->end - b->at)) {
		b->failed = true;
		return NULL;
	}
	if (len)
		b->at += len;
	return at;
}

static void store_uint(uint8_t *p, unsigned bytes, uint64_t v)
{
	for (unsigned i = bytes; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

static void write_uint(struct wirebuf *b, unsigned bytes, uint64_t v)
{
	uint8_t *p = wirebuf_reserve(b, bytes);

	if (p)
		store_uint(p, bytes, v);
}

void wirebuf_u8(struct wirebuf *b, uint8_t v)
{
	write_uint(b, 1, v);
}

void wirebuf_u16(struct wirebuf *b, uint16_t v)
{
	write_uint(b, 2, v);
}

void wirebuf_u24(struct wirebuf *b, uint32_t v)
{
	write_uint(b, 3, v);
}

void wirebuf_u32(struct wirebuf *b, uint32_t v)
{
	write_uint(b, 4, v);
}

void wirebuf_u64(struct wirebuf *b, uint64_t v)
{
	write_uint(b, 8, v);
}

void wirebuf_put(struct wirebuf *b, const void *bytes, size_t len)
{
	uint8_t *p = wirebuf_reserve(b, len);

	if (p && len)
		memcpy(p, bytes, len);
}

void wirebuf_zero(struct wirebuf *b, size_t len)
{
	uint8_t *p = wirebuf_reserve(b, len);

	if (p && len)
		memset(p, 0, len);
}

static void overwrite_uint(struct wirebuf *b, size_t offset, unsigned bytes, uint64_t v)
{
	size_t len = wirebuf_len(b);

	if (b->failed || len < bytes || offset > len - bytes)
		b->failed = true;
	else
		store_uint(b->start + offset, bytes, v);
}

void wirebuf_u8_at(struct wirebuf *b, size_t offset, uint8_t v)
{
	overwrite_uint(b, offset, 1, v);
}

void wirebuf_u16_at(struct wirebuf *b, size_t offset, uint16_t v)
{
	overwrite_uint(b, offset, 2, v);
}

void wirebuf_u32_at(struct wirebuf *b, size_t offset, uint32_t v)
{
	overwrite_uint(b, offset, 4, v);
}
