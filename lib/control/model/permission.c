/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outcome of the egress policies for every attachment, as a bitmap that routes share.
 *
 * A group has one permission for all of its members: who may not use one of them may not use the route, for which
 * member a flow takes is a matter of its hash.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

#define BITS 64

static bool has_bit(const uint64_t *word, uint32_t bit)
{
	return word[bit / BITS] >> (bit % BITS) & 1;
}

static bool is_same(const struct permission *p, const uint64_t *word, uint32_t words)
{
	uint32_t common = p->words < words ? p->words : words;

	if (memcmp(p->word, word, common * sizeof(*word)) != 0)
		return false;
	for (uint32_t i = common; i < p->words; i++) {
		if (p->word[i])
			return false;
	}
	for (uint32_t i = common; i < words; i++) {
		if (word[i])
			return false;
	}
	return true;
}

static struct permission *permission_get(struct model *m, const uint64_t *word)
{
	struct permission *p;

	list_for (p, &m->permissions, node) {
		if (is_same(p, word, m->words)) {
			p->refs++;
			return p;
		}
	}
	p = xcalloc(1, sizeof(*p) + m->words * sizeof(*word));
	p->refs = 1;
	p->words = m->words;
	memcpy(p->word, word, m->words * sizeof(*word));
	p->permit = permit_create(m->words * BITS);
	for (uint32_t bit = 0; bit < m->words * BITS; bit++) {
		if (has_bit(word, bit))
			permit_allow(p->permit, bit);
	}
	list_append(&m->permissions, &p->node);
	return p;
}

void permission_unref(struct permission *p)
{
	if (!p || --p->refs)
		return;
	permit_unref(p->permit);
	list_remove(&p->node);
	free(p);
}

bool permission_has(const struct permission *p, const struct attach *a)
{
	return !p || (a->number / BITS < p->words && has_bit(p->word, a->number));
}

static bool may_use(const struct model *m, const struct table *t, const struct attach *who,
    const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct policy_question q = {
		    .table = t->conf,
		    .source = c[i].origin,
		    .destination = who,
		    .prefix = &c[i].prefix,
		    .route = c[i].source,
		};

		if (c[i].lost == LOST_NOT && !policy_ask(m, CONF_EGRESS, &q).permit)
			return false;
	}
	return true;
}

/* Routes of the router itself and blackholes are open to all: they come from nobody. */
static bool has_origin(const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost == LOST_NOT)
			return c[i].origin != NULL;
	}
	return false;
}

struct permission *permission_of(
    struct model *m, const struct table *t, const struct candidate *c, unsigned count)
{
	struct permission *p = NULL;
	struct attach *a;
	bool all = true;

	if (!t->conf || !has_origin(c, count))
		return NULL;
	uint64_t *word = xcalloc(m->words, sizeof(*word));
	word[0] = 1; /* attachment 0: the router itself */
	list_for (a, &m->attachments, node) {
		if (!a->seen)
			continue;
		if (may_use(m, t, a, c, count))
			word[a->number / BITS] |= UINT64_C(1) << (a->number % BITS);
		else
			all = false;
	}
	if (!all)
		p = permission_get(m, word);
	free(word);
	return p;
}
