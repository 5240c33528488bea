/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a seed plays, and what must hold.
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
#define CALM_S  90
#define AGAIN_S 120 /* for a moment in which nothing is being replaced */

/* One IKE SA, and one Child SA a family; the rest are on their way in or out. */
#define IKE_SAS_MAX  64
#define CHILDREN_MAX 48

static unsigned below(struct sim *s, unsigned bound)
{
	return rng_below(&s->rng, bound);
}

static bool chance(struct sim *s, unsigned percent)
{
	return below(s, 100) < percent;
}

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

/* ---- configurations ---- */

static void add_alg(uint8_t *list, uint8_t *count, unsigned value)
{
	if (!memchr(list, (int)value, *count))
		list[(*count)++] = (uint8_t)value;
}

/* Both sides have `common`, and up to two more of their own before or behind it. */
static void choose_list(struct sim *s, uint8_t *list, uint8_t *count, unsigned common,
    const uint8_t *pool, unsigned pool_size)
{
	unsigned before = below(s, 3) == 0, behind = below(s, 3) == 0;

	while (before--)
		add_alg(list, count, pool[below(s, pool_size)]);
	add_alg(list, count, common);
	while (behind--)
		add_alg(list, count, pool[below(s, pool_size)]);
}

/* IKEv1 has fewer ciphers. */
static void choose_algs(struct sim *s)
{
	static const uint8_t v2_encr[] = {ENCR_AES128, ENCR_AES256, ENCR_AES128GCM16, ENCR_3DES,
	    ENCR_CHACHA20POLY1305, ENCR_AES256GCM16, ENCR_DES, ENCR_AES192};
	static const uint8_t v1_encr[] = {ENCR_AES128, ENCR_AES256, ENCR_AES128, ENCR_3DES,
	    ENCR_AES256, ENCR_AES192, ENCR_DES, ENCR_AES192};
	static const uint8_t v1_esp[] = {ENCR_AES128, ENCR_AES256, ENCR_AES128GCM16, ENCR_3DES,
	    ENCR_AES256, ENCR_AES256GCM16, ENCR_DES, ENCR_AES192};
	const uint8_t *ike_encr = s->v1 ? v1_encr : v2_encr, *esp_encr = s->v1 ? v1_esp : v2_encr;
	static const uint8_t auth[] = {AUTH_SHA1, AUTH_SHA256, AUTH_SHA384, AUTH_SHA512, AUTH_MD5};
	static const uint8_t dh[] = {DH_31, DH_31, DH_31, DH_19};
	static const uint8_t pfs[] = {DH_NONE, DH_NONE, DH_31, DH_19};
	unsigned ie = ike_encr[below(s, 8)], ia = auth[below(s, 5)], id = dh[below(s, 4)];
	unsigned ee = esp_encr[below(s, 8)], ea = auth[below(s, 5)], ed = pfs[below(s, 4)];

	for (unsigned i = 0; i < 2; i++) {
		struct ike_tunnel_config *c = &s->host[i].config;

		choose_list(s, c->ike.encr, &c->ike.encr_count, ie, ike_encr, 8);
		choose_list(s, c->ike.auth, &c->ike.auth_count, ia, auth, 5);
		choose_list(s, c->ike.dh, &c->ike.dh_count, id, dh, 4);
		choose_list(s, c->esp.encr, &c->esp.encr_count, ee, esp_encr, 8);
		choose_list(s, c->esp.auth, &c->esp.auth_count, ea, auth, 5);
		choose_list(s, c->esp.dh, &c->esp.dh_count, ed, pfs, 4);
	}
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = {0};

	ip_prefix_parse(text, &p);
	return p;
}

