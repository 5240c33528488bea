/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The loop of the control lcore: a libevent base with one short periodic event that polls what workers put, runs
 * the timers of the engines and reclaims retired records; signals; ten times a second link states, and once a second
 * heartbeats.
 *
 * One pass takes a bounded number of packets and timers, so that no source holds the others up; when a pass did not
 * finish its sources, the next one follows at once.
 */

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "router/internal.h"

#define LOG "router"

#define POLL_INTERVAL_US 1000     /* between passes when nothing is going on */
#define TIMERS_MAX       256      /* per pass */
#define GOODBYE_MAX      DUR_S(1) /* of which for IKE, through whose tunnels BGP speaks: */
#define IKE_GOODBYE_MAX  DUR_MS(600)
#define HEARTBEAT_LATE   DUR_S(2)
#define LINKS_INTERVAL   DUR_MS(100) /* a cable that is back is used a moment later (C-12) */

static void goodbye_begin(struct router *r, struct mono now)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_deadline = mono_add(now, GOODBYE_MAX);
	log_write(LOG_NOTICE, LOG, NULL, "stopping: telling peers");
	speaker_goodbye(r, now);
	bfd_fini(r); /* AdminDown, while there are tunnels to say it in */
}

static void goodbye_check(struct router *r, struct mono now)
{
	if (!r->stopping)
		return;
	if (!r->told_bgp) {
		if (!speaker_is_quiet(r) && mono_diff(now, r->stop_deadline) > IKE_GOODBYE_MAX)
			return;
		r->told_bgp = true;
		ike_shutdown(r->ike, now);
	}
	if (ike_is_quiet(r->ike) || !mono_before(now, r->stop_deadline))
		event_base_loopbreak(r->base);
}

/*
 * How long this thread worked since the last pass, whatever it did: the stall that packets for control saw, without
 * the time in which other programs had the processor.
 */
static void note_busy(struct router *r)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	int64_t at = DUR_S(t.tv_sec) + t.tv_nsec;
	if (r->busy_at_ns && at - r->busy_at_ns > r->longest_busy_ns)
		r->longest_busy_ns = at - r->busy_at_ns;
	r->busy_at_ns = at;
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct router *r = arg;
	struct mono now = mono_now();
	unsigned work;

	note_busy(r);
	work = punts_poll(r, now);
	work += speaker_run(r, now);
	work += timers_run(&r->timers, now, TIMERS_MAX) == TIMERS_MAX;
	manual_numbers_run(r, now);
	epoch_reclaim(r->b->epoch);
	goodbye_check(r, now);

	int64_t took = mono_diff(now, mono_now());
	if (took > r->longest_round_ns)
		r->longest_round_ns = took;
	struct timeval next = {0, work ? 0 : POLL_INTERVAL_US};
	event_add(r->poll_event, &next);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	goodbye_begin(arg, mono_now());
}

static void on_signal(evutil_socket_t signal, short what, void *arg)
{
	struct router *r = arg;

	if (signal == SIGHUP) {
		if (!r->stopping)
			change_by_signal(r);
		return;
	}
	log_write(LOG_NOTICE, LOG, NULL, "%s received", signal == SIGTERM ? "SIGTERM" : "SIGINT");
	goodbye_begin(r, mono_now());
}

static void links_check(struct router *r, struct mono now)
{
	for (unsigned i = 0; i < r->b->ports; i++) {
		struct port *port = r->b->port[i];
		bool up = r->setup.link_up(port);

		if (up == r->link_up[i])
			continue;
		r->link_up[i] = up;
		atomic_store(&port->link_up, up);
		log_write(LOG_NOTICE, LOG, port->name, "link %s", up ? "up" : "down");
		model_link_set(r->model, conf_find_port(r->conf, port->name), up);
		neighbours_link(r, port, up, now);
		bfd_link_changed(r, r->conf->ports[i], up, now);
	}
}

