/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Opens and closes ports: parse -> check -> probe -> configure -> start, undone in reverse.
 *
 * A device that EAL has not seen yet is plugged in here, so that an error is of this port alone and
 * can name it. PCI devices were on EAL's list already and are found.
 */

#include "drivers/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "afxdp/steer.h"
#include "base/log.h"
#include "base/mem.h"
#include "drivers/configure.h"
#include "drivers/device.h"
#include "drivers/kernel_if.h"
#include "drivers/link_events.h"
#include "drivers/vlans.h"

#define LOG "port"

struct open_port {
	struct port port;
	struct device device;
	struct rte_device *plugged; /* by us, so unplugged by us; NULL: EAL had it */
	struct steer *steer;        /* of AF_XDP; NULL: none */
	int claim;                  /* of its kernel interface; -1: none */
	int vlans;                  /* that it passes them; -1: by itself */
};

static struct open_port *open_port_of(struct port *port)
{
	return (struct open_port *)port; /* its first member */
}

int port_check(const struct port_spec *spec, char why[PORT_WHY_MAX])
{
	struct device d;
	int rc = device_parse(spec->device, spec->index, &d, why);

	if (rc == 0 && d.kind->check)
		rc = d.kind->check(&d, why);
	return rc;
}

bool port_is_pci(const char *device, char address[32])
{
	char why[PORT_WHY_MAX];
	struct device d;

	return device_parse(device, 0, &d, why) == 0 && (d.kind->traits & DEVICE_PCI) &&
	    text_copy(address, 32, d.target);
}

/* The first ethdev of the device of that name. */
static bool find_ethdev(const char *name, uint16_t *id, struct rte_device **device)
{
	struct rte_eth_dev_info info;
	uint16_t i;

	RTE_ETH_FOREACH_DEV (i) {
		if (rte_eth_dev_info_get(i, &info) == 0 && info.device &&
		    !strcmp(rte_dev_name(info.device), name)) {
			*id = i;
			*device = info.device;
			return true;
		}
	}
	return false;
}

static uint16_t wanted_queues(const struct port_spec *spec, const struct device *d)
{
	struct kernel_if_queues has;
	uint16_t opened;

	if (!(d->kind->traits & DEVICE_ALL_QUEUES))
		return spec->queues ? spec->queues : spec->workers;
	has = kernel_if_queues(d->target);
	opened = spec->queues ? spec->queues : has.pairs;
	if (opened < has.rx)
		log_write(LOG_WARNING, LOG, spec->name,
		    "%s has %u queues and %u of them are opened: what arrives on the others is "
		    "lost; `ethtool -L %s %s %u` closes them",
		    d->target, has.rx, opened, d->target, has.rx > has.pairs ? "rx" : "combined",
		    opened);
	return opened;
}

static int plug_in(
    struct open_port *p, const struct port_spec *spec, uint16_t queues, char why[PORT_WHY_MAX])
{
	struct device_shape shape = {
	    queues, spec->descriptors, spec->mtu, p->steer ? steer_path(p->steer) : NULL};
	struct rte_device *device;
	char args[1024];
	struct text text = text_of(args, sizeof(args));

	if (find_ethdev(p->device.name, &p->port.dpdk_id, &device))
		return p->device.kind->traits & DEVICE_PCI
		    ? 0
		    : device_refuse(why, -EEXIST,
			  "another port has the virtual device '%s' already; give it another "
			  "number",
			  p->device.name);
	device_args(&p->device, &shape, &text);
	if (device_awaits_peer(&p->device))
		log_write(LOG_NOTICE, LOG, spec->name,
		    "waits, and all the others with it, until the other end connects to %s",
		    p->device.target);
	int rc = rte_dev_probe(args);
	if (rc == -EFAULT) /* no bus wants it */
		return device_refuse(
		    why, -ENODEV, "DPDK has no driver for a device named '%s'", p->device.name);
	if (rc < 0)
		return device_refuse(why, rc == -1 ? -EIO : rc,
		    "DPDK cannot open it with \"%s\"; its own words follow", args);
	if (!find_ethdev(p->device.name, &p->port.dpdk_id, &device)) {
		rte_eal_hotplug_remove("vdev", p->device.name);
		return device_refuse(why, -ENODEV, "'%s' is no network device", p->device.name);
	}
	p->plugged = device;
	return 0;
}

static void unplug(struct open_port *p)
{
	rte_eth_dev_close(p->port.dpdk_id);
	if (p->plugged)
		rte_dev_remove(p->plugged);
	steer_release(p->steer);
}

/* An interface of AF_XDP gets the program of ours, unless its arguments name another. */
static int steer_begin(struct open_port *p, const struct port_spec *spec, char why[PORT_WHY_MAX])
{
	if (!(p->device.kind->traits & DEVICE_XDP) || strstr(p->device.extra, "xdp_prog="))
		return 0;
	p->steer = steer_prepare(p->device.target, spec->record_dir, why);
	return p->steer ? 0 : -errno;
}

/* The program is attached with the first queue: from here on it has its maps. */
static int steer_start(struct open_port *p, const struct port_spec *spec, char why[PORT_WHY_MAX])
{
	const struct port_steering all = {.everything = spec->exclusive};
	int rc = p->steer ? steer_adopt(p->steer, why) : 0;

	if (rc < 0 || !p->steer)
		return rc;
	if (!rte_is_zero_ether_addr(&spec->mac))
		rc = steer_own_mac(p->steer, spec->mac.addr_bytes);
	if (rc == 0)
		rc = steer_apply(p->steer, &all);
	if (rc < 0)
		return device_refuse(
		    why, rc, "the XDP program of '%s': %s", p->device.target, strerror(-rc));
	return 0;
}

