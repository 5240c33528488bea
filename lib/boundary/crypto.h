/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_CRYPTO_H
#define BOUNDARY_CRYPTO_H

/*
 * Crypto devices. Control opens them before workers start and makes sessions; each worker has a queue pair of
 * its own (number = worker) on every device. AEAD sessions run synchronously in the worker (CPU crypto) where the device can, CBC with
 * HMAC through enqueue and dequeue: the synchronous path of AES-CBC would send the same IV in every packet.
 */

#include <rte_cryptodev.h>

#include "base/alg.h"
#include "boundary/epoch.h"

struct crypto;

enum crypto_path {
	CRYPTO_SYNC,  /* rte_cryptodev_sym_cpu_crypto_process() */
	CRYPTO_QUEUE, /* rte_cryptodev_enqueue_burst() / dequeue_burst() */
};

struct crypto_session {
	void *session; /* of rte_cryptodev 22.11: opaque */
	uint8_t dev;
	uint8_t path; /* enum crypto_path */
};

/* `backend`: "auto" (ipsec_mb, else openssl), "ipsec_mb", "openssl", or names of present devices with commas.
 * NULL with errno; *why then points to a static text. sessions: most at a time. */
struct crypto *crypto_open(const char *backend, unsigned workers, unsigned sessions, const char **why);
void crypto_close(struct crypto *c);
/* 0; -ENOTSUP when no open device does that algorithm; -ENOMEM. `xform` is the chain as rte_ipsec wants it. */
int crypto_session_create(struct crypto *c, enum alg_encr encr, enum alg_auth auth,
    struct rte_crypto_sym_xform *xform, struct crypto_session *out);
void crypto_session_destroy(struct crypto *c, struct crypto_session *s);
/* Pool of crypto operations for the enqueue path. */
struct rte_mempool *crypto_op_pool(const struct crypto *c);
/* Devices that have CRYPTO_QUEUE sessions: a worker dequeues from each of them. */
unsigned crypto_queue_devices(const struct crypto *c, uint8_t dev[], unsigned max);
/* For `show system`: "crypto_aesni_gcm0 (sync), crypto_aesni_mb0 (queue)". */
const char *crypto_describe(const struct crypto *c);

#endif
