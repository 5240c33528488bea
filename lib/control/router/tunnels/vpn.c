/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ike <-> boundary: the engine's operations become SAs and tunnel records, events of workers become calls of
 * the engine, and the state of a tunnel goes to the model, which decides what routes may use it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/mtu.h"
#include "base/secret.h"
#include "base/text.h"
#include "router/internal.h"

#define LOG "tunnel"

#define HOLD_MAX DUR_S(5) /* packets wait no longer for an on-demand tunnel */

static struct vpn_tunnel *tunnel_at(struct router *r, uint32_t index)
{
	return index < r->tunnel_capacity ? r->tunnel[index] : NULL;
}

struct vpn_tunnel *tunnel_by_name(struct router *r, const char *name)
{
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		if (r->tunnel[i] && strcmp(r->tunnel[i]->model->name, name) == 0)
			return r->tunnel[i];
	}
	return NULL;
}

/* ---- the record that workers read ---- */

static bool selects_all(const struct sa_selector *s)
{
	const struct ip_prefix all = {.addr = ip_any(s->local.first.family), .len = 0};
	const struct ip_range whole = ip_range_of_prefix(&all);

	return s->protocol == 0 && ip_range_covers(&s->local, &whole) &&
	    ip_range_covers(&s->remote, &whole) && s->local_port_first == 0 &&
	    s->local_port_last == UINT16_MAX && s->remote_port_first == 0 &&
	    s->remote_port_last == UINT16_MAX;
}

static bool has_selector(const struct tunnel *record, const struct sa_selector *s)
{
	for (unsigned i = 0; i < record->out_count; i++) {
		if (memcmp(&record->out[i].selector, s, sizeof(*s)) == 0)
			return true;
	}
	return false;
}

static void add_child(struct tunnel *record, const struct child *c)
{
	for (unsigned l = 0; l < c->sa.local_ts_count; l++) {
		for (unsigned m = 0; m < c->sa.remote_ts_count; m++) {
			struct sa_selector s;

			memset(&s, 0, sizeof(s));
			s.local = c->local_ts[l].addr;
			s.remote = c->remote_ts[m].addr;
			s.protocol = c->local_ts[l].protocol ? c->local_ts[l].protocol
							     : c->remote_ts[m].protocol;
			s.local_port_first = c->local_ts[l].port_first;
			s.local_port_last = c->local_ts[l].port_last;
			s.remote_port_first = c->remote_ts[m].port_first;
			s.remote_port_last = c->remote_ts[m].port_last;
			if (record->out_count == TUNNEL_OUT_MAX || has_selector(record, &s))
				continue;
			record->out[record->out_count].sa = c->out;
			record->out[record->out_count++].selector = s;
		}
	}
}

/* The smallest inner MTU of the SAs in use. */
static void add_mtu(struct tunnel *record, const struct child *c, uint32_t outer_mtu)
{
	uint32_t mtu =
	    mtu_inner(c->sa.encr, c->sa.auth, c->sa.udp_encap, c->sa.remote.addr.family, outer_mtu);

	if (!record->inner_mtu || mtu < record->inner_mtu)
		record->inner_mtu = (uint16_t)mtu;
}

void tunnel_refresh(struct router *r, struct vpn_tunnel *t)
{
	struct tunnel record;
	struct child *c;

	if (t->gone)
		return; /* its number in the boundary is given back */
	memset(&record, 0, sizeof(record));
	record.index = t->model->index;
	record.slot = t->model->slot;
	record.attachment = t->model->attachment;
	record.fib = t->model->fib;
	list_for (c, &t->children, node) {
		if (!c->out)
			continue;
		add_child(&record, c);
		add_mtu(&record, c, path_mtu_outer(t));
	}
	record.any = record.out_count > 0 && selects_all(&record.out[0].selector);
	record.mss_v4 = mtu_tcp_mss(record.inner_mtu, IP_V4);
	record.mss_v6 = mtu_tcp_mss(record.inner_mtu, IP_V6);
	record.state = (uint8_t)eligible_record_state(t, record.out_count > 0);
	tunnel_publish(&r->b->tunnels, &record);
}

/* ---- packets that wait for an on-demand tunnel ---- */

void tunnel_release_held(struct router *r, struct vpn_tunnel *t, bool up)
{
	for (unsigned i = 0; i < t->held_count; i++) {
		pkt_meta(t->held[i])->tunnel = t->model->index;
		if (up)
			host_resume(r, t->held[i], INJECT_TUNNEL);
		else
			rte_pktmbuf_free(t->held[i]);
	}
	if (!up)
		r->held_dropped += t->held_count;
	t->held_count = 0;
}

