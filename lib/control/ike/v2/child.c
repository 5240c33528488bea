/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The terms of a Child SA, whatever exchange carries them: proposals, traffic selectors, keys
 * (RFC 7296 1.3.1, 2.7, 2.9, 2.17). Selectors are only ever narrowed.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "ike/v2/v2.h"

static uint32_t spi_read(const uint8_t spi[4])
{
	struct wire w = wire_of(spi, 4);

	return wire_u32(&w);
}

static void spi_write(uint8_t out[4], uint32_t spi)
{
	struct wirebuf b = wirebuf_of(out, 4);

	wirebuf_u32(&b, spi);
}

void v2_terms_offer(
    struct ike_sa *sa, const struct v2_terms *t, uint32_t spi_in, struct ike_chain *c)
{
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, t->in_auth);
	uint8_t spi[4];

	spi_write(spi, spi_in);
	ike_policy_put(c, &policy, spi, sizeof(spi));
	if (!t->in_auth)
		v2_chain_nonce(c, t->nonce_i.bytes, t->nonce_i.len);
	if (t->dh)
		ike_chain_ke(c, t->dh);
	ike_ts_put(c, PAYLOAD_TSI, t->slot->local_ts, t->slot->local_ts_count);
	ike_ts_put(c, PAYLOAD_TSR, t->slot->remote_ts, t->slot->remote_ts_count);
}

/* Keys, then the object and the inbound SA. `secret` is empty without PFS. */
static struct ike_child_sa *make(struct ike_sa *sa, const struct v2_terms *t, struct ike_slot *slot,
    const struct ike_suite *suite, uint32_t spi_in, struct ike_span secret,
    const struct ike_ts_pair *ts)
{
	struct ike_tie tie = ike_tie_of(t->nonce_i, t->nonce_r, t->initiator);
	struct ike_key_input in = {.nonce_i = t->nonce_i, .nonce_r = t->nonce_r, .secret = secret};
	struct ike_child info = {
	    .spi_in = spi_in,
	    .spi_out = spi_read(suite->spi),
	    .encr = suite->encr,
	    .auth = suite->integ,
	    .dh = suite->dh,
	    .esn = suite->esn,
	};
	struct ike_child_sa *child;

	ike_keys_child(&sa->keys, &in, t->initiator, &info);
	child = ike_child_new(sa, slot, &info, ts, &tie);
	secret_wipe(&info, sizeof(info));
	return child;
}

/* TSi and TSr as seen from here. */
static int read_selectors(const struct v2_message *m, bool initiator, struct ike_ts_pair *out)
{
	const struct ike_payload *tsi = ike_payload_find(m->payloads, PAYLOAD_TSI);
	const struct ike_payload *tsr = ike_payload_find(m->payloads, PAYLOAD_TSR);

	if (!tsi || !tsr)
		return -EBADMSG;
	if (ike_ts_parse(initiator ? tsi : tsr, out->local, &out->local_count) ||
	    ike_ts_parse(initiator ? tsr : tsi, out->remote, &out->remote_count))
		return -EBADMSG;
	return 0;
}

static void report_selectors(struct ike_tunnel *t, const struct ike_ts_pair *theirs)
{
	char ours[2 * IKE_TS_TEXT + 8], peer[2 * IKE_TS_TEXT + 8];
	char a[IKE_TS_TEXT], b[IKE_TS_TEXT];
	const struct ike_slot *s = &t->slots[0];

	snprintf(ours, sizeof(ours), "%s === %s", ike_ts_text(s->local_ts, s->local_ts_count, a),
	    ike_ts_text(s->remote_ts, s->remote_ts_count, b));
	snprintf(peer, sizeof(peer), "%s === %s",
	    ike_ts_text(theirs->local, theirs->local_count, a),
	    ike_ts_text(theirs->remote, theirs->remote_count, b));
	ike_tunnel_error(
	    t, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH, "local-cidrs, peer-cidrs", ours, peer);
}

