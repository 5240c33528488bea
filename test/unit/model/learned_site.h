/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_LEARNED_SITE_H
#define MODEL_LEARNED_SITE_H

/*
 * A model that learns: BGP peers at the far ends of six tunnels (c0, c1 active/standby, c2) and of three lines (l0 and l1 VBR,
 * l2 CCN, all on lan1). The far ends are as the test wants them; what the model makes of it is for the tests to judge.
 */

#include "bench.h"
#include "bgp/speaker.h"

#define ENDS       9 /* tunnels first: 2 * connection + tunnel - 1 */
#define TUNNELS    6
#define LINES      3
#define PREFIXES   8 /* 172.16.K.0/24 */
#define LENGTH_MAX 3

enum site_port { SITE_WAN0, SITE_WAN1, SITE_LAN1, SITE_PORTS };

struct far_end {                           /* as it really is */
	const struct model_tunnel *tunnel; /* NULL: a line, or not configured */
	enum model_tunnel_state state;
	bool there, session;
	uint32_t view;             /* that it is told */
	unsigned length[PREFIXES]; /* of the AS path it announced; 0: nothing */
};

struct site {
	struct bench *t;
	struct speaker s;
	struct far_end end[ENDS];
	bool link[SITE_PORTS];
};

#define SITE_C0  "  c0: {" BENCH_PAIR "}\n"
#define SITE_C1  "  c1: {ha: active-standby, " BENCH_PAIR "}\n"
#define SITE_C2  "  c2: {" BENCH_PAIR "}\n"
#define SITE_C2S "  c2: {mode: single, tunnels: [{customer-gateway: cgw-a, psk: k}]}\n"
/* Attachments. c1 has a configured route to 172.16.7.0/24. */
#define SITE_A0 "  c0: {kind: vpn, connection: c0}\n"
#define SITE_A1 "  c1: {kind: vpn, connection: c1, routes: [{prefix: 172.16.7.0/24}]}\n"
#define SITE_A2 "  c2: {kind: vpn, connection: c2}\n"
#define SITE_LINE(name, kind, vlan, net)                                                           \
	"  " name ": {kind: " kind ", port: lan1, vlan: " vlan ", address: " net ".1/24, bgp: {"   \
	"peer: " net ".2, peer-asn: 65020}}\n"
/* Nobody can take 172.16.6.0/24 from its blackhole. */
#define SITE_CONFIG(connections, attachments)                                                      \
	BENCH_SITE                                                                                 \
	"route-tables: {default: {routes: [{prefix: 172.16.6.0/24, blackhole: yes}]}}\n"           \
	"vpn-connections:\n" connections                                                           \
	"attachments:\n" attachments SITE_LINE("l0", "vbr", "30", "10.30.0")                       \
	    SITE_LINE("l1", "vbr", "31", "10.31.0") SITE_LINE("l2", "ccn", "32",                   \
		"10.32.0") "  asker: {kind: vpc, port: lan0, vlan: 10, address: 10.1.0.1/16}\n"
#define SITE_ALL SITE_CONFIG(SITE_C0 SITE_C1 SITE_C2, SITE_A0 SITE_A1 SITE_A2)

/* All up, with sessions, and nothing announced. One site at a time. */
void site_setup(struct site *site);
void site_teardown(struct site *site);
/* Another configuration. Sessions of what goes end after it is in force; what comes is down, with a session. */
void site_apply(struct site *site, const char *yaml);
/* What the router tells that end of a prefix: hex of its attributes by code; NULL: nothing. */
const char *site_told(struct site *site, unsigned end, const char *prefix);
/* The same, and the moment in between is for the test. */
void site_apply_and(struct site *site, const char *yaml, void (*then)(void));
/* Until nothing is left to do. */
void site_settle(struct site *site);

/* "c1/2", "l0>10.30.0.2" */
const char *site_end_name(unsigned end);
/* The end of a way as bench_buckets() names it. */
unsigned site_end_of(const char *way);
enum site_port site_port_of(unsigned end);
bool site_is_up(const struct site *site, unsigned end);

void site_announce(struct site *site, unsigned end, unsigned prefix, unsigned length);
/* The same with these attributes besides (hex of whole ones), and an AS path of its own (hex of AS numbers). */
void site_announce_with(
    struct site *site, unsigned end, unsigned prefix, const char *path, const char *more);
/* These prefixes (hex of an NLRI field), all alike. */
void site_announce_hex(struct site *site, unsigned end, const char *nlri, unsigned length);
void site_session(struct site *site, unsigned end, bool up);
void site_link(struct site *site, enum site_port port, bool up);
void site_tunnel(struct site *site, unsigned end, enum model_tunnel_state state);

#endif
