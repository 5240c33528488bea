/* SPDX-License-Identifier: BSD-3-Clause */

/* What the engine sent, read by a decoder of its own: messages one by one, and what UPDATEs made of the routes. */

#include "speaker.h"

#include "base/text.h"

bool speaker_next(struct speaker *s, unsigned peer)
{
	struct remote *r = &s->remote[peer];
	struct message *m = &s->message;
	size_t len;

	if (r->len < 19)
		return false;
	for (int i = 0; i < 16; i++)
		assert_int_equal(r->bytes[i], 0xff);
	len = (size_t)r->bytes[16] << 8 | r->bytes[17];
	assert_in_range(len, 19, r->message_max);
	if (r->len < len)
		return false;
	memcpy(m->bytes, r->bytes, len);
	m->type = m->bytes[18];
	m->body = m->bytes + 19;
	m->len = len - 19;
	r->len -= len;
	memmove(r->bytes, r->bytes + len, r->len);
	return true;
}

void speaker_expect_notification(
    struct speaker *s, unsigned peer, uint8_t code, uint8_t subcode, const char *data)
{
	static uint8_t bytes[4096];
	size_t len = unhex(data, bytes, sizeof(bytes));

	while (speaker_next(s, peer)) {
		if (s->message.type != BGP_NOTIFICATION)
			continue;
		assert_int_equal(s->message.body[0], code);
		assert_int_equal(s->message.body[1], subcode);
		assert_int_equal(s->message.len - 2, len);
		assert_memory_equal(s->message.body + 2, bytes, len);
		return;
	}
	fail_msg("no NOTIFICATION was sent");
}

void speaker_expect_nothing(struct speaker *s, unsigned peer)
{
	if (speaker_next(s, peer))
		fail_msg("a message of type %u was sent", s->message.type);
}

static struct route *find(struct remote *r, const struct ip_prefix *prefix)
{
	for (unsigned i = 0; i < r->routes; i++)
		if (ip_prefix_eq(&r->route[i].prefix, prefix))
			return &r->route[i];
	return NULL;
}

static struct ip_prefix read_prefix(const uint8_t **at, const uint8_t *end, uint8_t family)
{
	uint8_t len = *(*at)++, bytes[16] = {0};
	struct ip_addr addr;

	assert_true(len <= ip_bytes(family) * 8);
	assert_true(*at + (len + 7) / 8 <= end);
	memcpy(bytes, *at, (len + 7u) / 8);
	*at += (len + 7) / 8;
	addr = ip_from_bytes(family, bytes);
	return ip_prefix_of(&addr, len);
}

static void withdraw(struct remote *r, const uint8_t *at, const uint8_t *end, uint8_t family)
{
	while (at < end) {
		struct ip_prefix prefix = read_prefix(&at, end, family);
		struct route *route = find(r, &prefix);

		assert_non_null(route); /* never withdraws what was not announced */
		*route = r->route[--r->routes];
		r->withdrawals++;
	}
}

static void announce(
    struct remote *r, const uint8_t *at, const uint8_t *end, uint8_t family, const char *attrs)
{
	while (at < end) {
		struct ip_prefix prefix = read_prefix(&at, end, family);
		struct route *route = find(r, &prefix);

		if (!route) {
			assert_true(r->routes < ROUTES_MAX);
			if (!r->route)
				r->route = calloc(ROUTES_MAX, sizeof(*r->route));
			route = &r->route[r->routes++];
			route->prefix = prefix;
			route->attrs[0] = '\0';
		}
		r->repeated += strcmp(route->attrs, attrs) == 0;
		assert_true(text_copy(route->attrs, sizeof(route->attrs), attrs));
		r->announcements++;
	}
}

static void read_update(struct speaker *s, struct remote *r)
{
	const uint8_t *at = s->message.body, *end = at + s->message.len;
	size_t withdrawn = (size_t)at[0] << 8 | at[1];
	const uint8_t *attrs = at + 2 + withdrawn + 2, *nlri;
	size_t attrs_len = (size_t)attrs[-2] << 8 | attrs[-1];
	const uint8_t *reach = NULL, *reach_end = NULL, *unreach = NULL, *unreach_end = NULL;
	char hex[512];
	struct text t = text_of(hex, sizeof(hex));

	r->updates++;
	nlri = attrs + attrs_len;
	assert_true(nlri <= end);
	if (s->message.len == 4)
		r->end_of_ribs[BGP_IPV4]++;
	while (attrs < nlri) {
		uint8_t flags = attrs[0], code = attrs[1];
		size_t head = flags & 0x10 ? 4 : 3;
		size_t len = flags & 0x10 ? (size_t)attrs[2] << 8 | attrs[3] : attrs[2];
		const uint8_t *value = attrs + head;

		attrs = value + len;
		assert_true(attrs <= nlri);
		if (code == BGP_ATTR_MP_UNREACH) {
			assert_memory_equal(value, "\x00\x02\x01", 3);
			unreach = value + 3;
			unreach_end = attrs;
			if (unreach == unreach_end)
				r->end_of_ribs[BGP_IPV6]++;
			continue;
		}
		if (code == BGP_ATTR_MP_REACH) {
			assert_memory_equal(value, "\x00\x02\x01", 3);
			reach = value + 4 + value[3] + 1;
			reach_end = attrs;
			len = 4u + value[3];
		}
		text_addf(&t, "%02x%02x:", flags, code);
		for (size_t i = 0; i < len; i++)
			text_addf(&t, "%02x", value[i]);
		text_add(&t, " ");
	}
	withdraw(r, at + 2, at + 2 + withdrawn, IP_V4);
	withdraw(r, unreach, unreach_end, IP_V6);
	announce(r, nlri, end, IP_V4, hex);
	announce(r, reach, reach_end, IP_V6, hex);
}

void speaker_drain(struct speaker *s, unsigned peer)
{
	while (speaker_next(s, peer))
		if (s->message.type == BGP_UPDATE)
			read_update(s, &s->remote[peer]);
}

const struct route *speaker_route(struct speaker *s, unsigned peer, const char *prefix)
{
	struct ip_prefix p = test_prefix(prefix);

	speaker_drain(s, peer);
	return find(&s->remote[peer], &p);
}

struct bgp_peer_info speaker_info(struct speaker *s, unsigned peer)
{
	struct bgp_peer_info info;

	assert_int_equal(bgp_peer_get(s->engine, speaker_id(s, peer), &info), 0);
	return info;
}

enum bgp_state speaker_state(struct speaker *s, unsigned peer)
{
	return speaker_info(s, peer).state;
}
