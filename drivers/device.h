/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRIVERS_DEVICE_H
#define DRIVERS_DEVICE_H

/* A device string taken apart by the table of kinds in device.c. Pure text: nothing is opened. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_dev.h>

#include "base/text.h"
#include "drivers/port.h"

enum device_traits {
	DEVICE_PCI = 1 << 0,       /* `target` is a PCI address */
	DEVICE_KERNEL_IF = 1 << 1, /* `target` is a kernel interface that is there already */
	DEVICE_PAIRED = 1 << 2,    /* has as many tx queues as rx queues */
	DEVICE_ALL_QUEUES =
	    1 << 3, /* a queue of it that stays closed loses packets to the kernel */
	DEVICE_KERNEL_MTU = 1 << 4, /* carries what the interface does, whatever the driver says */
	DEVICE_SLOW_CHECKSUM = 1 << 5, /* computes offloaded checksums in software: left off */
	DEVICE_ARRAY_POOL = 1 << 6,    /* takes the packet pool for an array, see configure.c */
	DEVICE_XDP = 1 << 7,           /* its frames are told apart by a program, see afxdp/ */
	DEVICE_CLAIMED = 1 << 9,       /* `target` is a kernel interface, there or to be made */
	DEVICE_LINK_EVENTS = 1 << 8, /* its driver follows the link by itself; to ask disturbs it */
};

struct device {
	const struct device_kind *kind;
	char target[192]; /* PCI address, interface, path; of vdev: the name of the device */
	char extra[256];  /* further arguments of the driver, without the first comma */
	char name[RTE_DEV_NAME_MAX_LEN]; /* of the device in DPDK */
};

/* What the arguments of a driver depend on beside the string. */
struct device_shape {
	uint16_t queues;
	uint16_t descriptors;
	uint16_t mtu;
	const char *program; /* file of the XDP program; NULL: the driver's own */
};

struct device_kind {
	const char *prefix;     /* with its colon; "" for a PCI address */
	const char *driver;     /* of DPDK; NULL: any, and the target is the device's name */
	unsigned traits;        /* enum device_traits */
	uint32_t queue_buffers; /* that the driver keeps per queue beside its descriptors */
	/* Appends ",key=value" for the driver; NULL: nothing to add. */
	void (*build)(const struct device *d, const struct device_shape *shape, struct text *out);
	/* Looks whether it can be opened: 0, or -errno with why. NULL: only trying tells. */
	int (*check)(const struct device *d, char why[PORT_WHY_MAX]);
};

/* 0, or -EINVAL with why. `index` makes the name of the device unique. */
int device_parse(const char *string, uint16_t index, struct device *out, char why[PORT_WHY_MAX]);
/* "net_af_packet_port0,iface=eth1,qpairs=2": what rte_dev_probe() takes. */
void device_args(const struct device *d, const struct device_shape *shape, struct text *out);

/* why becomes the formatted text; returns rc, which is negative. */
int device_refuse(char why[PORT_WHY_MAX], int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The traits of devices of that driver, however they came about; 0 when none are known. */
unsigned device_driver_traits(const char *driver);

/* Whether opening it waits until another process has connected to its socket. */
bool device_awaits_peer(const struct device *d);

/* check.c */
int check_pci(const struct device *d, char why[PORT_WHY_MAX]);
int check_af_packet(const struct device *d, char why[PORT_WHY_MAX]);
int check_af_xdp(const struct device *d, char why[PORT_WHY_MAX]);
int check_tap(const struct device *d, char why[PORT_WHY_MAX]);
int check_virtio_user(const struct device *d, char why[PORT_WHY_MAX]);
/* The same with another root than /sys/bus/pci/devices, for tests. */
int check_pci_under(const char *root, const char *address, char why[PORT_WHY_MAX]);

#endif
