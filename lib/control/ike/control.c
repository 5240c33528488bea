/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Commands and events from outside about one tunnel, or about all: the entry points of ike.h but
 * ike_receive() and ike_run().
 */

#include <errno.h>

#include "ike/child.h"
#include "ike/sa.h"

int ike_tunnel_add(struct ike_engine *e, struct mono now, uint32_t id,
    const struct ike_tunnel_config *config, const char **why)
{
	int err = ike_config_check(config, why);

	if (err)
		return err;
	if (ike_engine_find_tunnel(e, id))
		return -EEXIST;
	e->now = now;
	ike_tunnel_new(e, id, config);
	ike_engine_settle(e);
	return 0;
}

/* Closes one IKE SA with the operator's will behind it. `hurry`: do not wait for the request under way. */
static void close_sa(struct ike_sa *sa, bool hurry)
{
	struct ike_child_sa *c, *next;

	if (sa->state != IKE_SA_ESTABLISHED) {
		/* A replaced one of IKEv1 waits for no delete of the peer's. */
		if (sa->state == IKE_SA_REPLACED && sa->driver->farewell) {
			sa->driver->farewell(sa);
			ike_sa_kill(sa, IKE_ERROR_NONE);
		} else if (sa->state == IKE_SA_INIT_SENT || sa->state == IKE_SA_AUTH_SENT) {
			ike_sa_kill(sa, IKE_ERROR_NONE);
		}
		return;
	}
	if (sa->driver->farewell)
		sa->driver->farewell(sa);
	list_for_safe (c, next, &sa->children, node)
		ike_child_kill(c);
	/* A rekey of the IKE SA must end first, or the new one would be left behind over there. */
	if (hurry && ike_window_busy(&sa->window) && sa->exchange.kind != IKE_TASK_REKEY_IKE) {
		/* The peer serves requests in order: once more, in case it was lost. */
		ike_packet_send(sa->engine, sa->window.request, &sa->local, &sa->remote);
		ike_window_abandon(sa);
		ike_exchange_clear(sa);
	}
	ike_task_drop_all(sa);
	ike_task_add(sa, IKE_TASK_DELETE_IKE, 0, NULL);
}

static void close_all(struct ike_tunnel *t, bool hurry)
{
	struct ike_sa *sa, *next;

	list_for_safe (sa, next, &t->sas, tunnel_node)
		close_sa(sa, hurry);
}

static void remove_tunnel(struct ike_tunnel *t)
{
	close_all(t, true);
	ike_tunnel_unlink(t);
}

int ike_tunnel_remove(struct ike_engine *e, struct mono now, uint32_t id)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);

	if (!t)
		return -ENOENT;
	e->now = now;
	remove_tunnel(t);
	ike_engine_settle(e);
	return 0;
}

int ike_tunnel_update(struct ike_engine *e, struct mono now, uint32_t id,
    const struct ike_tunnel_config *config, const char **why)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);
	struct ike_tunnel_config copy;
	struct ike_sa *sa;
	int err = ike_config_check(config, why);

	if (err)
		return err;
	if (!t)
		return -ENOENT;
	e->now = now;
	if (!ike_config_same_on_wire(&t->config, config)) {
		remove_tunnel(t);
		ike_tunnel_new(e, id, config);
	} else {
		ike_config_copy(&copy, config);
		ike_config_wipe(&t->config);
		t->config = copy;
		t->wanted |= config->start == IKE_START_NOW;
		list_for (sa, &t->sas, tunnel_node)
			if (ike_sa_is_up(sa))
				ike_liveness_start(sa);
		ike_tunnel_touch(t);
	}
	ike_engine_settle(e);
	return 0;
}

static int want(struct ike_engine *e, struct mono now, uint32_t id, bool at_once)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);

	if (!t)
		return -ENOENT;
	if (ip_is_any(&t->config.remote))
		return -EADDRNOTAVAIL;
	e->now = now;
	t->wanted = true;
	t->by_traffic = !at_once;
	if (at_once) {
		t->failures = 0;
		t->not_before = now;
	}
	ike_tunnel_touch(t);
	ike_engine_settle(e);
	return 0;
}

