/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * SPIs that were offered to a peer and have no inbound SA yet: the keys come with the peer's answer, but the peer may
 * send on the SA as soon as it has answered (RFC 7296 2.8), and what it sends may overtake the answer on its way through
 * control. Workers keep such packets for a moment (datapath/early.c), and look here to tell them from garbage.
 *
 * Buckets of a few SPIs, written by control and read by workers without locks. A full bucket takes no more: then a packet
 * that comes early is lost, as it would be without all this.
 */

#include "boundary/sa_table.h"

static _Atomic uint32_t *bucket_of(const struct sa_table *t, uint32_t spi)
{
	uint32_t hash = spi * UINT32_C(0x9e3779b1);

	return ((struct sa_table *)(uintptr_t)t)->reserved[hash >> (32 - SA_RESERVED_BITS)];
}

static _Atomic uint32_t *find(const struct sa_table *t, uint32_t spi)
{
	_Atomic uint32_t *bucket = bucket_of(t, spi);

	for (unsigned i = 0; i < SA_RESERVED_WAYS; i++)
		if (atomic_load_explicit(&bucket[i], memory_order_acquire) == spi)
			return &bucket[i];
	return NULL;
}

bool sa_spi_reserve(struct sa_table *t, uint32_t spi)
{
	_Atomic uint32_t *place;

	if (spi == 0 || sa_spi_in_use(t, spi) || find(t, spi))
		return false;
	place = bucket_of(t, spi);
	for (unsigned i = 0; i < SA_RESERVED_WAYS; i++) {
		if (atomic_load_explicit(&place[i], memory_order_relaxed) != 0)
			continue;
		atomic_store_explicit(&place[i], spi, memory_order_release);
		break;
	}
	return true;
}

void sa_spi_release(struct sa_table *t, uint32_t spi)
{
	_Atomic uint32_t *place = spi ? find(t, spi) : NULL;

	if (place)
		atomic_store_explicit(place, 0, memory_order_release);
}

bool sa_spi_is_reserved(const struct sa_table *t, uint32_t spi)
{
	return spi != 0 && find(t, spi) != NULL;
}
