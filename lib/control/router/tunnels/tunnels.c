/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Tunnels come and go: what the model numbered is given to the IKE engine, or keyed by hand, and taken from it.
 *
 * A tunnel that goes tells its peer. Its Delete leaves when the model has forgotten it already, so the way of its
 * outer packets is kept for a while (struct farewell).
 */

#include "router/tunnels/tunnels.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define LOG "tunnel"

#define FAREWELL_MAX DUR_S(10)

/* ---- ways of goodbyes ---- */

void farewell_keep(struct router *r, const struct conf_tunnel *t, struct mono now)
{
	struct farewell *f = &r->farewell[r->farewell_next];
	uint32_t leaf =
	    model_underlay(r->model, &t->gateway_address, &t->customer_gateway->address);
	const struct nexthop *nh = leaf ? nexthop_get(&r->b->nexthops, leaf) : NULL;

	if (!nh)
		return;
	*f = (struct farewell){t->gateway_address, t->customer_gateway->address, leaf, nh->iface,
	    mono_add(now, FAREWELL_MAX)};
	r->farewell_next = (r->farewell_next + 1) % FAREWELLS_MAX;
}

uint32_t farewell_leaf(
    const struct router *r, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct mono now = mono_now();

	for (unsigned i = 0; i < FAREWELLS_MAX; i++) {
		const struct farewell *f = &r->farewell[i];
		const struct nexthop *nh;

		if (!f->leaf || mono_before(f->until, now) || !ip_eq(&f->local, local) ||
		    !ip_eq(&f->remote, remote))
			continue;
		/* The interface may have gone, and its leaf been given away. */
		nh = nexthop_get(&r->b->nexthops, f->leaf);
		if (nh && nh->iface == f->iface && iface_get(&r->b->ifaces, f->iface) &&
		    (nh->kind == NH_VIA || nh->kind == NH_CONNECTED))
			return f->leaf;
	}
	return 0;
}

/* ---- keys ---- */

int tunnel_psk(struct router *r, const struct conf *conf, const struct conf_tunnel *t,
    char out[CONF_PSK_MAX + 1])
{
	text_copy(out, CONF_PSK_MAX + 1, t->psk);
	return t->psk_absent
	    ? psk_load_or_make(conf->system.state_dir, t->connection->name, t->number, &r->rng, out)
	    : 0;
}

/* ---- coming ---- */

static bool is_manual(const struct vpn_tunnel *t)
{
	return t->model->conf->connection->keying == CONF_KEYING_MANUAL;
}

typedef int give_fn(struct ike_engine *engine, struct mono now, uint32_t tunnel,
    const struct ike_tunnel_config *config, const char **why);

/* One tunnel that cannot work does not stop the others: 0 then too, after a log line. */
static int give(
    struct router *r, struct vpn_tunnel *t, const char *psk, give_fn *fn, struct mono now)
{
	struct ike_tunnel_config config;
	struct ip_prefix any;
	const char *why = NULL;

	tunnel_conf_ike(t->model->conf, &config, &any);
	config.psk = (const uint8_t *)psk;
	config.psk_len = strlen(psk);
	int rc = fn(r->ike, now, t->model->index, &config, &why);
	if (rc < 0)
		log_write(LOG_ERROR, LOG, t->model->name, "%s%s", why ? why : strerror(-rc),
		    why ? ": the tunnel stays down" : "");
	return why ? 0 : rc;
}

int tunnel_update(struct router *r, struct vpn_tunnel *t, const char *psk, struct mono now)
{
	return give(r, t, psk, ike_tunnel_update, now);
}

static void make_room(struct router *r, uint32_t index)
{
	if (index < r->tunnel_capacity)
		return;
	uint32_t capacity = RTE_MAX(index + 1, 2 * r->tunnel_capacity);
	r->tunnel = xrealloc(r->tunnel, capacity * sizeof(*r->tunnel));
	memset(r->tunnel + r->tunnel_capacity, 0,
	    (capacity - r->tunnel_capacity) * sizeof(*r->tunnel));
	r->tunnel_capacity = capacity;
}

int tunnel_start(struct router *r, const struct model_tunnel *m, const char *psk, struct mono now)
{
	struct vpn_tunnel *t = xcalloc(1, sizeof(*t));

	t->model = m;
	list_init(&t->children);
	t->state_since = now;
	make_room(r, m->index);
	r->tunnel[m->index] = t;
	eligible_update(r, t);
	if (is_manual(t))
		return manual_install(r, t, 0, 0);
	return give(r, t, psk, ike_tunnel_add, now);
}

/* ---- going ---- */

void tunnel_close(struct router *r, struct vpn_tunnel *t, struct mono now)
{
	struct child *c, *next;

	health_sa(r->health, now, t->model->index, false);
	ike_tunnel_remove(r->ike, now, t->model->index); /* not of one that is keyed by hand */
	list_for_safe (c, next, &t->children, node)
		child_free(r, t, c);
	t->ike_state = IKE_TUNNEL_DOWN;
	bfd_tunnel(r, t, now);
}

void tunnel_stop(struct router *r, struct vpn_tunnel *t, struct mono now)
{
	uint32_t index = t->model->index;

	tunnel_release_held(r, t, false);
	tunnel_close(r, t, now);
	health_remove(r->health, index);
	bfd_tunnel_gone(r, t);
	r->tunnel[index] = NULL;
	free(t);
}

/* ---- all of them, at start and at the end ---- */

int vpn_init(struct router *r)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(r->model, &all);
	char psk[CONF_PSK_MAX + 1];
	struct mono now = mono_now();
	int rc = 0;

	manual_numbers_init(r);
	for (unsigned i = 0; i < count && rc == 0; i++) {
		rc = tunnel_psk(r, r->conf, all[i]->conf, psk);
		if (rc < 0)
			log_write(LOG_ERROR, LOG, all[i]->name, "pre-shared key in %s: %s",
			    r->conf->system.state_dir, strerror(-rc));
		else
			rc = tunnel_start(r, all[i], psk, now);
	}
	secret_wipe(psk, sizeof(psk));
	return rc;
}

void vpn_fini(struct router *r)
{
	struct child *c, *next;

	manual_numbers_fini(r);
	for (uint32_t i = 0; i < r->tunnel_capacity; i++) {
		struct vpn_tunnel *t = r->tunnel[i];

		if (!t)
			continue;
		tunnel_release_held(r, t, false);
		list_for_safe (c, next, &t->children, node)
			child_free(r, t, c);
		free(t);
		r->tunnel[i] = NULL;
	}
	free(r->tunnel);
	r->tunnel = NULL;
	r->tunnel_capacity = 0;
}
