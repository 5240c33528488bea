/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One end of the simulation: an engine, and a data path that only keeps books. The books are strict: what the
 * contract of struct ike_ops forbids is a failure of the run.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim.h"

struct sim_child *sim_host_find(struct sim_host *h, uint32_t spi_in)
{
	struct sim_child *c;

	for (c = h->children; c; c = c->next)
		if (c->info.spi_in == spi_in)
			return c;
	return NULL;
}

struct sim_child *sim_host_in_use(struct sim_host *h, uint8_t family)
{
	struct sim_child *c, *best = NULL;

	for (c = h->children; c; c = c->next)
		if (c->out && c->family == family && (!best || c->out_order > best->out_order))
			best = c;
	return best;
}

void sim_host_count(struct sim_host *h, uint8_t family, unsigned *out, unsigned *all)
{
	struct sim_child *c;

	*out = *all = 0;
	for (c = h->children; c; c = c->next) {
		if (c->family != family)
			continue;
		*out += c->out;
		(*all)++;
	}
}

static void op_send(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
    const uint8_t *bytes, size_t len)
{
	sim_send_ike(ctx, local, remote, bytes, len);
}

static void op_keepalive(
    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct sim_host *h = ctx;

	h->keepalives++;
	if (local->port != IKE_PORT_NATT)
		sim_fail(h->sim, "%s: keepalive from port %u", h->name, local->port);
}

static uint32_t op_spi_alloc(void *ctx, uint32_t tunnel)
{
	struct sim_host *h = ctx;
	uint32_t spi;

	do {
		spi = 0x1000 + rng_below(&h->rng, 0x7fffffff);
	} while (sim_host_find(h, spi));
	h->spis_out++;
	return spi;
}

static void op_spi_free(void *ctx, uint32_t tunnel, uint32_t spi_in)
{
	struct sim_host *h = ctx;

	if (h->spis_out-- == 0)
		sim_fail(h->sim, "%s: SPI %08x given back twice", h->name, spi_in);
}

static int op_child_in(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	struct sim_host *h = ctx;
	struct sim_child *c;

	sim_say(h->sim, "%s: in %08x installed, peer %08x", h->name, child->spi_in, child->spi_out);
	if (tunnel != SIM_TUNNEL || child->local_ts_count == 0 || child->remote_ts_count == 0)
		sim_fail(h->sim, "%s: bad Child SA", h->name);
	if (sim_host_find(h, child->spi_in))
		sim_fail(h->sim, "%s: SPI %08x installed twice", h->name, child->spi_in);
	h->spis_out--;
	c = xcalloc(1, sizeof(*c));
	c->info = *child;
	c->family = child->local_ts[0].addr.first.family;
	c->next = h->children;
	h->children = c;
	return 0;
}

static int op_child_out(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	struct sim_host *h = ctx;
	struct sim_child *c = sim_host_find(h, child->spi_in);

	sim_say(h->sim, "%s: out %08x in use", h->name, child->spi_out);
	if (!c || c->out) {
		sim_fail(h->sim, "%s: outbound of %08x out of order", h->name, child->spi_in);
		return -ENOENT;
	}
	c->out = true;
	c->out_order = ++h->out_orders;
	h->up_once[c->family == IP_V6] = true;
	return 0;
}

static void op_child_remove(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what)
{
	struct sim_host *h = ctx;
	struct sim_child **at = &h->children;
	struct sim_child *c;

	sim_say(h->sim, "%s: %08x %s removed", h->name, spi_in,
	    what == IKE_REMOVE_OUT ? "outbound" : "all");
	while (*at && (*at)->info.spi_in != spi_in)
		at = &(*at)->next;
	c = *at;
	if (!c) {
		sim_fail(h->sim, "%s: SPI %08x removed twice", h->name, spi_in);
		return;
	}
	if (what == IKE_REMOVE_OUT) {
		if (!c->out)
			sim_fail(h->sim, "%s: outbound of %08x removed twice", h->name, spi_in);
		c->out = false;
		return;
	}
	*at = c->next;
	free(c);
}

static void op_child_endpoint(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct sim_host *h = ctx;
	struct sim_child *c = sim_host_find(h, spi_in);

	if (!c) {
		sim_fail(h->sim, "%s: endpoint of unknown SPI %08x", h->name, spi_in);
		return;
	}
	c->info.udp_encap = udp_encap;
	c->info.local = *local;
	c->info.remote = *remote;
}

static void op_child_usage(void *ctx, uint32_t tunnel, uint32_t spi_in, struct ike_usage *out)
{
	struct sim_child *c = sim_host_find(ctx, spi_in);

	if (c)
		*out = c->usage;
}

static void op_tunnel_state(
    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason)
{
	struct sim_host *h = ctx;

	sim_say(h->sim, "%s: %s %s", h->name, ike_tunnel_state_name(state), ike_error_name(reason));
	if (state == h->state)
		sim_fail(h->sim, "%s: state told twice", h->name);
	h->state = state;
}

static void op_error(void *ctx, uint32_t tunnel, const struct ike_error *error)
{
	struct sim_host *h = ctx;

	sim_say(h->sim, "%s: %s %s ours \"%s\" theirs \"%s\"", h->name, ike_error_name(error->code),
	    error->field, error->ours, error->theirs);
	h->errors[error->code]++;
}

static const struct ike_ops ops = {
    .send = op_send,
    .keepalive = op_keepalive,
    .spi_alloc = op_spi_alloc,
    .spi_free = op_spi_free,
    .child_in = op_child_in,
    .child_out = op_child_out,
    .child_remove = op_child_remove,
    .child_endpoint = op_child_endpoint,
    .child_usage = op_child_usage,
    .tunnel_state = op_tunnel_state,
    .error = op_error,
};

struct mono sim_host_now(const struct sim_host *h)
{
	return mono_add(h->sim->now, h->ahead_ns);
}

void sim_host_start(struct sim_host *h)
{
	const char *why = "";

	h->engine = ike_create(&ops, h, &h->rng, &h->limits);
	h->state = IKE_TUNNEL_DOWN;
	if (ike_tunnel_add(h->engine, sim_host_now(h), SIM_TUNNEL, &h->config, &why))
		sim_fail(h->sim, "%s: configuration refused: %s", h->name, why);
}

void sim_host_stop(struct sim_host *h)
{
	ike_destroy(h->engine);
	h->engine = NULL;
	if (h->children)
		sim_fail(h->sim, "%s: SPI %08x left behind", h->name, h->children->info.spi_in);
	if (h->spis_out)
		sim_fail(h->sim, "%s: %u SPIs left behind", h->name, h->spis_out);
	h->up_once[0] = h->up_once[1] = false;
}
