/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One BGP engine with three peers (external, internal client, external with 2-octet AS numbers), and an input that says
 * what they do: bytes in any portions, messages, UPDATEs whose attributes are any bytes, connections that come and
 * break, commands, time, transports that are full. Routes are decided and announced to all. Whatever comes, what
 * the engine sends is well formed, and when the peers are gone nothing of them is left.
 *
 * The input is a list of steps: kind, peer, length (2 bytes), that many bytes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bgp/attr.h"
#include "bgp/bgp.h"
#include "bgp/message.h"
#include "bgp/nlri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS     3
#define VIEW      1
#define STEPS_MAX 60
#define LOCAL_AS  65000u
#define LOCAL_ID  0x0a0000feu

enum step_kind {
	STEP_RAW,       /* bytes, the first of which says in what portions */
	STEP_MESSAGE,   /* type, body */
	STEP_UPDATE,    /* good attributes, then these, and two prefixes */
	STEP_ESTABLISH, /* OPEN, with these capabilities, and KEEPALIVE */
	STEP_CONNECT,   /* of the peer, or of ours */
	STEP_CLOSE,
	STEP_COMMAND,
	STEP_WAIT,
	STEP_KINDS,
};

struct remote {
	bgp_conn conn;
	bool connecting;
	size_t window; /* bytes that its transport takes until it is asked again */
	uint8_t *sent; /* of the connection `of`, not checked yet */
	bgp_conn of;
	size_t len;
};

struct world {
	struct bgp_engine *engine;
	struct rng rng;
	struct mono now;
	struct remote remote[PEERS + 1];
	struct bgp_parse parse;
	struct bgp_attr_room room;
};

static void broken(const char *what)
{
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static uint32_t as_of(uint32_t peer)
{
	return peer == 2 ? LOCAL_AS : 65000u + peer;
}

/* ---- what the engine sends ---- */

/* As this peer would read it: no error of any class. */
static void check_update(struct world *w, uint32_t peer, struct wire body)
{
	const struct bgp_attr_session session = {.as4 = peer != 3,
	    .external = peer != 2,
	    .allow_sets = true,
	    .families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6)};
	struct wire withdrawn = wire_sub(&body, wire_u16(&body));
	struct wire attrs = wire_sub(&body, wire_u16(&body));
	struct bgp_nlri nlri;

	if (!wire_ok(&body))
		broken("lengths of an UPDATE");
	bgp_attr_parse(&w->parse, &session, &w->room, attrs, wire_left(&body) > 0);
	if (w->parse.class != BGP_CLASS_NONE)
		broken("attributes of an UPDATE");
	while (bgp_nlri_next(BGP_IPV4, &withdrawn, &nlri) || bgp_nlri_next(BGP_IPV4, &body, &nlri))
		;
	if (wire_left(&withdrawn) || wire_left(&body))
		broken("prefixes of an UPDATE");
}

/* Whole messages are checked, and the rest kept. */
static void check_sent(struct world *w, uint32_t peer)
{
	struct remote *r = &w->remote[peer];
	struct bgp_header header;
	struct bgp_error error;
	size_t at = 0;

	while (r->len - at >= BGP_HEADER_BYTES) {
		if (!bgp_header_parse(r->sent + at, BGP_MESSAGE_EXT_MAX, &header, &error))
			broken("header of a message");
		if (header.len > r->len - at)
			break;
		struct wire body = wire_of(r->sent + at, header.len);
		wire_skip(&body, BGP_HEADER_BYTES);
		if (header.type == BGP_UPDATE)
			check_update(w, peer, body);
		at += header.len;
	}
	memmove(r->sent, r->sent + at, r->len - at);
	r->len -= at;
}

static uint32_t peer_of(const struct world *w, bgp_conn conn)
{
	for (uint32_t i = 1; i <= PEERS; i++) {
		if (w->remote[i].of == conn)
			return i;
	}
	return 0;
}

static size_t op_send(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	uint32_t peer = peer_of(w, conn);
	struct remote *r = &w->remote[peer];

	if (!peer) /* the other one of two */
		return len;
	if (len > r->window)
		len = r->window;
	r->window -= len;
	r->sent = realloc(r->sent, r->len + len + 1);
	memcpy(r->sent + r->len, bytes, len);
	r->len += len;
	check_sent(w, peer);
	return len;
}

