/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Metering of attachments (M1): how long, how much payload each way, and for VPN attachments how much of it as ESP,
 * over which kind of gateway. Payload is read off the ledger. ESP bytes are counted by SAs, which come and go: what an
 * SA has counted is added up when it is removed, once no worker can count on it any more.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/change/apply.h"
#include "router/show/show.h"

struct meter { /* of an attachment, by name */
	struct list node;
	char *name;
	struct mono since;
	struct esp {
		uint64_t in, out; /* bytes with outer header */
		uint64_t payload_out;
	} gone;        /* of SAs that have gone */
	unsigned refs; /* the list, and SAs on their way out */
	bool seen;
};

struct leaving { /* an SA */
	struct meter *meter;
	const struct sa_head *sa;
};

static void meter_unref(struct meter *m)
{
	if (--m->refs)
		return;
	free(m->name);
	free(m);
}

static struct meter *meter_named(const struct router *r, const char *name)
{
	return names_get(&r->meter_names, name);
}

static void meters_named_anew(struct router *r)
{
	struct meter *m;

	names_fini(&r->meter_names);
	list_for (m, &r->meters, node)
		names_put(&r->meter_names, m->name, m);
}

static void add_sa(const struct sa_head *sa, struct esp *out)
{
	struct sa_totals sum;

	sa_totals_read(sa, &sum);
	if (sa->cold->inbound) {
		out->in += sum.outer_bytes;
		return;
	}
	out->out += sum.outer_bytes;
	out->payload_out += sum.bytes;
}

/* A grace period has passed since the SA was out of sight, and it is freed only behind this. */
static void collect(void *ptr)
{
	struct leaving *l = ptr;

	add_sa(l->sa, &l->meter->gone);
	meter_unref(l->meter);
	free(l);
}

void meter_sa_leaves(struct router *r, const struct vpn_tunnel *t, const struct sa_head *sa)
{
	const struct conf_attachment *a = t->model->conf->connection->attachment;
	struct meter *m = a ? meter_named(r, a->name) : NULL;
	struct leaving *l;

	if (!m)
		return;
	l = xmalloc(sizeof(*l));
	*l = (struct leaving){m, sa};
	m->refs++;
	epoch_retire(r->b->epoch, collect, l);
}

/* ---- configuration ---- */

void meter_apply(struct router *r, struct mono now)
{
	struct meter *m, *next;

	list_for (m, &r->meters, node)
		m->seen = false;
	for (unsigned i = 0; i < r->conf->attachments_count; i++) {
		m = meter_named(r, r->conf->attachments[i]->name);
		if (!m) {
			m = xcalloc(1, sizeof(*m));
			m->name = xstrdup(r->conf->attachments[i]->name);
			m->since = now;
			m->refs = 1;
			list_append(&r->meters, &m->node);
		}
		m->seen = true;
	}
	list_for_safe (m, next, &r->meters, node) {
		if (m->seen)
			continue;
		list_remove(&m->node);
		meter_unref(m);
	}
	meters_named_anew(r);
}

static void enter(struct apply *a, void *own)
{
	meter_apply(a->r, a->now);
}

const struct apply_part apply_meter = {.enter = enter};

void meter_fini(struct router *r)
{
	struct meter *m, *next;

	list_for_safe (m, next, &r->meters, node) {
		list_remove(&m->node);
		meter_unref(m);
	}
	names_fini(&r->meter_names);
}

/* ---- show ---- */

struct sum {
	uint64_t packets_in, bytes_in, packets_out, bytes_out;
	struct esp esp;
};

static void add_slot(struct router *r, uint16_t slot, struct sum *sum)
{
	struct slot_counters c;

	slot_read(&r->b->counters, slot, &c);
	sum->packets_in += c.received;
	sum->bytes_in += c.received_bytes;
	sum->packets_out += c.sent;
	sum->bytes_out += c.sent_bytes;
}

static void add_tunnel(struct router *r, const struct vpn_tunnel *t, struct sum *sum)
{
	struct child *c;

	add_slot(r, t->model->slot, sum);
	list_for (c, &t->children, node) {
		add_sa(&c->in->head, &sum->esp);
		if (c->out)
			add_sa(&c->out->head, &sum->esp);
	}
}

static void add_up(struct router *r, const struct conf_attachment *a, struct sum *sum)
{
	const struct model_iface **ifaces;
	unsigned count = model_ifaces(r->model, &ifaces);

	for (unsigned i = 0; i < count; i++) {
		if (ifaces[i]->attachment == a)
			add_slot(r, ifaces[i]->slot, sum);
	}
	for (uint32_t i = 0; a->connection && i < r->tunnel_capacity; i++) {
		if (r->tunnel[i] && r->tunnel[i]->model->conf->connection == a->connection)
			add_tunnel(r, r->tunnel[i], sum);
	}
}

static json_t *row_of(struct router *r, const struct conf_attachment *a, const struct meter *m)
{
	struct sum s = {.esp = m->gone};
	double seconds = (double)mono_diff(m->since, mono_now()) / 1e9;

	add_up(r, a, &s);
	if (a->connection) /* the ledger has what a tunnel sends as ESP */
		s.bytes_out = s.esp.payload_out;
	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "name", a->name,
	    "kind", conf_kind_name(a->kind), "path",
	    a->connection && a->connection->gateway_type == CONF_GATEWAY_PUBLIC ? "public"
										: "private",
	    "seconds", seconds, "hours", seconds / 3600, "received-packets",
	    (json_int_t)s.packets_in, "received-bytes", (json_int_t)s.bytes_in, "sent-packets",
	    (json_int_t)s.packets_out, "sent-bytes", (json_int_t)s.bytes_out,
	    "encrypted-received-bytes", (json_int_t)s.esp.in, "encrypted-sent-bytes",
	    (json_int_t)s.esp.out);
}

static json_t *show_metering(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	json_t *rows = json_array();

	for (unsigned i = 0; i < r->conf->attachments_count; i++) {
		const struct meter *m = meter_named(r, r->conf->attachments[i]->name);

		if (m)
			json_array_append_new(rows, row_of(r, r->conf->attachments[i], m));
	}
	return rows;
}

static const struct api_command command = {"show metering", NULL, API_SHOW, show_metering,
    "per attachment: hours, packets and bytes each way, payload and encrypted"};

int show_metering_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
