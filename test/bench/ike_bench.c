/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Many tunnels from one IKE engine to another: how many a core brings up in a second, what a tunnel costs in memory, how
 * long the longest single call holds the control lcore (processor time), and how long it takes them all at the
 * default pace of negotiations. The router's loop never does more than milliseconds of such calls in a row, so that the
 * longest call bounds its stall.
 *
 *   ike-bench [--check] [TUNNELS [GROUP...]]        default: 1000 group31 group2 group14 group16
 *
 * --check: fails when a tunnel is not up, or a call takes 20 ms, or a tunnel more than 32 KiB at one end.
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "ike/ike.h"

#define STEP         DUR_MS(1)
#define GIVE_UP      DUR_S(300)
#define CALL_MAX_NS  DUR_MS(20)
#define TUNNEL_BYTES (32 << 10)
#define QUEUE_MAX    65536

struct end {
	struct bench *bench;
	struct ike_engine *engine;
	struct rng rng;
	uint32_t next_spi;
	unsigned up;
	int64_t cpu_ns, longest_ns;
};

struct packet {
	unsigned to;
	struct ike_endpoint local, remote;
	size_t len;
	uint8_t *bytes;
};

struct bench {
	struct end end[2]; /* 0 begins */
	struct mono now;
	struct packet queue[QUEUE_MAX];
	unsigned head, tail;
};

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * DUR_S(1) + t.tv_nsec;
}

static void account(struct end *e, int64_t since)
{
	int64_t took = cpu_ns() - since;

	e->cpu_ns += took;
	if (took > e->longest_ns)
		e->longest_ns = took;
}

/* ---- struct ike_ops ---- */

static void op_send(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
    const uint8_t *bytes, size_t len)
{
	struct end *e = ctx;
	struct bench *b = e->bench;
	struct packet *p = &b->queue[b->tail++ % QUEUE_MAX];

	*p = (struct packet){e == &b->end[0], *remote, *local, len, xmalloc(len)};
	memcpy(p->bytes, bytes, len);
	if (b->tail - b->head > QUEUE_MAX)
		abort();
}

static void op_keepalive(
    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
}

static uint32_t op_spi_alloc(void *ctx, uint32_t tunnel)
{
	return ((struct end *)ctx)->next_spi++;
}

static void op_spi_free(void *ctx, uint32_t tunnel, uint32_t spi_in)
{
}

static int op_child_install(void *ctx, uint32_t tunnel, const struct ike_child *child)
{
	return 0;
}

static void op_child_remove(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what)
{
}

static void op_child_endpoint(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
}

static void op_tunnel_state(
    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason)
{
	struct end *e = ctx;

	e->up += state == IKE_TUNNEL_UP;
}

static void op_error(void *ctx, uint32_t tunnel, const struct ike_error *error)
{
	fprintf(stderr, "tunnel %u: %s\n", tunnel, ike_error_name(error->code));
}

static const struct ike_ops ops = {
    .send = op_send,
    .keepalive = op_keepalive,
    .spi_alloc = op_spi_alloc,
    .spi_free = op_spi_free,
    .child_in = op_child_install,
    .child_out = op_child_install,
    .child_remove = op_child_remove,
    .child_endpoint = op_child_endpoint,
    .tunnel_state = op_tunnel_state,
    .error = op_error,
};

