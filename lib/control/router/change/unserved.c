/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the startup file may say and this version does not do yet. The file stays valid, the rest of it works, and
 * nobody has to find out from missing packets: each such place is named once at start and by --check.
 */

#include "base/text.h"
#include "router/router.h"

typedef void say_fn(
    void *ctx, const struct conf_source *where, const char *object, const char *what);

static void tunnel_walk(const struct conf_tunnel *t, say_fn *say, void *ctx)
{
	char name[IP_TEXT_MAX + 128];
	struct text text = text_of(name, sizeof(name));

	text_addf(&text, "%s/%u", t->connection->name, t->number);
	if (t->health_check.enabled && t->health_check.destination.family == IP_V6)
		say(ctx, &t->health_check.source, name,
		    "health checks of IPv6 addresses are not run by this version");
	if (t->bfd.enabled && t->bfd.peer.family == IP_V6)
		say(ctx, &t->bfd.source, name,
		    "BFD with IPv6 addresses is not spoken by this version");
	if (t->gateway_address.family == IP_V6)
		say(ctx, &t->source, name,
		    "IPv6 outside is not carried by this version: the tunnel stays down");
}

static void attachment_walk(const struct conf_attachment *a, say_fn *say, void *ctx)
{
	if (a->bgp.enabled && a->bgp.peer.family == IP_V6)
		say(ctx, &a->bgp.source, a->name,
		    "BGP is spoken over IPv4 by this version: the session stays down");
	if (a->bfd.enabled && a->bfd.peer.family == IP_V6)
		say(ctx, &a->bfd.source, a->name,
		    "BFD with IPv6 addresses is not spoken by this version");
	for (unsigned i = 0; i < a->address_count; i++) {
		if (a->address[i].addr.family == IP_V6) {
			say(ctx, &a->source, a->name,
			    "IPv6 packets are not carried by this version: they are dropped");
			return;
		}
	}
}

void router_unserved(const struct conf *conf, say_fn *say, void *ctx)
{
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++)
			tunnel_walk(c->tunnels[k], say, ctx);
	}
	for (unsigned i = 0; i < conf->attachments_count; i++)
		attachment_walk(conf->attachments[i], say, ctx);
}
