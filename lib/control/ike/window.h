/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_WINDOW_H
#define IKE_WINDOW_H

/*
 * Message IDs, retransmission and repeated responses (RFC 7296 2.1 - 2.3), for a window of one: one request of
 * ours is under way at most; of the peer's requests the next one is served, and the last one is answered
 * again with the same bytes.
 */

#include "base/timer.h"
#include "ike/message.h"

struct ike_sa;

#define IKE_MESSAGE_DIGEST 32

/* Tells datagrams apart: SHA-256. */
void ike_message_digest(const uint8_t *bytes, size_t len, uint8_t out[IKE_MESSAGE_DIGEST]);

/* A message as it goes out: one datagram, or fragments one behind the other, each with its header. */
struct ike_packet {
	size_t len;
	uint8_t bytes[];
};
struct ike_packet *ike_packet_new(size_t len);

struct ike_window {
	/* our requests */
	uint32_t next_id;
	struct ike_packet *request; /* under way, or NULL */
	uint8_t exchange;           /* of it */
	unsigned tries;
	struct mono first_sent;
	struct timer timer;

	/* the peer's */
	uint32_t expected_id;
	struct ike_packet *response;          /* to expected_id - 1, or NULL */
	uint8_t answered[IKE_MESSAGE_DIGEST]; /* the request that it answers */
};

enum ike_window_verdict {
	IKE_WINDOW_REQUEST, /* the next request of the peer */
	IKE_WINDOW_REPEATED, /* one that was answered already: the response was sent again, or it is not it */
	IKE_WINDOW_RESPONSE, /* the response that we wait for */
	IKE_WINDOW_STRAY,    /* nothing that belongs to the window */
};

void ike_window_init(struct ike_window *w);
void ike_window_fini(struct ike_sa *sa);
static inline bool ike_window_busy(const struct ike_window *w)
{
	return w->request != NULL;
}

/* Where a received message stands. Changes nothing. */
enum ike_window_verdict ike_window_judge(const struct ike_window *w, const struct ike_header *h);
/* Sends a request with the ID w->next_id; takes the packet over. The window must be free. */
void ike_window_send(struct ike_sa *sa, uint8_t exchange, struct ike_packet *request);
/* Replaces the request under way by another one of the same ID (IKE_SA_INIT with a cookie). */
void ike_window_replace(struct ike_sa *sa, struct ike_packet *request);
/* The response has come: the window is free. */
void ike_window_answered(struct ike_sa *sa);
/* Forgets the request under way; its ID counts as used. */
void ike_window_abandon(struct ike_sa *sa);

/*
 * Answers the peer's request expected_id, whose datagram (or first fragment) has that digest: keeps the
 * response for repetitions and sends it to where the request came from. Takes the packet over.
 */
void ike_window_respond(struct ike_sa *sa, const uint8_t digest[IKE_MESSAGE_DIGEST],
    struct ike_packet *response, const struct ike_endpoint *local,
    const struct ike_endpoint *remote);
/* Sends the kept response again when the datagram is the very same as before. */
void ike_window_repeat(struct ike_sa *sa, const uint8_t digest[IKE_MESSAGE_DIGEST],
    const struct ike_endpoint *local, const struct ike_endpoint *remote);

/* All datagrams of a packet. */
void ike_packet_send(struct ike_engine *e, const struct ike_packet *p,
    const struct ike_endpoint *local, const struct ike_endpoint *remote);

#endif
