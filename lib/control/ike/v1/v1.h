/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_V1_H
#define IKE_V1_V1_H

/*
 * IKEv1 with pre-shared keys (RFC 2407, 2408, 2409; 3947 NAT traversal, 3706 DPD), one file per exchange:
 *
 *     main.c, main_responder.c              main mode          aggressive.c, aggressive_responder.c
 *     quick.c, quick_responder.c,           quick mode         informational.c, dpd.c
 *     quick_wait.c, terms.c
 *     ending.c                              between phase 1 and what comes behind it
 *     receive.c                             what may come when; finds the SA and the exchange
 *     state.c                               what an SA keeps; the one place where its step changes
 *     succession.c, replace.c               phase 1 SAs that replace each other; Child SAs that do
 *
 * What differs from IKEv2: Child SAs do not end with their IKE SA, but move to the next one. There is no rekey
 * by name: a quick mode for selectors that have a Child SA replaces it. Deletes have no answer. Of our own
 * exchanges one is under way at a time, in the window of the SA (ike/window.h); those of the peer are told
 * apart by message ID. Repeated messages are known by their digest and get the bytes that they got before.
 */

#include "ike/child.h"
#include "ike/sa.h"
#include "ike/v1/fragment.h"
#include "ike/v1/keys.h"
#include "ike/v1/message.h"
#include "ike/v1/proposal.h"

/*  X(enumerator, state of the IKE SA): how far phase 1 is. Odd messages are the initiator's. */
#define V1_STEP_LIST(X)                                                                            \
	X(MM1_SENT, INIT_SENT)                                                                     \
	X(MM2_SENT, HALF_OPEN)                                                                     \
	X(MM3_SENT, INIT_SENT)                                                                     \
	X(MM4_SENT, HALF_OPEN)                                                                     \
	X(MM5_SENT, AUTH_SENT)                                                                     \
	X(AM1_SENT, INIT_SENT)                                                                     \
	X(AM2_SENT, HALF_OPEN)                                                                     \
	X(AM3_SENT, AUTH_SENT)                                                                     \
	X(DONE, ESTABLISHED)

enum v1_step {
#define X(name, state) V1_##name,
	V1_STEP_LIST(X)
#undef X
};

#define V1_ECHOES      16 /* received messages remembered */
#define V1_ID_BYTES    264
#define V1_ENDS_MAX    8 /* versions of the last message of phase 1, beside the first */
#define V1_GUESSES_MAX 8 /* last messages of phase 1 that prove nothing, for one SA */

/* A received message, and what it was answered with (NULL: nothing). */
struct v1_echo {
	bool used;
	uint8_t digest[IKE_MESSAGE_DIGEST];
	struct ike_packet *answer;
};

/*
 * A quick mode that the peer began, from its first message to its last; or a rekey of ours, from our last message to
 * when the peer can be relied on to have it: some install the new SA only then.
 */
struct v1_quick {
	struct list node;
	struct ike_sa *sa;
	uint32_t message_id;
	uint8_t iv[V1_IV_MAX];
	uint8_t nonce_i[IKE_NONCE_MAX], nonce_r[IKE_NONCE_BYTES];
	size_t nonce_i_len;
	uint32_t spi_in; /* of the Child SA made */
	uint64_t uses;   /* tunnel->uses when it began */
	bool ours;
	struct ike_packet *answer;
	struct timer timer; /* the answer goes out again */
	unsigned tries;
};

/* A way in which phase 1 may have ended. */
struct v1_end {
	uint8_t iv[V1_IV_MAX]; /* its last block */
	bool natt;             /* what that version of the last message says of NATs */
	struct ike_nat nat;
};

