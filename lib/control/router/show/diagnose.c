/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * `diagnose`: what is wrong with a connection, from the tunnel outwards (O3): negotiation, checks, BGP, routes on all
 * three sides (A22), MTU, redundancy; or with an attachment of a port. It looks at what others know and decides
 * nothing.
 */

#include <string.h>

#include "base/text.h"
#include "router/show/diagnose.h"
#include "router/show/show.h"

void find(struct report *p, enum finding f, const char *about, const char *format, ...)
{
	static const struct {
		const char *code, *severity, *suggestion;
	} list[] = {
#define X(e, code, severity, suggestion) {code, severity, suggestion},
	    FINDING_LIST(X)
#undef X
	};
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(p->rows,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "name", about,
		p->c ? "connection" : "attachment", p->c ? p->c->name : p->a->name, "severity",
		list[f].severity, "code", list[f].code, "finding", text, "suggestion",
		*list[f].suggestion ? list[f].suggestion : NULL));
}

bool row_has(const json_t *row, const char *key, const char *value)
{
	const char *have = json_string_value(json_object_get(row, key));

	return have && strcmp(have, value) == 0;
}

/* ---- tunnels ---- */

static void last_error(struct report *p, const struct vpn_tunnel *t)
{
	if (t->error_code == IKE_ERROR_NONE)
		return;
	json_array_append_new(p->rows,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", t->model->name, "connection",
		p->c->name, "severity", t->ike_state == IKE_TUNNEL_UP ? "warning" : "error", "code",
		ike_error_name(t->error_code), "finding", t->error_text, "suggestion",
		ike_error_suggestion(t->error_code)));
}

static void tunnel_state_of(struct report *p, const struct vpn_tunnel *t)
{
	const char *name = t->model->name;
	struct health_view health;

	switch ((enum fitness)t->fit) {
	case FIT_SA_DOWN:
		find(p, FINDING_TUNNEL_DOWN, name, "the tunnel is %s for %lld s",
		    ike_tunnel_state_name(t->ike_state),
		    (long long)(mono_diff(t->state_since, mono_now()) / DUR_S(1)));
		break;
	case FIT_ON_DEMAND:
		find(p, FINDING_TUNNEL_ON_DEMAND, name, "the tunnel waits for traffic");
		break;
	case FIT_BFD_DOWN:
	case FIT_BFD_WAIT:
		find(p, FINDING_BFD_DOWN, name, "the tunnel is up, %s", eligible_why_not(t));
		break;
	case FIT_HEALTH_CHECKING:
		find(p, FINDING_HEALTH_CHECKING, name, "the tunnel is up, %s", eligible_why_not(t));
		break;
	case FIT_HEALTH_FAILED:
	case FIT:
		find(p, FINDING_TUNNEL_UP, name, "the tunnel is up");
		break;
	}
	if (health_get(p->r->health, mono_now(), t->model->index, &health) &&
	    health.state == HEALTH_FAILED) {
		char to[IP_TEXT_MAX];

		find(p, FINDING_HEALTH_FAILED, name, "%s has not answered %u probes in a row",
		    ip_text(&health.config.destination, to), health.missed);
	}
	last_error(p, t);
}

/* Drops of packets that came out of the tunnel, or were to go in, by reason. */
static void drops_of(struct report *p, const struct vpn_tunnel *t)
{
	struct slot_counters sum;

	slot_read(&p->r->b->counters, t->model->slot, &sum);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (sum.drop[i] && i != DROP_POLICED)
			find(p, FINDING_DROPS, t->model->name,
			    "%llu packets that came out of the tunnel were dropped: %s",
			    (unsigned long long)sum.drop[i], drop_reason_help(i));
	}
	if (sum.sent > 100 && sum.received == 0 && t->ike_state == IKE_TUNNEL_UP)
		find(p, FINDING_NOTHING_RECEIVED, t->model->name,
		    "%llu packets were sent into the tunnel, and none came back",
		    (unsigned long long)sum.sent);
}

