/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

/*
 * The transit router as data: attachments, route tables, association, propagation, policies; and
 * what they resolve to. Pure code: a configuration, learned routes and the state of ports and
 * tunnels go in, per table and prefix the winning next-hop set and the reason each loser lost come
 * out (R6, R8, A9). publish.c alone carries the outcome to the FIBs of the boundary.
 *
 *   candidates (static, connected, attached, flow protection, BGP)
 *        -> per table and prefix: ordered by R6, ECMP among equals of one kind (A8, A9)
 *        -> a path: leaf or group next hop, shared by all routes that resolve to the same set
 *        -> policies: which ingress attachments may use it
 *
 * The order of R6, within the longest prefix: an address of the router; static; connected; then
 * what attachments have behind them, by kind: VPC, VBR and CCN, VPN, PEER; then the preference that
 * an ingress policy set; VBR before CCN; what is configured before what was learned. The best class of
 * which something is usable wins, and all of it shares; of learned routes, what BGP decides.
 *
 * A tunnel that dies changes the paths that name it, not the routes behind them: the cost does not
 * grow with their number.
 */

#include "base/ip.h"
#include "boundary/boundary.h"
#include "conf/conf.h"

struct model;
struct json_t;
struct bgp_engine;
struct bgp_attrs;
struct bgp_edit;

enum model_tunnel_state {
	MODEL_TUNNEL_DOWN,
	MODEL_TUNNEL_TRAP, /* on demand and idle: usable when nothing else is up */
	MODEL_TUNNEL_UP,
};

/*
 * What the model gave a tunnel in the boundary. Pointers stay valid until the tunnel leaves the
 * configuration.
 */
struct model_tunnel {
	const struct conf_tunnel *conf;
	const char *name;    /* "dc1/1" */
	uint32_t index;      /* struct tunnel.index */
	uint16_t attachment; /* number */
	uint16_t slot;
	uint32_t outer_mtu;
	struct fib *fib; /* table of its attachment: looks up what comes out of it; NULL: none */
	uint8_t state;   /* enum model_tunnel_state */
};

/* A layer-3 interface that the model made. */
struct model_iface {
	uint32_t index; /* struct iface.index */
	const struct conf_port *port;
	const struct conf_attachment *attachment; /* NULL: the port's own addresses, an uplink */
	uint16_t number;                          /* of the attachment */
	uint16_t slot;
	uint32_t leaf; /* next hop to a neighbour on this interface */
	uint32_t mtu;
	const struct conf_ifaddr *address;
	unsigned address_count;
	unsigned proxy_count; /* gateway addresses of tunnels that this interface answers ARP for */
	const struct ip_addr *proxy;
	unsigned
	    gateway_count; /* neighbours to keep resolved: gateways, next hops of attached routes */
	const struct ip_addr *gateway;
};

struct model_limits {
	uint32_t routes_per_table;
	uint32_t tbl8_per_table;
};

/* Nothing is published yet. NULL with errno. */
struct model *model_create(struct boundary *b, const struct model_limits *limits);
void model_free(struct model *m);
/*
 * Makes `conf` the configuration: first time or a change of it. Publishes interfaces, tables,
 * routes and tunnel numbers with as little change as possible: what is equal in both is not
 * touched, indexes, slots and states stay with their names, no packet of what stays is lost. 0, or
 * -errno with a log line; then all is as before, in the boundary and in what is handed out here.
 * `conf` must outlive the model or the next successful model_apply(). May wait for a grace period.
 * The caller removes the SAs of tunnels that have gone right afterwards, and asks model_underlay()
 * again for the others: a changed uplink or a longer route gives another leaf.
 */
int model_apply(struct model *m, const struct conf *conf);

/*
 * Where learned routes come from, and go to: before the first model_apply(), to outlive the model. Each route
 * table is a view of the engine.
 */
void model_set_bgp(struct model *m, struct bgp_engine *engine);
/* The numbers that peers have in the engine. */
uint32_t model_peer_of_tunnel(const struct model_tunnel *t);
uint32_t model_peer_of_iface(const struct model_iface *i);
/* After peers were added to the engine. */
void model_peers_changed(struct model *m);
/*
 * Takes in what was learned, at most about `max` prefixes; returns how many, 0: nothing is waiting. In between
 * lookups are right for what was taken in.
 */
unsigned model_learn(struct model *m, unsigned max);
/* Ask it in struct bgp_ops.export. */
bool model_export(const struct model *m, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit);
/* The view that peers of that attachment are told (B8); 0: none. */
uint32_t model_view_of(const struct model *m, const struct conf_attachment *a);

/*
 * State from outside. Idempotent; publishes what follows from it before it returns. A new tunnel is
 * down; a new interface has the link that its struct port says. A tunnel carries nothing while the
 * link below it is down, whatever its own state.
 */
void model_tunnel_set(struct model *m, uint32_t tunnel, enum model_tunnel_state state);
void model_link_set(struct model *m, const struct conf_port *port, bool up);
/* A port attachment whose far end is found to be gone carries nothing, whatever its link. Forgotten with the
 * attachment; no such attachment: nothing. */
void model_attachment_set(struct model *m, const char *name, bool fit);

/*
 * The leaf next hop of outer packets from one of our gateway addresses to a peer: on its uplink
 * (or, private, on the interface of its VBR) either connected or via the gateway. Stable while the
 * interface is there; its content follows the configuration. 0 when `local` is no gateway address
 * or nothing leads to `remote`.
 */
uint32_t model_underlay(struct model *m, const struct ip_addr *local, const struct ip_addr *remote);
const struct model_tunnel *model_tunnel_find(const struct model *m, const struct conf_tunnel *t);
const struct model_tunnel *model_tunnel_at(const struct model *m, uint32_t index);
unsigned model_tunnels(const struct model *m, const struct model_tunnel ***all);
unsigned model_ifaces(const struct model *m, const struct model_iface ***all);
/*
 * An address of the router to answer from (ICMP) towards packets that came in on that attachment.
 * Unset: none.
 */
struct ip_addr model_source_address(
    const struct model *m, uint16_t attachment, const struct ip_addr *towards);

/* By number and by name; NULL and 0: there is none. */
const char *model_attachment_name(const struct model *m, uint16_t number);
uint16_t model_attachment_number(const struct model *m, const char *name);

/* For the control socket; new references. */
struct json_t *model_show_attachments(const struct model *m);
struct json_t *model_show_connections(
    const struct model *m); /* redundancy MET / NOT_MET with reason (T2) */
/* The row of one, of the configuration in force. */
struct json_t *model_show_connection(const struct model *m, const struct conf_connection *c);
struct json_t *model_show_tables(const struct model *m);
struct json_t *model_show_policers(const struct model *m);
/* The name of one as `show policers` has it; "?" when it has gone. */
const char *model_policer_name(
    const struct model *m, const struct policer_gate *gate, char *out, size_t size);
/* NULL: no such table. */
struct json_t *model_show_routes(struct model *m, const char *table); /* table NULL: all */
/*
 * The same in pages of about `max` rows: the last one is a list of rows, others are {"rows": [...], "next": ANY},
 * and ANY is `from` of the one that follows; NULL: the first.
 */
struct json_t *model_show_routes_page(
    struct model *m, const char *table, const struct json_t *from, unsigned max);

#endif
