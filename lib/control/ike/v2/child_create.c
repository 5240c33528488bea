/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * CREATE_CHILD_SA for a Child SA: a new one (RFC 7296 1.3.1), or one that replaces another (1.3.3, 2.8).
 *
 *     -> [N(REKEY_SA)] SA Ni [KEi] TSi TSr
 *     <- SA Nr [KEr] TSi TSr | N(error)
 *
 * Make before break. The responder installs the new inbound SA before it answers, the initiator when it gets the
 * answer. What the initiator sends stays on the old SA for a moment: some peers answer before they install. Then it uses
 * the new SA and deletes the old one; that delete, or any later request, tells the responder that it may send on
 * the new one.
 *
 * Both sides may rekey the same SA at the same time (2.8.1). Each then answers as usual, notes the nonces of
 * the peer's exchange in its own, and settles when its own response comes: the exchange with the lowest
 * nonce loses, and who began it deletes what it made; the other one deletes the old SA.
 */

#include <string.h>

#include "ike/v2/v2.h"

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 2000 /* of a temporary failure */
#define OVERLAP_S    1    /* for the responder to install what it has agreed to */

static int64_t retry_ns(struct ike_sa *sa)
{
	return ike_engine_jitter(sa->engine, DUR_MS(RETRY_MIN_MS), DUR_MS(RETRY_MAX_MS));
}

/* ---- as initiator ---- */

static enum alg_dh first_group(const struct ike_sa *sa, const struct ike_child_sa *old)
{
	const struct ike_algs *algs = &sa->tunnel->config.esp;

	return old && old->info.dh != DH_NONE ? old->info.dh : algs->dh[0];
}

static struct v2_terms own_terms(const struct ike_sa *sa)
{
	const struct ike_exchange *x = &sa->exchange;

	return (struct v2_terms){
	    .initiator = true,
	    .rekey = x->kind == IKE_TASK_REKEY_CHILD,
	    .slot = x->slot,
	    .nonce_i = {x->nonce, sizeof(x->nonce)},
	    .dh = x->dh,
	};
}

static void send_offer(struct ike_sa *sa)
{
	struct ike_exchange *x = &sa->exchange;
	struct v2_terms terms = own_terms(sa);
	struct ike_chain c = v2_chain(sa->engine);

	if (x->kind == IKE_TASK_REKEY_CHILD)
		ike_chain_notify_spi(&c, NOTIFY_REKEY_SA, x->spi_in);
	v2_terms_offer(sa, &terms, x->new_spi_in, &c);
	v2_request(sa, EXCHANGE_CREATE_CHILD_SA, &c);
}

void v2_child_begin(
    struct ike_sa *sa, struct ike_slot *slot, struct ike_child_sa *old, enum alg_dh group)
{
	struct ike_engine *e = sa->engine;
	struct ike_exchange *x = &sa->exchange;

	*x = (struct ike_exchange){.kind = old ? IKE_TASK_REKEY_CHILD : IKE_TASK_CREATE_CHILD};
	x->new_spi_in = e->ops->spi_alloc(e->ctx, sa->tunnel->id);
	if (!x->new_spi_in) {
		ike_tunnel_error(sa->tunnel, IKE_ERROR_LIMIT_REACHED, "spi", NULL, NULL);
		ike_slot_failed(sa->tunnel, slot);
		return;
	}
	x->slot = slot;
	if (old) {
		x->spi_in = old->info.spi_in;
		ike_child_set_state(old, IKE_CHILD_REKEYING);
	}
	rng_fill(e->rng, x->nonce, sizeof(x->nonce));
	if (group == DH_NONE)
		group = first_group(sa, old);
	if (group != DH_NONE) {
		x->dh = ike_dh_create(group, e->rng);
		x->groups_tried |= 1u << group;
		e->counters.dh_computed++;
	}
	send_offer(sa);
}

/* The peer wants another group: once for each that we have. */
static bool try_other_group(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_policy policy = ike_tunnel_esp_policy(sa->tunnel, false);
	enum alg_dh group = v2_other_group(n, &policy, x->groups_tried);

	if (n->type != NOTIFY_INVALID_KE_PAYLOAD || group == DH_NONE || !ike_sa_is_up(sa))
		return false;
	ike_dh_free(x->dh);
	x->dh = ike_dh_create(group, sa->engine->rng);
	x->groups_tried |= 1u << group;
	sa->engine->counters.dh_computed++;
	send_offer(sa);
	return true;
}

