/* SPDX-License-Identifier: BSD-3-Clause */

/* A file begins with one line, "1732650000 0 3 apply" (time, user, changed keys, how); the configuration follows. */

#include "router/change/history.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/state.h"

#define NAME_MAX_BYTES 32

static char *directory(const char *state_dir)
{
	char *path;

	if (asprintf(&path, "%s/history", state_dir) < 0)
		abort();
	return path;
}

static bool parse_head(const char *line, struct history_entry *out)
{
	int at = 0;

	if (sscanf(line, "%" SCNd64 " %" SCNu32 " %u %n", &out->time, &out->uid, &out->changes,
		&at) != 3 ||
	    at == 0)
		return false;
	snprintf(out->how, sizeof(out->how), "%.*s", (int)strcspn(line + at, "\n"), line + at);
	return true;
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Which are there, the lowest first; for free(). */
static unsigned numbers(const char *dir, unsigned **out)
{
	DIR *d = opendir(dir);
	unsigned count = 0;

	*out = NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		unsigned number;
		int end = 0;

		if (sscanf(e->d_name, "%u%n", &number, &end) != 1 || e->d_name[end])
			continue;
		*out = xrealloc(*out, (count + 1) * sizeof(**out));
		(*out)[count++] = number;
	}
	if (d)
		closedir(d);
	if (count)
		qsort(*out, count, sizeof(**out), by_number);
	return count;
}

int history_add(const char *state_dir, struct history_entry *entry, const char *text, size_t len)
{
	char *dir = directory(state_dir), *whole = NULL, name[NAME_MAX_BYTES];
	unsigned *there, count;
	size_t whole_len;
	FILE *f = open_memstream(&whole, &whole_len);
	int rc = mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;

	if (!f)
		abort();
	count = numbers(dir, &there);
	entry->number = count ? there[count - 1] + 1 : 1;
	fprintf(f, "%" PRId64 " %" PRIu32 " %u %s\n", entry->time, entry->uid, entry->changes,
	    entry->how);
	fwrite(text, 1, len, f);
	fclose(f);
	snprintf(name, sizeof(name), "%u", entry->number);
	if (rc == 0)
		rc = state_write(dir, name, whole, whole_len);
	for (unsigned i = 0; rc == 0 && i + HISTORY_KEPT <= count; i++) {
		snprintf(name, sizeof(name), "%u", there[i]);
		state_remove(dir, name);
	}
	secret_free(whole, whole_len + 1);
	free(there);
	free(dir);
	return rc;
}

static int read_entry(
    const char *dir, unsigned number, struct history_entry *out, char **text, size_t *len)
{
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%u", number);
	int rc = state_read(dir, name, text, len);
	if (rc < 0)
		return rc;
	out->number = number;
	if (strchr(*text, '\n') && parse_head(*text, out))
		return 0;
	secret_free(*text, *len + 1);
	return -EBADMSG;
}

unsigned history_list(const char *state_dir, struct history_entry **out)
{
	char *dir = directory(state_dir), *text;
	unsigned *there, count = numbers(dir, &there), sound = 0;
	size_t len;

	*out = xcalloc(count + 1, sizeof(**out));
	for (unsigned i = 0; i < count; i++) {
		if (read_entry(dir, there[i], &(*out)[sound], &text, &len) < 0)
			continue;
		secret_free(text, len + 1);
		sound++;
	}
	free(there);
	free(dir);
	return sound;
}

int history_read(const char *state_dir, unsigned number, char **text, size_t *len)
{
	char *dir = directory(state_dir), *whole;
	struct history_entry entry;
	size_t whole_len;
	int rc = read_entry(dir, number, &entry, &whole, &whole_len);

	free(dir);
	if (rc < 0)
		return rc;
	const char *body = strchr(whole, '\n') + 1;
	*len = whole_len - (size_t)(body - whole);
	*text = xmalloc(*len + 1);
	memcpy(*text, body, *len + 1);
	secret_free(whole, whole_len + 1);
	return 0;
}
