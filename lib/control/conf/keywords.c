/* SPDX-License-Identifier: BSD-3-Clause */
/* The top of the keyword table: the file as a whole, and how rows are found. */
#include "conf/keywords.h"

#include <string.h>

static const struct object_kind kind_system = {
    .what = "system",
    .intro = "The process itself: processor cores, memory, directories.",
    .size = sizeof(struct conf_system),
    .rows = conf_rows_system,
    .name_offset = NO_NAME,
};

static const struct object_kind kind_port = {
    .what = "port",
    .intro =
	"A network interface, by name. One with an `address` is an uplink: it carries the outer "
	"packets of tunnels. The others serve attachments.",
    .size = sizeof(struct conf_port),
    .rows = conf_rows_port,
    .name_offset = offsetof(struct conf_port, name),
};

static const struct object_kind kind_router = {
    .what = "transit-router",
    .intro = "The hub that everything attaches to.",
    .size = sizeof(struct conf_transit_router),
    .rows = conf_rows_router,
    .name_offset = NO_NAME,
};

static const struct object_kind kind_table = {
    .what = "route table",
    .intro =
	"A route table, by name. The table `default` always exists. An attachment's traffic is "
	"looked up in the table it is associated with; its routes go to the tables it propagates to.",
    .size = sizeof(struct conf_route_table),
    .rows = conf_rows_table,
    .name_offset = offsetof(struct conf_route_table, name),
};

const struct object_kind conf_kind_customer_gateway = {
    .what = "customer gateway",
    .intro = "The peer of tunnels: an address and an AS number, by name.",
    .size = sizeof(struct conf_customer_gateway),
    .rows = conf_rows_customer_gateway,
    .name_offset = offsetof(struct conf_customer_gateway, name),
};

const struct object_kind conf_kind_connection = {
    .what = "connection",
    .intro = "An IPsec-VPN connection, by name: two tunnels, or one. It carries traffic once an "
	     "attachment of kind vpn uses it.",
    .size = sizeof(struct conf_connection),
    .rows = conf_rows_connection,
    .name_offset = offsetof(struct conf_connection, name),
};

static const struct object_kind kind_attachment = {
    .what = "attachment",
    .intro = "What is attached to the transit router, by name.",
    .size = sizeof(struct conf_attachment),
    .rows = conf_rows_attachment,
    .name_offset = offsetof(struct conf_attachment, name),
};

static const struct object_kind kind_policy = {
    .what = "routing policy",
    .intro =
	"A rule for the routes that enter (ingress) or leave (egress) a table. All conditions must "
	"hold; the rule with the lowest number decides; a route that no rule matches is permitted. "
	"Behind them, each table has the built-in rule 5000 that rejects routes among vpn, vbr "
	"and ccn attachments, egress, as soon as a vpn attachment exists.",
    .size = sizeof(struct conf_policy),
    .rows = conf_rows_policy,
    .name_offset = NO_NAME,
    .identity = 3, /* priority, table, direction */
};

static const struct kw rows_root[] = {
    {"system", VALUE_OBJECT, FIELD_OF(struct conf, system, struct conf_system),
	.object = &kind_system, MEANS(RESTART, "the process itself")},
    {"ports", VALUE_MAP, OBJECTS_OF(struct conf, ports), .object = &kind_port, .required = true,
	.list_min = 1, .list_max = 256, MEANS(RESTART, "network interfaces")},
    {"transit-router", VALUE_OBJECT,
	FIELD_OF(struct conf, transit_router, struct conf_transit_router), .object = &kind_router,
	MEANS(NOTHING, "the hub")},
    {"route-tables", VALUE_MAP, OBJECTS_OF(struct conf, route_tables), .object = &kind_table,
	.list_max = 4096, DERIVED("`default: {}`"), MEANS(ROUTES, "route tables")},
    {"customer-gateways", VALUE_MAP, OBJECTS_OF(struct conf, customer_gateways),
	.object = &conf_kind_customer_gateway, MEANS(NOTHING, "peers of tunnels")},
    {"vpn-connections", VALUE_MAP, OBJECTS_OF(struct conf, vpn_connections),
	.object = &conf_kind_connection, MEANS(TUNNELS, "IPsec-VPN connections")},
    {"attachments", VALUE_MAP, OBJECTS_OF(struct conf, attachments), .object = &kind_attachment,
	MEANS(ROUTES, "what is attached to the transit router")},
    {"routing-policies", VALUE_SEQUENCE, OBJECTS_OF(struct conf, routing_policies),
	.object = &kind_policy, MEANS(ROUTES, "rules for routes")},
    {0},
};

const struct object_kind conf_kind_root = {
    .what = "the file",
    .intro =
	"The startup file is one YAML mapping. Where a list is expected, one value alone will do.",
    .size = sizeof(struct conf),
    .rows = rows_root,
    .name_offset = NO_NAME,
};

const struct kw *keyword_find(const struct object_kind *kind, const char *key)
{
	for (const struct kw *row = kind->rows; row->key; row++) {
		if (strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

const char *keyword_word(const struct value_name *names, unsigned value)
{
	for (; names->name; names++) {
		if (names->value == value)
			return names->name;
	}
	return "?";
}

void keyword_walk(const struct object_kind *kind, void *object, keyword_fn *fn, void *ctx)
{
	fn(ctx, kind, object);
	for (const struct kw *row = kind->rows; row->key; row++) {
		void *at = keyword_at(row, object);

		if (row->type == VALUE_OBJECT) {
			keyword_walk(row->object, at, fn, ctx);
		} else if (row->type == VALUE_MAP || row->type == VALUE_SEQUENCE) {
			for (unsigned i = 0; i < *keyword_count(row, object); i++)
				keyword_walk(row->object, (*(void ***)at)[i], fn, ctx);
		}
	}
}
