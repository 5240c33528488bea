/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of the machine: processor cores, devices, port addresses. */
#include <stdio.h>
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/suggest.h"

void check_system(struct loader *l)
{
	const struct conf_system *s = &l->conf->system;

	for (unsigned i = 0; i < s->worker_cores_count; i++) {
		if (s->worker_cores[i] == s->control_core)
			fail_item(l, &s->source, "worker-cores", i,
			    "worker-cores: core %u is the control core already; take another one",
			    s->control_core);
	}
}

static bool is_hex(const char *s, unsigned n)
{
	return strspn(s, "0123456789abcdefABCDEF") >= n;
}

/* "0000:03:00.0" or "03:00.0". */
static bool is_pci_address(const char *s)
{
	if (strlen(s) == 12 && is_hex(s, 4) && s[4] == ':')
		s += 5;
	return strlen(s) == 7 && is_hex(s, 2) && s[2] == ':' && is_hex(s + 3, 2) && s[5] == '.' &&
	    s[6] >= '0' && s[6] <= '7';
}

static const struct device_type {
	const char *prefix;
	unsigned name_max; /* IFNAMSIZ - 1 where the rest names an interface */
} device_types[] = {
    {"af_xdp", 15}, {"af_packet", 15}, {"tap", 15}, {"virtio-user", 107}, {"vdev", 500}};

static void check_device(struct loader *l, const struct conf_port *p)
{
	const char *colon = p->device ? strchr(p->device, ':') : NULL;
	char prefix[32] = "", shown[QUOTE_MAX], what[HINT_MAX];
	struct suggest s;

	if (!p->device || is_pci_address(p->device))
		return;
	snprintf(prefix, sizeof(prefix), "%.*s", colon ? (int)(colon - p->device) : 31, p->device);
	s = suggest_for(prefix);
	for (size_t i = 0; i < sizeof(device_types) / sizeof(device_types[0]); i++) {
		const struct device_type *t = &device_types[i];
		size_t len = colon ? strlen(colon + 1) : 0;

		if (strcmp(t->prefix, prefix) != 0) {
			suggest_try(&s, t->prefix);
			continue;
		}
		if (len == 0 || len > t->name_max)
			fail_key(l, &p->source, "device",
			    "device: '%s' needs 1..%u characters after '%s:'",
			    quote(p->device, shown), t->name_max, t->prefix);
		return;
	}
	fail_key(l, &p->source, "device", "device: '%s' is no device%s", quote(p->device, shown),
	    s.best ? hint(&s, what)
		   : "; give a PCI address (0000:03:00.0), af_xdp:IF, af_packet:IF, tap:NAME, "
		     "virtio-user:PATH or vdev:DEVICE");
}

static void check_addresses(struct loader *l, const struct conf_port *p)
{
	for (unsigned i = 0; i < p->address_count; i++) {
		const char *fault = net_interface_fault(&p->address[i]);
		char text[IP_TEXT_MAX];

		if (fault)
			fail_item(l, &p->source, "address", i,
			    "address: %s %s; give an address of a host",
			    ip_text(&p->address[i].addr, text), fault);
	}
	if (p->address_count == 0 && p->vlan)
		fail_key(l, &p->source, "vlan",
		    "vlan: port '%s' has no address of its own to be tagged; give `address`, or set "
		    "the vlan of its attachments",
		    p->name);
}

static void check_gateways_of_port(struct loader *l, const struct conf_port *p)
{
	for (unsigned i = 0; i < p->gateway_count; i++) {
		const struct ip_addr *g = &p->gateway[i];
		char text[IP_TEXT_MAX];

		if (is_reported(l, &p->source, "address"))
			continue;
		if (!net_on_subnet(p->address, p->address_count, g))
			fail_item(l, &p->source, "gateway", i,
			    "gateway: %s is on no subnet of port '%s'; give a neighbour on the subnet of "
			    "its `address`",
			    ip_text(g, text), p->name);
		else if (net_is_own(p->address, p->address_count, g))
			fail_item(l, &p->source, "gateway", i,
			    "gateway: %s is the port's own address; give that of the next router",
			    ip_text(g, text));
		else if (i && p->gateway[0].family == g->family)
			fail_item(l, &p->source, "gateway", i,
			    "gateway: a second one of the same family; give one per family");
	}
}

/* Whether an address is used by an earlier port. Ports are few: 256 with 16 addresses at most. */
static void check_address_twice(struct loader *l, unsigned at)
{
	const struct conf_port *p = l->conf->ports[at];

	for (unsigned i = 0; i < p->address_count; i++) {
		for (unsigned k = 0; k < at; k++) {
			const struct conf_port *other = l->conf->ports[k];
			char text[IP_TEXT_MAX];

			if (net_is_own(other->address, other->address_count, &p->address[i].addr))
				fail_item(l, &p->source, "address", i,
				    "address: %s is an address of port '%s' (line %u) too; an address "
				    "belongs to one port",
				    ip_text(&p->address[i].addr, text), other->name,
				    other->source.line);
		}
	}
}

void check_ports(struct loader *l)
{
	struct names devices = {0};

	for (unsigned i = 0; i < l->conf->ports_count; i++) {
		struct conf_port *p = l->conf->ports[i];
		struct conf_port *first = p->device ? names_put(&devices, p->device, p) : NULL;
		char shown[QUOTE_MAX];

		check_device(l, p);
		if (first)
			fail_key(l, &p->source, "device",
			    "device: '%s' is port '%s' (line %u) already; a device is one port",
			    quote(p->device, shown), first->name, first->source.line);
		check_addresses(l, p);
		check_gateways_of_port(l, p);
		check_address_twice(l, i);
	}
	names_fini(&devices);
}
