/* SPDX-License-Identifier: BSD-3-Clause */
/* The session of a trace, its filter, and the ring between workers and control; see trace.h. */

#include "boundary/trace.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_ring_elem.h>

#include "boundary/ring.h"

#define PROTOCOL_ICMP 1
#define NUMBER_FIRST  2 /* 0 is none, 1 marks candidates */

const char *trace_stage_name(enum trace_stage s)
{
	static const char *const names[] = {
#define X(e, n) [e] = n,
	    TRACE_STAGE_LIST(X)
#undef X
	};

	return (unsigned)s < TRACE_STAGE_COUNT ? names[s] : "unknown";
}

void trace_init(struct trace *t, struct epoch *e)
{
	atomic_init(&t->session, NULL);
	t->epoch = e;
	t->next = NUMBER_FIRST;
}

static void session_free(void *ptr)
{
	struct trace_session *s = ptr;

	ring_free(s->ring);
	free(s);
}

void trace_fini(struct trace *t)
{
	struct trace_session *s = atomic_exchange(&t->session, NULL);

	if (s)
		session_free(s);
}

/* What an element of the ring takes, in whole words. */
static unsigned entry_bytes(const struct trace_session *s)
{
	return RTE_ALIGN_CEIL((unsigned)(sizeof(struct trace_record) + s->keep), 4u);
}

int trace_start(struct trace *t, const struct trace_filter *filter, unsigned packets, unsigned keep)
{
	struct trace_session *s;

	if (packets == 0 || packets > TRACE_PACKETS_MAX || keep > TRACE_KEEP_MAX)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->keep = (uint16_t)keep;
	s->ring = ring_create(entry_bytes(s), keep ? TRACE_RING_BYTES : TRACE_RING, RING_F_SC_DEQ);
	if (!s->ring) {
		free(s);
		return -ENOMEM;
	}
	if (t->next + packets > UINT16_MAX)
		t->next = NUMBER_FIRST;
	s->filter = *filter;
	s->first = (uint16_t)t->next;
	s->wanted = (uint16_t)packets;
	t->next += packets + 1;
	trace_stop(t);
	atomic_store_explicit(&t->session, s, memory_order_release);
	return 0;
}

void trace_stop(struct trace *t)
{
	struct trace_session *s = atomic_exchange_explicit(&t->session, NULL, memory_order_acq_rel);

	if (s)
		epoch_retire(t->epoch, session_free, s);
}

bool trace_take(struct trace *t, struct trace_entry *out)
{
	struct trace_session *s = trace_session(t);

	return s && rte_ring_sc_dequeue_elem(s->ring, out, entry_bytes(s)) == 0;
}

uint16_t trace_number(struct trace_session *s)
{
	uint32_t n;

	if (atomic_load_explicit(&s->taken, memory_order_relaxed) >= s->wanted)
		return 0;
	n = atomic_fetch_add_explicit(&s->taken, 1, memory_order_relaxed);
	return n < s->wanted ? (uint16_t)(s->first + n) : 0;
}

void trace_put(struct trace_session *s, const struct trace_record *r)
{
	if (rte_ring_mp_enqueue_elem(s->ring, (void *)(uintptr_t)r, entry_bytes(s)) != 0)
		atomic_fetch_add_explicit(&s->lost, 1, memory_order_relaxed);
}

/* ---- filter ---- */

static bool fits(const struct trace_filter *f, const struct trace_record *r, bool back)
{
	uint32_t src = back ? r->dst : r->src, dst = back ? r->src : r->dst;
	uint16_t src_port = back ? r->dst_port : r->src_port;
	uint16_t dst_port = back ? r->src_port : r->dst_port;

	if ((f->src_port || f->dst_port) && r->protocol == PROTOCOL_ICMP)
		return false; /* type and code are no ports */
	return (src & f->src_mask) == (f->src & f->src_mask) &&
	    (dst & f->dst_mask) == (f->dst & f->dst_mask) &&
	    (!f->src_port || f->src_port == src_port) && (!f->dst_port || f->dst_port == dst_port);
}

bool trace_filter_fits(const struct trace_filter *f, const struct trace_record *r)
{
	if (!trace_filter_has_flow(f))
		return true;
	if (r->version != 4 || (f->has_protocol && f->protocol != r->protocol))
		return false;
	return fits(f, r, false) || (f->both_ways && fits(f, r, true));
}
