/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_LIVENESS_H
#define ROUTER_LIVENESS_H

/* Which tunnels and neighbours are alive, and which tunnels routes may use (H1-H5). Control lcore only. */

#include "router/tunnels/vpn.h"

/* eligible.c: the one place that decides whether routes may use a tunnel (H5) */
enum fitness {         /* the worst of what is known, worst first */
	FIT_SA_DOWN,   /* nothing to encrypt with */
	FIT_ON_DEMAND, /* the same, but the first packet will change it */
	FIT_BFD_DOWN,
	FIT_HEALTH_FAILED,
	FIT_BFD_WAIT,        /* SA up, no session yet: used where nothing better is */
	FIT_HEALTH_CHECKING, /* SA up, no answer yet: the same */
	FIT,
};
/* Decides anew from the SA, the health check and the rest; tells workers and the model. */
void eligible_update(struct router *r, struct vpn_tunnel *t);
/* Of the tunnel's record. */
enum tunnel_state eligible_record_state(const struct vpn_tunnel *t, bool has_sa);
bool eligible_is(const struct vpn_tunnel *t);
const char *eligible_why_not(const struct vpn_tunnel *t); /* one line; NULL: it is */
bool tunnel_waits_for_traffic(const struct vpn_tunnel *t);

/* The tunnel has an SA now, or no longer: tells those who check it, and decides anew. */
void eligible_sa(struct router *r, struct vpn_tunnel *t, struct mono now);

/* bfd.c: BFD sessions in tunnels and on attachments */
void bfd_init(struct router *r);
void bfd_fini(struct router *r);
/* Sessions are those of the configuration; again after a change of it. */
void bfd_apply(struct router *r, struct mono now);
void bfd_punt(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void bfd_event(struct router *r, const struct event *ev, struct mono now);
void bfd_tunnel(struct router *r, const struct vpn_tunnel *t, struct mono now);
void bfd_tunnel_gone(struct router *r, struct vpn_tunnel *t);
void bfd_link_changed(struct router *r, const struct conf_port *port, bool up, struct mono now);

/* health.c: health checks <-> tunnels */
void health_init(struct router *r);
void health_fini(struct router *r);
/* Checks what the configuration of the tunnels says; again after a change of it. */
void health_apply(struct router *r, struct mono now);
/* An ICMP packet out of a tunnel; takes nothing. True: it was an answer to a probe. */
bool health_packet(struct router *r, struct rte_mbuf *m, struct mono now);

#endif
