/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A full table through the BGP engine: how long from the first octet to the last route decided, how much
 * memory per route, how long one call holds the control lcore at most (processor time); then the same table told to a
 * second peer, and the end of the first session.
 *
 *   bgp-bench [PREFIXES [SETS]]        default: 1050000 50000
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "bgp/bgp.h"
#include "bgp/message.h"

#define SOURCE 1
#define SINK   2
#define VIEW   1

struct bench {
	struct bgp_engine *engine;
	struct rng rng;
	bgp_conn conn[3];
	uint64_t sent_bytes;
	int64_t longest_ns; /* of one call */
	uint32_t decided;
};

/* Processor time of this thread: what others do on the machine does not count. */
static struct mono cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (struct mono){t.tv_sec * DUR_S(1) + t.tv_nsec};
}

static size_t on_send(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len)
{
	((struct bench *)ctx)->sent_bytes += len;
	return len;
}

static int on_connect(void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *t)
{
	((struct bench *)ctx)->conn[peer] = conn;
	return 0;
}

static void on_close(void *ctx, bgp_conn conn)
{
}

static void on_up(void *ctx, uint32_t peer, uint8_t families)
{
}

static void on_down(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept)
{
}

static const struct bgp_ops ops = {
    .connect = on_connect, .close = on_close, .send = on_send, .up = on_up, .down = on_down};

/* ---- the table as a stream of UPDATEs ---- */

struct stream {
	uint8_t *bytes;
	size_t len, room;
};

static void put_attrs(struct wirebuf *b, uint32_t set, struct rng *rng)
{
	unsigned hops = 2 + rng_below(rng, 5), communities = rng_below(rng, 6);

	wirebuf_put(b, "\x40\x01\x01\x00", 4);
	wirebuf_u8(b, 0x40);
	wirebuf_u8(b, 2);
	wirebuf_u8(b, (uint8_t)(2 + 4 * hops));
	wirebuf_u8(b, 2);
	wirebuf_u8(b, (uint8_t)hops);
	wirebuf_u32(b, 65001);
	for (unsigned i = 1; i < hops; i++)
		wirebuf_u32(b, i == 1 ? 100000 + set : 1 + rng_below(rng, 60000));
	wirebuf_put(b, "\x40\x03\x04\x0a\x00\x00\x02", 7);
	if (communities == 0)
		return;
	wirebuf_u8(b, 0xc0);
	wirebuf_u8(b, 8);
	wirebuf_u8(b, (uint8_t)(4 * communities));
	for (unsigned i = 0; i < communities; i++)
		wirebuf_u32(b, rng_u32(rng));
}

/* Distinct prefixes, /24 for the most part, in scattered order. */
static void put_prefix(struct wirebuf *b, uint32_t number)
{
	uint32_t at =
	    (uint32_t)(number * UINT64_C(2654435761) % (1u << 23)); /* odd: a permutation */
	uint32_t addr = ((at >> 16) + 1) << 24 | (at & 0xffff) << 8;

	wirebuf_u8(b, 24);
	wirebuf_u8(b, (uint8_t)(addr >> 24));
	wirebuf_u8(b, (uint8_t)(addr >> 16));
	wirebuf_u8(b, (uint8_t)(addr >> 8));
}

static void put_update(
    struct stream *s, uint32_t set, uint32_t first, uint32_t count, struct rng *rng)
{
	struct wirebuf b;
	size_t begin, length_at;

	if (s->len + BGP_MESSAGE_MAX > s->room) {
		s->room = 2 * (s->len + BGP_MESSAGE_MAX);
		s->bytes = realloc(s->bytes, s->room);
	}
	b = wirebuf_of(s->bytes + s->len, BGP_MESSAGE_MAX);
	begin = bgp_message_begin(&b, BGP_UPDATE);
	wirebuf_u16(&b, 0);
	length_at = wirebuf_len(&b);
	wirebuf_u16(&b, 0);
	put_attrs(&b, set, rng);
	wirebuf_u16_at(&b, length_at, (uint16_t)(wirebuf_len(&b) - length_at - 2));
	for (uint32_t i = 0; i < count; i++)
		put_prefix(&b, first + i);
	bgp_message_end(&b, begin);
	s->len += wirebuf_len(&b);
}

static struct stream make_stream(uint32_t prefixes, uint32_t sets)
{
	struct stream s = {0};
	struct rng rng;
	uint32_t done = 0;

	rng_init_seeded(&rng, 1);
	for (uint32_t set = 0; set < sets; set++) {
		uint32_t until = (uint32_t)((uint64_t)prefixes * (set + 1) / sets);

		while (done < until) {
			uint32_t n = until - done < 900 ? until - done : 900;

			put_update(&s, set, done, n, &rng);
			done += n;
		}
	}
	return s;
}

/* ---- sessions ---- */

static void hand_in(struct bench *b, uint32_t peer, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		struct mono before = cpu_now();
		size_t took = bgp_received(b->engine, mono_now(), b->conn[peer], bytes, len);
		int64_t ns = mono_diff(before, cpu_now());

		if (ns > b->longest_ns)
			b->longest_ns = ns;
		bytes += took;
		len -= took;
	}
}