/* Which slot, and what of it. */
static struct ike_slot *narrow(struct ike_sa *sa, const struct v2_terms *t,
    const struct ike_ts_pair *theirs, struct ike_ts_pair *out)
{
	struct ike_slot *slot = t->slot;

	if (!slot)
		return ike_tunnel_narrow(sa->tunnel, theirs, out);
	out->local_count = ike_ts_narrow(
	    theirs->local, theirs->local_count, slot->local_ts, slot->local_ts_count, out->local);
	out->remote_count = ike_ts_narrow(theirs->remote, theirs->remote_count, slot->remote_ts,
	    slot->remote_ts_count, out->remote);
	return out->local_count && out->remote_count ? slot : NULL;
}

/*
 * Is it an SPI for another Child SA? The peer's SPIs name its SAs, in deletes and rekeys, too: of two that have the same one
 * nobody knows which is meant.
 */
static bool is_free_spi(const struct ike_sa *sa, const struct ike_suite *suite)
{
	uint32_t spi = spi_read(suite->spi);

	return suite->spi_len == 4 && spi != 0 && !ike_child_find_out(sa, spi);
}

static uint16_t choose_suite(struct ike_sa *sa, const struct v2_message *m,
    const struct v2_terms *t, uint16_t ke_group, struct ike_suite *suite)
{
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, t->in_auth);
	struct wire body = ike_payload_wire(ike_payload_find(m->payloads, PAYLOAD_SA));
	struct ike_mismatch why;
	int err = ike_suite_choose(&policy, body, ke_group, suite);

	if (err == -EBADMSG)
		return NOTIFY_INVALID_SYNTAX;
	if (!err && is_free_spi(sa, suite))
		return 0;
	if (!err) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_MESSAGE_MALFORMED, "ipsec", NULL,
		    "an SPI that can not be, or that another Child SA has");
		return NOTIFY_NO_PROPOSAL_CHOSEN;
	}
	ike_mismatch_find(&policy, body, &why);
	ike_tunnel_error(sa->tunnel, why.code, why.field, why.ours, why.theirs);
	return NOTIFY_NO_PROPOSAL_CHOSEN;
}

/* The shared secret of PFS with a fresh key pair of ours. 0, or a notify. */
static uint16_t exchange_keys(struct ike_sa *sa, const struct ike_ke *ke, enum alg_dh group,
    struct ike_dh **dh, uint8_t *secret, size_t *secret_len)
{
	int len;

	*secret_len = 0;
	if (group == DH_NONE)
		return 0;
	if (!ke || ke->group != alg_dh(group)->id)
		return NOTIFY_INVALID_KE_PAYLOAD;
	*dh = ike_dh_create(group, sa->engine->rng);
	sa->engine->counters.dh_computed += 2;
	len = ike_dh_shared(*dh, ke->value.bytes, ke->value.len, secret);
	if (len < 0)
		return NOTIFY_INVALID_SYNTAX;
	*secret_len = (size_t)len;
	return 0;
}

static void put_answer(struct ike_chain *c, const struct v2_terms *t, const struct ike_suite *suite,
    uint32_t spi_in, const struct ike_dh *dh, const struct ike_ts_pair *ts, bool narrowed)
{
	uint8_t spi[4];

	spi_write(spi, spi_in);
	ike_suite_put(c, suite, PROTOCOL_ESP, spi, sizeof(spi));
	if (!t->in_auth)
		v2_chain_nonce(c, t->nonce_r.bytes, t->nonce_r.len);
	if (dh)
		ike_chain_ke(c, dh);
	ike_ts_put(c, PAYLOAD_TSI, ts->remote, ts->remote_count);
	ike_ts_put(c, PAYLOAD_TSR, ts->local, ts->local_count);
	if (narrowed)
		ike_chain_notify(c, NOTIFY_ADDITIONAL_TS_POSSIBLE, NULL, 0);
}

