/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and help of the drop reasons, from the one list in reason.h. */

#include "boundary/reason.h"

static const struct {
	const char *name, *help;
} reasons[DROP_REASON_COUNT] = {
#define X(e, n, h) [DROP_##e] = {n, h},
    DROP_REASON_LIST(X)
#undef X
};

const char *drop_reason_name(enum drop_reason r)
{
	return (unsigned)r < DROP_REASON_COUNT ? reasons[r].name : "unknown";
}

const char *drop_reason_help(enum drop_reason r)
{
	return (unsigned)r < DROP_REASON_COUNT ? reasons[r].help : "";
}
