/* SPDX-License-Identifier: BSD-3-Clause */

/* A state file (base/state.h) with one line per tunnel, "dc1 1 203.0.113.33". */

#include "router/tunnels/leases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/state.h"

#define LOG       "leases"
#define FILE_NAME "leases"

static void add(
    struct leases *out, const char *connection, unsigned tunnel, const struct ip_addr *a)
{
	out->lease = xrealloc(out->lease, (out->count + 1) * sizeof(*out->lease));
	out->lease[out->count++] = (struct conf_lease){xstrdup(connection), tunnel, *a};
}

static bool parse_line(const char *line, struct leases *out)
{
	char name[160], text[IP_TEXT_MAX];
	struct ip_addr addr;
	unsigned tunnel;
	int end = 0;

	if (sscanf(line, "%159s %u %45s%n", name, &tunnel, text, &end) != 3 || line[end] ||
	    ip_parse(text, &addr) < 0)
		return false;
	add(out, name, tunnel, &addr);
	return true;
}

static bool parse(char *text, struct leases *out)
{
	for (char *line = text, *next; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			return false;
		*next++ = '\0';
		if (!parse_line(line, out))
			return false;
	}
	return true;
}

void leases_read(const char *state_dir, struct leases *out)
{
	char *text = NULL;
	size_t len;

	*out = (struct leases){0};
	int rc = state_read(state_dir, FILE_NAME, &text, &len);
	if (rc == 0 && !parse(text, out))
		rc = -EBADMSG;
	free(text);
	if (rc == 0 || rc == -ENOENT)
		return;
	leases_free(out);
	log_write(LOG_WARNING, LOG, NULL,
	    "%s/%s %s%s: gateway addresses that the startup file "
	    "leaves out are chosen anew, and peers may know others",
	    state_dir, FILE_NAME, rc == -EBADMSG ? "is damaged" : "cannot be read: ",
	    rc == -EBADMSG ? "" : strerror(-rc));
}

void leases_of(const struct conf *conf, struct leases *out)
{
	*out = (struct leases){0};
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned t = 0; t < c->tunnels_count; t++) {
			if (c->tunnels[t]->gateway_allocated)
				add(out, c->name, c->tunnels[t]->number,
				    &c->tunnels[t]->gateway_address);
		}
	}
}

void leases_free(struct leases *leases)
{
	for (unsigned i = 0; i < leases->count; i++)
		free((char *)leases->lease[i].connection);
	free(leases->lease);
	*leases = (struct leases){0};
}

/* The whole file, for free(). */
static char *compose(const struct conf *conf, size_t *len)
{
	char *text = NULL, addr[IP_TEXT_MAX];
	FILE *f = open_memstream(&text, len);
	struct leases leases;

	if (!f)
		abort();
	leases_of(conf, &leases);
	for (unsigned i = 0; i < leases.count; i++)
		fprintf(f, "%s %u %s\n", leases.lease[i].connection, leases.lease[i].tunnel,
		    ip_text(&leases.lease[i].address, addr));
	leases_free(&leases);
	fclose(f);
	return text;
}

int leases_write(const char *state_dir, const struct conf *conf)
{
	char *have = NULL, *want;
	size_t have_len, len;
	int rc = state_read(state_dir, FILE_NAME, &have, &have_len);

	want = compose(conf, &len);
	if (rc == 0 && have_len == len && memcmp(have, want, len) == 0)
		rc = 0;
	else
		rc = state_write(state_dir, FILE_NAME, want, len);
	free(have);
	free(want);
	return rc;
}
