/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * By which way the outer packets of each tunnel leave (A18, A19).
 *
 * Public: over an uplink, a port that has an address of its own. The tunnels of a connection take different
 * zones where uplinks have more than one. An own address as gateway address decides the port, and so
 * the zone. Private: over an attachment of kind vbr.
 */
#include <string.h>

#include "conf/loader.h"
#include "conf/net.h"
#include "conf/suggest.h"

#define ZONES_MAX 256 /* as many as ports */

struct uplinks {
	const char
	    *zones[ZONES_MAX]; /* in the order of the ports; none when no uplink has a label */
	unsigned zones_count;
	unsigned ports_count;
};

static bool same_zone(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool has_zone(const struct uplinks *u, const char *zone)
{
	for (unsigned i = 0; i < u->zones_count; i++) {
		if (strcmp(u->zones[i], zone) == 0)
			return true;
	}
	return false;
}

static void find_uplinks(const struct conf *conf, struct uplinks *u)
{
	*u = (struct uplinks){0};
	for (unsigned i = 0; i < conf->ports_count && u->zones_count < ZONES_MAX; i++) {
		const struct conf_port *p = conf->ports[i];

		u->ports_count += p->address_count > 0;
		if (p->address_count && p->zone && !has_zone(u, p->zone))
			u->zones[u->zones_count++] = p->zone;
	}
}

/* The uplink that has the tunnel's gateway address, as its own or on its subnet. */
static struct conf_port *port_of_address(const struct conf *conf, const struct conf_tunnel *t)
{
	struct conf_port *on_subnet = NULL;

	if (!ip_is_set(&t->gateway_address))
		return NULL;
	for (unsigned i = 0; i < conf->ports_count; i++) {
		struct conf_port *p = conf->ports[i];

		if (net_is_own(p->address, p->address_count, &t->gateway_address))
			return p;
		if (!on_subnet &&
		    net_on_subnet(p->address, p->address_count, &t->gateway_address) &&
		    (!t->zone || same_zone(t->zone, p->zone)))
			on_subnet = p;
	}
	return on_subnet;
}

static bool has_family(const struct conf_port *p, uint8_t family)
{
	for (unsigned i = 0; i < p->address_count; i++) {
		if (p->address[i].addr.family == family)
			return true;
	}
	return false;
}

/* The family of the outer packets: that of the peer's address. */
static uint8_t outer_family(const struct conf_tunnel *t)
{
	return t->customer_gateway ? t->customer_gateway->address.family : IP_NONE;
}

static struct conf_port *first_uplink(const struct conf *conf, const char *zone, uint8_t family)
{
	for (unsigned i = 0; i < conf->ports_count; i++) {
		if ((!zone || same_zone(conf->ports[i]->zone, zone)) &&
		    has_family(conf->ports[i], family))
			return conf->ports[i];
	}
	return NULL;
}

static void fail_zone(struct loader *l, const struct uplinks *u, struct conf_tunnel *t)
{
	struct suggest s = suggest_for(t->zone);
	char what[HINT_MAX];

	for (unsigned i = 0; i < u->zones_count; i++)
		suggest_try(&s, u->zones[i]);
	fail_key(l, &t->source, "zone", "zone: no port with an address is in zone '%s'%s", t->zone,
	    s.best ? hint(&s, what) : "; give the zone of an uplink, or `zone` to a port");
	t->zone = NULL;
}

/* Zones that the file decides: by name, or by an own address as gateway address. */
static void take_given_zone(struct loader *l, const struct uplinks *u, struct conf_tunnel *t)
{
	char text[IP_TEXT_MAX];

	if (t->zone && !has_zone(u, t->zone))
		fail_zone(l, u, t);
	t->uplink = port_of_address(l->conf, t);
	if (!t->uplink)
		return;
	if (t->zone && !same_zone(t->zone, t->uplink->zone))
		fail_key(l, &t->source, "zone",
		    "zone: gateway address %s is port '%s' in zone '%s'; give that zone, or leave it out",
		    ip_text(&t->gateway_address, text), t->uplink->name,
		    t->uplink->zone ? t->uplink->zone : "-");
	else
		t->zone = t->uplink->zone;
}

/* A19. The first zone that the other tunnel does not take. */
static void take_free_zone(struct loader *l, const struct uplinks *u, struct conf_tunnel *t,
    const struct conf_tunnel *other)
{
	uint8_t family = outer_family(t);

	if (t->zone || t->uplink)
		return;
	for (unsigned i = 0; i < u->zones_count; i++) {
		if (!first_uplink(l->conf, u->zones[i], family))
			continue;
		if (!t->zone)
			t->zone = u->zones[i];
		if (!other || !same_zone(other->zone, u->zones[i])) {
			t->zone = u->zones[i];
			return;
		}
	}
}

static void take_uplink(struct loader *l, struct conf_tunnel *t)
{
	uint8_t family = outer_family(t);

	if (t->uplink || family == IP_NONE)
		return;
	t->uplink = first_uplink(l->conf, t->zone, family);
	if (!t->uplink)
		fail_object(l, &t->source,
		    "tunnel: the peer has an IPv%u address, and no uplink%s%s has one; give a port such an "
		    "`address`",
		    family, t->zone ? " in zone " : "", t->zone ? t->zone : "");
}

static void assign_public(struct loader *l, const struct uplinks *u, struct conf_connection *c)
{
	struct conf_tunnel *a = c->tunnels[0], *b = c->tunnels_count > 1 ? c->tunnels[1] : NULL;

	take_given_zone(l, u, a);
	if (b)
		take_given_zone(l, u, b);
	take_free_zone(l, u, a, b);
	if (b)
		take_free_zone(l, u, b, a);
	take_uplink(l, a);
	if (!b)
		return;
	take_uplink(l, b);
	if (u->zones_count > 1 && a->zone && same_zone(a->zone, b->zone))
		fail_key(l, &b->source,
		    is_given(l, &b->source, "zone") ? "zone" : "gateway-address",
		    "zone: both tunnels of '%s' are in zone '%s'; give this one another zone, such as '%s'",
		    c->name, a->zone, u->zones[same_zone(u->zones[0], a->zone)]);
}

/* Attachments of kind vbr: the only one, or NULL; *count tells how many. */
static struct conf_attachment *only_vbr(const struct conf *conf, unsigned *count)
{
	struct conf_attachment *vbr = NULL;

	*count = 0;
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		if (conf->attachments[i]->kind != CONF_KIND_VBR ||
		    !conf->attachments[i]->source.line)
			continue;
		vbr = conf->attachments[i];
		++*count;
	}
	return *count == 1 ? vbr : NULL;
}

