/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of `keying: manual`: SAs whose SPIs and keys stand in the file. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "conf/loader.h"

/* There is nobody to negotiate with: one algorithm of each kind, and a definite ESN. */
static void check_definite(struct loader *l, const struct conf_ipsec *s)
{
	static const char *const unused[] = {
	    "dh-group", "lifetime", "lifetime-bytes", "lifetime-packets"};

	if (s->encryption_count > 1)
		fail_item(l, &s->source, "encryption", 1,
		    "encryption: `keying: manual` takes one algorithm; remove the others");
	if (s->authentication_count > 1)
		fail_item(l, &s->source, "authentication", 1,
		    "authentication: `keying: manual` takes one algorithm; remove the others");
	if (s->esn == CONF_ESN_AUTO)
		fail_key(l, &s->source, "esn",
		    "esn: auto is for negotiation; with `keying: manual` give yes or no");
	for (unsigned i = 0; i < sizeof(unused) / sizeof(unused[0]); i++) {
		if (is_given(l, &s->source, unused[i]))
			warn_key(l, &s->source, unused[i],
			    "%s: without effect with `keying: manual`, there are no rekeys; remove it",
			    unused[i]);
	}
}

static void check_key(struct loader *l, const struct conf_manual_sa *sa, const char *key,
    const struct conf_key *value, unsigned wanted, const char *algorithm)
{
	if (is_reported(l, &sa->source, key))
		return;
	if (value->len == 0 && wanted && strcmp(key, "authentication-key") == 0)
		fail_object(l, &sa->source,
		    "manual SA: 'authentication-key' is missing; %s needs %u bytes, in hexadecimal",
		    algorithm, wanted);
	else if (value->len && wanted == 0)
		fail_place(l, &sa->source, key, "%s: %s authenticates by itself; remove the key",
		    key, algorithm);
	else if (value->len != wanted && value->len)
		fail_key(l, &sa->source, key, "%s: %u bytes; %s needs %u", key, value->len,
		    algorithm, wanted);
}

static void check_sa(
    struct loader *l, const struct conf_manual_sa *sa, const struct conf_ipsec *ipsec)
{
	const struct alg_encr_info *encr;
	const struct alg_auth_info *auth;

	if (sa->source.node == 0 || ipsec->encryption_count != 1 ||
	    ipsec->authentication_count != 1)
		return;
	encr = alg_encr(ipsec->encryption[0]);
	auth = alg_auth(ipsec->authentication[0]);
	check_key(l, sa, "encryption-key", &sa->encryption_key, encr->key_bytes + encr->salt_bytes,
	    encr->name);
	if (alg_is_aead(ipsec->encryption[0]))
		check_key(l, sa, "authentication-key", &sa->authentication_key, 0, encr->name);
	else
		check_key(l, sa, "authentication-key", &sa->authentication_key, auth->key_bytes,
		    auth->name);
}

/* The same key and salt both ways uses every nonce of an AEAD twice. */
static void check_nonces(struct loader *l, const struct conf_tunnel *t)
{
	const struct conf_key *in = &t->manual.in.encryption_key,
			      *out = &t->manual.out.encryption_key;

	if (t->ipsec.encryption_count != 1 || !alg_is_aead(t->ipsec.encryption[0]))
		return;
	if (in->len && in->len == out->len && secret_equal(in->bytes, out->bytes, in->len))
		warn_key(l, &t->manual.out.source, "encryption-key",
		    "encryption-key: the same in both directions, so that %s uses nonces twice; give "
		    "different keys",
		    alg_encr(t->ipsec.encryption[0])->name);
}

/* Two SAs that encrypt with one key would each count its nonces. */
static void check_own_key(struct loader *l, const struct conf_tunnel *t, struct names *keys)
{
	const struct conf_key *key = &t->manual.out.encryption_key;
	struct conf_tunnel *first;

	if (t->ipsec.encryption_count != 1 || !alg_is_aead(t->ipsec.encryption[0]) || !key->len)
		return;
	first = names_put_bytes(keys, l->conf->pool, key->bytes, key->len, (void *)(uintptr_t)t);
	if (first)
		fail_key(l, &t->manual.out.source, "encryption-key",
		    "encryption-key: that of tunnel %u of connection '%s' (line %u) too, so that %s would use "
		    "nonces twice; give every tunnel a key of its own",
		    first->number, first->connection->name, first->source.line,
		    alg_encr(t->ipsec.encryption[0])->name);
}

static void check_tunnel(
    struct loader *l, const struct conf_tunnel *t, struct names *spis, struct names *keys)
{
	const struct conf_manual_sa *in = &t->manual.in;
	struct conf_tunnel *first;

	if (!is_given(l, &t->source, "manual")) {
		fail_object(l, &t->source,
		    "tunnel: `keying: manual` needs the section 'manual', with the SPIs and keys of both "
		    "directions");
		return;
	}
	check_definite(l, &t->ipsec);
	check_sa(l, in, &t->ipsec);
	check_sa(l, &t->manual.out, &t->ipsec);
	check_nonces(l, t);
	check_own_key(l, t, keys);
	if (in->spi == 0 || is_reported(l, &in->source, "spi"))
		return;
	first =
	    names_put_bytes(spis, l->conf->pool, &in->spi, sizeof(in->spi), (void *)(uintptr_t)t);
	if (first)
		fail_key(l, &in->source, "spi",
		    "spi: 0x%08x is that of tunnel %u of connection '%s' (line %u) too; inbound SPIs are "
		    "different",
		    in->spi, first->number, first->connection->name, first->source.line);
}

void check_manual(struct loader *l)
{
	struct names spis = {0}, keys = {0};

	for (unsigned i = 0; i < l->conf->vpn_connections_count; i++) {
		const struct conf_connection *c = l->conf->vpn_connections[i];

		if (c->keying != CONF_KEYING_MANUAL)
			continue;
		warn_key(l, &c->source, "keying",
		    "keying: manual is for test generators: no rekey, so that a key serves until its "
		    "sequence numbers are used up (RFC 8221 section 3); use ike");
		for (unsigned k = 0; k < c->tunnels_count; k++)
			check_tunnel(l, c->tunnels[k], &spis, &keys);
	}
	names_fini(&spis);
	names_fini(&keys);
}
