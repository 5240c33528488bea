/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether one configuration may follow another as a change: what must not change under a connection that
 * stays (A18), or while it is attached (A11..A15). Most of the latter shows in the new file alone, as a
 * reference that leads nowhere or lacks a grant; here are the cases that need the old one.
 */
#include <errno.h>
#include <string.h>

#include "conf/errors.h"

static const char *type_name(enum conf_gateway_type type)
{
	return type == CONF_GATEWAY_PRIVATE ? "private" : "public";
}

/* A18 */
static void check_gateway_type(
    const struct conf_connection *from, const struct conf_connection *to, struct conf_errors *errs)
{
	if (from->gateway_type == to->gateway_type)
		return;
	errors_add(errs, SEVERITY_ERROR, to->source.line, to->source.column,
	    "gateway-type: connection '%s' is %s and cannot become %s; make a new connection under another "
	    "name",
	    to->name, type_name(from->gateway_type), type_name(to->gateway_type));
}

/* A connection that changes hands is a deletion and a creation. */
static void check_owner(
    const struct conf_connection *from, const struct conf_connection *to, struct conf_errors *errs)
{
	if (!from->attachment || !to->attachment || strcmp(from->owner, to->owner) == 0)
		return;
	errors_add(errs, SEVERITY_ERROR, to->source.line, to->source.column,
	    "owner: connection '%s' belongs to '%s' and is attached by '%s'; detach first, then give it to "
	    "'%s'",
	    to->name, from->owner, from->attachment->name, to->owner);
}

/* The kind of an attachment is what it is. */
static void check_kind(
    const struct conf_attachment *from, const struct conf_attachment *to, struct conf_errors *errs)
{
	if (from->kind == to->kind)
		return;
	errors_add(errs, SEVERITY_ERROR, to->source.line, to->source.column,
	    "kind: attachment '%s' is of kind %s and cannot become %s; detach first, or take another name",
	    to->name, conf_kind_name(from->kind), conf_kind_name(to->kind));
}

int conf_check_change(const struct conf *from, const struct conf *to, struct conf_errors *errs)
{
	unsigned before = errs->errors;

	for (unsigned i = 0; i < to->vpn_connections_count; i++) {
		const struct conf_connection *new = to->vpn_connections[i];
		const struct conf_connection *old = conf_find_connection(from, new->name);

		if (!old)
			continue;
		check_gateway_type(old, new, errs);
		check_owner(old, new, errs);
	}
	for (unsigned i = 0; i < to->attachments_count; i++) {
		const struct conf_attachment *new = to->attachments[i];
		const struct conf_attachment *old = conf_find_attachment(from, new->name);

		if (old)
			check_kind(old, new, errs);
	}
	errors_sort(errs);
	return errs->errors == before ? 0 : -EINVAL;
}
