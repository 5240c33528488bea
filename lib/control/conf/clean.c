/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The encoding of the file: UTF-8 and the characters that YAML 1.1 section 5.1 allows. libyaml stops at
 * the first byte that it dislikes and does not say in which line; here every one is named, and replaced
 * by a question mark so that the rest of the file can be read.
 */
#include <string.h>

#include "base/mem.h"
#include "conf/errors.h"
#include "conf/tree.h"

struct place {
	uint32_t line;
	uint32_t column;
};

/*
 * The character at `at`: its code point and, in *bytes, how many bytes it takes. -1, and the bytes to skip,
 * when it is no UTF-8 (overlong forms, surrogates and what lies beyond U+10FFFF included; RFC 3629).
 */
static int32_t decode(const unsigned char *at, size_t left, unsigned *bytes)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	int32_t c;

	*bytes = 1;
	if (n == 1)
		return at[0];
	if (n == 0 || at[0] >= 0xf8 || n > left)
		return -1;
	c = at[0] & (0x7f >> n);
	for (unsigned i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*bytes = n;
	return c;
}

static bool is_allowed(int32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
	    (c >= 0xa0 && c <= 0xfffd && c != 0xfeff) || c >= 0x10000;
}

/* Line ends as libyaml counts them. `next` is the byte behind the character, 0 at the end. */
static void advance(struct place *at, int32_t c, unsigned char next)
{
	bool ends =
	    c == '\n' || (c == '\r' && next != '\n') || c == 0x85 || c == 0x2028 || c == 0x2029;

	if (ends)
		*at = (struct place){at->line + 1, 1};
	else
		at->column++;
}

static void report(struct conf_errors *errs, struct place at, int32_t c, unsigned char byte)
{
	if (c == 0)
		errors_add(errs, SEVERITY_ERROR, at.line, at.column,
		    "a NUL byte; the file must be plain text in UTF-8");
	else if (c > 0)
		errors_add(errs, SEVERITY_ERROR, at.line, at.column,
		    "the control character U+%04X; remove it, or write it as \\x%02X in double quotes",
		    (unsigned)c, (unsigned)c & 0xff);
	else
		errors_add(errs, SEVERITY_ERROR, at.line, at.column,
		    "the byte 0x%02x is no UTF-8; save the file as UTF-8", byte);
}

char *text_clean(const char *bytes, size_t *len, struct conf_errors *errs)
{
	const unsigned char *in = (const unsigned char *)bytes;
	struct place place = {1, 1};
	bool zeros = false; /* a run of NUL bytes: the first is told, a binary file has thousands */
	size_t left = *len;
	char *copy, *out;

	if (left >= 2 && (memcmp(in, "\xff\xfe", 2) == 0 || memcmp(in, "\xfe\xff", 2) == 0)) {
		errors_add(errs, SEVERITY_ERROR, 1, 1, "the file is UTF-16; save it as UTF-8");
		return NULL;
	}
	if (left >= 3 && memcmp(in, "\xef\xbb\xbf", 3) == 0) {
		in += 3;
		left -= 3;
	}
	out = copy = xmalloc(*len + 1);
	while (left) {
		unsigned n;
		int32_t c = decode(in, left, &n);

		if (c >= 0 && is_allowed(c)) {
			memcpy(out, in, n);
			out += n;
			zeros = false;
		} else {
			if (c != 0 || !zeros)
				report(errs, place, c, *in);
			zeros = c == 0;
			*out++ = '?';
		}
		advance(&place, c, n < left ? in[n] : 0);
		in += n;
		left -= n;
	}
	memset(out, 0, (size_t)(copy + *len + 1 - out));
	*len = (size_t)(out - copy);
	return copy;
}
