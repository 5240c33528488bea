/* SPDX-License-Identifier: BSD-3-Clause */

/* Creates and frees the parts; see api.h for what they are for. */

#include "api/api.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/mem.h"

struct api *api_create(struct event_base *base, const char *path)
{
	struct api *api = xcalloc(1, sizeof(*api));
	int rc;

	api->base = base;
	api->silence_ns = API_SILENCE_MAX;
	api->stall_ns = API_STALL_MAX;
	list_init(&api->clients);
	signal(SIGPIPE, SIG_IGN); /* a client that leaves early is no reason to end */
	rc = commands_init(api);
	if (rc == 0)
		rc = telemetry_init(api);
	if (rc < 0)
		goto fail;
	rc = listen_init(api, path);
	if (rc < 0)
		goto fail_listen;
	return api;

fail_listen:
	telemetry_fini(api);
fail:
	free(api);
	errno = -rc;
	return NULL;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	listen_fini(api);
	clients_fini(api);
	telemetry_fini(api);
	free(api);
}
