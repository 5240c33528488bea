/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * `trace`: real packets, stage by stage (O4).
 *
 *   trace start --filter...   one trace at a time: the workers have one filter, and so one price; --keep: with the bytes
 *   trace read TOKEN          the packets that are through since the last time
 *   trace stop                ends it, whoever began it
 *
 * A trace ends by itself: when it has its packets, when its time is over, and when nobody has read it for LEASE, so
 * that a client that died does not leave it on. What it has seen is kept for a last reading. Records of a packet
 * are collected here until its last one has come: a packet that waits for a neighbour or a tunnel goes on later, and
 * is told in two parts when that takes longer than SETTLE.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/show/show.h"
#include "router/show/trace.h"

#define LOG "trace"

#define TAKE_EVERY      DUR_MS(10)
#define TAKE_MAX        512
#define LEASE           DUR_S(5)
#define SETTLE          DUR_MS(500)
#define SECONDS_DEFAULT 60
#define SECONDS_MAX     600
#define COUNT_DEFAULT   10
#define RECORDS_MAX     24 /* of a packet between two readings */
#define READ_BYTES_MAX                                                                             \
	(128 * 1024) /* of packets in one answer: writing them out takes a millisecond */

struct traced {
	unsigned n;
	bool ended;
	bool told; /* a part of it */
	struct mono last;
	struct trace_seen seen[RECORDS_MAX];
};

struct tracer {
	struct router *r;
	struct timer timer;
	int64_t token;  /* 0: there is none */
	int64_t tokens; /* so far */
	bool running;
	const char *why; /* it ended */
	struct mono until, leased;
	uint64_t start; /* clock of workers */
	long uid, pid;
	unsigned wanted, lost;
	uint16_t first;
	struct traced *packet;
};

/* ---- taking ---- */

static bool is_last(const struct trace_record *r)
{
	return r->stage == TRACE_SENT || r->stage == TRACE_DROPPED || r->stage == TRACE_ABSORBED ||
	    (r->stage == TRACE_PUNTED && r->what != PUNT_NEIGH && r->what != PUNT_TRAP);
}

static void add(struct tracer *t, const struct trace_entry *entry, struct mono now)
{
	const struct trace_record *record = &entry->record;
	unsigned i = (uint16_t)(record->packet - t->first);
	struct traced *p = i < t->wanted ? &t->packet[i] : NULL;

	if (!p)
		return;
	p->last = now;
	p->ended |= is_last(record);
	if (p->n == RECORDS_MAX) {
		t->lost++;
		return;
	}
	p->seen[p->n] = (struct trace_seen){.record = *record};
	if (record->kept) {
		p->seen[p->n].bytes = xmalloc(record->kept);
		memcpy(p->seen[p->n].bytes, entry->bytes, record->kept);
	}
	p->n++;
}

static void take(struct tracer *t, struct mono now)
{
	struct trace_entry entry;

	for (unsigned n = 0; n < TAKE_MAX && trace_take(&t->r->b->trace, &entry); n++)
		add(t, &entry, now);
}

/* Is all of it here, or is it waiting for long? */
static bool is_settled(const struct tracer *t, const struct traced *p, struct mono now)
{
	return p->ended || !t->running || mono_diff(p->last, now) >= SETTLE;
}

static unsigned taken(const struct tracer *t)
{
	const struct trace_session *s = trace_session(&t->r->b->trace);
	unsigned n = s ? atomic_load_explicit(&s->taken, memory_order_relaxed) : 0;

	return RTE_MIN(n, t->wanted);
}

static bool is_complete(const struct tracer *t, struct mono now)
{
	if (taken(t) < t->wanted)
		return false;
	for (unsigned i = 0; i < t->wanted; i++) {
		const struct traced *p = &t->packet[i];

		if (!mono_is_set(p->last) || !is_settled(t, p, now))
			return false;
	}
	return true;
}

static void stop(struct tracer *t, const char *why, struct mono now)
{
	const struct trace_session *s = trace_session(&t->r->b->trace);

	take(t, now);
	t->lost += s ? atomic_load_explicit(&s->lost, memory_order_relaxed) : 0;
	trace_stop(&t->r->b->trace);
	t->running = false;
	t->why = why;
	t->leased = mono_add(now, LEASE);
	log_write(LOG_NOTICE, LOG, NULL, "ended: %s", why);
}

/* The packet's records have been told. */
static unsigned drop_seen(struct traced *p)
{
	unsigned bytes = 0;

	for (unsigned i = 0; i < p->n; i++) {
		bytes += p->seen[i].record.kept;
		free(p->seen[i].bytes);
	}
	p->n = 0;
	return bytes;
}

static void forget(struct tracer *t)
{
	timer_cancel(&t->r->timers, &t->timer);
	for (unsigned i = 0; t->packet && i < t->wanted; i++)
		drop_seen(&t->packet[i]);
	free(t->packet);
	t->packet = NULL;
	t->token = 0;
}

static void on_timer(struct timer *timer, struct mono now)
{
	struct tracer *t = container_of(timer, struct tracer, timer);

	if (!t->running && !mono_before(now, t->leased)) {
		forget(t);
		return;
	}
	if (t->running) {
		take(t, now);
		if (!mono_before(now, t->leased))
			stop(t, "nobody reads it", now);
		else if (!mono_before(now, t->until))
			stop(t, "its time is over", now);
		else if (is_complete(t, now))
			stop(t, "it has its packets", now);
	}
	timer_arm(&t->r->timers, timer, mono_add(now, TAKE_EVERY));
}

/* ---- commands ---- */

