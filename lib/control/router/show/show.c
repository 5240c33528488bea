/* SPDX-License-Identifier: BSD-3-Clause */

/* What the control socket answers about the whole: the table of commands, system, ports, neighbours, the ledger. */

#include "router/show/show.h"

#include <inttypes.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_version.h>

#include "base/log.h"

#define ROUTES_PER_PAGE 300 /* a few milliseconds of the control lcore */

static json_t *show_system(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct mono now = mono_now();
	uint32_t half_open, ike_sas;
	const char *prefix;
	json_t *workers = json_array();
	uint64_t in_use = 0, buffers = 0;

	for (unsigned i = 0; i < r->b->pools; i++) {
		in_use += rte_mempool_in_use_count(r->b->pool_of[i]);
		buffers += r->b->pool_of[i]->size;
	}

	for (unsigned i = 0; i < r->b->workers; i++) {
		const struct heartbeat *beat = &r->b->beat[i];

		json_array_append_new(workers,
		    json_pack("{s:i, s:I, s:I, s:I, s:I, s:b}", "worker", (int)i, "rounds",
			(json_int_t)atomic_load(&beat->rounds), "packets",
			(json_int_t)atomic_load(&beat->packets), "busy-cycles",
			(json_int_t)atomic_load(&beat->busy_cycles), "idle-cycles",
			(json_int_t)atomic_load(&beat->idle_cycles), "stalled", r->beat_late[i]));
	}
	ike_load(r->ike, &half_open, &ike_sas);
	prefix = strrchr(rte_eal_get_runtime_dir(), '/');
	return json_pack("{s:s, s:s?, s:I, s:s, s:s?, s:s, s:b, s:o, s:I, s:I, s:I, s:I, s:f, s:f}",
	    "version", TRANSITD_VERSION, "transit-router", r->conf->transit_router.name,
	    "uptime-seconds", (json_int_t)(mono_diff(r->started, now) / DUR_S(1)), "dpdk",
	    rte_version(), "file-prefix", prefix ? prefix + 1 : NULL, "crypto",
	    crypto_describe(r->b->crypto), "huge-pages", r->setup.huge_pages, "workers", workers,
	    "ike-sas", (json_int_t)ike_sas, "half-open-ike-sas", (json_int_t)half_open,
	    "buffers-in-use", (json_int_t)in_use, "buffers", (json_int_t)buffers,
	    "longest-control-round-ms", (double)r->longest_round_ns / 1e6,
	    "longest-control-stall-ms", (double)r->longest_busy_ns / 1e6);
}

static void add_count(void *ctx, const char *name, uint64_t value)
{
	json_object_set_new(ctx, name, json_integer((json_int_t)value));
}

/* What became of frames before they were the port's or the host's. */
static void add_steering(struct router *r, const struct port *p, json_t *row)
{
	json_t *counts = json_object();

	if (r->setup.counts)
		r->setup.counts(p, add_count, counts);
	if (json_object_size(counts) > 0)
		json_object_set(row, "steering", counts);
	json_decref(counts);
}

static json_t *port_row(const struct port *p)
{
	struct rte_eth_stats stats = {0};
	char mac[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(mac, sizeof(mac), &p->mac);
	rte_eth_stats_get(p->dpdk_id, &stats);
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "name", p->name, "device", p->device, "link", atomic_load(&p->link_up) ? "up" : "down",
	    "mac", mac, "mtu", (int)p->mtu, "rx-queues", (int)p->rx_queues, "tx-queues",
	    (int)p->tx_queues, "numa-node", p->numa_node, "link-events",
	    (json_int_t)atomic_load(&p->link_events), "rx-packets", (json_int_t)stats.ipackets,
	    "rx-bytes", (json_int_t)stats.ibytes, "tx-packets", (json_int_t)stats.opackets,
	    "tx-bytes", (json_int_t)stats.obytes, "rx-missed", (json_int_t)stats.imissed,
	    "rx-errors", (json_int_t)stats.ierrors, "tx-errors", (json_int_t)stats.oerrors);
}

static json_t *show_ports(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();

	for (unsigned i = 0; i < r->b->ports; i++) {
		json_t *row = port_row(r->b->port[i]);

		add_steering(r, r->b->port[i], row);
		json_array_append_new(rows, row);
	}
	return rows;
}

struct neighbour_walk {
	struct router *r;
	json_t *rows;
};

static const char *iface_name(struct router *r, uint32_t index)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		if (all[i]->index == index)
			return all[i]->attachment ? all[i]->attachment->name : all[i]->port->name;
	}
	return "?";
}

static void neighbour_row(void *ctx, const struct neigh_view *v)
{
	struct neighbour_walk *walk = ctx;
	char addr[IP_TEXT_MAX], mac[24] = "-";

	if (v->mac[0] | v->mac[1] | v->mac[2] | v->mac[3] | v->mac[4] | v->mac[5])
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", v->mac[0], v->mac[1],
		    v->mac[2], v->mac[3], v->mac[4], v->mac[5]);
	json_array_append_new(walk->rows,
	    json_pack("{s:s, s:s, s:s, s:s, s:f, s:i, s:b}", "address", ip_text(&v->addr, addr),
		"interface", iface_name(walk->r, v->iface), "mac", mac, "state", v->state,
		"age-seconds", (double)v->age_ns / 1e9, "waiting-packets", (int)v->waiting,
		"pinned", v->pinned));
}

static json_t *show_neighbors(void *ctx, const json_t *request, struct api_error *error)
{
	struct neighbour_walk walk = {ctx, json_array()};

	neigh_walk(walk.r->neigh, mono_now(), neighbour_row, &walk);
	return walk.rows;
}

