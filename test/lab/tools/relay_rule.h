/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LAB_RELAY_RULE_H
#define LAB_RELAY_RULE_H

/*
 * A rule of the relay: which frames, and what happens to them. In text:
 *
 *   ab|ba|any [MATCH]... ACTION
 *
 *   MATCH   ike | esp | udp | tcp | icmp      ike and esp: on their own or in UDP (RFC 3948)
 *           src ADDRESS | dst ADDRESS | sport N | dport N
 *           exchange N | request | response | msgid N     of IKE; N: 34 SA_INIT, 35 AUTH,
 *                                                         36 CREATE_CHILD_SA, 37 INFORMATIONAL
 *           spi N                             of ESP
 *           nth N                             only the Nth frame that all of the above fits
 *           first N                           only the first N of them
 *   ACTION  drop | loss PERCENT | dup PERCENT | delay MS | reorder PERCENT FRAMES
 *           flip PERCENT                      one bit of the transport payload
 *           truncate BYTES                    that many bytes off the end, IP length made to fit
 *           replay PERCENT MS                 the same frame again after so long
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame_socket.h"

#define RULE_ID_MAX 24

enum rule_dir { DIR_AB = 1, DIR_BA = 2, DIR_ANY = 3 };
enum rule_action { ACT_DROP, ACT_DUP, ACT_DELAY, ACT_REORDER, ACT_FLIP, ACT_TRUNCATE, ACT_REPLAY };

/* What a frame is, found once for all rules. Host byte order. */
struct packet_info {
	uint8_t dir; /* DIR_AB or DIR_BA */
	uint8_t proto;
	uint32_t src, dst;
	uint16_t sport, dport;
	bool is_ip, is_ike, is_esp;
	uint8_t exchange;
	bool is_response;
	uint32_t msgid, spi;
	size_t ip_at;      /* offset of the IPv4 header */
	size_t payload_at; /* offset behind the UDP header, or the IP header if there is none */
};

struct rule {
	char id[RULE_ID_MAX];
	uint8_t dir;
	enum { KIND_ANY, KIND_IKE, KIND_ESP, KIND_PROTO } kind;
	uint8_t proto;
	uint32_t src, dst; /* 0: any; so for the ports */
	uint16_t sport, dport;
	int64_t exchange, msgid, spi; /* -1: any */
	int response;                 /* -1: any, 0: request, 1: response */
	uint64_t nth, first;
	enum rule_action action;
	double percent;
	uint64_t amount; /* ms, frames or bytes */
	uint64_t matched, applied;
};

/* Reads a rule from words. 0, or -EINVAL. */
int rule_parse(struct rule *r, char **words, unsigned count);
void packet_inspect(const struct frame *f, uint8_t dir, struct packet_info *out);
/* Whether the rule is for this packet; counts. */
bool rule_matches(struct rule *r, const struct packet_info *p);

#endif