int ike_tunnel_start(struct ike_engine *e, struct mono now, uint32_t id)
{
	return want(e, now, id, true);
}

int ike_tunnel_trigger(struct ike_engine *e, struct mono now, uint32_t id)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);

	if (!t)
		return -ENOENT;
	if (t->config.start == IKE_START_RESPONDER || t->wanted)
		return 0;
	return want(e, now, id, false);
}

int ike_tunnel_stop(struct ike_engine *e, struct mono now, uint32_t id)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);

	if (!t)
		return -ENOENT;
	e->now = now;
	t->wanted = false;
	close_all(t, false);
	ike_tunnel_touch(t);
	ike_engine_settle(e);
	return 0;
}

int ike_tunnel_rekey(struct ike_engine *e, struct mono now, uint32_t id, bool ike_sa)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);
	struct ike_child_sa *c;
	struct ike_sa *sa;
	bool found = false;

	if (!t)
		return -ENOENT;
	e->now = now;
	list_for (sa, &t->sas, tunnel_node) {
		if (sa->state != IKE_SA_ESTABLISHED)
			continue;
		found = true;
		if (ike_sa) {
			ike_task_add(sa, IKE_TASK_REKEY_IKE, 0, NULL);
			continue;
		}
		list_for (c, &sa->children, node) {
			if (c->state == IKE_CHILD_INSTALLED)
				ike_task_add(sa, IKE_TASK_REKEY_CHILD, c->info.spi_in, NULL);
		}
	}
	ike_engine_settle(e);
	return found ? 0 : -ENOTCONN;
}

void ike_shutdown(struct ike_engine *e, struct mono now)
{
	struct ike_sa *sa, *next;
	struct ike_tunnel *t;

	e->now = now;
	e->shutting_down = true;
	list_for (t, &e->tunnels, node)
		close_all(t, true);
	list_for_safe (sa, next, &e->half_open, half_open_node)
		ike_sa_kill(sa, IKE_ERROR_NONE);
	ike_engine_settle(e);
}

static struct ike_child_sa *find_child(const struct ike_engine *e, uint32_t id, uint32_t spi_in)
{
	struct ike_tunnel *t = ike_engine_find_tunnel(e, id);
	struct ike_child_sa *c;
	struct ike_sa *sa;

	if (!t)
		return NULL;
	list_for (sa, &t->sas, tunnel_node) {
		c = ike_child_find(sa, spi_in);
		if (c)
			return c;
	}
	return NULL;
}

void ike_child_limit(struct ike_engine *e, struct mono now, uint32_t id, uint32_t spi_in, bool hard)
{
	struct ike_child_sa *c = find_child(e, id, spi_in);

	if (!c)
		return;
	e->now = now;
	if (hard)
		ike_child_end(c);
	else if (c->state == IKE_CHILD_INSTALLED)
		ike_task_add(c->sa, IKE_TASK_REKEY_CHILD, spi_in, NULL);
	ike_engine_settle(e);
}

void ike_child_used(struct ike_engine *e, struct mono now, uint32_t id, uint32_t spi_in)
{
	struct ike_child_sa *c = find_child(e, id, spi_in);

	if (!c)
		return;
	e->now = now;
	/* Of ours it says nothing: a peer may send on it before it can receive. The old one carries on for its time. */
	if (!c->tie.ours || !ike_child_sibling(c))
		ike_child_ready(c);
	ike_engine_settle(e);
}

void ike_child_moved(struct ike_engine *e, struct mono now, uint32_t id, uint32_t spi_in,
    const struct ike_endpoint *remote)
{
	struct ike_child_sa *c = find_child(e, id, spi_in);

	if (!c)
		return;
	e->now = now;
	ike_sa_moved(c->sa, &c->sa->local, remote);
	ike_engine_settle(e);
}
