/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Sequence numbers of manual keys. A tunnel that is keyed by hand may send only what was granted to it, and that is
 * first reserved on the disk (router/tunnels/sequences.h):
 *
 *   manual_install() --> due --> reserve, store --> sa_out_grant() --> up
 *                         ^                             |
 *                         '--- half of it was sent <----'  EVENT_SA_SOFT (EVENT_SA_HARD: all of it)
 *
 * A range that was used up in a hurry is followed by a larger one, so that a fast generator costs a few writes a
 * minute. All tunnels that are due share one write. An orderly end gives back what was not sent.
 */

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "router/tunnels/sequences.h"
#include "router/tunnels/tunnels.h"

#define LOG "tunnel"

/* 0.3 s of a fast core. Half of it must last until control, busy starting, has more on the disk. */
#define RANGE_FIRST (UINT64_C(1) << 22)
#define RANGE_MAX   (UINT64_C(1) << 28)
#define HURRY       DUR_S(10) /* a range that lasts shorter is too small */
#define RETRY       DUR_S(1)

struct manual_numbers {
	struct sequences *store; /* NULL: not opened yet */
	bool due;                /* of some tunnel */
	bool failing;
	struct mono retry_at;
};

void manual_numbers_init(struct router *r)
{
	r->numbers = xcalloc(1, sizeof(*r->numbers));
}

static struct child *child_of(const struct vpn_tunnel *t)
{
	return list_is_empty(&t->children) ? NULL
					   : list_entry(t->children.next, struct child, node);
}

static void key_of(const struct vpn_tunnel *t, struct sequence_key *out)
{
	const struct conf_tunnel *conf = t->model->conf;

	sequence_key_of(&conf->manual.out, alg_is_aead(conf->ipsec.encryption[0]), out);
}

static uint64_t last_of(const struct vpn_tunnel *t)
{
	return t->model->conf->ipsec.esn == CONF_ESN_YES ? UINT64_MAX - UINT32_MAX
							 : SA_SEQUENCE_LAST;
}

static void fail(struct vpn_tunnel *t, enum ike_error_code code, const char *text)
{
	text_copy(t->error_text, sizeof(t->error_text), text);
	t->error_code = code;
	t->error_at = mono_now();
	log_write(LOG_ERROR, LOG, t->model->name, "%s: %s; %s", ike_error_name(code), text,
	    ike_error_suggestion(code));
}

static void fail_used_up(struct vpn_tunnel *t)
{
	fail(t, IKE_ERROR_KEY_USED_UP, "every sequence number of the outbound key was used");
}

static int open_store(struct router *r, struct vpn_tunnel *t)
{
	char text[sizeof(t->error_text)];
	const char *dir = r->conf->system.state_dir;

	if (r->numbers->store)
		return 0;
	int rc = sequences_open(dir, &r->numbers->store);
	if (rc == 0)
		return 0;
	snprintf(text, sizeof(text), "%s/sequences, the numbers that manual keys have used, %s%s",
	    dir, rc == -EBADMSG ? "is damaged: give new keys and remove it" : "cannot be read: ",
	    rc == -EBADMSG ? "" : strerror(-rc));
	fail(t, IKE_ERROR_STATE_UNUSABLE, text);
	return rc;
}

int manual_numbers_first(struct router *r, struct vpn_tunnel *t, uint64_t *first)
{
	struct sequence_key key;
	int rc = open_store(r, t);

	if (rc < 0)
		return rc;
	key_of(t, &key);
	*first = sequences_unused(r->numbers->store, &key);
	if (*first <= last_of(t))
		return 0;
	fail_used_up(t);
	return -EKEYEXPIRED;
}

void manual_numbers_want(struct router *r, struct vpn_tunnel *t)
{
	struct sa_out *sa = child_of(t)->out;

	if (sa_out_sequence(sa) < t->numbers_end) /* the same key in a new SA */
		sa_out_grant(sa, t->numbers_end - 1, t->numbers_end - 1);
	t->numbers_due = true;
	r->numbers->due = true;
}

/* ---- granting ---- */

static void reserve(struct router *r, struct vpn_tunnel *t, struct mono now)
{
	uint64_t next = sa_out_sequence(child_of(t)->out), unused, end;
	struct sequence_key key;

	if (!t->numbers_range)
		t->numbers_range = RANGE_FIRST;
	else if (mono_diff(t->numbers_at, now) < HURRY && t->numbers_range < RANGE_MAX)
		t->numbers_range *= 2;
	t->numbers_at = now;
	key_of(t, &key);
	unused = sequences_unused(r->numbers->store, &key);
	end = RTE_MIN(next + t->numbers_range, last_of(t) + 1);
	sequences_reserve(r->numbers->store, &key, RTE_MAX(unused, end));
}

static void grant(struct router *r, struct vpn_tunnel *t)
{
	struct sa_out *sa = child_of(t)->out;
	uint64_t next = sa_out_sequence(sa);
	struct sequence_key key;

	key_of(t, &key);
	t->numbers_end = sequences_unused(r->numbers->store, &key); /* on the disk by now */
	t->numbers_due = false;
	if (next > last_of(t)) {
		fail_used_up(t);
		tunnel_close(r, t, mono_now());
		eligible_update(r, t);
		return;
	}
	sa_out_grant(
	    sa, next + (t->numbers_end - RTE_MIN(next, t->numbers_end)) / 2, t->numbers_end - 1);
	manual_up(r, t);
}

static bool is_due(const struct vpn_tunnel *t)
{
	const struct child *c = t && t->numbers_due ? child_of(t) : NULL;

	return c && c->out;
}

static void store_failed(struct router *r, struct mono now, int rc)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "sequence numbers cannot be reserved in %s: %s; no other one is sent, next try in 1 s",
	    r->conf->system.state_dir, strerror(-rc));
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (!r->numbers->failing && is_due(r->tunnel[i]))
			fail(r->tunnel[i], IKE_ERROR_STATE_UNUSABLE, text);
	}
	r->numbers->failing = true;
	r->numbers->due = true;
	r->numbers->retry_at = mono_add(now, RETRY);
}

void manual_numbers_run(struct router *r, struct mono now)
{
	struct manual_numbers *n = r->numbers;

	if (!n->due || (n->failing && mono_before(now, n->retry_at)))
		return;
	n->due = false;
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (is_due(r->tunnel[i]))
			reserve(r, r->tunnel[i], now);
	}
	int rc = n->store ? sequences_store(n->store) : 0;
	if (rc < 0) {
		store_failed(r, now, rc);
		return;
	}
	n->failing = false;
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (is_due(r->tunnel[i]))
			grant(r, r->tunnel[i]);
	}
}

/* ---- the end ---- */

void manual_numbers_fini(struct router *r)
{
	if (!r->numbers)
		return;
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		struct vpn_tunnel *t = r->tunnel[i];
		const struct child *c = t && t->numbers_end ? child_of(t) : NULL;
		struct sequence_key key;

		if (!c || !c->out)
			continue;
		key_of(t, &key);
		sequences_reserve(r->numbers->store, &key,
		    RTE_MIN(sa_out_sequence(c->out), sequences_unused(r->numbers->store, &key)));
	}
	int rc = r->numbers->store ? sequences_store(r->numbers->store) : 0;
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL,
		    "manual keys: numbers that were not sent are not given back: %s",
		    strerror(-rc));
	sequences_free(r->numbers->store);
	free(r->numbers);
	r->numbers = NULL;
}
