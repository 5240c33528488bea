/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_SEQUENCES_H
#define ROUTER_SEQUENCES_H

/*
 * Which sequence numbers of manual keys may have been used, by this process or an earlier one. The nonce of an AEAD
 * is the key's salt and the sequence number (RFC 4106 3.1), so that a key must never meet a number twice, also not
 * after `kill -9`; and a peer drops numbers that its replay window has seen. Numbers are therefore reserved in a
 * state file (base/state.h) before the first of them is sent, a range at a time.
 *
 * Of a key the file holds a hash. Control lcore only.
 */

#include <stdint.h>

#include "conf/conf.h"

#define SEQUENCE_KEY_BYTES 16

struct sequence_key {
	uint8_t id[SEQUENCE_KEY_BYTES];
};

/* AEADs: by the key alone, wherever it is used. Others make their IVs differently: by key and SPI. */
void sequence_key_of(const struct conf_manual_sa *sa, bool aead, struct sequence_key *out);

struct sequences;

/*
 * 0; -EBADMSG: the file is not what was written, so that nobody knows which numbers were used; or another -errno.
 * A directory or file that is missing knows of no key.
 */
int sequences_open(const char *state_dir, struct sequences **out);
void sequences_free(struct sequences *s);

/* Numbers from here on were never reserved; 1 for a key that was never seen. */
uint64_t sequences_unused(const struct sequences *s, const struct sequence_key *key);
/* Numbers below `next` are reserved; in memory. Smaller than before gives back what was certainly not used. */
void sequences_reserve(struct sequences *s, const struct sequence_key *key, uint64_t next);
/* On the disk when it returns 0; else -errno, and nothing that was reserved since may be used. */
int sequences_store(struct sequences *s);

#endif