/* The mirror of each other, sometimes with one side wider than the other. */
static void choose_selectors(struct sim *s)
{
	static const char *const sites[2][4] = {
	    {"10.1.0.0/16", "10.64.0.0/12", "192.168.7.0/24", "2001:db8:a::/48"},
	    {"172.16.0.0/12", "10.200.0.0/24", "198.18.0.0/15", "2001:db8:b::/48"}};
	unsigned lists = below(s, 3);
	bool both = s->v1 && lists == 1;

	/* One pair of selectors makes one Child SA of IKEv1: of each family one. */
	if (s->v1)
		lists = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];
		struct ike_tunnel_config *c = &h->config;
		unsigned n = 0;

		if (lists == 0 || (lists == 2 && i == 1)) {
			h->local_ts[0] = h->remote_ts[0] = prefix("0.0.0.0/0");
			h->local_ts[1] = h->remote_ts[1] = prefix("::/0");
			n = lists == 0 && !both ? 1 : 2;
		} else {
			for (n = 0; n < 4; n++) {
				h->local_ts[n] = prefix(sites[i][n]);
				h->remote_ts[n] = prefix(sites[!i][n]);
			}
		}
		c->local_ts = h->local_ts;
		c->remote_ts = h->remote_ts;
		c->local_ts_count = c->remote_ts_count = n;
	}
}

static void choose_roles(struct sim *s)
{
	static const enum ike_start starts[] = {
	    IKE_START_NOW, IKE_START_ON_DEMAND, IKE_START_RESPONDER};

	s->host[0].config.start = IKE_START_NOW;
	s->host[1].config.start = starts[below(s, 3)];
	s->nat = chance(s, 30);
	s->nat_shift = (uint16_t)(1000 + below(s, 20000));
	s->host[0].config.remote = s->host[1].addr;
	s->host[1].config.remote = s->nat ? sim_nat_addr() : s->host[0].addr;
	if (s->host[1].config.start == IKE_START_RESPONDER && chance(s, 50))
		s->host[1].config.remote = ip_any(IP_V4);
	else if (s->nat)
		s->host[1].config.start = IKE_START_RESPONDER;
	if (!s->nat && chance(s, 15))
		s->host[below(s, 2)].config.natt = IKE_NATT_FORCE;
	else if (!s->nat && chance(s, 15))
		s->host[below(s, 2)].config.natt = IKE_NATT_OFF;
	if (chance(s, 20))
		s->host[0].config.remote_id.type = IKE_ID_ANY;
}

static void choose_times(struct sim *s, bool clean)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ike_tunnel_config *c = &s->host[i].config;

		c->ike_lifetime_s = chance(s, 20) ? 0 : 60 + below(s, 120);
		c->esp_lifetime_s = chance(s, 20) ? 0 : (clean ? 60 : 40) + below(s, 60);
		c->dpd_interval_s = 5 + below(s, 10);
		c->dpd_timeout_s = 15 + below(s, 20);
		/* Without probes a restarted peer is found out at the next rekey only, or never. */
		c->dpd_action = (enum ike_dpd_action)below(s, clean ? 3 : 2);
		c->esn = below(s, 3) == 0 ? IKE_ESN_BOTH : IKE_ESN_NO;
		s->host[i].limits = ike_limits_default();
		if (chance(s, 20))
			s->host[i].limits.cookie_threshold = 0;
		if (chance(s, 30))
			s->host[i].limits.fragment_bytes = 256 + below(s, 200);
		c->rehearse = chance(s, 25);
		s->host[i].tell_used = chance(s, 60);
	}
}

static void choose_faults(struct sim *s, bool clean)
{
	struct sim_faults *f = &s->faults;

	f->delay_min_ns = DUR_MS(1 + below(s, 20));
	f->delay_max_ns = f->delay_min_ns + DUR_MS(below(s, clean ? 100 : 400));
	f->esp_delay_max_ns = f->delay_min_ns + DUR_MS(below(s, 300));
	f->loss = below(s, clean ? 5 : 41);
	f->duplicate = below(s, 30);
	f->mutate = chance(s, 40) ? below(s, 100) : 0;
}

static void choose_v1(struct sim *s)
{
	enum ike_v1_mode mode = chance(s, 40) ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN;

	for (unsigned i = 0; i < 2; i++) {
		s->host[i].config.version = IKE_V1;
		s->host[i].config.v1_mode = mode;
		s->host[i].config.esn = IKE_ESN_NO;
	}
}

