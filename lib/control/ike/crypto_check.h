/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_CRYPTO_CHECK_H
#define IKE_CRYPTO_CHECK_H

/* Calls into libcrypto that fail only without memory or with a broken installation. */

#include <stdio.h>
#include <stdlib.h>

static inline void crypto_check(int ok, const char *file, int line)
{
	if (!ok) {
		fprintf(stderr, "%s:%d: libcrypto failed\n", file, line);
		abort();
	}
}
#define CRYPTO_CHECK(call) crypto_check(!!(call), __FILE__, __LINE__)

#endif
