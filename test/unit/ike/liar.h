/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIAR_H
#define LIAR_H

/*
 * A peer with valid keys that lies: it changes what an honest engine says on the way (sealed again under the
 * keys of the sender), or says by itself what no engine would.
 */

#include "pair.h"

enum liar_how {
	LIE_NOTHING,
	LIE_REPLACE, /* the payloads of that type have this body */
	LIE_DROP,
	LIE_FLIP,   /* the byte at `len` is changed by the bits of body[0] */
	LIE_RESIZE, /* the body is cut, or zeros are put behind it, to have `len` bytes */
	LIE_DOUBLE, /* each of that type comes twice */
	LIE_ADD,    /* one more behind all others */
	LIE_INSTEAD /* the only payload of the message */
};

struct liar_edit {
	enum liar_how how;
	uint8_t type;
	const void *body;
	size_t len;
	bool critical; /* of what is put in */
};

/* Changes one message, in clear or protected. */
void liar_change(struct pair *p, struct datagram *d, const struct liar_edit *edit);

/* From now on every message of that side, exchange and direction is changed; NULL: no more. */
void liar_arm(
    struct pair *p, unsigned from, uint8_t exchange, bool response, const struct liar_edit *edit);
/* What passed since then: messages of the armed kind; and of side 1 the first error notify of its last message. */
struct liar_seen {
	unsigned armed;    /* messages that were changed */
	unsigned requests; /* of the side that is lied to or answers, of the armed exchange */
	uint16_t notify;   /* of the last message of side 1, 0: no error; with its data */
	uint8_t data[64];
	size_t data_len;
};
extern struct liar_seen liar_seen;

/* Opens a message with the keys of its receiver. False: it is not authentic. */
bool liar_open(struct pair *p, const struct datagram *d, uint8_t *buffer, struct ike_payloads *out);

/* A protected message of which everything can be chosen. */
struct liar_message {
	uint8_t exchange, flags, version;
	uint32_t id;
	uint8_t first;          /* type of the first payload inside */
	uint8_t sk_flags;       /* second byte of the payload header of SK */
	uint16_t number, total; /* SKF when total or `fragment` is set */
	bool fragment;
	const uint8_t *text; /* payloads */
	size_t len;
	int pad;    /* value of the pad length byte, -1: the right one */
	size_t cut; /* bytes of text and padding left out: no whole block */
};
/* One with the values that side 0 would choose for its next request, of what the chain holds. */
struct liar_message liar_message(struct pair *p, uint8_t exchange, const struct ike_chain *c);
/* Writes it under the keys of that side; its length. */
size_t liar_seal(struct pair *p, unsigned side, const struct liar_message *m, uint8_t *out);
/* Hands it from side 0 to side 1. */
void liar_send(struct pair *p, const struct liar_message *m);
/*
 * Takes the last message of B for the answer to the request of that ID: its payloads, its first error notify.
 * The type of that, 0: there is none.
 */
uint16_t liar_answer(struct pair *p, uint32_t id);
extern struct ike_payloads liar_answered;
extern struct ike_notify liar_error;
/* Sends it and takes the answer, which is one datagram. */
uint16_t liar_ask(struct pair *p, const struct liar_message *m);
/* The same with the values that an honest message of that exchange would have. */
uint16_t liar_ask_with(struct pair *p, uint8_t exchange, const struct ike_chain *c);

/* A pair that is up, whose side 0 hears nothing that it did not ask; and its end. */
void liar_up(struct pair *p);
void liar_down(struct pair *p);

#endif