/*
 * The first packet brings up the whole connection: a second tunnel on demand would never see a packet while the first
 * one is up, and neither share the load (T3) nor stand by (T4).
 */
static void trigger(struct router *r, const struct vpn_tunnel *t, struct mono now)
{
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		const struct vpn_tunnel *other = r->tunnel[i];

		if (other && other->model->conf->connection == t->model->conf->connection &&
		    tunnel_waits_for_traffic(other))
			ike_tunnel_trigger(r->ike, now, i);
	}
}

void tunnel_trap(struct router *r, struct rte_mbuf *m, struct mono now)
{
	struct vpn_tunnel *t = tunnel_at(r, pkt_meta(m)->tunnel);

	if (!t || t->held_count == TRAP_HELD_MAX) {
		rte_pktmbuf_free(m);
		return;
	}
	if (!t->held_count)
		t->held_since = now;
	t->held[t->held_count++] = m;
	if (t->ike_state == IKE_TUNNEL_UP)
		tunnel_release_held(r, t, true);
	else
		trigger(r, t, now);
}

void vpn_tick(struct router *r, struct mono now)
{
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		struct vpn_tunnel *t = r->tunnel[i];

		if (!t)
			continue;
		if (t->held_count && mono_diff(t->held_since, now) >= HOLD_MAX)
			tunnel_release_held(r, t, false);
		path_mtu_tick(r, t, now);
		/* Those that were not followed may be told of again. */
		struct child *c;
		list_for (c, &t->children, node)
			sa_in_follow(c->in, &c->sa.remote.addr, c->sa.remote.port);
	}
}

/* ---- struct ike_ops ---- */

static void op_send(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
    const uint8_t *bytes, size_t len)
{
	host_send_udp(ctx, local, remote, local->port != IKE_PORT, bytes, len);
}

static void op_keepalive(
    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	static const uint8_t keepalive = 0xff; /* RFC 3948 2.3 */

	host_send_udp(ctx, local, remote, false, &keepalive, 1);
}

static uint32_t op_spi_alloc(void *ctx, uint32_t tunnel)
{
	struct router *r = ctx;

	for (unsigned tries = 0; tries < 64; tries++) {
		uint32_t spi = rng_u32(&r->rng);

		if (spi > 255 && sa_spi_reserve(r->b->sas, spi))
			return spi;
	}
	return 0;
}

static void op_spi_free(void *ctx, uint32_t tunnel, uint32_t spi_in)
{
	struct router *r = ctx;

	sa_spi_release(r->b->sas, spi_in);
}

static int op_child_in(void *ctx, uint32_t tunnel, const struct ike_child *sa)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);

	return t ? child_install_in(ctx, t, sa, 0) : -ENOENT;
}

static int op_child_out(void *ctx, uint32_t tunnel, const struct ike_child *sa)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = tunnel_at(r, tunnel);
	struct child *c = t ? child_find(t, sa->spi_in) : NULL;

	if (!c)
		return -ENOENT;
	c->sa.spi_out = sa->spi_out;
	int rc = child_install_out(r, t, c, 0);
	if (rc < 0)
		log_write(LOG_ERROR, LOG, t->model->name, "outbound SA %08x: %s", sa->spi_out,
		    strerror(-rc));
	return rc;
}

static void op_child_remove(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);
	struct child *c = t ? child_find(t, spi_in) : NULL;

	if (!c)
		return;
	if (what == IKE_REMOVE_OUT)
		child_drop_out(ctx, t, c);
	else
		child_free(ctx, t, c);
}

static void op_child_endpoint(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);
	struct child *c = t ? child_find(t, spi_in) : NULL;

	if (!c)
		return;
	c->sa.udp_encap = udp_encap;
	c->sa.local = *local;
	c->sa.remote = *remote;
	int rc = child_move(ctx, t, c);
	if (rc < 0)
		log_write(LOG_ERROR, LOG, t->model->name, "new endpoint of SA %08x: %s",
		    c->sa.spi_out, strerror(-rc));
}

static void op_child_bytes(void *ctx, uint32_t tunnel, uint32_t spi_in, uint64_t bytes)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);
	struct child *c = t ? child_find(t, spi_in) : NULL;

	if (c)
		child_limit_bytes(c, bytes);
}

