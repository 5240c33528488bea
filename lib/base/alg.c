/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The tables of alg.h unrolled into rows, and the way from a name to its row. Everything is
 * constant; any thread may read it.
 */

#include "base/alg.h"

#include <errno.h>
#include <string.h>

/* clang-format off */

/* RFC 7296 3.3.5: ciphers of one key size carry no Key Length attribute; only AES has several. */
#define ROW(e, name, v2, v1_ike, v1_esp, key, salt, iv, block, icv, weak) \
	[e] = {name, v2, v1_ike, v1_esp, key, salt, iv, block, icv, weak, (v2) != 12 && (v2) != 20},
static const struct alg_encr_info encr_table[ENCR_COUNT] = {
	[ENCR_NONE] = {.name = "none", .fixed_key = true},
	ALG_ENCR_LIST(ROW)
};
#undef ROW

#define ROW(e, name, ...) [e] = {name, __VA_ARGS__},
static const struct alg_auth_info auth_table[AUTH_COUNT] = {
	[AUTH_NONE] = {.name = "none"},
	ALG_AUTH_LIST(ROW)
};
static const struct alg_dh_info dh_table[DH_COUNT] = {
	[DH_NONE] = {.name = "none"},
	ALG_DH_LIST(ROW)
};
#undef ROW

/* clang-format on */

const struct alg_encr_info *alg_encr(enum alg_encr e)
{
	return &encr_table[e];
}

const struct alg_auth_info *alg_auth(enum alg_auth a)
{
	return &auth_table[a];
}

const struct alg_dh_info *alg_dh(enum alg_dh g)
{
	return &dh_table[g];
}

int alg_encr_parse(const char *name, enum alg_encr *out)
{
	if (!strcmp(name, "aes")) {
		*out = ENCR_AES128;
		return 0;
	}
	for (enum alg_encr e = ENCR_NONE + 1; e < ENCR_COUNT; e++) {
		if (!strcmp(name, encr_table[e].name)) {
			*out = e;
			return 0;
		}
	}
	return -EINVAL;
}

int alg_auth_parse(const char *name, enum alg_auth *out)
{
	for (enum alg_auth a = AUTH_NONE + 1; a < AUTH_COUNT; a++) {
		if (!strcmp(name, auth_table[a].name)) {
			*out = a;
			return 0;
		}
	}
	return -EINVAL;
}

int alg_dh_parse(const char *name, enum alg_dh *out)
{
	if (!strcmp(name, "disabled")) {
		*out = DH_NONE;
		return 0;
	}
	for (enum alg_dh g = DH_NONE + 1; g < DH_COUNT; g++) {
		if (!strcmp(name, dh_table[g].name)) {
			*out = g;
			return 0;
		}
	}
	return -EINVAL;
}