static void establish(struct bench *b, uint32_t peer, uint32_t as)
{
	struct bgp_peer_config c = bgp_peer_defaults();
	struct bgp_open open = {.as = as,
	    .id = 0x0a000000 + peer,
	    .hold_s = 90,
	    .families = 1,
	    .as4 = true,
	    .has_capabilities = true,
	    .role = BGP_ROLE_NONE};
	uint8_t bytes[256];
	struct wirebuf w = wirebuf_of(bytes, sizeof(bytes));

	snprintf(c.name, sizeof(c.name), "peer%u", peer);
	c.local_as = 65000;
	c.remote_as = as;
	c.transport.local = ip_v4(0x0a000001);
	c.transport.remote = ip_v4(0x0a000000 + peer);
	c.view = peer == SINK ? VIEW : 0;
	bgp_peer_add(b->engine, mono_now(), peer, &c, NULL);
	bgp_peer_start(b->engine, mono_now(), peer);
	bgp_connected(b->engine, mono_now(), b->conn[peer], &c.transport.local);
	bgp_open_write(&w, &open);
	bgp_message_end(&w, bgp_message_begin(&w, BGP_KEEPALIVE));
	hand_in(b, peer, bytes, wirebuf_len(&w));
}

static bool run_once(struct bench *b)
{
	struct mono before = cpu_now();
	bool more = bgp_run(b->engine, mono_now());
	int64_t ns = mono_diff(before, cpu_now());

	if (ns > b->longest_ns)
		b->longest_ns = ns;
	return more;
}

/* What the model does: takes changes, decides, publishes. */
static void decide(struct bench *b, bool publish)
{
	static const struct bgp_decide_options options = {.max_paths = 16};
	struct bgp_change change[256];
	struct bgp_path path[16];
	size_t n;

	while ((n = bgp_changes(b->engine, change, 256)) > 0) {
		for (size_t i = 0; i < n; i++) {
			unsigned count = bgp_paths_changed(b->engine, &change[i], path, 16);

			b->decided += bgp_decide(path, count, &options) > 0;
			if (publish && count)
				bgp_view_set(b->engine, VIEW, &change[i].prefix, path[0].attrs,
				    path[0].peer, 0);
			else if (publish)
				bgp_view_unset(b->engine, VIEW, &change[i].prefix);
		}
	}
}

static void load(struct bench *b, const struct stream *s, bool publish)
{
	for (size_t at = 0; at < s->len;) {
		size_t chunk = s->len - at < 65536 ? s->len - at : 65536;

		hand_in(b, SOURCE, s->bytes + at, chunk);
		at += chunk;
		decide(b, publish);
		run_once(b);
	}
}

static double seconds_since(struct mono start)
{
	return (double)mono_diff(start, cpu_now()) / 1e9;
}

static void report(struct bench *b, const char *what, struct mono start)
{
	printf("%-34s %7.3f s   longest call %6.2f ms\n", what, seconds_since(start),
	    (double)b->longest_ns / 1e6);
	b->longest_ns = 0;
}

int main(int argc, char **argv)
{
	uint32_t prefixes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1050000;
	uint32_t sets = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 50000;
	const struct bgp_config config = {.router_id = 0x0a000001, .restart_s = 120};
	struct stream s = make_stream(prefixes, sets);
	struct bench b = {0};
	struct bgp_peer_info info;
	struct bgp_usage usage;
	struct mallinfo2 before, after;
	struct mono start;

	rng_init_system(&b.rng);
	log_set_level(LOG_ERROR);
	before = mallinfo2();
	b.engine = bgp_create(&ops, &b, &b.rng, &config, mono_now());
	establish(&b, SOURCE, 65001);
	start = cpu_now();
	load(&b, &s, false);
	report(&b, "first octet to last route decided", start);
	after = mallinfo2();
	usage = bgp_usage(b.engine);
	printf("%u prefixes, %u routes, %u sets of %.0f bytes; %u decisions\n", usage.prefixes[0],
	    usage.routes[0], usage.attribute_sets,
	    (double)usage.attribute_bytes / usage.attribute_sets, b.decided);
	printf("memory %.1f MB, %.1f bytes per route\n",
	    (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1e6,
	    (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
		usage.routes[0]);

	start = cpu_now();
	load(&b, &s, false);
	report(&b, "the same again, no change", start);

	establish(&b, SINK, 65002);
	start = cpu_now();
	bgp_peer_reimport(b.engine, SOURCE);
	while (run_once(&b))
		;
	report(&b, "soft reconfiguration inbound", start);
	bgp_peer_reset(b.engine, mono_now(), SOURCE, false, NULL);
	while (run_once(&b))
		decide(&b, false);
	bgp_peer_start(b.engine, mono_now(), SOURCE);
	bgp_peer_remove(b.engine, mono_now(), SOURCE);
	establish(&b, SOURCE, 65001);
	b.longest_ns = 0;

	start = cpu_now();
	load(&b, &s, true);
	while (run_once(&b))
		;
	report(&b, "learned and told to another", start);
	bgp_peer_get(b.engine, SINK, &info);
	printf("told %u prefixes in %llu UPDATEs, %.1f MB\n", info.rib[0].announced,
	    (unsigned long long)info.counters.updates_out, (double)b.sent_bytes / 1e6);
	after = mallinfo2();
	printf("memory %.1f MB\n",
	    (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1e6);

	start = cpu_now();
	bgp_peer_stop(b.engine, mono_now(), SOURCE, BGP_CEASE_SHUTDOWN, NULL);
	do {
		decide(&b, true);
	} while (run_once(&b));
	report(&b, "source gone, all withdrawn", start);
	bgp_peer_get(b.engine, SINK, &info);
	printf("still told %u\n", info.rib[0].announced);
	bgp_destroy(b.engine);
	free(s.bytes);
	return 0;
}
