/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRANSITD_LIMITS_H
#define TRANSITD_LIMITS_H

#include "boundary/boundary.h"
#include "conf/conf.h"

/* Room for twice what the file has, and for a small site in any case. */
struct boundary_limits limits_of(const struct conf *conf);
/* Crypto sessions at a time: both directions of all SAs, each being replaced. */
unsigned limits_sessions(const struct boundary_limits *limits);

#endif
