/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_DIFF_H
#define CONF_DIFF_H

/*
 * What is different between two configurations, key by key, and what each difference does to a router that runs
 * the first and is given the second. The effect of a key is a column of the keyword table.
 */

#include "conf/conf.h"

/* From the mildest to the harshest. */
#define CONF_EFFECT_LIST(X)                                                                        \
	X(NOTHING, "nothing", "only what is shown changes")                                        \
	X(LIVE, "live", "in force at once, disturbs nothing")                                      \
	X(ROUTES, "routes", "routes change; tunnels and sessions stay")                            \
	X(INTERFACE, "interface", "addresses and neighbours of an interface change")               \
	X(SESSION, "session", "the BGP session is reset")                                          \
	X(REKEY, "rekey", "new keys without loss")                                                 \
	X(TUNNELS, "tunnels", "a tunnel comes or goes; the others stay")                           \
	X(RENEGOTIATE, "renegotiate", "the tunnel is closed and negotiated anew")                  \
	X(RESTART, "restart", "only a restart of transitd can do that")

#define CONF_EFFECT_ENUM(id, ...) CONF_EFFECT_##id,
enum conf_effect { CONF_EFFECT_LIST(CONF_EFFECT_ENUM) CONF_EFFECTS };
#undef CONF_EFFECT_ENUM

const char *conf_effect_name(enum conf_effect effect);
const char *conf_effect_help(enum conf_effect effect);

struct conf_change {
	char *path; /* "vpn-connections.dc1.tunnels.1.psk" */
	char *from; /* in the words of the file; NULL: it is not there. Secrets: "<secret>" */
	char *to;
	char *about; /* the tunnels that it concerns, "dc1/1, dc1/2"; NULL: none */
	enum conf_effect effect;
};

#define CONF_CHANGES_KEPT 1000

struct conf_diff {
	struct conf_change *items; /* in the order of the keyword table, then of the new file */
	unsigned items_count;      /* at most CONF_CHANGES_KEPT */
	unsigned total;
	unsigned by_effect[CONF_EFFECTS];
	unsigned capacity;
};

/* Release with conf_diff_fini(). */
void conf_diff(const struct conf *from, const struct conf *to, struct conf_diff *out);
void conf_diff_fini(struct conf_diff *diff);
/*
 * What a tunnel that is in both meets, as a set of 1 << effect: changes of its own settings, of its connection's and
 * of its customer gateway's.
 */
unsigned conf_tunnel_effects(const struct conf_tunnel *from, const struct conf_tunnel *to);
/* {"total": n, "effects": {...}, "changes": [...]}; a new reference. */
struct json_t;
struct json_t *conf_diff_json(const struct conf_diff *diff);

#endif
