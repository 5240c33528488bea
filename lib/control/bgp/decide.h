/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_DECIDE_H
#define BGP_DECIDE_H

/*
 * The decision process (RFC 4271 9.1.1 and 9.1.2.2, RFC 4456 9) as a pure function over the paths to one
 * prefix. Each step removes paths from the whole set, as the RFC writes it; the outcome therefore does
 * not depend on the order in which paths came, not even where MED is compared between some of them only.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "bgp/attrs.h"

/* Why a path is not the best: the step that removed it. The letters are those of RFC 4271 9.1.2.2. */
enum bgp_step {
	BGP_STEP_BEST,
	BGP_STEP_MULTIPATH,       /* used beside the best */
	BGP_STEP_MULTIPATH_PATH,  /* equal, but of another AS_PATH */
	BGP_STEP_MULTIPATH_LIMIT, /* equal, but one too many */
	BGP_STEP_PREFERENCE,      /* 9.1.1: LOCAL_PREF */
	BGP_STEP_AS_PATH,         /* a */
	BGP_STEP_ORIGIN,          /* b */
	BGP_STEP_MED,             /* c */
	BGP_STEP_EXTERNAL,        /* d: external before internal */
	BGP_STEP_METRIC,          /* e: distance to the next hop */
	BGP_STEP_AGE,             /* option: the oldest external one, against flapping */
	BGP_STEP_ROUTER_ID,       /* f: BGP identifier, or ORIGINATOR_ID */
	BGP_STEP_CLUSTER,         /* RFC 4456: shorter CLUSTER_LIST */
	BGP_STEP_ADDRESS,         /* g: address of the peer */
};
const char *bgp_step_text(enum bgp_step step);

struct bgp_path {
	const struct bgp_attrs *attrs;
	uint32_t peer;      /* number of the caller's */
	uint32_t router_id; /* of the peer, host order */
	uint32_t metric; /* of the next hop, 0 as it comes from bgp_paths(): the caller's to set */
	uint32_t learned_s;  /* of the engine's clock; smaller is older */
	struct ip_addr addr; /* of the peer */
	bool external;       /* learned from another AS */
	bool stale;          /* the peer is restarting */
	uint8_t lost;        /* enum bgp_step; set by bgp_decide() */
};

struct bgp_decide_options {
	bool compare_med_always;   /* between neighbour ASes as well */
	bool missing_med_is_worst; /* else 0, which is best */
	bool prefer_oldest;
	bool relax_as_path; /* multipath needs paths of equal length, not equal ones */
	unsigned max_paths; /* 0 or 1: no multipath */
};

/*
 * Orders path[0..count-1]: those to use first, the best of them at 0, then the others, those that were
 * removed last before those removed first; `lost` says why. Returns how many are to be used: 1 or more
 * unless count is 0.
 */
unsigned bgp_decide(
    struct bgp_path *path, unsigned count, const struct bgp_decide_options *options);

#endif
