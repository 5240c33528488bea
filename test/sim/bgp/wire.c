/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * TCP as an application sees it: connecting takes time and may fail, bytes come in order and in any
 * portions, the window fills, the end comes behind the bytes. A cut link holds everything back.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim.h"

#define CONNECT_TIMEOUT DUR_S(20)

struct link *sim_link(struct sim *s, unsigned a, unsigned b)
{
	return a < b ? &s->link[a][b] : &s->link[b][a];
}

static struct link *link_of(struct sim *s, const struct pipe *p)
{
	return sim_link(s, p->end[0].router->index, p->end[1].router->index);
}

static int64_t delay(struct sim *s, const struct pipe *p)
{
	return link_of(s, p)->delay_ns + DUR_US(rng_below(&s->rng, 3000));
}

/* The pipe of a connection, and which end of it. */
static struct pipe *find(struct router *r, bgp_conn conn, unsigned *which)
{
	for (struct pipe *p = r->sim->pipes; p; p = p->next)
		for (unsigned i = 0; i < 2; i++)
			if (p->end[i].router == r && p->end[i].conn == conn) {
				*which = i;
				return p;
			}
	return NULL;
}

static void deliver_later(struct sim *s, struct pipe *p, unsigned which)
{
	if (p->end[which].delivering)
		return;
	p->end[which].delivering = true;
	sim_at(s, delay(s, p), EV_DELIVER, which, p);
}

/* ---- what engines ask for ---- */

static int on_connect(void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *t)
{
	struct router *r = ctx;
	struct sim *s = r->sim;
	struct pipe *p = xcalloc(1, sizeof(*p));

	p->end[0].router = r;
	p->end[0].conn = conn;
	p->end[1].router = &s->router[peer - 1];
	for (unsigned i = 0; i < 2; i++)
		p->end[i].window = 64 + rng_below(&s->rng, rng_below(&s->rng, 3) ? 60000 : 600);
	p->next = s->pipes;
	s->pipes = p;
	sim_at(s, delay(s, p), EV_CONNECT, 0, p);
	return 0;
}

static void on_close(void *ctx, bgp_conn conn)
{
	struct router *r = ctx;
	unsigned which;
	struct pipe *p = find(r, conn, &which);

	if (!p) {
		sim_fail(r->sim, "%s closes a connection it does not have", r->name);
		return;
	}
	p->end[which].conn = 0;
	p->end[which].len = 0;
	p->end[!which].fin = true;
	if (p->made)
		deliver_later(r->sim, p, !which);
}

static size_t on_send(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len)
{
	struct router *r = ctx;
	unsigned which;
	struct pipe *p = find(r, conn, &which);
	struct end *to;
	size_t room;

	if (!p) {
		sim_fail(r->sim, "%s sends on a connection it does not have", r->name);
		return len;
	}
	to = &p->end[!which];
	if (!to->conn) /* into the void */
		return len;
	room = to->window > to->len ? to->window - to->len : 0;
	to->peer_blocked |= room < len;
	len = room < len ? room : len;
	if (to->len + len > to->room) {
		to->room = 2 * (to->len + len);
		to->bytes = xrealloc(to->bytes, to->room);
	}
	memcpy(to->bytes + to->len, bytes, len);
	to->len += len;
	if (len)
		deliver_later(r->sim, p, !which);
	return len;
}

static void on_up(void *ctx, uint32_t peer, uint8_t families)
{
	struct router *r = ctx;

	r->ups[peer - 1]++;
	sim_log(r->sim, "%s: session with r%u up", r->name, peer - 1);
}

static void on_down(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept)
{
	struct router *r = ctx;

	r->downs[peer - 1]++;
	sim_log(r->sim, "%s: session with r%u down: %u/%u by %u, kept %u", r->name, peer - 1,
	    end->code, end->subcode, end->by, kept);
}

static void on_learned(void *ctx)
{
	struct router *r = ctx;

	r->restarted = true;
	sim_touch(r);
}

const struct bgp_ops sim_ops = {
    .connect = on_connect,
    .close = on_close,
    .send = on_send,
    .up = on_up,
    .down = on_down,
    .learned = on_learned,
};

/* ---- what happens on the way ---- */

static void tell_closed(struct sim *s, struct end *e)
{
	bgp_conn conn = e->conn;

	e->conn = 0;
	e->len = 0;
	if (!conn || !e->router->engine)
		return;
	bgp_closed(e->router->engine, s->now, conn);
	sim_touch(e->router);
}

