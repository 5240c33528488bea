/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rounds: what became dirty is looked at as a whole, then sent as a whole, so that prefixes with the same
 * attributes share messages however far apart they changed. A round never looks at more than was dirty
 * when it began: what flaps without end waits for the next one.
 */

#include "bgp/engine.h"

void bgp_out_mrai_expired(struct timer *t, struct mono now)
{
	bgp_ready(container_of(t, struct bgp_adj_out, mrai)->peer);
}

void bgp_out_feed(struct bgp_peer *peer, enum bgp_family family, bool again)
{
	struct bgp_adj_out *out = &peer->out[family];

	out->feed_due = true;
	out->again_due |= again;
	bgp_ready(peer);
}

/*
 * BoRR, before anything is sent again (RFC 7313 4), but never before our End-of-RIB: who asks for all again amid the first
 * time, is told it a second time behind that; without demarcations, the first time will do. False: not now, the transport
 * is behind.
 */
static bool begin_feed(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_out *out = &peer->out[family];
	bool first = out->end_of_rib_due;

	out->again = out->again_due && !first;
	if (out->again && peer->up->enhanced_refresh) {
		if (!bgp_send_refresh(peer->up, family, BGP_REFRESH_BEGIN))
			return false;
		out->end_of_refresh_due = true;
	}
	out->again_due = out->feed_due = out->again_due && first && peer->up->enhanced_refresh;
	out->limited = false;
	out->feed_page = 0;
	out->round = BGP_ROUND_FEED;
	return true;
}

/* Dirty is what the view has, and what the peer has been told. */
static void feed_one(struct bgp_peer *peer, enum bgp_family family, uint32_t page)
{
	struct bgp_adj_out *out = &peer->out[family];
	const struct bgp_view_table *t = peer->view ? &peer->view->table[family] : NULL;
	const struct bgp_view_page *v = t && page < t->pages ? t->page[page] : NULL;

	for (uint32_t at = 0; at < BGP_PAGE_NETS; at++) {
		uint32_t net = page << BGP_PAGE_SHIFT | at;

		if ((v && v->attrs[at]) || bgp_out_sent(out, net))
			bgp_out_dirty(peer, family, net, out->again);
	}
}

static bool has_page(const struct bgp_peer *peer, enum bgp_family family, uint32_t page)
{
	const struct bgp_adj_out *out = &peer->out[family];
	const struct bgp_view_table *t = peer->view ? &peer->view->table[family] : NULL;

	return (t && page < t->pages && t->page[page]) || (page < out->pages && out->page[page]);
}

static void feed(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_adj_out *out = &peer->out[family];
	uint32_t end = out->pages;

	if (peer->view && peer->view->table[family].pages > end)
		end = peer->view->table[family].pages;
	for (; out->feed_page < end; out->feed_page++) {
		if (!has_page(peer, family, out->feed_page))
			continue;
		if (*budget < BGP_PAGE_NETS)
			return;
		*budget -= BGP_PAGE_NETS;
		feed_one(peer, family, out->feed_page);
	}
	out->quota = out->dirty;
	out->planned = out->announced;
	out->round = BGP_ROUND_EXPORT;
}

/* Whether one more may be announced; what may not is looked at again when there is room. */
static bool within_limit(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_out *out = &peer->out[family];
	uint32_t limit = peer->config.limit_out[family];

	if (limit == 0 || out->planned < limit)
		return true;
	if (!out->limited)
		bgp_log(peer, LOG_WARNING, "%s: announcing no more than %u prefixes",
		    bgp_family_name(family), limit);
	out->limited = true;
	return false;
}

static void look_at(struct bgp_peer *peer, enum bgp_family family, uint32_t net, bool again)
{
	struct bgp_adj_out *out = &peer->out[family];
	struct bgp_engine *e = peer->engine;
	uint32_t sent = bgp_out_sent(out, net), set;
	struct bgp_attrs *told = bgp_export(peer, family, net);

	if (told && !sent && !within_limit(peer, family)) {
		bgp_set_unref(&e->sets, told);
		told = NULL;
	}
	set = told ? told->id : 0;
	if (set == sent && !(again && set)) {
		if (told)
			bgp_set_unref(&e->sets, told);
		bgp_net_unref(&e->rib[family].nets, net);
		return;
	}
	out->planned += (set != 0) - (sent != 0);
	if (!bgp_batch_add(&out->batch, net, set) && told)
		bgp_set_unref(&e->sets, told);
}

