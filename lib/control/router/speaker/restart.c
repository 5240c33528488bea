/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Have we been here before? A file in the state directory stands there from the first session on until peers were told
 * goodbye. Who finds it at the start was killed: its peers may keep its routes and wait, and hear of the restart
 * (RFC 4724 4.1). Workers died as well, so that no forwarding was kept, and that is said too.
 */

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/state.h"
#include "router/speaker/speaker.h"

#define LOG  "bgp"
#define NAME "bgp-running"

bool speaker_was_killed(const struct router *r)
{
	char *bytes;
	size_t len;

	if (state_read(r->conf->system.state_dir, NAME, &bytes, &len) < 0)
		return false;
	secret_free(bytes, len + 1);
	log_write(
	    LOG_NOTICE, LOG, NULL, "transitd ended without a goodbye: peers are told of a restart");
	return true;
}

void speaker_mark_running(struct speaker *s)
{
	static const char line[] = "sessions are configured\n";
	const char *dir = s->r->conf->system.state_dir;
	int rc;

	if (s->marked || list_is_empty(&s->peers))
		return;
	s->marked = true;
	rc = state_write(dir, NAME, line, strlen(line));
	if (rc < 0)
		log_write(LOG_WARNING, LOG, NULL, "a restart will not be noticed, %s/%s: %s", dir,
		    NAME, strerror(-rc));
}

void speaker_mark_ended(struct speaker *s)
{
	state_remove(s->r->conf->system.state_dir, NAME);
}
