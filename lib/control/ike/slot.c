/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Slots: which Child SAs a tunnel should have. The data path carries one address family per SA, so that
 * IKEv2 gets a slot per family with all selectors of it; a quick mode of IKEv1 knows one pair of
 * selectors, so that IKEv1 gets a slot per pair.
 */

#include <stdlib.h>

#include "base/mem.h"
#include "ike/tunnel.h"

static struct ike_selector *select_family(
    const struct ip_prefix *list, unsigned count, uint8_t family, unsigned *selected)
{
	struct ike_selector all[IKE_TS_MAX];

	*selected = 0;
	for (unsigned i = 0; i < count; i++)
		if (list[i].addr.family == family)
			all[(*selected)++] = ike_selector_of(&list[i]);
	return ike_ts_copy(all, *selected);
}

static void add_slot(struct ike_tunnel *t, uint8_t family, const struct ip_prefix *local,
    unsigned local_count, const struct ip_prefix *remote, unsigned remote_count)
{
	struct ike_slot *s;

	t->slots = xrealloc(t->slots, (t->slot_count + 1) * sizeof(*t->slots));
	s = &t->slots[t->slot_count];
	*s = (struct ike_slot){.family = family};
	s->local_ts = select_family(local, local_count, family, &s->local_ts_count);
	s->remote_ts = select_family(remote, remote_count, family, &s->remote_ts_count);
	if (s->local_ts_count && s->remote_ts_count) {
		t->slot_count++;
	} else {
		free(s->local_ts);
		free(s->remote_ts);
	}
}

void ike_slots_make(struct ike_tunnel *t)
{
	const struct ike_tunnel_config *c = &t->config;

	for (unsigned f = 0; f < 2; f++) {
		uint8_t family = f ? IP_V6 : IP_V4;

		if (c->version == IKE_V2) {
			add_slot(t, family, c->local_ts, c->local_ts_count, c->remote_ts,
			    c->remote_ts_count);
			continue;
		}
		for (unsigned i = 0; i < c->local_ts_count; i++)
			for (unsigned k = 0; k < c->remote_ts_count; k++)
				add_slot(t, family, &c->local_ts[i], 1, &c->remote_ts[k], 1);
	}
}

void ike_slots_free(struct ike_tunnel *t)
{
	for (unsigned i = 0; i < t->slot_count; i++) {
		free(t->slots[i].local_ts);
		free(t->slots[i].remote_ts);
	}
	free(t->slots);
	t->slots = NULL;
	t->slot_count = 0;
}

static bool narrow_to(
    const struct ike_slot *s, const struct ike_ts_pair *theirs, struct ike_ts_pair *out)
{
	out->remote_count = ike_ts_narrow(
	    theirs->remote, theirs->remote_count, s->remote_ts, s->remote_ts_count, out->remote);
	out->local_count = ike_ts_narrow(
	    theirs->local, theirs->local_count, s->local_ts, s->local_ts_count, out->local);
	return out->remote_count > 0 && out->local_count > 0;
}

struct ike_slot *ike_tunnel_narrow(
    struct ike_tunnel *t, const struct ike_ts_pair *theirs, struct ike_ts_pair *out)
{
	uint8_t first = theirs->remote_count ? theirs->remote[0].addr.first.family : IP_NONE;

	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < t->slot_count; i++) {
			struct ike_slot *s = &t->slots[i];

			if ((s->family == first) == (pass == 0) && narrow_to(s, theirs, out))
				return s;
		}
	}
	return NULL;
}
