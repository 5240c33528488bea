/* SPDX-License-Identifier: BSD-3-Clause */

/* `peer-config`: which tunnels, in whose words, and whether keys may be in it (O5). */

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "router/peer_config/peer.h"
#include "router/show/show.h"

#define TEXT_MAX (64 * 1024)

static const struct {
	const char *name;
	peer_writer *write;
	bool negotiates; /* of no use with manual keys */
} formats[] = {
    {"swanctl", peer_swanctl, true},
    {"ipsec.conf", peer_libreswan, true},
    {"libreswan", peer_libreswan, true},
    {"bird", peer_bird, false},
    {"frr", peer_frr, false},
    {"text", peer_text, true},
};

struct chosen {
	struct peer_tunnel tunnel[CONF_TUNNELS_MAX];
	char name[CONF_TUNNELS_MAX][160];
	char psk[CONF_TUNNELS_MAX][CONF_PSK_MAX + 1];
	unsigned count;
};

/* 0 or -errno. */
static int add(struct router *r, const struct conf_tunnel *t, bool with_secrets, struct chosen *out)
{
	unsigned i = out->count++;
	int rc = 0;

	snprintf(out->name[i], sizeof(out->name[i]), "%s-%u", t->connection->name, t->number);
	if (!with_secrets)
		text_copy(out->psk[i], sizeof(out->psk[i]), PEER_PLACEHOLDER);
	else if (t->psk_absent)
		rc = psk_load_or_make(r->conf->system.state_dir, t->connection->name, t->number,
		    &r->rng, out->psk[i]);
	else
		text_copy(out->psk[i], sizeof(out->psk[i]), t->psk);
	out->tunnel[i] = (struct peer_tunnel){t, out->name[i], out->psk[i], with_secrets};
	return rc;
}

/* "dc1" or "dc1/2". 0, -ENOENT, or why a key could not be read. */
static int choose(struct router *r, const char *name, bool with_secrets, struct chosen *out)
{
	for (unsigned i = 0; i < r->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = r->conf->vpn_connections[i];
		size_t len = strlen(c->name);

		if (strncmp(name, c->name, len) != 0 || (name[len] && name[len] != '/'))
			continue;
		for (unsigned k = 0; k < c->tunnels_count; k++) {
			unsigned long wanted = name[len] ? strtoul(name + len + 1, NULL, 10) : 0;
			int rc = !wanted || wanted == c->tunnels[k]->number
			    ? add(r, c->tunnels[k], with_secrets, out)
			    : 0;

			if (rc < 0)
				return rc;
		}
	}
	return out->count ? 0 : -ENOENT;
}

static json_t *render(peer_writer *write, const struct chosen *chosen)
{
	char *room = xmalloc(TEXT_MAX);
	struct text text = text_of(room, TEXT_MAX);

	write(chosen->tunnel, chosen->count, &text);
	json_t *out = text.cut ? NULL : json_string(room);
	secret_wipe(room, TEXT_MAX);
	free(room);
	return out;
}

static json_t *peer_config(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	const char *name = api_text(request, "connection"), *format = api_text(request, "format");
	bool with_secrets = json_is_true(json_object_get(request, "with-secrets"));
	struct chosen chosen = {.count = 0};
	unsigned f = 0;

	while (f < RTE_DIM(formats) && (!format || strcmp(formats[f].name, format) != 0))
		f++;
	if (f == RTE_DIM(formats))
		return api_fail(error, "BadArgument",
		    "--format is one of swanctl, ipsec.conf, bird, frr, text");
	if (with_secrets && !json_is_true(json_object_get(request, "privileged")))
		return api_fail(error, "PermissionDenied", "secrets are for root alone");
	if (with_secrets)
		log_write(LOG_NOTICE, "api", name, "pre-shared keys shown by peer-config");
	int rc = choose(r, name, with_secrets, &chosen);
	json_t *out = NULL;
	if (rc == -ENOENT)
		api_fail(
		    error, "NoSuchConnection", "there is no connection or tunnel \"%s\"", name);
	else if (rc < 0)
		api_fail(error, "Failed", "%s: %s", name, strerror(-rc));
	else if (formats[f].negotiates &&
	    chosen.tunnel[0].conf->connection->keying == CONF_KEYING_MANUAL)
		api_fail(error, "ManualKeys", "%s is keyed by hand: there is nothing to negotiate",
		    name);
	else if (!(out = render(formats[f].write, &chosen)))
		api_fail(error, "Failed", "the configuration is too long");
	secret_wipe(&chosen, sizeof(chosen));
	return out;
}

static const struct api_command command = {"peer-config",
    "connection --format=FORMAT [--with-secrets]", API_SHOW, peer_config,
    "the other side of a connection or tunnel: swanctl, ipsec.conf, bird, frr, text"};

int peer_config_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
