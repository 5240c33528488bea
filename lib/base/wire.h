/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

/*
 * Bounded cursors: the only way protocol bytes are read and written.
 *
 * A reader never passes its end, a writer never passes its capacity. The first access that would
 * makes the cursor's error stick: later reads give zero, later writes do nothing. A header is
 * therefore read in straight lines and checked once with wire_ok(). A nested TLV gets a sub-view
 * (wire_sub()) that it cannot overrun. Integers are big-endian, as on the wire.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire { /* reader */
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct wire wire_of(const void *bytes, size_t len)
{
	const uint8_t *start = bytes;

	return (struct wire){start, len ? start + len : start, false};
}
static inline bool wire_ok(const struct wire *w)
{
	return !w->failed;
}
static inline size_t wire_left(const struct wire *w)
{
	return w->failed ? 0 : (size_t)(w->end - w->at);
}
/* True when everything was read and nothing failed. */
static inline bool wire_done(const struct wire *w)
{
	return !w->failed && w->at == w->end;
}
uint8_t wire_u8(struct wire *w);
uint16_t wire_u16(struct wire *w);
uint32_t wire_u24(struct wire *w);
uint32_t wire_u32(struct wire *w);
uint64_t wire_u64(struct wire *w);
/* The next `len` bytes in place, owned by the buffer; NULL (and failed) when fewer are left. */
const uint8_t *wire_bytes(struct wire *w, size_t len);
/* Copies `len` bytes out; zero-fills `out` on failure. */
void wire_copy(struct wire *w, void *out, size_t len);
void wire_skip(struct wire *w, size_t len);
/* A view of the next `len` bytes, which are skipped here. A failed view when fewer are left. */
struct wire wire_sub(struct wire *w, size_t len);

struct wirebuf { /* writer into memory of the caller */
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

static inline struct wirebuf wirebuf_of(void *bytes, size_t capacity)
{
	uint8_t *start = bytes;

	return (struct wirebuf){start, start, capacity ? start + capacity : start, false};
}
static inline bool wirebuf_ok(const struct wirebuf *b)
{
	return !b->failed;
}
static inline size_t wirebuf_len(const struct wirebuf *b)
{
	return (size_t)(b->at - b->start);
}
static inline size_t wirebuf_room(const struct wirebuf *b)
{
	return b->failed ? 0 : (size_t)(b->end - b->at);
}
void wirebuf_u8(struct wirebuf *b, uint8_t v);
void wirebuf_u16(struct wirebuf *b, uint16_t v);
void wirebuf_u24(struct wirebuf *b, uint32_t v);
void wirebuf_u32(struct wirebuf *b, uint32_t v);
void wirebuf_u64(struct wirebuf *b, uint64_t v);
void wirebuf_put(struct wirebuf *b, const void *bytes, size_t len);
void wirebuf_zero(struct wirebuf *b, size_t len);
/* Room for `len` bytes to be filled by the caller; NULL (and failed) without it. */
uint8_t *wirebuf_reserve(struct wirebuf *b, size_t len);
/* Overwrites at an offset written earlier (a length field). Fails the buffer when out of what was
 * written. */
void wirebuf_u8_at(struct wirebuf *b, size_t offset, uint8_t v);
void wirebuf_u16_at(struct wirebuf *b, size_t offset, uint16_t v);
void wirebuf_u32_at(struct wirebuf *b, size_t offset, uint32_t v);

#endif
