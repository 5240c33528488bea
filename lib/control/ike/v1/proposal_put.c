/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writing SA payloads: every combination that the configuration allows, in its order of preference, or the
 * transform that answers an offer.
 */

#include "ike/v1/proposal.h"

#define SHORT_FORM     0x8000
#define MORE_TRANSFORM 3
#define TRANSFORMS_MAX 255 /* the count has one byte */

/* A proposal under construction. */
struct writer {
	struct ike_chain *c;
	size_t start, last_transform;
	uint8_t transforms;
};

static struct writer begin(
    struct ike_chain *c, uint8_t number, uint8_t protocol, struct ike_span spi)
{
	struct wirebuf *b = &c->buf;
	struct writer w = {.c = c};

	ike_chain_begin(c, V1_PAYLOAD_SA);
	wirebuf_u32(b, V1_DOI_IPSEC);
	wirebuf_u32(b, V1_IDENTITY_ONLY);
	w.start = wirebuf_len(b);
	wirebuf_u16(b, 0);
	wirebuf_u16(b, 0);
	wirebuf_u8(b, number);
	wirebuf_u8(b, protocol);
	wirebuf_u8(b, (uint8_t)spi.len);
	wirebuf_u8(b, 0);
	wirebuf_put(b, spi.bytes, spi.len);
	return w;
}

static void end(struct writer *w)
{
	struct wirebuf *b = &w->c->buf;

	wirebuf_u16_at(b, w->start + 2, (uint16_t)(wirebuf_len(b) - w->start));
	wirebuf_u8_at(b, w->start + 7, w->transforms);
	ike_chain_end(w->c);
}

/* False when no more fits. */
static bool transform_begin(struct writer *w)
{
	struct wirebuf *b = &w->c->buf;

	if (w->transforms == TRANSFORMS_MAX)
		return false;
	if (w->transforms > 0)
		wirebuf_u8_at(b, w->last_transform, MORE_TRANSFORM);
	w->last_transform = wirebuf_len(b);
	w->transforms++;
	wirebuf_u16(b, 0);
	wirebuf_u16(b, 0);
	return true;
}

static void transform_end(struct writer *w)
{
	struct wirebuf *b = &w->c->buf;

	wirebuf_u16_at(b, w->last_transform + 2, (uint16_t)(wirebuf_len(b) - w->last_transform));
}

static void short_attribute(struct wirebuf *b, uint16_t type, uint16_t value)
{
	wirebuf_u16(b, SHORT_FORM | type);
	wirebuf_u16(b, value);
}

/* Above 65535 the short form has no room. Above 32 bits peers may not follow: they replace it sooner, then. */
static void life_attribute(struct wirebuf *b, bool ike, uint16_t type, uint64_t duration)
{
	if (duration == 0)
		return;
	short_attribute(b, ike ? V1_ATTR_LIFE_TYPE : V1_ESP_LIFE_TYPE, type);
	if (duration <= UINT16_MAX) {
		short_attribute(
		    b, ike ? V1_ATTR_LIFE_DURATION : V1_ESP_LIFE_DURATION, (uint16_t)duration);
	} else {
		wirebuf_u16(b, ike ? V1_ATTR_LIFE_DURATION : V1_ESP_LIFE_DURATION);
		wirebuf_u16(b, 4);
		wirebuf_u32(b, duration > UINT32_MAX ? UINT32_MAX : (uint32_t)duration);
	}
}

static void life_attributes(struct wirebuf *b, bool ike, const struct v1_lifetime *life)
{
	life_attribute(b, ike, V1_LIFE_SECONDS, life->s);
	life_attribute(b, ike, V1_LIFE_KILOBYTES, life->kb);
}

size_t v1_lifetime_put(uint8_t out[V1_LIFETIME_BYTES], bool ike, const struct v1_lifetime *life)
{
	struct wirebuf b = wirebuf_of(out, V1_LIFETIME_BYTES);

	life_attributes(&b, ike, life);
	return wirebuf_len(&b);
}

