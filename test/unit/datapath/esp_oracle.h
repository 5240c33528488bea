/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESP_ORACLE_H
#define ESP_ORACLE_H

/*
 * ESP packets made and taken apart by OpenSSL's libcrypto, after the RFCs: what the data path sends is opened here,
 * and what is sealed here the data path must open. It shares no code with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boundary/sa.h"

#define ORACLE_MAX 4096

struct oracle_trailer { /* all zero: as it should be */
	uint8_t next;   /* next header; 0: that of the SA's inner family */
	unsigned extra; /* more padding than is needed, a multiple of the block */
	bool zero_next; /* next header 0 */
	bool lie;       /* a pad length beyond the packet */
	int wrong_byte; /* 1-based place of a padding byte that is wrong; 0: none */
};

/*
 * ESP header, IV, ciphertext, ICV into `out` (ORACLE_MAX bytes). Returns how many. The IV is that of the
 * sequence number for an AEAD, else `iv`.
 */
size_t oracle_seal(const struct sa_spec *sa, uint64_t sequence, const uint8_t iv[16],
    const struct oracle_trailer *trailer, const void *inner, size_t len, uint8_t *out);

struct oracle_opened {
	uint32_t spi, sequence;
	uint8_t iv[16];
	uint8_t next, pad;
	bool padding_is_right;
	size_t len;
	uint8_t inner[ORACLE_MAX];
};
/* False when it is too short or its ICV does not hold. `high`: upper half of the sequence number with ESN. */
bool oracle_open(const struct sa_spec *sa, const uint8_t *esp, size_t len, uint32_t high,
    struct oracle_opened *out);

/* Raw CBC, for known answers: in place, whole blocks. */
void oracle_cbc(enum alg_encr encr, const uint8_t *key, const uint8_t *iv, bool encrypt,
    uint8_t *data, size_t len);

#endif
