/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DATAPATH_ESP_ECN_H
#define DATAPATH_ESP_ECN_H

/*
 * Explicit congestion notification through a tunnel (RFC 6040).
 *
 * Into the tunnel the mark is copied (4.1, normal mode). Out of it the two marks are combined (4.2, figure 4).
 */

#include <stdint.h>

enum ecn { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

#define ECN_DROP 4 /* congestion was met by a sender that would not understand the mark */

static inline uint8_t ecn_decapsulate(uint8_t inner, uint8_t outer)
{
	static const uint8_t table[4][4] = {
	    /* by inner, then by outer:  Not-ECT      ECT(1)       ECT(0)       CE */
	    [ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP},
	    [ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
	    [ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
	    [ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
	};

	return table[inner & ECN_MASK][outer & ECN_MASK];
}

#endif
