/* SPDX-License-Identifier: BSD-3-Clause */

#include "router/change/candidate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define BYTES_MAX (32u << 20) /* of a startup file */

struct candidate {
	uint32_t token; /* 0: free */
	bool to_apply;
	uid_t uid;
	pid_t pid;
	struct mono heard, opened;
	char *text;
	size_t len, capacity;
};

struct candidates {
	uint32_t last;
	struct candidate item[CANDIDATES_MAX];
};

struct candidates *candidates_create(void)
{
	return xcalloc(1, sizeof(struct candidates));
}

static void drop(struct candidate *c)
{
	secret_free(c->text, c->capacity);
	*c = (struct candidate){0};
}

void candidates_free(struct candidates *all)
{
	for (unsigned i = 0; all && i < CANDIDATES_MAX; i++)
		drop(&all->item[i]);
	free(all);
}

static bool is_dead(const struct candidate *c, struct mono now)
{
	return mono_diff(c->heard, now) >= CANDIDATE_SILENCE ||
	    (c->pid > 0 && kill(c->pid, 0) < 0 && errno == ESRCH);
}

static void sweep(struct candidates *all, struct mono now)
{
	for (unsigned i = 0; i < CANDIDATES_MAX; i++) {
		if (all->item[i].token && is_dead(&all->item[i], now))
			drop(&all->item[i]);
	}
}

/* A free place, or that of the reader who has been silent longest. */
static struct candidate *place(struct candidates *all)
{
	struct candidate *best = NULL;

	for (unsigned i = 0; i < CANDIDATES_MAX; i++) {
		struct candidate *c = &all->item[i];

		if (!c->token)
			return c;
		if (!c->to_apply && (!best || mono_before(c->heard, best->heard)))
			best = c;
	}
	drop(best); /* one at most writes */
	return best;
}

uint32_t candidate_open(struct candidates *all, bool to_apply, uid_t uid, pid_t pid,
    struct mono now, char *why, size_t capacity)
{
	sweep(all, now);
	for (unsigned i = 0; to_apply && i < CANDIDATES_MAX; i++) {
		const struct candidate *c = &all->item[i];

		if (!c->token || !c->to_apply)
			continue;
		snprintf(why, capacity,
		    "user %u (process %d) has been applying a configuration for %.1f s; try again when that is done",
		    (unsigned)c->uid, (int)c->pid, (double)mono_diff(c->opened, now) / 1e9);
		return 0;
	}
	struct candidate *c = place(all);
	all->last = all->last == UINT32_MAX ? 1 : all->last + 1;
	*c = (struct candidate){.token = all->last,
	    .to_apply = to_apply,
	    .uid = uid,
	    .pid = pid,
	    .heard = now,
	    .opened = now};
	return c->token;
}

static struct candidate *find(struct candidates *all, uint32_t token)
{
	for (unsigned i = 0; token && i < CANDIDATES_MAX; i++) {
		if (all->item[i].token == token)
			return &all->item[i];
	}
	return NULL;
}

static void make_room(struct candidate *c, size_t more)
{
	if (c->len + more + 1 <= c->capacity)
		return;
	size_t capacity = 2 * c->capacity + more + 1;
	char *wider = xmalloc(capacity);

	if (c->len)
		memcpy(wider, c->text, c->len);
	secret_free(c->text, c->capacity);
	c->text = wider;
	c->capacity = capacity;
}

int candidate_add(struct candidates *all, uint32_t token, const char *hex, struct mono now)
{
	struct candidate *c = find(all, token);
	size_t more = strlen(hex) / 2;

	if (!c)
		return -ENOENT;
	if (c->len + more > BYTES_MAX) {
		drop(c);
		return -EFBIG;
	}
	make_room(c, more);
	int n = more ? text_unhex(hex, (uint8_t *)c->text + c->len, more) : 0;
	if (n < 0)
		return n;
	c->len += (size_t)n;
	c->heard = now;
	return 0;
}

int candidate_take(struct candidates *all, uint32_t token, char **text, size_t *len)
{
	struct candidate *c = find(all, token);

	if (!c)
		return -ENOENT;
	make_room(c, 0);
	*text = xmalloc(c->len + 1);
	memcpy(*text, c->text, c->len);
	(*text)[c->len] = '\0';
	*len = c->len;
	drop(c);
	return 0;
}
