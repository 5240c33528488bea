/* SPDX-License-Identifier: BSD-3-Clause */

/* What the control socket answers about tunnels and their SAs, and does to them. No keys, ever, but `show psk`. */

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "router/show/show.h"

/* Milliseconds of the control lcore each. */
#define TUNNELS_PER_PAGE 250
#define SAS_PER_PAGE     250

static json_t *seconds_or_null(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e9);
}

static void set_endpoint(json_t *row, const char *key, const struct ike_endpoint *e)
{
	char addr[IP_TEXT_MAX], text[IP_TEXT_MAX + 8];

	if (e->port)
		snprintf(text, sizeof(text), "%s:%u", ip_text(&e->addr, addr), e->port);
	else
		text_copy(text, sizeof(text), ip_text(&e->addr, addr));
	json_object_set_new(row, key, json_string(text));
}

/* "aes128gcm16" or "aes128-sha1", with "-group14" behind it. */
static json_t *suite(enum alg_encr encr, enum alg_auth auth, enum alg_dh dh)
{
	char buf[96];
	struct text text = text_of(buf, sizeof(buf));

	text_add(&text, alg_encr(encr)->name);
	if (auth != AUTH_NONE)
		text_addf(&text, "-%s", alg_auth(auth)->name);
	if (dh != DH_NONE)
		text_addf(&text, "-%s", alg_dh(dh)->name);
	return json_string(buf);
}

/* ---- show tunnels ---- */

static const char *state_name(const struct vpn_tunnel *t)
{
	return ike_tunnel_state_name(t->ike_state);
}

static void add_error(json_t *row, const struct vpn_tunnel *t)
{
	if (t->error_code == IKE_ERROR_NONE) {
		json_object_set_new(row, "error", json_null());
		return;
	}
	json_object_set_new(row, "error", json_string(ike_error_name(t->error_code)));
	json_object_set_new(row, "error-text", json_string(t->error_text));
	json_object_set_new(row, "suggestion", json_string(ike_error_suggestion(t->error_code)));
}

static json_t *tunnel_row(struct router *r, const struct vpn_tunnel *t, struct mono now)
{
	const struct conf_tunnel *conf = t->model->conf;
	const struct tunnel *record = tunnel_get(&r->b->tunnels, t->model->index);
	char gateway[IP_TEXT_MAX], peer[IP_TEXT_MAX];
	struct slot_counters sum;
	struct ike_tunnel_info info;
	json_t *row;

	slot_read(&r->b->counters, t->model->slot, &sum);
	row = json_pack("{s:s, s:s, s:s, s:f, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I}",
	    "name", t->model->name, "connection", conf->connection->name, "state", state_name(t),
	    "state-seconds", (double)mono_diff(t->state_since, now) / 1e9, "gateway-address",
	    ip_text(&conf->gateway_address, gateway), "peer-address",
	    ip_text(&conf->customer_gateway->address, peer), "customer-gateway",
	    conf->customer_gateway->name, "keying",
	    conf->connection->keying == CONF_KEYING_MANUAL ? "manual" : "ike", "inner-mtu",
	    record ? (int)record->inner_mtu : 0, "times-up", (json_int_t)t->ups, "received-packets",
	    (json_int_t)sum.received, "received-bytes", (json_int_t)sum.received_bytes,
	    "sent-packets", (json_int_t)sum.sent, "sent-bytes", (json_int_t)sum.sent_bytes);
	if (ike_tunnel_get(r->ike, now, t->model->index, &info) == 0) {
		json_object_set_new(row, "attempts", json_integer(info.attempts));
		json_object_set_new(row, "rekeys", json_integer((json_int_t)info.rekeys));
		json_object_set_new(
		    row, "rehearsal", json_string(ike_rehearsal_name(info.rehearsal)));
		json_object_set_new(row, "retry-in-seconds", seconds_or_null(info.retry_in_ns));
	}
	json_object_set_new(row, "outer-mtu", json_integer(path_mtu_outer(t)));
	json_object_set_new(row, "eligible", json_boolean(eligible_is(t)));
	json_object_set_new(row, "not-eligible-because",
	    eligible_is(t) ? json_null() : json_string(eligible_why_not(t)));
	add_error(row, t);
	return row;
}

static json_t *show_tunnels(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct mono now = mono_now();
	json_int_t from = json_integer_value(json_object_get(request, "from"));
	json_t *rows = json_array();

	for (json_int_t i = from < 0 ? 0 : from; i < r->tunnel_capacity; i++) {
		if (!r->tunnel[i])
			continue;
		if (json_array_size(rows) == TUNNELS_PER_PAGE)
			return json_pack("{s:o, s:I}", "rows", rows, "next", i);
		json_array_append_new(rows, tunnel_row(r, r->tunnel[i], now));
	}
	return rows;
}

/* ---- show sas ---- */

struct sas_walk {
	struct router *r;
	json_t *rows;
	size_t first; /* row of the tunnel at hand */
	struct mono now;
};

