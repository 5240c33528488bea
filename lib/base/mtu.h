/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_MTU_H
#define BASE_MTU_H

/*
 * M4: what fits through a tunnel. Pure arithmetic, used by the model, by `explain` and by the data
 * path.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/alg.h"

/* Bytes of the outer packet of an `inner` bytes packet (RFC 4303 2.4: padding to the block). */
uint32_t mtu_outer_bytes(
    enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t outer_family, uint32_t inner);
/* The largest inner packet whose outer packet fits `outer_mtu`; 0 when nothing does. */
uint32_t mtu_inner(
    enum alg_encr encr, enum alg_auth auth, bool natt, uint8_t outer_family, uint32_t outer_mtu);
/* The TCP MSS to clamp to for that inner MTU: less 40 (IPv4) or 60 (IPv6). */
uint16_t mtu_tcp_mss(uint32_t inner_mtu, uint8_t inner_family);

#endif
