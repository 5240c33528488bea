/* SPDX-License-Identifier: BSD-3-Clause */

/* Whom a seed lets play: algorithms, selectors, roles and times of both sides, and the faults of the network. */

#include <stdio.h>
#include <string.h>

#include "sim.h"

static void add_alg(uint8_t *list, uint8_t *count, unsigned value)
{
	if (!memchr(list, (int)value, *count))
		list[(*count)++] = (uint8_t)value;
}

/* Both sides have `common`, and up to two more of their own before or behind it. */
static void choose_list(struct sim *s, uint8_t *list, uint8_t *count, unsigned common,
    const uint8_t *pool, unsigned pool_size)
{
	unsigned before = sim_below(s, 3) == 0, behind = sim_below(s, 3) == 0;

	while (before--)
		add_alg(list, count, pool[sim_below(s, pool_size)]);
	add_alg(list, count, common);
	while (behind--)
		add_alg(list, count, pool[sim_below(s, pool_size)]);
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
	unsigned ie = ike_encr[sim_below(s, 8)], ia = auth[sim_below(s, 5)],
		 id = dh[sim_below(s, 4)];
	unsigned ee = esp_encr[sim_below(s, 8)], ea = auth[sim_below(s, 5)],
		 ed = pfs[sim_below(s, 4)];

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
	unsigned lists = sim_below(s, 3);
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
	s->host[1].config.start = starts[sim_below(s, 3)];
	s->nat = sim_chance(s, 30);
	s->nat_shift = (uint16_t)(1000 + sim_below(s, 20000));
	s->host[0].config.remote = s->host[1].addr;
	s->host[1].config.remote = s->nat ? sim_nat_addr() : s->host[0].addr;
	if (s->host[1].config.start == IKE_START_RESPONDER && sim_chance(s, 50))
		s->host[1].config.remote = ip_any(IP_V4);
	else if (s->nat)
		s->host[1].config.start = IKE_START_RESPONDER;
	if (!s->nat && sim_chance(s, 15))
		s->host[sim_below(s, 2)].config.natt = IKE_NATT_FORCE;
	else if (!s->nat && sim_chance(s, 15))
		s->host[sim_below(s, 2)].config.natt = IKE_NATT_OFF;
	if (sim_chance(s, 20))
		s->host[0].config.remote_id.type = IKE_ID_ANY;
}

static void choose_times(struct sim *s, bool clean)
{
	for (unsigned i = 0; i < 2; i++) {
		struct ike_tunnel_config *c = &s->host[i].config;

		c->ike_lifetime_s = sim_chance(s, 20) ? 0 : 60 + sim_below(s, 120);
		c->esp_lifetime_s = sim_chance(s, 20) ? 0 : (clean ? 60 : 40) + sim_below(s, 60);
		c->dpd_interval_s = 5 + sim_below(s, 10);
		c->dpd_timeout_s = 15 + sim_below(s, 20);
		/* Without probes a restarted peer is found out at the next rekey only, or never. */
		c->dpd_action = (enum ike_dpd_action)sim_below(s, clean ? 3 : 2);
		c->esn = sim_below(s, 3) == 0 ? IKE_ESN_BOTH : IKE_ESN_NO;
		s->host[i].limits = ike_limits_default();
		if (sim_chance(s, 20))
			s->host[i].limits.cookie_threshold = 0;
		if (sim_chance(s, 30))
			s->host[i].limits.fragment_bytes = 256 + sim_below(s, 200);
		c->rehearse = sim_chance(s, 25);
		s->host[i].tell_used = sim_chance(s, 60);
	}
}

static void choose_faults(struct sim *s, bool clean)
{
	struct sim_faults *f = &s->faults;

	f->delay_min_ns = DUR_MS(1 + sim_below(s, 20));
	f->delay_max_ns = f->delay_min_ns + DUR_MS(sim_below(s, clean ? 100 : 400));
	f->esp_delay_max_ns = f->delay_min_ns + DUR_MS(sim_below(s, 300));
	f->loss = sim_below(s, clean ? 5 : 41);
	f->duplicate = sim_below(s, 30);
	f->mutate = sim_chance(s, 40) ? sim_below(s, 100) : 0;
}

static void choose_v1(struct sim *s)
{
	enum ike_v1_mode mode = sim_chance(s, 40) ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN;

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
	clean = !(s->disturbed = sim_chance(s, 50));
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