static void ike_sa_row(void *arg, const struct ike_sa_info *info)
{
	struct sas_walk *walk = arg;
	char spi_i[20], spi_r[20];

	snprintf(spi_i, sizeof(spi_i), "%016llx", (unsigned long long)info->spi_i);
	snprintf(spi_r, sizeof(spi_r), "%016llx", (unsigned long long)info->spi_r);
	json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "tunnel",
	    info->name ? info->name : "-", "type", info->version == IKE_V2 ? "ikev2" : "ikev1",
	    "state", info->state, "role", info->initiator ? "initiator" : "responder", "spi-in",
	    info->initiator ? spi_i : spi_r, "spi-out", info->initiator ? spi_r : spi_i, "prf",
	    alg_auth(info->prf)->name, "nat-here", info->nat_here, "nat-there", info->nat_there);
	set_endpoint(row, "local", &info->local);
	set_endpoint(row, "remote", &info->remote);
	json_object_set_new(row, "algorithms", suite(info->encr, info->integ, info->dh));
	json_object_set_new(row, "age-seconds", seconds_or_null(info->age_ns));
	json_object_set_new(row, "rekey-in-seconds", seconds_or_null(info->rekey_in_ns));
	json_object_set_new(row, "expire-in-seconds", seconds_or_null(info->expire_in_ns));
	json_array_append_new(walk->rows, row);
}

static json_t *selectors(const struct ike_selector *ts, unsigned count)
{
	json_t *list = json_array();
	char text[IP_RANGE_TEXT_MAX];

	for (unsigned i = 0; i < count; i++) {
		struct ip_prefix p;
		char prefix[IP_PREFIX_TEXT_MAX];

		json_array_append_new(list,
		    json_string(ip_range_to_prefix(&ts[i].addr, &p)
			    ? ip_prefix_text(&p, prefix)
			    : ip_range_text(&ts[i].addr, text)));
	}
	return list;
}

static void set_direction(
    json_t *row, const char *direction, uint32_t spi, const struct sa_totals *sum)
{
	char text[12];

	snprintf(text, sizeof(text), "%08x", spi);
	json_object_set_new(
	    row, strcmp(direction, "in") == 0 ? "spi-in" : "spi-out", json_string(text));
	json_object_set_new(row, strcmp(direction, "in") == 0 ? "packets-in" : "packets-out",
	    json_integer((json_int_t)sum->packets));
	json_object_set_new(row, strcmp(direction, "in") == 0 ? "bytes-in" : "bytes-out",
	    json_integer((json_int_t)sum->bytes));
}

static json_t *child_row(const struct vpn_tunnel *t, const struct child *c)
{
	struct sa_totals in = {0}, out = {0};
	json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:b}", "tunnel", t->model->name, "type",
	    "esp", "state", c->out ? "installed" : "inbound-only", "udp-encapsulation",
	    c->sa.udp_encap, "esn", c->sa.esn);

	sa_totals_read(&c->in->head, &in);
	if (c->out)
		sa_totals_read(&c->out->head, &out);
	set_direction(row, "in", c->sa.spi_in, &in);
	set_direction(row, "out", c->sa.spi_out, &out);
	set_endpoint(row, "local", &c->sa.local);
	set_endpoint(row, "remote", &c->sa.remote);
	json_object_set_new(row, "algorithms", suite(c->sa.encr, c->sa.auth, c->sa.dh));
	json_object_set_new(row, "local-selectors", selectors(c->local_ts, c->sa.local_ts_count));
	json_object_set_new(
	    row, "remote-selectors", selectors(c->remote_ts, c->sa.remote_ts_count));
	json_object_set_new(row, "replayed", json_integer((json_int_t)(in.replay + in.replay_old)));
	json_object_set_new(row, "integrity-failures", json_integer((json_int_t)in.icv_failed));
	return row;
}

static void add_times(void *arg, const struct ike_child_info *info)
{
	struct sas_walk *walk = arg;
	char spi[12];

	snprintf(spi, sizeof(spi), "%08x", info->spi_in);
	for (size_t i = walk->first; i < json_array_size(walk->rows); i++) {
		json_t *row = json_array_get(walk->rows, i);
		const char *have = json_string_value(json_object_get(row, "spi-in"));

		if (!have || strcmp(have, spi) != 0)
			continue;
		json_object_set_new(row, "ike-state", json_string(info->state));
		json_object_set_new(row, "age-seconds", seconds_or_null(info->age_ns));
		json_object_set_new(row, "rekey-in-seconds", seconds_or_null(info->rekey_in_ns));
		json_object_set_new(row, "expire-in-seconds", seconds_or_null(info->expire_in_ns));
	}
}

static void child_rows(struct sas_walk *walk, uint32_t tunnel)
{
	struct vpn_tunnel *t = walk->r->tunnel[tunnel];
	struct child *c;

	walk->first = json_array_size(walk->rows);
	list_for (c, &t->children, node)
		json_array_append_new(walk->rows, child_row(t, c));
	ike_tunnel_each_child(walk->r->ike, walk->now, tunnel, add_times, walk);
}

