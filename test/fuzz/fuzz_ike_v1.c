/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two IKEv1 engines, and an input that says what happens to them: datagrams from anywhere, phase 1 in clear on the
 * cookies of the day, and messages of a peer that has the keys: proofs with anything beside them, quick modes and
 * informational exchanges with a HASH that holds over whatever payloads. Whatever comes, both engines must stand, and
 * give back every SPI and Child SA when they end.
 */

#include <stdlib.h>
#include <string.h>

#include "ike/engine.h"
#include "ike/v1/v1.h"
#include "ike_world.h"

enum step_kind {
	STEP_RAW,   /* a datagram as it is */
	STEP_CLEAR, /* payloads in clear, on the SPIs of the youngest SA */
	STEP_PROOF, /* ID and HASH of phase 1, and these payloads behind them */
	STEP_QUICK, /* first message of a quick mode */
	STEP_QUICK_2,
	STEP_QUICK_3,
	STEP_INFORMATIONAL,
	STEP_DELIVER, /* what is on the wire arrives */
	STEP_LOSE,    /* it does not */
	STEP_COMMAND,
	STEP_OTHER, /* XAUTH and Mode-Config, or New Group */
	STEP_KINDS,
};

static uint8_t mem[IKE_MESSAGE_MAX];
static uint32_t message_id;

static void post(struct world *w, unsigned side, struct ike_packet *p)
{
	world_inject(w, side, p->bytes, p->len);
	free(p);
}

/* Payloads of the input: type, length (2 bytes), body. */
static void put(struct ike_chain *c, const uint8_t *bytes, size_t len)
{
	struct wire in = wire_of(bytes, len);

	while (wire_left(&in) > 0) {
		uint8_t type = wire_u8(&in);
		size_t body_len = wire_u16(&in);

		if (body_len > wire_left(&in))
			body_len = wire_left(&in);
		ike_chain_put(c, type, wire_bytes(&in, body_len), body_len);
	}
}

static void send_clear(
    struct world *w, unsigned side, uint8_t which, const uint8_t *bytes, size_t len)
{
	static const uint8_t exchanges[] = {
	    EXCHANGE_V1_MAIN, EXCHANGE_V1_AGGRESSIVE, EXCHANGE_V1_INFORMATIONAL, EXCHANGE_V1_QUICK};
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	uint64_t spi_i = 0x1122334455667788, spi_r = 0x99;
	struct ike_sa *sa;

	list_for (sa, &w->end[!side].engine->sas, node) {
		spi_i = sa->spi_i;
		spi_r = sa->spi_r;
	}
	put(&c, bytes, len);
	post(w, side,
	    v1_plain(
		spi_i, which & 4 ? 0 : spi_r, exchanges[which & 3], which & 8 ? which : 0, &c));
}

/* The last message of phase 1 that this side has to send. A responder of main mode derives its keys when that has come. */
static void send_proof(struct world *w, unsigned side, const uint8_t *bytes, size_t len)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_sa *sa = NULL, *each;
	uint8_t iv[V1_IV_MAX];
	bool aggressive;

	list_for (each, &w->end[side].engine->sas, node)
		if (each->setup && each->v1->keys.prf != AUTH_NONE &&
		    (each->v1->step == V1_MM4_SENT || each->v1->step == V1_MM5_SENT ||
			each->v1->step == V1_AM2_SENT))
			sa = each;
	if (!sa)
		return;
	aggressive = sa->v1->step == V1_AM2_SENT;
	v1_put_id_and_proof(
	    sa, ike_engine_find_tunnel(w->end[side].engine, TUNNEL), &c, !aggressive);
	put(&c, bytes, len);
	memcpy(iv, sa->v1->iv, sizeof(iv));
	post(w, side,
	    v1_seal(sa, aggressive ? EXCHANGE_V1_AGGRESSIVE : EXCHANGE_V1_MAIN, 0, iv, &c));
}

/* An SA of the side that is up, and the same at the other end. */
static struct ike_sa *up(struct world *w, unsigned side, struct ike_sa **other)
{
	struct ike_sa *sa = world_sa(w, side);

	if (!sa || sa->v1->step != V1_DONE)
		return NULL;
	*other = world_other(w, side, sa);
	return *other && (*other)->v1->step == V1_DONE ? sa : NULL;
}

