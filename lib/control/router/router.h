/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

/*
 * The running instance on the control lcore: a libevent loop that binds the configuration, the protocol
 * engines (ike, neigh), the model and the boundary to one another. The engines know nothing of each other; what
 * one tells and another must hear passes through here, one file per pair:
 *
 *   router.c      create, run, stop; the order of things
 *   loop.c        timers, the poll of punt rings and events, link state, heartbeats
 *   host_io.c     packets between the engines and the workers: IP and UDP headers on and off
 *   vpn.c         ike <-> boundary: SAs and tunnel records
 *   tunnels.c     tunnels come and go; manual keys
 *   neighbours.c  neigh <-> boundary: ARP, waiting packets, ICMP
 *   apply.c       another configuration while all of this runs; *_apply.c is each part of it
 *   confirm.c     changes that are taken back unless confirmed; history.c, startup.c: what outlives the process
 *   show_*.c      what the control socket answers
 */

#include "boundary/boundary.h"
#include "conf/conf.h"

struct router;
struct startup;

struct router_setup {
	struct conf *conf;         /* stays the caller's, outlives the router */
	struct startup *startup;   /* stays the caller's; follows changes of the configuration */
	struct boundary *boundary; /* ports are in boundary->port[], in the order of conf->ports */
	const char *socket_path; /* control socket; made with mode 0660, removed by router_free() */
	bool huge_pages;         /* for `show system` */
	/* Polls the link state of a port (drivers/ knows how); NULL: never changes. */
	bool (*link_up)(struct port *port);
	/* A descriptor that is readable when a link may have changed, to be looked at at once; NULL, or -1: none. */
	int (*link_events)(void);
	/* Once a second: what a port has to follow outside DPDK; NULL: nothing. */
	void (*tend)(struct port *port);
	/* Tells a port that the host uses too what of its traffic is the router's, by that configuration:
	 * at start, and before and after each change of it. 0 or -errno; NULL: no port is shared. */
	int (*steer)(const struct conf *conf, struct port *port);
	void (*alive)(void); /* called once a second while the loop turns; NULL: nobody asks */
	/* Calls fn for each further counter of a port; NULL: there are none. */
	void (*counts)(const struct port *port,
	    void (*fn)(void *ctx, const char *name, uint64_t value), void *ctx);
};

/*
 * Makes everything but does not start it: interfaces, tables, tunnels, engines, the control socket. NULL with
 * errno, after a log line that says what failed. Workers may run before or after.
 */
struct router *router_create(const struct router_setup *setup);
/*
 * The loop. Installs handlers for SIGTERM and SIGINT: says goodbye to peers (deletes are sent and sent again for at
 * most a second), then returns 0. SIGHUP applies the startup file. Returns -errno when the loop itself fails.
 */
int router_run(struct router *r);
/* Steers every port by a configuration. 0, or -errno of the last that could not be. */
int router_steer(struct router *r, const struct conf *conf);
/* From another thread or a signal handler: ends router_run(). */
void router_stop(struct router *r);
void router_free(struct router *r);

/*
 * Tells of every place of the file that asks for what this version does not do yet; router_create() logs them. `object`
 * names a tunnel, attachment or table.
 */
void router_unserved(const struct conf *conf,
    void (*say)(void *ctx, const struct conf_source *where, const char *object, const char *what),
    void *ctx);

#endif