static void export_some(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_adj_out *out = &peer->out[family];

	for (; out->quota > 0 && *budget > 0; --*budget, out->quota--) {
		bool again;
		uint32_t net = bgp_out_take_dirty(peer, family, &again);

		if (!net) {
			out->quota = 0;
			break;
		}
		look_at(peer, family, net, again);
	}
	if (out->quota == 0)
		out->round = BGP_ROUND_SEND;
}

static bool send_end_of_rib(struct bgp_peer *peer, enum bgp_family family)
{
	uint8_t bytes[BGP_HEADER_BYTES + 16];
	struct wirebuf b = wirebuf_of(bytes, sizeof(bytes));
	size_t begin = bgp_message_begin(&b, BGP_UPDATE);

	wirebuf_u16(&b, 0);
	if (family == BGP_IPV4) {
		wirebuf_u16(&b, 0);
	} else { /* an empty MP_UNREACH_NLRI (RFC 4724 2) */
		wirebuf_u16(&b, 6);
		wirebuf_u8(&b, BGP_FLAG_OPTIONAL);
		wirebuf_u8(&b, BGP_ATTR_MP_UNREACH);
		wirebuf_u8(&b, 3);
		wirebuf_u16(&b, bgp_family_afi(family));
		wirebuf_u8(&b, 1);
	}
	bgp_message_end(&b, begin);
	return bgp_send(peer->up, bytes, wirebuf_len(&b));
}

/* All is sent: say so where it is due. False: not now. */
static bool finish(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_out *out = &peer->out[family];
	uint32_t limit = peer->config.limit_out[family];

	if (out->end_of_rib_due) {
		if (!send_end_of_rib(peer, family))
			return false;
		peer->counters.updates_out++;
		out->end_of_rib_due = false;
	}
	if (out->end_of_refresh_due) {
		if (!bgp_send_refresh(peer->up, family, BGP_REFRESH_END))
			return false;
		out->end_of_refresh_due = false;
	}
	bgp_batch_clear(&out->batch);
	out->round = BGP_ROUND_IDLE;
	if (out->limited && (limit == 0 || out->announced < limit))
		out->feed_due = true;
	if (peer->config.mrai_ms)
		timer_arm(&peer->engine->timers, &out->mrai,
		    mono_add(
			peer->engine->now, bgp_jitter(peer->engine, DUR_MS(peer->config.mrai_ms))));
	return true;
}

/* Whether a round begins. */
static bool begin(struct bgp_peer *peer, enum bgp_family family)
{
	struct bgp_adj_out *out = &peer->out[family];

	if (timer_is_armed(&out->mrai) || bgp_send_blocked(peer->up))
		return false;
	if (out->feed_due)
		return begin_feed(peer, family);
	if (out->dirty == 0)
		return false;
	out->quota = out->dirty;
	out->planned = out->announced;
	out->round = BGP_ROUND_EXPORT;
	return true;
}

static void send_some(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_adj_out *out = &peer->out[family];

	if (out->batch.buckets)
		bgp_announce(peer, family, budget);
}

bool bgp_out_work(struct bgp_peer *peer, enum bgp_family family, uint32_t *budget)
{
	struct bgp_adj_out *out = &peer->out[family];

	if (!peer->up || bgp_graceful_defers(peer->engine))
		return false;
	if (out->round == BGP_ROUND_IDLE && !begin(peer, family))
		return false;
	if (out->round == BGP_ROUND_FEED)
		feed(peer, family, budget);
	if (out->round == BGP_ROUND_EXPORT)
		export_some(peer, family, budget);
	if (out->round != BGP_ROUND_SEND)
		return true;
	send_some(peer, family, budget);
	if (out->batch.at < out->batch.buckets)
		return !bgp_send_blocked(peer->up);
	return finish(peer, family) && (out->dirty > 0 || out->feed_due) &&
	    !timer_is_armed(&out->mrai);
}