static void mtu_of(struct report *p, const struct vpn_tunnel *t)
{
	const struct tunnel *record = tunnel_get(&p->r->b->tunnels, t->model->index);

	if (!record || !record->inner_mtu)
		return;
	find(p, record->inner_mtu < 1280 ? FINDING_MTU_LOW : FINDING_MTU, t->model->name,
	    "packets of up to %u bytes pass in one piece, TCP learns an MSS of %u; outside %u",
	    record->inner_mtu, record->mss_v4, path_mtu_outer(t));
}

/* ---- redundancy ---- */

static void redundancy(struct report *p)
{
	json_t *row = model_show_connection(p->r->model, p->c);
	const struct conf_customer_gateway *first = p->c->tunnels[0]->customer_gateway;
	const char *why = json_string_value(json_object_get(row, "redundancy-reason"));

	if (why)
		find(p, FINDING_NOT_REDUNDANT, p->c->name, "%s", why);
	else
		find(p, FINDING_REDUNDANT, p->c->name, "both tunnels carry routes");
	json_decref(row);
	if (p->c->tunnels_count == 2 &&
	    ip_eq(&first->address, &p->c->tunnels[1]->customer_gateway->address) &&
	    !ip_is_any(&first->address))
		find(p, FINDING_SINGLE_POINT, p->c->name,
		    "both tunnels end at customer gateway \"%s\"", first->name);
}

static void diagnose_connection(struct report *p)
{
	for (uint32_t i = 0; i < p->r->tunnel_capacity; i++) {
		const struct vpn_tunnel *t = p->r->tunnel[i];

		if (!t || t->model->conf->connection != p->c)
			continue;
		tunnel_state_of(p, t);
		drops_of(p, t);
		mtu_of(p, t);
		diagnose_tunnel_bgp(p, t);
	}
	diagnose_policers(p);
	diagnose_routes(p);
	redundancy(p);
}

static void connections(struct report *p, const char *name)
{
	const struct conf *conf = p->r->conf;

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		p->c = conf->vpn_connections[i];
		p->a = p->c->attachment;
		if (!name || strcmp(p->c->name, name) == 0)
			diagnose_connection(p);
	}
	p->c = NULL;
}

/* One that is named; else all that have a session, which is what can be wrong with them. */
static void attachments(struct report *p, const char *name)
{
	const struct conf *conf = p->r->conf;

	for (unsigned i = 0; i < conf->attachments_count; i++) {
		p->a = conf->attachments[i];
		if (p->a->port && (name ? strcmp(p->a->name, name) == 0 : p->a->bgp.enabled))
			diagnose_line(p);
	}
}

/* A VPN attachment, which may have another name than its connection, is that. */
static const char *connection_of(const struct conf *conf, const char *name)
{
	const struct conf_attachment *a = name ? conf_find_attachment(conf, name) : NULL;

	return a && a->connection ? a->connection->name : name;
}

static json_t *diagnose(void *ctx, const json_t *request, struct api_error *error)
{
	const char *name = api_text(request, "connection");
	bool all = json_is_true(json_object_get(request, "all"));
	struct report p = {.r = ctx};

	if (!name && !all)
		return api_fail(
		    error, "MissingArgument", "name a connection or an attachment, or say --all");
	name = all ? NULL : name;
	p.rows = json_array();
	connections(&p, name);
	if (name && !json_array_size(p.rows))
		connections(&p, connection_of(p.r->conf, name));
	if (all || !json_array_size(p.rows))
		attachments(&p, name);
	diagnose_routes_fini(&p);
	if (json_array_size(p.rows) || all)
		return p.rows;
	json_decref(p.rows);
	return api_fail(error, "NoSuchConnection",
	    "there is no connection \"%s\" and no attachment of a port; `show connections` and `show "
	    "attachments` list them",
	    name);
}

static const struct api_command command = {"diagnose", "[connection] [--all]", API_SHOW, diagnose,
    "what is wrong with a connection, or an attachment of a port, and what helps"};

int diagnose_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
