/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Watches the wire for what RFC 7296 2.1 - 2.3 demands: the requests of a side have IDs that grow by one,
 * there is no gap, and a message that goes out again is the same bytes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "sim.h"

#define KEPT 4

struct seen {
	uint32_t id;
	uint16_t fragment; /* number of an encrypted fragment; 0: whole */
	size_t len;
	uint8_t *bytes;
};

/* Messages of one kind from one side of one IKE SA. */
struct sim_ids {
	struct sim_ids *next;
	uint64_t spi_i, spi_r;
	unsigned from;
	bool response;
	bool any;
	uint32_t last;
	struct seen seen[KEPT];
	unsigned slot;
};

static struct sim_ids *stream(
    struct sim *s, unsigned from, bool response, uint64_t spi_i, uint64_t spi_r)
{
	struct sim_ids *at;

	for (at = s->ids; at; at = at->next)
		if (at->from == from && at->response == response && at->spi_i == spi_i &&
		    at->spi_r == spi_r)
			return at;
	at = xcalloc(1, sizeof(*at));
	at->from = from;
	at->response = response;
	at->spi_i = spi_i;
	at->spi_r = spi_r;
	at->next = s->ids;
	s->ids = at;
	return at;
}

static void remember(
    struct sim_ids *at, uint32_t id, uint16_t fragment, const uint8_t *bytes, size_t len)
{
	struct seen *seen = &at->seen[at->slot++ % KEPT];

	free(seen->bytes);
	*seen = (struct seen){id, fragment, len, xmalloc(len)};
	memcpy(seen->bytes, bytes, len);
}

void sim_check_ids(struct sim *s, unsigned from, const uint8_t *bytes, size_t len)
{
	struct wire w = wire_of(bytes, len);
	uint64_t spi_i = wire_u64(&w), spi_r = wire_u64(&w);
	uint8_t next = wire_u8(&w), exchange, flags;
	uint16_t fragment = 0;
	struct sim_ids *at;
	uint32_t id;

	if (wire_u8(&w) >> 4 != 2)
		return;
	exchange = wire_u8(&w);
	flags = wire_u8(&w);
	id = wire_u32(&w);
	wire_skip(&w, 8);
	if (next == 53)
		fragment = wire_u16(&w);
	/* Only what is protected: each answer to a cookie is an IKE_SA_INIT of its own. */
	if ((next != 46 && next != 53) || !wire_ok(&w))
		return;
	at = stream(s, from, flags & 0x20, spi_i, spi_r);
	for (unsigned i = 0; i < KEPT; i++) {
		struct seen *seen = &at->seen[i];

		if (!seen->bytes || seen->id != id || seen->fragment != fragment)
			continue;
		if (seen->len != len || memcmp(seen->bytes, bytes, len))
			sim_fail(s,
			    "%s %u of %s (exchange %u, fragment %u, %zu for %zu bytes) was sent again with other bytes",
			    flags & 0x20 ? "response" : "request", id, s->host[from].name, exchange,
			    fragment, len, seen->len);
		return;
	}
	if (at->any && id != at->last + 1 && !(fragment && id == at->last))
		sim_fail(s, "%s sent message %u behind %u", s->host[from].name, id, at->last);
	at->any = true;
	at->last = id;
	remember(at, id, fragment, bytes, len);
}

void sim_ids_clear(struct sim *s)
{
	while (s->ids) {
		struct sim_ids *at = s->ids;

		s->ids = at->next;
		for (unsigned i = 0; i < KEPT; i++)
			free(at->seen[i].bytes);
		free(at);
	}
}
