/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_ORACLE_H
#define MODEL_ORACLE_H

/*
 * What a transit router must decide, computed from the startup file for one packet at a time.
 * Written from the requirements (R4, R5, R6, A8, A9, X1), without anything of the model, and with
 * no regard to speed.
 */

#include "conf/conf.h"
#include "model/model.h"

#define WORLD_CONNECTIONS 5
#define WORLD_PORTS       4

/* What can change besides the file. Connections are named c0..c4; ports are those of bench.h. */
struct world {
	enum model_tunnel_state tunnel[WORLD_CONNECTIONS][CONF_TUNNELS_MAX];
	bool link[WORLD_PORTS];
};

unsigned world_port(const char *name);
enum model_tunnel_state *world_tunnel(struct world *w, const struct conf_tunnel *t);

/* In the words of bench_ask(). */
#define ORACLE_TEXT_MAX 4096
const char *oracle_ask(const struct conf *conf, struct world *w, const struct conf_attachment *from,
    const struct ip_addr *to, char out[ORACLE_TEXT_MAX]);

#endif