static void silent(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

/* ---- one run ---- */

static void add_tunnel(struct bench *b, unsigned side, uint32_t n, enum alg_dh group)
{
	static const struct ip_prefix any = {.addr = {.family = IP_V4}};
	struct ike_tunnel_config c = {
	    .start = side ? IKE_START_RESPONDER : IKE_START_NOW,
	    .psk = (const uint8_t *)"a-key-of-usual-length",
	    .psk_len = 21,
	    .ike = {{ENCR_AES256}, {AUTH_SHA256}, {group}, 1, 1, 1},
	    .esp = {{ENCR_AES128GCM16}, {AUTH_SHA256}, {group}, 1, 1, 1},
	    .ike_lifetime_s = 86400,
	    .esp_lifetime_s = 86400,
	    .dpd_interval_s = 10,
	    .dpd_timeout_s = 30,
	    .local = ip_v4(side ? 0x0b000000 + n : 0x0a000000 + n),
	    .remote = ip_v4(side ? 0x0a000000 + n : 0x0b000000 + n),
	    .local_ts = &any,
	    .remote_ts = &any,
	    .local_ts_count = 1,
	    .remote_ts_count = 1,
	};
	int64_t since = cpu_ns();

	c.local_id = ike_id_of_addr(&c.local);
	c.remote_id = ike_id_of_addr(&c.remote);
	snprintf(c.name, sizeof(c.name), "t%u", n);
	if (ike_tunnel_add(b->end[side].engine, b->now, n, &c, NULL))
		abort();
	account(&b->end[side], since);
}

static void deliver(struct bench *b)
{
	while (b->head != b->tail) {
		struct packet *p = &b->queue[b->head++ % QUEUE_MAX];
		int64_t since = cpu_ns();

		ike_receive(b->end[p->to].engine, b->now, &p->local, &p->remote, p->bytes, p->len);
		account(&b->end[p->to], since);
		free(p->bytes);
	}
}

static void run_timers(struct end *e)
{
	unsigned ran;

	do {
		int64_t since = cpu_ns();

		ran = ike_run(e->engine, e->bench->now, 1);
		account(e, since);
	} while (ran);
}

/* The time at which the last tunnel came up. */
static int64_t bring_up(struct bench *b, unsigned tunnels)
{
	struct mono begun = b->now;

	while (b->end[0].up < tunnels || b->end[1].up < tunnels) {
		if (mono_diff(begun, b->now) >= GIVE_UP)
			break;
		deliver(b);
		b->now = mono_add(b->now, STEP);
		for (unsigned side = 0; side < 2; side++)
			run_timers(&b->end[side]);
	}
	deliver(b);
	return mono_diff(begun, b->now);
}

static bool run(unsigned tunnels, enum alg_dh group, bool check)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct ike_limits limits = ike_limits_default();
	size_t before = mallinfo2().uordblks, each;
	int64_t all_up, busiest, longest;
	bool good;

	limits.half_open_max = limits.ike_sa_max = 2 * tunnels + 1000;
	b->now.ns = DUR_S(1000);
	for (unsigned side = 2; side-- > 0;) {
		struct end *e = &b->end[side];

		e->bench = b;
		e->next_spi = 0x1000;
		rng_init_seeded(&e->rng, side + 1);
		e->engine = ike_create(&ops, e, &e->rng, &limits);
		for (uint32_t n = 1; n <= tunnels; n++)
			add_tunnel(b, side, n, group);
	}
	all_up = bring_up(b, tunnels);
	each = (mallinfo2().uordblks - before) / 2 / tunnels;
	busiest = b->end[b->end[0].cpu_ns < b->end[1].cpu_ns].cpu_ns;
	longest = b->end[b->end[0].longest_ns < b->end[1].longest_ns].longest_ns;
	printf(
	    "%-8s %6u up %8.0f tunnels/s %7.2f ms longest call %7.1f KiB/tunnel %7.1f s for all\n",
	    alg_dh(group)->name, b->end[0].up, tunnels / ((double)busiest / 1e9),
	    (double)longest / 1e6, (double)each / 1024, (double)all_up / 1e9);
	good = b->end[0].up == tunnels && b->end[1].up == tunnels && longest < CALL_MAX_NS &&
	    each <= TUNNEL_BYTES;
	for (unsigned side = 0; side < 2; side++)
		ike_destroy(b->end[side].engine);
	free(b);
	return good || !check;
}

static enum alg_dh group_of(const char *name)
{
	for (unsigned g = DH_NONE + 1; g < DH_COUNT; g++)
		if (strcmp(alg_dh(g)->name, name) == 0)
			return (enum alg_dh)g;
	fprintf(stderr, "no group '%s'\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	static const enum alg_dh usual[] = {DH_31, DH_2, DH_14, DH_16};
	bool check = argc > 1 && strcmp(argv[1], "--check") == 0, good = true;
	int at = 1 + check;
	unsigned tunnels = argc > at ? (unsigned)strtoul(argv[at++], NULL, 10) : 1000;

	if (tunnels == 0) {
		fprintf(stderr, "ike-bench [--check] [TUNNELS [GROUP...]]\n");
		return 2;
	}
	log_set_sink(silent, NULL);
	for (; at < argc; at++)
		good &= run(tunnels, group_of(argv[at]), check);
	if (argc <= 2 + check)
		for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
			good &= run(tunnels, usual[i], check);
	return good ? 0 : 1;
}
