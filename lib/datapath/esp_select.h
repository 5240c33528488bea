/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_SELECT_H
#define DATAPATH_ESP_SELECT_H

/* Inner packets against traffic selectors (RFC 4301 4.4.1, 5.1, 5.2), with a whole IP header in front. */

#include "boundary/tunnel.h"

/* The SA that takes this packet into the tunnel; NULL when it lies outside all selectors. */
struct sa_out *esp_select_out(const struct tunnel *t, const struct rte_mbuf *m);
/* Did what came out of the SA belong inside? */
bool esp_selected_in(const struct sa_in *sa, const struct rte_mbuf *m);

#endif
