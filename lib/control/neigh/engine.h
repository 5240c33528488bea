/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEIGH_ENGINE_H
#define NEIGH_ENGINE_H

/* What the files of this folder share: the records of the engine. */

#include "base/list.h"
#include "neigh/neigh.h"

enum entry_state {
	ENTRY_INCOMPLETE,
	ENTRY_READY,
	ENTRY_PROBING,
	ENTRY_FAILED,
	ENTRY_STATIC,
	ENTRY_STATES
};

struct waiting {
	struct list node;
	void *packet;
};

struct entry {            /* a neighbour */
	struct list node; /* of struct port_side.entries, least recently answered first */
	struct side *side;
	struct timer timer;
	struct ip_addr addr;
	uint8_t mac[6];
	uint8_t state; /* enum entry_state */
	bool has_mac;
	unsigned pins;
	unsigned tries;
	unsigned waiting_count;
	struct list waiting;
	struct mono answered;
};

struct proxy {
	struct list node;
	struct ip_addr addr;
};

struct side { /* an interface */
	struct list node;
	struct neigh_engine *engine;
	struct neigh_iface conf;
	struct list entries;
	unsigned entry_count;
	struct list proxies;
	struct timer announce;
	unsigned announced;   /* rounds of gratuitous ARP sent */
	struct mono defended; /* last time an address was defended */
	bool up;
};

struct neigh_engine {
	const struct neigh_ops *ops;
	void *ctx;
	struct timers *timers;
	struct neigh_limits limits;
	struct list sides;
	unsigned waiting; /* packets, of all */
	uint64_t ignored; /* ARP frames that made no sense */
};

/* A frame of ours; `to` NULL: broadcast. */
#define ARP_FRAME_BYTES 42
void arp_request(const struct side *s, const struct ip_addr *from, const struct ip_addr *about,
    const uint8_t *to);
void arp_reply(const struct side *s, const struct ip_addr *from, const uint8_t to[6],
    const struct ip_addr *to_addr);

struct arp {
	bool request;
	uint8_t ether_source[6];
	uint8_t sender_mac[6], target_mac[6];
	struct ip_addr sender, target;
};
/* True for a well-formed ARP frame for IPv4 over Ethernet whose sender is one station. */
bool arp_parse(const uint8_t *frame, size_t len, struct arp *out);

/* entry.c: the life of a neighbour */
struct entry *entry_find(const struct side *s, const struct ip_addr *addr);
/* NULL when the interface holds as many as it may and none can go. */
struct entry *entry_get(struct side *s, const struct ip_addr *addr, struct mono now);
void entry_start(struct entry *e, struct mono now);
void entry_answered(struct entry *e, const uint8_t mac[6], struct mono now);
void entry_fix(struct entry *e, const uint8_t mac[6], struct mono now);
void entry_doubt(struct entry *e, struct mono now);
/* What was asked while the link was down was asked in vain: asks again, or forgets (and frees) what was given up. */
void entry_link_up(struct entry *e, struct mono now);
void entry_free(struct entry *e);

/* The subnet of the interface that has the address; NULL when none has. */
const struct ip_addr *side_source(const struct side *s, const struct ip_addr *about);
bool side_owns(const struct side *s, const struct ip_addr *addr);

#endif
