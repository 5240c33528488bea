/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An explanation in full: beside what was decided, every candidate of every prefix around the
 * destination, configured or learned, with the reason it lost, the policies that were asked, and the state of the
 * way out. Learned ones are gathered and chosen from anew, as they are when their routes change.
 */

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mtu.h"
#include "base/text.h"
#include "boundary/decide.h"
#include "model/explain.h"
#include "model/internal.h"

/* What the walk needs to know of the model beside the verdict. */
struct view {
	struct model *m;
	const struct model_flow *flow;
	const struct model_verdict *v;
	const struct attach *who; /* ingress */
	struct table *table;
	struct ip_prefix prefix; /* the longest one that leads anywhere */
	const struct path *path; /* of that; NULL: none does */
};

static const struct attach *attach_named(const struct model *m, const char *name)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, name) == 0)
			return a;
	}
	return NULL;
}

static struct table *table_with(const struct model *m, const struct fib *fib)
{
	struct table *t;

	list_for (t, &m->tables, node) {
		if (fib && t->fib == fib)
			return t;
	}
	return NULL;
}

/* ---- candidates ---- */

/* Those of exactly that prefix, and where it leads; NULL: nowhere. For gathered_done(). */
static struct gathered *candidates_of(
    const struct view *x, const struct ip_prefix *prefix, const struct path **path)
{
	struct model *m = x->m;
	const struct route *r = rib_find(&x->table->now, prefix);
	const struct bgp_change change = {.prefix = *prefix};
	struct gathered *g = gather(
	    m, x->table, r ? &x->table->now.candidate[r->first] : NULL, r ? r->count : 0, &change);
	uint32_t tag;

	if (g->learned)
		select_winners(g->candidate, g->count, m->conf->transit_router.limits.ecmp);
	*path = r ? r->path : NULL;
	if (!r && m->bgp && bgp_view_find(m->bgp, x->table->fib->index, prefix, &tag, NULL))
		*path = path_of_index(m, tag);
	return g;
}

static const char *why_lost(const struct candidate *c, bool decides)
{
	if (c->lost == LOST_POLICY || c->lost == LOST_UNRESOLVED || decides)
		return c->lost == LOST_NOT ? NULL : candidate_why_lost(c);
	return "a longer prefix matches";
}

static json_t *candidate_row(const struct candidate *c, bool decides)
{
	char prefix[IP_PREFIX_TEXT_MAX], hop[IP_TEXT_MAX];
	const char *lost = why_lost(c, decides);
	json_t *row = json_pack("{s:s, s:s, s:s?, s:s?, s:i, s:b, s:s?}", "prefix",
	    ip_prefix_text(&c->prefix, prefix), "type",
	    c->blackhole ? "blackhole" : source_text(c->source), "attachment",
	    c->origin ? c->origin->name : NULL, "state",
	    !c->origin              ? NULL
		: c->origin->usable ? "up"
				    : "down",
	    "preference", (int)c->preference, "used", !lost, "not-used-because", lost);

	if (c->tunnel)
		json_object_set_new(row, "tunnel", json_string(c->tunnel->name));
	if (ip_is_set(&c->next_hop))
		json_object_set_new(row, "next-hop", json_string(ip_text(&c->next_hop, hop)));
	if (c->lost == LOST_POLICY)
		json_object_set_new(row, "policy", json_integer(c->policy));
	if (c->attrs)
		candidate_attributes(row, c);
	return row;
}

/* From the longest prefix to the shortest. */
static json_t *candidates(struct view *x)
{
	json_t *rows = json_array();

	for (int len = (int)ip_bytes(x->flow->dst.family) * 8; x->table && len >= 0; len--) {
		const struct ip_prefix prefix = ip_prefix_of(&x->flow->dst, (uint8_t)len);
		const struct path *path;
		struct gathered *g = candidates_of(x, &prefix, &path);
		bool decides = !x->path && path;

		if (decides) {
			x->prefix = prefix;
			x->path = path;
		}
		for (unsigned i = 0; i < g->count; i++)
			json_array_append_new(rows, candidate_row(&g->candidate[i], decides));
		gathered_done(x->m, g);
	}
	return rows;
}

/* ---- policies ---- */

