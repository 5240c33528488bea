/* SPDX-License-Identifier: BSD-3-Clause */
/* One route table: the tables of both families that workers read, and control's copy of the
 * prefixes. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "boundary/fib.h"
#include "boundary/fib_rules.h"
#include "boundary/records.h"

struct fib *fib_create(
    struct epoch *e, const char *name, uint16_t index, const struct fib_limits *limits)
{
	struct fib *f;
	int rc;

	if (limits->groups > FIB_GROUPS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	f = record_new(sizeof(*f));
	f->index = index;
	f->routes_max = limits->routes;
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->rules = fib_rules_create();
	rc = fib_table_init(&f->v4, e, limits->groups);
	if (rc == 0 && limits->v6)
		rc = fib_table_init(&f->v6, e, limits->groups);
	if (rc) {
		fib_free(f);
		errno = -rc;
		return NULL;
	}
	if (limits->many)
		fib_table_touch(&f->v4);
	return f;
}

void fib_calm(struct fib *f)
{
	fib_table_calm(&f->v4);
	fib_table_calm(&f->v6);
}

void fib_free(struct fib *f)
{
	if (!f)
		return;
	fib_table_fini(&f->v4);
	fib_table_fini(&f->v6);
	fib_rules_free(f->rules);
	record_free(f);
}

/* The table of the prefix' family; NULL when it is off, or *p is no prefix. */
static struct fib_table *table_of(struct fib *f, const struct ip_prefix *p)
{
	struct fib_table *t = p->addr.family == IP_V4 ? &f->v4
	    : p->addr.family == IP_V6                 ? &f->v6
						      : NULL;

	return t && t->top && p->len <= 8 * ip_bytes(p->addr.family) ? t : NULL;
}

int fib_set(struct fib *f, const struct ip_prefix *p, uint32_t nexthop)
{
	struct fib_table *t = table_of(f, p);
	struct ip_prefix key;
	uint16_t old;
	int rc;

	if (!t || nexthop == 0 || nexthop > FIB_NEXTHOP_MAX)
		return -EINVAL;
	key = ip_prefix_of(&p->addr, p->len);
	old = fib_rules_find(f->rules, &key);
	if (old == nexthop)
		return 0;
	if (!old && f->routes >= f->routes_max)
		return -ENOSPC;
	rc = fib_table_set(t, key.addr.bytes, key.len, (uint16_t)nexthop, !old);
	if (rc)
		return rc;
	fib_rules_set(f->rules, &key, (uint16_t)nexthop);
	f->routes += !old;
	return 0;
}

int fib_unset(struct fib *f, const struct ip_prefix *p)
{
	struct fib_table *t = table_of(f, p);
	struct ip_prefix key;
	uint16_t cover;
	uint8_t cover_len;

	if (!t)
		return -ENOENT;
	key = ip_prefix_of(&p->addr, p->len);
	if (!fib_rules_find(f->rules, &key))
		return -ENOENT;
	cover = fib_rules_cover(f->rules, &key, &cover_len);
	fib_table_unset(t, key.addr.bytes, key.len, cover, cover_len);
	fib_rules_remove(f->rules, &key);
	f->routes--;
	return 0;
}

int fib_exact(const struct fib *f, const struct ip_prefix *p, uint32_t *nexthop)
{
	struct ip_prefix key;
	uint16_t found;

	if (!table_of((struct fib *)f, p))
		return -ENOENT;
	key = ip_prefix_of(&p->addr, p->len);
	found = fib_rules_find(f->rules, &key);
	if (!found)
		return -ENOENT;
	*nexthop = found;
	return 0;
}

uint32_t fib_lookup_one(const struct fib *f, const struct ip_addr *dst)
{
	const uint8_t *bytes = dst->bytes;
	uint32_t host = ip_v4_host(dst);
	uint32_t nexthop = 0;

	if (dst->family == IP_V4)
		fib_lookup_v4(f, &host, &nexthop, 1);
	else if (dst->family == IP_V6 && f->v6.top)
		fib_lookup_v6(f, &bytes, &nexthop, 1);
	return nexthop;
}