static void join(struct remote *r, bgp_conn conn)
{
	r->conn = r->of = conn;
	r->len = 0;
	r->window = SIZE_MAX;
}

static int op_connect(
    void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *transport)
{
	struct remote *r = &((struct world *)ctx)->remote[peer];

	r->connecting = true;
	r->conn = conn;
	return 0;
}

static void op_close(void *ctx, bgp_conn conn)
{
	struct world *w = ctx;

	for (uint32_t i = 1; i <= PEERS; i++) {
		if (w->remote[i].conn != conn)
			continue;
		w->remote[i].conn = 0;
		w->remote[i].connecting = false;
	}
}

static void op_up(void *ctx, uint32_t peer, uint8_t families)
{
}

static void op_down(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept)
{
}

static bool op_policy(struct bgp_edit *edit, uint32_t peer)
{
	edit->set_med = peer == 1;
	edit->med = 5;
	edit->prepend_count = peer == 3;
	return true;
}

static bool op_import(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, struct bgp_edit *edit)
{
	return prefix->len != 9 && op_policy(edit, peer);
}

static bool op_export(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit)
{
	return prefix->len != 10 && op_policy(edit, peer);
}

static const struct bgp_ops ops = {.connect = op_connect,
    .close = op_close,
    .send = op_send,
    .up = op_up,
    .down = op_down,
    .import = op_import,
    .export = op_export};

/* ---- routes ---- */

static void decide(struct world *w)
{
	static const struct bgp_decide_options options = {.max_paths = 2, .relax_as_path = true};
	struct bgp_change change[64];
	struct bgp_path path[PEERS];
	size_t n;

	while ((n = bgp_changes(w->engine, change, 64)) > 0) {
		for (size_t i = 0; i < n; i++) {
			unsigned paths = bgp_paths_changed(w->engine, &change[i], path, PEERS);

			if (bgp_decide(path, paths, &options) > 0)
				bgp_view_set(w->engine, VIEW, &change[i].prefix, path[0].attrs,
				    path[0].peer, 0);
			else
				bgp_view_unset(w->engine, VIEW, &change[i].prefix);
		}
	}
}

static void settle(struct world *w)
{
	for (unsigned i = 0; i < 1000; i++) {
		decide(w);
		if (!bgp_run(w->engine, w->now))
			return;
	}
	broken("work without end");
}

/* ---- steps ---- */

static void give(struct world *w, uint32_t peer, const uint8_t *bytes, size_t len)
{
	bgp_conn conn = w->remote[peer].conn;

	for (unsigned i = 0; len > 0 && conn; i++) {
		size_t took = bgp_received(w->engine, w->now, conn, bytes, len);

		if (took > len || i > 100000)
			broken("bytes taken");
		bytes += took;
		len -= took;
	}
}