/* First the ESP SAs of all tunnels, then their IKE SAs, then those of strangers. */
static json_t *show_sas(void *ctx, const json_t *request, struct api_error *error)
{
	struct sas_walk walk = {.r = ctx, .rows = json_array(), .now = mono_now()};
	struct router *r = ctx;
	json_int_t from = json_integer_value(json_object_get(request, "from"));

	for (json_int_t i = from < 0 ? 0 : from; i < 2 * (json_int_t)r->tunnel_capacity; i++) {
		uint32_t tunnel = (uint32_t)(i % r->tunnel_capacity);

		if (!r->tunnel[tunnel])
			continue;
		if (json_array_size(walk.rows) >= SAS_PER_PAGE)
			return json_pack("{s:o, s:I}", "rows", walk.rows, "next", i);
		if (i < r->tunnel_capacity)
			child_rows(&walk, tunnel);
		else
			ike_tunnel_each_sa(r->ike, walk.now, tunnel, ike_sa_row, &walk);
	}
	ike_each_stranger(r->ike, walk.now, ike_sa_row, &walk);
	return walk.rows;
}

static json_t *show_ike(void *ctx, const json_t *request, struct api_error *error)
{
	const struct ike_counters *c = ike_counters(((struct router *)ctx)->ike);
	json_t *row = json_object();

#define ADD(field, name, help) json_object_set_new(row, name, json_integer((json_int_t)c->field));
	IKE_COUNTER_LIST(ADD)
#undef ADD
	return row;
}

/* ---- actions ---- */

static struct vpn_tunnel *named(struct router *r, const json_t *request, struct api_error *error)
{
	const char *name = api_text(request, "name");
	struct vpn_tunnel *t = name ? tunnel_by_name(r, name) : NULL;

	if (!t)
		api_fail(error, "NoSuchTunnel",
		    "there is no tunnel \"%s\"; `show tunnels` lists them, as CONNECTION/NUMBER",
		    name ? name : "");
	else if (t->model->conf->connection->keying != CONF_KEYING_IKE) {
		api_fail(error, "ManualKeys",
		    "tunnel %s is keyed by hand: there is nothing to negotiate", name);
		t = NULL;
	}
	return t;
}

static json_t *done(const struct vpn_tunnel *t, int rc, struct api_error *error)
{
	if (rc == -EADDRNOTAVAIL)
		return api_fail(error, "PeerUnknown",
		    "the address of the peer of %s is not known: it has to start", t->model->name);
	if (rc < 0)
		return api_fail(error, "Failed", "%s: %s", t->model->name, strerror(-rc));
	return json_pack("{s:s, s:s}", "name", t->model->name, "state", state_name(t));
}

static json_t *tunnel_up(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = named(r, request, error);

	return t ? done(t, ike_tunnel_start(r->ike, mono_now(), t->model->index), error) : NULL;
}

static json_t *tunnel_down(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = named(r, request, error);

	return t ? done(t, ike_tunnel_stop(r->ike, mono_now(), t->model->index), error) : NULL;
}

static json_t *tunnel_rekey(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = named(r, request, error);
	const char *what = api_text(request, "what");
	bool ike = what && strcmp(what, "ike") == 0;

	if (!t)
		return NULL;
	if (what && !ike && strcmp(what, "child") != 0)
		return api_fail(
		    error, "BadArgument", "rekey what: \"ike\" or \"child\", not \"%s\"", what);
	return done(t, ike_tunnel_rekey(r->ike, mono_now(), t->model->index, ike), error);
}

static json_t *show_psk(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	struct vpn_tunnel *t = named(r, request, error);
	char psk[CONF_PSK_MAX + 1];
	int rc = 0;

	if (!t)
		return NULL;
	const struct conf_tunnel *conf = t->model->conf;
	text_copy(psk, sizeof(psk), conf->psk);
	if (conf->psk_absent)
		rc = psk_load_or_make(
		    r->conf->system.state_dir, conf->connection->name, conf->number, &r->rng, psk);
	json_t *out = rc < 0 ? NULL : json_pack("{s:s, s:s}", "name", t->model->name, "psk", psk);
	secret_wipe(psk, sizeof(psk));
	return out ? out : api_fail(error, "Failed", "%s", strerror(-rc));
}

static const struct api_command commands[] = {
    {"show tunnels", NULL, API_SHOW, show_tunnels,
	"tunnels: state, last error with a suggestion, counters"},
    {"show sas", NULL, API_SHOW, show_sas, "IKE SAs and ESP SAs: SPIs, algorithms, ages, counters"},
    {"show ike", NULL, API_SHOW, show_ike, "counters of the IKE engine"},
    {"show psk", "name", API_SECRET, show_psk, "the pre-shared key of a tunnel"},
    {"tunnel up", "name", API_ACTION, tunnel_up, "negotiate a tunnel now and keep it up"},
    {"tunnel down", "name", API_ACTION, tunnel_down, "close a tunnel until it is wanted again"},
    {"tunnel rekey", "name [what]", API_ACTION, tunnel_rekey,
	"new keys now: \"child\" (default) or \"ike\""},
};

int show_tunnels_init(struct router *r)
{
	for (unsigned i = 0; i < RTE_DIM(commands); i++) {
		int rc = api_register(r->api, &commands[i], r);

		if (rc < 0)
			return rc;
	}
	return 0;
}