/* A message that begins an exchange; its HASH holds. */
static void send_first(
    struct world *w, unsigned side, uint8_t exchange, const uint8_t *bytes, size_t len)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_sa *other, *sa = up(w, side, &other);
	uint8_t iv[V1_IV_MAX];

	if (!sa)
		return;
	v1_chain_hash_begin(sa, &c);
	put(&c, bytes, len);
	v1_chain_hash_end(sa, &c, ++message_id, (struct ike_span){NULL, 0});
	v1_iv_later(&sa->v1->keys, sa->v1->iv, message_id, iv);
	post(w, side, v1_seal(sa, exchange, message_id, iv, &c));
}

/* The answer to a quick mode of the other side. */
static void send_second(struct world *w, unsigned side, const uint8_t *bytes, size_t len)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_sa *other, *sa = up(w, side, &other);
	uint8_t iv[V1_IV_MAX];
	uint32_t id;

	if (!sa)
		return;
	id = other->v1->message_id;
	v1_chain_hash_begin(sa, &c);
	put(&c, bytes, len);
	v1_chain_hash_end(
	    sa, &c, id, (struct ike_span){other->exchange.nonce, sizeof(other->exchange.nonce)});
	memcpy(iv, other->v1->exchange_iv, sizeof(iv));
	post(w, side, v1_seal(sa, EXCHANGE_V1_QUICK, id, iv, &c));
}

/* The last message of a quick mode that the other side has answered. */
static void send_third(struct world *w, unsigned side, const uint8_t *bytes, size_t len)
{
	struct ike_chain c = ike_chain_of(mem, sizeof(mem));
	struct ike_sa *other, *sa = up(w, side, &other);
	uint8_t iv[V1_IV_MAX], hash[IKE_DIGEST_MAX];
	struct v1_quick *q, *last = NULL;

	if (!sa)
		return;
	list_for (q, &other->v1->quicks, node)
		last = q;
	if (!last)
		return;
	v1_keys_hash3(&sa->v1->keys, last->message_id,
	    (struct ike_span){last->nonce_i, last->nonce_i_len},
	    (struct ike_span){last->nonce_r, sizeof(last->nonce_r)}, hash);
	ike_chain_put(&c, V1_PAYLOAD_HASH, hash, alg_auth(sa->v1->keys.prf)->digest_bytes);
	put(&c, bytes, len);
	memcpy(iv, last->iv, sizeof(iv));
	post(w, side, v1_seal(sa, EXCHANGE_V1_QUICK, last->message_id, iv, &c));
}

static void step(struct world *w, uint8_t kind, unsigned side, uint8_t *bytes, size_t len)
{
	switch (kind % STEP_KINDS) {
	case STEP_RAW:
		world_inject(w, side, bytes, len);
		break;
	case STEP_CLEAR:
		if (len > 0)
			send_clear(w, side, bytes[0], bytes + 1, len - 1);
		break;
	case STEP_PROOF:
		send_proof(w, side, bytes, len);
		break;
	case STEP_QUICK:
		send_first(w, side, EXCHANGE_V1_QUICK, bytes, len);
		break;
	case STEP_QUICK_2:
		send_second(w, side, bytes, len);
		break;
	case STEP_QUICK_3:
		send_third(w, side, bytes, len);
		break;
	case STEP_INFORMATIONAL:
		send_first(w, side, EXCHANGE_V1_INFORMATIONAL, bytes, len);
		break;
	case STEP_OTHER:
		if (len > 0)
			send_first(w, side,
			    bytes[0] & 1 ? EXCHANGE_V1_NEW_GROUP : EXCHANGE_V1_TRANSACTION,
			    bytes + 1, len - 1);
		break;
	case STEP_DELIVER:
		world_drain(w, true);
		break;
	case STEP_LOSE:
		world_drain(w, false);
		break;
	case STEP_COMMAND:
		world_command(w, side, bytes, len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_tunnel_config config = {
	    .version = IKE_V1,
	    .ike = {{ENCR_AES128, ENCR_3DES}, {AUTH_SHA256, AUTH_SHA1}, {DH_19, DH_1}, 2, 2, 2},
	    .esp = {{ENCR_AES128}, {AUTH_SHA256}, {DH_NONE, DH_19}, 1, 1, 2},
	    .ike_lifetime_s = 100,
	    .esp_lifetime_s = 60,
	    .dpd_interval_s = 10,
	    .dpd_timeout_s = 30,
	};
	struct wire in = wire_of(data, size);
	uint8_t how = wire_u8(&in);
	struct world w;

	message_id = 1000;
	config.v1_mode = how & 2 ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN;
	if (config.v1_mode == IKE_V1_AGGRESSIVE)
		config.ike.dh_count = 1;
	world_begin(&w, &config);
	if (how & 1)
		world_drain(&w, true); /* up before it begins */
	world_run(&w, &in, step);
	world_end(&w);
	return 0;
}
