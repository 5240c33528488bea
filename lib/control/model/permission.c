/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The outcome of the egress policies for every attachment, as a bitmap that routes share.
 *
 * A verdict is the outcome for routes of a table that the same policies want. A route has one
 * permission for all of its members: who may not use one of them may not use the route, for which
 * member a flow takes is a matter of its hash.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

#define BITS 64

struct verdict {
	struct list node; /* of struct table.verdicts */
	struct policy_set set;
	bool known; /* what permission alone gives: */
	struct permission *permission;
	uint64_t word[];
};

static void set_bit(uint64_t *word, uint32_t bit)
{
	word[bit / BITS] |= UINT64_C(1) << (bit % BITS);
}

static bool has_bit(const uint64_t *word, uint32_t bit)
{
	return word[bit / BITS] >> (bit % BITS) & 1;
}

/* ---- verdicts ---- */

static bool is_set(const struct policy_set *a, const struct policy_set *b)
{
	return memcmp(a->word, b->word, sizeof(a->word)) == 0 && a->built_in == b->built_in;
}

static struct verdict *verdict_of(struct model *m, struct table *t, const struct policy_set *set)
{
	struct verdict *v;
	struct attach *a;

	list_for (v, &t->verdicts, node) {
		if (is_set(&v->set, set))
			return v;
	}
	v = xcalloc(1, sizeof(*v) + m->words * sizeof(v->word[0]));
	v->set = *set;
	set_bit(v->word, 0); /* attachment 0: the router itself */
	list_for (a, &m->attachments, node) {
		if (a->seen && policy_egress(t, set, a).permit)
			set_bit(v->word, a->number);
	}
	list_append(&t->verdicts, &v->node);
	return v;
}

void verdicts_clear(struct table *t)
{
	struct verdict *v, *next;

	list_for_safe (v, next, &t->verdicts, node) {
		permission_unref(v->permission);
		free(v);
	}
	list_init(&t->verdicts);
}

/* ---- permissions ---- */

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

static bool is_for_all(const struct model *m, const uint64_t *word)
{
	struct attach *a;

	list_for (a, &m->attachments, node) {
		if (a->seen && !has_bit(word, a->number))
			return false;
	}
	return true;
}

/* Of routes with one verdict, as nearly all have: asked once. */
static struct permission *permission_of_verdict(struct model *m, struct verdict *v)
{
	if (!v->known && !is_for_all(m, v->word))
		v->permission = permission_get(m, v->word);
	v->known = true;
	if (v->permission)
		v->permission->refs++;
	return v->permission;
}

struct permission *permission_of(
    struct model *m, struct table *t, const struct candidate *c, unsigned count)
{
	struct verdict *first = NULL;
	struct permission *p = NULL;
	uint64_t *word = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (c[i].lost != LOST_NOT || !c[i].origin)
			continue;
		const struct policy_set set = policy_set_of(m, t, &c[i]);
		struct verdict *v = verdict_of(m, t, &set);

		first = first ? first : v;
		if (v == first)
			continue;
		if (!word) {
			word = xmalloc(m->words * sizeof(*word));
			memcpy(word, first->word, m->words * sizeof(*word));
		}
		for (uint32_t w = 0; w < m->words; w++)
			word[w] &= v->word[w];
	}
	if (!word)
		return first ? permission_of_verdict(m, first) : NULL;
	if (!is_for_all(m, word))
		p = permission_get(m, word);
	free(word);
	return p;
}
