/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V2_H
#define IKE_V2_H

/*
 * The exchanges of IKEv2 (RFC 7296), one file each:
 *
 *     init.c, init_responder.c    IKE_SA_INIT          auth.c, auth_responder.c   IKE_AUTH
 *     child_create.c              CREATE_CHILD_SA for a Child SA, new or by rekey
 *     ike_rekey.c                 CREATE_CHILD_SA for the IKE SA
 *     informational.c             INFORMATIONAL: delete, liveness
 *     child.c                     the terms of a Child SA, offered, answered, accepted
 *     receive.c                   what may come when; opens messages and hands them to the above
 */

#include "ike/child.h"
#include "ike/sa.h"
#include "ike/seal.h"

/* What can be the cause when the peer chooses none of our proposals for the IKE SA. */
#define IKE_PROPOSAL_FIELDS "ike.encryption, ike.authentication, ike.dh-group"

/* A message on its way through the handlers. */
struct v2_message {
	const struct ike_header *header;
	const struct ike_endpoint *local, *remote;
	const uint8_t *bytes; /* the datagram as it came */
	size_t len;
	const struct ike_payloads *payloads; /* inner ones, where they were protected */
	uint8_t digest[IKE_MESSAGE_DIGEST];  /* of a request */
};

void v2_receive(struct ike_engine *e, const struct ike_header *h, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len);

/* ---- building and sending (send.c) ---- */

/* An empty chain in the engine's buffer. One at a time. */
struct ike_chain v2_chain(struct ike_engine *e);
/* Sends a protected request; what the response needs is in sa->exchange. */
void v2_request(struct ike_sa *sa, uint8_t exchange, const struct ike_chain *c);
/* Answers a protected request. */
void v2_reply(struct ike_sa *sa, const struct v2_message *m, const struct ike_chain *c);
/* Answers it with nothing but a notify. */
void v2_reply_notify(
    struct ike_sa *sa, const struct v2_message *m, uint16_t notify, const void *data, size_t len);
/* The peer sent, authentically, what cannot be: tells it, and ends the IKE SA (RFC 7296 2.21.3). */
void v2_syntax_error(struct ike_sa *sa, const struct v2_message *m);
void v2_chain_nonce(struct ike_chain *c, const uint8_t *nonce, size_t len);
/* The nonce of a message; false when it is missing or of a length that RFC 7296 3.9 forbids. */
bool v2_nonce_read(const struct ike_payloads *p, struct ike_span *out);
/* The 16-bit body of INVALID_KE_PAYLOAD as a group of ours that `tried` does not hold; DH_NONE. */
enum alg_dh v2_other_group(
    const struct ike_notify *n, const struct ike_policy *policy, uint32_t tried);

/* ---- the exchanges ---- */

void v2_initiate(struct ike_tunnel *t);
void v2_init_request(struct ike_engine *e, const struct v2_message *m);
void v2_init_response(struct ike_sa *sa, const struct v2_message *m);

void v2_auth_send(struct ike_sa *sa);
/* The AUTH payload of our side; and the check of the peer's, by the key of sa->tunnel. */
void v2_auth_put(struct ike_sa *sa, struct ike_chain *c, struct ike_span id_body);
bool v2_auth_verify(
    const struct ike_sa *sa, const struct ike_payload *auth, struct ike_span id_body);
/* The method of an AUTH payload for the operator; NULL when it is a pre-shared key. */
#define V2_AUTH_METHOD_TEXT 40
const char *v2_auth_method(const struct ike_payload *auth, char buf[V2_AUTH_METHOD_TEXT]);
void v2_auth_request(struct ike_sa *sa, const struct v2_message *m);
void v2_auth_response(struct ike_sa *sa, const struct v2_message *m);

void v2_create_child_request(struct ike_sa *sa, const struct v2_message *m);
void v2_create_child_response(struct ike_sa *sa, const struct v2_message *m);

/* child_create.c */
void v2_child_begin(
    struct ike_sa *sa, struct ike_slot *slot, struct ike_child_sa *old, enum alg_dh group);
void v2_child_request(struct ike_sa *sa, const struct v2_message *m);
void v2_child_response(struct ike_sa *sa, const struct v2_message *m);

/* ike_rekey.c */
void v2_rekey_begin(struct ike_sa *sa, enum alg_dh group);
void v2_rekey_request(struct ike_sa *sa, const struct v2_message *m);
void v2_rekey_response(struct ike_sa *sa, const struct v2_message *m);
/* The peer closes `sa`, while its rekey waits for ours to end: its new IKE SA takes over. */
void v2_adopt_reserved(struct ike_sa *sa);

/* informational.c */
void v2_informational_request(struct ike_sa *sa, const struct v2_message *m);
void v2_informational_response(struct ike_sa *sa, const struct v2_message *m);
/* Does it carry a Delete payload for the IKE SA itself? */
bool v2_deletes_ike(const struct v2_message *m);
void v2_delete_ike(struct ike_sa *sa);
void v2_refuse(struct ike_sa *sa);
void v2_delete_child(struct ike_sa *sa, uint32_t spi_in);
void v2_disown_child(struct ike_sa *sa, uint32_t spi_in);
void v2_probe(struct ike_sa *sa);

/* ---- the terms of a Child SA (child.c) ---- */

struct v2_terms {
	bool in_auth;          /* in IKE_AUTH: no nonces, no KE of their own */
	bool initiator;        /* we began the exchange */
	bool rekey;            /* of a Child SA that these algorithms made, but for PFS */
	struct ike_slot *slot; /* as responder NULL: whichever the selectors meet */
	struct ike_span nonce_i, nonce_r;
	struct ike_dh *dh; /* ours as initiator; NULL without PFS */
};

/* As initiator: writes SA, [nonce, KE,] TSi, TSr for the slot. */
void v2_terms_offer(
    struct ike_sa *sa, const struct v2_terms *t, uint32_t spi_in, struct ike_chain *c);
/*
 * As responder: makes the Child SA that the message asks for and writes SA, [nonce, KE,] TSi, TSr. 0 and the
 * child, or the notify to send instead, with *group for INVALID_KE_PAYLOAD.
 */
uint16_t v2_terms_answer(struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t,
    struct ike_chain *c, struct ike_child_sa **child, enum alg_dh *group);
/*
 * As initiator: makes the Child SA that the response agrees to. NULL when the response is not what we
 * offered; the SPI is then given back, and the operator was told.
 */
struct ike_child_sa *v2_terms_accept(
    struct ike_sa *sa, const struct v2_message *m, const struct v2_terms *t, uint32_t spi_in);
/* Tells the operator why the peer refused the Child SA. */
void v2_terms_refused(struct ike_sa *sa, const struct v2_terms *t, uint16_t notify);

#endif
