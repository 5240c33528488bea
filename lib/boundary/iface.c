/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interfaces: the record by index, and the index by port and VLAN. A new one is published before
 * its VLAN points to it; one that goes is unlinked from its VLAN first.
 */

#include <errno.h>
#include <stdlib.h>

#include "boundary/iface.h"
#include "boundary/pages.h"

#define BY_VLAN_BYTES (PORTS_MAX * sizeof(_Atomic uint16_t[4096]))

int ifaces_init(struct ifaces *t, struct epoch *e, uint32_t capacity)
{
	int rc;

	*t = (struct ifaces){0};
	if (capacity > UINT16_MAX + 1)
		return -EINVAL;
	rc = records_init(&t->rec, e, capacity);
	if (rc)
		return rc;
	t->by_vlan = pages_alloc(BY_VLAN_BYTES);
	if (!t->by_vlan) {
		records_fini(&t->rec, NULL);
		return -ENOMEM;
	}
	return 0;
}

void ifaces_fini(struct ifaces *t)
{
	records_fini(&t->rec, record_free);
	pages_free(t->by_vlan, BY_VLAN_BYTES);
	t->by_vlan = NULL;
}

/* May the interface that `spec` describes be published under spec->index? */
static int check(const struct ifaces *t, const struct iface *spec)
{
	const struct iface *old;
	uint16_t holder;

	if (spec->port >= PORTS_MAX || spec->vlan >= 4095 || spec->index >= t->rec.capacity)
		return -EINVAL;
	holder = atomic_load_explicit(&t->by_vlan[spec->port][spec->vlan], memory_order_relaxed);
	if (holder && holder != spec->index)
		return -EEXIST;
	if (!spec->index)
		return 0;
	old = iface_get(t, spec->index);
	return old && old->port == spec->port && old->vlan == spec->vlan ? 0 : -EINVAL;
}

int iface_publish(struct ifaces *t, const struct iface *spec)
{
	uint32_t index = spec->index;
	struct iface *rec;
	int rc = check(t, spec);

	if (rc)
		return rc;
	if (!index)
		index = records_alloc(&t->rec);
	if (!index)
		return -ENOSPC;
	rec = record_new(sizeof(*rec));
	*rec = *spec;
	rec->index = index;
	records_publish(&t->rec, index, rec, record_free);
	atomic_store_explicit(
	    &t->by_vlan[spec->port][spec->vlan], (uint16_t)index, memory_order_release);
	return (int)index;
}

void iface_remove(struct ifaces *t, uint32_t index)
{
	const struct iface *old = index < t->rec.capacity ? iface_get(t, index) : NULL;

	if (!old)
		return;
	atomic_store_explicit(&t->by_vlan[old->port][old->vlan], 0, memory_order_release);
	records_release(&t->rec, index, record_free);
}
