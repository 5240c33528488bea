/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_NEIGHBOURS_H
#define ROUTER_NEIGHBOURS_H

/* Interfaces of the model as the neighbour engine wants them, for start and for changes (neighbours_apply.c). */

#include "router/internal.h"

void neighbours_spec(const struct router *r, const struct model_iface *mi, struct neigh_iface *out);
/* The neighbours of the file; returns how many. */
unsigned neighbours_fixed(const struct model_iface *mi, struct conf_neighbor *const **out);
/* A new interface with all that hangs on it. */
void neighbours_add(struct router *r, const struct model_iface *mi, struct mono now);

#endif
