/* SPDX-License-Identifier: BSD-3-Clause */

#include "learned_site.h"

#include <stdio.h>
#include <string.h>

static const char *const names[ENDS] = {
    "c0/1", "c0/2", "c1/1", "c1/2", "c2/1", "c2/2", "l0>10.30.0.2", "l1>10.31.0.2", "l2>10.32.0.2"};

const char *site_end_name(unsigned end)
{
	return names[end];
}

unsigned site_end_of(const char *way)
{
	unsigned i = 0;

	while (i < ENDS && strcmp(names[i], way) != 0)
		i++;
	if (i == ENDS)
		fail_msg("\"%s\" is the way to nobody", way);
	return i;
}

/* First tunnels leave by wan0. */
enum site_port site_port_of(unsigned end)
{
	return end >= TUNNELS ? SITE_LAN1 : end % 2 ? SITE_WAN1 : SITE_WAN0;
}

bool site_is_up(const struct site *site, unsigned end)
{
	return site->end[end].there && site->end[end].state == MODEL_TUNNEL_UP &&
	    site->link[site_port_of(end)];
}

/* ---- peers ---- */

/* Of the speaker; 0 is nobody. */
static unsigned number_of(unsigned end)
{
	return end + 1;
}

static uint32_t id_of(const struct site *site, unsigned end)
{
	return speaker_id(&site->s, number_of(end));
}

static struct bgp_peer_config config_of(const struct site *site, unsigned end)
{
	struct bgp_peer_config c = speaker_config(number_of(end));
	char name[8];

	snprintf(name, sizeof(name), "%.2s", names[end]); /* of its attachment */
	c.view = model_view_of(site->t->m, conf_find_attachment(site->t->conf, name));
	c.has_export = true;
	return c;
}

static void begin(struct site *site, unsigned end, uint32_t id)
{
	struct bgp_peer_config c = config_of(site, end);
	struct far_end *e = &site->end[end];

	site->s.id[number_of(end)] = id;
	e->there = e->session = true;
	e->view = c.view;
	speaker_add(&site->s, number_of(end), &c);
	speaker_establish(&site->s, number_of(end), CAP_REFRESH);
}

/* As the router does: a session whose settings stay is not touched. */
static void follow(struct site *site, unsigned end)
{
	struct bgp_peer_config c = config_of(site, end);

	if (site->end[end].view == c.view)
		return;
	site->end[end].view = c.view;
	assert_int_equal(
	    bgp_peer_update(site->s.engine, site->s.now, id_of(site, end), &c, NULL), 0);
}

static struct model *exporting;

static bool on_export(uint32_t peer, const struct ip_prefix *prefix, const struct bgp_attrs *attrs,
    uint32_t tag, struct bgp_edit *edit)
{
	return model_export(exporting, peer, prefix, attrs, tag, edit);
}

const char *site_told(struct site *site, unsigned end, const char *prefix)
{
	const struct route *r = speaker_route(&site->s, number_of(end), prefix);

	return r ? r->attrs : NULL;
}

static void leave(struct site *site, unsigned end)
{
	bgp_peer_remove(site->s.engine, site->s.now, id_of(site, end));
	speaker_run(&site->s);
	site->end[end] = (struct far_end){.tunnel = NULL};
	site->s.id[number_of(end)] = 0;
}

static unsigned end_of_tunnel(const struct model_tunnel *t)
{
	return (unsigned)(2 * (t->name[1] - '0')) + t->conf->number - 1u;
}

static void find_tunnels(struct site *site, const struct model_tunnel *at[ENDS])
{
	const struct model_tunnel **all;
	unsigned n = model_tunnels(site->t->m, &all);

	for (unsigned i = 0; i < n; i++)
		at[end_of_tunnel(all[i])] = all[i];
}

static void begin_lines(struct site *site)
{
	const struct model_iface **all;
	unsigned n = model_ifaces(site->t->m, &all);

	for (unsigned i = 0; i < n; i++) {
		const struct conf_attachment *a = all[i]->attachment;

		if (!a || a->name[0] != 'l')
			continue;
		unsigned end = TUNNELS + (unsigned)(a->name[1] - '0');

		site->end[end].state = MODEL_TUNNEL_UP; /* as far as its port is */
		begin(site, end, model_peer_of_iface(all[i]));
	}
}

