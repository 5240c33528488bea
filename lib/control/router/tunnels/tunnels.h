/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_TUNNELS_H
#define ROUTER_TUNNELS_H

/* The life of one tunnel, for start (tunnels.c) and for changes of the configuration (tunnels_apply.c). */

#include "router/internal.h"

/* The pre-shared key of the file, or the one that is kept in the state directory; the caller wipes it. 0 or -errno. */
int tunnel_psk(struct router *r, const struct conf *conf, const struct conf_tunnel *t,
    char out[CONF_PSK_MAX + 1]);
/* Of the model's; negotiates as its configuration says. 0 or -errno. */
int tunnel_start(struct router *r, const struct model_tunnel *m, const char *psk, struct mono now);
/* Its configuration has changed: the engine disturbs the SAs only if it must. 0 or -errno. */
int tunnel_update(struct router *r, struct vpn_tunnel *t, const char *psk, struct mono now);
/* Tells the peer, removes the SAs; the tunnel itself stays. */
void tunnel_close(struct router *r, struct vpn_tunnel *t, struct mono now);
/* The same, and forgets it. */
void tunnel_stop(struct router *r, struct vpn_tunnel *t, struct mono now);
/* Remembers the way to the peer for a goodbye; while the model knows the tunnel. */
void farewell_keep(struct router *r, const struct conf_tunnel *t, struct mono now);

#endif
