/* SPDX-License-Identifier: BSD-3-Clause */

#include "speaker.h"

#include <ctype.h>

#include "base/text.h"

#define VIEW 1

size_t unhex(const char *hex, uint8_t *out, size_t room)
{
	size_t n = 0;
	int high = -1;

	for (; *hex; hex++) {
		int digit;

		if (isspace((unsigned char)*hex))
			continue;
		assert_true(isxdigit((unsigned char)*hex));
		digit = isdigit((unsigned char)*hex) ? *hex - '0' : tolower(*hex) - 'a' + 10;
		if (high < 0) {
			high = digit;
			continue;
		}
		assert_true(n < room);
		out[n++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	assert_int_equal(high, -1);
	return n;
}

/* ---- the engine's surroundings ---- */

static struct remote *remote_of(struct speaker *s, bgp_conn conn)
{
	for (unsigned i = 1; i <= PEERS_MAX; i++)
		if (s->remote[i].conn == conn)
			return &s->remote[i];
	return NULL;
}

uint32_t speaker_id(const struct speaker *s, unsigned peer)
{
	return s->id[peer] ? s->id[peer] : peer;
}

static struct remote *remote_of_id(struct speaker *s, uint32_t id)
{
	for (unsigned i = 1; i <= PEERS_MAX; i++) {
		if (speaker_id(s, i) == id)
			return &s->remote[i];
	}
	fail_msg("the engine speaks of peer %u, which nobody knows", id);
	return NULL;
}

static int on_connect(void *ctx, uint32_t peer, bgp_conn conn, const struct bgp_transport *t)
{
	struct remote *r = remote_of_id(ctx, peer);

	assert_false(r->connecting);
	r->conn = conn;
	r->connecting = true;
	r->connects++;
	return 0;
}

static void on_close(void *ctx, bgp_conn conn)
{
	struct remote *r = remote_of(ctx, conn);

	if (!r) /* an older one, after another came */
		return;
	r->connecting = r->open = false;
	r->closes++;
}

static size_t on_send(void *ctx, bgp_conn conn, const uint8_t *bytes, size_t len)
{
	struct remote *r = remote_of(ctx, conn);
	size_t room;

	if (!r)
		return len;
	room = r->window > r->len ? r->window - r->len : 0;
	if (len > room)
		len = room;
	if (r->len + len > r->room) {
		r->room = 2 * (r->len + len);
		r->bytes = realloc(r->bytes, r->room);
	}
	if (len)
		memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
	return len;
}

static void on_up(void *ctx, uint32_t peer, uint8_t families)
{
	struct remote *r = remote_of_id(ctx, peer);

	r->ups++;
	r->routes = 0;
}

static void on_down(void *ctx, uint32_t peer, const struct bgp_end *end, uint8_t kept)
{
	struct remote *r = remote_of_id(ctx, peer);

	r->downs++;
	r->end = *end;
	r->kept = kept;
}

static bool on_import(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, struct bgp_edit *edit)
{
	struct speaker *s = ctx;

	return !s->import || s->import(peer, prefix, attrs, edit);
}

static bool on_export(void *ctx, uint32_t peer, const struct ip_prefix *prefix,
    const struct bgp_attrs *attrs, uint32_t tag, struct bgp_edit *edit)
{
	struct speaker *s = ctx;

	return !s->export || s->export(peer, prefix, attrs, tag, edit);
}

static void on_learned(void *ctx)
{
	((struct speaker *)ctx)->learned++;
}

static const struct bgp_ops ops = {
    .connect = on_connect,
    .close = on_close,
    .send = on_send,
    .up = on_up,
    .down = on_down,
    .import = on_import,
    .export = on_export,
    .learned = on_learned,
};

static void drop_line(
    void *ctx, enum log_level level, const char *subsystem, const char *object, const char *line)
{
}

void speaker_init_with(struct speaker *s, const struct bgp_config *config)
{
	*s = (struct speaker){.rng = test_rng(), .now = {DUR_S(1000)}};
	if (!getenv("TEST_LOG"))
		log_set_sink(drop_line, NULL);
	else
		log_set_level(LOG_DEBUG);
	for (unsigned i = 1; i <= PEERS_MAX; i++) {
		s->remote[i].window = SIZE_MAX;
		s->remote[i].message_max = BGP_MESSAGE_MAX;
	}
	s->engine = bgp_create(&ops, s, &s->rng, config, s->now);
	assert_non_null(s->engine);
}

void speaker_init(struct speaker *s)
{
	const struct bgp_config config = {.router_id = LOCAL_ID, .restart_s = 120};

	speaker_init_with(s, &config);
}

void speaker_fini(struct speaker *s)
{
	struct bgp_usage usage;

	for (unsigned i = 1; i <= PEERS_MAX; i++) {
		bgp_peer_remove(s->engine, s->now, speaker_id(s, i));
		free(s->remote[i].bytes);
		free(s->remote[i].route);
		s->remote[i].bytes = NULL;
		s->remote[i].conn = 0;
	}
	bgp_view_remove(s->engine, VIEW);
	for (int i = 0; i < 1000 && bgp_run(s->engine, s->now); i++) {
		struct bgp_change change[64];

		bgp_changes(s->engine, change, 64);
	}
	for (struct bgp_change change[64]; bgp_changes(s->engine, change, 64) > 0;)
		;
	usage = bgp_usage(s->engine);
	assert_int_equal(usage.prefixes[BGP_IPV4], 0);
	assert_int_equal(usage.prefixes[BGP_IPV6], 0);
	assert_int_equal(usage.routes[BGP_IPV4], 0);
	assert_int_equal(usage.routes[BGP_IPV6], 0);
	assert_int_equal(usage.attribute_sets, 0);
	assert_int_equal(usage.timers, 0);
	bgp_destroy(s->engine);
}

struct bgp_peer_config speaker_config(unsigned peer)
{
	struct bgp_peer_config c = bgp_peer_defaults();

	snprintf(c.name, sizeof(c.name), "peer%u", peer);
	c.transport.local = ip_v4(LOCAL_ID);
	c.transport.remote = ip_v4(PEER_ID(peer));
	c.local_as = LOCAL_AS;
	c.remote_as = PEER_AS(peer);
	c.view = VIEW;
	return c;
}

void speaker_add(struct speaker *s, unsigned peer, const struct bgp_peer_config *config)
{
	const char *why = "";

	if (bgp_peer_add(s->engine, s->now, speaker_id(s, peer), config, &why))
		fail_msg("%s", why);
	assert_int_equal(bgp_peer_start(s->engine, s->now, speaker_id(s, peer)), 0);
}

void speaker_begin(struct speaker *s, unsigned peer)
{
	struct bgp_peer_config config = speaker_config(peer);

	speaker_add(s, peer, &config);
}

void speaker_run(struct speaker *s)
{
	unsigned turns = 0;

	while (bgp_run(s->engine, s->now))
		assert_true(++turns < 100000);
}

void speaker_wait(struct speaker *s, int64_t ns)
{
	struct mono end = mono_add(s->now, ns), due;

	speaker_run(s);
	while (bgp_next(s->engine, &due) && !mono_before(end, due)) {
		if (mono_before(s->now, due))
			s->now = due;
		speaker_run(s);
	}
	s->now = end;
}

/* ---- connections ---- */

static void fresh(struct remote *r)
{
	r->open = true;
	r->connecting = false;
	r->len = 0;
}

void speaker_accept(struct speaker *s, unsigned peer)
{
	struct remote *r = &s->remote[peer];
	struct ip_addr local = ip_v4(LOCAL_ID);

	assert_true(r->connecting);
	fresh(r);
	bgp_connected(s->engine, s->now, r->conn, &local);
}

bool speaker_connect(struct speaker *s, unsigned peer)
{
	struct remote *r = &s->remote[peer];
	struct ip_addr local = ip_v4(LOCAL_ID);
	bgp_conn conn = bgp_accepted(s->engine, s->now, speaker_id(s, peer));

	if (!conn)
		return false;
	r->conn = conn;
	fresh(r);
	bgp_connected(s->engine, s->now, conn, &local);
	return true;
}

void speaker_close(struct speaker *s, unsigned peer)
{
	struct remote *r = &s->remote[peer];
	bgp_conn conn = r->conn;

	r->open = r->connecting = false;
	r->conn = 0;
	bgp_closed(s->engine, s->now, conn);
}

/* ---- bytes of the peer ---- */

void speaker_bytes(struct speaker *s, unsigned peer, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t took = bgp_received(s->engine, s->now, s->remote[peer].conn, bytes, len);

		assert_true(took > 0 && took <= len);
		bytes += took;
		len -= took;
	}
}

void speaker_hex(struct speaker *s, unsigned peer, const char *hex)
{
	static uint8_t bytes[70000];

	speaker_bytes(s, peer, bytes, unhex(hex, bytes, sizeof(bytes)));
}

void speaker_send(struct speaker *s, unsigned peer, uint8_t type, const char *body_hex)
{
	static uint8_t bytes[70000];
	size_t len = 19 + unhex(body_hex, bytes + 19, sizeof(bytes) - 19);

	memset(bytes, 0xff, 16);
	bytes[16] = (uint8_t)(len >> 8);
	bytes[17] = (uint8_t)len;
	bytes[18] = type;
	speaker_bytes(s, peer, bytes, len);
}

void speaker_update(
    struct speaker *s, unsigned peer, const char *withdrawn, const char *attrs, const char *nlri)
{
	static uint8_t field[3][66000];
	static char hex[140000];
	size_t len[3] = {unhex(withdrawn, field[0], sizeof(field[0])),
	    unhex(attrs, field[1], sizeof(field[1])), unhex(nlri, field[2], sizeof(field[2]))};
	struct text t = text_of(hex, sizeof(hex));

	for (int i = 0; i < 3; i++) {
		if (i < 2)
			text_addf(&t, "%04zx", len[i]);
		for (size_t k = 0; k < len[i]; k++)
			text_addf(&t, "%02x", field[i][k]);
	}
	speaker_send(s, peer, BGP_UPDATE, hex);
}

void speaker_open(struct speaker *s, unsigned peer, const char *capabilities)
{
	uint8_t bytes[1024];
	size_t len = unhex(capabilities ? capabilities : "", bytes, sizeof(bytes));
	char hex[3000];
	struct text t = text_of(hex, sizeof(hex));

	text_addf(&t, "04 %04x 005a %08x", PEER_AS(peer), PEER_ID(peer));
	if (capabilities)
		text_addf(&t, "%02zx 02 %02zx %s", len + 2, len, capabilities);
	else
		text_add(&t, "00");
	speaker_send(s, peer, BGP_OPEN, hex);
}

void speaker_establish(struct speaker *s, unsigned peer, const char *capabilities)
{
	char all[1024];

	if (s->remote[peer].connecting)
		speaker_accept(s, peer);
	snprintf(all, sizeof(all), "41 04 %08x %s", PEER_AS(peer), capabilities);
	speaker_open(s, peer, all);
	KEEPALIVE(s, peer);
	assert_int_equal(speaker_state(s, peer), BGP_ESTABLISHED);
}

void speaker_up(struct speaker *s, unsigned peer)
{
	struct bgp_peer_config config = speaker_config(peer);

	speaker_add(s, peer, &config);
	speaker_establish(s, peer, CAP_REFRESH CAP_ENHANCED);
}

/* ---- routes ---- */

void speaker_decide(struct speaker *s)
{
	const struct bgp_decide_options options = {.max_paths = 1};
	struct bgp_change change[16];
	struct bgp_path path[PEERS_MAX];
	size_t n;

	while ((n = bgp_changes(s->engine, change, 16)) > 0) {
		for (size_t i = 0; i < n; i++) {
			unsigned count = bgp_paths_changed(s->engine, &change[i], path, PEERS_MAX);

			if (bgp_decide(path, count, &options) > 0)
				bgp_view_set(s->engine, VIEW, &change[i].prefix, path[0].attrs,
				    path[0].peer, 0);
			else
				bgp_view_unset(s->engine, VIEW, &change[i].prefix);
		}
	}
}

void speaker_settle(struct speaker *s)
{
	do {
		speaker_decide(s);
		speaker_run(s);
	} while (bgp_changes_waiting(s->engine) > 0);
}

unsigned speaker_paths(struct speaker *s, const char *prefix, struct bgp_path *out, unsigned max)
{
	struct ip_prefix p = test_prefix(prefix);

	return bgp_paths(s->engine, &p, out, max);
}

const struct bgp_attrs *speaker_attrs(struct speaker *s, const char *prefix)
{
	struct bgp_path path = {0};

	assert_int_equal(speaker_paths(s, prefix, &path, 1), 1);
	return path.attrs;
}

void speaker_local(struct speaker *s, const char *prefix)
{
	const struct bgp_attrs *attrs = bgp_attrs_local(s->engine, BGP_ORIGIN_IGP, NULL);
	struct ip_prefix p = test_prefix(prefix);

	bgp_view_set(s->engine, VIEW, &p, attrs, 0, 0);
	bgp_attrs_unref(s->engine, attrs);
}

void speaker_put(struct speaker *s, uint32_t view, const char *prefix, uint32_t community)
{
	const struct bgp_edit edit = {.community_count = 1, .community = {community}};
	const struct bgp_attrs *a = bgp_attrs_local(s->engine, BGP_ORIGIN_IGP, &edit);
	struct ip_prefix p = test_prefix(prefix);

	bgp_view_set(s->engine, view, &p, a, 0, 0);
	bgp_attrs_unref(s->engine, a);
}

const char *speaker_good(unsigned peer)
{
	static char hex[4][128];
	static unsigned turn;
	char *buf = hex[turn++ % 4];

	snprintf(buf, sizeof(hex[0]), "400101 00 400206 0201 %08x 400304 0a0000%02x", PEER_AS(peer),
	    peer);
	return buf;
}
