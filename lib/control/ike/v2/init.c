/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKE_SA_INIT as initiator (RFC 7296 1.2, 2.6, 2.7).
 *
 *     -> SAi1 KEi Ni N(NAT_DETECTION_*) N(IKEV2_FRAGMENTATION_SUPPORTED)
 *     <- N(COOKIE) | N(INVALID_KE_PAYLOAD)                          again with what was asked for
 *     <- SAr1 KEr Nr N(NAT_DETECTION_*) ...                         on to IKE_AUTH
 *
 * Nothing in a response is authentic yet. Hence an error never ends the attempt (2.21.1): it is remembered
 * for the operator, and the request keeps being sent until a usable response comes or time is up.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/v2/v2.h"

#define RESTARTS_MAX 8 /* answers to COOKIE and INVALID_KE_PAYLOAD in one attempt */

static struct ike_packet *build(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;
	const struct ike_tunnel_config *config = &sa->tunnel->config;
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	struct ike_chain c = v2_chain(sa->engine);
	struct ike_packet *p;

	if (s->cookie_len)
		ike_chain_notify(&c, NOTIFY_COOKIE, s->cookie, s->cookie_len);
	ike_policy_put(&c, &policy, NULL, 0);
	ike_chain_ke(&c, s->dh);
	v2_chain_nonce(&c, s->nonce_i, s->nonce_i_len);
	if (config->natt != IKE_NATT_OFF)
		ike_natd_put(&c, sa->spi_i, 0, &sa->local, &sa->remote,
		    config->natt == IKE_NATT_FORCE, sa->engine->rng);
	ike_chain_notify(&c, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	p = ike_message_plain(sa->spi_i, 0, EXCHANGE_IKE_SA_INIT, true, false, &c);
	free(s->message_i);
	s->message_i = xmalloc(p->len);
	s->message_i_len = p->len;
	memcpy(s->message_i, p->bytes, p->len);
	return p;
}

static void choose_group(struct ike_sa *sa, enum alg_dh group)
{
	struct ike_setup *s = sa->setup;

	ike_dh_free(s->dh);
	s->dh = ike_dh_create(group, sa->engine->rng);
	s->groups_tried |= 1u << group;
	sa->engine->counters.dh_computed++;
}

void v2_initiate(struct ike_tunnel *t)
{
	struct ike_engine *e = t->engine;
	struct ike_sa *sa;

	if (e->sa_count >= e->limits.ike_sa_max) {
		ike_tunnel_error(t, IKE_ERROR_LIMIT_REACHED, "ike-sa-max", NULL, NULL);
		ike_tunnel_failed(t, IKE_ERROR_LIMIT_REACHED);
		return;
	}
	sa = ike_sa_new(e, &ike_v2_driver, t, true, ike_engine_new_spi(e), IKE_SA_INIT_SENT);
	sa->local = (struct ike_endpoint){t->config.local, IKE_PORT};
	sa->remote = (struct ike_endpoint){t->config.remote, IKE_PORT};
	sa->setup = xcalloc(1, sizeof(*sa->setup));
	sa->setup->nonce_i_len = IKE_NONCE_BYTES;
	rng_fill(e->rng, sa->setup->nonce_i, IKE_NONCE_BYTES);
	choose_group(sa, t->config.ike.dh[0]);
	t->attempts++;
	ike_tunnel_log(t, LOG_INFO, "connecting, attempt %u", t->attempts);
	ike_window_send(sa, EXCHANGE_IKE_SA_INIT, build(sa));
}

static void restart(struct ike_sa *sa)
{
	if (++sa->setup->restarts <= RESTARTS_MAX)
		ike_window_replace(sa, build(sa));
}

static void on_cookie(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_setup *s = sa->setup;

	if (n->data.len == 0 || n->data.len > IKE_COOKIE_MAX)
		return;
	if (n->data.len == s->cookie_len && !memcmp(n->data.bytes, s->cookie, s->cookie_len))
		return; /* a late copy of what was answered already */
	s->cookie_len = n->data.len;
	memcpy(s->cookie, n->data.bytes, n->data.len);
	restart(sa);
}

static void hint(struct ike_sa *sa, enum ike_error_code code, const char *field, const char *ours,
    const char *theirs)
{
	if (sa->setup->hint == code)
		return;
	sa->setup->hint = code;
	ike_tunnel_error(sa->tunnel, code, field, ours, theirs);
}

static void on_invalid_ke(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	enum alg_dh group = v2_other_group(n, &policy, sa->setup->groups_tried);
	struct wire w = wire_of(n->data.bytes, n->data.len);
	uint16_t id = wire_u16(&w);

	if (group != DH_NONE) {
		choose_group(sa, group);
		restart(sa);
	} else if (!ike_policy_has_dh(&policy, ike_dh_by_id(id))) {
		char ours[IKE_MISMATCH_TEXT], theirs[16];

		snprintf(theirs, sizeof(theirs), "group%u", id);
		hint(sa, IKE_ERROR_DH_GROUP_MISMATCH, "ike.dh-group",
		    ike_policy_text(&policy, ours), theirs);
	}
}

static void on_refusal(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	char ours[IKE_MISMATCH_TEXT];

	switch (n->type) {
	case NOTIFY_COOKIE:
		on_cookie(sa, n);
		break;
	case NOTIFY_INVALID_KE_PAYLOAD:
		on_invalid_ke(sa, n);
		break;
	case NOTIFY_NO_PROPOSAL_CHOSEN:
		hint(sa, IKE_ERROR_PROPOSAL_MISMATCH, IKE_PROPOSAL_FIELDS,
		    ike_policy_text(&policy, ours), "NO_PROPOSAL_CHOSEN");
		break;
	case NOTIFY_INVALID_MAJOR_VERSION:
		hint(sa, IKE_ERROR_IKE_VERSION_MISMATCH, "ike.version", "ikev2",
		    "INVALID_MAJOR_VERSION");
		break;
	default:
		hint(sa, IKE_ERROR_PEER_REFUSED, "", NULL, ike_notify_name(n->type));
	}
}

/* The suite and the secret of a full response. False: it cannot be meant for what we sent. */
static bool agree(struct ike_sa *sa, const struct v2_message *m, struct ike_span *nonce_r,
    uint8_t *secret, int *secret_len)
{
	struct ike_setup *s = sa->setup;
	struct ike_policy policy = ike_tunnel_ike_policy(sa->tunnel);
	struct ike_ke ke;

	if (ike_ke_parse(ike_payload_find(m->payloads, PAYLOAD_KE), &ke) ||
	    !v2_nonce_read(m->payloads, nonce_r))
		return false;
	if (ike_suite_accept(
		&policy, ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA)), &sa->suite)) {
		hint(
		    sa, IKE_ERROR_PROPOSAL_MISMATCH, "ike", NULL, "a choice that we did not offer");
		return false;
	}
	/* The SPIs are in the header; none is in the proposal (3.3.1). */
	if (sa->suite.spi_len != 0 || sa->suite.dh != ike_dh_group(s->dh) ||
	    ke.group != alg_dh(sa->suite.dh)->id)
		return false;
	sa->engine->counters.dh_computed++;
	*secret_len = ike_dh_shared(s->dh, ke.value.bytes, ke.value.len, secret);
	return *secret_len > 0;
}

