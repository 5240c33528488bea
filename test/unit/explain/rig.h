/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPLAIN_RIG_H
#define EXPLAIN_RIG_H

/*
 * A model with a worker behind it: a configuration in the words of the startup file, tunnels with
 * real SAs, ports that are rings in memory. A packet goes in at an attachment, and the rig tells
 * what became of it.
 */

#include "testing_eal.h"

#include "boundary/boundary.h"
#include "conf/conf.h"
#include "datapath/worker.h"
#include "model/explain.h"

#define RIG_PORTS 4 /* wan0, wan1, lan0, lan1 */

struct rig {
	struct crypto *crypto;
	struct boundary *b;
	struct worker *w;
	struct port port[RIG_PORTS];
	struct rte_ring *in[RIG_PORTS], *out[RIG_PORTS];
	struct model *m;
	struct conf *conf;
	struct rng rng;
	unsigned sas;
	struct sa_out *sa[128];
};

/* Fixtures of a group; *state is a struct rig. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Makes it the configuration; takes it. Tunnels are in random states, neighbours partly known. */
void rig_apply(struct rig *r, struct conf *conf);
/* A tunnel by name gets SAs, or is in a state without. */
void rig_tunnel(struct rig *r, const char *name, enum tunnel_state state);
/* Every neighbour that somebody could ask for: known with this chance out of 100. */
void rig_neighbours(struct rig *r, unsigned chance);

struct rig_outcome {
	uint64_t drop[DROP_REASON_COUNT]; /* at the slot of the ingress */
	unsigned drops;
	unsigned punted;  /* for the router itself, or waiting */
	unsigned waiting; /* of these: for a neighbour or a tunnel */
	unsigned frames;  /* that left */
	/* of the last of them: */
	uint16_t port, vlan;
	uint8_t mac[6];
	uint32_t spi; /* 0: no ESP */
};
/* A packet of that flow, `df`: must not be fragmented. */
void rig_send(struct rig *r, const struct model_flow *flow, bool df, struct rig_outcome *out);

#endif
