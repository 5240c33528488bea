/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_EXPLAIN_H
#define MODEL_EXPLAIN_H

/*
 * Why does a packet go where it goes (O4)? The question is answered by the code that decides: the
 * records of the boundary through boundary/decide.h, as workers do, and for what lies behind them
 * the candidates of the route table and the policies, asked again.
 */

#include "model/model.h"

struct model_flow {
	const char *from; /* attachment */
	struct ip_addr src, dst;
	uint8_t protocol;
	uint16_t src_port, dst_port;
	uint32_t bytes; /* of the packet; 0: any that fits */
};

enum model_fate {
	FATE_DROPPED,
	FATE_LOCAL, /* for the router itself */
	FATE_SENT,  /* out of an interface or into a tunnel */
	FATE_HELD,  /* goes on when its neighbour is found, or its tunnel is up */
};

struct model_verdict {
	enum model_fate fate;
	unsigned drop;              /* enum drop_reason; DROP_NOT unless dropped */
	uint16_t attachment;        /* ingress */
	bool by_port;               /* ingress: a port, not a tunnel */
	const struct fib *fib;      /* NULL: no table */
	const struct nexthop *nh;   /* what the table says; NULL: nothing */
	bool grouped;               /* it is a group: */
	uint32_t hash, bucket;      /*   which bucket of it */
	const struct nexthop *leaf; /* NULL unless it came so far */
	const struct iface *iface;  /* where it leaves, in clear or as ESP */
	const struct neigh *neigh;  /* to whom; NULL: not known yet */
	const struct tunnel *tunnel;
	const struct sa_out *sa;
	uint32_t mtu; /* of the way out; 0: none */
	bool too_big; /* is fragmented, or with DF dropped and its source told */
};

/* 0, -ENOENT (no such attachment), -EAFNOSUPPORT (not one family, or not IPv4). */
int model_explain(const struct model *m, const struct model_flow *flow, struct model_verdict *out);
/* The same with everything that led there. NULL with errno as above. */
struct json_t *model_explain_json(struct model *m, const struct model_flow *flow);

#endif
