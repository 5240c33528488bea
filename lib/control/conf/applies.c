/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys out of place: those that the keyword table ties to the value of another key. */
#include "conf/keywords.h"
#include "conf/loader.h"

/* Whether the other key has a value to judge by. It is one of the object, or of the tunnel's connection. */
static bool can_tell(
    struct loader *l, const struct object_kind *kind, const struct kw *row, const void *object)
{
	const struct kw *other = keyword_find(kind, row->applies_key);
	const struct conf_source *owner = object;

	if (!other) {
		owner = &((const struct conf_tunnel *)object)->connection->source;
		other = keyword_find(&conf_kind_connection, row->applies_key);
	}
	if (is_reported(l, owner, other->key))
		return false;
	return !other->required || is_given(l, owner, other->key);
}

static void check_object(void *ctx, const struct object_kind *kind, void *object)
{
	const struct conf_source *source = object;

	for (const struct kw *row = kind->rows; row->key; row++) {
		if (!row->applies || !(source->given >> (row - kind->rows) & 1) ||
		    row->applies(object) || !can_tell(ctx, kind, row, object))
			continue;
		fail_place(ctx, source, row->key, "%s: possible %s; remove it, or change that",
		    row->key, row->applies_words);
	}
}

void check_applies(struct loader *l)
{
	keyword_walk(&conf_kind_root, l->conf, check_object, l);
}
