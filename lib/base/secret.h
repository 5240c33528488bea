/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

/* Keys and pre-shared keys: wiped after use, compared in constant time, never printed. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Overwrites with zeros; the compiler may not drop it. */
void secret_wipe(void *p, size_t len);
/* Wipes and frees; NULL is fine. */
void secret_free(void *p, size_t len);
/* Compares in time that depends on `len` only. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
