/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_EVENT_H
#define BOUNDARY_EVENT_H

/* Small facts from workers to control; never more than one of a kind per SA is on its way. */

#include <stdint.h>

#include "base/ip.h"

enum event_kind {
	EVENT_SA_SOFT,     /* a byte or packet soft limit was reached: rekey */
	EVENT_SA_HARD,     /* the hard limit: delete */
	EVENT_SA_USED,     /* first packet came in on this inbound SA */
	EVENT_SA_MOVED,    /* authenticated packet from another address or port (NAT rebinding) */
	EVENT_BFD_EXPIRED, /* the far end of a BFD session was silent for too long */
};

struct event {
	uint32_t kind; /* enum event_kind */
	uint32_t tunnel;
	uint32_t spi;        /* EVENT_BFD_EXPIRED: index of the session */
	uint32_t inbound;    /* EVENT_BFD_EXPIRED: generation of its orders */
	struct ip_addr from; /* EVENT_SA_MOVED */
	uint32_t from_port;
};

struct events;
struct events *events_create(unsigned capacity);
void events_free(struct events *e);
/* Worker: false when full (then the worker tries again with the next packet). */
bool event_put(struct events *e, const struct event *ev);
/* Control */
unsigned events_take(struct events *e, struct event *out, unsigned n);

#endif
