/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BGP_HASH_H
#define BGP_HASH_H

/*
 * A keyed hash for tables whose keys peers choose. The key is random per engine, so that nobody outside
 * can aim at one bucket; it is no MAC. Words are folded by a 64 x 64 -> 128 bit multiplication.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t bgp_hash_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t bgp_hash_word(uint64_t key, uint64_t word)
{
	return bgp_hash_fold(word ^ key, (key ^ UINT64_C(0x9e3779b97f4a7c15)) | 1);
}

static inline uint32_t bgp_hash_bytes(uint64_t key, const uint8_t *bytes, size_t len)
{
	uint64_t h = bgp_hash_word(key, len), word;

	for (; len >= 8; bytes += 8, len -= 8) {
		memcpy(&word, bytes, 8);
		h = bgp_hash_word(key, h ^ word) + word;
	}
	word = 0;
	if (len)
		memcpy(&word, bytes, len);
	h = bgp_hash_word(key, h ^ word);
	return (uint32_t)(h ^ h >> 32);
}

#endif
