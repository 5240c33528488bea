/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a seed plays, and what must hold. With whom, setup.c chooses.
 *
 * A "clean" run has a network that delays and loses a little IKE, and rekeys of every kind, forced ones at
 * both ends at once too: from the moment both sides are up not one ESP packet may be lost. A "rough" run has
 * heavy loss, forgeries, restarts, stops, blackouts, NAT rebindings. Both end with a calm time, in which
 * the two sides must come together: one IKE SA, one Child SA per family, equal keys, no packet lost.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define ROUGH_S    180
#define TOGETHER_S 300 /* to come together once the network is well */
#define SETTLE_S   20  /* for what the last event brought */
#define FORGED_S                                                                                   \
	80 /* the same, and for DPD to find an SA of IKEv1 that a forged message led astray */
#define CALM_S 90

/* One IKE SA, and one Child SA a family; the rest are on their way in or out. */
#define IKE_SAS_MAX  64
#define CHILDREN_MAX 48

void sim_fail(struct sim *s, const char *format, ...)
{
	va_list args;

	if (s->failure[0])
		return;
	va_start(args, format);
	vsnprintf(s->failure, sizeof(s->failure), format, args);
	va_end(args);
	sim_say(s, "FAILED: %s", s->failure);
}

void sim_say(const struct sim *s, const char *format, ...)
{
	va_list args;

	if (!s->verbose)
		return;
	printf("%12.6f ", (double)s->now.ns / 1e9);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* ---- the passing of time ---- */

static void send_traffic(struct sim *s)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		if (!h->engine)
			continue;
		if (h->config.start == IKE_START_ON_DEMAND && h->state != IKE_TUNNEL_UP)
			ike_tunnel_trigger(h->engine, sim_host_now(h), SIM_TUNNEL);
		sim_send_esp(h, IP_V4);
		sim_send_esp(h, IP_V6);
	}
}

/* At every step: whatever is lost, repeated or done at once, SAs do not pile up. */
static void check_bounds(struct sim *s)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];
		uint32_t half_open, sas;
		unsigned children = 0;

		if (!h->engine)
			continue;
		for (const struct sim_child *c = h->children; c; c = c->next)
			children++;
		ike_load(h->engine, &half_open, &sas);
		if (sas > IKE_SAS_MAX || half_open > sas || children > CHILDREN_MAX)
			sim_fail(s, "%s has %u IKE SAs, %u of them half-open, and %u Child SAs",
			    h->name, sas, half_open, children);
	}
}

/* Runs everything that is due up to `end`. */
static void run_until(struct sim *s, struct mono end)
{
	struct mono traffic = s->now;

	while (!s->failure[0]) {
		struct mono next = end, due;

		if (mono_before(traffic, next))
			next = traffic;
		if (sim_network_next(s, &due) && mono_before(due, next))
			next = due;
		for (unsigned i = 0; i < 2; i++)
			if (s->host[i].engine && ike_next(s->host[i].engine, &due) &&
			    mono_before(mono_add(due, -s->host[i].ahead_ns), next))
				next = mono_add(due, -s->host[i].ahead_ns);
		if (mono_before(s->now, next))
			s->now = next;
		sim_network_run(s);
		for (unsigned i = 0; i < 2; i++)
			if (s->host[i].engine)
				ike_run(s->host[i].engine, sim_host_now(&s->host[i]), 0);
		check_bounds(s);
		if (!mono_before(s->now, traffic)) {
			send_traffic(s);
			traffic = mono_add(s->now, DUR_MS(100 + sim_below(s, 200)));
		}
		if (!mono_before(s->now, end))
			return;
	}
}

static void run_for(struct sim *s, int64_t ns)
{
	run_until(s, mono_add(s->now, ns));
}

/* ---- events ---- */

static void limit_reached(struct sim_host *h, bool hard)
{
	uint8_t family = sim_chance(h->sim, 70) ? IP_V4 : IP_V6;
	struct sim_child *c = h->engine ? sim_host_in_use(h, family) : NULL;

	if (c)
		ike_child_limit(h->engine, sim_host_now(h), SIM_TUNNEL, c->info.spi_in, hard);
}

static void rekey(struct sim_host *h, bool ike_sa)
{
	if (h->engine)
		ike_tunnel_rekey(h->engine, sim_host_now(h), SIM_TUNNEL, ike_sa);
}

