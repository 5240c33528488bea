/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Names and suggestions of the stable error codes, unrolled from the list in error.h.
 */

#include "ike/error.h"

struct row {
	const char *name;
	const char *suggestion;
};

static const struct row rows[IKE_ERROR_COUNT] = {
#define ROW(suffix, name, suggestion) [IKE_ERROR_##suffix] = {name, suggestion},
    IKE_ERROR_LIST(ROW)
#undef ROW
};

const char *ike_error_name(enum ike_error_code code)
{
	return (unsigned)code < IKE_ERROR_COUNT ? rows[code].name : "Unknown";
}

const char *ike_error_suggestion(enum ike_error_code code)
{
	return (unsigned)code < IKE_ERROR_COUNT ? rows[code].suggestion : "";
}
