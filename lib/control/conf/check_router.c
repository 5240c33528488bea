/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of the transit router itself, of customer gateways (A21) and of AS numbers (B4). */
#include "conf/loader.h"
#include "conf/net.h"

#define AS_TRANS 23456

/* RFC 6996; and the default, which is what peers of such hubs are set up for. */
static bool is_private_asn(uint32_t asn)
{
	return (asn >= 64512 && asn <= 65534) || (asn >= 4200000000u && asn <= 4294967294u) ||
	    asn == CONF_ASN_DEFAULT;
}

void check_local_asn(
    struct loader *l, const struct conf_source *source, const char *key, uint32_t asn)
{
	if (!is_given(l, source, key) || is_private_asn(asn))
		return;
	if (asn == AS_TRANS)
		warn_key(l, source, key,
		    "%s: 23456 is AS_TRANS (RFC 6793), no AS of its own; give a "
		    "private one, 64512..65534 or 4200000000..4294967294",
		    key);
	else
		warn_key(l, source, key,
		    "%s: %u is not a private AS number; use 64512..65534 or "
		    "4200000000..4294967294 unless it is yours",
		    key, asn);
}

static void check_cidr(struct loader *l, unsigned i)
{
	const struct conf_transit_router *tr = &l->conf->transit_router;
	const char *fault = net_gateway_fault(&tr->cidr[i].addr);
	char text[IP_PREFIX_TEXT_MAX], other[IP_PREFIX_TEXT_MAX];

	ip_prefix_text(&tr->cidr[i], text);
	if (tr->cidr[i].len == 0 || fault) {
		fail_item(l, &tr->source, "cidr", i,
		    "cidr: %s %s; give a block of addresses that peers can reach", text,
		    fault ? fault : "is every address");
		return;
	}
	for (unsigned k = 0; k < i; k++) {
		if (ip_prefix_overlaps(&tr->cidr[i], &tr->cidr[k]))
			fail_item(l, &tr->source, "cidr", i,
			    "cidr: %s overlaps %s; give blocks that do not", text,
			    ip_prefix_text(&tr->cidr[k], other));
	}
}

void check_transit_router(struct loader *l)
{
	const struct conf_transit_router *tr = &l->conf->transit_router;

	check_local_asn(l, &tr->source, "asn", tr->asn);
	for (unsigned i = 0; i < tr->cidr_count; i++)
		check_cidr(l, i);
	if (is_given(l, &tr->source, "router-id") &&
	    (tr->router_id.family != IP_V4 || ip_is_any(&tr->router_id) ||
		ip_is_multicast(&tr->router_id)))
		fail_key(l, &tr->source, "router-id",
		    "router-id: not a BGP identifier; give an IPv4 address of this router");
}

/* The port that has the address as its own, or NULL. */
static const struct conf_port *port_with(const struct conf *conf, const struct ip_addr *a)
{
	for (unsigned i = 0; i < conf->ports_count; i++) {
		if (net_is_own(conf->ports[i]->address, conf->ports[i]->address_count, a))
			return conf->ports[i];
	}
	return NULL;
}

void check_customer_gateways(struct loader *l)
{
	for (unsigned i = 0; i < l->conf->customer_gateways_count; i++) {
		const struct conf_customer_gateway *g = l->conf->customer_gateways[i];
		const char *fault = ip_is_set(&g->address) ? net_gateway_fault(&g->address) : NULL;
		const struct conf_port *port = port_with(l->conf, &g->address);
		char text[IP_TEXT_MAX];

		if (port)
			fail_key(l, &g->source, "address",
			    "address: %s is port '%s' (line %u); give the address of the peer",
			    ip_text(&g->address, text), port->name, port->source.line);
		if (fault)
			fail_key(l, &g->source, "address",
			    "address: %s %s; give the address that the peer's packets come from, or "
			    "0.0.0.0 for any",
			    ip_text(&g->address, text), fault);
	}
}