/* What an IKEv1 SA keeps beside struct ike_sa. */
struct v1_state {
	enum v1_step step; /* changed by v1_set_step() alone */
	unsigned vendors;  /* of the peer */
	bool confirmed;    /* the peer has shown that it got our last message of phase 1 */
	struct v1_keys keys;
	uint8_t iv[V1_IV_MAX]; /* the chain of phase 1; then its last block */
	/* Other ways in which phase 1 may have ended, until `confirmed`: see ending.c */
	struct v1_end end[V1_ENDS_MAX];
	unsigned end_count;
	struct ike_chain request;   /* what our exchange under way began with, until `confirmed` */
	uint8_t sent_iv[V1_IV_MAX]; /* MM5's last block: what the answer is decrypted with */
	uint32_t life_s;            /* as the peer offered or chose it; 0: not said */
	unsigned guesses;           /* messages that did not prove a key */
	bool ended;                 /* one of us has deleted it */

	/* until phase 1 is done */
	uint8_t ke_i[IKE_DH_PUBLIC_MAX], ke_r[IKE_DH_PUBLIC_MAX];
	uint8_t secret[IKE_DH_SECRET_MAX];
	size_t secret_len;
	size_t bytes_in, bytes_out; /* while the peer has proven nothing */

	struct v1_echo echo[V1_ECHOES];
	unsigned echoes;
	struct v1_fragments fragments;
	struct list quicks; /* of the peer */
	struct list goodbyes;
	uint32_t message_id; /* of our exchange under way */
	uint8_t exchange_iv[V1_IV_MAX];
	uint64_t uses;           /* tunnel->uses when our quick mode began */
	struct ike_packet *last; /* AM3, until confirmed */
	uint32_t dpd_sent;       /* sequence number of our R-U-THERE; counts up at each answer */
	uint32_t dpd_heard;      /* the peer's highest */
	bool dpd_any;            /* there was one */
};

/* A message on its way through the handlers. */
struct v1_message {
	const struct ike_header *header;
	const struct ike_endpoint *local, *remote;
	const uint8_t *bytes; /* the datagram, or what its fragments gave */
	size_t len;
	uint8_t digest[IKE_MESSAGE_DIGEST];
	struct v1_payloads p;       /* in clear, or of v1_open() */
	const uint8_t *plain;       /* where the chain begins */
	uint8_t next_iv[V1_IV_MAX]; /* after v1_open() */
};

void v1_receive(struct ike_engine *e, const struct ike_header *h, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len);

/* ---- state.c ---- */

/* Adds what IKEv1 keeps to a fresh SA. */
void v1_state_new(struct ike_sa *sa, enum v1_step step);
void v1_state_stop(struct ike_sa *sa);
void v1_state_free(struct ike_sa *sa);
void v1_set_step(struct ike_sa *sa, enum v1_step step);
/* Was this datagram seen? Then it is answered as before, within limits. */
bool v1_is_repeated(struct ike_sa *sa, const struct v1_message *m);
/* It was taken; `answer` (taken over, may be NULL) goes to whoever sends it again. */
void v1_remember(struct ike_sa *sa, const struct v1_message *m, struct ike_packet *answer);
/*
 * Sends an answer (taken over) to where the message came from, and remembers both. False: it would have been too much
 * for one who has proven nothing, and nothing was sent.
 */
bool v1_answer(struct ike_sa *sa, const struct v1_message *m, struct ike_packet *answer);
struct v1_transcript v1_transcript(const struct ike_sa *sa);
/* Both cookies, as a notify or a delete about the SA has them for its SPI. */
struct ike_span v1_cookies(const struct ike_sa *sa, uint8_t out[16]);
/*
 * Phase 1 is over: what nobody needs any more is wiped. As responder enough stays to answer its last message again,
 * until the peer has shown that it got the answer.
 */
void v1_forget_setup(struct ike_sa *sa);
/* Once for each code and attempt: what an unproven message says, for the operator. */
void v1_hint(struct ike_sa *sa, enum ike_error_code code, const char *field, const char *ours,
    const char *theirs);
/* Refuses, in clear, a message that made no state. Never longer than what it answers. */
void v1_refuse_plain(
    struct ike_engine *e, const struct v1_message *m, uint64_t spi_r, uint16_t notify);