void site_apply_and(struct site *site, const char *yaml, void (*then)(void))
{
	const struct model_tunnel *at[ENDS] = {NULL};

	bench_apply(site->t, yaml);
	find_tunnels(site, at);
	for (unsigned i = 0; i < TUNNELS; i++)
		site->end[i].tunnel = at[i];
	if (then)
		then();
	for (unsigned i = 0; i < TUNNELS; i++) {
		if (site->end[i].there && !at[i])
			leave(site, i);
	}
	for (unsigned i = 0; i < TUNNELS; i++) {
		if (!site->end[i].there && at[i])
			begin(site, i, model_peer_of_tunnel(at[i]));
	}
	for (unsigned i = 0; i < ENDS; i++) {
		if (site->end[i].there)
			follow(site, i);
	}
	model_peers_changed(site->t->m);
}

void site_apply(struct site *site, const char *yaml)
{
	site_apply_and(site, yaml, NULL);
}

void site_settle(struct site *site)
{
	do
		speaker_run(&site->s);
	while (model_learn(site->t->m, UINT32_MAX));
	epoch_reclaim(site->t->b->epoch);
}

void site_setup(struct site *site)
{
	void *bench;

	*site = (struct site){.link = {true, true, true}};
	assert_int_equal(bench_setup(&bench), 0);
	site->t = bench;
	speaker_init(&site->s);
	model_set_bgp(site->t->m, site->s.engine);
	exporting = site->t->m;
	site->s.export = on_export;
	site_apply(site, SITE_ALL);
	begin_lines(site);
	for (unsigned i = 0; i < TUNNELS; i++)
		site_tunnel(site, i, MODEL_TUNNEL_UP);
	model_peers_changed(site->t->m);
}

void site_teardown(struct site *site)
{
	void *bench = site->t;

	bench_teardown(&bench);
	speaker_fini(&site->s);
	log_set_sink(NULL, NULL);
}

/* ---- what happens ---- */

/* ORIGIN, AS path, NEXT_HOP: on a line it matters. */
static const char *attributes_with(
    unsigned end, unsigned length, const char *path, const char *more)
{
	static char hex[512];
	unsigned hop = 0x0a000000 + number_of(end);

	if (end >= TUNNELS)
		hop = 0x0a1e0002 + ((end - TUNNELS) << 16);
	snprintf(hex, sizeof(hex), "400101 00 4002%02x 02%02x %s 400304 %08x %s", 2 + 4 * length,
	    length, path, hop, more);
	return hex;
}

static const char *attributes(unsigned end, unsigned length)
{
	char path[16 * LENGTH_MAX + 1] = "";

	for (unsigned k = 0; k < length; k++)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), " %08x",
		    PEER_AS(number_of(end)));
	return attributes_with(end, length, path, "");
}

void site_announce_hex(struct site *site, unsigned end, const char *nlri, unsigned length)
{
	if (length)
		speaker_update(&site->s, number_of(end), "", attributes(end, length), nlri);
	else
		speaker_update(&site->s, number_of(end), nlri, "", "");
}

void site_announce(struct site *site, unsigned end, unsigned prefix, unsigned length)
{
	char nlri[16];

	snprintf(nlri, sizeof(nlri), "18 ac10%02x", prefix);
	if (!site->end[end].session)
		return;
	site_announce_hex(site, end, nlri, length);
	site->end[end].length[prefix] = length;
}

void site_announce_with(
    struct site *site, unsigned end, unsigned prefix, const char *path, const char *more)
{
	unsigned length = 0;
	char nlri[16];

	for (const char *c = path; *c; c++)
		length += *c != ' ';
	snprintf(nlri, sizeof(nlri), "18 ac10%02x", prefix);
	speaker_update(
	    &site->s, number_of(end), "", attributes_with(end, length / 8, path, more), nlri);
	site->end[end].length[prefix] = length / 8;
}

void site_session(struct site *site, unsigned end, bool up)
{
	struct far_end *e = &site->end[end];
	uint32_t id = id_of(site, end);

	if (!e->there || e->session == up)
		return;
	e->session = up;
	if (up) {
		bgp_peer_start(site->s.engine, site->s.now, id);
		speaker_run(&site->s);
		speaker_establish(&site->s, number_of(end), CAP_REFRESH);
		return;
	}
	bgp_peer_stop(site->s.engine, site->s.now, id, BGP_CEASE_SHUTDOWN, NULL);
	memset(e->length, 0, sizeof(e->length));
}

void site_link(struct site *site, enum site_port port, bool up)
{
	static const char *const name[SITE_PORTS] = {"wan0", "wan1", "lan1"};
	static const unsigned index[SITE_PORTS] = {0, 1, 3};

	site->link[port] = up;
	atomic_store(&site->t->port[index[port]].link_up, up);
	bench_link(site->t, name[port], up);
}

void site_tunnel(struct site *site, unsigned end, enum model_tunnel_state state)
{
	site->end[end].state = state;
	model_tunnel_set(site->t->m, site->end[end].tunnel->index, state);
}
