/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_RTE_H
#define BOUNDARY_SA_RTE_H

/* Private to boundary: the rte_ipsec half of an SA. */

#include "boundary/sa.h"

/* The replay window that rte_ipsec gets: 0, or with ESN, a size at which it loses no packet. */
uint32_t sa_rte_window(bool esn, uint32_t window);
/*
 * Makes the crypto session (cold->session), the rte_ipsec object (cold->rte_sa) and *session, and picks the
 * engine. `sequence`: the first to send, or the highest number already seen. 0, -ENOTSUP, -ENOMEM, -EINVAL.
 */
int sa_rte_create(struct sa_cold *cold, const struct sa_spec *spec, uint64_t sequence,
    struct rte_ipsec_session *session, uint8_t *engine);
/* Wipes and frees what sa_rte_create() made; also half of it. */
void sa_rte_destroy(struct sa_cold *cold);

#endif
