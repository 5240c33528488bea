/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/suggest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX   40
#define PREFIX_MIN 3

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Edits between two words of at most WORD_MAX letters: insert, delete, replace, swap of neighbours
 * (optimal string alignment). Three rows of the usual table are kept.
 */
static unsigned edits(const char *a, unsigned a_len, const char *b, unsigned b_len)
{
	unsigned rows[3][WORD_MAX + 1];

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
			 *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			row[j] = min3(
			    row[j - 1] + 1, above[j] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    two_above[j - 2] + 1 < row[j])
				row[j] = two_above[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

static unsigned near_limit(size_t len)
{
	return len < 2 ? 0 : len < 3 ? 1 : len > 9 ? 3 : (unsigned)len / 3;
}

struct suggest suggest_for(const char *word)
{
	return (struct suggest){.word = word, .distance = near_limit(strlen(word)) + 1};
}

/* dc1 and dc2, sha3 and sha1: another number is another thing, and no typing error. */
static bool differ_in_numbers_only(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	for (;;) {
		size_t a_len = strspn(a, digits), b_len = strspn(b, digits);

		a += a_len;
		b += b_len;
		if (*a != *b || (a_len == 0) != (b_len == 0))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

const char *suggest_own_name(const char *word)
{
	static const struct {
		const char *theirs, *ours;
	} names[] = {{"modp1024", "group2"}, {"modp1536", "group5"}, {"modp2048", "group14"},
	    {"modp3072", "group15"}, {"modp4096", "group16"}, {"ecp256", "group19"},
	    {"ecp384", "group20"}, {"ecp521", "group21"}, {"x25519", "group31"},
	    {"curve25519", "group31"}, {"none", "disabled"}};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(word, names[i].theirs) == 0)
			return names[i].ours;
	}
	return word;
}

void suggest_try(struct suggest *s, const char *candidate)
{
	size_t a = strlen(s->word), b = strlen(candidate);
	unsigned distance;

	if (strcasecmp(s->word, candidate) == 0) {
		s->distance = 0;
		s->best = candidate;
		return;
	}
	if (a >= PREFIX_MIN && near_limit(a) < s->distance && strncmp(s->word, candidate, a) == 0 &&
	    !differ_in_numbers_only(s->word, candidate)) {
		s->distance = near_limit(a);
		s->best = candidate;
	}
	if (a > WORD_MAX || b > WORD_MAX || (a > b ? a - b : b - a) >= s->distance)
		return;
	distance = edits(s->word, (unsigned)a, candidate, (unsigned)b);
	if (distance < s->distance && !differ_in_numbers_only(s->word, candidate)) {
		s->distance = distance;
		s->best = candidate;
	}
}
