/* SPDX-License-Identifier: BSD-3-Clause */

/* One line per key, "0123456789abcdef0123456789abcdef 1048577"; lines are few, a list is enough. */

#include "router/tunnels/sequences.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/state.h"

#define FILE_NAME "sequences"

struct reserved {
	struct sequence_key key;
	uint64_t next;
};

struct sequences {
	char *state_dir;
	struct reserved *item; /* ordered by key */
	size_t count, capacity;
	bool dirty;
};

void sequence_key_of(const struct conf_manual_sa *sa, bool aead, struct sequence_key *out)
{
	static const char purpose[] = "sequence numbers of a manual key";
	const uint32_t spi = aead ? 0 : sa->spi;
	uint8_t in[sizeof(purpose) + sizeof(spi) + CONF_KEY_BYTES_MAX], digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	memcpy(in, purpose, sizeof(purpose));
	len += sizeof(purpose);
	memcpy(in + len, &spi, sizeof(spi));
	len += sizeof(spi);
	memcpy(in + len, sa->encryption_key.bytes, sa->encryption_key.len);
	len += sa->encryption_key.len;
	if (!EVP_Digest(in, len, digest, NULL, EVP_sha256(), NULL))
		abort();
	memcpy(out->id, digest, sizeof(out->id));
	secret_wipe(in, sizeof(in));
	secret_wipe(digest, sizeof(digest));
}

/* Where the key is, or would go. */
static size_t place_of(const struct sequences *s, const struct sequence_key *key)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(s->item[middle].key.id, key->id, sizeof(key->id)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct sequences *s, size_t place, const struct sequence_key *key)
{
	return place < s->count && memcmp(s->item[place].key.id, key->id, sizeof(key->id)) == 0;
}

uint64_t sequences_unused(const struct sequences *s, const struct sequence_key *key)
{
	size_t place = place_of(s, key);

	return is_at(s, place, key) ? s->item[place].next : 1;
}

void sequences_reserve(struct sequences *s, const struct sequence_key *key, uint64_t next)
{
	size_t place = place_of(s, key);

	if (is_at(s, place, key)) {
		s->dirty |= s->item[place].next != next;
		s->item[place].next = next;
		return;
	}
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->item = xrealloc(s->item, s->capacity * sizeof(*s->item));
	}
	memmove(s->item + place + 1, s->item + place, (s->count - place) * sizeof(*s->item));
	s->item[place] = (struct reserved){*key, next};
	s->count++;
	s->dirty = true;
}

/* ---- the file ---- */

static bool parse_key(const char *text, struct sequence_key *out)
{
	for (unsigned i = 0; i < SEQUENCE_KEY_BYTES; i++) {
		if (sscanf(text + (size_t)2 * i, "%2" SCNx8, &out->id[i]) != 1)
			return false;
	}
	return true;
}

static bool parse_line(struct sequences *s, const char *line)
{
	struct sequence_key key;
	uint64_t next;
	int end = 0;

	if (strspn(line, "0123456789abcdef") != (size_t)2 * SEQUENCE_KEY_BYTES ||
	    sscanf(line + 2 * SEQUENCE_KEY_BYTES, " %" SCNu64 "%n", &next, &end) != 1 ||
	    line[2 * SEQUENCE_KEY_BYTES + end] || next == 0 || !parse_key(line, &key))
		return false;
	sequences_reserve(s, &key, next);
	return true;
}

static bool parse(struct sequences *s, char *text)
{
	for (char *line = text, *next; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			return false;
		*next++ = '\0';
		if (!parse_line(s, line))
			return false;
	}
	s->dirty = false;
	return true;
}

int sequences_open(const char *state_dir, struct sequences **out)
{
	struct sequences *s = xcalloc(1, sizeof(*s));
	char *text = NULL;
	size_t len;

	s->state_dir = xstrdup(state_dir);
	int rc = state_read(state_dir, FILE_NAME, &text, &len);
	if (rc == 0 && !parse(s, text))
		rc = -EBADMSG;
	free(text);
	if (rc == 0 || rc == -ENOENT) {
		*out = s;
		return 0;
	}
	sequences_free(s);
	return rc;
}

void sequences_free(struct sequences *s)
{
	if (!s)
		return;
	free(s->state_dir);
	free(s->item);
	free(s);
}

int sequences_store(struct sequences *s)
{
	char *text = NULL;
	size_t len;

	if (!s->dirty)
		return 0;
	if (mkdir(s->state_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		abort();
	for (size_t i = 0; i < s->count; i++) {
		for (unsigned k = 0; k < SEQUENCE_KEY_BYTES; k++)
			fprintf(f, "%02x", s->item[i].key.id[k]);
		fprintf(f, " %" PRIu64 "\n", s->item[i].next);
	}
	fclose(f);
	int rc = state_write(s->state_dir, FILE_NAME, text, len);
	free(text);
	s->dirty = rc < 0;
	return rc;
}