static void derive(struct ike_sa *sa, struct ike_span nonce_r, struct ike_span secret)
{
	struct ike_setup *s = sa->setup;
	struct ike_key_input in = {
	    .nonce_i = {s->nonce_i, s->nonce_i_len},
	    .nonce_r = nonce_r,
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .secret = secret,
	};

	ike_keys_derive(&sa->keys, &sa->suite, &in, NULL);
	memcpy(s->nonce_r, nonce_r.bytes, nonce_r.len);
	s->nonce_r_len = nonce_r.len;
	sa->tie = ike_tie_of(in.nonce_i, nonce_r, true);
}

/* With a NAT on the path, or when we want one, everything moves to port 4500 (2.23). */
static void look_for_nat(struct ike_sa *sa, const struct v2_message *m)
{
	enum ike_natt natt = sa->tunnel->config.natt;

	if (natt == IKE_NATT_OFF)
		return;
	sa->natt = ike_natd_check(m->payloads, sa->spi_i, sa->spi_r, m->local, m->remote, &sa->nat);
	sa->nat.forced = sa->natt && natt == IKE_NATT_FORCE;
	if (sa->natt && ike_nat_found(&sa->nat)) {
		sa->local.port = IKE_PORT_NATT;
		sa->remote.port = IKE_PORT_NATT;
	}
}

void v2_init_response(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_setup *s = sa->setup;
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_span nonce_r;
	struct ike_notify n;
	int secret_len;

	if (ike_notify_find(m->payloads, NOTIFY_COOKIE, &n) || ike_notify_error(m->payloads, &n)) {
		on_refusal(sa, &n);
		return;
	}
	if (m->header->spi_r == 0 || !agree(sa, m, &nonce_r, secret, &secret_len)) {
		sa->engine->counters.malformed++;
		return;
	}
	sa->spi_r = m->header->spi_r;
	derive(sa, nonce_r, (struct ike_span){secret, (size_t)secret_len});
	secret_wipe(secret, sizeof(secret));
	sa->fragments = ike_notify_find(m->payloads, NOTIFY_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	s->message_r = xmalloc(m->len);
	s->message_r_len = m->len;
	memcpy(s->message_r, m->bytes, m->len);
	look_for_nat(sa, m);
	ike_window_answered(sa);
	ike_sa_set_state(sa, IKE_SA_AUTH_SENT);
	v2_auth_send(sa);
}