/* What is left of the old SA's life, for one more attempt and another one behind it. */
static int64_t refused_retry_ns(const struct ike_child_sa *old, struct mono now)
{
	int64_t left = mono_is_set(old->hard) ? mono_diff(now, old->hard) / 3 : DUR_S(60);

	return left < DUR_S(1) ? DUR_S(1) : left > DUR_S(60) ? DUR_S(60) : left;
}

static void rekey_refused(struct ike_sa *sa, struct ike_child_sa *old, const struct ike_notify *n)
{
	struct v2_terms terms = own_terms(sa);

	if (!old)
		return; /* deleted meanwhile: the peer's rekey, or its will */
	if (sa->exchange.collision) {
		ike_child_set_state(old, IKE_CHILD_REPLACED);
		return;
	}
	switch (n->type) {
	case NOTIFY_TEMPORARY_FAILURE:
		ike_child_rekey_later(old, retry_ns(sa));
		break;
	case NOTIFY_CHILD_SA_NOT_FOUND:
		/* 2.25.1: it is gone over there; a new one is made from scratch. */
		ike_child_kill(old);
		break;
	default:
		v2_terms_refused(sa, &terms, n->type);
		if (ike_rehearsal_failed(old))
			return;
		ike_child_rekey_later(old, refused_retry_ns(old, sa->engine->now));
		/* A peer that makes one Child SA per IKE SA (4): both are replaced. */
		if (n->type == NOTIFY_NO_ADDITIONAL_SAS)
			sa->leaving = ike_tunnel_renew(sa->tunnel);
	}
}

static void create_refused(struct ike_sa *sa, const struct ike_notify *n)
{
	struct v2_terms terms = own_terms(sa);

	if (n->type != NOTIFY_TEMPORARY_FAILURE)
		v2_terms_refused(sa, &terms, n->type);
	ike_slot_failed(sa->tunnel, terms.slot);
	/* An IKE SA on which there can be no Child SA is of no use (4): a new one brings one along. */
	if (n->type == NOTIFY_NO_ADDITIONAL_SAS && ike_child_count(sa) == 0)
		ike_task_add(sa, IKE_TASK_DELETE_IKE, 0, NULL);
}

static void rekeyed(struct ike_sa *sa, struct ike_child_sa *old)
{
	sa->tunnel->rekeys++;
	ike_tunnel_resolved(sa->tunnel, IKE_ERROR_PFS_MISMATCH);
	if (old)
		ike_rehearsal_passed(old);
}

/* Our rekey gave `made`; the peer's, if there was one, is compared with it. */
static void settle_rekey(struct ike_sa *sa, struct ike_child_sa *old, struct ike_child_sa *made)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_child_sa *peers = x->collision ? ike_child_find(sa, x->peer_spi_in) : NULL;

	rekeyed(sa, old);
	if (x->collision && ike_tie_loses(&made->tie, &x->peer_tie)) {
		if (old)
			ike_child_set_state(old, IKE_CHILD_REPLACED);
		ike_child_end(made);
		return;
	}
	if (!old || !old->outbound)
		ike_child_use(made);
	if (peers && peers->state == IKE_CHILD_INSTALLED)
		ike_child_set_state(peers, IKE_CHILD_REPLACED);
	if (old) {
		old->replaced_s = OVERLAP_S;
		ike_child_set_state(old, IKE_CHILD_REPLACED);
	}
}

/* The peer deleted the new Child SA again before its response came. */
static bool is_gone(const struct ike_exchange *x, const struct ike_child_sa *made)
{
	for (unsigned i = 0; i < IKE_GONE_MAX; i++)
		if (x->gone[i] == made->info.spi_out)
			return true;
	return false;
}

static void response_refused(
    struct ike_sa *sa, struct ike_child_sa *old, const struct ike_notify *n)
{
	if (sa->exchange.kind == IKE_TASK_REKEY_CHILD)
		rekey_refused(sa, old, n);
	else
		create_refused(sa, n);
	ike_exchange_clear(sa);
}

void v2_child_response(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_exchange *x = &sa->exchange;
	struct ike_child_sa *old = x->spi_in ? ike_child_find(sa, x->spi_in) : NULL;
	struct v2_terms terms = own_terms(sa);
	struct ike_child_sa *made;
	struct ike_notify n;

	if (old && old->state != IKE_CHILD_REKEYING)
		old = NULL;
	if (ike_notify_error(m->payloads, &n)) {
		if (!try_other_group(sa, &n))
			response_refused(sa, old, &n);
		return;
	}
	v2_nonce_read(m->payloads, &terms.nonce_r);
	made = v2_terms_accept(sa, m, &terms, x->new_spi_in);
	x->new_spi_in = 0;
	if (made && is_gone(x, made)) {
		ike_child_kill(made);
		response_refused(sa, old, &(struct ike_notify){.type = NOTIFY_TEMPORARY_FAILURE});
		return;
	}
	if (made && x->kind == IKE_TASK_REKEY_CHILD) {
		settle_rekey(sa, old, made);
	} else if (made) {
		ike_child_use(made);
		ike_child_settle_duplicates(made);
	} else if (old) {
		ike_child_rekey_later(old, refused_retry_ns(old, sa->engine->now));
	} else {
		ike_slot_failed(sa->tunnel, terms.slot);
	}
	ike_exchange_clear(sa);
}