static void ike_transform(struct writer *w, const struct ike_algs *a, unsigned encr, unsigned auth,
    unsigned dh, uint32_t life_s)
{
	const struct alg_encr_info *info = alg_encr(a->encr[encr]);
	struct wirebuf *b = &w->c->buf;

	if (!transform_begin(w))
		return;
	wirebuf_u8(b, w->transforms);
	wirebuf_u8(b, V1_TRANSFORM_KEY_IKE);
	wirebuf_u16(b, 0);
	short_attribute(b, V1_ATTR_ENCRYPTION, info->v1_ike_id);
	if (!info->fixed_key)
		short_attribute(b, V1_ATTR_KEY_LENGTH, 8u * info->key_bytes);
	short_attribute(b, V1_ATTR_HASH, alg_auth(a->auth[auth])->v1_hash_id);
	short_attribute(b, V1_ATTR_GROUP, alg_dh(a->dh[dh])->id);
	short_attribute(b, V1_ATTR_METHOD, V1_METHOD_PSK);
	life_attributes(b, true, &(struct v1_lifetime){.s = life_s});
	transform_end(w);
}

void v1_ike_offer(struct ike_chain *c, const struct ike_algs *a, enum alg_dh group, uint32_t life_s)
{
	struct writer w = begin(c, 1, V1_PROTOCOL_ISAKMP, (struct ike_span){NULL, 0});

	for (unsigned e = 0; e < a->encr_count; e++)
		for (unsigned h = 0; h < a->auth_count; h++)
			for (unsigned g = 0; g < a->dh_count; g++)
				if (group == DH_NONE || a->dh[g] == group)
					ike_transform(&w, a, e, h, g, life_s);
	end(&w);
}

/* auth AUTH_NONE with an AEAD. */
static void esp_transform(
    struct writer *w, enum alg_encr encr, enum alg_auth auth, const struct v1_esp_terms *terms)
{
	const struct alg_encr_info *info = alg_encr(encr);
	struct wirebuf *b = &w->c->buf;

	if (!transform_begin(w))
		return;
	wirebuf_u8(b, w->transforms);
	wirebuf_u8(b, (uint8_t)info->v1_esp_id);
	wirebuf_u16(b, 0);
	life_attributes(b, false, &terms->life);
	if (terms->dh != DH_NONE)
		short_attribute(b, V1_ESP_GROUP, alg_dh(terms->dh)->id);
	short_attribute(b, V1_ESP_MODE, terms->mode);
	if (auth != AUTH_NONE)
		short_attribute(b, V1_ESP_AUTH, alg_auth(auth)->v1_esp_id);
	if (!info->fixed_key && info->key_bytes)
		short_attribute(b, V1_ESP_KEY_LENGTH, 8u * info->key_bytes);
	transform_end(w);
}

void v1_esp_offer(
    struct ike_chain *c, const struct ike_algs *a, const struct v1_esp_terms *terms, uint32_t spi)
{
	uint8_t bytes[4] = {
	    (uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8), (uint8_t)spi};
	struct writer w = begin(c, 1, V1_PROTOCOL_ESP, (struct ike_span){bytes, sizeof(bytes)});

	for (unsigned e = 0; e < a->encr_count; e++) {
		if (alg_is_aead(a->encr[e])) {
			esp_transform(&w, a->encr[e], AUTH_NONE, terms);
			continue;
		}
		for (unsigned h = 0; h < a->auth_count; h++)
			esp_transform(&w, a->encr[e], a->auth[h], terms);
	}
	end(&w);
}

void v1_suite_put(
    struct ike_chain *c, const struct v1_suite *s, uint8_t protocol, struct ike_span spi)
{
	struct writer w = begin(c, s->suite.number, protocol, spi);

	transform_begin(&w);
	wirebuf_put(&c->buf, s->body.bytes, s->body.len);
	transform_end(&w);
	end(&w);
}
