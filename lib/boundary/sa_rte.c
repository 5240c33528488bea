/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From a struct sa_spec to a crypto session and an rte_ipsec object (DPDK 22.11).
 *
 * What rte_ipsec is told, and what it is not:
 * - its own replay window is off; with ESN it insists on one, which then has a size of (2^k - 1) * 64, one of
 *   those at which its ring has a spare word;
 * - TOS, DF, TTL, checksum and IPv4 ID of the outer header are written by datapath/esp_outer.c;
 * - it knows no single DES: 3DES with K1 = K2 = K3 is DES (FIPS 46-3).
 */

#include "boundary/sa_rte.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "base/secret.h"
#include "boundary/sa_header.h"

#define RTE_WINDOW_MIN     1984
#define RTE_WINDOW_WORD    64
#define AEAD_IV_BYTES      12 /* salt and the IV of the packet */
#define AEAD_AAD_BYTES     8  /* SPI and sequence number (RFC 4106 5) */
#define AEAD_AAD_ESN_BYTES 12
#define DES_KEY_BYTES      8

uint32_t sa_rte_window(bool esn, uint32_t window)
{
	uint32_t size = RTE_WINDOW_MIN;

	if (!esn)
		return 0;
	while (size < window)
		size = 2 * size + RTE_WINDOW_WORD;
	return size;
}

/* Chain of transforms */

struct chain {
	struct rte_crypto_sym_xform first, second;
	uint8_t key[3 * DES_KEY_BYTES]; /* DES three times */
};

static const enum rte_crypto_auth_algorithm auth_algo[AUTH_COUNT] = {
    [AUTH_MD5] = RTE_CRYPTO_AUTH_MD5_HMAC,
    [AUTH_SHA1] = RTE_CRYPTO_AUTH_SHA1_HMAC,
    [AUTH_SHA256] = RTE_CRYPTO_AUTH_SHA256_HMAC,
    [AUTH_SHA384] = RTE_CRYPTO_AUTH_SHA384_HMAC,
    [AUTH_SHA512] = RTE_CRYPTO_AUTH_SHA512_HMAC,
};

static enum rte_crypto_cipher_algorithm cipher_algo(enum alg_encr encr)
{
	switch (encr) {
	case ENCR_DES:
	case ENCR_3DES:
		return RTE_CRYPTO_CIPHER_3DES_CBC;
	case ENCR_NULL:
		return RTE_CRYPTO_CIPHER_NULL;
	default:
		return RTE_CRYPTO_CIPHER_AES_CBC;
	}
}

static void fill_aead(struct rte_crypto_sym_xform *x, const struct sa_spec *spec, bool inbound)
{
	const struct alg_encr_info *e = alg_encr(spec->encr);

	x->type = RTE_CRYPTO_SYM_XFORM_AEAD;
	x->aead = (struct rte_crypto_aead_xform){
	    .op = inbound ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT,
	    .algo = spec->encr == ENCR_CHACHA20POLY1305 ? RTE_CRYPTO_AEAD_CHACHA20_POLY1305
							: RTE_CRYPTO_AEAD_AES_GCM,
	    .key = {.data = spec->encr_key, .length = e->key_bytes},
	    .iv = {.offset = CRYPTO_IV_OFFSET, .length = AEAD_IV_BYTES},
	    .digest_length = e->icv_bytes,
	    .aad_length = spec->esn ? AEAD_AAD_ESN_BYTES : AEAD_AAD_BYTES,
	};
}

static void fill_cipher(
    struct rte_crypto_sym_xform *x, struct chain *c, const struct sa_spec *spec, bool inbound)
{
	const struct alg_encr_info *e = alg_encr(spec->encr);

	x->type = RTE_CRYPTO_SYM_XFORM_CIPHER;
	x->cipher = (struct rte_crypto_cipher_xform){
	    .op = inbound ? RTE_CRYPTO_CIPHER_OP_DECRYPT : RTE_CRYPTO_CIPHER_OP_ENCRYPT,
	    .algo = cipher_algo(spec->encr),
	    .key = {.data = spec->encr_key, .length = e->key_bytes},
	    .iv = {.offset = CRYPTO_IV_OFFSET, .length = e->iv_bytes},
	};
	if (spec->encr != ENCR_DES)
		return;
	for (unsigned i = 0; i < 3; i++)
		memcpy(c->key + i * DES_KEY_BYTES, spec->encr_key, DES_KEY_BYTES);
	x->cipher.key.data = c->key;
	x->cipher.key.length = sizeof(c->key);
}

static void fill_auth(struct rte_crypto_sym_xform *x, const struct sa_spec *spec, bool inbound)
{
	const struct alg_auth_info *a = alg_auth(spec->auth);

	x->type = RTE_CRYPTO_SYM_XFORM_AUTH;
	x->auth = (struct rte_crypto_auth_xform){
	    .op = inbound ? RTE_CRYPTO_AUTH_OP_VERIFY : RTE_CRYPTO_AUTH_OP_GENERATE,
	    .algo = auth_algo[spec->auth],
	    .key = {.data = spec->auth_key, .length = a->key_bytes},
	    .digest_length = a->icv_bytes,
	};
}