static int run(struct open_port *p, const struct port_spec *spec, uint16_t queues, bool interrupts,
    char why[PORT_WHY_MAX])
{
	int rc = port_configure(spec, &p->device, queues, interrupts, &p->port, why);

	if (rc == 0 && p->port.link_interrupt)
		rc = link_events_begin(&p->port);
	if (rc == 0)
		rc = rte_eth_dev_start(p->port.dpdk_id);
	if (rc == 0)
		return 0;
	if (p->port.link_interrupt)
		link_events_end(&p->port);
	return why[0] ? rc : device_refuse(why, rc, "the device does not start: %s", strerror(-rc));
}

/* Everything between a plugged-in device and a started one. */
static int start(
    struct open_port *p, const struct port_spec *spec, uint16_t queues, char why[PORT_WHY_MAX])
{
	int rc = run(p, spec, queues, true, why);

	/* some have an interrupt and then none that gets through: under UIO, in a virtual machine */
	if (rc < 0 && p->port.link_interrupt)
		rc = run(p, spec, queues, false, why);
	if (rc < 0)
		return rc;
	rc = vlans_accept(p->port.dpdk_id);
	if (rc < 0)
		log_write(LOG_WARNING, LOG, spec->name,
		    "%s: the device does not take every VLAN: %s; tagged frames may be missing",
		    p->device.target, strerror(-rc));
	return steer_start(p, spec, why);
}

/* Two routers on one interface would both answer, and send every packet twice. */
static int claim(struct open_port *p, char why[PORT_WHY_MAX])
{
	if (!(p->device.kind->traits & DEVICE_CLAIMED))
		return 0;
	p->claim = kernel_if_claim(p->device.target);
	if (p->claim == -EADDRINUSE)
		return device_refuse(why, -EBUSY,
		    "another transitd has the interface '%s'; end that one (`pgrep -a transitd`), or give this "
		    "port an interface of its own",
		    p->device.target);
	return p->claim < 0
	    ? device_refuse(why, p->claim, "the interface '%s' cannot be claimed: %s",
		  p->device.target, strerror(-p->claim))
	    : 0;
}

static void unclaim(struct open_port *p)
{
	if (p->claim >= 0)
		close(p->claim);
	p->claim = -1;
}

static int prepare(struct open_port *p, const struct port_spec *spec, char why[PORT_WHY_MAX])
{
	int rc = port_check(spec, why);

	if (rc == 0)
		rc = device_parse(spec->device, spec->index, &p->device, why);
	if (rc < 0)
		return rc;
	p->port.index = spec->index;
	text_copy(p->port.name, sizeof(p->port.name), spec->name);
	text_copy(p->port.device, sizeof(p->port.device), spec->device);
	rc = claim(p, why);
	if (rc < 0 || !(p->device.kind->traits & DEVICE_KERNEL_IF))
		return rc;
	rc = kernel_if_set_up(p->device.target);
	if (rc < 0)
		return device_refuse(
		    why, rc, "'%s' cannot be set up: %s", p->device.target, strerror(-rc));
	if (!(p->device.kind->traits & DEVICE_XDP) && kernel_if_joins_segments(p->device.target))
		log_write(LOG_WARNING, LOG, spec->name,
		    "%s joins received TCP segments, and what is longer than the MTU is lost here; "
		    "`ethtool -K %s gro off lro off` ends that",
		    p->device.target, p->device.target);
	return 0;
}

struct port *port_open(const struct port_spec *spec, char why[PORT_WHY_MAX])
{
	struct open_port *p = xcalloc(1, sizeof(*p));
	uint16_t queues;
	int rc;

	p->claim = p->vlans = -1;
	why[0] = '\0';
	rc = prepare(p, spec, why);
	if (rc < 0)
		goto fail_prepare;
	queues = wanted_queues(spec, &p->device);
	rc = steer_begin(p, spec, why);
	if (rc < 0)
		goto fail_prepare;
	rc = plug_in(p, spec, queues, why);
	if (rc < 0)
		goto fail_plug;
	rc = start(p, spec, queues, why);
	if (rc < 0)
		goto fail_start;
	atomic_store(&p->port.link_up, port_link_up(&p->port));
	return &p->port;

fail_start:
	unplug(p);
	goto fail_prepare;
fail_plug:
	steer_release(p->steer);
fail_prepare:
	unclaim(p);
	free(p);
	errno = -rc;
	return NULL;
}

void port_close(struct port *port)
{
	if (!port)
		return;
	rte_eth_dev_stop(port->dpdk_id);
	if (port->link_interrupt)
		link_events_end(port);
	unplug(open_port_of(port));
	vlans_let_go(&open_port_of(port)->vlans);
	unclaim(open_port_of(port));
	free(port);
}

bool port_link_up(struct port *port)
{
	const struct device *d = &open_port_of(port)->device;
	struct rte_eth_link link;

	if (d->kind->traits & DEVICE_KERNEL_IF)
		return kernel_if_running(d->target);
	return rte_eth_link_get_nowait(port->dpdk_id, &link) == 0 &&
	    link.link_status == RTE_ETH_LINK_UP;
}

int port_steer(struct port *port, const struct port_steering *rules)
{
	struct open_port *p = open_port_of(port);

	if (p->device.kind->traits & DEVICE_KERNEL_IF)
		vlans_follow(p->device.target, rules, &p->vlans);
	return p->steer ? steer_apply(p->steer, rules) : 0;
}

void port_counts(const struct port *port, port_count_fn *fn, void *ctx)
{
	const struct open_port *p = (const struct open_port *)port;

	if (p->steer)
		steer_counts(p->steer, fn, ctx);
}

void port_tend(struct port *port)
{
	struct open_port *p = open_port_of(port);

	if (p->steer)
		steer_tend(p->steer);
}
