/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_INTERNAL_H
#define ROUTER_INTERNAL_H

/* The router, and what its parts offer one another. Control lcore only. */

#include <event2/event.h>

#include "api/api.h"
#include "api/metrics.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/timer.h"
#include "bfd/bfd.h"
#include "conf/names.h"
#include "health/health.h"
#include "ike/ike.h"
#include "model/model.h"
#include "neigh/icmp.h"
#include "neigh/neigh.h"
#include "router/liveness/liveness.h"
#include "router/local/local.h"
#include "router/router.h"
#include "router/tunnels/vpn.h"

struct apply;
struct confirm;
struct candidates;
struct speaker;
struct tracer;
struct manual_numbers;

struct router {
	struct router_setup setup;
	struct conf *conf;
	struct conf *conf_own; /* NULL: still that of the setup */
	struct confirm *confirm;
	struct candidates *candidates;
	struct farewell farewell[FAREWELLS_MAX];
	unsigned farewell_next;
	struct boundary *b;
	struct event_base *base;
	struct event *poll_event;
	struct event *stop_event;
	struct event *link_event; /* NULL: no port tells of its link itself */
	struct event *signal_event[3];
	bool stopping;
	struct mono stop_deadline;
	int result;

	struct rng rng;
	struct timers timers; /* of neigh and of the router itself */
	struct timer links;   /* looks at link states */
	struct timer second;  /* heartbeats, what ports have to follow */
	struct model *model;
	struct ike_engine *ike;
	struct neigh_engine *neigh;
	struct health_engine *health;
	struct list meters; /* meter.c */
	struct names meter_names;
	struct bfd_engine *bfd;
	struct bfd_link **bfd_link; /* bfd.c, by session */
	struct icmp_limiter *icmp;
	struct api *api;
	struct tracer *tracer;   /* show/trace.c */
	struct metrics *metrics; /* NULL: not asked for */
	struct speaker *speaker;
	struct manual_numbers *numbers;
	struct mono started;
	bool told_bgp; /* stopping: IKE comes next */

	uint32_t tunnel_capacity;
	struct vpn_tunnel **tunnel; /* by index; NULL: none */
	bool link_up[PORTS_MAX];
	uint64_t beat_seen[WORKERS_MAX];
	struct mono beat_at[WORKERS_MAX];
	bool beat_late[WORKERS_MAX];
	unsigned next_source;     /* of work: whose turn it is (punts.c) */
	uint64_t late_inits;      /* punts.c */
	int64_t longest_round_ns; /* of the control loop, by the clock on the wall */
	int64_t longest_busy_ns;  /* from one round to the next, by the time this thread worked */
	int64_t busy_at_ns;
	uint64_t held_sent, held_dropped;
};

/* loop.c */
int loop_init(struct router *r);
void loop_fini(struct router *r);
/* Takes what workers put for control, punted packets by class and events, and runs the timers of IKE, for
 * milliseconds at most. Returns how much there was. */
unsigned punts_poll(struct router *r, struct mono now);

/* show/meter.c: what attachments carried (M1) */
void meter_apply(struct router *r, struct mono now);
void meter_fini(struct router *r);
/* The SA is out of sight of workers and about to be removed: right before sa_..._remove(). */
void meter_sa_leaves(struct router *r, const struct vpn_tunnel *t, const struct sa_head *sa);

/* change/commands.c: SIGHUP applies the startup file. */
void change_by_signal(struct router *r);
/* speaker/speaker.c: BGP; speaker.h has the rest */
int speaker_init(struct router *r);  /* after model_create(), before model_apply() */
void speaker_fini(struct router *r); /* after model_free() */
/* Makes the sessions those of r->conf, after model_apply(): what is the same in both is not disturbed. */
void speaker_apply(struct router *r);
/* One round of some milliseconds at most; 0: nothing to do. */
unsigned speaker_run(struct router *r, struct mono now);
/* Ends all sessions; is everything sent? */
void speaker_goodbye(struct router *r, struct mono now);
/*
 * BFD lost, or found, the far end of the tunnel, or where `tunnel` is 0 that neighbour on the interface: a session
 * with it ends at once (RFC 5882 4.3, 9384), or is tried at once. It does not wait for BFD: some peers run BFD only
 * while the session is up.
 */
void speaker_path(
    struct router *r, uint32_t tunnel, uint32_t iface, const struct ip_addr *peer, bool alive);
bool speaker_is_quiet(const struct router *r);
/* speaker/packet.c: TCP to one of our addresses; takes the packet. */
void speaker_punted(struct router *r, struct rte_mbuf *m);

/* show/ */
int show_init(struct router *r);
void trace_control_fini(struct router *r);

#endif