static void arrive(struct sim *s, struct pipe *p)
{
	struct router *from = p->end[0].router, *to = p->end[1].router;

	if (!p->end[0].conn)
		return;
	if (link_of(s, p)->cut) {
		sim_at(s, CONNECT_TIMEOUT, EV_CONNECT_FAILED, 0, p);
		return;
	}
	p->end[1].conn = to->engine ? bgp_accepted(to->engine, s->now, from->index + 1) : 0;
	if (!p->end[1].conn) {
		sim_at(s, delay(s, p), EV_CONNECT_FAILED, 0, p);
		return;
	}
	p->made = true;
	sim_at(s, delay(s, p), EV_CONNECTED, 0, p);
	bgp_connected(to->engine, s->now, p->end[1].conn, &to->config[from->index].transport.local);
	sim_touch(to);
}

static void answer(struct sim *s, struct pipe *p, bool good)
{
	struct end *e = &p->end[0];
	struct router *r = e->router;
	bgp_conn conn = e->conn;

	p->answered = true;
	if (!conn || !r->engine)
		return;
	if (good) {
		bgp_connected(
		    r->engine, s->now, conn, &r->config[p->end[1].router->index].transport.local);
	} else {
		e->conn = 0;
		bgp_connect_failed(r->engine, s->now, conn);
	}
	sim_touch(r);
}

/* A portion of the bytes; the engine may take less. */
static void hand_over(struct sim *s, struct end *e)
{
	size_t n = rng_below(&s->rng, 4) ? e->len : 1 + rng_below(&s->rng, (uint32_t)e->len), took;
	bgp_conn conn = e->conn;
	uint8_t *bytes = xmalloc(n);

	memcpy(bytes, e->bytes, n);
	took = bgp_received(e->router->engine, s->now, conn, bytes, n);
	free(bytes);
	if (took > n)
		sim_fail(s, "%s took more than there was", e->router->name);
	if (e->conn == conn) { /* else it closed meanwhile */
		e->len -= took;
		memmove(e->bytes, e->bytes + took, e->len);
	}
	sim_touch(e->router);
}

static void deliver(struct sim *s, struct pipe *p, unsigned which)
{
	struct end *e = &p->end[which];

	e->delivering = false;
	if (link_of(s, p)->cut || e->stalled || !p->answered) {
		e->delivering = true;
		sim_at(s, p->answered ? DUR_MS(200) : DUR_US(500), EV_DELIVER, which, p);
		return;
	}
	if (!e->conn || !e->router->engine)
		return;
	if (e->len > 0)
		hand_over(s, e);
	if (e->len > 0 || (e->fin && e->conn)) {
		if (e->len == 0)
			tell_closed(s, e);
		else
			deliver_later(s, p, which);
	}
	if (e->peer_blocked && e->len < e->window) {
		e->peer_blocked = false;
		sim_at(s, delay(s, p), EV_WRITABLE, !which, p);
	}
}

static void writable(struct sim *s, struct end *e)
{
	if (!e->conn || !e->router->engine)
		return;
	bgp_writable(e->router->engine, s->now, e->conn);
	sim_touch(e->router);
}

void sim_wire_event(struct sim *s, const struct sim_event *ev)
{
	switch (ev->kind) {
	case EV_CONNECT:
		arrive(s, ev->pipe);
		break;
	case EV_CONNECTED:
		answer(s, ev->pipe, true);
		break;
	case EV_CONNECT_FAILED:
		answer(s, ev->pipe, false);
		break;
	case EV_DELIVER:
		deliver(s, ev->pipe, ev->which);
		break;
	case EV_WRITABLE:
		writable(s, &ev->pipe->end[ev->which]);
		break;
	case EV_UNSTALL:
		ev->pipe->end[ev->which].stalled = false;
		break;
	default:
		break;
	}
}

void sim_break(struct sim *s, unsigned a, unsigned b, bool one_sided)
{
	for (struct pipe *p = s->pipes; p; p = p->next) {
		unsigned x = p->end[0].router->index, y = p->end[1].router->index;

		if (!p->made || !((x == a && y == b) || (x == b && y == a)))
			continue;
		for (unsigned i = 0; i < 2; i++) {
			if (one_sided && p->end[i].router->index != a)
				continue;
			p->end[i].fin = true;
			tell_closed(s, &p->end[i]);
		}
		if (one_sided) /* what was under way is lost, and nothing follows */
			p->end[x == a ? 1 : 0].len = 0;
	}
}

void sim_stall(struct sim *s, unsigned reader, unsigned writer, int64_t for_ns)
{
	for (struct pipe *p = s->pipes; p; p = p->next)
		for (unsigned i = 0; i < 2; i++)
			if (p->made && p->end[i].conn && p->end[i].router->index == reader &&
			    p->end[!i].router->index == writer) {
				p->end[i].stalled = true;
				sim_at(s, for_ns, EV_UNSTALL, i, p);
			}
}

void sim_wire_free(struct sim *s)
{
	while (s->pipes) {
		struct pipe *p = s->pipes;

		s->pipes = p->next;
		free(p->end[0].bytes);
		free(p->end[1].bytes);
		free(p);
	}
}
