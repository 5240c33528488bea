/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_STEERING_H
#define TRANSITD_STEERING_H

/* What of a port's traffic is the router's, by the startup file: for interfaces that the host uses too. */

#include "conf/conf.h"
#include "drivers/port.h"

/* Release with steering_fini(). */
void steering_make(const struct conf *conf, const char *port_name, struct port_steering *out);
void steering_fini(struct port_steering *s);

/* Makes the rules and hands them to the port. 0, or -errno after a log line. */
int steering_apply(const struct conf *conf, struct port *port);

#endif
