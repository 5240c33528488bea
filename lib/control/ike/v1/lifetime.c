/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How long SAs are kept: by our configuration, or less when the peer says so, in seconds (IKE and Child SAs) or in
 * kilobytes (Child SAs, both ways together; who counts them is the data path). An offer has its lifetime in the transform (RFC 2407 4.5, RFC 2409 appendix A); a responder that
 * keeps an SA for less says RESPONDER-LIFETIME (RFC 2407 4.6.3.1), in the exchange that makes the SA or later in an
 * informational one. Nothing that a peer says makes an SA live longer, and nothing makes it so short that rekeying would
 * be all that is done.
 */

#include <string.h>

#include "ike/v1/v1.h"

/* A lifetime below is not worth its rekeys: it is not kept. */
#define SHORTEST_S  10
#define SHORTEST_KB 2560

uint32_t v1_shorter(uint32_t ours_s, uint32_t theirs_s)
{
	if (theirs_s == 0 || (ours_s && ours_s <= theirs_s))
		return ours_s;
	return theirs_s < SHORTEST_S ? SHORTEST_S : theirs_s;
}

uint64_t v1_lifetime_bytes(uint64_t kb)
{
	if (kb == 0 || kb > UINT64_MAX / 1024)
		return 0;
	return 1024 * (kb < SHORTEST_KB ? SHORTEST_KB : kb);
}

/* ---- ours ---- */

struct v1_lifetime v1_child_lifetime(const struct ike_tunnel *t)
{
	uint64_t bytes = t->config.esp_lifetime_bytes;

	return (struct v1_lifetime){
	    .s = t->config.esp_lifetime_s,
	    .kb = bytes / 1024 + (bytes && bytes < 1024),
	};
}

static bool keeps_as_offered(uint64_t ours, uint64_t offered)
{
	return ours == 0 || (offered && offered <= ours);
}

void v1_put_responder_lifetime(struct ike_sa *sa, struct ike_chain *c)
{
	struct v1_lifetime ours = {.s = sa->tunnel->config.ike_lifetime_s};
	uint8_t spi[16], attributes[V1_LIFETIME_BYTES];

	if (keeps_as_offered(ours.s, sa->v1->life_s))
		return;
	v1_chain_notify(c, V1_PROTOCOL_ISAKMP, v1_cookies(sa, spi), V1_NOTIFY_RESPONDER_LIFETIME,
	    (struct ike_span){attributes, v1_lifetime_put(attributes, true, &ours)});
}

void v1_quick_put_lifetime(
    struct ike_sa *sa, struct ike_chain *c, const struct v1_suite *suite, uint32_t spi_in)
{
	struct v1_lifetime ours = v1_child_lifetime(sa->tunnel);
	uint8_t spi[4], attributes[V1_LIFETIME_BYTES];

	if (keeps_as_offered(ours.s, suite->life_s))
		ours.s = 0;
	if (keeps_as_offered(ours.kb, suite->life_kb))
		ours.kb = 0;
	if (ours.s == 0 && ours.kb == 0)
		return;
	v1_chain_notify(c, V1_PROTOCOL_ESP, v1_spi_span(spi, spi_in), V1_NOTIFY_RESPONDER_LIFETIME,
	    (struct ike_span){attributes, v1_lifetime_put(attributes, false, &ours)});
}

/* ---- the peer's ---- */

void v1_ike_take_lifetime(struct ike_sa *sa, const struct v1_message *m)
{
	uint32_t said = sa->v1->life_s, shorter;
	struct v1_notify n;

	if (v1_notify_find(&m->p, V1_NOTIFY_RESPONDER_LIFETIME, &n) && sa->initiator)
		said = v1_shorter(said, v1_lifetime_read(n.data, true).s);
	shorter = v1_shorter(sa->tunnel->config.ike_lifetime_s, said);
	if (shorter != sa->tunnel->config.ike_lifetime_s)
		ike_sa_shorten(sa, shorter);
}

void v1_quick_take_lifetime(struct v1_suite *suite, const struct v1_message *m)
{
	struct v1_lifetime said;
	struct v1_notify n;

	if (!v1_notify_find(&m->p, V1_NOTIFY_RESPONDER_LIFETIME, &n))
		return;
	said = v1_lifetime_read(n.data, false);
	suite->life_s = v1_shorter(suite->life_s, said.s);
	if (said.kb > 0 && (suite->life_kb == 0 || said.kb < suite->life_kb))
		suite->life_kb = said.kb;
}

/* Kilobytes count from now on: what has passed before, the peer has not told us. */
static void shorten_child(struct ike_child_sa *c, const struct v1_lifetime *said)
{
	struct ike_engine *e = c->sa->engine;
	uint64_t bytes = v1_lifetime_bytes(said->kb);

	if (said->s)
		ike_child_shorten(c, v1_shorter(0, said->s));
	if (bytes == 0 || (c->info.lifetime_bytes && c->info.lifetime_bytes <= bytes))
		return;
	c->info.lifetime_bytes = bytes;
	if (e->ops->child_bytes)
		e->ops->child_bytes(e->ctx, c->sa->tunnel->id, c->info.spi_in, bytes);
}

void v1_on_responder_lifetime(struct ike_sa *sa, const struct v1_notify *n)
{
	bool ike = n->protocol == V1_PROTOCOL_ISAKMP;
	struct v1_lifetime said = v1_lifetime_read(n->data, ike);
	struct ike_child_sa *c;

	if (ike) {
		if (said.s)
			ike_sa_shorten(sa, v1_shorter(0, said.s));
		return;
	}
	c = n->spi.len == 4 ? v1_child_find_out(sa->tunnel, v1_spi_read(n->spi.bytes)) : NULL;
	if (c)
		shorten_child(c, &said);
}
