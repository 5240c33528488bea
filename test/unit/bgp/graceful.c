/* SPDX-License-Identifier: BSD-3-Clause */

#include "graceful.h"

void graceful_up(struct speaker *s, const char *gr)
{
	struct bgp_peer_config config = speaker_config(1);
	char caps[128];

	if (bgp_peer_add(s->engine, s->now, 1, &config, NULL) == 0)
		bgp_peer_start(s->engine, s->now, 1);
	else if (speaker_state(s, 1) == BGP_IDLE)
		assert_true(speaker_connect(s, 1)); /* the peer comes back at once */
	snprintf(caps, sizeof(caps), CAP_REFRESH CAP_ENHANCED "%s", gr);
	speaker_establish(s, 1, caps);
}

unsigned graceful_received(struct speaker *s)
{
	return speaker_info(s, 1).rib[BGP_IPV4].received;
}

unsigned graceful_stale(struct speaker *s)
{
	return speaker_info(s, 1).rib[BGP_IPV4].stale;
}

void graceful_learn(struct speaker *s)
{
	speaker_update(s, 1, "", OK, "08 0a 08 0b 08 0c");
	speaker_update(s, 1, "", "", "");
	speaker_settle(s);
}
