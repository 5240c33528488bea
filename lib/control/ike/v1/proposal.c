/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Reading SA payloads, and choosing one transform out of them.
 *
 * A transform with an attribute or a value that we do not know cannot be chosen; it is no error. Proposals of
 * one number belong together (RFC 2408 4.2: AH and ESP, or IPComp): we can agree to none of them.
 */

#include "ike/v1/proposal.h"

#include <errno.h>
#include <string.h>

#define SHORT_FORM     0x8000
#define MORE_PROPOSALS 2
#define MORE_TRANSFORM 3

/* ---- attributes ---- */

struct attribute {
	uint16_t type;
	uint64_t value; /* UINT64_MAX when longer than 8 bytes */
};

/* 1; 0 at the end; -EBADMSG. */
static int next_attribute(struct wire *w, struct attribute *out)
{
	uint16_t type, value;
	struct wire body;

	if (wire_done(w))
		return 0;
	type = wire_u16(w);
	value = wire_u16(w);
	out->type = type & (uint16_t)~SHORT_FORM;
	out->value = value;
	if (!wire_ok(w))
		return -EBADMSG;
	if (type & SHORT_FORM)
		return 1;
	body = wire_sub(w, value);
	if (!wire_ok(&body))
		return -EBADMSG;
	out->value = wire_left(&body) > 8 ? UINT64_MAX : 0;
	while (wire_left(&body) > 0 && out->value != UINT64_MAX)
		out->value = out->value << 8 | wire_u8(&body);
	return 1;
}

/* Values of a transform as they are read; -1: not said. */
struct reading {
	int64_t encr, auth, group, method, mode, key_bits;
	uint64_t life_type;
	uint32_t life_s;
	uint64_t life_kb;
	bool strange;
};

static void read_life(struct reading *r, uint64_t duration)
{
	if (r->life_type == V1_LIFE_SECONDS)
		r->life_s = duration > UINT32_MAX ? UINT32_MAX : (uint32_t)duration;
	else if (r->life_type == V1_LIFE_KILOBYTES)
		r->life_kb = duration;
	else
		r->strange = true;
}

static void read_value(struct reading *r, int64_t *field, uint64_t value)
{
	if (*field != -1 || value > UINT16_MAX)
		r->strange = true;
	*field = (int64_t)(value & UINT16_MAX);
}

static void note_ike(struct reading *r, const struct attribute *a)
{
	switch (a->type) {
	case V1_ATTR_ENCRYPTION:
		read_value(r, &r->encr, a->value);
		break;
	case V1_ATTR_HASH:
		read_value(r, &r->auth, a->value);
		break;
	case V1_ATTR_METHOD:
		read_value(r, &r->method, a->value);
		break;
	case V1_ATTR_GROUP:
		read_value(r, &r->group, a->value);
		break;
	case V1_ATTR_GROUP_TYPE:
		break; /* follows from the group */
	case V1_ATTR_KEY_LENGTH:
		read_value(r, &r->key_bits, a->value);
		break;
	case V1_ATTR_LIFE_TYPE:
		r->life_type = a->value;
		break;
	case V1_ATTR_LIFE_DURATION:
		read_life(r, a->value);
		break;
	default:
		r->strange = true;
	}
}

static void note_esp(struct reading *r, const struct attribute *a)
{
	switch (a->type) {
	case V1_ESP_LIFE_TYPE:
		r->life_type = a->value;
		break;
	case V1_ESP_LIFE_DURATION:
		read_life(r, a->value);
		break;
	case V1_ESP_GROUP:
		read_value(r, &r->group, a->value);
		break;
	case V1_ESP_MODE:
		read_value(r, &r->mode, a->value);
		break;
	case V1_ESP_AUTH:
		read_value(r, &r->auth, a->value);
		break;
	case V1_ESP_KEY_LENGTH:
		read_value(r, &r->key_bits, a->value);
		break;
	default:
		r->strange = true;
	}
}

static int read_attributes(struct wire w, bool ike, struct reading *r)
{
	struct attribute a;
	int more;

	*r = (struct reading){-1, -1, -1, -1, -1, -1, 0, 0, 0, false};
	while ((more = next_attribute(&w, &a)) > 0)
		ike ? note_ike(r, &a) : note_esp(r, &a);
	return more;
}

/* ---- transforms ---- */

/* Key lengths: AES must say one, ciphers of one size may say theirs. */
static enum alg_encr encr_of(bool ike, int64_t id, int64_t key_bits)
{
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		const struct alg_encr_info *info = alg_encr(e);
		uint16_t known = ike ? info->v1_ike_id : info->v1_esp_id;

		if (known != 0 && known == id &&
		    (key_bits == 8 * info->key_bytes || (key_bits == -1 && info->fixed_key)))
			return e;
	}
	return ENCR_NONE;
}

