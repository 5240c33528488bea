/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_RANDOM_CONF_H
#define MODEL_RANDOM_CONF_H

/*
 * Startup files by chance: few names, prefixes and addresses, so that routes of different kinds
 * meet. Connections are c0..c4, port attachments p0..p6, VPN attachments have the name of their
 * connection.
 */

#include "base/rng.h"
#include "conf/conf.h"

/* One that loads; the caller frees it. */
struct conf *random_conf(struct rng *rng);

/* An address that some of these configurations care about. */
struct ip_addr random_destination(struct rng *rng);

#endif
