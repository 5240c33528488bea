/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys out of place: those that the keyword table ties to other values of the same object. */
#include "conf/keywords.h"
#include "conf/loader.h"

static void check_object(void *ctx, const struct object_kind *kind, void *object)
{
	const struct conf_source *source = object;

	for (const struct kw *row = kind->rows; row->key; row++) {
		if (!row->applies || !(source->given >> (row - kind->rows) & 1) ||
		    row->applies(object))
			continue;
		fail_place(ctx, source, row->key, "%s: possible %s; remove it, or change that",
		    row->key, row->applies_words);
	}
}

void check_applies(struct loader *l)
{
	keyword_walk(&conf_kind_root, l->conf, check_object, l);
}
