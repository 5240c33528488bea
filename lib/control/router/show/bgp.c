/* SPDX-License-Identifier: BSD-3-Clause */

/* What the control socket answers about BGP sessions and their routes, and does to them. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "router/show/show.h"
#include "router/speaker/speaker.h"

#define ROUTES_PER_PAGE 300 /* a few milliseconds of the control lcore */
#define MORE_TEXT_MAX   600

/* ---- show bgp ---- */

static const char *state_of(const struct speaker_peer *p, const struct bgp_peer_info *info)
{
	return p->disabled ? "disabled" : bgp_state_name(info->state);
}

bool bgp_end_text(const struct bgp_end *end, struct text *out)
{
	static const char *const by[] = {[BGP_END_SENT] = "sent", [BGP_END_RECEIVED] = "received"};

	if (end->by == BGP_END_NONE)
		return false;
	if (end->by == BGP_END_TRANSPORT)
		text_add(out, "the connection was lost");
	else
		text_addf(out, "%s: %s, %s", by[end->by], bgp_error_name(end->code),
		    bgp_suberror_name(end->code, end->subcode));
	if (*end->text)
		text_addf(out, ": %s", end->text);
	return true;
}

static json_t *last_error(const struct bgp_end *end)
{
	char buf[MORE_TEXT_MAX];
	struct text text = text_of(buf, sizeof(buf));

	return bgp_end_text(end, &text) ? json_string(buf) : json_null();
}

/* NULL: nothing that is known of. */
static const char *held_up_by(
    const struct speaker_peer *p, const struct bgp_peer_info *info, struct mono now)
{
	const char *why = evidence_text(speaker_evidence(p, now));

	if (info->state == BGP_ESTABLISHED)
		return NULL;
	if (!why && info->wanted && speaker_is_silent(p, now))
		return "nothing of the session comes from the peer: see `diagnose`";
	return why;
}

static void add_negotiated(json_t *row, const struct bgp_peer_info *info)
{
	char id[IP_TEXT_MAX];
	struct ip_addr remote_id = ip_v4(info->remote_id);

	if (info->state < BGP_OPENCONFIRM)
		return;
	json_object_set_new(row, "peer-router-id", json_string(ip_text(&remote_id, id)));
	json_object_set_new(row, "hold-time", json_integer(info->hold_s));
	json_object_set_new(row, "keepalive-ms", json_integer(info->keepalive_ms));
	json_object_set_new(row, "capabilities",
	    json_pack("{s:b, s:b, s:b, s:b, s:b, s:b}", "four-octet-as", info->as4, "route-refresh",
		info->refresh, "enhanced-route-refresh", info->enhanced_refresh,
		"extended-messages", info->extended_messages, "graceful-restart",
		info->graceful_restart, "notification-restart", info->notification_restart));
}

static void add_counters(json_t *row, const struct bgp_peer_counters *c)
{
#define ADD(field, name, help) json_object_set_new(row, name, json_integer((json_int_t)c->field));
	BGP_PEER_COUNTER_LIST(ADD)
#undef ADD
}

static json_t *peer_row(
    const struct speaker_peer *p, const struct bgp_peer_info *info, struct mono now)
{
	const struct bgp_peer_config *c = &p->config;
	char local[IP_TEXT_MAX], remote[IP_TEXT_MAX];
	json_t *row =
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b}",
		"name", c->name, "attachment", p->attachment, "local-address",
		ip_text(&c->transport.local, local), "peer-address",
		ip_text(&c->transport.remote, remote), "local-asn", (json_int_t)c->local_as,
		"peer-asn", (json_int_t)c->remote_as, "state", state_of(p, info),
		"received-prefixes", (json_int_t)info->rib[BGP_IPV4].received, "accepted-prefixes",
		(json_int_t)info->rib[BGP_IPV4].accepted, "stale-prefixes",
		(json_int_t)info->rib[BGP_IPV4].stale, "advertised-prefixes",
		(json_int_t)info->rib[BGP_IPV4].announced, "waiting-prefixes",
		(json_int_t)info->rib[BGP_IPV4].waiting, "end-of-rib",
		info->rib[BGP_IPV4].end_of_rib, "reachable", p->reachable);

	json_object_set_new(row, "state-seconds",
	    mono_is_set(info->since) ? json_real((double)mono_diff(info->since, now) / 1e9)
				     : json_null());
	json_object_set_new(row, "last-error", last_error(&info->end));
	const char *why = held_up_by(p, info, now);
	json_object_set_new(row, "held-up-because", why ? json_string(why) : json_null());
	json_object_set_new(row, "foreign-packets", json_integer((json_int_t)p->foreign));
	add_negotiated(row, info);
	add_counters(row, &info->counters);
	return row;
}

static json_t *show_peers(struct router *r)
{
	const struct speaker_peer *p;
	struct bgp_peer_info info;
	struct mono now = mono_now();
	json_t *rows = json_array();

	list_for (p, &r->speaker->peers, node) {
		if (bgp_peer_get(r->speaker->engine, p->number, &info) == 0)
			json_array_append_new(rows, peer_row(p, &info, now));
	}
	return rows;
}

/* ---- routes of a peer ---- */