/* Is there a slot of another family that the peer's selectors meet as well? */
static bool more_possible(
    const struct ike_tunnel *t, const struct ike_slot *slot, const struct ike_ts_pair *theirs)
{
	for (unsigned i = 0; i < t->slot_count; i++) {
		const struct ike_slot *other = &t->slots[i];
		struct ike_selector common[IKE_TS_WIRE_MAX];

		if (other != slot &&
		    ike_ts_narrow(theirs->remote, theirs->remote_count, other->remote_ts,
			other->remote_ts_count, common) &&
		    ike_ts_narrow(theirs->local, theirs->local_count, other->local_ts,
			other->local_ts_count, common))
			return true;
	}
	return false;
}

uint16_t v2_terms_answer(struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t,
    struct ike_chain *c, struct ike_child_sa **child, enum alg_dh *group)
{
	struct ike_engine *e = sa->engine;
	const struct ike_payload *ke_payload = ike_payload_find(m->payloads, PAYLOAD_KE);
	struct ike_ts_pair theirs, common;
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_suite suite;
	struct ike_dh *dh = NULL;
	struct ike_ke ke = {0};
	struct ike_slot *slot;
	size_t secret_len;
	uint16_t notify;
	uint32_t spi_in;

	if (read_selectors(m, false, &theirs) || (ke_payload && ike_ke_parse(ke_payload, &ke)))
		return NOTIFY_INVALID_SYNTAX;
	if (ike_child_count(sa) >= e->limits.child_per_ike_max)
		return NOTIFY_NO_ADDITIONAL_SAS;
	notify = choose_suite(sa, m, t, ke.group, &suite);
	if (notify)
		return notify;
	slot = narrow(sa, t, &theirs, &common);
	if (!slot) {
		report_selectors(sa->tunnel, &theirs);
		return NOTIFY_TS_UNACCEPTABLE;
	}
	*group = suite.dh;
	notify = exchange_keys(sa, ke_payload ? &ke : NULL, suite.dh, &dh, secret, &secret_len);
	spi_in = notify ? 0 : e->ops->spi_alloc(e->ctx, sa->tunnel->id);
	if (spi_in)
		*child = make(
		    sa, t, slot, &suite, spi_in, (struct ike_span){secret, secret_len}, &common);
	if (!notify && (!spi_in || !*child))
		notify = NOTIFY_NO_ADDITIONAL_SAS;
	if (!notify)
		put_answer(
		    c, t, &suite, spi_in, dh, &common, more_possible(sa->tunnel, slot, &theirs));
	secret_wipe(secret, sizeof(secret));
	ike_dh_free(dh);
	return notify;
}

/* Selectors that were left out because they select nothing, or are of a type that we do not know: not offered. */
static bool has_odd_selectors(const struct v2_message *m, const struct ike_ts_pair *ts)
{
	const struct ike_payload *tsi = ike_payload_find(m->payloads, PAYLOAD_TSI);
	const struct ike_payload *tsr = ike_payload_find(m->payloads, PAYLOAD_TSR);

	return tsi->body[0] != ts->local_count || tsr->body[0] != ts->remote_count;
}

/* What the response chose, checked against what was offered. */
static bool read_acceptance(struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t,
    struct ike_suite *suite, struct ike_ts_pair *ts)
{
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, t->in_auth);
	const struct ike_payload *body = ike_payload_find(m->payloads, PAYLOAD_SA);
	const struct ike_slot *s = t->slot;

	if (!body || ike_suite_accept(&policy, ike_payload_wire(body), suite) ||
	    !is_free_spi(sa, suite))
		return false;
	/* The peer may choose no PFS where we offered that too; another group it had to ask for. */
	if (suite->dh != DH_NONE && (!t->dh || suite->dh != ike_dh_group(t->dh)))
		return false;
	return !read_selectors(m, true, ts) && ts->local_count > 0 && ts->remote_count > 0 &&
	    !has_odd_selectors(m, ts) &&
	    ike_ts_covers(s->local_ts, s->local_ts_count, ts->local, ts->local_count) &&
	    ike_ts_covers(s->remote_ts, s->remote_ts_count, ts->remote, ts->remote_count);
}

