/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/* Text that comes from outside, made safe to print; and bounded building of strings. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends to a buffer of the caller, terminated, never beyond; `cut`: something did not fit. */
struct text {
	char *buf;
	size_t len;
	size_t capacity;
	bool cut;
};
struct text text_of(char *buf, size_t capacity);
void text_add(struct text *t, const char *s);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Bytes of a peer (identities, reasons, vendor IDs) as printable ASCII: anything but 0x20..0x7e,
 * and the backslash, becomes \xNN. Cuts with "..." at the capacity. Returns buf. (I17, G8)
 */
const char *text_sanitise(const void *bytes, size_t len, char *buf, size_t capacity);
/* Lower-case hex; cuts with "..." */
const char *text_hex(const void *bytes, size_t len, char *buf, size_t capacity);
/* "0x0102" or "0102" to bytes. The count of bytes, or -EINVAL, or -ENOSPC. */
int text_unhex(const char *hex, uint8_t *out, size_t capacity);
/* Copies with termination, false when cut. */
bool text_copy(char *dst, size_t capacity, const char *src);

#endif
