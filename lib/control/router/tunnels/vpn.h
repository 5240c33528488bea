/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_VPN_H
#define ROUTER_VPN_H

/*
 * Tunnels of this router: what IKE, manual keys and the boundary know of each. Control lcore only; use it
 * by router/internal.h.
 */

#include "base/list.h"
#include "ike/ike.h"
#include "router/router.h"

struct event;
struct rte_mbuf;
struct rng;

/* A Child SA of a tunnel in the boundary, named by spi_in. */
struct child {
	struct list node;    /* of struct vpn_tunnel.children, newest outbound first */
	struct ike_child sa; /* keys too, for a change of endpoints; wiped when freed. Selector
				pointers go to the arrays below */
	struct ike_selector local_ts[IKE_TS_MAX], remote_ts[IKE_TS_MAX];
	struct sa_in *in;
	struct sa_out *out;               /* NULL: not yet, or no longer, sending */
	uint64_t packets_in, packets_out; /* counted when child_usage was last asked */
	struct mono last_in, last_out;
};

#define TRAP_HELD_MAX 16

/* What the router keeps of a tunnel beside model and ike. Its index in router->tunnel[] is that of the boundary. */
struct vpn_tunnel {
	const struct model_tunnel *model;
	struct list children;
	enum ike_tunnel_state ike_state;
	struct mono state_since;
	enum ike_error_code error_code; /* the last report, for `show tunnels` */
	char error_text[512];
	struct mono error_at;
	uint64_t ups;      /* times it came up */
	uint32_t path_mtu; /* of path_mtu.c: what a router on the path can take; 0: nobody said */
	struct mono path_mtu_until;
	uint8_t fit;         /* enum fitness, of eligible.c alone */
	uint32_t bfd;        /* its BFD session; 0: none */
	unsigned held_count; /* packets that wait for an on-demand tunnel */
	struct rte_mbuf *held[TRAP_HELD_MAX];
	struct mono held_since;
	uint64_t numbers_end, numbers_range; /* of manual_numbers.c: granted below; asked for */
	struct mono numbers_at;
	bool numbers_due;
	bool
	    gone; /* the configuration has it no more: `model` is `last`, nothing is published for it */
	struct model_tunnel last;
};

/* The way of the goodbye to a peer whose tunnel the model knows no more. */
#define FAREWELLS_MAX 64
struct farewell {
	struct ip_addr local, remote;
	uint32_t leaf;
	uint16_t iface;
	struct mono until;
};

/* vpn.c */
extern const struct ike_ops router_ike_ops;
void tunnel_event(struct router *r, const struct event *ev, struct mono now);
void tunnel_trap(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void vpn_tick(struct router *r, struct mono now);                        /* once a second */
struct vpn_tunnel *tunnel_by_name(struct router *r, const char *name);   /* "dc1/1"; NULL */
/* Publishes the record that follows from children and state. */
void tunnel_refresh(struct router *r, struct vpn_tunnel *t);
void tunnel_release_held(struct router *r, struct vpn_tunnel *t, bool up);

/* tunnels.c: tunnels come and go */
int vpn_init(
    struct router *r); /* after model_apply(): adds every tunnel to ike or keys it by hand */
void vpn_fini(struct router *r);
/* The leaf of a goodbye; 0: none. */
uint32_t farewell_leaf(
    const struct router *r, const struct ip_addr *local, const struct ip_addr *remote);

/* tunnel_conf.c: the engine's configuration of a tunnel, and pre-shared keys. */
void tunnel_conf_ike(
    const struct conf_tunnel *t, struct ike_tunnel_config *out, struct ip_prefix *any);
/* psk.c: generated pre-shared keys, kept in the state directory with mode 0600 (T12, X5). 0 or -errno. */
int psk_load_or_make(const char *state_dir, const char *connection, unsigned tunnel,
    struct rng *rng, char out[CONF_PSK_MAX + 1]);

/* path_mtu.c: what fits the path to the peer */
/* A packet (from its IP header on) that may be a report of a router on the path. */
void path_mtu_heard(struct router *r, const uint8_t *packet, size_t len, struct mono now);
/* Of what is outside: the uplink's, or less. */
uint32_t path_mtu_outer(const struct vpn_tunnel *t);
void path_mtu_forget(struct router *r, struct vpn_tunnel *t);
void path_mtu_tick(struct router *r, struct vpn_tunnel *t, struct mono now);

/* manual.c: keying: manual. 0 or -errno. The SAs go on behind these numbers; 0: from the beginning. */
int manual_install(struct router *r, struct vpn_tunnel *t, uint64_t first_out, uint64_t first_in);
void manual_up(struct router *r, struct vpn_tunnel *t);

/* manual_numbers.c: no manual key meets a sequence number twice, whatever ends the process */
void manual_numbers_init(struct router *r);
void manual_numbers_fini(struct router *r); /* workers have ended */
/* Of the outbound key, the first that nobody has used. -errno when there is none, after the tunnel's error. */
int manual_numbers_first(struct router *r, struct vpn_tunnel *t, uint64_t *first);
/* The outbound SA has none left, or soon. */
void manual_numbers_want(struct router *r, struct vpn_tunnel *t);
/* Every round of the loop: reserves and grants what is wanted. */
void manual_numbers_run(struct router *r, struct mono now);

/* child.c: Child SAs in the boundary */
struct child *child_find(struct vpn_tunnel *t, uint32_t spi_in);
/* Sequence numbers below the first count as seen, or as sent. */
int child_install_in(
    struct router *r, struct vpn_tunnel *t, const struct ike_child *sa, uint64_t first_sequence);
int child_install_out(
    struct router *r, struct vpn_tunnel *t, struct child *c, uint64_t first_sequence);
void child_drop_out(struct router *r, struct vpn_tunnel *t, struct child *c);
void child_free(struct router *r, struct vpn_tunnel *t, struct child *c);
int child_move(struct router *r, struct vpn_tunnel *t, struct child *c);
/* The peer keeps it for so many bytes only, from now on. */
void child_limit_bytes(struct child *c, uint64_t bytes);

#endif
