/* SPDX-License-Identifier: BSD-3-Clause */

#include "pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static void no_log(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static struct pair_child *find(struct side *s, uint32_t spi_in)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (s->child[i].in && s->child[i].info.spi_in == spi_in)
			return &s->child[i];
	return NULL;
}

static void op_send(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
    const uint8_t *bytes, size_t len)
{
	struct side *s = ctx;
	struct pair *p = s->pair;
	struct datagram *d = &p->queue[(p->head + p->queued) % 64];

	if (p->cut && p->queued == 64)
		return; /* nobody will get it anyway */
	assert_true(p->queued < 64);
	assert_true(len <= sizeof(d->bytes));
	d->from = s->index;
	d->local = *local;
	d->remote = *remote;
	d->len = len;
	memcpy(d->bytes, bytes, len);
	p->queued++;
	p->seen[s->index]++;
	p->last[s->index] = *d;
}

static void op_keepalive(
    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct side *s = ctx;

	s->keepalives++;
}

static uint32_t op_spi_alloc(void *ctx, uint32_t tunnel)
{
	struct side *s = ctx;

	if (s->next_spi == 0)
		return 0;
	s->spis++;
	return s->next_spi++;
}

static void op_spi_free(void *ctx, uint32_t tunnel, uint32_t spi_in)
{
	struct side *s = ctx;

	assert_true(s->spis > 0);
	s->spis--;
}

static int op_child_in(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	struct side *s = ctx;

	assert_int_equal(tunnel, TUNNEL);
	assert_null(find(s, child->spi_in));
	if (s->refuse_child)
		return -ENOMEM;
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct pair_child *c = &s->child[i];

		if (c->in)
			continue;
		s->spis--;
		*c = (struct pair_child){.in = true, .info = *child};
		assert_true(child->local_ts_count <= 8 && child->remote_ts_count <= 8);
		memcpy(
		    c->local_ts, child->local_ts, child->local_ts_count * sizeof(c->local_ts[0]));
		memcpy(c->remote_ts, child->remote_ts,
		    child->remote_ts_count * sizeof(c->remote_ts[0]));
		return 0;
	}
	return -ENOSPC;
}

static int op_child_out(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	struct side *s = ctx;
	struct pair_child *c = find(s, child->spi_in);

	assert_non_null(c);
	assert_false(c->out);
	c->out = true;
	c->order = ++s->orders;
	return 0;
}

static void op_child_remove(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what)
{
	struct pair_child *c = find(ctx, spi_in);

	assert_non_null(c);
	c->out = false;
	if (what == IKE_REMOVE_ALL)
		c->in = false;
}

static void op_child_endpoint(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct pair_child *c = find(ctx, spi_in);

	assert_non_null(c);
	c->info.udp_encap = udp_encap;
	c->info.local = *local;
	c->info.remote = *remote;
}

static void op_child_bytes(void *ctx, uint32_t tunnel, uint32_t spi_in, uint64_t bytes)
{
	struct pair_child *c = find(ctx, spi_in);

	assert_non_null(c);
	c->info.lifetime_bytes = bytes;
}

static void op_child_usage(void *ctx, uint32_t tunnel, uint32_t spi_in, struct ike_usage *out)
{
	struct side *s = ctx;

	out->last_in = s->esp_heard;
}

static void op_tunnel_state(
    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason)
{
	struct side *s = ctx;

	s->state = state;
	if (state == IKE_TUNNEL_DOWN)
		s->down_reason = reason;
}

static void op_error(void *ctx, uint32_t tunnel, const struct ike_error *error)
{
	struct side *s = ctx;

	if (s->errors == 64)
		return;
	s->error[s->errors].code = error->code;
	snprintf(s->error[s->errors].field, 64, "%s", error->field);
	snprintf(s->error[s->errors].ours, 200, "%s", error->ours);
	snprintf(s->error[s->errors].theirs, 200, "%s", error->theirs);
	s->errors++;
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
    .child_bytes = op_child_bytes,
    .child_usage = op_child_usage,
    .tunnel_state = op_tunnel_state,
    .error = op_error,
};

