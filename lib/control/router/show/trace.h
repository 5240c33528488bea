/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_TRACE_H
#define ROUTER_TRACE_H

/* What the files of `trace` share. Control lcore only. */

#include <jansson.h>

#include "boundary/trace.h"
#include "router/internal.h"

/* trace_filter.c: each returns false after api_fail(); what the request does not have stays as it is. */
bool trace_filter_read(
    struct router *r, const json_t *request, struct trace_filter *f, struct api_error *error);
bool trace_number_read(const json_t *request, const char *key, long least, long most, long *out,
    struct api_error *error);

/* One record, and the bytes kept with it: memory of its own, or NULL. */
struct trace_seen {
	struct trace_record record;
	uint8_t *bytes;
};

/* trace_packet.c: the stages of one packet, from its records in order, `start` being the clock at the start of the trace */
json_t *trace_packet_json(
    struct router *r, const struct trace_seen *seen, unsigned n, uint64_t start);

#endif
