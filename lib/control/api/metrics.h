/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef API_METRICS_H
#define API_METRICS_H

/*
 * OpenMetrics over HTTP (O1): GET /metrics answers with what the show commands know, rendered by the table
 * in metrics_table.c. Objects that are configured but down are rows of those commands, so they are here too.
 *
 * Everything runs on the control lcore, in the event loop of the caller; a client is bounded in number, memory
 * and time.
 */

#include <stdint.h>

#include "api/api.h"
#include "base/ip.h"

struct metrics;

/* `api` must outlive it. NULL with errno: EADDRINUSE, EACCES, EADDRNOTAVAIL ... */
struct metrics *metrics_create(
    struct event_base *base, struct api *api, const struct ip_addr *address, uint16_t port);
/* NULL is fine. */
void metrics_free(struct metrics *m);

/* The text of one scrape, to be freed; ends with "# EOF\n". */
char *metrics_text(struct api *api);

#endif