static enum alg_auth auth_of(bool ike, int64_t id)
{
	for (enum alg_auth a = AUTH_NONE + 1; a < AUTH_COUNT; a++)
		if ((ike ? alg_auth(a)->v1_hash_id : alg_auth(a)->v1_esp_id) == id)
			return a;
	return AUTH_NONE;
}

/* What the transform means. False: it has something that we cannot do. */
static bool understand(const struct reading *r, bool ike, uint8_t id, struct v1_suite *s)
{
	struct ike_suite *suite = &s->suite;

	suite->encr = encr_of(ike, ike ? r->encr : id, r->key_bits);
	suite->integ = auth_of(ike, r->auth);
	suite->dh = r->group > 0 ? ike_dh_by_id((uint16_t)r->group) : DH_NONE;
	s->life_s = r->life_s;
	s->life_kb = r->life_kb;
	s->mode = r->mode == -1 ? 0 : (uint16_t)r->mode;
	if (r->strange || suite->encr == ENCR_NONE || (r->group > 0 && suite->dh == DH_NONE))
		return false;
	if (ike) {
		suite->prf = suite->integ;
		return id == V1_TRANSFORM_KEY_IKE && r->method == V1_METHOD_PSK &&
		    suite->integ != AUTH_NONE && suite->dh != DH_NONE;
	}
	return alg_is_aead(suite->encr) ? r->auth == -1 : suite->integ != AUTH_NONE;
}

/* A proposal while its transforms are read one by one. */
struct proposal {
	uint8_t number, protocol;
	uint8_t spi_len;
	uint8_t spi[8]; /* ESP: 4 bytes */
	uint8_t left;   /* transforms */
	struct wire body;
};

static int begin_proposal(struct wire *w, struct proposal *p)
{
	uint8_t last = wire_u8(w);
	uint16_t len;

	wire_skip(w, 1);
	len = wire_u16(w);
	if (!wire_ok(w) || len < 8)
		return -EBADMSG;
	p->body = wire_sub(w, len - 4u);
	p->number = wire_u8(&p->body);
	p->protocol = wire_u8(&p->body);
	p->spi_len = wire_u8(&p->body);
	p->left = wire_u8(&p->body);
	memset(p->spi, 0, sizeof(p->spi));
	if (p->spi_len <= sizeof(p->spi))
		wire_copy(&p->body, p->spi, p->spi_len);
	else
		wire_skip(&p->body, p->spi_len);
	if (!wire_ok(&p->body) || last != (wire_left(w) > 0 ? MORE_PROPOSALS : 0))
		return -EBADMSG;
	return 0;
}

/* 1, and *usable tells whether `out` means anything; 0 at the end; -EBADMSG. */
static int next_transform(struct proposal *p, struct v1_suite *out, bool *usable)
{
	bool ike = p->protocol == V1_PROTOCOL_ISAKMP;
	struct reading r;
	struct wire body;
	uint8_t last, id;
	uint16_t len;

	if (p->left == 0)
		return wire_done(&p->body) ? 0 : -EBADMSG;
	p->left--;
	last = wire_u8(&p->body);
	wire_skip(&p->body, 1);
	len = wire_u16(&p->body);
	if (!wire_ok(&p->body) || len < 8)
		return -EBADMSG;
	body = wire_sub(&p->body, len - 4u);
	if (!wire_ok(&body) || last != (p->left > 0 ? MORE_TRANSFORM : 0))
		return -EBADMSG;
	*out = (struct v1_suite){.body = {body.at, wire_left(&body)}};
	out->suite.number = p->number;
	out->suite.spi_len = p->spi_len;
	memcpy(out->suite.spi, p->spi, sizeof(p->spi));
	out->transform = wire_u8(&body);
	id = wire_u8(&body);
	wire_skip(&body, 2);
	if (read_attributes(body, ike, &r))
		return -EBADMSG;
	*usable = understand(&r, ike, id, out);
	return 1;
}

/* ---- choosing ---- */

/* What a side asks of a transform. */
struct demand {
	const struct ike_algs *algs;
	uint8_t protocol;
	enum alg_dh group; /* phase 1: the only one possible, or DH_NONE */
	uint16_t mode;     /* phase 2 */
};

static bool has(const uint8_t *list, unsigned count, unsigned value)
{
	return memchr(list, (int)value, count) != NULL;
}

static bool fits(const struct demand *d, const struct v1_suite *s)
{
	const struct ike_algs *a = d->algs;
	const struct ike_suite *suite = &s->suite;

	if (!has(a->encr, a->encr_count, suite->encr) || !has(a->dh, a->dh_count, suite->dh))
		return false;
	if (suite->integ != AUTH_NONE && !has(a->auth, a->auth_count, suite->integ))
		return false;
	if (d->protocol == V1_PROTOCOL_ISAKMP)
		return d->group == DH_NONE || d->group == suite->dh;
	return s->mode == d->mode && suite->spi_len == 4;
}