/* ---- seal.c ---- */

struct ike_chain v1_chain(struct ike_engine *e);
/* Encrypts the chain; `iv` becomes the last block. The packet may be several fragments. */
struct ike_packet *v1_seal(struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
    uint8_t iv[V1_IV_MAX], const struct ike_chain *c);
/* The same in clear. */
struct ike_packet *v1_clear(struct ike_sa *sa, uint8_t exchange, const struct ike_chain *c);
/* Decrypts and parses into m->p, m->plain, m->next_iv. 0, or -EBADMSG when it makes no sense under that key. */
int v1_open(struct ike_engine *e, const struct v1_keys *k, const uint8_t iv[V1_IV_MAX],
    struct v1_message *m);
/* A chain that begins with a HASH payload; its value is put in at the end. */
void v1_chain_hash_begin(struct ike_sa *sa, struct ike_chain *c);
void v1_chain_hash_end(
    struct ike_sa *sa, struct ike_chain *c, uint32_t message_id, struct ike_span nonce);
/* HASH(1) or, with a nonce, HASH(2) of an opened message. */
bool v1_hash_holds(const struct ike_sa *sa, const struct v1_message *m, struct ike_span nonce);
/* Constant-time compare with the HASH payload. */
bool v1_hash_equals(const struct v1_payloads *p, const uint8_t *expected, size_t len);

/* ---- ending.c ---- */

/* Phase 1 may have ended this way as well: the first message that opens behind it tells. */
void v1_other_end(struct ike_sa *sa, const struct v1_end *end);
/* The peer sent something that only the keys of phase 1 can make. */
void v1_confirm(struct ike_sa *sa);
void v1_ending_free(struct ike_sa *sa);
uint32_t v1_new_message_id(struct ike_sa *sa);
/* A message that nobody answers: a chain with its HASH in place. */
void v1_send_first(
    struct ike_sa *sa, uint8_t exchange, uint32_t message_id, const struct ike_chain *c);
/* The same as a request in the window; and the versions of it that the window does not know, once more. */
void v1_exchange_send(
    struct ike_sa *sa, uint8_t exchange, uint32_t message_id, const struct ike_chain *c);
void v1_exchange_repeat(struct ike_sa *sa);
/* Before it goes out again: another message in its place. */
void v1_exchange_replace(struct ike_sa *sa, uint32_t message_id, const struct ike_chain *c);
/*
 * The first message of an exchange behind phase 1: opens it, checks it and its HASH(1). When that holds the peer was
 * heard: it has our last message of phase 1, and is where this one came from. False: counted, and nothing has changed.
 */
bool v1_open_first(struct ike_sa *sa, struct v1_message *m, enum v1_step_message which);
/* The same for the answer to our exchange under way, and HASH(2). */
bool v1_open_answer(
    struct ike_sa *sa, struct v1_message *m, enum v1_step_message which, struct ike_span nonce);

/* ---- phase 1, both modes (phase1.c) ---- */

/* Begins an SA as initiator; NULL at a limit. */
struct ike_sa *v1_begin(struct ike_tunnel *t, enum v1_step step);
/* One as responder with its tunnel still open. */
struct ike_sa *v1_answer_begin(struct ike_engine *e, const struct v1_message *m, enum v1_step step,
    const struct v1_suite *suite);
/* Vendor IDs: all of ours, or of those what the peer has as well. */
unsigned v1_vendors(const struct ike_tunnel *t);
/* The KE and nonce payloads of the peer into the transcript. False: they cannot be. */
bool v1_take_ke(struct ike_sa *sa, const struct v1_message *m);
void v1_put_ke(struct ike_sa *sa, struct ike_chain *c);
/* Our key pair and nonce. */
void v1_make_ke(struct ike_sa *sa);
bool v1_make_secret(struct ike_sa *sa);
void v1_derive(struct ike_sa *sa, const struct ike_tunnel *t);
void v1_put_id_and_proof(
    struct ike_sa *sa, const struct ike_tunnel *t, struct ike_chain *c, bool with_id);
