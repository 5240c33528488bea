/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The records of a traced packet, in the words of the configuration. What led to a route, its table, prefix and policies,
 * is asked of `explain`, which walks the functions that the worker walked; it answers for now.
 */

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/mem.h"
#include "boundary/decide.h"
#include "model/explain.h"
#include "router/show/show.h"
#include "router/show/trace.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_UDP  17
#define PROTOCOL_ESP  50

static json_t *address(uint32_t host_order)
{
	char text[IP_TEXT_MAX];
	struct ip_addr a = ip_v4(host_order);

	return json_string(ip_text(&a, text));
}

static const char *tunnel_name(struct router *r, uint32_t index)
{
	return index < r->tunnel_capacity && r->tunnel[index] ? r->tunnel[index]->model->name : "?";
}

static const struct model_iface *iface_of(struct router *r, uint32_t index)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->model, &all);

	for (unsigned i = 0; index && i < count; i++) {
		if (all[i]->index == index)
			return all[i];
	}
	return NULL;
}

static const char *iface_name(struct router *r, uint32_t index)
{
	const struct model_iface *i = iface_of(r, index);

	return !i ? "?" : i->attachment ? i->attachment->name : i->port->name;
}

/* Next hops in the words of `explain`. */
static const char *leaf_name(struct router *r, const struct nexthop *leaf)
{
	switch (leaf ? leaf->kind : NH_NONE) {
	case NH_TUNNEL:
		return tunnel_name(r, leaf->tunnel);
	case NH_CONNECTED:
	case NH_VIA:
		return iface_name(r, leaf->iface);
	case NH_LOCAL:
		return "the router itself";
	case NH_BLACKHOLE:
		return "blackhole";
	default:
		return "none";
	}
}

static json_t *row_of(json_t *rows, const struct trace_record *r, uint64_t start, const char *stage)
{
	double us = (double)(int64_t)(r->clock - start) * 1e6 / (double)rte_get_tsc_hz();
	json_t *row = json_pack(
	    "{s:f, s:i, s:s}", "at-us", us < 0 ? 0 : us, "worker", (int)r->worker, "stage", stage);

	json_array_append_new(rows, row);
	return row;
}

static void text(json_t *row, const char *key, const char *value)
{
	json_object_set_new(row, key, json_string(value));
}

static void number(json_t *row, const char *key, uint64_t value)
{
	json_object_set_new(row, key, json_integer((json_int_t)value));
}

static void set_header(json_t *row, const struct trace_record *r)
{
	char spi[12];

	number(row, "bytes", r->bytes);
	if (r->version != 4)
		return;
	json_object_set_new(row, "source", address(r->src));
	json_object_set_new(row, "destination", address(r->dst));
	number(row, "protocol", r->protocol);
	number(row, "ttl", r->ttl);
	if (r->protocol == PROTOCOL_ICMP && !r->fragment) {
		number(row, "icmp-type", r->src_port);
		number(row, "icmp-code", r->dst_port);
	} else if (r->src_port || r->dst_port) {
		number(row, "source-port", r->src_port);
		number(row, "destination-port", r->dst_port);
	}
	if (r->fragment)
		json_object_set_new(row, "fragment", json_true());
	if (r->spi && (r->protocol == PROTOCOL_ESP || r->protocol == PROTOCOL_UDP)) {
		snprintf(spi, sizeof(spi), "%08x", r->spi);
		text(row, "spi", spi);
		number(row, "sequence", r->sequence);
	}
}

/* The packet itself, as it was at that stage, if the trace keeps any of it. */
static void set_bytes(json_t *row, const struct trace_seen *seen)
{
	static const char digits[] = "0123456789abcdef";
	const struct trace_record *r = &seen->record;
	char *hex;

	if (!seen->bytes)
		return;
	hex = xmalloc(2u * r->kept);
	for (unsigned i = 0; i < r->kept; i++) {
		hex[2 * i] = digits[seen->bytes[i] >> 4];
		hex[2 * i + 1] = digits[seen->bytes[i] & 15];
	}
	json_object_set_new(row, "kept",
	    json_pack("{s:s, s:i, s:o}", "link", r->l2_bytes ? "ethernet" : "ip", "length",
		(int)r->bytes + r->l2_bytes, "hex", json_stringn_nocheck(hex, 2u * r->kept)));
	free(hex);
}

/* ---- stages ---- */

static void received(struct router *x, json_t *rows, const struct trace_record *r, uint64_t start)
{
	const struct model_iface *i = iface_of(x, r->iface);
	const char *attachment = model_attachment_name(x->model, r->attachment);
	json_t *row = row_of(rows, r, start, "received");

	if (i) {
		const struct iface *pub = iface_get(&x->b->ifaces, r->iface);

		text(row, "port", x->b->port[pub->port]->name);
		if (pub->vlan != VLAN_NONE)
			number(row, "vlan", pub->vlan);
	} else if (r->tunnel) {
		text(row, "tunnel", tunnel_name(x, r->tunnel));
	} else {
		text(row, "by", "no interface, or the router itself");
	}
	set_header(row, r);
	if (!i && !r->tunnel)
		return;
	row = row_of(rows, r, start, "classified");
	if (attachment)
		text(row, "attachment", attachment);
	else
		text(row, "uplink", iface_name(x, r->iface));
}

static bool is_text(const json_t *row, const char *key, const char *value)
{
	const char *have = json_string_value(json_object_get(row, key));

	return have && strcmp(have, value) == 0;
}

