/* SPDX-License-Identifier: BSD-3-Clause */

/* `explain`: the words of a question into a flow, and who is asked (model/explain.h). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/explain.h"
#include "router/show/show.h"

#define PROTOCOL_ICMP 1

/* 0..max; -1: it is no such number. */
static long number_of(const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text == '\0' || *end || n < 0 || n > max ? -1 : n;
}

long show_protocol_of(const char *text)
{
	static const struct {
		const char *name;
		uint8_t number;
	} known[] = {{"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"gre", 47}, {"esp", 50}, {"sctp", 132}};

	for (unsigned i = 0; i < RTE_DIM(known); i++) {
		if (strcmp(known[i].name, text) == 0)
			return known[i].number;
	}
	return number_of(text, UINT8_MAX);
}

static bool read_address(
    const json_t *request, const char *key, struct ip_addr *out, struct api_error *error)
{
	const char *text = api_text(request, key);

	if (text && ip_parse(text, out) == 0)
		return true;
	api_fail(error, "BadArgument", "%s: \"%s\" is no IP address", key, text ? text : "");
	return false;
}

static bool read_number(
    const json_t *request, const char *key, long max, long *out, struct api_error *error)
{
	const char *text = api_text(request, key);

	if (!text)
		return true;
	*out = strcmp(key, "protocol") == 0 ? show_protocol_of(text) : number_of(text, max);
	if (*out >= 0)
		return true;
	api_fail(error, "BadArgument", "%s: \"%s\" is no number of 0..%ld", key, text, max);
	return false;
}

static json_t *explain(void *ctx, const json_t *request, struct api_error *error)
{
	struct router *r = ctx;
	long protocol = PROTOCOL_ICMP, from_port = 0, to_port = 0, bytes = 0;
	struct model_flow flow = {.from = api_text(request, "from")};

	if (!read_address(request, "source", &flow.src, error) ||
	    !read_address(request, "destination", &flow.dst, error) ||
	    !read_number(request, "protocol", UINT8_MAX, &protocol, error) ||
	    !read_number(request, "source-port", UINT16_MAX, &from_port, error) ||
	    !read_number(request, "destination-port", UINT16_MAX, &to_port, error) ||
	    !read_number(request, "size", UINT16_MAX, &bytes, error))
		return NULL;
	flow.protocol = (uint8_t)protocol;
	flow.src_port = (uint16_t)from_port;
	flow.dst_port = (uint16_t)to_port;
	flow.bytes = (uint32_t)bytes;
	json_t *out = model_explain_json(r->model, &flow);
	if (out)
		return out;
	if (errno == ENOENT)
		return api_fail(error, "NoSuchAttachment",
		    "there is no attachment \"%s\"; `show attachments` lists them", flow.from);
	return api_fail(error, "NotCarried", "source and destination must be IPv4 addresses");
}

static const struct api_command command = {"explain",
    "--from=ATTACHMENT source destination [protocol] [source-port] [destination-port] [size]",
    API_SHOW, explain, "what becomes of a packet from an attachment, and why"};

int explain_init(struct router *r)
{
	return api_register(r->api, &command, r);
}
