/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_CONFIGURE_H
#define DRIVERS_CONFIGURE_H

#include "drivers/device.h"

/*
 * Queues, offloads, RSS, MTU and MAC of a stopped ethdev by what it can and the spec wants; fills
 * in the members of *port that follow from that. `queues`: rx queues wanted. `interrupts`: the device may tell of its
 * link itself. 0, or -errno with why.
 */
int port_configure(const struct port_spec *spec, const struct device *device, uint16_t queues,
    bool interrupts, struct port *port, char why[PORT_WHY_MAX]);

#endif
