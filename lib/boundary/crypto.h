/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_CRYPTO_H
#define BOUNDARY_CRYPTO_H

/*
 * Who does the crypto: intel-ipsec-mb called directly (boundary/mb.h), or crypto devices of DPDK.
 *
 * Control opens devices before workers start and makes sessions; each worker has a queue pair of
 * its own (number = worker) on every device. AEAD sessions run synchronously in the worker (CPU crypto) where
 * the device can, CBC with HMAC through enqueue and dequeue: rte_ipsec's synchronous path would send the same
 * CBC IV in every packet.
 */

#include <stdbool.h>

#include <rte_cryptodev.h>

#include "base/alg.h"
#include "boundary/epoch.h"

struct crypto;
struct mb;

enum crypto_path {
	CRYPTO_SYNC,  /* rte_cryptodev_sym_cpu_crypto_process() */
	CRYPTO_QUEUE, /* rte_cryptodev_enqueue_burst() / dequeue_burst() */
};

struct crypto_session {
	void *session; /* of rte_cryptodev 22.11: opaque */
	uint8_t dev;
	uint8_t path; /* enum crypto_path */
};

/* Behind each operation of crypto_op_pool(): room for an IV, at this offset from its start. */
#define CRYPTO_IV_OFFSET (sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op))
#define CRYPTO_IV_MAX    16

/*
 * `backend`: "auto" or "ipsec-mb" (the library itself), "cryptodev" (the same library behind DPDK's devices),
 * "openssl" (a device too), or names of present devices with commas, in order of preference. NULL with errno; *why
 * then points to a static text. sessions: most at a time, of devices.
 */
struct crypto *crypto_open(
    const char *backend, unsigned workers, unsigned sessions, const char **why);
void crypto_close(struct crypto *c);
/* intel-ipsec-mb, which then does everything; NULL when devices do. */
struct mb *crypto_mb(const struct crypto *c);
/*
 * 0; -ENOTSUP when no open device does every algorithm of the chain with those sizes; -ENOMEM when the pool of
 * sessions is empty. `xform` is the chain as rte_ipsec wants it; keys are copied.
 */
int crypto_session_create(
    struct crypto *c, struct rte_crypto_sym_xform *xform, struct crypto_session *out);
/* Wipes the keys. Nothing of the session may be in a queue. */
void crypto_session_destroy(struct crypto *c, struct crypto_session *s);
/* Pool of crypto operations for the enqueue path; NULL without devices. */
struct rte_mempool *crypto_op_pool(const struct crypto *c);
/* Devices that may have CRYPTO_QUEUE sessions: a worker dequeues from each of them. */
unsigned crypto_queue_devices(const struct crypto *c, uint8_t dev[], unsigned max);
/* Does that device work on the lcore that dequeues, so that an empty dequeue means an empty device? */
bool crypto_is_software(const struct crypto *c, uint8_t dev);
/* Worker, on its own lcore before its first packet: lets drivers allocate what they keep per thread. */
void crypto_warm_up(const struct crypto *c);
/* For `show system`: "ipsec-mb 1.3.0, AVX512", or "crypto_aesni_gcm0 (sync), crypto_aesni_mb0 (queue)". */
const char *crypto_describe(const struct crypto *c);

#endif
