/* SPDX-License-Identifier: BSD-3-Clause */

#include "ike_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ike/engine.h"

#define STEPS_MAX 40

static void broken(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void op_send(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
    const uint8_t *bytes, size_t len)
{
	struct end *e = ctx;
	struct packet *p = malloc(sizeof(*p) + len);

	*p = (struct packet){NULL, (unsigned)(e - e->world->end), *local, *remote, len};
	memcpy(p->bytes, bytes, len);
	*e->world->last = p;
	e->world->last = &p->next;
}

static void op_keepalive(
    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
}

static uint32_t op_spi_alloc(void *ctx, uint32_t tunnel)
{
	struct end *e = ctx;

	e->spis++;
	return e->next_spi++;
}

static void op_spi_free(void *ctx, uint32_t tunnel, uint32_t spi_in)
{
	struct end *e = ctx;

	if (e->spis-- == 0)
		broken("SPI given back twice");
}

static int op_child_in(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	struct end *e = ctx;

	if (e->children == CHILDREN)
		return -1;
	if (child->local_ts_count == 0 || child->remote_ts_count == 0 || child->spi_out == 0)
		broken("Child SA without selectors or SPI");
	e->spis--;
	e->child[e->children++] = child->spi_in;
	return 0;
}

static int op_child_out(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	return 0;
}

static void op_child_remove(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what)
{
	struct end *e = ctx;
	unsigned i = 0;

	while (i < e->children && e->child[i] != spi_in)
		i++;
	if (i == e->children)
		broken("Child SA removed twice");
	if (what == IKE_REMOVE_ALL)
		e->child[i] = e->child[--e->children];
}

static void op_child_endpoint(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
}

static void op_tunnel_state(
    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason)
{
}

static void op_error(void *ctx, uint32_t tunnel, const struct ike_error *error)
{
	for (const char *s = error->theirs; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			broken("text of a peer that is not printable");
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
    .tunnel_state = op_tunnel_state,
    .error = op_error,
};

static void no_log(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static void start(struct world *w, unsigned side, const struct ike_tunnel_config *config)
{
	static const struct ip_prefix any[2] = {
	    {.addr = {.family = IP_V4}}, {.addr = {.family = IP_V6}}};
	struct ike_tunnel_config c = *config;
	struct end *e = &w->end[side];

	c.start = side ? IKE_START_RESPONDER : IKE_START_NOW;
	c.psk = (const uint8_t *)"key";
	c.psk_len = 3;
	c.local_ts = any;
	c.remote_ts = any;
	c.local_ts_count = 2;
	c.remote_ts_count = 2;
	e->world = w;
	e->addr = ip_v4(0xc6336401 + side);
	e->next_spi = 0x1000 * (side + 1);
	rng_init_seeded(&e->rng, side);
	c.local = e->addr;
	c.remote = ip_v4(0xc6336402 - side);
	c.local_id = ike_id_of_addr(&c.local);
	c.remote_id = ike_id_of_addr(&c.remote);
	e->engine = ike_create(&ops, e, &e->rng, NULL);
	if (ike_tunnel_add(e->engine, w->now, TUNNEL, &c, NULL))
		broken("configuration refused");
}

void world_begin(struct world *w, const struct ike_tunnel_config *config)
{
	*w = (struct world){.now = {DUR_S(1000)}};
	w->last = &w->wire;
	log_set_sink(no_log, NULL);
	start(w, 1, config);
	start(w, 0, config);
}

void world_end(struct world *w)
{
	while (w->wire)
		world_drain(w, false);
	for (unsigned i = 0; i < 2; i++) {
		ike_destroy(w->end[i].engine);
		if (w->end[i].children || w->end[i].spis)
			broken("something was left behind");
	}
	while (w->wire)
		world_drain(w, false);
}

void world_drain(struct world *w, bool deliver)
{
	for (unsigned i = 0; w->wire && i < 64; i++) {
		struct packet *p = w->wire;

		w->wire = p->next;
		if (!w->wire)
			w->last = &w->wire;
		if (deliver)
			ike_receive(w->end[!p->from].engine, w->now, &p->remote, &p->local,
			    p->bytes, p->len);
		free(p);
	}
}

void world_inject(struct world *w, unsigned from, const uint8_t *bytes, size_t len)
{
	struct ike_endpoint local = {w->end[!from].addr, IKE_PORT};
	struct ike_endpoint remote = {w->end[from].addr, IKE_PORT};

	ike_receive(w->end[!from].engine, w->now, &local, &remote, bytes, len);
}

struct ike_sa *world_sa(struct world *w, unsigned side)
{
	struct ike_sa *sa, *found = NULL;

	list_for (sa, &w->end[side].engine->sas, node)
		if (sa->state != IKE_SA_INIT_SENT)
			found = sa;
	return found;
}

struct ike_sa *world_other(struct world *w, unsigned side, const struct ike_sa *sa)
{
	return ike_engine_find_sa(w->end[!side].engine, sa->initiator ? sa->spi_r : sa->spi_i);
}

void world_command(struct world *w, unsigned side, const uint8_t *bytes, size_t len)
{
	struct end *e = &w->end[side];
	uint8_t argument = len > 1 ? bytes[1] : 0;

	switch (len ? bytes[0] % 9 : 0) {
	case 0:
		w->now = mono_add(w->now, DUR_MS(100) * argument);
		break;
	case 1:
		ike_tunnel_rekey(e->engine, w->now, TUNNEL, argument & 1);
		break;
	case 2:
		ike_tunnel_stop(e->engine, w->now, TUNNEL);
		break;
	case 3:
		ike_tunnel_start(e->engine, w->now, TUNNEL);
		break;
	case 4:
		if (e->children)
			ike_child_limit(e->engine, w->now, TUNNEL, e->child[argument % e->children],
			    argument & 1);
		break;
	case 5:
		if (e->children)
			ike_child_used(e->engine, w->now, TUNNEL, e->child[argument % e->children]);
		break;
	case 6:
		w->now = mono_add(w->now, DUR_S(1) * argument);
		break;
	case 7:
		ike_tunnel_trigger(e->engine, w->now, TUNNEL);
		break;
	case 8:
		e->engine->limits.cookie_threshold = argument & 1 ? 0 : 30;
		e->engine->limits.fragment_bytes = argument & 2 ? 256 : 1280;
		break;
	}
	for (unsigned i = 0; i < 2; i++)
		ike_run(w->end[i].engine, w->now, 1000);
}

void world_run(struct world *w, struct wire *in, world_step *step)
{
	for (unsigned i = 0; i < STEPS_MAX && wire_left(in) > 0; i++) {
		uint8_t kind = wire_u8(in);
		unsigned side = wire_u8(in) & 1;
		size_t len = wire_u16(in);
		uint8_t *copy;

		if (len > wire_left(in))
			len = wire_left(in);
		copy = malloc(len + 1); /* exact, for the address sanitizer */
		wire_copy(in, copy, len);
		step(w, kind, side, copy, len);
		free(copy);
	}
}
