/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The wire between the hosts: delays, loses, repeats, forges; and a NAT in front of host A that maps its
 * ports by a shift, which a rebinding changes.
 */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim.h"

struct sim_packet {
	struct sim_packet *next;
	struct mono due;
	uint64_t order;
	struct ike_endpoint from, to;
	unsigned sender;
	/* ESP: the SPI and the keys it was made with; else IKE bytes */
	bool esp;
	bool counted; /* sent when all was well: it must arrive */
	uint32_t spi;
	uint8_t encr_key[IKE_KEY_MAX], auth_key[IKE_KEY_MAX];
	size_t len;
	uint8_t bytes[];
};

struct ip_addr sim_nat_addr(void)
{
	return ip_v4(0xcb007163); /* 203.0.113.99 */
}

static void enqueue(struct sim *s, struct sim_packet *p, int64_t delay)
{
	struct sim_packet **at = &s->queue;

	p->due = mono_add(s->now, delay);
	p->order = s->order++;
	while (*at &&
	    ((*at)->due.ns < p->due.ns || ((*at)->due.ns == p->due.ns && (*at)->order < p->order)))
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static int64_t between(struct sim *s, int64_t from, int64_t to)
{
	return from + (int64_t)(rng_u64(&s->rng) % (uint64_t)(to - from + 1));
}

/* What the NAT does to a packet of A. False: no mapping fits. */
static bool translate_out(const struct sim *s, struct ike_endpoint *from)
{
	if (!s->nat || !ip_eq(&from->addr, &s->host[0].addr))
		return true;
	from->addr = sim_nat_addr();
	if (from->port)
		from->port = (uint16_t)(from->port + s->nat_shift);
	return from->port != 0; /* protocol 50 has no ports to map */
}

static bool translate_in(const struct sim *s, struct ike_endpoint *to)
{
	if (!s->nat)
		return true;
	if (ip_eq(&to->addr, &s->host[0].addr))
		return false; /* a private address */
	if (!ip_eq(&to->addr, &(struct ip_addr){0}) && to->addr.family == IP_V4) {
		struct ip_addr nat = sim_nat_addr();

		if (ip_eq(&to->addr, &nat)) {
			uint16_t port = (uint16_t)(to->port - s->nat_shift);

			if (port != IKE_PORT && port != IKE_PORT_NATT)
				return false; /* an old mapping */
			to->addr = s->host[0].addr;
			to->port = port;
		}
	}
	return true;
}

static struct sim_packet *packet_new(struct sim_host *from, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	struct sim_packet *p = xcalloc(1, sizeof(*p) + len);

	p->sender = from->index;
	p->from = *local;
	p->to = *remote;
	p->len = len;
	if (len)
		memcpy(p->bytes, bytes, len);
	return p;
}

/* A forged copy, from the same place: bits flipped, cut, or stretched. */
static void mutate(struct sim *s, struct sim_packet *p)
{
	unsigned flips = 1 + rng_below(&s->rng, 8);

	for (unsigned i = 0; i < flips; i++)
		p->bytes[rng_below(&s->rng, (uint32_t)p->len)] ^=
		    (uint8_t)(1 << rng_below(&s->rng, 8));
	if (sim_chance(s, 20)) {
		p->len = 1 + rng_below(&s->rng, (uint32_t)p->len);
		if (p->len >= 28) { /* with a length field that fits */
			p->bytes[24] = p->bytes[25] = 0;
			p->bytes[26] = (uint8_t)(p->len >> 8);
			p->bytes[27] = (uint8_t)p->len;
		}
	}
}

/*
 * IKEv1 does not authenticate all of phase 1: a forged KE or NAT-D payload does what its forger wants, and a
 * forged last block of its encrypted messages leads the next one astray, until DPD finds out.
 */
static bool may_forge(const struct sim *s, const uint8_t *bytes)
{
	bool main_mode = bytes[18] == 2, aggressive = bytes[18] == 4, sealed = bytes[19] & 1;

	return !s->v1 || (sealed && !aggressive && (!main_mode || s->disturbed));
}

void sim_send_ike(struct sim_host *from, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	struct sim *s = from->sim;
	const struct sim_faults *f = &s->faults;
	unsigned copies = 1 + sim_chance(s, f->duplicate);

	sim_check_ids(s, from->index, bytes, len);
	if (sim_chance(s, f->loss))
		copies--;
	for (unsigned i = 0; i < copies; i++)
		enqueue(s, packet_new(from, local, remote, bytes, len),
		    between(s, f->delay_min_ns, f->delay_max_ns));
	if (sim_chance(s, f->mutate) && may_forge(s, bytes)) {
		struct sim_packet *forged = packet_new(from, local, remote, bytes, len);

		mutate(s, forged);
		enqueue(s, forged, between(s, f->delay_min_ns, f->delay_max_ns));
	}
}

void sim_send_esp(struct sim_host *from, uint8_t family)
{
	struct sim *s = from->sim;
	struct sim_child *c = sim_host_in_use(from, family);
	struct ike_endpoint local, remote;
	struct sim_packet *p;

	if (!c) {
		if (from->up_once[family == IP_V6] && s->count_losses)
			sim_fail(s, "%s has no way out for family %u", from->name, family);
		return;
	}
	local = c->info.local;
	remote = c->info.remote;
	if (!c->info.udp_encap)
		local.port = remote.port = 0;
	p = packet_new(from, &local, &remote, NULL, 0);
	p->esp = true;
	p->counted = s->count_losses;
	p->spi = c->info.spi_out;
	memcpy(p->encr_key, c->info.encr_key_out, IKE_KEY_MAX);
	memcpy(p->auth_key, c->info.auth_key_out, IKE_KEY_MAX);
	c->usage.last_out = sim_host_now(from);
	from->esp_sent++;
	enqueue(s, p, between(s, s->faults.delay_min_ns, s->faults.esp_delay_max_ns));
}

static void lose(struct sim_host *to, const struct sim_packet *p, const char *why)
{
	struct sim *s = to->sim;

	to->esp_lost++;
	sim_say(s, "%s: ESP %08x lost: %s", to->name, p->spi, why);
	if (s->count_losses && p->counted)
		sim_fail(s, "%s lost an ESP packet, SPI %08x: %s", to->name, p->spi, why);
}

static void deliver_esp(struct sim_host *to, const struct sim_packet *p)
{
	struct sim_child *c = sim_host_find(to, p->spi);
	bool first;

	if (!c) {
		lose(to, p, "no inbound SA");
		return;
	}
	if (memcmp(c->info.encr_key_in, p->encr_key, IKE_KEY_MAX) ||
	    memcmp(c->info.auth_key_in, p->auth_key, IKE_KEY_MAX)) {
		lose(to, p, "other keys");
		return;
	}
	to->esp_received++;
	first = !mono_is_set(c->usage.last_in);
	c->usage.last_in = sim_host_now(to);
	if (first && to->tell_used)
		ike_child_used(to->engine, sim_host_now(to), SIM_TUNNEL, p->spi);
	c = sim_host_find(to, p->spi);
	if (c && c->info.udp_encap &&
	    (p->from.port != c->info.remote.port || !ip_eq(&p->from.addr, &c->info.remote.addr)))
		ike_child_moved(to->engine, sim_host_now(to), SIM_TUNNEL, p->spi, &p->from);
}

static struct sim_host *host_at(struct sim *s, const struct ip_addr *addr)
{
	for (unsigned i = 0; i < 2; i++)
		if (ip_eq(&s->host[i].addr, addr))
			return &s->host[i];
	return NULL;
}

static void deliver(struct sim *s, struct sim_packet *p)
{
	struct sim_host *to;

	if (!translate_out(s, &p->from) || !translate_in(s, &p->to)) {
		if (p->esp)
			lose(&s->host[!p->sender], p, "stopped by the NAT");
		return;
	}
	to = host_at(s, &p->to.addr);
	if (!to || !to->engine)
		return;
	if (p->esp)
		deliver_esp(to, p);
	else
		ike_receive(to->engine, sim_host_now(to), &p->to, &p->from, p->bytes, p->len);
}

bool sim_network_next(const struct sim *s, struct mono *due)
{
	if (s->queue)
		*due = s->queue->due;
	return s->queue != NULL;
}

void sim_network_run(struct sim *s)
{
	while (s->queue && !mono_before(s->now, s->queue->due)) {
		struct sim_packet *p = s->queue;

		s->queue = p->next;
		deliver(s, p);
		free(p);
	}
}

void sim_network_clear(struct sim *s)
{
	while (s->queue) {
		struct sim_packet *p = s->queue;

		s->queue = p->next;
		free(p);
	}
}
