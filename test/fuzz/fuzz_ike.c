/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two IKE engines, and an input that says what happens to them: datagrams from anywhere, payloads under the right
 * keys (so that nothing stops at the integrity check), lost messages, commands, time. Whatever comes, both
 * engines must stand, and give back every SPI and Child SA when they end.
 *
 * The input is a list of steps: kind, side, length (2 bytes), that many bytes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ike/sa.h"
#include "ike/seal.h"

#define TUNNEL    1
#define STEPS_MAX 40
#define CHILDREN  256

enum step_kind {
	STEP_RAW,      /* a datagram as it is */
	STEP_INIT,     /* IKE_SA_INIT with these payloads, in the name of the side */
	STEP_REQUEST,  /* a protected request of the side, with its next message ID */
	STEP_RESPONSE, /* a protected response to what the other side waits for */
	STEP_DELIVER,  /* what is on the wire arrives */
	STEP_LOSE,     /* it does not */
	STEP_COMMAND,
	STEP_KINDS,
};

struct end {
	struct world *world;
	struct ike_engine *engine;
	struct rng rng;
	struct ip_addr addr;
	uint32_t next_spi;
	unsigned spis;
	uint32_t child[CHILDREN]; /* inbound SPIs that are installed */
	unsigned children;
};

struct packet {
	struct packet *next;
	unsigned from;
	struct ike_endpoint local, remote;
	size_t len;
	uint8_t bytes[];
};

struct world {
	struct end end[2];
	struct mono now;
	struct packet *wire, **last;
};

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

static void start(struct world *w, unsigned side)
{
	static const struct ip_prefix any[2] = {
	    {.addr = {.family = IP_V4}}, {.addr = {.family = IP_V6}}};
	struct end *e = &w->end[side];
	struct ike_tunnel_config c = {
	    .start = side ? IKE_START_RESPONDER : IKE_START_NOW,
	    .psk = (const uint8_t *)"key",
	    .psk_len = 3,
	    .ike = {{ENCR_AES128, ENCR_AES128GCM16}, {AUTH_SHA256, AUTH_SHA1}, {DH_31, DH_19}, 2, 2,
		2},
	    .esp = {{ENCR_AES128GCM16, ENCR_AES128}, {AUTH_SHA256}, {DH_NONE, DH_31}, 2, 1, 2},
	    .esn = IKE_ESN_BOTH,
	    .ike_lifetime_s = 100,
	    .esp_lifetime_s = 60,
	    .dpd_interval_s = 10,
	    .dpd_timeout_s = 30,
	    .local_ts = any,
	    .remote_ts = any,
	    .local_ts_count = 2,
	    .remote_ts_count = 2,
	};

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

static void drain(struct world *w, bool deliver)
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

static void inject(struct world *w, unsigned from, const uint8_t *bytes, size_t len)
{
	struct ike_endpoint local = {w->end[!from].addr, IKE_PORT};
	struct ike_endpoint remote = {w->end[from].addr, IKE_PORT};

	ike_receive(w->end[!from].engine, w->now, &local, &remote, bytes, len);
}

/* The youngest IKE SA of a side that has keys. */
static struct ike_sa *sa_of(struct world *w, unsigned side)
{
	struct ike_sa *sa, *found = NULL;

	list_for (sa, &w->end[side].engine->sas, node)
		if (sa->state != IKE_SA_INIT_SENT)
			found = sa;
	return found;
}

/* Payloads of the input: type of the first, then the chain. */
static struct ike_chain chain_of(uint8_t *bytes, size_t len, uint8_t first)
{
	struct ike_chain c = ike_chain_of(bytes, len);

	c.buf.at = c.buf.end;
	c.first = first;
	return c;
}

static void send_init(struct world *w, unsigned side, uint8_t *bytes, size_t len, uint8_t first)
{
	struct ike_chain c = chain_of(bytes, len, first);
	struct ike_sa *sa;
	struct ike_packet *p;
	uint64_t spi_i = 0x1122334455667788;

	list_for (sa, &w->end[0].engine->sas, node)
		spi_i = sa->spi_i;
	p = ike_message_plain(
	    spi_i, side ? 0x99 : 0, EXCHANGE_IKE_SA_INIT, side == 0, side == 1, &c);
	inject(w, side, p->bytes, p->len);
	free(p);
}

static void send_sealed(struct world *w, unsigned side, bool response, uint8_t *bytes, size_t len,
    uint8_t first, uint8_t which)
{
	static const uint8_t exchanges[] = {EXCHANGE_IKE_AUTH, EXCHANGE_CREATE_CHILD_SA,
	    EXCHANGE_INFORMATIONAL, EXCHANGE_CREATE_CHILD_SA};
	struct ike_chain c = chain_of(bytes, len, first);
	struct ike_sa *sa = sa_of(w, side), *other;
	struct ike_packet *p;
	uint8_t exchange = exchanges[which % 4];
	uint32_t id;

	if (!sa)
		return;
	other = ike_engine_find_sa(w->end[!side].engine, sa->initiator ? sa->spi_r : sa->spi_i);
	if (!other)
		return;
	id = response ? other->window.next_id : other->window.expected_id;
	if (response)
		exchange = other->window.exchange;
	p = ike_message_seal(sa, exchange, response, id, &c);
	inject(w, side, p->bytes, p->len);
	free(p);
}

static void command(struct world *w, unsigned side, const uint8_t *bytes, size_t len)
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

static void step(struct world *w, uint8_t kind, unsigned side, uint8_t *bytes, size_t len)
{
	uint8_t which = len > 0 ? bytes[0] : 0, first = len > 1 ? bytes[1] : 0;
	uint8_t *rest = len > 2 ? bytes + 2 : bytes;
	size_t rest_len = len > 2 ? len - 2 : 0;

	switch (kind) {
	case STEP_RAW:
		inject(w, side, bytes, len);
		break;
	case STEP_INIT:
		send_init(w, side, rest, rest_len, first);
		break;
	case STEP_REQUEST:
		send_sealed(w, side, false, rest, rest_len, first, which);
		break;
	case STEP_RESPONSE:
		send_sealed(w, side, true, rest, rest_len, first, which);
		break;
	case STEP_DELIVER:
		drain(w, true);
		break;
	case STEP_LOSE:
		drain(w, false);
		break;
	case STEP_COMMAND:
		command(w, side, bytes, len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire in = wire_of(data, size);
	struct world w = {.now = {DUR_S(1000)}};

	log_set_sink(no_log, NULL);
	w.last = &w.wire;
	start(&w, 1);
	start(&w, 0);
	if (wire_u8(&in) & 1)
		drain(&w, true); /* up before it begins */
	for (unsigned i = 0; i < STEPS_MAX && wire_left(&in) > 0; i++) {
		uint8_t kind = wire_u8(&in);
		unsigned side = wire_u8(&in) & 1;
		size_t len = wire_u16(&in);
		uint8_t *copy;

		if (len > wire_left(&in))
			len = wire_left(&in);
		copy = malloc(len + 1); /* exact, for the address sanitizer */
		wire_copy(&in, copy, len);
		step(&w, kind % STEP_KINDS, side, copy, len);
		free(copy);
	}
	while (w.wire)
		drain(&w, false);
	for (unsigned i = 0; i < 2; i++) {
		ike_destroy(w.end[i].engine);
		if (w.end[i].children || w.end[i].spis)
			broken("something was left behind");
	}
	while (w.wire)
		drain(&w, false);
	return 0;
}
