/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPEAKER_H
#define SPEAKER_H

/*
 * One engine, and in place of its peers a test that writes and reads their bytes. Peer number N has AS
 * 65000 + N and address 10.0.0.N; the engine is AS 65000, router ID 10.0.0.254.
 *
 * The reading side is a decoder of its own, so that what the engine writes is not judged by the code
 * that wrote it.
 */

#include "testing.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bgp/bgp.h"

#define PEERS_MAX  20
#define LOCAL_AS   65000u
#define LOCAL_ID   0x0a0000feu
#define PEER_AS(n) (65000u + (n))
#define PEER_ID(n) (0x0a000000u + (n))
#define EVENTS_MAX 64
#define ROUTES_MAX 4096

struct route { /* as the peer has it */
	struct ip_prefix prefix;
	char attrs[512]; /* hex of all attributes but MP_REACH's prefixes */
};

struct remote {                /* the far side of one peer */
	bgp_conn conn;         /* latest connection */
	bool connecting, open; /* engine asked for it; it exists */
	unsigned connects, closes;
	uint8_t *bytes; /* sent by the engine, not read by the test */
	size_t len, room;
	size_t window;      /* the transport takes so much and no more */
	size_t message_max; /* longer ones fail the test */
	unsigned ups, downs;
	uint8_t kept;
	struct bgp_end end;
	struct route *route;
	unsigned routes;
	unsigned updates, announcements, withdrawals, end_of_ribs[BGP_FAMILY_COUNT];
	unsigned repeated; /* announced exactly as it was */
};

struct message {
	uint8_t type;
	const uint8_t *body;
	size_t len;
	uint8_t bytes[65536];
};

struct speaker {
	struct bgp_engine *engine;
	struct rng rng;
	struct mono now;
	struct remote remote[PEERS_MAX + 1];
	uint32_t id[PEERS_MAX + 1]; /* by which the engine knows the peer; 0: by its number */
	unsigned learned;
	bool (*import)(uint32_t peer, const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
	    struct bgp_edit *edit);
	bool (*export)(uint32_t peer, const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
	    uint32_t tag, struct bgp_edit *edit);
	struct message message;
};

void speaker_init(struct speaker *s);
void speaker_init_with(struct speaker *s, const struct bgp_config *config);
void speaker_fini(struct speaker *s); /* also checks that nothing is left over */
struct bgp_peer_config speaker_config(unsigned peer);
uint32_t speaker_id(const struct speaker *s, unsigned peer);

/* Adds and starts; no connection yet. */
void speaker_add(struct speaker *s, unsigned peer, const struct bgp_peer_config *config);
/* The same with the default configuration. */
void speaker_begin(struct speaker *s, unsigned peer);
/* Runs until there is no work now. */
void speaker_run(struct speaker *s);
/* Turns the clock, in steps of timers, and keeps nobody alive. */
void speaker_wait(struct speaker *s, int64_t ns);

/* The connection that the engine asked for is there. */
void speaker_accept(struct speaker *s, unsigned peer);
/* The peer connects. False: refused. */
bool speaker_connect(struct speaker *s, unsigned peer);
void speaker_close(struct speaker *s, unsigned peer);

/* Bytes of the peer as hex, blanks allowed. speaker_bytes() hands over all of it, in slices if need be. */
void speaker_bytes(struct speaker *s, unsigned peer, const uint8_t *bytes, size_t len);
void speaker_hex(struct speaker *s, unsigned peer, const char *hex);
/* A message of that type with the header put in front. */
void speaker_send(struct speaker *s, unsigned peer, uint8_t type, const char *body_hex);
/* UPDATE of three fields. */
void speaker_update(
    struct speaker *s, unsigned peer, const char *withdrawn, const char *attrs, const char *nlri);
#define KEEPALIVE(s, peer) speaker_send(s, peer, BGP_KEEPALIVE, "")
/* An OPEN of the peer with these capabilities (hex of a whole optional-parameters field, or NULL). */
void speaker_open(struct speaker *s, unsigned peer, const char *capabilities);
#define CAP_AS4      "41 04 0000" /* and two more octets of AS */
#define CAP_MP4      "01 04 0001 0001"
#define CAP_MP6      "01 04 0002 0001"
#define CAP_REFRESH  "02 00"
#define CAP_ENHANCED "46 00"
#define CAP_EXTENDED "06 00"

/* All the way to Established, with 4-octet AS numbers and these capabilities besides (may be ""). */
void speaker_establish(struct speaker *s, unsigned peer, const char *capabilities);
/* add + establish with the default configuration. */
void speaker_up(struct speaker *s, unsigned peer);

/* The next message the engine sent; false when there is none. */
bool speaker_next(struct speaker *s, unsigned peer);
/* Skips to the next NOTIFICATION and checks it; data as hex. */
void speaker_expect_notification(
    struct speaker *s, unsigned peer, uint8_t code, uint8_t subcode, const char *data);
void speaker_expect_nothing(struct speaker *s, unsigned peer);
/* Reads everything; UPDATEs go into remote.route. */
void speaker_drain(struct speaker *s, unsigned peer);
const struct route *speaker_route(struct speaker *s, unsigned peer, const char *prefix);
enum bgp_state speaker_state(struct speaker *s, unsigned peer);
struct bgp_peer_info speaker_info(struct speaker *s, unsigned peer);

/* The model of the tests: every change is decided and put into view 1. */
void speaker_decide(struct speaker *s);
/* decide, run, until nothing changes. */
void speaker_settle(struct speaker *s);
/* The paths of a prefix; returns the count. */
unsigned speaker_paths(struct speaker *s, const char *prefix, struct bgp_path *out, unsigned max);
/* The set of the one path; fails the test unless there is exactly one. */
const struct bgp_attrs *speaker_attrs(struct speaker *s, const char *prefix);
void speaker_local(struct speaker *s, const char *prefix);
/* A route of our own with that community into a view, past the decision. */
void speaker_put(struct speaker *s, uint32_t view, const char *prefix, uint32_t community);

/* Attributes of a good route of that peer: ORIGIN, AS_PATH, NEXT_HOP. */
const char *speaker_good(unsigned peer);
size_t unhex(const char *hex, uint8_t *out, size_t room);

#endif
