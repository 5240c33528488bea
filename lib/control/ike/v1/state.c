/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What an IKEv1 SA keeps, the one place where its step changes, and what was answered to whom.
 *
 * Whoever has proven nothing gets no answer longer than three times what it sent (the limit of RFC 9000 8.1: with
 * small groups honest first messages are short), and never more than one and a half times for what it repeats,
 * however often; nothing is sent again to it of our own accord.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/v1/v1.h"

#define FIRST_FACTOR 3

static const enum ike_sa_state states[] = {
#define X(name, state) [V1_##name] = IKE_SA_##state,
    V1_STEP_LIST(X)
#undef X
};

#define BIT(step) (1u << V1_##step)

/* The steps that may follow each step. */
static const unsigned followers[] = {
    [V1_MM1_SENT] = BIT(MM3_SENT),
    [V1_MM2_SENT] = BIT(MM4_SENT),
    [V1_MM3_SENT] = BIT(MM5_SENT),
    [V1_MM4_SENT] = BIT(DONE),
    [V1_MM5_SENT] = BIT(DONE),
    [V1_AM1_SENT] = BIT(AM3_SENT),
    [V1_AM2_SENT] = BIT(DONE),
    [V1_AM3_SENT] = BIT(DONE),
    [V1_DONE] = 0,
};

void v1_state_new(struct ike_sa *sa, enum v1_step step)
{
	struct v1_state *v = xcalloc(1, sizeof(*v));

	v->step = step;
	list_init(&v->quicks);
	list_init(&v->goodbyes);
	v->dpd_sent = (uint32_t)rng_u64(sa->engine->rng) >> 1;
	sa->v1 = v;
	sa->setup = xcalloc(1, sizeof(*sa->setup));
}

void v1_state_stop(struct ike_sa *sa)
{
	struct v1_quick *q, *next;

	list_for_safe (q, next, &sa->v1->quicks, node)
		v1_quick_free(q);
	v1_goodbye_stop(sa);
}

void v1_state_free(struct ike_sa *sa)
{
	struct v1_state *v = sa->v1;

	for (unsigned i = 0; i < V1_ECHOES; i++)
		free(v->echo[i].answer);
	v1_ending_free(sa);
	v1_fragments_reset(&v->fragments);
	secret_free(v, sizeof(*v));
	sa->v1 = NULL;
}

void v1_set_step(struct ike_sa *sa, enum v1_step step)
{
	assert(followers[sa->v1->step] & 1u << step);
	sa->v1->step = step;
	/* ike_sa_established() makes the last change. */
	if (states[step] != sa->state && step != V1_DONE)
		ike_sa_set_state(sa, states[step]);
}

/* Would another answer of `len` bytes be too much for one who has proven nothing? */
static bool is_too_much(const struct ike_sa *sa, size_t len)
{
	return sa->state == IKE_SA_HALF_OPEN &&
	    sa->v1->bytes_out + len > sa->v1->bytes_in + sa->v1->bytes_in / 2;
}

bool v1_is_repeated(struct ike_sa *sa, const struct v1_message *m)
{
	for (unsigned i = 0; i < V1_ECHOES; i++) {
		const struct v1_echo *echo = &sa->v1->echo[i];

		if (!echo->used || memcmp(echo->digest, m->digest, IKE_MESSAGE_DIGEST))
			continue;
		sa->v1->bytes_in += m->len;
		if (echo->answer && !is_too_much(sa, echo->answer->len)) {
			sa->v1->bytes_out += echo->answer->len;
			sa->engine->counters.replays_answered++;
			ike_packet_send(sa->engine, echo->answer, m->local, m->remote);
		}
		return true;
	}
	return false;
}

void v1_remember(struct ike_sa *sa, const struct v1_message *m, struct ike_packet *answer)
{
	struct v1_echo *echo = &sa->v1->echo[sa->v1->echoes % V1_ECHOES];

	/* A message may be remembered by who answers it, and by who has read it all. */
	for (unsigned i = 0; i < V1_ECHOES && !answer; i++)
		if (sa->v1->echo[i].used &&
		    !memcmp(sa->v1->echo[i].digest, m->digest, IKE_MESSAGE_DIGEST))
			return;
	sa->v1->echoes++;
	free(echo->answer);
	*echo = (struct v1_echo){.used = true, .answer = answer};
	memcpy(echo->digest, m->digest, IKE_MESSAGE_DIGEST);
}

bool v1_answer(struct ike_sa *sa, const struct v1_message *m, struct ike_packet *answer)
{
	sa->v1->bytes_in += m->len;
	if (sa->state == IKE_SA_HALF_OPEN &&
	    sa->v1->bytes_out + answer->len > FIRST_FACTOR * sa->v1->bytes_in) {
		free(answer);
		v1_remember(sa, m, NULL);
		sa->engine->counters.unexpected++;
		return false;
	}
	sa->v1->bytes_out += answer->len;
	v1_remember(sa, m, answer);
	ike_packet_send(sa->engine, answer, m->local, m->remote);
	return true;
}

struct v1_transcript v1_transcript(const struct ike_sa *sa)
{
	const struct ike_setup *s = sa->setup;
	const struct v1_state *v = sa->v1;
	size_t ke_len = alg_dh(sa->suite.dh)->public_bytes;

	return (struct v1_transcript){
	    .spi_i = sa->spi_i,
	    .spi_r = sa->spi_r,
	    .nonce_i = {s->nonce_i, s->nonce_i_len},
	    .nonce_r = {s->nonce_r, s->nonce_r_len},
	    .ke_i = {v->ke_i, ke_len},
	    .ke_r = {v->ke_r, ke_len},
	    .sa_i = {s->message_i, s->message_i_len},
	    .secret = {v->secret, v->secret_len},
	};
}

struct ike_span v1_cookies(const struct ike_sa *sa, uint8_t out[16])
{
	struct wirebuf b = wirebuf_of(out, 16);

	wirebuf_u64(&b, sa->spi_i);
	wirebuf_u64(&b, sa->spi_r);
	return (struct ike_span){out, 16};
}

void v1_forget_setup(struct ike_sa *sa)
{
	secret_wipe(sa->v1->secret, sizeof(sa->v1->secret));
	sa->v1->secret_len = 0;
	/* The initiator of aggressive mode has nothing more to check. */
	if (sa->v1->confirmed || sa->v1->last) {
		ike_setup_free(sa);
		return;
	}
	ike_dh_free(sa->setup->dh);
	sa->setup->dh = NULL;
	sa->setup->reported = true;
}

void v1_hint(struct ike_sa *sa, enum ike_error_code code, const char *field, const char *ours,
    const char *theirs)
{
	if (!sa->tunnel || !sa->setup || sa->setup->hint == code)
		return;
	sa->setup->hint = code;
	ike_tunnel_error(sa->tunnel, code, field, ours, theirs);
}

void v1_refuse_plain(
    struct ike_engine *e, const struct v1_message *m, uint64_t spi_r, uint16_t notify)
{
	struct ike_chain c = v1_chain(e);
	struct ike_packet *p;

	v1_chain_notify(
	    &c, V1_PROTOCOL_ISAKMP, (struct ike_span){NULL, 0}, notify, (struct ike_span){NULL, 0});
	p = v1_plain(
	    m->header->spi_i, spi_r, EXCHANGE_V1_INFORMATIONAL, (uint32_t)rng_u64(e->rng) | 1, &c);
	if (p->len <= m->len)
		ike_packet_send(e, p, m->local, m->remote);
	free(p);
}
