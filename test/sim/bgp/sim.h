/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_H
#define SIM_H

/*
 * Two to four BGP engines over simulated TCP with a clock turned by hand.
 *
 *     router (engine, model) --- link: delay, cuts --- router
 *
 * A seed fixes everything: who is connected to whom, which AS each is, options, faults, restarts,
 * commands. Bytes arrive in order, in portions of any size, late; connections break, on both sides or
 * unnoticed by one; readers stall. When the faults are over, every router must have the routes that an
 * oracle computes from the topology alone, and when all is stopped, nothing may be left.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"
#include "bgp/bgp.h"

#define ROUTERS_MAX  4
#define PREFIXES_MAX 24
#define VIEW         1

struct sim;

struct router {
	struct sim *sim;
	unsigned index;
	char name[8];
	uint32_t as, id;
	struct bgp_engine *engine; /* NULL while it is down */
	struct rng rng;
	bool decide_due;
	bool restarted; /* waits for ops->learned */
	bool originates[PREFIXES_MAX];
	uint16_t version[PREFIXES_MAX];
	struct bgp_peer_config config[ROUTERS_MAX]; /* of the peer of that index */
	unsigned ups[ROUTERS_MAX], downs[ROUTERS_MAX];
};

/* One end of a connection. `bytes` are on their way to this end. */
struct end {
	struct router *router;
	bgp_conn conn; /* 0: not, or no longer, of the engine */
	uint8_t *bytes;
	size_t len, room, window;
	bool stalled;      /* its reader sleeps */
	bool peer_blocked; /* the other one waits for room */
	bool delivering;   /* an event is under way */
	bool fin;          /* the other end has closed: after the bytes */
};

struct pipe {
	struct pipe *next;
	struct end end[2]; /* 0: who connected */
	bool made;         /* accepted */
	bool answered;     /* who connected knows */
};

struct link {
	bool exists, cut;
	int64_t delay_ns;
};

enum sim_event_kind {
	EV_CONNECT,   /* a connection attempt arrives */
	EV_CONNECTED, /* its answer */
	EV_CONNECT_FAILED,
	EV_DELIVER, /* bytes, or the end, arrive at pipe->end[which] */
	EV_WRITABLE,
	EV_DECIDE, /* the model of router[which] looks at changes */
	EV_ACTION, /* the next fault or command */
	EV_UNSTALL,
	EV_HEAL,   /* link which / ROUTERS_MAX, which % ROUTERS_MAX */
	EV_REVIVE, /* router[which] */
};

struct sim_event {
	int64_t at;
	uint64_t order;
	enum sim_event_kind kind;
	unsigned which;
	struct pipe *pipe;
};

struct sim {
	uint64_t seed;
	bool verbose;
	struct rng rng;
	struct mono now;
	unsigned routers, prefixes;
	bool internal; /* routers 0 and 1 are of one AS */
	bool quiet;    /* the faults are over */
	unsigned
	    steady; /* 1 + the router that restarts while no other may lose a prefix; 0: none */
	struct mono actions_end;
	struct router router[ROUTERS_MAX];
	struct link link[ROUTERS_MAX][ROUTERS_MAX]; /* [low][high] */
	struct pipe *pipes;
	struct sim_event *heap;
	size_t events, room;
	uint64_t next_order;
	uint64_t handled;
	char failure[256];
};

/* sim_bgp.c */
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_log(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* clock.c */
void sim_at(
    struct sim *s, int64_t in_ns, enum sim_event_kind kind, unsigned which, struct pipe *pipe);
/* Runs events and engines until then, or until something failed. */
void sim_run_until(struct sim *s, struct mono end);
void sim_clock_free(struct sim *s);

/* wire.c */
extern const struct bgp_ops sim_ops;
struct link *sim_link(struct sim *s, unsigned a, unsigned b);
void sim_wire_event(struct sim *s, const struct sim_event *ev);
/* Breaks every connection of the link; `one_sided`: only router a hears of it. */
void sim_break(struct sim *s, unsigned a, unsigned b, bool one_sided);
void sim_stall(struct sim *s, unsigned reader, unsigned writer, int64_t for_ns);
void sim_wire_free(struct sim *s);

/* router.c */
struct ip_prefix sim_prefix(unsigned i);
void sim_router_up(struct router *r, bool restarting);
void sim_router_down(struct router *r, bool told);
void sim_originate(struct router *r, unsigned prefix, bool on);
void sim_decide(struct router *r);
void sim_touch(struct router *r); /* the engine was called: decisions may be due */

/* scenario.c */
void sim_setup(struct sim *s);
void sim_action(struct sim *s);
void sim_heal(struct sim *s);
/* Once all is well: one router restarts, and nobody loses a route for it (RFC 4724). */
void sim_restart(struct sim *s);

/* oracle.c */
void sim_check(struct sim *s);

#endif