void pair_init(struct pair *p)
{
	log_set_sink(no_log, NULL);
	memset(p, 0, sizeof(*p));
	p->now = (struct mono){DUR_S(1000)};
	for (unsigned i = 0; i < 2; i++) {
		struct side *s = &p->side[i];
		struct ike_tunnel_config *c = &s->config;

		s->pair = p;
		s->index = i;
		s->next_spi = 0x1000 * (i + 1);
		s->limits = ike_limits_default();
		rng_init_seeded(&s->rng, 100 + i);
		snprintf(c->name, sizeof(c->name), "%s", i ? "b" : "a");
		snprintf(s->psk, sizeof(s->psk), "the key of both");
		c->start = i ? IKE_START_RESPONDER : IKE_START_NOW;
		c->local = ip_v4(0xc6336401 + i);
		c->remote = ip_v4(0xc6336402 - i);
		c->local_id = ike_id_of_addr(&c->local);
		c->remote_id = ike_id_of_addr(&c->remote);
		c->psk = (const uint8_t *)s->psk;
		c->ike = (struct ike_algs){{ENCR_AES128}, {AUTH_SHA256}, {DH_31}, 1, 1, 1};
		c->esp = (struct ike_algs){{ENCR_AES128GCM16}, {AUTH_SHA256}, {DH_NONE}, 1, 1, 1};
		c->ike_lifetime_s = 3600;
		c->esp_lifetime_s = 1800;
		c->dpd_interval_s = IKE_DPD_INTERVAL_S;
		c->dpd_timeout_s = IKE_DPD_TIMEOUT_S;
		c->local_ts_count = c->remote_ts_count = 1;
		s->local_ts[0] = s->remote_ts[0] = (struct ip_prefix){.addr = ip_any(IP_V4)};
	}
}

void pair_start_side(struct pair *p, unsigned side)
{
	struct side *s = &p->side[side];
	const char *why = NULL;
	int err;

	s->config.psk_len = strlen(s->psk);
	s->config.local_ts = s->local_ts;
	s->config.remote_ts = s->remote_ts;
	s->engine = ike_create(&ops, s, &s->rng, &s->limits);
	err = ike_tunnel_add(s->engine, p->now, TUNNEL, &s->config, &why);
	if (err)
		fail_msg("configuration refused: %s", why);
}

void pair_start(struct pair *p)
{
	/* The responder first: nothing is lost at the start. */
	pair_start_side(p, 1);
	pair_start_side(p, 0);
	pair_settle(p);
}

void pair_kill_side(struct pair *p, unsigned side)
{
	struct side *s = &p->side[side];

	ike_destroy(s->engine);
	s->engine = NULL;
	assert_int_equal(pair_children(p, side), 0);
	assert_int_equal(s->spis, 0);
	s->state = IKE_TUNNEL_DOWN;
}

void pair_end(struct pair *p)
{
	for (unsigned i = 0; i < 2; i++)
		if (p->side[i].engine)
			pair_kill_side(p, i);
}

static void deliver(struct pair *p, const struct datagram *d)
{
	struct side *to = &p->side[!d->from];

	if (to->engine && !p->cut)
		ike_receive(to->engine, p->now, &d->remote, &d->local, d->bytes, d->len);
}

void pair_settle(struct pair *p)
{
	while (p->queued > 0) {
		struct datagram d = p->queue[p->head];

		p->head = (p->head + 1) % 64;
		p->queued--;
		if (!p->filter || p->filter(p, &d))
			deliver(p, &d);
	}
}

void pair_run(struct pair *p, int64_t ns)
{
	struct mono end = mono_add(p->now, ns);

	pair_settle(p);
	for (;;) {
		struct mono next = end, due;

		for (unsigned i = 0; i < 2; i++)
			if (p->side[i].engine && ike_next(p->side[i].engine, &due) &&
			    mono_before(due, next))
				next = due;
		if (mono_before(p->now, next))
			p->now = next;
		for (unsigned i = 0; i < 2; i++)
			if (p->side[i].engine)
				ike_run(p->side[i].engine, p->now, 0);
		pair_settle(p);
		if (!mono_before(next, end))
			return;
	}
}

