/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

/* A hash table from names to things. Names and things belong to others and outlive it. */

#include <stddef.h>

struct names_slot {
	const char *name; /* NULL: free */
	void *thing;
};

struct names {
	struct names_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* `{0}` is an empty table. */
void names_fini(struct names *names);
/* Adds, and gives NULL; or leaves the table alone and gives the thing that has the name already. */
void *names_put(struct names *names, const char *name, void *thing);
/* The same with bytes of any kind as the name: a number, an address. Their text is made in the pool. */
struct conf_pool;
void *names_put_bytes(
    struct names *names, struct conf_pool *pool, const void *bytes, size_t len, void *thing);
/* NULL when there is none. */
void *names_get(const struct names *names, const char *name);

#endif
