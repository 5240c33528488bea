/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of algorithms and lifetimes: what is weak (X14), what IKEv1 has no number for, T23, X6. */
#include "conf/loader.h"

#define FAST_MBIT    200 /* T23 */
#define WINDOW_LEAST 64

/* One list of algorithms: where it stands, and what a better choice is. */
struct choice {
	const struct conf_source *section;
	const char *name; /* of the section */
	const char *key;
	const char *better;
};

static void report_weak(struct loader *l, const struct choice *choice, unsigned i, const char *name)
{
	bool given = is_given(l, choice->section, choice->key);
	const char *by_default = given ? "" : ", the default of ";
	const char *section = given ? "" : choice->name;
	const char *end = given ? "" : ",";

	if (l->conf->system.crypto_profile == CONF_CRYPTO_STRICT)
		fail_item(l, choice->section, choice->key, i,
		    "%s: %s%s%s%s is weak, and `crypto-profile: strict` refuses it; use %s or better",
		    choice->key, name, by_default, section, end, choice->better);
	else
		warn_item(l, choice->section, choice->key, i,
		    "%s: %s%s%s%s is weak; use %s or better", choice->key, name, by_default,
		    section, end, choice->better);
}

static void check_encryption(struct loader *l, const struct conf_source *section, const char *name,
    const enum alg_encr *list, unsigned count)
{
	struct choice choice = {section, name, "encryption", "aes128"};

	for (unsigned i = 0; i < count; i++) {
		if (alg_encr(list[i])->weak)
			report_weak(l, &choice, i, alg_encr(list[i])->name);
	}
}

static void check_authentication(struct loader *l, const struct conf_source *section,
    const char *name, const enum alg_auth *list, unsigned count)
{
	struct choice choice = {section, name, "authentication", "sha256"};

	for (unsigned i = 0; i < count; i++) {
		if (alg_auth(list[i])->weak)
			report_weak(l, &choice, i, alg_auth(list[i])->name);
	}
}

static void check_groups(struct loader *l, const struct conf_source *section, const char *name,
    const enum alg_dh *list, unsigned count)
{
	struct choice choice = {section, name, "dh-group", "group14"};

	for (unsigned i = 0; i < count; i++) {
		if (list[i] != DH_NONE && alg_dh(list[i])->weak)
			report_weak(l, &choice, i, alg_dh(list[i])->name);
	}
}

static void warn_historic(struct loader *l, const struct conf_ike *ike)
{
	warn_key(l, &ike->source, "version",
	    "version: ikev1 is historic (RFC 9395); use ikev2 where the peer can");
	if (ike->mode == CONF_IKE_AGGRESSIVE)
		warn_key(l, &ike->source, "mode",
		    "mode: aggressive tells everybody a hash that keys can be tried against; use main, "
		    "or a long random psk");
}

/* Algorithms and sequence numbers that IKEv1 cannot negotiate. */
static void check_version(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_ike *ike = &t->ike;
	const struct conf_ipsec *ipsec = &t->ipsec;

	if (ike->version != CONF_IKEV1)
		return;
	warn_historic(l, ike);
	for (unsigned i = 0; i < ike->encryption_count; i++) {
		if (alg_encr(ike->encryption[i])->v1_ike_id == 0)
			fail_item(l, &ike->source, "encryption", i,
			    "encryption: %s does not exist in phase 1 of ikev1; use aes128, aes192 or "
			    "aes256, or `version: ikev2`",
			    alg_encr(ike->encryption[i])->name);
	}
	for (unsigned i = 0; i < ipsec->encryption_count; i++) {
		if (alg_encr(ipsec->encryption[i])->v1_esp_id == 0)
			fail_item(l, &ipsec->source, "encryption", i,
			    "encryption: %s does not exist in ikev1; use aes128gcm16, or "
			    "`version: ikev2`",
			    alg_encr(ipsec->encryption[i])->name);
	}
	if (ipsec->esn != CONF_ESN_NO)
		fail_key(l, &ipsec->source, "esn",
		    "esn: 64-bit sequence numbers need ikev2; set `esn: no`, or `version: ikev2`");
}

/* Numbers of 64 bits are told apart by the window alone. */
static void check_replay(struct loader *l, const struct conf_ipsec *s)
{
	if (is_reported(l, &s->source, "replay-window"))
		return;
	if (s->replay_window > 0 && s->replay_window < WINDOW_LEAST)
		fail_key(l, &s->source, "replay-window",
		    "replay-window: %u is too short for packets of one burst; give %u to 32768, or 0 for "
		    "none",
		    s->replay_window, WINDOW_LEAST);
	else if (s->replay_window == 0 && s->esn != CONF_ESN_NO)
		fail_key(l, &s->source, "esn",
		    "esn: 64-bit sequence numbers need a replay window; set `esn: no`, or a "
		    "`replay-window`");
	else if (s->replay_window == 0)
		warn_key(l, &s->source, "replay-window",
		    "replay-window: 0 lets everybody on the path send packets of the peer once more "
		    "(RFC 4303 section 3.4.3); give 1024");
}

/* X6 */
static void check_lifetime(
    struct loader *l, const struct conf_source *section, uint32_t lifetime, const char *what)
{
	if (lifetime == 0 && !is_reported(l, section, "lifetime"))
		warn_key(l, section, "lifetime",
		    "lifetime: 0, so the %s SA is not rekeyed by time unless the peer does; give up to "
		    "86400 s",
		    what);
}

/* T23 */
static void check_speed(struct loader *l, const struct conf_tunnel *t)
{
	for (unsigned i = 0; i < t->ipsec.encryption_count; i++) {
		if (t->ipsec.encryption[i] == ENCR_3DES && t->expected_mbit >= FAST_MBIT)
			warn_key(l, &t->source, "expected-mbit",
			    "expected-mbit: 3des is too slow for %u Mbit/s; use an AES algorithm, best "
			    "aes128gcm16",
			    t->expected_mbit);
	}
}

static bool all_aead(const struct conf_ipsec *ipsec)
{
	for (unsigned i = 0; i < ipsec->encryption_count; i++) {
		if (!alg_is_aead(ipsec->encryption[i]))
			return false;
	}
	return ipsec->encryption_count > 0;
}

static void check_ipsec(struct loader *l, const struct conf_ipsec *s)
{
	check_encryption(l, &s->source, "ipsec", s->encryption, s->encryption_count);
	if (!all_aead(s))
		check_authentication(
		    l, &s->source, "ipsec", s->authentication, s->authentication_count);
	else if (is_given(l, &s->source, "authentication"))
		warn_key(l, &s->source, "authentication",
		    "authentication: without effect, %s authenticates by itself; remove it",
		    alg_encr(s->encryption[0])->name);
}

void check_crypto(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_ike *ike = &t->ike;

	check_ipsec(l, &t->ipsec);
	check_replay(l, &t->ipsec);
	check_speed(l, t);
	if (t->connection->keying == CONF_KEYING_MANUAL)
		return;
	check_groups(l, &t->ipsec.source, "ipsec", t->ipsec.dh_group, t->ipsec.dh_group_count);
	check_lifetime(l, &t->ipsec.source, t->ipsec.lifetime, "IPsec");
	check_encryption(l, &ike->source, "ike", ike->encryption, ike->encryption_count);
	check_authentication(
	    l, &ike->source, "ike", ike->authentication, ike->authentication_count);
	check_groups(l, &ike->source, "ike", ike->dh_group, ike->dh_group_count);
	check_lifetime(l, &ike->source, ike->lifetime, "IKE");
	check_version(l, t);
}
