/* SPDX-License-Identifier: BSD-3-Clause */

/* What a trace is asked for: names, prefixes and numbers of a request into a filter of workers. */

#include <stdlib.h>
#include <string.h>

#include "router/show/show.h"
#include "router/show/trace.h"

bool trace_number_read(const json_t *request, const char *key, long least, long most, long *out,
    struct api_error *error)
{
	const char *text = api_text(request, key);
	char *end = NULL;

	if (!text)
		return true;
	*out = strtol(text, &end, 10);
	if (*text && !*end && *out >= least && *out <= most)
		return true;
	api_fail(
	    error, "BadArgument", "%s: \"%s\" is no number of %ld..%ld", key, text, least, most);
	return false;
}

static bool read_prefix(
    const json_t *request, const char *key, uint32_t *addr, uint32_t *mask, struct api_error *error)
{
	const char *text = api_text(request, key);
	struct ip_prefix prefix = {.len = 32};

	if (!text)
		return true;
	if ((ip_parse(text, &prefix.addr) < 0 && ip_prefix_parse(text, &prefix) < 0) ||
	    prefix.addr.family != IP_V4) {
		api_fail(
		    error, "BadArgument", "%s: \"%s\" is no IPv4 address or prefix", key, text);
		return false;
	}
	*addr = ip_v4_host(&prefix.addr);
	*mask = prefix.len ? UINT32_MAX << (32 - prefix.len) : 0;
	return true;
}

/* Attachment and tunnel by name. */
static bool read_names(
    struct router *r, const json_t *request, struct trace_filter *f, struct api_error *error)
{
	const char *from = api_text(request, "from"), *tunnel = api_text(request, "tunnel");

	if (from && (f->attachment = model_attachment_number(r->model, from)) == 0) {
		api_fail(error, "NoSuchAttachment",
		    "there is no attachment \"%s\"; `show attachments` lists them", from);
		return false;
	}
	for (uint32_t i = 0; tunnel && i < r->tunnel_capacity && !f->tunnel; i++) {
		if (r->tunnel[i] && strcmp(r->tunnel[i]->model->name, tunnel) == 0)
			f->tunnel = r->tunnel[i]->model->index;
	}
	if (tunnel && !f->tunnel) {
		api_fail(error, "NoSuchTunnel",
		    "there is no tunnel \"%s\"; `show tunnels` lists them", tunnel);
		return false;
	}
	return true;
}

bool trace_filter_read(
    struct router *r, const json_t *request, struct trace_filter *f, struct api_error *error)
{
	const char *protocol = api_text(request, "protocol");
	long number = protocol ? show_protocol_of(protocol) : 0, from_port = 0, to_port = 0;

	if (number < 0) {
		api_fail(error, "BadArgument", "protocol: \"%s\" is no name or number of 0..255",
		    protocol);
		return false;
	}
	if (!read_names(r, request, f, error) ||
	    !read_prefix(request, "source", &f->src, &f->src_mask, error) ||
	    !read_prefix(request, "destination", &f->dst, &f->dst_mask, error) ||
	    !trace_number_read(request, "source-port", 1, UINT16_MAX, &from_port, error) ||
	    !trace_number_read(request, "destination-port", 1, UINT16_MAX, &to_port, error))
		return false;
	f->has_protocol = protocol != NULL;
	f->protocol = (uint8_t)number;
	f->src_port = (uint16_t)from_port;
	f->dst_port = (uint16_t)to_port;
	f->both_ways = json_is_true(json_object_get(request, "both-ways"));
	f->drops = json_is_true(json_object_get(request, "drops"));
	return true;
}
