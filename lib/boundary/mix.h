/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_MIX_H
#define BOUNDARY_MIX_H

/* Two numbers to one that looks random: for hash tables and weights. Pure. */

#include <stdint.h>

/* Multiplies to 128 bits and folds: every bit of both factors reaches every bit of the result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
