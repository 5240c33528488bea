/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Policers of attachments and tunnels (M3): made from the configuration, and tied to the ledger slots by which workers
 * find them. A tunnel's packets meet its own policer, then that of its attachment, which all its tunnels share. One whose
 * rate and burst stay keeps its bucket and its counts, whatever else changes.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/internal.h"

struct replaced { /* to be freed once no slot names them */
	struct policer **policer;
	unsigned count;
};

static struct policer_spec spec_of(const struct conf_policer *conf)
{
	return (struct policer_spec){
	    .bits_per_second = conf->cir,
	    .burst_bytes = conf->cbs,
	    .packets_per_second = conf->packet_rate,
	    .burst_packets = conf->packet_burst,
	};
}

static void follow(struct model *m, struct policer **have, const struct conf_policer *conf,
    struct replaced *replaced)
{
	const struct policer_spec spec = spec_of(conf);

	if (*have && conf->enabled && memcmp(&(*have)->spec, &spec, sizeof(spec)) == 0)
		return;
	if (*have) {
		replaced->policer =
		    xrealloc(replaced->policer, (replaced->count + 1) * sizeof(*replaced->policer));
		replaced->policer[replaced->count++] = *have;
	}
	*have = conf->enabled ? policer_create(&spec, m->b->workers) : NULL;
}

/* First that of the tunnel, which may be NULL, then that of the attachment. */
static void list_policers(
    struct policer *list[POLICERS_OF_SLOT], struct policer *tunnel, struct policer *attach)
{
	list[0] = tunnel ? tunnel : attach;
	list[1] = tunnel ? attach : NULL;
}

static void tie(struct model *m, uint16_t slot, const struct policer_pair *tunnel,
    const struct policer_pair *attach)
{
	static const struct policer_pair none;
	const struct policing *now = policing_of(&m->b->policings, slot);
	struct policing next = {0};

	tunnel = tunnel ? tunnel : &none;
	attach = attach ? attach : &none;
	list_policers(next.in, tunnel->in, attach->in);
	list_policers(next.out, tunnel->out, attach->out);
	if (!now || memcmp(now, &next, sizeof(next)) != 0)
		policing_publish(&m->b->policings, slot, &next);
}

void policers_commit(struct model *m)
{
	struct replaced replaced = {0};
	struct tunnel_entry *t;
	struct iface_entry *i;
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (!a->seen)
			continue;
		follow(m, &a->policer.in, &a->conf->ingress_policer, &replaced);
		follow(m, &a->policer.out, &a->conf->egress_policer, &replaced);
	}
	list_for (t, &m->tunnels, node) {
		if (!t->seen)
			continue;
		follow(m, &t->policer.in, &t->pub.conf->ingress_policer, &replaced);
		follow(m, &t->policer.out, &t->pub.conf->egress_policer, &replaced);
		tie(m, t->pub.slot, &t->policer, t->attach ? &t->attach->policer : NULL);
	}
	list_for (i, &m->ifaces, node) {
		if (i->seen && i->attach)
			tie(m, i->pub.slot, NULL, &i->attach->policer);
	}
	for (unsigned k = 0; k < replaced.count; k++)
		policer_retire(&m->b->policings, replaced.policer[k]);
	free(replaced.policer);
}

void policers_leave(struct model *m, struct policer_pair *pair)
{
	policer_retire(&m->b->policings, pair->in);
	policer_retire(&m->b->policings, pair->out);
	*pair = (struct policer_pair){0};
}

/* ---- show ---- */

/* Behind index `gate` of those of a tunnel, or of an attachment's interface. */
static const char *object_at(
    const struct policer_gate *gate, const struct tunnel_entry *t, const struct attach *a)
{
	bool own = t && (gate->out ? t->policer.out : t->policer.in);

	return own && gate->index == 0 ? t->name : a ? a->name : NULL;
}

