/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Attachments: each has a number for as long as its name is in the configuration. Packets carry the
 * number of their ingress and policies are asked about it, so a number that was left is given away
 * only after a grace period.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/internal.h"

#define BITS 64 /* of a word of a bitmap */

struct attach *attach_of(const struct model *m, const struct conf_attachment *conf)
{
	struct attach *a = conf ? names_get(&m->attach_names, conf->name) : NULL;

	return a && a->conf == conf ? a : NULL;
}

void attach_refresh_usable(struct attach *a)
{
	bool before = a->usable;

	a->usable = a->iface && a->iface->link_up && !a->unfit;
	for (unsigned i = 0; i < a->tunnel_count; i++)
		a->usable |= tunnel_state(a->tunnel[i]) != MODEL_TUNNEL_DOWN;
	a->changed |= a->usable != before;
}

static void numbers_return(struct model *m)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < m->left_count; i++) {
		if (!epoch_passed(m->b->epoch, m->left[i].mark))
			m->left[kept++] = m->left[i];
	}
	m->left_count = kept;
}

static void number_leave(struct model *m, uint16_t number)
{
	m->left = xrealloc(m->left, (m->left_count + 1) * sizeof(*m->left));
	m->left[m->left_count++] = (struct left_number){number, epoch_mark(m->b->epoch)};
}

/* Which numbers are not free, as a bitmap. */
static void numbers_taken(const struct model *m, uint64_t taken[ATTACHMENT_NUMBERS / BITS])
{
	struct attach *a;

	memset(taken, 0, ATTACHMENT_NUMBERS / 8);
	taken[0] = 1; /* the router itself */
	for (unsigned i = 0; i < m->left_count; i++)
		taken[m->left[i].number / BITS] |= UINT64_C(1) << (m->left[i].number % BITS);
	list_for (a, &m->attachments, node)
		taken[a->number / BITS] |= UINT64_C(1) << (a->number % BITS);
}

/* The lowest free one, which is taken from then on; 0: none is left. */
static uint16_t number_take(uint64_t taken[ATTACHMENT_NUMBERS / BITS])
{
	for (uint32_t w = 0; w < ATTACHMENT_NUMBERS / BITS; w++) {
		if (taken[w] == UINT64_MAX)
			continue;
		unsigned bit = (unsigned)__builtin_ctzll(~taken[w]);

		taken[w] |= UINT64_C(1) << bit;
		return (uint16_t)(w * BITS + bit);
	}
	return 0;
}

static struct attach *attach_get(struct model *m, const char *name, uint64_t *taken)
{
	struct attach *a = names_get(&m->attach_names, name);

	if (a)
		return a;
	uint16_t number = number_take(taken);
	if (!number)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->name = xstrdup(name);
	a->identity = identity_of_name(name);
	a->number = number;
	list_append(&m->attachments, &a->node);
	names_put(&m->attach_names, a->name, a);
	return a;
}

int attachments_make(struct model *m)
{
	uint64_t taken[ATTACHMENT_NUMBERS / BITS];
	struct attach *a;
	uint16_t last = 0;

	numbers_return(m);
	numbers_taken(m, taken);
	m->has_vpn = false;
	list_for (a, &m->attachments, node)
		a->seen = false;
	for (unsigned i = 0; i < m->conf->attachments_count; i++) {
		const struct conf_attachment *conf = m->conf->attachments[i];

		a = attach_get(m, conf->name, taken);
		if (!a)
			return -ENOSPC;
		a->conf = conf;
		a->seen = true;
		a->tunnel_count = 0;
		a->iface = NULL;
		m->has_vpn |= conf->kind == CONF_KIND_VPN;
	}
	list_for (a, &m->attachments, node)
		last = a->number > last ? a->number : last;
	m->words = last / BITS + 1;
	return 0;
}

void attachments_sweep(struct model *m)
{
	struct attach *a, *next;

	names_fini(&m->attach_names);
	list_for_safe (a, next, &m->attachments, node) {
		if (a->seen) {
			names_put(&m->attach_names, a->name, a);
			continue;
		}
		number_leave(m, a->number);
		policers_leave(m, &a->policer);
		list_remove(&a->node);
		free(a->name);
		free(a);
	}
}

const char *model_attachment_name(const struct model *m, uint16_t number)
{
	const struct attach *a;

	list_for (a, &m->attachments, node) {
		if (a->number == number)
			return a->name;
	}
	return NULL;
}

uint16_t model_attachment_number(const struct model *m, const char *name)
{
	const struct attach *a;

	list_for (a, &m->attachments, node) {
		if (strcmp(a->name, name) == 0)
			return a->number;
	}
	return 0;
}
