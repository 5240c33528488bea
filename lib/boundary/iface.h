/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_IFACE_H
#define BOUNDARY_IFACE_H

/*
 * A layer-3 interface: one VLAN of a port, or its untagged frames. It is either an uplink (carries
 * the outer packets of tunnels; no transit) or belongs to an attachment (VPC, VBR, CCN), whose
 * associated table looks up its ingress packets. Workers find it by (port, VLAN).
 */

#include "base/ip.h"
#include "boundary/fib.h"
#include "boundary/port.h"
#include "boundary/records.h"

#define VLAN_NONE 0 /* untagged frames */

enum iface_role {
	IFACE_UPLINK,     /* outer packets only */
	IFACE_ATTACHMENT, /* clear packets of a VPC, VBR or CCN */
};

struct iface { /* immutable once published */
	uint32_t index;
	uint16_t port; /* struct port.index */
	uint16_t vlan; /* VLAN_NONE or 1..4094 */
	uint8_t role;  /* enum iface_role */
	bool up;       /* administratively */
	bool any_mac;  /* frames to any station are taken as ours */
	uint16_t mtu;  /* layer-3 bytes */
	struct rte_ether_addr mac;
	uint16_t slot;          /* ledger slot, see counters.h */
	uint16_t attachment;    /* number of the attachment; 0 for an uplink */
	struct fib *fib;        /* ingress lookups; of an uplink: the underlay */
	struct ip_addr address; /* for ICMP errors */
} __rte_cache_aligned;
_Static_assert(sizeof(struct iface) == RTE_CACHE_LINE_SIZE, "one line is all that a worker reads");

struct ifaces {
	struct records rec;
	_Atomic uint16_t (*by_vlan)[4096]; /* by port and VLAN: index of the iface, 0: none */
};

int ifaces_init(struct ifaces *t, struct epoch *e, uint32_t capacity);
void ifaces_fini(struct ifaces *t);
/* Publishes a copy of *spec. spec->index 0 takes a new index; else it replaces that interface,
 * whose port and VLAN never change. Returns the index, -ENOSPC, -EEXIST (another interface has
 * that port and VLAN), or -EINVAL. */
int iface_publish(struct ifaces *t, const struct iface *spec);
void iface_remove(struct ifaces *t, uint32_t index);

static inline const struct iface *iface_get(const struct ifaces *t, uint32_t index)
{
	return records_get(&t->rec, index);
}
/* NULL when nothing uses that VLAN of the port. */
static inline const struct iface *iface_of_vlan(
    const struct ifaces *t, uint16_t port, uint16_t vlan)
{
	uint16_t i = atomic_load_explicit(&t->by_vlan[port][vlan & 0xfff], memory_order_acquire);
	return i ? iface_get(t, i) : NULL;
}

#endif
