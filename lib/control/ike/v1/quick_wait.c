/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Quick modes that wait: those of the peer for message 3, and ours, after message 3, for a sign that the peer has it.
 *
 * The outbound SA is used when message 3, or a packet on the inbound one, shows that the peer has the new SA.
 * Until then message 2 goes out again: it may have been lost, and so may message 3.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/v1/v1.h"

#define TRIES_MAX     14
#define WAIT_FIRST_MS 700
#define WAIT_MAX_MS   8000
#define AWAIT_MS      1000 /* for a packet of the peer on the SA that we made */
#define OVERLAP_MS    500  /* of the SA that carries until then, at least */

void v1_quick_free(struct v1_quick *q)
{
	timer_cancel(&q->sa->engine->timers, &q->timer);
	list_remove(&q->node);
	free(q->answer);
	secret_free(q, sizeof(*q));
}

struct v1_quick *v1_quick_find(const struct ike_sa *sa, uint32_t message_id)
{
	struct v1_quick *q;

	list_for (q, &sa->v1->quicks, node)
		if (!q->ours && q->message_id == message_id)
			return q;
	return NULL;
}

void v1_quick_complete(struct v1_quick *q)
{
	struct ike_child_sa *child = v1_child_find(q->sa->tunnel, q->spi_in);
	uint64_t uses = q->uses;
	bool ours = q->ours;

	v1_quick_free(q);
	if (child)
		v1_child_settle(child, ours, uses);
}

void v1_quick_wait(struct v1_quick *q)
{
	struct ike_engine *e = q->sa->engine;
	int64_t wait = DUR_MS(WAIT_FIRST_MS);

	for (unsigned i = 1; i < q->tries && wait < DUR_MS(WAIT_MAX_MS); i++)
		wait = wait / 2 * 3;
	if (wait > DUR_MS(WAIT_MAX_MS))
		wait = DUR_MS(WAIT_MAX_MS);
	timer_arm(&e->timers, &q->timer,
	    mono_add(e->now, ike_engine_jitter(e, wait / 10 * 9, wait / 10 * 11)));
}

static void due(struct timer *timer, struct mono now)
{
	struct v1_quick *q = container_of(timer, struct v1_quick, timer);
	struct ike_child_sa *child = v1_child_find(q->sa->tunnel, q->spi_in);
	struct ike_sa *sa = q->sa;

	if (!child || child->outbound || q->ours) {
		v1_quick_complete(q);
	} else if (++q->tries > TRIES_MAX) {
		v1_quick_free(q);
		v1_send_delete_child(sa, child->info.spi_in);
		ike_child_kill(child);
	} else {
		sa->engine->counters.retransmits++;
		ike_packet_send(sa->engine, q->answer, &sa->local, &sa->remote);
		v1_quick_wait(q);
	}
}

struct v1_quick *v1_quick_new(
    struct ike_sa *sa, const struct v1_message *m, struct ike_span nonce_i)
{
	struct v1_quick *q = xcalloc(1, sizeof(*q));

	q->sa = sa;
	q->message_id = m->header->message_id;
	q->timer.fn = due;
	q->uses = sa->tunnel->uses;
	memcpy(q->iv, m->next_iv, sizeof(q->iv));
	memcpy(q->nonce_i, nonce_i.bytes, nonce_i.len);
	q->nonce_i_len = nonce_i.len;
	rng_fill(sa->engine->rng, q->nonce_r, sizeof(q->nonce_r));
	list_append(&sa->v1->quicks, &q->node);
	return q;
}

/* Late packets on the old SA must still find it at the peer: the new one carries before the old one's time is over. */
static struct mono await_until(const struct ike_child_sa *child)
{
	const struct ike_child_sa *old = ike_child_sibling(child);
	struct mono now = child->sa->engine->now, until = mono_add(now, DUR_MS(AWAIT_MS));
	struct mono latest;

	if (!old || !mono_is_set(old->hard))
		return until;
	latest = mono_add(old->hard, -DUR_MS(OVERLAP_MS));
	if (mono_before(latest, now))
		return now;
	return mono_before(latest, until) ? latest : until;
}

void v1_quick_await(struct ike_sa *sa, const struct ike_child_sa *child)
{
	struct v1_quick *q = xcalloc(1, sizeof(*q));

	q->sa = sa;
	q->ours = true;
	q->spi_in = child->info.spi_in;
	q->uses = sa->v1->uses;
	q->timer.fn = due;
	list_append(&sa->v1->quicks, &q->node);
	timer_arm(&sa->engine->timers, &q->timer, await_until(child));
}

void v1_quick_drop(struct ike_sa *sa, struct ike_sa *via)
{
	struct v1_quick *q, *next;

	list_for_safe (q, next, &sa->v1->quicks, node) {
		struct ike_child_sa *child = v1_child_find(sa->tunnel, q->spi_in);

		if (q->ours) {
			v1_quick_complete(q);
			continue;
		}
		v1_quick_free(q);
		if (!child || child->outbound)
			continue;
		child->contested = true;
		if (via && child->sa == via)
			v1_child_delete(via, child->info.spi_in);
		else
			ike_child_kill(child);
	}
}

void v1_quick_complete_ours(const struct ike_tunnel *t)
{
	struct v1_quick *q, *next;
	struct ike_sa *sa;

	list_for (sa, &t->sas, tunnel_node)
		list_for_safe (q, next, &sa->v1->quicks, node)
			if (q->ours)
				v1_quick_complete(q);
}

unsigned v1_quick_count(const struct ike_sa *sa)
{
	const struct v1_quick *q;
	unsigned n = 0;

	list_for (q, &sa->v1->quicks, node)
		n++;
	return n;
}