static json_t *begun(const struct tracer *t, int count, int seconds)
{
	struct timespec clock;
	char token[24];

	clock_gettime(CLOCK_REALTIME, &clock);
	snprintf(token, sizeof(token), "%lld", (long long)t->token);
	return json_pack("{s:s, s:i, s:i, s:I}", "token", token, "count", count, "seconds", seconds,
	    "unix-ns", (json_int_t)clock.tv_sec * DUR_S(1) + clock.tv_nsec);
}

static json_t *start(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct tracer *t = r->tracer;
	struct mono now = mono_now();
	struct trace_filter filter = {.tunnel = 0};
	long count = COUNT_DEFAULT, seconds = SECONDS_DEFAULT, keep = 0;

	if (!trace_filter_read(r, request, &filter, error) ||
	    !trace_number_read(request, "count", 1, TRACE_PACKETS_MAX, &count, error) ||
	    !trace_number_read(request, "seconds", 1, SECONDS_MAX, &seconds, error) ||
	    !trace_number_read(request, "keep", 1, TRACE_KEEP_MAX, &keep, error))
		return NULL;
	if (t->running)
		return api_fail(error, "TraceRunning",
		    "user %ld (process %ld) traces, for %d s at most; `trace stop` ends it", t->uid,
		    t->pid, (int)(mono_diff(now, t->until) / DUR_S(1)) + 1);
	forget(t);
	t->start = rte_rdtsc();
	if (trace_start(&r->b->trace, &filter, (unsigned)count, (unsigned)keep) < 0)
		return api_fail(error, "Failed", "no memory for a trace");
	t->packet = xcalloc((size_t)count, sizeof(*t->packet));
	t->first = trace_session(&r->b->trace)->first;
	t->wanted = (unsigned)count;
	t->lost = 0;
	t->running = true;
	t->why = NULL;
	t->token = ++t->tokens;
	t->uid = (long)json_integer_value(json_object_get(request, "caller-uid"));
	t->pid = (long)json_integer_value(json_object_get(request, "caller-pid"));
	t->until = mono_add(now, DUR_S(seconds));
	t->leased = mono_add(now, LEASE);
	timer_arm(&r->timers, &t->timer, mono_add(now, TAKE_EVERY));
	return begun(t, (int)count, (int)seconds);
}

/* *bytes grows by what was kept of it. */
static json_t *packet_json(struct tracer *t, unsigned i, unsigned *bytes)
{
	struct traced *p = &t->packet[i];
	json_t *out = trace_packet_json(t->r, p->seen, p->n, t->start);

	json_object_set_new(out, "packet", json_integer((json_int_t)i + 1));
	if (p->told)
		json_object_set_new(out, "continued", json_true());
	p->told = true;
	*bytes += drop_seen(p);
	return out;
}

static json_t *read_trace(void *ctx, const json_t *request, struct api_error *error)
{
	struct tracer *t = ((struct router *)ctx)->tracer;
	struct mono now = mono_now();
	const char *token = api_text(request, "token");
	unsigned bytes = 0;
	bool more = false;
	json_t *packets;

	if (!t->token || !token || strtoll(token, NULL, 10) != t->token)
		return api_fail(error, "NoSuchTrace", "that trace has ended, and was forgotten");
	t->leased = mono_add(now, LEASE);
	if (t->running)
		take(t, now);
	if (t->running && is_complete(t, now))
		stop(t, "it has its packets",
		    now); /* whoever has read all may start the next at once */
	packets = json_array();
	for (unsigned i = 0; i < t->wanted; i++) {
		if (t->packet[i].n == 0 || !is_settled(t, &t->packet[i], now))
			continue;
		more = bytes >= READ_BYTES_MAX;
		if (more)
			break;
		json_array_append_new(packets, packet_json(t, i, &bytes));
	}
	return json_pack("{s:o, s:b, s:b, s:i, s:s?}", "packets", packets, "running", t->running,
	    "more", more, "lost-records", (int)t->lost, "ended-because", t->why);
}

static json_t *stop_trace(void *ctx, const json_t *request, struct api_error *error)
{
	struct tracer *t = ((struct router *)ctx)->tracer;

	if (!t->running)
		return api_fail(error, "NoSuchTrace", "no trace runs");
	stop(t, "it was stopped", mono_now());
	return json_pack("{s:b}", "stopped", 1);
}

static const struct api_command commands[] = {
    {"trace start",
	"[--from=ATTACHMENT] [--tunnel=TUNNEL] [--source=PREFIX] [--destination=PREFIX] "
	"[--protocol=WHAT] [--source-port=N] [--destination-port=N] [--both-ways] [--drops] "
	"[--count=N] [--seconds=S] [--keep=BYTES]",
	API_ACTION, start, "follows packets through the stages; `transitctl trace` does all three"},
    {"trace read", "token", API_INPUT, read_trace, "the packets that are through, of that trace"},
    {"trace stop", NULL, API_ACTION, stop_trace, "ends the trace that runs"},
};

int trace_control_init(struct router *r)
{
	r->tracer = xcalloc(1, sizeof(*r->tracer));
	r->tracer->r = r;
	r->tracer->timer.fn = on_timer;
	for (unsigned i = 0; i < RTE_DIM(commands); i++) {
		int rc = api_register(r->api, &commands[i], r);

		if (rc < 0)
			return rc;
	}
	return 0;
}

void trace_control_fini(struct router *r)
{
	if (!r->tracer)
		return;
	forget(r->tracer);
	trace_stop(&r->b->trace);
	free(r->tracer);
	r->tracer = NULL;
}
