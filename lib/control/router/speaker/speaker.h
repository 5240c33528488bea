/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_SPEAKER_H
#define ROUTER_SPEAKER_H

/*
 * The BGP speaker of the router: bgp (sessions) <-> host (sockets) <-> workers (packets) <-> model (routes).
 *
 *   speaker.c          create, apply a configuration, rounds, goodbye; what the engine asks of us
 *   conf.c             startup file -> peers
 *   socket.c           sockets <-> connections of the engine
 *   evidence.c         what a peer's packets say of why a session does not come about
 *   restart.c          were we killed?
 *   packet.c           packets between the TUN device and the tunnels and ports of sessions
 *   ../show/bgp.c      what the control socket answers
 */

#include "bgp/bgp.h"
#include "host/host.h"
#include "router/internal.h"
#include "router/speaker/evidence.h"

/* A session that the configuration wants: one per tunnel with bgp, one per port attachment with bgp. */
struct speaker_peer {
	struct list node; /* of struct speaker.peers, in order of local, then remote address */
	struct speaker *speaker;
	uint32_t number; /* of the engine and the model */
	const char *attachment;
	struct bgp_peer_config config;
	char *key;       /* TCP MD5; NULL: none. Wiped when freed */
	uint32_t tunnel; /* struct tunnel.index; 0: on a port */
	uint32_t iface;  /* struct iface.index */
	uint32_t leaf;   /* next hop to a neighbour on that interface */
	uint16_t mss;    /* 0: not known */
	bool disabled;   /* by hand, until it is enabled or transitd starts again */
	bool reachable;  /* when last looked at */
	bool seen;
	uint8_t
	    evidence; /* enum evidence, of the last packet that opened or refused a connection */
	struct mono heard; /* the last packet of the session that came; 0: none */
	int listener;      /* -1: none */
	struct event *accept_event;
	uint64_t
	    foreign; /* packets to our end of the session that were not of the peer, or came from elsewhere */
};

enum speaker_conn_state {
	CONN_CONNECTING,
	CONN_OPEN,
	CONN_CLOSING, /* the engine has closed it; what was written goes out, what comes is not read */
};

#define SPEAKER_CHUNK 65536

struct speaker_conn {
	struct list node;  /* of struct speaker.bucket[] */
	struct list ready; /* of struct speaker.ready: there may be bytes to read */
	struct speaker *speaker;
	bgp_conn name;
	struct ip_addr local, remote;
	uint8_t state; /* enum speaker_conn_state */
	int fd;
	struct event *read_event, *write_event;
	uint8_t *rest; /* read, and not taken by the engine yet */
	size_t rest_len;
	struct mono give_up; /* CONN_CLOSING */
};

#define SPEAKER_BUCKETS 256

struct speaker {
	struct router *r;
	struct bgp_engine *engine;
	struct host *host; /* NULL: no session is configured, or it could not be opened */
	struct event *tun_event;
	struct list peers;
	struct list bucket[SPEAKER_BUCKETS]; /* connections by name */
	struct list ready;
	struct list closing;
	unsigned conns;
	bool marked;           /* restart.c: the file is there */
	struct mono looked_at; /* tunnels and ports */
	int64_t longest_ns;    /* in one go, since the start */
	uint64_t packets_in, packets_out, packets_refused, packets_lost;
};

struct speaker_peer *speaker_peer_of(const struct speaker *s, uint32_t number);
struct speaker_peer *speaker_peer_named(const struct speaker *s, const char *name);

/* conf.c */
/* Calls with each peer that the configuration wants; the struct is the callee's to copy. */
void speaker_each_wanted(struct router *r,
    void (*fn)(void *ctx, const struct speaker_peer *want, const char *key), void *ctx);

/* restart.c */
bool speaker_was_killed(const struct router *r); /* at the start */
void speaker_mark_running(struct speaker *s);    /* once there are peers */
void speaker_mark_ended(struct speaker *s);      /* they were told goodbye */

/* socket.c         */
void speaker_listen(struct speaker_peer *p); /* again, when it listens already */
void speaker_unlisten(struct speaker_peer *p);
void speaker_rekey(struct speaker_peer *p); /* its connections and listener get the key */
/* One read of one connection that has something. False: none has. */
bool speaker_read_one(struct speaker *s, struct mono now);
void speaker_conns_free(struct speaker *s, bool all); /* those that have closed, or all */
int speaker_op_connect(
    void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *transport);
void speaker_op_close(void *ctx, bgp_conn conn);
size_t speaker_op_send(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len);

/* packet.c         */
/* Nothing of the session has come from its peer for half a minute, in which we have called it. */
bool speaker_is_silent(const struct speaker_peer *p, struct mono now);
/* What its packets say that still holds: of a refusal, one that is repeated. */
enum evidence speaker_evidence(const struct speaker_peer *p, struct mono now);
void speaker_on_tun(evutil_socket_t fd, short what, void *arg);

#endif
