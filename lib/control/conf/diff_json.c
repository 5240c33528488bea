/* SPDX-License-Identifier: BSD-3-Clause */
/* A difference between configurations, for programs. */
#include <jansson.h>

#include "conf/diff.h"

json_t *conf_diff_json(const struct conf_diff *diff)
{
	json_t *changes = json_array(), *effects = json_object();

	for (unsigned i = 0; i < diff->items_count; i++) {
		const struct conf_change *c = &diff->items[i];

		json_array_append_new(changes,
		    json_pack("{s:s, s:s?, s:s?, s:s, s:s?}", "path", c->path, "from", c->from,
			"to", c->to, "effect", conf_effect_name(c->effect), "about", c->about));
	}
	for (unsigned e = 0; e < CONF_EFFECTS; e++) {
		if (diff->by_effect[e])
			json_object_set_new(
			    effects, conf_effect_name(e), json_integer(diff->by_effect[e]));
	}
	return json_pack(
	    "{s:i, s:o, s:o}", "total", (int)diff->total, "effects", effects, "changes", changes);
}