/* Of those asked about this packet (those on the way in were asked about routes): the one that refused, or the last. */
static const json_t *policy_of(const json_t *explained)
{
	const json_t *row, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(explained, "policies"), i, row)
	{
		if (!is_text(row, "direction", "egress"))
			continue;
		found = row;
		if (is_text(row, "action", "deny"))
			break;
	}
	return found;
}

static json_t *explained(struct router *x, const struct trace_record *r)
{
	bool ports = r->protocol != PROTOCOL_ICMP;
	struct model_flow flow = {
	    .from = model_attachment_name(x->model, r->attachment),
	    .src = ip_v4(r->src),
	    .dst = ip_v4(r->dst),
	    .protocol = r->protocol,
	    .src_port = ports ? r->src_port : 0,
	    .dst_port = ports ? r->dst_port : 0,
	};

	return flow.from ? model_explain_json(x->model, &flow) : NULL;
}

static unsigned members_of(const struct nexthop *group)
{
	uint16_t leaf[ECMP_MEMBERS_MAX] = {0};
	unsigned n = 0;

	for (unsigned b = 0; b < ECMP_BUCKETS; b++) {
		unsigned i = 0;

		while (i < n && leaf[i] != group->bucket[b])
			i++;
		if (i == n && group->bucket[b] && n < ECMP_MEMBERS_MAX)
			leaf[n++] = group->bucket[b];
	}
	return n;
}

static void looked_up(struct router *x, json_t *rows, const struct trace_record *r, uint64_t start)
{
	const struct nexthop *entry = nexthop_get(&x->b->nexthops, r->entry);
	const struct nexthop *leaf = nexthop_get(&x->b->nexthops, r->leaf);
	json_t *why = explained(x, r);
	const json_t *policy = policy_of(why);
	json_t *row = row_of(rows, r, start, "looked-up");

	if (why) {
		json_object_set(row, "table", json_object_get(why, "table"));
		json_object_set(row, "prefix", json_object_get(why, "prefix"));
	} else {
		text(row, "table", "uplinks");
	}
	text(row, "route", entry && entry->kind == NH_GROUP ? "group" : leaf_name(x, entry));
	if (r->what == DROP_NOT || r->what == DROP_POLICY_DENIED) {
		row = row_of(rows, r, start, "policy");
		text(row, "action", r->what == DROP_NOT ? "permit" : "deny");
		if (policy)
			json_object_set(row, "policy", json_object_get(policy, "policy"));
	}
	if (entry && entry->kind == NH_GROUP) {
		row = row_of(rows, r, start, "ecmp");
		text(row, "member", leaf_name(x, leaf));
		number(row, "members", members_of(entry));
		number(row, "bucket", nexthop_bucket(r->hash));
	}
	json_decref(why);
}

static void by_tunnel(struct router *x, json_t *rows, const struct trace_record *r, uint64_t start)
{
	json_t *row = row_of(rows, r, start, trace_stage_name(r->stage));
	const char *attachment = model_attachment_name(x->model, r->attachment);

	text(row, "tunnel", tunnel_name(x, r->tunnel));
	if (r->stage == TRACE_DECRYPTED && attachment)
		text(row, "attachment", attachment);
	set_header(row, r);
}

static void dropped(struct router *x, json_t *row, const struct trace_record *r)
{
	char name[192];

	text(row, "reason", drop_reason_name(r->what));
	text(row, "because", drop_reason_help(r->what));
	if (r->what == DROP_POLICED) {
		text(row, "policer", model_policer_name(x->model, &r->gate, name, sizeof(name)));
	} else if (r->what == DROP_VLAN_UNKNOWN && r->frame.port < x->b->ports) {
		text(row, "port", x->b->port[r->frame.port]->name);
		if (r->frame.vlan == VLAN_NONE)
			text(row, "vlan", "untagged");
		else
			number(row, "vlan", r->frame.vlan);
	}
}

static void end(struct router *x, json_t *rows, const struct trace_record *r, uint64_t start)
{
	json_t *row = row_of(rows, r, start, trace_stage_name(r->stage));

	switch ((enum trace_stage)r->stage) {
	case TRACE_SENT:
		text(row, "port", r->what < x->b->ports ? x->b->port[r->what]->name : "?");
		set_header(row, r);
		break;
	case TRACE_PUNTED:
		text(row, "class", punt_class_name(r->what));
		break;
	case TRACE_HANDED:
		number(row, "to-worker", r->what);
		break;
	case TRACE_WAITING:
		text(row, "for", "the SA of its SPI, which is being negotiated");
		set_header(row, r);
		break;
	case TRACE_DROPPED:
		dropped(x, row, r);
		break;
	default:
		break;
	}
}

json_t *trace_packet_json(
    struct router *x, const struct trace_seen *seen, unsigned n, uint64_t start)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct trace_record *r = &seen[i].record;
		size_t first = json_array_size(rows);

		if (r->stage == TRACE_RECEIVED)
			received(x, rows, r, start);
		else if (r->stage == TRACE_ROUTED)
			looked_up(x, rows, r, start);
		else if (r->stage == TRACE_DECRYPTED || r->stage == TRACE_ENCRYPTED)
			by_tunnel(x, rows, r, start);
		else
			end(x, rows, r, start);
		set_bytes(json_array_get(rows, first), &seen[i]);
	}
	return json_pack("{s:o}", "stages", rows);
}
