/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_EMIT_H
#define CONF_EMIT_H

/*
 * A conf read aloud: the keyword table decides what is said, a sink (print.c, json.c) how it is written.
 */

#include "conf/keywords.h"

struct emit_sink {
	/* `key` is NULL inside of a list. A list is of scalars (`flow`) or of mappings. */
	void (*open_map)(struct emit_sink *sink, const char *key);
	void (*close_map)(struct emit_sink *sink);
	void (*open_list)(struct emit_sink *sink, const char *key, bool flow);
	void (*close_list)(struct emit_sink *sink);
	/* `at` is the stored value, `text` the same in the words of the file; a secret's is the placeholder. */
	void (*scalar)(struct emit_sink *sink, const char *key, const struct kw *row,
	    const void *at, const char *text);
};

/* Flags are CONF_PRINT_* of conf.h. */
void emit_conf(const struct conf *conf, unsigned flags, struct emit_sink *sink);

/* Whether a value is there at all; numbers without a default count from 1. */
bool emit_has_value(const struct kw *row, const void *object);
/* A section with a switch of its own that is off: settings beside `enabled: no` would be errors. */
bool emit_is_off(const struct kw *row, const void *object);

#endif
