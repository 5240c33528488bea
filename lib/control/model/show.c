/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The model as operators see it: attachments, connections and tables. Routes are in show_routes.c.
 */

#include <jansson.h>
#include <string.h>

#include "model/internal.h"

static json_t *prefixes(const struct conf_ifaddr *addr, unsigned count)
{
	json_t *list = json_array();
	char text[IP_TEXT_MAX], whole[IP_TEXT_MAX + 8];

	for (unsigned i = 0; i < count; i++) {
		snprintf(whole, sizeof(whole), "%s/%u", ip_text(&addr[i].addr, text), addr[i].len);
		json_array_append_new(list, json_string(whole));
	}
	return list;
}

static json_t *propagation(const struct conf_attachment *conf)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < conf->propagate_count; i++)
		json_array_append_new(list, json_string(conf->propagate[i]->name));
	return list;
}

struct json_t *model_show_attachments(const struct model *m)
{
	json_t *rows = json_array();
	struct attach *a;

	list_for (a, &m->attachments, node) {
		json_t *row = json_pack("{s:s, s:s, s:s, s:s?, s:o, s:s?, s:b}", "name", a->name,
		    "kind", conf_kind_name(a->conf->kind), "state", a->usable ? "up" : "down",
		    "associated-table", a->conf->associate ? a->conf->associate->name : NULL,
		    "propagates-to", propagation(a->conf), "owner", a->conf->owner,
		    "advertise-routes", a->conf->advertise_routes);

		if (a->conf->port) {
			json_object_set_new(row, "port", json_string(a->conf->port->name));
			json_object_set_new(row, "vlan", json_integer(a->conf->vlan));
			json_object_set_new(
			    row, "address", prefixes(a->conf->address, a->conf->address_count));
		}
		if (a->conf->connection)
			json_object_set_new(
			    row, "connection", json_string(a->conf->connection->name));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* T2: both tunnels up is redundancy MET; else the reason. `idle`: a tunnel that is not up. */
static void redundancy(
    json_t *row, const struct conf_connection *c, const struct tunnel_entry *idle)
{
	char reason[256] = "";

	if (c->tunnels_count < 2)
		snprintf(reason, sizeof(reason), "the connection has one tunnel");
	else if (idle && tunnel_state(idle) == MODEL_TUNNEL_TRAP)
		snprintf(reason, sizeof(reason), "tunnel %s waits for traffic", idle->name);
	else if (idle)
		snprintf(reason, sizeof(reason), "tunnel %s is down", idle->name);
	json_object_set_new(row, "redundancy", json_string(*reason ? "NOT_MET" : "MET"));
	json_object_set_new(row, "redundancy-reason", *reason ? json_string(reason) : json_null());
}

struct summary {
	json_t *tunnels;
	const struct tunnel_entry *idle; /* the worst that is not up */
	unsigned up;
};

static void add_tunnel(struct summary *s, const struct tunnel_entry *t)
{
	static const char *const state_name[] = {"down", "on-demand", "up"};
	enum model_tunnel_state state = tunnel_state(t);

	s->up += state == MODEL_TUNNEL_UP;
	if (state != MODEL_TUNNEL_UP && (!s->idle || state < tunnel_state(s->idle)))
		s->idle = t;
	json_array_append_new(
	    s->tunnels, json_pack("{s:s, s:s}", "name", t->name, "state", state_name[state]));
}

static void add_tunnels(struct summary *s, const struct model *m, const struct conf_connection *c)
{
	const struct attach *a = attach_of(m, c->attachment);
	struct tunnel_entry *t;

	for (unsigned i = 0; a && i < a->tunnel_count; i++)
		add_tunnel(s, a->tunnel[i]);
	if (a)
		return;
	list_for (t, &m->tunnels, node) {
		if (t->pub.conf->connection == c)
			add_tunnel(s, t);
	}
}

struct json_t *model_show_connection(const struct model *m, const struct conf_connection *c)
{
	struct summary s = {.tunnels = json_array()};

	add_tunnels(&s, m, c);
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:i, s:o, s:s?}", "name", c->name, "ha",
	    c->ha == CONF_HA_ECMP ? "ecmp" : "active-standby", "gateway-type",
	    c->gateway_type == CONF_GATEWAY_PUBLIC ? "public" : "private", "routing-mode",
	    c->routing_mode == CONF_ROUTING_DESTINATION ? "destination" : "flow-protection",
	    "attachment", c->attachment ? c->attachment->name : NULL, "tunnels-up", (int)s.up,
	    "tunnels", s.tunnels, "owner", c->owner);
	redundancy(row, c, s.idle);
	return row;
}

struct json_t *model_show_connections(const struct model *m)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < m->conf->vpn_connections_count; i++)
		json_array_append_new(rows, model_show_connection(m, m->conf->vpn_connections[i]));
	return rows;
}

struct json_t *model_show_tables(const struct model *m)
{
	json_t *rows = json_array();
	struct table *t;
	struct attach *a;

	list_for (t, &m->tables, node) {
		json_t *associated, *learns;

		if (!t->conf)
			continue;
		associated = json_array();
		learns = json_array();
		list_for (a, &m->attachments, node) {
			if (a->conf->associate == t->conf)
				json_array_append_new(associated, json_string(a->name));
			for (unsigned i = 0; i < a->conf->propagate_count; i++) {
				if (a->conf->propagate[i] == t->conf)
					json_array_append_new(learns, json_string(a->name));
			}
		}
		json_array_append_new(rows,
		    json_pack("{s:s, s:i, s:i, s:o, s:o}", "name", t->name, "routes",
			(int)t->fib->routes, "candidates", (int)t->now.candidate_count,
			"associated", associated, "learns-from", learns));
	}
	return rows;
}