static const char *object_of(const struct model *m, const struct policer_gate *gate)
{
	struct tunnel_entry *t;
	struct iface_entry *i;

	list_for (t, &m->tunnels, node) {
		if (t->pub.slot == gate->slot)
			return object_at(gate, t, t->attach);
	}
	list_for (i, &m->ifaces, node) {
		if (i->pub.slot == gate->slot)
			return object_at(gate, NULL, i->attach);
	}
	return NULL;
}

const char *model_policer_name(
    const struct model *m, const struct policer_gate *gate, char *out, size_t size)
{
	const char *object = object_of(m, gate);

	if (!object)
		return "?";
	snprintf(out, size, "%s %s", object, gate->out ? "egress" : "ingress");
	return out;
}

/* "8000000 bit/s, bursts of 100000 bytes; 500 packets/s, bursts of 50" */
static const char *limit_text(const struct policer *p, char *out, size_t size)
{
	struct text text = text_of(out, size);

	if (p->spec.bits_per_second)
		text_addf(&text, "%llu bit/s, bursts of %llu bytes",
		    (unsigned long long)p->spec.bits_per_second,
		    (unsigned long long)p->spec.burst_bytes);
	if (p->spec.packets_per_second)
		text_addf(&text, "%s%llu packets/s, bursts of %llu", text.len ? "; " : "",
		    (unsigned long long)p->spec.packets_per_second,
		    (unsigned long long)p->spec.burst_packets);
	return out;
}

static void add_row(json_t *rows, const char *object, const char *kind, const char *direction,
    const struct policer *p)
{
	struct policer_share sum;
	char name[192], limit[128];

	if (!p)
		return;
	policer_read(p, &sum);
	snprintf(name, sizeof(name), "%s %s", object, direction);
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "object", object, "kind",
	    kind, "direction", direction, "limit", limit_text(p, limit, sizeof(limit)));
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
	    {"cir", p->spec.bits_per_second},
	    {"cbs", p->spec.burst_bytes},
	    {"packet-rate", p->spec.packets_per_second},
	    {"packet-burst", p->spec.burst_packets},
	    {"passed-packets", sum.passed},
	    {"passed-bytes", sum.passed_bytes},
	    {"dropped-packets", sum.dropped},
	    {"dropped-bytes", sum.dropped_bytes},
	};
	for (unsigned i = 0; i < RTE_DIM(numbers); i++)
		json_object_set_new(
		    row, numbers[i].key, json_integer((json_int_t)numbers[i].value));
	json_array_append_new(rows, row);
}

struct json_t *model_show_policers(const struct model *m)
{
	json_t *rows = json_array();
	struct tunnel_entry *t;
	struct attach *a;

	list_for (a, &m->attachments, node) {
		add_row(rows, a->name, "attachment", "ingress", a->policer.in);
		add_row(rows, a->name, "attachment", "egress", a->policer.out);
	}
	list_for (t, &m->tunnels, node) {
		add_row(rows, t->name, "tunnel", "ingress", t->policer.in);
		add_row(rows, t->name, "tunnel", "egress", t->policer.out);
	}
	return rows;
}

/* ---- explain ---- */

static void explain_one(
    json_t *rows, const char *object, const char *direction, const struct policer *p)
{
	struct policer_share sum;
	char name[192], limit[128];

	if (!p)
		return;
	policer_read(p, &sum);
	snprintf(name, sizeof(name), "%s %s", object, direction);
	json_array_append_new(rows,
	    json_pack("{s:s, s:s, s:I}", "policer", name, "limit",
		limit_text(p, limit, sizeof(limit)), "dropped-packets", (json_int_t)sum.dropped));
}

struct json_t *policers_explain(const struct model *m, const struct attach *from,
    const struct attach *to, const struct tunnel_entry *out)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < from->tunnel_count; i++)
		explain_one(rows, from->tunnel[i]->name, "ingress", from->tunnel[i]->policer.in);
	explain_one(rows, from->name, "ingress", from->policer.in);
	if (out)
		explain_one(rows, out->name, "egress", out->policer.out);
	if (to)
		explain_one(rows, to->name, "egress", to->policer.out);
	return rows;
}