void pair_inject(struct pair *p, unsigned to, const uint8_t *bytes, size_t len)
{
	struct side *s = &p->side[to];
	struct ike_endpoint local = {s->config.local, IKE_PORT};
	struct ike_endpoint remote = {p->side[!to].config.local, IKE_PORT};

	ike_receive(s->engine, p->now, &local, &remote, bytes, len);
}

struct pair_child *pair_in_use(struct pair *p, unsigned side)
{
	struct pair_child *best = NULL;

	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		struct pair_child *c = &p->side[side].child[i];

		if (c->in && c->out && (!best || c->order > best->order))
			best = c;
	}
	return best;
}

unsigned pair_children(struct pair *p, unsigned side)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		count += p->side[side].child[i].in;
	return count;
}

void pair_assert_up(struct pair *p)
{
	struct pair_child *a = pair_in_use(p, 0), *b = pair_in_use(p, 1);

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(p->side[0].state, IKE_TUNNEL_UP);
	assert_int_equal(p->side[1].state, IKE_TUNNEL_UP);
	assert_int_equal(a->info.spi_in, b->info.spi_out);
	assert_int_equal(a->info.spi_out, b->info.spi_in);
	assert_memory_equal(a->info.encr_key_in, b->info.encr_key_out, IKE_KEY_MAX);
	assert_memory_equal(a->info.encr_key_out, b->info.encr_key_in, IKE_KEY_MAX);
	assert_memory_equal(a->info.auth_key_in, b->info.auth_key_out, IKE_KEY_MAX);
	assert_memory_equal(a->info.auth_key_out, b->info.auth_key_in, IKE_KEY_MAX);
	assert_int_equal(a->info.esn, b->info.esn);
}

void pair_assert_down(struct pair *p, unsigned side)
{
	assert_int_equal(pair_children(p, side), 0);
	assert_int_not_equal(p->side[side].state, IKE_TUNNEL_UP);
}

struct counting {
	const char *state;
	unsigned count;
};

static void count_sa(void *arg, const struct ike_sa_info *info)
{
	struct counting *c = arg;

	c->count += !c->state || !strcmp(c->state, info->state);
}

unsigned pair_count_sas(struct pair *p, unsigned side, const char *state)
{
	struct counting c = {state, 0};

	ike_each_sa(p->side[side].engine, p->now, count_sa, &c);
	return c.count;
}

bool pair_has_error(struct pair *p, unsigned side, enum ike_error_code code, unsigned *index)
{
	struct side *s = &p->side[side];

	for (unsigned i = 0; i < s->errors; i++) {
		if (s->error[i].code != code)
			continue;
		if (index)
			*index = i;
		return true;
	}
	return false;
}

struct ike_sa *pair_sa(struct pair *p, unsigned side)
{
	struct ike_sa *sa;

	list_for (sa, &p->side[side].engine->sas, node)
		if (sa->state == IKE_SA_ESTABLISHED)
			return sa;
	fail_msg("no IKE SA is established");
	return NULL;
}

void pair_send_request(struct pair *p, unsigned side, uint8_t exchange, const struct ike_chain *c)
{
	struct ike_sa *sa = pair_sa(p, side);
	struct ike_packet *packet;

	sa->fragments = false;
	packet = ike_message_seal(sa, exchange, false, sa->window.next_id++, c);
	pair_inject(p, !side, packet->bytes, packet->len);
	free(packet);
}

bool pair_open_last(struct pair *p, unsigned side, uint8_t *buffer, struct ike_payloads *out)
{
	const struct datagram *d = &p->last[side];
	struct ike_sa *sa =
	    ike_engine_find_sa(p->side[!side].engine, ike_sa_our_spi(pair_sa(p, !side)));
	struct ike_payloads clear;
	struct ike_header h;
	struct wire inner;
	uint8_t first;

	memcpy(buffer, d->bytes, d->len);
	return !ike_header_parse(buffer, d->len, &h) &&
	    !ike_payloads_parse(wire_of(buffer + IKE_HEADER_BYTES, d->len - IKE_HEADER_BYTES),
		h.next_payload, &clear) &&
	    ike_message_open(sa, &h, buffer, d->len, &clear, &inner, &first) == 1 &&
	    !ike_payloads_parse(inner, first, out);
}