/* Rekeys of all kinds, at one end or at both within the delay of the network. */
static void gentle_event(struct sim *s)
{
	unsigned kind = sim_below(s, 3), ends = 1 + sim_below(s, 3);

	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		if (!(ends & 1u << i))
			continue;
		sim_say(s, "event: %s rekeys %s", h->name, kind == 1 ? "IKE" : "children");
		if (kind == 0)
			limit_reached(h, false);
		else
			rekey(h, kind == 1);
		if (kind == 2 && sim_chance(s, 50))
			rekey(h, true);
		if (sim_chance(s, 50))
			run_for(s, (int64_t)(rng_u64(&s->rng) % (uint64_t)s->faults.delay_max_ns));
	}
}

static void restart(struct sim *s, struct sim_host *h)
{
	sim_say(s, "event: %s restarts", h->name);
	sim_host_stop(h);
	sim_ids_clear(s);
	run_for(s, DUR_MS(sim_below(s, 8000)));
	sim_host_start(h);
}

static void blackout(struct sim *s)
{
	unsigned loss = s->faults.loss;

	sim_say(s, "event: blackout");
	s->faults.loss = 100;
	run_for(s, DUR_S(1 + sim_below(s, 45)));
	s->faults.loss = loss;
}

/* The host slept, or its clock went ahead: much is due at once. */
static void clock_jump(struct sim *s, struct sim_host *h)
{
	int64_t by = sim_chance(s, 30) ? DUR_S(sim_below(s, 100000)) : DUR_MS(sim_below(s, 90000));

	sim_say(s, "event: the clock of %s jumps by %.3f s", h->name, (double)by / 1e9);
	h->ahead_ns += by;
}

static void rough_event(struct sim *s, struct sim_host *h)
{
	switch (sim_below(s, 12)) {
	case 0:
	case 1:
		restart(s, h);
		break;
	case 2:
		sim_say(s, "event: %s stops the tunnel", h->name);
		ike_tunnel_stop(h->engine, sim_host_now(h), SIM_TUNNEL);
		run_for(s, DUR_MS(sim_below(s, 4000)));
		ike_tunnel_start(h->engine, sim_host_now(h), SIM_TUNNEL);
		break;
	case 3:
		limit_reached(h, true);
		break;
	case 4:
		blackout(s);
		break;
	case 5:
		sim_say(s, "event: NAT rebinding");
		s->nat_shift = (uint16_t)(1000 + sim_below(s, 20000));
		break;
	case 6:
		sim_say(s, "event: %s gets a new configuration", h->name);
		h->config.dpd_interval_s = 5 + sim_below(s, 10);
		ike_tunnel_update(h->engine, sim_host_now(h), SIM_TUNNEL, &h->config, NULL);
		break;
	case 7:
		ike_tunnel_remove(h->engine, sim_host_now(h), SIM_TUNNEL);
		h->state = IKE_TUNNEL_DOWN;
		ike_tunnel_add(h->engine, sim_host_now(h), SIM_TUNNEL, &h->config, NULL);
		break;
	case 8:
		clock_jump(s, h);
		break;
	default:
		gentle_event(s);
	}
}

/* ---- invariants ---- */

struct sa_count {
	unsigned established, coming, others;
};

static void count_sa(void *arg, const struct ike_sa_info *info)
{
	struct sa_count *count = arg;

	if (!strcmp(info->state, "established"))
		count->established++;
	else if (!strcmp(info->state, "replaced") || !strcmp(info->state, "deleting"))
		count->others++;
	else
		count->coming++;
}

/* Exactly one Child SA of the family on each side, with the keys of the other; or none where none can be. */
static bool family_is_together(struct sim *s, uint8_t family)
{
	struct sim_child *a = sim_host_in_use(&s->host[0], family);
	struct sim_child *b = sim_host_in_use(&s->host[1], family);
	unsigned out, all;

	if (!a && !b)
		return family == IP_V6 &&
		    (s->host[0].config.local_ts_count == 1 ||
			s->host[1].config.local_ts_count == 1);
	for (unsigned i = 0; i < 2; i++) {
		sim_host_count(&s->host[i], family, &out, &all);
		if (out != 1 || all != 1)
			return false;
	}
	return a->info.spi_in == b->info.spi_out && a->info.spi_out == b->info.spi_in &&
	    !memcmp(a->info.encr_key_in, b->info.encr_key_out, IKE_KEY_MAX) &&
	    !memcmp(a->info.encr_key_out, b->info.encr_key_in, IKE_KEY_MAX) &&
	    !memcmp(a->info.auth_key_in, b->info.auth_key_out, IKE_KEY_MAX) &&
	    !memcmp(a->info.auth_key_out, b->info.auth_key_in, IKE_KEY_MAX) &&
	    a->info.esn == b->info.esn && a->info.udp_encap == b->info.udp_encap;
}

