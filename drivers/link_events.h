/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_LINK_EVENTS_H
#define DRIVERS_LINK_EVENTS_H

/*
 * Links of devices that tell of changes themselves, by an interrupt: DPDK calls us on its interrupt thread, which
 * counts at the port and wakes control by a descriptor. The others are asked from time to time.
 */

#include <stdbool.h>

#include "boundary/port.h"

/* Registers; the port's interrupt was asked for when it was configured. 0 or -errno. */
int link_events_begin(struct port *port);
/* Nothing is called for the port any more. Fine without link_events_begin(). */
void link_events_end(struct port *port);

#endif