/* Encrypt then authenticate; the other way round inbound. */
static void fill_chain(struct chain *c, const struct sa_spec *spec, bool inbound)
{
	memset(c, 0, sizeof(*c));
	if (alg_is_aead(spec->encr)) {
		fill_aead(&c->first, spec, inbound);
		return;
	}
	fill_cipher(inbound ? &c->second : &c->first, c, spec, inbound);
	fill_auth(inbound ? &c->first : &c->second, spec, inbound);
	c->first.next = &c->second;
}

/* The object */

static void fill_params(struct rte_ipsec_sa_prm *p, const struct sa_cold *cold,
    const struct sa_spec *spec, uint64_t sequence)
{
	*p = (struct rte_ipsec_sa_prm){
	    .ipsec_xform =
		{
		    .spi = spec->spi,
		    .direction = cold->inbound ? RTE_SECURITY_IPSEC_SA_DIR_INGRESS
					       : RTE_SECURITY_IPSEC_SA_DIR_EGRESS,
		    .proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP,
		    .mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL,
		    .replay_win_sz = cold->inbound ? sa_rte_window(spec->esn, cold->window) : 0,
		    .udp = {spec->local_port, spec->remote_port},
		},
	    .tun.next_proto = spec->inner_family == IP_V4 ? IPPROTO_IPIP : IPPROTO_IPV6,
	};
	/* without ESN the upper half must stay empty, also inbound */
	p->ipsec_xform.esn.value = sequence;
	p->ipsec_xform.options.esn = spec->esn;
	p->ipsec_xform.options.udp_encap = spec->natt && !cold->inbound;
	p->ipsec_xform.tunnel.type = spec->local.family == IP_V4 ? RTE_SECURITY_IPSEC_TUNNEL_IPV4
								 : RTE_SECURITY_IPSEC_TUNNEL_IPV6;
	if (alg_is_aead(spec->encr))
		memcpy(&p->ipsec_xform.salt, spec->encr_key + alg_encr(spec->encr)->key_bytes,
		    sizeof(p->ipsec_xform.salt));
	/* any worker may send; only its owner works on what comes in */
	if (!cold->inbound && cold->workers > 1)
		p->flags |= RTE_IPSEC_SAFLAG_SQN_ATOM;
}

static int make_object(struct sa_cold *cold, struct rte_ipsec_sa_prm *prm)
{
	int size = rte_ipsec_sa_size(prm);

	if (size < 0)
		return size;
	cold->rte_sa = rte_zmalloc("sa", (size_t)size, RTE_CACHE_LINE_SIZE);
	if (!cold->rte_sa)
		return -ENOMEM;
	size = rte_ipsec_sa_init(cold->rte_sa, prm, (uint32_t)size);
	if (size >= 0)
		return 0;
	rte_free(cold->rte_sa);
	cold->rte_sa = NULL;
	return size;
}

static int make_all(struct sa_cold *cold, const struct sa_spec *spec, struct chain *c,
    uint64_t sequence, struct rte_ipsec_session *session)
{
	struct rte_ipsec_sa_prm prm;
	union sa_outer_header header;
	int rc;

	fill_chain(c, spec, cold->inbound);
	rc = crypto_session_create(cold->crypto, &c->first, &cold->session);
	if (rc)
		return rc;
	fill_params(&prm, cold, spec, sequence);
	prm.crypto_xform = &c->first;
	sa_header_fill(&header, spec);
	prm.tun.hdr_len = sa_header_ip_bytes(spec); /* UDP it makes itself */
	prm.tun.hdr = &header;
	rc = make_object(cold, &prm);
	secret_wipe(&prm.ipsec_xform.salt, sizeof(prm.ipsec_xform.salt));
	if (rc)
		return rc;
	session->sa = cold->rte_sa;
	session->type = cold->session.path == CRYPTO_SYNC ? RTE_SECURITY_ACTION_TYPE_CPU_CRYPTO
							  : RTE_SECURITY_ACTION_TYPE_NONE;
	session->crypto.ses = cold->session.session;
	session->crypto.dev_id = cold->session.dev;
	return rte_ipsec_session_prepare(session);
}

int sa_rte_create(struct sa_cold *cold, const struct sa_spec *spec, uint64_t sequence,
    struct rte_ipsec_session *session, uint8_t *engine)
{
	struct chain chain;
	int rc = make_all(cold, spec, &chain, sequence, session);

	secret_wipe(&chain, sizeof(chain));
	*engine = cold->session.path == CRYPTO_SYNC ? ESP_RTE_IPSEC_SYNC : ESP_RTE_IPSEC_QUEUE;
	if (rc)
		sa_rte_destroy(cold);
	return rc;
}

void sa_rte_destroy(struct sa_cold *cold)
{
	if (cold->rte_sa) {
		rte_ipsec_sa_fini(cold->rte_sa); /* wipes it */
		rte_free(cold->rte_sa);
		cold->rte_sa = NULL;
	}
	crypto_session_destroy(cold->crypto, &cold->session);
}
