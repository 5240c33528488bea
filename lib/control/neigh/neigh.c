/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Interfaces and what comes in on them. Whether an ARP packet is believed is decided here (RFC 826, with the
 * caution of RFC 5227): a new neighbour is learned from a packet that asks us for our address, an existing one is
 * refreshed by any packet of it, nobody takes over an address of ours, and nothing off the subnet is learned.
 */

#include "neigh/neigh.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "neigh/engine.h"

#define ANNOUNCE_ROUNDS   3
#define ANNOUNCE_INTERVAL DUR_S(1)
#define DEFEND_INTERVAL   DUR_S(10) /* RFC 5227 2.4 */

static struct side *side_find(const struct neigh_engine *n, uint32_t iface)
{
	struct side *s;

	list_for (s, &n->sides, node) {
		if (s->conf.iface == iface)
			return s;
	}
	return NULL;
}

const struct ip_addr *side_source(const struct side *s, const struct ip_addr *about)
{
	for (unsigned i = 0; i < s->conf.subnet_count; i++) {
		struct ip_prefix subnet =
		    ip_prefix_of(&s->conf.subnet[i].addr, s->conf.subnet[i].len);

		if (ip_prefix_has(&subnet, about))
			return &s->conf.subnet[i].addr;
	}
	return NULL;
}

bool side_owns(const struct side *s, const struct ip_addr *addr)
{
	struct proxy *p;

	for (unsigned i = 0; i < s->conf.subnet_count; i++) {
		if (ip_eq(&s->conf.subnet[i].addr, addr))
			return true;
	}
	list_for (p, &s->proxies, node) {
		if (ip_eq(&p->addr, addr))
			return true;
	}
	return false;
}

/* ---- announcements (gratuitous ARP) ---- */

static void announce_one(const struct side *s, const struct ip_addr *addr)
{
	if (addr->family == IP_V4)
		arp_request(s, addr, addr, NULL);
}

static void announce_all(struct side *s, struct mono now)
{
	struct proxy *p;

	if (s->up) {
		for (unsigned i = 0; i < s->conf.subnet_count; i++)
			announce_one(s, &s->conf.subnet[i].addr);
		list_for (p, &s->proxies, node)
			announce_one(s, &p->addr);
	}
	if (++s->announced < ANNOUNCE_ROUNDS)
		timer_arm(s->engine->timers, &s->announce, mono_add(now, ANNOUNCE_INTERVAL));
}

static void on_announce(struct timer *t, struct mono now)
{
	announce_all(container_of(t, struct side, announce), now);
}

static void announce_soon(struct side *s, struct mono now)
{
	s->announced = 0;
	timer_arm(s->engine->timers, &s->announce, now);
}

/* ---- engine and interfaces ---- */

struct neigh_engine *neigh_create(const struct neigh_ops *ops, void *ctx, struct timers *timers,
    const struct neigh_limits *limits)
{
	struct neigh_engine *n = xcalloc(1, sizeof(*n));

	n->ops = ops;
	n->ctx = ctx;
	n->timers = timers;
	n->limits = *limits;
	list_init(&n->sides);
	return n;
}

static void side_free(struct side *s)
{
	struct entry *e, *next_entry;
	struct proxy *p, *next_proxy;

	list_for_safe (e, next_entry, &s->entries, node)
		entry_free(e);
	list_for_safe (p, next_proxy, &s->proxies, node)
		free(p);
	timer_cancel(s->engine->timers, &s->announce);
	list_remove(&s->node);
	free(s);
}

void neigh_free(struct neigh_engine *n)
{
	struct side *s, *next;

	list_for_safe (s, next, &n->sides, node)
		side_free(s);
	free(n);
}

void neigh_iface_set(struct neigh_engine *n, const struct neigh_iface *iface, struct mono now)
{
	struct side *s = side_find(n, iface->iface);
	struct entry *e, *next;

	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->engine = n;
		s->announce.fn = on_announce;
		s->up = true;
		list_init(&s->entries);
		list_init(&s->proxies);
		list_append(&n->sides, &s->node);
	}
	s->conf = *iface;
	list_for_safe (e, next, &s->entries, node) {
		if (!side_source(s, &e->addr) || side_owns(s, &e->addr))
			entry_free(e);
	}
	announce_soon(s, now);
}

void neigh_iface_remove(struct neigh_engine *n, uint32_t iface)
{
	struct side *s = side_find(n, iface);

	if (s)
		side_free(s);
}

void neigh_proxy_add(
    struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, struct mono now)
{
	struct side *s = side_find(n, iface);

	if (!s || side_owns(s, addr))
		return;
	struct proxy *p = xcalloc(1, sizeof(*p));
	p->addr = *addr;
	list_append(&s->proxies, &p->node);
	announce_soon(s, now);
}

void neigh_proxy_remove(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr)
{
	struct side *s = side_find(n, iface);
	struct proxy *p, *next;

	if (!s)
		return;
	list_for_safe (p, next, &s->proxies, node) {
		if (!ip_eq(&p->addr, addr))
			continue;
		list_remove(&p->node);
		free(p);
	}
}