static int shared_secret(struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t,
    enum alg_dh group, uint8_t secret[IKE_DH_SECRET_MAX])
{
	const struct ike_payload *payload = ike_payload_find(m->payloads, PAYLOAD_KE);
	struct ike_ke ke;

	if (group == DH_NONE)
		return 0;
	if (!payload || ike_ke_parse(payload, &ke) || ke.group != alg_dh(group)->id)
		return -EBADMSG;
	sa->engine->counters.dh_computed++;
	return ike_dh_shared(t->dh, ke.value.bytes, ke.value.len, secret);
}

struct ike_child_sa *v2_terms_accept(
    struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t, uint32_t spi_in)
{
	uint8_t secret[IKE_DH_SECRET_MAX];
	struct ike_child_sa *child;
	struct ike_suite suite;
	struct ike_ts_pair ts;
	int len = -EBADMSG;

	if (t->nonce_r.len > 0 && read_acceptance(sa, m, t, &suite, &ts))
		len = shared_secret(sa, m, t, suite.dh, secret);
	if (len < 0) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_MESSAGE_MALFORMED, "ipsec", NULL,
		    "an answer that does not fit our offer");
		sa->engine->ops->spi_free(sa->engine->ctx, sa->tunnel->id, spi_in);
		ike_task_add(sa, IKE_TASK_DISOWN_CHILD, spi_in, NULL);
		return NULL;
	}
	child = make(sa, t, t->slot, &suite, spi_in, (struct ike_span){secret, (size_t)len}, &ts);
	secret_wipe(secret, sizeof(secret));
	if (!child)
		ike_task_add(sa, IKE_TASK_DISOWN_CHILD, spi_in, NULL);
	return child;
}

void v2_terms_refused(struct ike_sa *sa, const struct v2_terms *t, uint16_t notify)
{
	struct ike_tunnel *tunnel = sa->tunnel;
	struct ike_policy policy = ike_tunnel_esp_policy(tunnel, t->in_auth);
	char ours[2 * IKE_TS_TEXT + 8], a[IKE_TS_TEXT], b[IKE_TS_TEXT];
	char algs[IKE_MISMATCH_TEXT];

	switch (notify) {
	case NOTIFY_NO_PROPOSAL_CHOSEN:
	case NOTIFY_INVALID_KE_PAYLOAD:
		ike_policy_text(&policy, algs);
		/* The same algorithms made the first SA, but for the group. */
		if (t->rekey || notify == NOTIFY_INVALID_KE_PAYLOAD)
			ike_tunnel_error(tunnel, IKE_ERROR_PFS_MISMATCH, "ipsec.dh-group", algs,
			    ike_notify_name(notify));
		else
			ike_tunnel_error(tunnel, IKE_ERROR_PROPOSAL_MISMATCH,
			    t->in_auth ? "ipsec.encryption, ipsec.authentication, ipsec.esn"
				       : "ipsec.encryption, ipsec.authentication, ipsec.dh-group, "
					 "ipsec.esn",
			    algs, ike_notify_name(notify));
		break;
	case NOTIFY_TS_UNACCEPTABLE:
	case NOTIFY_SINGLE_PAIR_REQUIRED:
		snprintf(ours, sizeof(ours), "%s === %s",
		    ike_ts_text(t->slot->local_ts, t->slot->local_ts_count, a),
		    ike_ts_text(t->slot->remote_ts, t->slot->remote_ts_count, b));
		ike_tunnel_error(tunnel, IKE_ERROR_TRAFFIC_SELECTOR_MISMATCH,
		    "local-cidrs, peer-cidrs", ours, ike_notify_name(notify));
		break;
	default:
		ike_tunnel_error(
		    tunnel, IKE_ERROR_PEER_REFUSED, "ipsec", NULL, ike_notify_name(notify));
	}
}