/* ---- the ledger ---- */

static json_t *slot_row(struct router *r, const char *name, const char *kind, uint16_t slot)
{
	struct slot_counters sum;
	json_t *drops = json_object();
	uint64_t dropped = 0;

	slot_read(&r->b->counters, slot, &sum);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		dropped += sum.drop[i];
		if (sum.drop[i])
			json_object_set_new(
			    drops, drop_reason_name(i), json_integer((json_int_t)sum.drop[i]));
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
	    "name", name, "kind", kind, "received", (json_int_t)sum.received, "received-bytes",
	    (json_int_t)sum.received_bytes, "created", (json_int_t)sum.created, "delivered",
	    (json_int_t)sum.delivered, "decrypted", (json_int_t)sum.decrypted, "punted",
	    (json_int_t)sum.punted, "absorbed", (json_int_t)sum.absorbed, "dropped",
	    (json_int_t)dropped, "sent", (json_int_t)sum.sent, "sent-bytes",
	    (json_int_t)sum.sent_bytes, "balance", (json_int_t)slot_balance(&sum), "drops", drops);
}

static json_t *show_counters(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();
	const struct model_iface **ifaces;
	unsigned count = model_ifaces(r->model, &ifaces);

	json_array_append_new(rows, slot_row(r, "control", "control", SLOT_CONTROL));
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(rows,
		    slot_row(r,
			ifaces[i]->attachment ? ifaces[i]->attachment->name : ifaces[i]->port->name,
			ifaces[i]->attachment ? conf_kind_name(ifaces[i]->attachment->kind)
					      : "uplink",
			ifaces[i]->slot));
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (r->tunnel[i])
			json_array_append_new(rows,
			    slot_row(
				r, r->tunnel[i]->model->name, "tunnel", r->tunnel[i]->model->slot));
	}
	return rows;
}

static json_t *show_punts(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();

	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		uint64_t taken, limited, full;

		punt_counts(r->b->punt, c, &taken, &limited, &full);
		json_array_append_new(rows,
		    json_pack("{s:s, s:I, s:I, s:I, s:I}", "class", punt_class_name(c), "taken",
			(json_int_t)taken, "rate-limited", (json_int_t)limited, "queue-full",
			(json_int_t)full, "late",
			(json_int_t)(c == PUNT_IKE_INIT ? r->late_inits : 0)));
	}
	return rows;
}

/* ---- what the model knows ---- */

static json_t *show_attachments(void *ctx, const json_t *request, struct api_error *error)
{
	return model_show_attachments(((struct router *)ctx)->model);
}

static json_t *show_connections(void *ctx, const json_t *request, struct api_error *error)
{
	return model_show_connections(((struct router *)ctx)->model);
}

static json_t *show_tables(void *ctx, const json_t *request, struct api_error *error)
{
	return model_show_tables(((struct router *)ctx)->model);
}

static json_t *show_policers(void *ctx, const json_t *request, struct api_error *error)
{
	return model_show_policers(((struct router *)ctx)->model);
}

static json_t *show_routes(void *ctx, const json_t *request, struct api_error *error)
{
	const char *table = api_text(request, "table");
	json_t *rows = model_show_routes_page(((struct router *)ctx)->model, table,
	    json_object_get(request, "from"), ROUTES_PER_PAGE);

	return rows
	    ? rows
	    : api_fail(error, "NoSuchTable", "there is no route table \"%s\"", table ? table : "");
}

/* ---- actions ---- */

static json_t *log_level_set(void *ctx, const json_t *request, struct api_error *error)
{
	const char *name = api_text(request, "level");
	enum log_level level;

	if (!name || log_level_parse(name, &level) < 0)
		return api_fail(
		    error, "BadLevel", "the level is one of error, warning, notice, info, debug");
	log_set_level(level);
	return json_pack("{s:s}", "level", log_level_name(level));
}

static const struct api_command commands[] = {
    {"show system", NULL, API_SHOW, show_system,
	"version, uptime, workers, crypto devices, memory"},
    {"show ports", NULL, API_SHOW, show_ports, "ports: device, link, queues, device counters"},
    {"show attachments", NULL, API_SHOW, show_attachments, "attachments: kind, state, tables"},
    {"show connections", NULL, API_SHOW, show_connections,
	"IPsec-VPN connections and their redundancy"},
    {"show tables", NULL, API_SHOW, show_tables, "route tables: associations, propagations, size"},
    {"show routes", "[table]", API_SHOW, show_routes,
	"routes with their next hops, of one table or all"},
    {"show policers", NULL, API_SHOW, show_policers,
	"policers: rate, and what passed and was dropped"},
    {"show neighbors", NULL, API_SHOW, show_neighbors, "neighbours: address, MAC, state"},
    {"show counters", NULL, API_SHOW, show_counters,
	"the ledger: received, delivered, drops by reason"},
    {"show punts", NULL, API_SHOW, show_punts, "packets handed to the control lcore, by class"},
    {"log level", "level", API_ACTION, log_level_set,
	"how much is logged: error, warning, notice, info, debug"},
};

int show_init(struct router *r)
{
	for (unsigned i = 0; i < RTE_DIM(commands); i++) {
		int rc = api_register(r->api, &commands[i], r);

		if (rc < 0)
			return rc;
	}
	static int (*const parts[])(struct router *) = {show_tunnels_init, show_bgp_init,
	    show_change_init, show_health_init, show_bfd_init, show_metering_init, explain_init,
	    diagnose_init, peer_config_init, trace_control_init};

	for (unsigned i = 0; i < RTE_DIM(parts); i++) {
		int rc = parts[i](r);

		if (rc < 0)
			return rc;
	}
	return 0;
}