static int read_head(struct wire *sa)
{
	uint32_t doi = wire_u32(sa), situation = wire_u32(sa);

	if (!wire_ok(sa))
		return -EBADMSG;
	/* ISAKMP's own DOI 0 is what some peers say in phase 1. */
	return doi <= V1_DOI_IPSEC && situation == V1_IDENTITY_ONLY ? 0 : -ENOENT;
}

struct outcome {
	bool found;
	struct v1_suite best;
	unsigned proposals, transforms;
	bool bundled; /* the last proposal has the number of the one before */
};

static int read_proposal(const struct demand *d, struct proposal *p, struct outcome *o)
{
	bool before = o->found, usable;
	struct v1_suite s;
	int more;

	while ((more = next_transform(p, &s, &usable)) > 0) {
		o->transforms++;
		if (o->found || !usable || p->protocol != d->protocol || !fits(d, &s))
			continue;
		o->best = s;
		o->found = true;
	}
	/* The proposal before, which goes with this one, was the choice. */
	if (o->bundled)
		o->found = before && o->best.suite.number != p->number;
	return more;
}

/* All of it is read, so that malformed offers are refused whatever stands first. */
static int choose(const struct demand *d, struct wire sa, struct outcome *o)
{
	int last_number = -1;
	int err = read_head(&sa);

	*o = (struct outcome){0};
	if (err)
		return err;
	while (wire_left(&sa) > 0) {
		struct proposal p;

		if (begin_proposal(&sa, &p))
			return -EBADMSG;
		o->bundled = p.number == last_number;
		last_number = p.number;
		o->proposals++;
		if (read_proposal(d, &p, o) < 0)
			return -EBADMSG;
	}
	if (!wire_done(&sa) || o->proposals == 0)
		return -EBADMSG;
	return o->found ? 0 : -ENOENT;
}

static int choose_into(const struct demand *d, struct wire sa, struct v1_suite *out)
{
	struct outcome o;
	int err = choose(d, sa, &o);

	*out = o.best;
	return err;
}

static int accept(const struct demand *d, struct wire sa, struct v1_suite *out)
{
	struct outcome o;
	int err = choose(d, sa, &o);

	*out = o.best;
	return !err && (o.proposals != 1 || o.transforms != 1) ? -ENOENT : err;
}

int v1_ike_choose(
    const struct ike_algs *algs, struct wire sa, enum alg_dh group, struct v1_suite *out)
{
	return choose_into(&(struct demand){algs, V1_PROTOCOL_ISAKMP, group, 0}, sa, out);
}

int v1_ike_accept(const struct ike_algs *algs, struct wire sa, struct v1_suite *out)
{
	return accept(&(struct demand){algs, V1_PROTOCOL_ISAKMP, DH_NONE, 0}, sa, out);
}

int v1_esp_choose(const struct ike_algs *algs, struct wire sa, uint16_t mode, struct v1_suite *out)
{
	return choose_into(&(struct demand){algs, V1_PROTOCOL_ESP, DH_NONE, mode}, sa, out);
}

int v1_esp_accept(const struct ike_algs *algs, const struct v1_esp_terms *terms, struct wire sa,
    struct v1_suite *out)
{
	int err = accept(&(struct demand){algs, V1_PROTOCOL_ESP, DH_NONE, terms->mode}, sa, out);

	return !err && out->suite.dh != terms->dh ? -ENOENT : err;
}

/* ---- for the operator ---- */

static void add_to_union(struct ike_offer *all, bool ike, const struct v1_suite *s)
{
	all->encr |= s->suite.encr != ENCR_NONE ? 1u << s->suite.encr : 0;
	all->integ |= s->suite.integ != AUTH_NONE ? 1u << s->suite.integ : 0;
	if (s->suite.dh != DH_NONE || !ike)
		all->dh |= 1u << s->suite.dh;
	all->prf = all->integ;
	all->esn = 1;
}

void v1_mismatch_find(const struct ike_policy *policy, struct wire sa, struct ike_mismatch *out)
{
	bool ike = policy->protocol == PROTOCOL_IKE;
	struct ike_offer all = {0};

	read_head(&sa);
	while (wire_left(&sa) > 0) {
		struct proposal p;
		struct v1_suite s;
		bool usable;

		if (begin_proposal(&sa, &p))
			break;
		while (next_transform(&p, &s, &usable) > 0)
			if (p.protocol == policy->protocol)
				add_to_union(&all, ike, &s);
	}
	ike_mismatch_of(policy, &all, out);
}

struct v1_lifetime v1_lifetime_read(struct ike_span attributes, bool ike)
{
	struct reading r;

	if (read_attributes(wire_of(attributes.bytes, attributes.len), ike, &r) || r.strange)
		return (struct v1_lifetime){0, 0};
	return (struct v1_lifetime){r.life_s, r.life_kb};
}