static json_t *policy_row(
    const char *direction, const struct candidate *c, const struct policy_answer *answer)
{
	json_t *row = json_pack("{s:s, s:s, s:s}", "direction", direction, "route-of",
	    c->origin->name, "action", answer->permit ? "permit" : "deny");

	if (!answer->priority) {
		json_object_set_new(row, "policy", json_string("none matches"));
		return row;
	}
	json_object_set_new(row, "policy", json_integer(answer->priority));
	if (answer->priority == POLICY_BUILT_IN)
		json_object_set_new(row, "meaning",
		    json_string("built-in: VPN, VBR and CCN attachments do not use routes of one "
				"another; a policy of a lower number opens it"));
	else if (answer->policy && answer->policy->source.line)
		json_object_set_new(row, "line", json_integer(answer->policy->source.line));
	return row;
}

static bool asked_on_entry(const struct candidate *c)
{
	return c->source == SOURCE_CONNECTED || c->source == SOURCE_ATTACHED ||
	    c->source == SOURCE_FLOW || c->source == SOURCE_BGP;
}

/* What was answered then: by now the policy may have changed the attributes that it was asked about. */
static struct policy_answer answer_on_entry(const struct table *t, const struct candidate *c)
{
	if (c->lost == LOST_POLICY)
		return (struct policy_answer){false, c->policy, t->policy[CONF_INGRESS][c->policy]};
	return (struct policy_answer){
	    true, (uint16_t)(c->ingress ? c->ingress->priority : 0), c->ingress};
}

/* Of the candidates of the route that decides. */
static json_t *policies(const struct view *x)
{
	json_t *rows = json_array();
	const struct path *path;
	struct gathered *g = x->path ? candidates_of(x, &x->prefix, &path) : NULL;

	for (unsigned i = 0; g && i < g->count; i++) {
		const struct candidate *c = &g->candidate[i];

		if (!c->origin)
			continue;
		if (asked_on_entry(c)) {
			const struct policy_answer in = answer_on_entry(x->table, c);

			json_array_append_new(rows, policy_row("ingress", c, &in));
		}
		if (c->lost != LOST_NOT)
			continue;
		const struct policy_set set = policy_set_of(x->m, x->table, c);
		const struct policy_answer out = policy_egress(x->table, &set, x->who);
		json_array_append_new(rows, policy_row("egress", c, &out));
	}
	if (g)
		gathered_done(x->m, g);
	return rows;
}

/* ---- the way out ---- */

static const char *name_of_leaf(const struct model *m, const struct nexthop *leaf)
{
	struct iface_entry *i;
	struct tunnel_entry *t;

	if (leaf->kind == NH_TUNNEL) {
		list_for (t, &m->tunnels, node) {
			if (t->pub.index == leaf->tunnel)
				return t->name;
		}
	}
	list_for (i, &m->ifaces, node) {
		if (i->pub.index == leaf->iface)
			return i->attach ? i->attach->name : i->pub.port->name;
	}
	return "?";
}

static json_t *members(const struct view *x)
{
	json_t *rows = json_array();
	const struct path *p = x->path->carrier; /* a backup, where the route's own are dead */

	for (unsigned i = 0; i < p->member_count; i++) {
		const struct nexthop *leaf = nexthop_get(&x->m->b->nexthops, p->member[i].leaf);
		unsigned buckets = 0;

		if (!p->member[i].origin)
			continue;
		for (unsigned b = 0; x->v->grouped && b < ECMP_BUCKETS; b++)
			buckets += x->v->nh->bucket[b] == p->member[i].leaf;
		json_array_append_new(rows,
		    json_pack("{s:s, s:b, s:i, s:b}", "member",
			leaf ? name_of_leaf(x->m, leaf) : "?", "carries", p->member[i].alive,
			"buckets", (int)buckets, "chosen", x->v->leaf && leaf == x->v->leaf));
	}
	return rows;
}

static json_t *sa_of(const struct model_verdict *v)
{
	char spi[12], peer[IP_TEXT_MAX];
	const struct sa_cold *cold = v->sa ? v->sa->head.cold : NULL;

	if (!cold)
		return json_null();
	snprintf(spi, sizeof(spi), "%08x", cold->spi);
	return json_pack("{s:s, s:s, s:s, s:b}", "spi-out", spi, "algorithm",
	    alg_encr(cold->encr)->name, "peer", ip_text(&cold->remote, peer), "nat-traversal",
	    cold->natt);
}