static void route_row(void *arg, const struct bgp_route_info *info)
{
	const struct bgp_attrs *a = info->used ? info->used : info->received;
	char prefix[IP_PREFIX_TEXT_MAX], hop[IP_TEXT_MAX], path[1024], communities[1024];

	json_array_append_new(arg,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:b}", "prefix",
		ip_prefix_text(&info->prefix, prefix), "next-hop", ip_text(&a->next_hop, hop),
		"as-path", bgp_attrs_path_text(a, path, sizeof(path)), "communities",
		bgp_attrs_community_text(a, communities, sizeof(communities)), "origin",
		bgp_attrs_origin_text(a), "refused-because", info->refused, "stale", info->stale));
}

static json_t *show_peer_routes(const struct speaker_peer *p, const json_t *request, bool received)
{
	uint32_t cursor = (uint32_t)json_integer_value(json_object_get(request, "from"));
	const struct bgp_engine *engine = p->speaker->engine;
	json_t *rows = json_array();
	bool more = received ? bgp_each_learned(engine, p->number, BGP_IPV4, &cursor,
				   ROUTES_PER_PAGE, route_row, rows)
			     : bgp_each_announced(engine, p->number, BGP_IPV4, &cursor,
				   ROUTES_PER_PAGE, route_row, rows);

	return more ? json_pack("{s:o, s:I}", "rows", rows, "next", (json_int_t)cursor) : rows;
}

static struct speaker_peer *named(struct router *r, const json_t *request, struct api_error *error)
{
	const char *name = api_text(request, "peer");
	struct speaker_peer *p = name ? speaker_peer_named(r->speaker, name) : NULL;

	if (!p)
		api_fail(error, "NoSuchPeer",
		    "there is no BGP session \"%s\"; `show bgp` lists them", name ? name : "");
	return p;
}

static json_t *show_bgp(void *ctx, const json_t *request, struct api_error *error)
{
	const char *what = api_text(request, "routes");
	bool received = what && strcmp(what, "received") == 0;
	const struct speaker_peer *p;

	if (!api_text(request, "peer"))
		return show_peers(ctx);
	if (!received && (!what || strcmp(what, "advertised") != 0))
		return api_fail(
		    error, "BadArgument", "routes of a session: \"received\" or \"advertised\"");
	p = named(ctx, request, error);
	return p ? show_peer_routes(p, request, received) : NULL;
}

/* ---- actions ---- */

static json_t *done(const struct speaker_peer *p, int rc, struct api_error *error)
{
	struct bgp_peer_info info;

	if (rc == -ENOTCONN)
		return api_fail(
		    error, "NotEstablished", "session %s is not established", p->config.name);
	if (rc == -EOPNOTSUPP)
		return api_fail(error, "NotSupported",
		    "the peer of %s does not offer route refresh; reset the session instead",
		    p->config.name);
	if (rc < 0 || bgp_peer_get(p->speaker->engine, p->number, &info) < 0)
		return api_fail(error, "Failed", "%s: %s", p->config.name, strerror(-rc));
	return json_pack("{s:s, s:s}", "name", p->config.name, "state", state_of(p, &info));
}

static json_t *bgp_reset(void *ctx, const json_t *request, struct api_error *error)
{
	const struct speaker_peer *p = named(ctx, request, error);

	return p
	    ? done(p, bgp_peer_reset(p->speaker->engine, mono_now(), p->number, false, NULL), error)
	    : NULL;
}

/* Both ways: ask for the peer's routes again, and look at ours again. */
static json_t *bgp_soft(void *ctx, const json_t *request, struct api_error *error)
{
	const struct speaker_peer *p = named(ctx, request, error);
	int rc;

	if (!p)
		return NULL;
	rc = bgp_peer_reexport(p->speaker->engine, p->number);
	if (rc == 0)
		rc = bgp_peer_refresh(p->speaker->engine, mono_now(), p->number);
	return done(p, rc, error);
}

static json_t *bgp_disable(void *ctx, const json_t *request, struct api_error *error)
{
	struct speaker_peer *p = named(ctx, request, error);

	if (!p)
		return NULL;
	p->disabled = true;
	speaker_unlisten(p);
	return done(p,
	    bgp_peer_stop(p->speaker->engine, mono_now(), p->number, BGP_CEASE_SHUTDOWN,
		api_text(request, "text")),
	    error);
}

static json_t *bgp_enable(void *ctx, const json_t *request, struct api_error *error)
{
	struct speaker_peer *p = named(ctx, request, error);

	if (!p)
		return NULL;
	p->disabled = false;
	speaker_listen(p);
	return done(p, bgp_peer_start(p->speaker->engine, mono_now(), p->number), error);
}

static const struct api_command commands[] = {
    {"show bgp", "[peer] [routes]", API_SHOW, show_bgp,
	"BGP sessions; or the routes of one: \"received\", \"advertised\""},
    {"bgp reset", "peer", API_ACTION, bgp_reset, "end a session (Cease) and open it again"},
    {"bgp soft", "peer", API_ACTION, bgp_soft,
	"route refresh: the peer's routes again, and what differs of ours"},
    {"bgp disable", "peer [text]", API_ACTION, bgp_disable,
	"end a session until it is enabled; the text is told to the peer"},
    {"bgp enable", "peer", API_ACTION, bgp_enable,
	"open a session, also after its prefix limit was exceeded"},
};

int show_bgp_init(struct router *r)
{
	for (unsigned i = 0; i < RTE_DIM(commands); i++) {
		int rc = api_register(r->api, &commands[i], r);

		if (rc < 0)
			return rc;
	}
	return 0;
}
