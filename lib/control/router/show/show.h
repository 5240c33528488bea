/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_SHOW_H
#define ROUTER_SHOW_H

/* The handlers of the control socket. Each returns a new tree; times are seconds, sizes bytes. */

#include "router/internal.h"

/* tunnels.c: tunnels, their SAs, and what one can do to them. 0 or -errno. */
int show_change_init(struct router *r);
int show_tunnels_init(struct router *r);
/* diagnose.c, peer_config.c (O3, O5) */
int diagnose_init(struct router *r);
int peer_config_init(struct router *r);
/* explain.c: what becomes of a packet, and why (O4) */
int explain_init(struct router *r);
/* "tcp", or a number; -1: neither. */
long show_protocol_of(const char *text);
/* trace.c: packets as they pass through the stages (O4) */
int trace_control_init(struct router *r);
/* bfd.c: `show bfd` */
int show_bfd_init(struct router *r);
/* meter.c: `show metering` */
int show_metering_init(struct router *r);
/* health.c: `show health` */
int show_health_init(struct router *r);
/* "sent: Cease, Administrative Shutdown: text". False: no session has ended yet. */
struct bgp_end;
struct text;
bool bgp_end_text(const struct bgp_end *end, struct text *out);
int show_bgp_init(struct router *r); /* bgp.c: sessions alike */

#endif