void sim_setup(struct sim *s)
{
	static const char psk[] = "mutual secret";
	bool clean;

	rng_init_seeded(&s->rng, s->seed);
	s->now.ns = DUR_S(1000);
	clean = !(s->disturbed = chance(s, 50));
	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];
		struct ike_tunnel_config *c = &h->config;

		h->sim = s;
		h->index = i;
		h->name = i ? "B" : "A";
		h->addr = ip_v4(0xc6336401 + i);
		rng_init_seeded(&h->rng, s->seed * 2 + i);
		snprintf(c->name, sizeof(c->name), "%s", h->name);
		c->local = h->addr;
		ike_id_parse(i ? "b.example" : "a.example", &c->local_id);
		ike_id_parse(i ? "a.example" : "b.example", &c->remote_id);
		c->psk = (const uint8_t *)psk;
		c->psk_len = sizeof(psk) - 1;
	}
	choose_algs(s);
	choose_selectors(s);
	choose_roles(s);
	choose_times(s, clean);
	choose_faults(s, clean);
	if (s->v1)
		choose_v1(s);
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
			traffic = mono_add(s->now, DUR_MS(100 + below(s, 200)));
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
	uint8_t family = chance(h->sim, 70) ? IP_V4 : IP_V6;
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
	unsigned kind = below(s, 3), ends = 1 + below(s, 3);

	for (unsigned i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		if (!(ends & 1u << i))
			continue;
		sim_say(s, "event: %s rekeys %s", h->name, kind == 1 ? "IKE" : "children");
		if (kind == 0)
			limit_reached(h, false);
		else
			rekey(h, kind == 1);
		if (kind == 2 && chance(s, 50))
			rekey(h, true);
		if (chance(s, 50))
			run_for(s, (int64_t)(rng_u64(&s->rng) % (uint64_t)s->faults.delay_max_ns));
	}
}

static void restart(struct sim *s, struct sim_host *h)
{
	sim_say(s, "event: %s restarts", h->name);
	sim_host_stop(h);
	sim_ids_clear(s);
	run_for(s, DUR_MS(below(s, 8000)));
	sim_host_start(h);
}

static void blackout(struct sim *s)
{
	unsigned loss = s->faults.loss;

	sim_say(s, "event: blackout");
	s->faults.loss = 100;
	run_for(s, DUR_S(1 + below(s, 45)));
	s->faults.loss = loss;
}

/* The host slept, or its clock went ahead: much is due at once. */
static void clock_jump(struct sim *s, struct sim_host *h)
{
	int64_t by = chance(s, 30) ? DUR_S(below(s, 100000)) : DUR_MS(below(s, 90000));

	sim_say(s, "event: the clock of %s jumps by %.3f s", h->name, (double)by / 1e9);
	h->ahead_ns += by;
}

static void rough_event(struct sim *s, struct sim_host *h)
{
	switch (below(s, 12)) {
	case 0:
	case 1:
		restart(s, h);
		break;
	case 2:
		sim_say(s, "event: %s stops the tunnel", h->name);
		ike_tunnel_stop(h->engine, sim_host_now(h), SIM_TUNNEL);
		run_for(s, DUR_MS(below(s, 4000)));
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
		s->nat_shift = (uint16_t)(1000 + below(s, 20000));
		break;
	case 6:
		sim_say(s, "event: %s gets a new configuration", h->name);
		h->config.dpd_interval_s = 5 + below(s, 10);
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
		run_for(s, DUR_MS(below(s, 15000)));
		if (s->failure[0])
			return;
		struct sim_host *h = &s->host[below(s, 2)];

		rough_event(s, h);
		/* and at the other end, at the same time */
		if (chance(s, 25))
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
		run_for(s, DUR_MS(below(s, 15000)));
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
	if (!come_together(s, AGAIN_S))
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
	run_for(s, DUR_MS(below(s, 2) ? 0 : below(s, 2000)));
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
