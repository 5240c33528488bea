/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The kinds of device a port can have: one row says how the string begins, which DPDK driver it
 * means, what that driver must be told, and what is peculiar about it. A new kind is a new row.
 */

#include "drivers/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "drivers/buffers.h"

/*
 * The packet socket's ring: the driver of DPDK walks it in steps of one frame and so needs blocks
 * that frames fill without a rest, and frames no larger than the room of a buffer.
 */
static void build_af_packet(
    const struct device *d, const struct device_shape *shape, struct text *out)
{
	uint32_t frame = packet_room(shape->mtu);
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	uint32_t block = frame;

	while (block % page)
		block += frame;
	text_addf(out, ",iface=%s,qpairs=%u,framesz=%u,blocksz=%u,framecnt=%u", d->target,
	    shape->queues, frame, block, RTE_ALIGN_CEIL(shape->descriptors, block / frame));
}

static void build_af_xdp(const struct device *d, const struct device_shape *shape, struct text *out)
{
	text_addf(out, ",iface=%s,start_queue=0,queue_count=%u", d->target, shape->queues);
	if (shape->program)
		text_addf(out, ",xdp_prog=%s", shape->program);
}

static void build_tap(const struct device *d, const struct device_shape *shape, struct text *out)
{
	text_addf(out, ",iface=%s", d->target);
}

static void build_virtio_user(
    const struct device *d, const struct device_shape *shape, struct text *out)
{
	text_addf(out, ",path=%s,queues=%u,queue_size=%u", d->target, shape->queues,
	    rte_align32pow2(shape->descriptors));
}

/* clang-format off */
static const struct device_kind kinds[] = {
	{"af_packet:", "net_af_packet", DEVICE_KERNEL_IF | DEVICE_CLAIMED | DEVICE_PAIRED | DEVICE_KERNEL_MTU, 0,
	 build_af_packet, check_af_packet},
	/* its rings of 2,048 for fill, rx, tx and completion are never without buffers */
	{"af_xdp:", "net_af_xdp",
	 DEVICE_KERNEL_IF | DEVICE_CLAIMED | DEVICE_PAIRED | DEVICE_ALL_QUEUES | DEVICE_ARRAY_POOL | DEVICE_XDP, 6144,
	 build_af_xdp, check_af_xdp},
	{"tap:", "net_tap", DEVICE_CLAIMED | DEVICE_PAIRED | DEVICE_SLOW_CHECKSUM, 0, build_tap, check_tap},
	/* asked for its link, it would drop a dead peer from two threads at once, and not survive that */
	{"virtio-user:", "net_virtio_user", DEVICE_PAIRED | DEVICE_LINK_EVENTS, 0, build_virtio_user, check_virtio_user},
	{"vdev:", NULL, 0, 0, NULL, NULL},
	{"", NULL, DEVICE_PCI, 0, NULL, check_pci},
};
/* clang-format on */

int device_refuse(char why[PORT_WHY_MAX], int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, PORT_WHY_MAX, format, args);
	va_end(args);
	return rc;
}

static const struct device_kind *kind_of(const char *string)
{
	for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
		if (!strncmp(string, kinds[i].prefix, strlen(kinds[i].prefix)))
			return &kinds[i];
	}
	return NULL; /* not reached: the last row's prefix is empty */
}

static int parse_pci(struct device *out, char why[PORT_WHY_MAX])
{
	struct rte_pci_addr addr;

	/* the parser of DPDK knows neither 5 bits of device nor 3 of function */
	if (rte_pci_addr_parse(out->target, &addr) < 0 || addr.devid > 0x1f || addr.function > 7)
		return device_refuse(why, -EINVAL,
		    "'%s' is no device: give a PCI address (0000:03:00.0), af_packet:IF, "
		    "af_xdp:IF, tap:NAME, virtio-user:PATH or vdev:NAME,ARGUMENTS",
		    out->target);
	rte_pci_device_name(&addr, out->target, sizeof(out->target));
	return 0;
}

/* Splits "target,extra" behind the prefix. */
static int split(const char *rest, struct device *out, char why[PORT_WHY_MAX])
{
	const char *comma = strchr(rest, ',');
	size_t len = comma ? (size_t)(comma - rest) : strlen(rest);

	if (len == 0)
		return device_refuse(
		    why, -EINVAL, "'%s' names nothing behind the colon", out->kind->prefix);
	if (len >= sizeof(out->target))
		return device_refuse(why, -EINVAL, "the name of the device is longer than %zu",
		    sizeof(out->target) - 1);
	memcpy(out->target, rest, len);
	out->target[len] = '\0';
	if (!text_copy(out->extra, sizeof(out->extra), comma ? comma + 1 : ""))
		return device_refuse(why, -EINVAL,
		    "the arguments of the driver are longer than %zu characters",
		    sizeof(out->extra) - 1);
	return 0;
}

int device_parse(const char *string, uint16_t index, struct device *out, char why[PORT_WHY_MAX])
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->kind = kind_of(string);
	rc = split(string + strlen(out->kind->prefix), out, why);
	if (rc < 0)
		return rc;
	if (out->kind->traits & DEVICE_PCI)
		rc = parse_pci(out, why);
	if (rc < 0)
		return rc;
	if (out->kind->driver)
		snprintf(out->name, sizeof(out->name), "%s_port%u", out->kind->driver, index);
	else if (!text_copy(out->name, sizeof(out->name), out->target))
		return device_refuse(why, -EINVAL, "'%s' is longer than %zu characters",
		    out->target, sizeof(out->name) - 1);
	return 0;
}

void device_args(const struct device *d, const struct device_shape *shape, struct text *out)
{
	text_add(out, d->name);
	if (d->kind->build)
		d->kind->build(d, shape, out);
	if (d->extra[0])
		text_addf(out, ",%s", d->extra);
}

bool device_awaits_peer(const struct device *d)
{
	return d->kind->check == check_virtio_user && strstr(d->extra, "server=1");
}

unsigned device_driver_traits(const char *driver)
{
	for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
		if (kinds[i].driver && !strcmp(driver, kinds[i].driver))
			return kinds[i].traits;
	}
	return 0;
}
