/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rehearsal: the first Child SA of IKEv2 comes with IKE_AUTH, without a Diffie-Hellman exchange of its own, so that
 * a disagreement about PFS shows at the first rekey, hours later (RFC 7296 1.2, 1.3.3). Where the configuration
 * asks for it, that rekey is done a second after the tunnel came up. It is an ordinary one, make-before-break: when it
 * is refused the first Child SA goes on as if nothing had happened, and the operator knows. Where the
 * answer of the peer ends the IKE SA instead, there is none when the tunnel is back.
 */

#include "ike/child.h"

#define AFTER_FROM_MS 500
#define AFTER_TO_MS   1500 /* both sides may rehearse: not at the same moment */

const char *ike_rehearsal_name(enum ike_rehearsal result)
{
	static const char *const names[] = {
	    [IKE_REHEARSAL_NONE] = "none",
	    [IKE_REHEARSAL_PENDING] = "pending",
	    [IKE_REHEARSAL_PASSED] = "passed",
	    [IKE_REHEARSAL_FAILED] = "failed",
	};

	return names[result];
}

void ike_rehearsal_begin(struct ike_child_sa *c)
{
	struct ike_tunnel *t = c->sa->tunnel;

	if (!t->config.rehearse || t->rehearsal_costs)
		return;
	t->rehearsal = IKE_REHEARSAL_PENDING;
	c->rehearsing = true;
	c->regular_soft = c->soft;
	ike_child_rekey_later(
	    c, ike_engine_jitter(t->engine, DUR_MS(AFTER_FROM_MS), DUR_MS(AFTER_TO_MS)));
}

void ike_rehearsal_passed(struct ike_child_sa *c)
{
	c->sa->tunnel->rehearsal_costs = false;
	if (!c->rehearsing)
		return;
	c->rehearsing = false;
	c->sa->tunnel->rehearsal = IKE_REHEARSAL_PASSED;
	ike_tunnel_log(c->sa->tunnel, LOG_INFO, "rehearsal passed: Child SA %08x was replaced",
	    c->info.spi_in);
}

bool ike_rehearsal_failed(struct ike_child_sa *c)
{
	if (!c->rehearsing)
		return false;
	c->rehearsing = false;
	c->sa->tunnel->rehearsal = IKE_REHEARSAL_FAILED;
	ike_tunnel_log(c->sa->tunnel, LOG_WARNING,
	    "rehearsal failed: Child SA %08x carries on, its rekey will fail as well",
	    c->info.spi_in);
	c->soft = c->regular_soft;
	if (c->state == IKE_CHILD_REKEYING)
		ike_child_set_state(c, IKE_CHILD_INSTALLED);
	else
		ike_child_clock(c);
	return true;
}

void ike_rehearsal_ended(struct ike_child_sa *c)
{
	if (!c->rehearsing)
		return;
	c->rehearsing = false;
	c->sa->tunnel->rehearsal = IKE_REHEARSAL_FAILED;
	c->sa->tunnel->rehearsal_costs = true;
	ike_tunnel_log(c->sa->tunnel, LOG_WARNING,
	    "rehearsal failed: it ended the IKE SA; there is no other one until a rekey succeeds");
}
