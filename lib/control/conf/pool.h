/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_POOL_H
#define CONF_POOL_H

/*
 * Memory of one configuration: handed out in pieces, given back as a whole. Pre-shared keys stand in it,
 * so all of it is wiped before it goes.
 */

#include <stddef.h>

struct conf_pool;

struct conf_pool *pool_new(void);
/* NULL is fine. */
void pool_free(struct conf_pool *pool);
/* Zeroed and aligned for any type; never NULL. */
void *pool_alloc(struct conf_pool *pool, size_t size);
/* The first `len` bytes of `s`, terminated. */
char *pool_text(struct conf_pool *pool, const char *s, size_t len);

#endif