/* Is the peer's HASH payload the proof of the keys in sa->v1->keys? */
bool v1_proof_holds(const struct ike_sa *sa, const struct v1_message *m, struct ike_span id_body);
/* Is there room for one more half-open SA? */
bool v1_has_room(struct ike_engine *e, const struct v1_message *m);
/* Tunnels of these addresses that negotiate this way and could have chosen this suite. */
struct ike_tunnel *v1_candidate(
    const struct ike_sa *sa, enum ike_v1_mode mode, struct ike_tunnel *previous);
/* The first tunnel that accepts a transform of the message; NULL after it was refused. */
struct ike_tunnel *v1_choose_tunnel(struct ike_engine *e, const struct v1_message *m,
    enum ike_v1_mode mode, enum alg_dh group, struct v1_suite *suite);
/* None of the tunnels of these addresses speaks IKEv1, or none in this mode: tells the operator. */
void v1_report_kind(struct ike_engine *e, const struct v1_message *m, enum ike_v1_mode mode);
/* No other IKE SA with this peer: whatever it still has from before is dead. */
bool v1_is_first_contact(const struct ike_sa *sa);
void v1_put_initial_contact(struct ike_sa *sa, struct ike_chain *c);
/* The peer is authenticated and everything else agreed. */
void v1_phase1_done(struct ike_sa *sa, const struct v1_message *m);
/* An attempt of ours is over, and the peer's proof was wrong. */
void v1_reject_peer(struct ike_sa *sa, enum ike_error_code code, const char *field,
    const char *ours, const char *theirs);
/* An unprotected notify of phase 1: a hint, never more. */
void v1_phase1_notify(struct ike_sa *sa, struct v1_message *m);

/* ---- exchanges ---- */

void v1_initiate(struct ike_tunnel *t);
void v1_main_begin(struct ike_tunnel *t);
void v1_main_on_2(struct ike_sa *sa, struct v1_message *m);
void v1_main_on_4(struct ike_sa *sa, struct v1_message *m);
void v1_main_on_6(struct ike_sa *sa, struct v1_message *m);
void v1_main_on_1(struct ike_engine *e, struct v1_message *m);
void v1_main_on_3(struct ike_sa *sa, struct v1_message *m);
void v1_main_on_5(struct ike_sa *sa, struct v1_message *m);
/* The last message once more, with other bytes: behind the proof stands what it does not cover. */
void v1_main_on_5_again(struct ike_sa *sa, struct v1_message *m);
void v1_main_on_6_again(struct ike_sa *sa, struct v1_message *m);
void v1_aggressive_begin(struct ike_tunnel *t);
void v1_aggressive_on_2(struct ike_sa *sa, struct v1_message *m);
void v1_aggressive_on_1(struct ike_engine *e, struct v1_message *m);
void v1_aggressive_on_3(struct ike_sa *sa, struct v1_message *m);
void v1_aggressive_on_3_again(struct ike_sa *sa, struct v1_message *m);

/* quick.c: as initiator */
void v1_quick_begin(struct ike_sa *sa, struct ike_slot *slot, struct ike_child_sa *old);
void v1_quick_on_2(struct ike_sa *sa, struct v1_message *m);
/* When a rekey is begun again: what is left of the old SA's life has room for that and for one more behind it. */
int64_t v1_quick_retry_ns(const struct ike_child_sa *old, struct mono now);
/* It cannot end any more: the slot is tried again. */
void v1_quick_abandon(struct ike_sa *sa);
/* The peer refused it, or never answered: tells the operator, and sets the time of the next attempt. */
void v1_quick_refused(struct ike_sa *sa, uint16_t notify);
void v1_quick_unanswered(struct ike_sa *sa);
/* quick_responder.c */
void v1_quick_message(struct ike_sa *sa, struct v1_message *m);

