/* SPDX-License-Identifier: BSD-3-Clause */

/* Maximum number of prefixes from a peer: a warning, then the end (RFC 4486 4). */

#include "bgp/engine.h"

bool bgp_limit_in(struct bgp_peer *peer, enum bgp_family family, struct bgp_error *error)
{
	const struct bgp_prefix_limit *limit = &peer->config.limit_in[family];
	struct bgp_adj_in *in = &peer->in[family];
	uint32_t count = limit->accepted_only ? in->accepted : in->count;
	struct wirebuf b;

	if (limit->max == 0)
		return true;
	if (!in->warned && limit->warn_percent &&
	    (uint64_t)count * 100 >= (uint64_t)limit->max * limit->warn_percent) {
		in->warned = true;
		bgp_log(peer, LOG_WARNING, "%s: %u of at most %u prefixes", bgp_family_name(family),
		    count, limit->max);
	}
	if (count <= limit->max)
		return true;
	peer->over_limit = true;
	peer->over_limit_s = limit->restart_s;
	*error = bgp_error_of(BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIXES);
	b = wirebuf_of(error->own, sizeof(error->own));
	wirebuf_u16(&b, bgp_family_afi(family));
	wirebuf_u8(&b, 1);
	wirebuf_u32(&b, limit->max);
	error->own_len = (uint8_t)wirebuf_len(&b);
	return false;
}