static bool is_together(struct sim *s)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sa_count count = {0};

		ike_each_sa(s->host[i].engine, sim_host_now(&s->host[i]), count_sa, &count);
		if (count.established != 1 || count.coming != 0)
			return false;
		if (s->host[i].state != IKE_TUNNEL_UP)
			return false;
	}
	return family_is_together(s, IP_V4) && family_is_together(s, IP_V6);
}

static bool come_together(struct sim *s, unsigned seconds)
{
	for (unsigned i = 0; i < 2 * seconds && !s->failure[0]; i++) {
		if (is_together(s))
			return true;
		/* DPD may have cleared the tunnel: A has traffic for it. */
		ike_tunnel_trigger(s->host[0].engine, sim_host_now(&s->host[0]), SIM_TUNNEL);
		run_for(s, DUR_MS(500));
	}
	return is_together(s);
}

static void be_rough(struct sim *s)
{
	struct mono end = mono_add(s->now, DUR_S(ROUGH_S));

	while (mono_before(s->now, end) && !s->failure[0]) {
		run_for(s, DUR_MS(sim_below(s, 15000)));
		if (s->failure[0])
			return;
		struct sim_host *h = &s->host[sim_below(s, 2)];

		rough_event(s, h);
		/* and at the other end, at the same time */
		if (sim_chance(s, 25))
			rough_event(s, &s->host[!h->index]);
	}
}

static void be_gentle(struct sim *s)
{
	struct mono end;

	if (!come_together(s, TOGETHER_S))
		sim_fail(s, "the tunnel did not come up");
	s->count_losses = true;
	end = mono_add(s->now, DUR_S(ROUGH_S));
	while (mono_before(s->now, end) && !s->failure[0]) {
		gentle_event(s);
		run_for(s, DUR_MS(sim_below(s, 15000)));
	}
}

static void calm_down(struct sim *s)
{
	bool was_forged = s->v1 && s->disturbed && s->faults.mutate > 0;

	sim_say(s, "the network is well");
	s->faults.loss = s->faults.duplicate = s->faults.mutate = 0;
	run_for(s, DUR_S(was_forged ? FORGED_S : SETTLE_S));
	ike_tunnel_start(s->host[0].engine, sim_host_now(&s->host[0]), SIM_TUNNEL);
	if (!come_together(s, TOGETHER_S))
		sim_fail(s, "the sides did not come together");
	s->count_losses = true;
	run_for(s, DUR_S(CALM_S));
	if (!come_together(s, 60))
		sim_fail(s, "the sides did not stay together");
	s->count_losses = false;
}

static void shut_down(struct sim *s)
{
	for (unsigned i = 0; i < 2; i++)
		ike_shutdown(s->host[i].engine, sim_host_now(&s->host[i]));
	run_for(s, DUR_S(20));
	for (unsigned i = 0; i < 2; i++) {
		uint32_t half_open, sas;

		ike_load(s->host[i].engine, &half_open, &sas);
		if (!ike_is_quiet(s->host[i].engine) || half_open || s->host[i].children)
			sim_fail(s, "%s is not quiet after shutdown", s->host[i].name);
		struct mono due;
		if (ike_next(s->host[i].engine, &due))
			sim_fail(s, "%s has a timer left after shutdown", s->host[i].name);
	}
}

bool sim_play(struct sim *s)
{
	sim_host_start(&s->host[0]);
	run_for(s, DUR_MS(sim_below(s, 2) ? 0 : sim_below(s, 2000)));
	sim_host_start(&s->host[1]);
	if (s->disturbed)
		be_rough(s);
	else
		be_gentle(s);
	if (!s->failure[0])
		calm_down(s);
	if (!s->failure[0])
		shut_down(s);
	for (unsigned i = 0; i < 2; i++)
		sim_host_stop(&s->host[i]);
	sim_network_clear(s);
	sim_ids_clear(s);
	return !s->failure[0];
}

void sim_describe(const struct sim *s)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct sim_host *h = &s->host[i];

		printf("%s: start %d natt %d lifetimes %u/%u dpd %d esp sent %llu received %llu "
		       "lost %llu\n",
		    h->name, h->config.start, h->config.natt, h->config.ike_lifetime_s,
		    h->config.esp_lifetime_s, h->config.dpd_action, (unsigned long long)h->esp_sent,
		    (unsigned long long)h->esp_received, (unsigned long long)h->esp_lost);
	}
}
