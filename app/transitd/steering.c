/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An uplink gets what is for its own addresses and for the gateway addresses of tunnels; an attachment its VLAN, or, when
 * it is untagged, what the host does not want. Gateway addresses of public tunnels count on every uplink, because a peer's
 * packets arrive where routing outside brings them.
 */

#include "transitd/steering.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define LOG "xdp"

static void add_vlan(struct port_steering *s, uint32_t vlan, enum port_share share)
{
	s->vlan = xrealloc(s->vlan, (s->vlan_count + 1) * sizeof(*s->vlan));
	s->vlan[s->vlan_count++] = (struct port_steered_vlan){(uint16_t)vlan, share};
}

static void add_address(struct port_steering *s, uint32_t vlan, const struct ip_addr *address)
{
	s->address = xrealloc(s->address, (s->address_count + 1) * sizeof(*s->address));
	s->address[s->address_count++] = (struct port_steered_address){(uint16_t)vlan, *address};
}

static void add_uplink(struct port_steering *s, const struct conf *conf, const struct conf_port *p)
{
	if (p->address_count == 0)
		return;
	add_vlan(s, p->vlan, PORT_SHARE_ADDRESSED);
	for (unsigned i = 0; i < p->address_count; i++)
		add_address(s, p->vlan, &p->address[i].addr);
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			if (c->gateway_type == CONF_GATEWAY_PUBLIC)
				add_address(s, p->vlan, &c->tunnels[k]->gateway_address);
		}
	}
}

static void add_attachment(struct port_steering *s, const struct conf_attachment *a)
{
	add_vlan(s, a->vlan, a->vlan ? PORT_SHARE_ALL : PORT_SHARE_REST);
	for (unsigned i = 0; i < a->address_count; i++)
		add_address(s, a->vlan, &a->address[i].addr);
}

void steering_make(const struct conf *conf, const char *port_name, struct port_steering *out)
{
	const struct conf_port *p = conf_find_port(conf, port_name);

	memset(out, 0, sizeof(*out));
	if (!p)
		return;
	out->everything = p->exclusive;
	add_uplink(out, conf, p);
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		if (conf->attachments[i]->port == p)
			add_attachment(out, conf->attachments[i]);
	}
}

void steering_fini(struct port_steering *s)
{
	free(s->vlan);
	free(s->address);
	memset(s, 0, sizeof(*s));
}

int steering_apply(const struct conf *conf, struct port *port)
{
	struct port_steering rules;
	int rc;

	steering_make(conf, port->name, &rules);
	rc = port_steer(port, &rules);
	if (rc < 0)
		log_write(LOG_ERROR, LOG, port->name,
		    "its traffic cannot be told from the host's: %s", strerror(-rc));
	steering_fini(&rules);
	return rc;
}
