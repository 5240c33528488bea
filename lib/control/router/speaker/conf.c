/* SPDX-License-Identifier: BSD-3-Clause */

/* Which BGP sessions the startup file wants, and how (B1..B6, B10). */

#include <string.h>

#include "base/text.h"
#include "router/speaker/speaker.h"

#define TTL             255 /* RFC 5082 3: peers that check it want this */
#define TCP_IP_HEADERS  40
#define WARN_PERCENT    80 /* of max-prefixes */
#define CONNECT_RETRY_S 10
#define IDLE_HOLD_MAX_S 30

/* What both kinds of session have in common in the file. */
struct session {
	const struct ip_addr *local, *remote;
	uint32_t local_as, remote_as, hold_s, keepalive_s, max_prefixes, restart_s,
	    max_prefixes_out, send_hold_s;
	bool gtsm, graceful_restart;
};

static struct bgp_peer_config config_of(const struct session *s, const char *name, uint32_t view)
{
	struct bgp_peer_config c;

	memset(&c, 0, sizeof(c)); /* with its padding, to be compared */
	c = bgp_peer_defaults();
	text_copy(c.name, sizeof(c.name), name);
	c.transport.local = *s->local;
	c.transport.remote = *s->remote;
	c.transport.port = BGP_PORT;
	c.transport.ttl = TTL;
	c.transport.ttl_min = s->gtsm ? TTL : 0;
	c.local_as = s->local_as;
	c.remote_as = s->remote_as;
	c.hold_s = (uint16_t)s->hold_s;
	c.keepalive_s = (uint16_t)s->keepalive_s;
	c.send_hold_s = (uint16_t)s->send_hold_s;
	c.connect_retry_s = CONNECT_RETRY_S;
	c.idle_hold_max_s = IDLE_HOLD_MAX_S;
	c.graceful_restart = s->graceful_restart;
	c.next_hop_self = true; /* what we announce is behind us, and nobody else knows the way */
	c.has_export = true;
	c.limit_in[BGP_IPV4] = (struct bgp_prefix_limit){
	    .max = s->max_prefixes, .warn_percent = WARN_PERCENT, .restart_s = s->restart_s};
	c.limit_out[BGP_IPV4] = s->max_prefixes_out;
	c.view = view;
	return c;
}

static bool is_v4(const struct session *s)
{
	return s->local->family == IP_V4 && s->remote->family == IP_V4;
}

typedef void want_fn(void *ctx, const struct speaker_peer *want, const char *key);

static void want_tunnel(struct router *r, const struct model_tunnel *t, want_fn *fn, void *ctx)
{
	const struct conf_tunnel_bgp *bgp = &t->conf->bgp;
	const struct conf_attachment *a = t->conf->connection->attachment;
	const struct tunnel *record = tunnel_get(&r->b->tunnels, t->index);
	const struct session s = {&bgp->local_ip, &bgp->peer_ip, bgp->local_asn, bgp->peer_asn,
	    bgp->hold_time, bgp->keepalive, bgp->max_prefixes, bgp->restart_after,
	    bgp->max_prefixes_out, bgp->send_hold_time, bgp->gtsm, bgp->graceful_restart};
	struct speaker_peer want = {.number = model_peer_of_tunnel(t), .tunnel = t->index};

	if (!bgp->enabled || !a || !is_v4(&s))
		return;
	want.attachment = a->name;
	if (record && record->inner_mtu > TCP_IP_HEADERS)
		want.mss = (uint16_t)(record->inner_mtu - TCP_IP_HEADERS);
	want.config = config_of(&s, t->name, model_view_of(r->model, a));
	fn(ctx, &want, bgp->password);
}

static void want_iface(struct router *r, const struct model_iface *i, want_fn *fn, void *ctx)
{
	const struct conf_attachment *a = i->attachment;
	const struct conf_attachment_bgp *bgp = a ? &a->bgp : NULL;
	struct speaker_peer want = {.iface = i->index, .leaf = i->leaf};

	if (!bgp || !bgp->enabled)
		return;
	const struct session s = {&bgp->local_ip, &bgp->peer, bgp->local_asn, bgp->peer_asn,
	    bgp->hold_time, bgp->keepalive, bgp->max_prefixes, bgp->restart_after,
	    bgp->max_prefixes_out, bgp->send_hold_time, bgp->gtsm, bgp->graceful_restart};
	if (!is_v4(&s))
		return;
	want.number = model_peer_of_iface(i);
	want.attachment = a->name;
	want.mss = (uint16_t)(i->mtu > TCP_IP_HEADERS ? i->mtu - TCP_IP_HEADERS : 0);
	want.config = config_of(&s, a->name, model_view_of(r->model, a));
	fn(ctx, &want, bgp->password);
}

void speaker_each_wanted(struct router *r, want_fn *fn, void *ctx)
{
	const struct model_tunnel **tunnels;
	const struct model_iface **ifaces;
	unsigned n = model_tunnels(r->model, &tunnels);

	for (unsigned i = 0; i < n; i++)
		want_tunnel(r, tunnels[i], fn, ctx);
	n = model_ifaces(r->model, &ifaces);
	for (unsigned i = 0; i < n; i++)
		want_iface(r, ifaces[i], fn, ctx);
}