/* ---- as responder ---- */

/* 2.25.1, 2.25.2: what goes on here already may forbid it for the moment. */
static bool is_busy(const struct ike_sa *sa)
{
	return !ike_sa_is_up(sa) ||
	    (ike_window_busy(&sa->window) && sa->exchange.kind == IKE_TASK_REKEY_IKE);
}

static void refuse(
    struct ike_sa *sa, const struct v2_message *m, uint16_t notify, enum alg_dh group)
{
	uint16_t id = alg_dh(group)->id;
	uint8_t body[2] = {(uint8_t)(id >> 8), (uint8_t)id};

	v2_reply_notify(
	    sa, m, notify, body, notify == NOTIFY_INVALID_KE_PAYLOAD ? sizeof(body) : 0);
}

/* The Child SA that REKEY_SA names by the peer's SPI; NULL after a refusal. */
static struct ike_child_sa *find_old(
    struct ike_sa *sa, const struct v2_message *m, const struct ike_notify *rekey)
{
	struct wire w = wire_of(rekey->spi, rekey->spi_len);
	uint32_t spi = wire_u32(&w);
	struct ike_child_sa *old = NULL;
	struct ike_chain c;

	if (rekey->protocol == PROTOCOL_ESP && wire_done(&w))
		old = ike_child_find_out(sa, spi);
	if (!old) {
		c = v2_chain(sa->engine);
		ike_chain_notify_spi(&c, NOTIFY_CHILD_SA_NOT_FOUND, spi);
		v2_reply(sa, m, &c);
		return NULL;
	}
	if (old->state != IKE_CHILD_INSTALLED && old->state != IKE_CHILD_REKEYING) {
		refuse(sa, m, NOTIFY_TEMPORARY_FAILURE, DH_NONE);
		return NULL;
	}
	return old;
}

/* The peer's rekey made `made`; the old SA stays in use until the peer shows that it can receive. */
static void rekeyed_by_peer(struct ike_sa *sa, struct ike_child_sa *old, struct ike_child_sa *made)
{
	struct ike_exchange *x = &sa->exchange;

	rekeyed(sa, old);
	if (old->state == IKE_CHILD_REKEYING && x->spi_in == old->info.spi_in) {
		x->collision = true;
		x->peer_tie = made->tie;
		x->peer_spi_in = made->info.spi_in;
	} else {
		ike_child_set_state(old, IKE_CHILD_REPLACED);
	}
}

void v2_child_request(struct ike_sa *sa, const struct v2_message *m)
{
	struct ike_chain c = v2_chain(sa->engine);
	struct ike_child_sa *old = NULL, *made = NULL;
	struct v2_terms terms = {0};
	uint8_t nonce[IKE_NONCE_BYTES];
	enum alg_dh group = DH_NONE;
	struct ike_notify rekey;
	uint16_t notify;

	if (is_busy(sa)) {
		refuse(sa, m, NOTIFY_TEMPORARY_FAILURE, DH_NONE);
		return;
	}
	if (ike_notify_find(m->payloads, NOTIFY_REKEY_SA, &rekey)) {
		old = find_old(sa, m, &rekey);
		if (!old)
			return;
		terms.slot = old->slot;
	}
	rng_fill(sa->engine->rng, nonce, sizeof(nonce));
	terms.nonce_r = (struct ike_span){nonce, sizeof(nonce)};
	notify = NOTIFY_INVALID_SYNTAX;
	if (v2_nonce_read(m->payloads, &terms.nonce_i))
		notify = v2_terms_answer(sa, m, &terms, &c, &made, &group);
	if (notify == NOTIFY_INVALID_SYNTAX) {
		v2_syntax_error(sa, m);
		return;
	}
	if (notify) {
		refuse(sa, m, notify, group);
		return;
	}
	v2_reply(sa, m, &c);
	if (old) {
		rekeyed_by_peer(sa, old, made);
		return;
	}
	if (!ike_child_sibling(made))
		ike_child_use(made);
	ike_child_settle_duplicates(made);
}
