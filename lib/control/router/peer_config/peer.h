/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_PEER_H
#define ROUTER_PEER_H

/*
 * The configuration of the other side of a tunnel (O5), in the words of its software: pure functions from a tunnel
 * of the startup file to text. Left and right are swapped: what is ours is remote there.
 */

#include "base/text.h"
#include "conf/conf.h"

struct peer_tunnel {
	const struct conf_tunnel *conf;
	const char *name;   /* "dc1-1" */
	const char *secret; /* its pre-shared key, or a placeholder */
	bool with_secrets;  /* BGP passwords too */
};

typedef void peer_writer(const struct peer_tunnel *tunnels, unsigned count, struct text *out);
peer_writer peer_swanctl, peer_libreswan, peer_bird, peer_frr, peer_text;

#define PEER_PLACEHOLDER "REPLACE-BY-THE-PRE-SHARED-KEY"

/* common.c */
/* Who the peer says it is, and who it expects us to be. */
void peer_id_there(const struct conf_tunnel *t, struct text *out);
void peer_id_here(const struct conf_tunnel *t, struct text *out);
/* The password of a session that has one, or a placeholder. */
const char *peer_password(const struct peer_tunnel *p);
/* How the address of its end comes onto the interface of the tunnel, as a comment; nothing without BGP and BFD. */
void peer_tunnel_address(const struct peer_tunnel *p, const char *comment, struct text *out);
/* The prefixes of a side, or 0.0.0.0/0, with commas. */
void peer_selectors(
    const struct ip_prefix *prefixes, unsigned count, const char *separator, struct text *out);
static inline bool peer_is_flow(const struct conf_tunnel *t)
{
	return t->connection->routing_mode == CONF_ROUTING_FLOW_PROTECTION;
}
/* Calls `one` for each combination of the lists, at most PROPOSALS_MAX, with ", " between. */
#define PEER_PROPOSALS_MAX 24
struct peer_algs {
	const enum alg_encr *encr;
	const enum alg_auth *auth;
	const enum alg_dh *dh;
	unsigned encr_count, auth_count, dh_count;
};
struct peer_algs peer_ike_algs(const struct conf_tunnel *t);
struct peer_algs peer_esp_algs(const struct conf_tunnel *t);
typedef void peer_proposal(
    enum alg_encr encr, enum alg_auth auth, enum alg_dh dh, struct text *out);
void peer_proposals(
    const struct peer_algs *algs, const char *separator, peer_proposal *one, struct text *out);

#endif
