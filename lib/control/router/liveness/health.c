/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * health <-> tunnels: probes go into the very tunnel that they check, whatever routes say, and answers come back
 * through the /32 of the source address, which the model adds to the table of the attachment (H4).
 */

#include "base/log.h"
#include "router/change/apply.h"
#include "router/show/show.h"

#define LOG "health"

#define PROTOCOL_ICMP 1

static void op_send(void *ctx, uint32_t tunnel, const uint8_t *packet, size_t len)
{
	host_send_tunnel(ctx, tunnel, packet, len);
}

static void op_changed(void *ctx, uint32_t tunnel, enum health_state state)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = tunnel < r->tunnel_capacity ? r->tunnel[tunnel] : NULL;

	if (t)
		eligible_update(r, t);
}

static const struct health_ops ops = {.send = op_send, .changed = op_changed};

void health_init(struct router *r)
{
	r->health = health_create(&ops, r, &r->timers, &r->rng);
	health_apply(r, mono_now());
}

void health_fini(struct router *r)
{
	health_free(r->health);
	r->health = NULL;
}

static void apply_one(struct router *r, const struct model_tunnel *t, struct mono now)
{
	const struct conf_health_check *conf = &t->conf->health_check;
	const struct health_config config = {
	    .source = conf->source_address,
	    .destination = conf->destination,
	    .interval_s = conf->interval,
	    .retries = conf->retries,
	};

	if (!conf->enabled || health_set(r->health, now, t->index, t->name, &config) < 0)
		health_remove(r->health, t->index);
}

void health_apply(struct router *r, struct mono now)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(r->model, &all);

	for (unsigned i = 0; i < count; i++) {
		struct vpn_tunnel *t =
		    all[i]->index < r->tunnel_capacity ? r->tunnel[all[i]->index] : NULL;

		apply_one(r, all[i], now);
		if (!t)
			continue;
		health_sa(r->health, now, all[i]->index, t->ike_state == IKE_TUNNEL_UP);
		eligible_update(r, t);
	}
}

static void enter(struct apply *a, void *own)
{
	health_apply(a->r, a->now);
}

const struct apply_part apply_health = {.enter = enter};

bool health_packet(struct router *r, struct rte_mbuf *m, struct mono now)
{
	uint8_t room[512];
	size_t len;
	const uint8_t *packet = host_bytes(m, room, sizeof(room), &len);

	return packet && len > 9 && packet[9] == PROTOCOL_ICMP && pkt_meta(m)->tunnel &&
	    health_receive(r->health, now, pkt_meta(m)->tunnel, packet, len);
}

/* ---- show ---- */

static json_t *row_of(
    const struct vpn_tunnel *t, const struct health_view *v, const struct conf_health_check *conf)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:b, s:I, s:I, s:i}", "name",
	    t->model->name, "state", health_state_name(v->state), "source",
	    ip_text(&v->config.source, from), "destination", ip_text(&v->config.destination, to),
	    "state-seconds", (double)v->state_age_ns / 1e9, "interval", (int)v->config.interval_s,
	    "retries", (int)v->config.retries, "switch-route", conf->switch_route, "sent",
	    (json_int_t)v->sent, "answered", (json_int_t)v->answered, "missed", (int)v->missed);

	json_object_set_new(
	    row, "rtt-ms", v->rtt_ns < 0 ? json_null() : json_real((double)v->rtt_ns / 1e6));
	return row;
}

static json_t *show_health(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();
	struct health_view view;

	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		const struct vpn_tunnel *t = r->tunnel[i];

		if (t && health_get(r->health, mono_now(), i, &view))
			json_array_append_new(
			    rows, row_of(t, &view, &t->model->conf->health_check));
	}
	return rows;
}

static const struct api_command command = {"show health", NULL, API_SHOW, show_health,
    "health checks of tunnels: state, probes, round-trip time"};

int show_health_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