/* quick_wait.c: one of the peer, from its first message on; those of the peer by message ID (NULL); how many wait */
struct v1_quick *v1_quick_new(
    struct ike_sa *sa, const struct v1_message *m, struct ike_span nonce_i);
void v1_quick_free(struct v1_quick *q);
struct v1_quick *v1_quick_find(const struct ike_sa *sa, uint32_t message_id);
unsigned v1_quick_count(const struct ike_sa *sa);
/* Its answer went out `tries` times, and goes out again unless the peer shows that it has it. */
void v1_quick_wait(struct v1_quick *q);
/* The new SA of ours waits a moment for a packet of the peer on it before it carries ours. */
void v1_quick_await(struct ike_sa *sa, const struct ike_child_sa *child);
/* The peer has the new SA: nothing stands in the way of using it. */
void v1_quick_complete(struct v1_quick *q);
/* The peer begins anew: it may mean to replace what waits, which therefore counts as there. */
void v1_quick_complete_ours(const struct ike_tunnel *t);
/* They cannot end any more: what they made goes, and `via`, if there is one, tells the peer. */
void v1_quick_drop(struct ike_sa *sa, struct ike_sa *via);

/*
 * goodbye.c: the Child SA was the last one of its slot, or lost against one that was made at the same time: its delete is
 * said again.
 */
void v1_goodbye_repeat(
    struct ike_sa *sa, const struct ike_slot *slot, uint32_t spi_in, bool contested);
void v1_goodbye_move(struct ike_sa *from, struct ike_sa *to);
void v1_goodbye_stop(struct ike_sa *sa);

void v1_informational(struct ike_sa *sa, struct v1_message *m);
/* A protected message of one payload that nobody answers. */
void v1_send_notify(
    struct ike_sa *sa, uint8_t protocol, struct ike_span spi, uint16_t type, struct ike_span data);
/* An error as the answer to a message, said again when that one is repeated: a peer that hears nothing takes us for dead. */
void v1_answer_notify(
    struct ike_sa *sa, const struct v1_message *m, uint8_t protocol, uint16_t type);
/* What message 2 of aggressive mode, in clear, cannot say: INITIAL-CONTACT, RESPONDER-LIFETIME. */
void v1_send_rest(struct ike_sa *sa, bool first_contact);
void v1_send_delete_child(struct ike_sa *sa, uint32_t spi_in);
void v1_send_delete_ike(struct ike_sa *sa);
/* What we do not speak: XAUTH and Mode-Config, New Group. */
void v1_refuse_exchange(struct ike_sa *sa, struct v1_message *m);

/* dpd.c */
void v1_probe(struct ike_sa *sa);
/* The R-U-THERE under way once more, as a message of its own. */
void v1_probe_again(struct ike_sa *sa);
void v1_on_r_u_there(struct ike_sa *sa, const struct v1_message *m, const struct v1_notify *n);
void v1_on_ack(struct ike_sa *sa, const struct v1_notify *n);

/* natt.c */
void v1_natd_put(struct ike_sa *sa, const struct ike_tunnel *t, struct ike_chain *c,
    const struct ike_endpoint *local, const struct ike_endpoint *remote);
/* What the peer's hashes say, into the SA; and what they would say. */
void v1_natd_check(struct ike_sa *sa, const struct ike_tunnel *t, const struct v1_message *m);
void v1_natd_read(const struct ike_sa *sa, const struct ike_tunnel *t, const struct v1_message *m,
    bool *natt, struct ike_nat *nat);
/* As initiator: on to port 4500 when that is needed. */
void v1_float(struct ike_sa *sa);
uint16_t v1_tunnel_mode(const struct ike_sa *sa);

/* ---- the terms of a Child SA (terms.c) ---- */

