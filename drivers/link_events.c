/* SPDX-License-Identifier: BSD-3-Clause */

/* From DPDK's interrupt thread to a descriptor; see link_events.h. */

#include "drivers/link_events.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "drivers/port.h"

static int wake = -1; /* of all ports, for the life of the process */

int port_link_events(void)
{
	if (wake < 0)
		wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wake;
}

/* On the interrupt thread of EAL. A full eventfd is readable already. */
static int on_event(uint16_t id, enum rte_eth_event_type type, void *arg, void *unused)
{
	struct port *port = arg;

	atomic_fetch_add_explicit(&port->link_events, 1, memory_order_relaxed);
	if (eventfd_write(wake, 1) < 0)
		return -errno;
	return 0;
}

int link_events_begin(struct port *port)
{
	return port_link_events() < 0
	    ? -errno
	    : rte_eth_dev_callback_register(port->dpdk_id, RTE_ETH_EVENT_INTR_LSC, on_event, port);
}

void link_events_end(struct port *port)
{
	/* one that runs just now is waited for */
	while (rte_eth_dev_callback_unregister(
		   port->dpdk_id, RTE_ETH_EVENT_INTR_LSC, on_event, port) == -EAGAIN)
		usleep(100);
}