void neigh_link(struct neigh_engine *n, uint32_t iface, bool up, struct mono now)
{
	struct side *s = side_find(n, iface);
	struct entry *e, *next;

	if (!s)
		return;
	s->up = up;
	if (!up)
		return;
	announce_soon(s, now);
	list_for_safe (e, next, &s->entries, node)
		entry_link_up(e, now);
}

/* ---- what comes in ---- */

static void defend(struct side *s, const struct arp *arp, struct mono now)
{
	struct neigh_engine *n = s->engine;

	if (mono_is_set(s->defended) && mono_diff(s->defended, now) < DEFEND_INTERVAL)
		return;
	s->defended = now;
	announce_one(s, &arp->sender);
	n->ops->conflict(n->ctx, s->conf.iface, &arp->sender, arp->sender_mac);
}

static void learn(struct side *s, const struct arp *arp, bool for_us, struct mono now)
{
	struct entry *e = entry_find(s, &arp->sender);

	if (!e && for_us && side_source(s, &arp->sender))
		e = entry_get(s, &arp->sender, now);
	if (e)
		entry_answered(e, arp->sender_mac, now);
}

void neigh_receive(
    struct neigh_engine *n, uint32_t iface, const uint8_t *frame, size_t len, struct mono now)
{
	struct side *s = side_find(n, iface);
	struct arp arp;

	if (!s || !arp_parse(frame, len, &arp) ||
	    memcmp(arp.ether_source, arp.sender_mac, 6) != 0) {
		n->ignored++;
		return;
	}
	if (memcmp(arp.sender_mac, s->conf.mac, 6) == 0)
		return; /* our own, reflected */
	if (side_owns(s, &arp.sender)) {
		defend(s, &arp, now);
		return;
	}
	bool for_us = side_owns(s, &arp.target);

	if (!ip_is_any(&arp.sender)) /* a probe of RFC 5227 has no sender yet */
		learn(s, &arp, for_us, now);
	if (arp.request && for_us)
		arp_reply(s, &arp.target, arp.sender_mac, &arp.sender);
}

static bool has_room(const struct neigh_engine *n, const struct entry *e)
{
	return e->waiting_count < n->limits.packets_per_neighbour &&
	    e->waiting_count < (n->limits.packets - n->waiting) / 4;
}

bool neigh_resolve(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, void *packet,
    struct mono now)
{
	struct side *s = side_find(n, iface);

	if (!s || addr->family != IP_V4 || !side_source(s, addr) || side_owns(s, addr))
		return false;
	struct entry *e = entry_get(s, addr, now);
	if (!e || e->state == ENTRY_FAILED)
		return false;
	bool known = e->has_mac;
	if (packet && !known) {
		if (!has_room(n, e))
			return false;
		struct waiting *w = xcalloc(1, sizeof(*w));
		w->packet = packet;
		list_append(&e->waiting, &w->node);
		e->waiting_count++;
		n->waiting++;
	}
	entry_start(e, now);
	if (packet && known)
		n->ops->packet(n->ctx, iface, addr, packet, true);
	return true;
}

void neigh_pin(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr, struct mono now)
{
	struct side *s = side_find(n, iface);
	struct entry *e = s && side_source(s, addr) ? entry_get(s, addr, now) : NULL;

	if (!e)
		return;
	e->pins++;
	entry_start(e, now);
	entry_doubt(e, now);
}

void neigh_unpin(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr)
{
	struct side *s = side_find(n, iface);
	struct entry *e = s ? entry_find(s, addr) : NULL;

	if (e && e->pins)
		e->pins--;
}

void neigh_static_add(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr,
    const uint8_t mac[6], struct mono now)
{
	struct side *s = side_find(n, iface);
	struct entry *e = s && side_source(s, addr) ? entry_get(s, addr, now) : NULL;

	if (e)
		entry_fix(e, mac, now);
}

void neigh_static_remove(struct neigh_engine *n, uint32_t iface, const struct ip_addr *addr)
{
	struct side *s = side_find(n, iface);
	struct entry *e = s ? entry_find(s, addr) : NULL;

	if (e && e->state == ENTRY_STATIC)
		entry_free(e);
}

void neigh_walk(const struct neigh_engine *n, struct mono now,
    void (*fn)(void *ctx, const struct neigh_view *v), void *ctx)
{
	static const char *const names[ENTRY_STATES + 1] = {
	    "incomplete", "ready", "probing", "failed", "new"};
	struct side *s;
	struct entry *e;

	list_for (s, &n->sides, node) {
		list_for (e, &s->entries, node) {
			struct neigh_view v = {
			    .iface = s->conf.iface,
			    .addr = e->addr,
			    .state = names[e->state],
			    .age_ns = e->has_mac ? mono_diff(e->answered, now) : 0,
			    .waiting = e->waiting_count,
			    .pinned = e->pins > 0,
			};
			if (e->has_mac)
				memcpy(v.mac, e->mac, 6);
			fn(ctx, &v);
		}
	}
}
