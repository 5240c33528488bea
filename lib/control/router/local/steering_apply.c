/* SPDX-License-Identifier: BSD-3-Clause */

/* Ports that are shared with the host learn which addresses and VLANs are the router's, before peers hear of them. */

#include "base/log.h"
#include "router/change/apply.h"

#define LOG "apply"

static void enter(struct apply *a, void *own)
{
	int rc = router_steer(a->r, a->to);

	if (rc < 0)
		log_write(LOG_ERROR, LOG, NULL, "steering of shared ports: %s", strerror(-rc));
}

const struct apply_part apply_steering = {.enter = enter};