static void op_child_usage(void *ctx, uint32_t tunnel, uint32_t spi_in, struct ike_usage *out)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);
	struct child *c = t ? child_find(t, spi_in) : NULL;

	*out = (struct ike_usage){{0}, {0}};
	if (!c)
		return;
	/* Workers keep no clock per packet: what was counted since the last question was used since then. */
	struct sa_totals sum;
	struct mono now = mono_now();

	sa_totals_read(&c->in->head, &sum);
	if (sum.packets != c->packets_in) {
		c->packets_in = sum.packets;
		c->last_in = now;
	}
	if (c->out) {
		sa_totals_read(&c->out->head, &sum);
		if (sum.packets != c->packets_out) {
			c->packets_out = sum.packets;
			c->last_out = now;
		}
	}
	out->last_in = c->last_in;
	out->last_out = c->last_out;
}

static void op_tunnel_state(
    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = tunnel_at(r, tunnel);

	if (!t)
		return;
	if (t->ike_state != state)
		t->state_since = mono_now();
	if (state == IKE_TUNNEL_UP && t->ike_state != IKE_TUNNEL_UP) {
		t->ups++;
		t->error_code = IKE_ERROR_NONE;
	}
	t->ike_state = state;
	if (state != IKE_TUNNEL_UP)
		t->path_mtu = 0; /* the next SAs may take another way */
	eligible_sa(r, t, mono_now());
	if (state == IKE_TUNNEL_UP)
		tunnel_release_held(r, t, true);
}

/* Kept for `show tunnels`; the engine has logged it. */
static void op_error(void *ctx, uint32_t tunnel, const struct ike_error *e)
{
	struct vpn_tunnel *t = tunnel_at(ctx, tunnel);

	if (!t)
		return;
	if (e->code == IKE_ERROR_NONE) {
		t->error_code = IKE_ERROR_NONE;
		return;
	}
	struct text text = text_of(t->error_text, sizeof(t->error_text));
	text_addf(&text, "%s", ike_error_name(e->code));
	if (e->field && *e->field)
		text_addf(&text, ": %s", e->field);
	if (e->ours && *e->ours)
		text_addf(&text, ", here: %s", e->ours);
	if (e->theirs && *e->theirs)
		text_addf(&text, ", peer: %s", e->theirs);
	t->error_code = e->code;
	t->error_at = mono_now();
}

const struct ike_ops router_ike_ops = {
    .send = op_send,
    .keepalive = op_keepalive,
    .spi_alloc = op_spi_alloc,
    .spi_free = op_spi_free,
    .child_in = op_child_in,
    .child_out = op_child_out,
    .child_remove = op_child_remove,
    .child_endpoint = op_child_endpoint,
    .child_bytes = op_child_bytes,
    .child_usage = op_child_usage,
    .tunnel_state = op_tunnel_state,
    .error = op_error,
};

/* ---- events of workers ---- */

static struct child *child_of_event(struct vpn_tunnel *t, const struct event *ev)
{
	struct child *c;

	list_for (c, &t->children, node) {
		if (ev->inbound ? c->sa.spi_in == ev->spi : c->sa.spi_out == ev->spi)
			return c;
	}
	return NULL;
}

void tunnel_event(struct router *r, const struct event *ev, struct mono now)
{
	struct vpn_tunnel *t = tunnel_at(r, ev->tunnel);
	struct child *c = t ? child_of_event(t, ev) : NULL;

	if (!c)
		return;
	if (t->model->conf->connection->keying == CONF_KEYING_MANUAL) {
		if ((ev->kind == EVENT_SA_SOFT || ev->kind == EVENT_SA_HARD) && !ev->inbound)
			manual_numbers_want(r, t);
		return;
	}
	switch ((enum event_kind)ev->kind) {
	case EVENT_SA_SOFT:
	case EVENT_SA_HARD:
		ike_child_limit(r->ike, now, ev->tunnel, c->sa.spi_in, ev->kind == EVENT_SA_HARD);
		return;
	case EVENT_BFD_EXPIRED: /* of bfd.c */
		return;
	case EVENT_SA_USED:
		ike_child_used(r->ike, now, ev->tunnel, c->sa.spi_in);
		return;
	case EVENT_SA_MOVED: {
		struct ike_endpoint from = {ev->from, (uint16_t)ev->from_port};

		ike_child_moved(r->ike, now, ev->tunnel, c->sa.spi_in, &from);
		return;
	}
	}
}