static void message(struct world *w, uint32_t peer, uint8_t type, struct wire body)
{
	uint8_t bytes[BGP_MESSAGE_EXT_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	size_t begin = bgp_message_begin(&b, type);

	wirebuf_put(&b, body.at, wire_left(&body));
	bgp_message_end(&b, begin);
	if (wirebuf_ok(&b))
		give(w, peer, bytes, wirebuf_len(&b));
}

static void update(struct world *w, uint32_t peer, struct wire more)
{
	static const uint8_t old_path[] = "\x40\x02\x04\x02\x01\xfd\xeb",
			     path[] = "\x40\x02\x06\x02\x01\x00\x00\xfd\xe9";
	uint8_t bytes[BGP_MESSAGE_MAX];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	uint8_t first = wire_u8(&more);
	size_t len_at;

	wirebuf_u16(&b, 0);
	len_at = wirebuf_len(&b);
	wirebuf_u16(&b, 0);
	wirebuf_put(&b, "\x40\x01\x01\x00\x40\x03\x04\x0a\x00\x00\x01", 11);
	if (peer == 3)
		wirebuf_put(&b, old_path, 7);
	else
		wirebuf_put(&b, path, 9);
	wirebuf_put(&b, more.at, wire_left(&more));
	wirebuf_u16_at(&b, len_at, (uint16_t)(wirebuf_len(&b) - len_at - 2));
	wirebuf_u8(&b, 8);
	wirebuf_u8(&b, first % 100 + 1);
	wirebuf_u8(&b, 9 + first % 3);
	wirebuf_put(&b, "\x0b\x40", 2);
	if (wirebuf_ok(&b))
		message(w, peer, BGP_UPDATE, wire_of(bytes, wirebuf_len(&b)));
}

static void connection(struct world *w, uint32_t peer)
{
	struct remote *r = &w->remote[peer];
	const struct ip_addr local = ip_v4(LOCAL_ID);
	bgp_conn conn = r->conn;

	if (!r->connecting)
		conn = bgp_accepted(w->engine, w->now, peer);
	if (!conn)
		return;
	r->connecting = false;
	join(r, conn);
	bgp_connected(w->engine, w->now, conn, &local);
}

static void establish(struct world *w, uint32_t peer, struct wire more)
{
	uint8_t body[512];
	struct wirebuf b = wirebuf_of(body, sizeof(body));
	size_t len = wire_left(&more) < 200 ? wire_left(&more) : 200;

	if (!w->remote[peer].conn || w->remote[peer].connecting)
		connection(w, peer);
	wirebuf_u8(&b, BGP_VERSION);
	wirebuf_u16(&b, (uint16_t)as_of(peer));
	wirebuf_u16(&b, 90);
	wirebuf_u32(&b, 0x0a000000u + peer);
	wirebuf_u8(&b, (uint8_t)(2 + len + (peer == 3 ? 0 : 18)));
	wirebuf_u8(&b, 2);
	wirebuf_u8(&b, (uint8_t)(len + (peer == 3 ? 0 : 18)));
	if (peer != 3) { /* both families, 4-octet AS numbers */
		wirebuf_put(&b, "\x01\x04\x00\x01\x00\x01\x01\x04\x00\x02\x00\x01\x41\x04", 14);
		wirebuf_u32(&b, as_of(peer));
	}
	wirebuf_put(&b, more.at, len);
	message(w, peer, BGP_OPEN, wire_of(body, wirebuf_len(&b)));
	message(w, peer, BGP_KEEPALIVE, wire_of(body, 0));
}

static void wait(struct world *w, int64_t ns)
{
	struct mono end = mono_add(w->now, ns), due;

	settle(w);
	for (unsigned i = 0; i < 100 && bgp_next(w->engine, &due) && !mono_before(end, due); i++) {
		if (mono_before(w->now, due))
			w->now = due;
		settle(w);
	}
	w->now = end;
}

static struct bgp_peer_config config_of(uint32_t peer)
{
	struct bgp_peer_config c = bgp_peer_defaults();

	snprintf(c.name, sizeof(c.name), "peer%u", peer);
	c.transport.local = ip_v4(LOCAL_ID);
	c.transport.remote = ip_v4(0x0a000000u + peer);
	c.local_as = LOCAL_AS;
	c.remote_as = as_of(peer);
	c.families = BGP_FAMILY_BIT(BGP_IPV4) | (peer == 3 ? 0 : BGP_FAMILY_BIT(BGP_IPV6));
	ip_parse("2001:db8::fe", &c.next_hop[BGP_IPV6]);
	c.reflect = peer == 2;
	c.extended_messages = peer == 2;
	c.allow_as_set = peer == 3;
	c.has_import = c.has_export = peer != 2;
	c.limit_in[BGP_IPV4].max = 1000;
	c.view = VIEW;
	return c;
}

static void command(struct world *w, uint32_t peer, struct wire more)
{
	struct bgp_peer_config c = config_of(peer);

	switch (wire_u8(&more) % 10) {
	case 0:
		bgp_peer_reset(w->engine, w->now, peer, wire_u8(&more) % 2, "again");
		break;
	case 1:
		bgp_peer_refresh(w->engine, w->now, peer);
		break;
	case 2:
		bgp_peer_stop(w->engine, w->now, peer, BGP_CEASE_SHUTDOWN, "bye");
		break;
	case 3:
		bgp_peer_start(w->engine, w->now, peer);
		break;
	case 4:
		bgp_peer_reachable(w->engine, peer, wire_u8(&more) % 2);
		break;
	case 5:
		bgp_peer_reimport(w->engine, peer);
		break;
	case 6:
		bgp_peer_reexport(w->engine, peer);
		break;
	case 7:
		w->remote[peer].window = wire_u16(&more);
		break;
	case 8:
		w->remote[peer].window = SIZE_MAX;
		if (w->remote[peer].conn)
			bgp_writable(w->engine, w->now, w->remote[peer].conn);
		break;
	case 9:
		c.limit_in[BGP_IPV4].max = wire_u8(&more);
		c.limit_out[BGP_IPV4] = wire_u8(&more);
		bgp_peer_update(w->engine, w->now, peer, &c, NULL);
		break;
	}
}

static void raw(struct world *w, uint32_t peer, struct wire more)
{
	size_t portion = wire_u8(&more);

	if (portion == 0)
		portion = 1u << 16;
	while (wire_left(&more) > 0) {
		size_t n = wire_left(&more) < portion ? wire_left(&more) : portion;

		give(w, peer, wire_bytes(&more, n), n);
	}
}

static void step(struct world *w, struct wire *input)
{
	uint8_t kind = wire_u8(input) % STEP_KINDS;
	uint32_t peer = 1 + wire_u8(input) % PEERS;
	uint16_t len = wire_u16(input);
	struct wire more = wire_sub(input, len < wire_left(input) ? len : wire_left(input));
	bgp_conn conn = w->remote[peer].conn;

	switch (kind) {
	case STEP_RAW:
		raw(w, peer, more);
		break;
	case STEP_MESSAGE:
		message(w, peer, wire_u8(&more), more);
		break;
	case STEP_UPDATE:
		update(w, peer, more);
		break;
	case STEP_ESTABLISH:
		establish(w, peer, more);
		break;
	case STEP_CONNECT:
		connection(w, peer);
		break;
	case STEP_CLOSE:
		w->remote[peer].conn = 0;
		w->remote[peer].connecting = false;
		bgp_closed(w->engine, w->now, conn);
		break;
	case STEP_COMMAND:
		command(w, peer, more);
		break;
	case STEP_WAIT:
		wait(w, DUR_MS(500) * wire_u8(&more));
		break;
	}
	settle(w);
}

/* ---- begin and end ---- */

static void quiet(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

static void begin(struct world *w)
{
	const struct bgp_config config = {.router_id = LOCAL_ID, .restart_s = 120};

	log_set_sink(quiet, NULL);
	w->now = (struct mono){DUR_S(1000)};
	rng_init_seeded(&w->rng, 1);
	w->engine = bgp_create(&ops, w, &w->rng, &config, w->now);
	for (uint32_t i = 1; i <= PEERS; i++) {
		const struct bgp_peer_config c = config_of(i);

		if (bgp_peer_add(w->engine, w->now, i, &c, NULL) < 0)
			broken("configuration of a peer");
		bgp_peer_start(w->engine, w->now, i);
	}
}

static void end(struct world *w)
{
	struct bgp_usage usage;

	for (uint32_t i = 1; i <= PEERS; i++)
		bgp_peer_remove(w->engine, w->now, i);
	settle(w);
	bgp_view_remove(w->engine, VIEW);
	settle(w);
	usage = bgp_usage(w->engine);
	if (usage.prefixes[BGP_IPV4] || usage.prefixes[BGP_IPV6] || usage.routes[BGP_IPV4] ||
	    usage.routes[BGP_IPV6] || usage.attribute_sets || usage.timers)
		broken("something is left");
	bgp_destroy(w->engine);
	for (uint32_t i = 1; i <= PEERS; i++)
		free(w->remote[i].sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct wire input = wire_of(data, size);

	memset(&w, 0, sizeof(w));
	begin(&w);
	for (unsigned i = 0; i < STEPS_MAX && wire_left(&input) >= 4; i++)
		step(&w, &input);
	end(&w);
	return 0;
}
