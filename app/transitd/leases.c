/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One line per tunnel, "dc1 1 203.0.113.33", and a last one, "end 2", without which the file is not
 * whole. It is written beside and renamed: a crash leaves the old one or the new one.
 */

#include "transitd/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define LOG       "leases"
#define BYTES_MAX (16 * 1024 * 1024)

static void path_of(const char *state_dir, const char *suffix, char path[512])
{
	struct text text = text_of(path, 512);

	text_addf(&text, "%s/leases%s", state_dir, suffix);
}

/* The file as text, for free(); NULL with errno. */
static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t len = 0, capacity = 4096;
	char *text;

	if (!f)
		return NULL;
	text = xmalloc(capacity);
	while (len < BYTES_MAX) {
		size_t n = fread(text + len, 1, capacity - len - 1, f);

		if (n == 0)
			break;
		len += n;
		if (len + 1 == capacity)
			text = xrealloc(text, capacity *= 2);
	}
	text[len] = '\0';
	fclose(f);
	return text;
}

/* ---- reading ---- */

static bool parse_line(const char *line, struct conf_lease *out)
{
	char name[160], addr[IP_TEXT_MAX];
	int end = 0;

	if (sscanf(line, "%159s %u %45s%n", name, &out->tunnel, addr, &end) != 3 || line[end] ||
	    ip_parse(addr, &out->address) < 0)
		return false;
	out->connection = xstrdup(name);
	return true;
}

/* False when a line is none of ours or the end is missing. */
static bool parse(char *text, struct leases *out)
{
	unsigned promised;
	int end = 0;

	for (char *line = text, *next; *line; line = next) {
		struct conf_lease lease;

		next = strchr(line, '\n');
		if (!next)
			return false;
		*next++ = '\0';
		if (sscanf(line, "end %u%n", &promised, &end) == 1 && line[end] == '\0')
			return promised == out->count && *next == '\0';
		if (!parse_line(line, &lease))
			return false;
		out->lease = xrealloc(out->lease, (out->count + 1) * sizeof(lease));
		out->lease[out->count++] = lease;
	}
	return false;
}

void leases_read(const char *state_dir, struct leases *out)
{
	char path[512], *text;

	*out = (struct leases){0};
	path_of(state_dir, "", path);
	text = read_file(path);
	if (!text && errno != ENOENT)
		log_write(LOG_WARNING, LOG, NULL, "%s: %s", path, strerror(errno));
	if (text && !parse(text, out)) {
		log_write(LOG_WARNING, LOG, NULL,
		    "%s is damaged: gateway addresses that the startup file leaves out are chosen "
		    "anew, and peers may know others",
		    path);
		leases_free(out);
	}
	free(text);
}

void leases_free(struct leases *leases)
{
	for (unsigned i = 0; i < leases->count; i++)
		free((char *)leases->lease[i].connection);
	free(leases->lease);
	*leases = (struct leases){0};
}

/* ---- writing ---- */

/* The whole file, for free(). */
static char *compose(const struct conf *conf, size_t *len)
{
	char *text = NULL, addr[IP_TEXT_MAX];
	FILE *f = open_memstream(&text, len);
	unsigned count = 0;

	if (!f)
		abort();
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned t = 0; t < c->tunnels_count; t++) {
			if (!c->tunnels[t]->gateway_allocated)
				continue;
			fprintf(f, "%s %u %s\n", c->name, c->tunnels[t]->number,
			    ip_text(&c->tunnels[t]->gateway_address, addr));
			count++;
		}
	}
	fprintf(f, "end %u\n", count);
	fclose(f);
	return text;
}

static int write_whole(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace(const char *state_dir, const char *bytes, size_t len)
{
	char path[512], beside[512];
	int fd, rc;

	path_of(state_dir, "", path);
	path_of(state_dir, ".new", beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = write_whole(fd, bytes, len);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(beside, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(beside);
	return rc;
}

int leases_write(const char *state_dir, const struct conf *conf)
{
	char path[512], *have, *want;
	size_t len;
	int rc = 0;

	path_of(state_dir, "", path);
	have = read_file(path);
	want = compose(conf, &len);
	if (!have || strcmp(have, want) != 0)
		rc = replace(state_dir, want, len);
	free(have);
	free(want);
	return rc;
}
