/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * `diagnose` of policers (M3): which of them has dropped what. The ledger counts a policed packet where it came in; the
 * policer that refused it may be that of where it was to leave.
 */

#include <string.h>

#include "router/show/diagnose.h"

/* Of the connection's tunnels, or of the attachment. */
static bool is_of(const struct report *p, const json_t *row)
{
	const char *object = json_string_value(json_object_get(row, "object"));
	size_t len = p->c ? strlen(p->c->name) : 0;

	if (!row_has(row, "kind", "tunnel"))
		return p->a && strcmp(object, p->a->name) == 0;
	return len && strncmp(object, p->c->name, len) == 0 && object[len] == '/';
}

void diagnose_policers(struct report *p)
{
	json_t *rows = model_show_policers(p->r->model), *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		json_int_t n = json_integer_value(json_object_get(row, "dropped-packets"));

		if (n && is_of(p, row))
			find(p, FINDING_POLICED, json_string_value(json_object_get(row, "object")),
			    "policer \"%s\" has dropped %lld packets above %s",
			    json_string_value(json_object_get(row, "name")), (long long)n,
			    json_string_value(json_object_get(row, "limit")));
	}
	json_decref(rows);
}