static void on_links(struct timer *t, struct mono now)
{
	struct router *r = container_of(t, struct router, links);

	links_check(r, now);
	timer_arm(&r->timers, t, mono_add(now, LINKS_INTERVAL));
}

/* The device's own word, sooner than the next look. */
static void on_link_event(evutil_socket_t fd, short what, void *arg)
{
	uint64_t changes;

	if (read(fd, &changes, sizeof(changes)) == sizeof(changes))
		links_check(arg, mono_now());
}

static int link_events_init(struct router *r)
{
	int fd = r->setup.link_events ? r->setup.link_events() : -1;

	if (fd < 0)
		return 0;
	r->link_event = event_new(r->base, fd, EV_READ | EV_PERSIST, on_link_event, r);
	return r->link_event && event_add(r->link_event, NULL) == 0 ? 0 : -ENOMEM;
}

/* A worker that makes no rounds forwards nothing: say so at once, and when it is back (C-21). */
static void heartbeats_check(struct router *r, struct mono now)
{
	for (unsigned i = 0; i < r->b->workers; i++) {
		uint64_t rounds = atomic_load_explicit(&r->b->beat[i].rounds, memory_order_relaxed);

		if (rounds != r->beat_seen[i] || !mono_is_set(r->beat_at[i])) {
			if (r->beat_late[i])
				log_write(LOG_WARNING, LOG, NULL, "worker %u is back", i);
			r->beat_late[i] = false;
			r->beat_seen[i] = rounds;
			r->beat_at[i] = now;
		} else if (!r->beat_late[i] && mono_diff(r->beat_at[i], now) >= HEARTBEAT_LATE) {
			r->beat_late[i] = true;
			log_write(LOG_ERROR, LOG, NULL,
			    "worker %u stalled: no round for %d s, its packets are not forwarded",
			    i, (int)(HEARTBEAT_LATE / DUR_S(1)));
		}
	}
}

static void on_second(struct timer *t, struct mono now)
{
	struct router *r = container_of(t, struct router, second);

	if (r->setup.alive)
		r->setup.alive();
	for (unsigned i = 0; r->setup.tend && i < r->b->ports; i++)
		r->setup.tend(r->b->port[i]);
	heartbeats_check(r, now);
	vpn_tick(r, now);
	timer_arm(&r->timers, t, mono_add(now, DUR_S(1)));
}

int loop_init(struct router *r)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	r->base = event_base_new();
	if (!r->base)
		return -ENOMEM;
	r->poll_event = evtimer_new(r->base, on_poll, r);
	r->stop_event = event_new(r->base, -1, 0, on_stop, r);
	if (!r->poll_event || !r->stop_event)
		return -ENOMEM;
	for (unsigned i = 0; i < RTE_DIM(signals); i++) {
		r->signal_event[i] = evsignal_new(r->base, signals[i], on_signal, r);
		if (!r->signal_event[i] || event_add(r->signal_event[i], NULL) < 0)
			return -ENOMEM;
	}
	struct timeval at_once = {0, 0};
	event_add(r->poll_event, &at_once);
	if (r->setup.link_up) {
		r->links.fn = on_links;
		timer_arm(&r->timers, &r->links, mono_now());
		if (link_events_init(r) < 0)
			return -ENOMEM;
	}
	r->second.fn = on_second;
	timer_arm(&r->timers, &r->second, mono_now());
	return 0;
}

void loop_fini(struct router *r)
{
	for (unsigned i = 0; i < RTE_DIM(r->signal_event); i++) {
		if (r->signal_event[i])
			event_free(r->signal_event[i]);
	}
	if (r->poll_event)
		event_free(r->poll_event);
	if (r->stop_event)
		event_free(r->stop_event);
	if (r->link_event)
		event_free(r->link_event);
	if (r->base)
		event_base_free(r->base);
	timer_cancel(&r->timers, &r->links);
	timer_cancel(&r->timers, &r->second);
}
