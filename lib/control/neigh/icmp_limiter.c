/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rate limit of ICMP errors (RFC 1812 4.3.2.8): a token bucket in total, and one per /24 of those who are told, in
 * a table of fixed size where sources that share a place share a bucket.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "neigh/icmp.h"

#define SOURCES 1024

struct bucket {
	int64_t tokens_ns; /* saved-up time; one message costs 1 s / rate */
	struct mono last;
};

struct icmp_limiter {
	int64_t source_cost_ns, total_cost_ns;
	struct bucket total;
	struct bucket source[SOURCES];
};

/* A tenth of a second of messages may come at once. */
#define BURST DUR_MS(100)

static bool has_token(struct bucket *b, int64_t cost, struct mono now)
{
	int64_t cap = BURST > cost ? BURST : cost;

	b->tokens_ns = mono_is_set(b->last) ? b->tokens_ns + mono_diff(b->last, now) : cap;
	if (b->tokens_ns > cap)
		b->tokens_ns = cap;
	b->last = now;
	return b->tokens_ns >= cost;
}

struct icmp_limiter *icmp_limiter_create(unsigned per_source_per_second, unsigned total_per_second)
{
	struct icmp_limiter *l = xcalloc(1, sizeof(*l));

	l->source_cost_ns = DUR_S(1) / (per_source_per_second ? per_source_per_second : 1);
	l->total_cost_ns = DUR_S(1) / (total_per_second ? total_per_second : 1);
	return l;
}

void icmp_limiter_free(struct icmp_limiter *l)
{
	free(l);
}

bool icmp_limiter_pass(struct icmp_limiter *l, const struct ip_addr *to, struct mono now)
{
	uint32_t h = ((uint32_t)to->bytes[0] << 16 | (uint32_t)to->bytes[1] << 8 | to->bytes[2]) *
	    2654435761u;
	struct bucket *source = &l->source[h >> 22];

	if (!has_token(&l->total, l->total_cost_ns, now) ||
	    !has_token(source, l->source_cost_ns, now))
		return false;
	l->total.tokens_ns -= l->total_cost_ns;
	source->tokens_ns -= l->source_cost_ns;
	return true;
}