static void set_mtu(json_t *out, const struct view *x)
{
	const struct model_verdict *v = x->v;
	char line[256];
	struct text text = text_of(line, sizeof(line));

	if (!v->mtu)
		return;
	json_object_set_new(out, "mtu", json_integer(v->mtu));
	if (x->flow->bytes)
		text_addf(&text, "%u bytes %s", x->flow->bytes,
		    v->too_big ? "do not fit: fragmented; with DF dropped as mtu-exceeded, and the "
				 "source is told the MTU"
			       : "fit");
	else
		text_addf(&text, "packets of up to %u bytes fit; TCP learns an MSS of %u", v->mtu,
		    v->tunnel ? v->tunnel->mss_v4 : mtu_tcp_mss(v->mtu, IP_V4));
	json_object_set_new(out, "mtu-verdict", json_string(line));
}

/* What goes on is held to the rates of these. */
static void set_policers(json_t *out, const struct view *x)
{
	const struct nexthop *leaf = x->v->leaf;
	const bool goes_on = x->v->fate == FATE_SENT || x->v->fate == FATE_HELD;
	json_t *rows;

	if (!goes_on || !leaf || leaf->attachment >= x->m->attach_numbers)
		return;
	rows = policers_explain(x->m, x->who, x->m->attach_of_number[leaf->attachment],
	    leaf->kind == NH_TUNNEL ? x->m->tunnel_at[leaf->tunnel] : NULL);
	if (json_array_size(rows) > 0)
		json_object_set(out, "policers", rows);
	json_decref(rows);
}

static void set_verdict(json_t *out, const struct view *x)
{
	static const char *const fates[] = {
	    [FATE_DROPPED] = "dropped",
	    [FATE_LOCAL] = "for the router itself",
	    [FATE_SENT] = "sent",
	    [FATE_HELD] = "held",
	};
	const struct model_verdict *v = x->v;

	json_object_set_new(out, "verdict", json_string(fates[v->fate]));
	if (v->fate == FATE_DROPPED) {
		json_object_set_new(out, "reason", json_string(drop_reason_name(v->drop)));
		json_object_set_new(out, "because", json_string(drop_reason_help(v->drop)));
	} else if (v->fate == FATE_HELD) {
		json_object_set_new(out, "because",
		    json_string(v->tunnel && !v->sa
			    ? "the tunnel negotiates on demand; the packet waits for it"
			    : "the layer-2 address of the neighbour is asked for"));
	}
}

static void set_way_out(json_t *out, const struct view *x)
{
	const struct model_verdict *v = x->v;
	char addr[IP_TEXT_MAX], mac[24];

	if (v->grouped) {
		json_object_set_new(out, "hash", json_integer(v->hash));
		json_object_set_new(out, "bucket", json_integer(v->bucket));
	}
	if (x->path && x->path->kind == NH_GROUP)
		json_object_set_new(out, "members", members(x));
	if (v->tunnel || v->iface)
		json_object_set_new(out, "out", json_string(name_of_leaf(x->m, v->leaf)));
	if (v->tunnel && v->iface)
		json_object_set_new(
		    out, "uplink", json_string(x->m->b->port[v->iface->port]->name));
	if (v->neigh) {
		const uint8_t *b = v->neigh->l2_v4;

		json_object_set_new(out, "neighbor", json_string(ip_text(&v->neigh->addr, addr)));
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
		    b[4], b[5]);
		if (v->neigh->state == NEIGH_READY)
			json_object_set_new(out, "neighbor-mac", json_string(mac));
	}
	if (v->tunnel)
		json_object_set_new(out, "sa", sa_of(v));
	set_mtu(out, x);
}

struct json_t *model_explain_json(struct model *m, const struct model_flow *flow)
{
	struct model_verdict v;
	int rc = model_explain(m, flow, &v);
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX], prefix[IP_PREFIX_TEXT_MAX];

	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	struct view x = {.m = m,
	    .flow = flow,
	    .v = &v,
	    .who = attach_named(m, flow->from),
	    .table = table_with(m, v.fib)};
	json_t *rows = candidates(&x);
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s?, s:s?}", "from",
	    x.who->name, "kind", conf_kind_name(x.who->conf->kind), "source",
	    ip_text(&flow->src, src), "destination", ip_text(&flow->dst, dst), "protocol",
	    flow->protocol, "source-port", flow->src_port, "destination-port", flow->dst_port,
	    "table", x.table ? x.table->name : NULL, "prefix",
	    x.path ? ip_prefix_text(&x.prefix, prefix) : NULL);

	set_verdict(out, &x);
	set_way_out(out, &x);
	set_policers(out, &x);
	json_object_set_new(out, "candidates", rows);
	json_object_set_new(out, "policies", policies(&x));
	return out;
}