static void assign_private(struct loader *l, struct conf_tunnel *t)
{
	unsigned vbrs;
	struct conf_attachment *vbr = only_vbr(l->conf, &vbrs);

	if (t->via && t->via->kind != CONF_KIND_VBR)
		fail_key(l, &t->source, "via",
		    "via: '%s' is of kind %s; outer packets of a private gateway travel over kind vbr",
		    t->via->name, conf_kind_name(t->via->kind));
	if (t->via || is_given(l, &t->source, "via"))
		return;
	t->via = vbr;
	if (vbrs == 0)
		fail_object(l, &t->source,
		    "tunnel: `gateway-type: private` needs an attachment of kind vbr to carry the outer "
		    "packets; add one");
	else if (!vbr)
		fail_object(l, &t->source,
		    "tunnel: 'via' is missing, and %u attachments are of kind vbr; name the one that carries "
		    "the outer packets",
		    vbrs);
	else
		t->via_name = vbr->name;
}

void assign_uplinks(struct loader *l)
{
	struct uplinks u;
	bool told = false;

	find_uplinks(l->conf, &u);
	for (unsigned i = 0; i < l->conf->vpn_connections_count; i++) {
		struct conf_connection *c = l->conf->vpn_connections[i];

		if (c->tunnels_count == 0)
			continue;
		if (c->gateway_type == CONF_GATEWAY_PRIVATE) {
			for (unsigned k = 0; k < c->tunnels_count; k++)
				assign_private(l, c->tunnels[k]);
		} else if (u.ports_count) {
			assign_public(l, &u, c);
		} else if (!told) {
			told = true;
			fail_object(l, &c->source,
			    "connection '%s': no port has an `address`, so there is no uplink for tunnels; "
			    "give one",
			    c->name);
		}
	}
}