struct v1_terms {
	struct ike_slot *slot;
	struct ike_span nonce_i, nonce_r;
	bool initiator; /* we began the exchange */
};
/* Selectors as ID payloads, and back. */
void v1_selector_put(struct ike_chain *c, const struct ike_selector *s);
int v1_selector_read(const struct ike_payload *p, struct ike_selector *out);
/* Both selectors of a quick mode; without ID payloads they are the peers' own addresses. 0 or -EBADMSG. */
int v1_selectors_read(
    const struct ike_sa *sa, const struct v1_message *m, bool initiator, struct ike_ts_pair *out);
/* Keys, the object, the inbound SA. `secret` is empty without PFS. NULL: the SPI was given back. */
struct ike_child_sa *v1_child_make(struct ike_sa *sa, const struct v1_terms *t,
    const struct v1_suite *suite, uint32_t spi_in, struct ike_span secret,
    const struct ike_ts_pair *ts);
void v1_report_selectors(
    struct ike_tunnel *t, const struct ike_slot *slot, const struct ike_ts_pair *theirs);
uint32_t v1_spi_read(const uint8_t spi[4]);
struct ike_span v1_spi_span(uint8_t buf[4], uint32_t spi);

/* ---- lifetime.c ---- */

/* The shorter of two lifetimes, of which 0 is none, but not below what can be kept. */
uint32_t v1_shorter(uint32_t ours_s, uint32_t theirs_s);
/* Kilobytes that a peer named, as bytes, not below what can be kept; 0 is none. */
uint64_t v1_lifetime_bytes(uint64_t kb);
/* What we keep a Child SA for. */
struct v1_lifetime v1_child_lifetime(const struct ike_tunnel *t);
/* RESPONDER-LIFETIME where we keep an SA for less time than was offered: phase 1, and quick mode. */
void v1_put_responder_lifetime(struct ike_sa *sa, struct ike_chain *c);
void v1_quick_put_lifetime(
    struct ike_sa *sa, struct ike_chain *c, const struct v1_suite *suite, uint32_t spi_in);
/* What the peer offered, chose or added: for the IKE SA, and into what a Child SA is made by. */
void v1_ike_take_lifetime(struct ike_sa *sa, const struct v1_message *m);
void v1_quick_take_lifetime(struct v1_suite *suite, const struct v1_message *m);
/* In a message of its own, for an SA that is there. */
void v1_on_responder_lifetime(struct ike_sa *sa, const struct v1_notify *n);

/* ---- what replaces what ---- */

/* replace.c: a quick mode is complete on both sides. `ours`: we began it; `uses`: tunnel->uses at its beginning. */
void v1_child_settle(struct ike_child_sa *c, bool ours, uint64_t uses);
/* A Child SA went away: the one it had replaced, if that is still there, is in use again. */
void v1_child_fall_back(struct ike_tunnel *t, const struct ike_child_sa *gone);
/* On whichever IKE SA of the tunnel it is; NULL. */
struct ike_child_sa *v1_child_find(const struct ike_tunnel *t, uint32_t spi_in);
struct ike_child_sa *v1_child_find_out(const struct ike_tunnel *t, uint32_t spi_out);
/* Our end of one: delete, and a while for late packets. */
void v1_child_delete(struct ike_sa *sa, uint32_t spi_in);
/* A deleted one is still being received on: the peer did not get our delete. True: keep it a while. */
bool v1_child_linger(struct ike_child_sa *c);
/* succession.c: all Child SAs of the tunnel come to live on this one. */
void v1_gather_children(struct ike_sa *sa);
/* The latest SA of the tunnel beside this one; NULL */
struct ike_sa *v1_successor(const struct ike_sa *sa);
/* After phase 1. */
void v1_succeed(struct ike_sa *sa);
/* It says that it knows no other SA of ours: before that is acted upon. */
void v1_contradict(struct ike_sa *sa);
/* The peer knows no other SA of ours. */
void v1_initial_contact(struct ike_sa *sa);
void v1_ike_end(struct ike_sa *sa, bool tell, enum ike_error_code reason);
/* The clock of an SA has run out. False: not our business. */
bool v1_lapse(struct ike_sa *sa);

#endif
