/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The ceiling: intel-ipsec-mb called directly, and nothing else; no packet is framed, copied or counted.
 *
 *   cipher-bench ALGORITHM SIZE out|in [SECONDS]
 *
 * ALGORITHM as in the profiles of transitbench; SIZE: of a clear Ethernet frame, whose IP packet is encrypted. Prints
 * core cycles per packet, millions per second, and the bytes that are encrypted of each; of bursts of 64 packets that
 * stay in the cache, and the fastest burst counts. Core cycles as in transitbench.
 */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <intel-ipsec-mb.h>

#include "transitbench/clock.h"

#define BURST     64
#define ROOM      2048
#define FRAME_MIN 64
#define FRAME_MAX 1500
#define ETHERNET  14
#define TRAILER   2
#define ESP       8
#define BLOCK_MAX 64 /* of SHA1 and SHA-256 */

enum algorithm { AES128GCM, AES256GCM, AES128_SHA1, AES128_SHA256, DES3_SHA1, ALGORITHMS };

static const struct {
	const char *name;
	unsigned align; /* of what is encrypted */
	unsigned iv, icv;
	IMB_CIPHER_MODE cipher;
	IMB_HASH_ALG hash;
} algorithms[ALGORITHMS] = {
    [AES128GCM] = {"aes128gcm16", 4, 8, 16, IMB_CIPHER_GCM, IMB_AUTH_AES_GMAC},
    [AES256GCM] = {"aes256gcm16", 4, 8, 16, IMB_CIPHER_GCM, IMB_AUTH_AES_GMAC},
    [AES128_SHA1] = {"aes128-sha1", 16, 16, 12, IMB_CIPHER_CBC, IMB_AUTH_HMAC_SHA_1},
    [AES128_SHA256] = {"aes128-sha256", 16, 16, 16, IMB_CIPHER_CBC, IMB_AUTH_HMAC_SHA_256},
    [DES3_SHA1] = {"3des-sha1", 8, 8, 12, IMB_CIPHER_DES3, IMB_AUTH_HMAC_SHA_1},
};

struct work {
	enum algorithm algorithm;
	unsigned clear; /* bytes that are encrypted of a packet */
	bool in;
};

static uint8_t packet[BURST][ROOM] __attribute__((aligned(64)));
static uint8_t digest[BURST][64];
static struct gcm_key_data gcm;
static struct gcm_context_data context;
static uint32_t enc[60] __attribute__((aligned(16))), dec[60] __attribute__((aligned(16)));
static uint64_t des[IMB_DES_KEY_SCHED_SIZE / sizeof(uint64_t)] __attribute__((aligned(16)));
static const void *const des3[] = {des, des, des};
static uint8_t inner[BLOCK_MAX] __attribute__((aligned(16)));
static uint8_t outer[BLOCK_MAX] __attribute__((aligned(16)));
static IMB_JOB job[BURST];

/* TSC ticks in a second, from the kernel's clock since the start. */
static double ticks_per_second(uint64_t tsc, const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(rte_rdtsc() - tsc) /
	    ((double)(now.tv_sec - since->tv_sec) + (double)(now.tv_nsec - since->tv_nsec) / 1e9);
}

static void run_gcm(IMB_MGR *m, const struct work *w)
{
	static const uint8_t nonce[16] = {1};
	aes_gcm_enc_dec_t crypt = w->algorithm == AES128GCM
	    ? (w->in ? m->gcm128_dec : m->gcm128_enc)
	    : (w->in ? m->gcm256_dec : m->gcm256_enc);

	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *text = packet[i] + ESP + algorithms[w->algorithm].iv;

		crypt(&gcm, &context, text, text, w->clear, nonce, packet[i], ESP,
		    w->in ? digest[i] : text + w->clear, algorithms[w->algorithm].icv);
	}
}

static void fill_jobs(const struct work *w)
{
	const unsigned header = ESP + algorithms[w->algorithm].iv;

	for (unsigned i = 0; i < BURST; i++) {
		IMB_JOB *j = &job[i];

		memset(j, 0, sizeof(*j));
		j->enc_keys = w->algorithm == DES3_SHA1 ? (const void *)des3 : enc;
		j->dec_keys = w->algorithm == DES3_SHA1 ? (const void *)des3 : dec;
		j->key_len_in_bytes = w->algorithm == DES3_SHA1 ? 24 : 16;
		j->iv = packet[i] + ESP;
		j->iv_len_in_bytes = algorithms[w->algorithm].iv;
		j->src = packet[i];
		j->dst = packet[i] + header;
		j->cipher_start_src_offset_in_bytes = header;
		j->msg_len_to_cipher_in_bytes = w->clear;
		j->msg_len_to_hash_in_bytes = header + w->clear;
		j->u.HMAC._hashed_auth_key_xor_ipad = inner;
		j->u.HMAC._hashed_auth_key_xor_opad = outer;
		j->auth_tag_output = digest[i];
		j->auth_tag_output_len_in_bytes = algorithms[w->algorithm].icv;
		j->cipher_mode = algorithms[w->algorithm].cipher;
		j->hash_alg = algorithms[w->algorithm].hash;
		j->cipher_direction = w->in ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
		j->chain_order = w->in ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
	}
}

/* The library has bursts of AES and of HMACs, and jobs for the rest. */
static void run_chain(IMB_MGR *m, const struct work *w)
{
	IMB_CIPHER_DIRECTION direction = w->in ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;

	if (w->algorithm != DES3_SHA1) {
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
		    m, job, BURST, IMB_CIPHER_CBC, direction, IMB_KEY_128_BYTES);
		IMB_SUBMIT_HASH_BURST_NOCHECK(m, job, BURST, algorithms[w->algorithm].hash);
		return;
	}
	for (unsigned i = 0; i < BURST; i++) {
		*IMB_GET_NEXT_JOB(m) = job[i];
		IMB_SUBMIT_JOB_NOCHECK(m);
	}
	while (IMB_FLUSH_JOB(m))
		;
}

static void run(IMB_MGR *m, const struct work *w)
{
	if (w->algorithm <= AES256GCM)
		run_gcm(m, w);
	else
		run_chain(m, w);
}

static void prepare(IMB_MGR *m, const struct work *w)
{
	static const uint8_t key[BLOCK_MAX] = {1, 2, 3};

	if (w->algorithm == AES128GCM)
		IMB_AES128_GCM_PRE(m, key, &gcm);
	else
		IMB_AES256_GCM_PRE(m, key, &gcm);
	IMB_AES_KEYEXP_128(m, key, enc, dec);
	IMB_DES_KEYSCHED(m, des, key);
	if (w->algorithm == AES128_SHA256) {
		IMB_SHA256_ONE_BLOCK(m, key, inner);
		IMB_SHA256_ONE_BLOCK(m, key, outer);
	} else {
		IMB_SHA1_ONE_BLOCK(m, key, inner);
		IMB_SHA1_ONE_BLOCK(m, key, outer);
	}
	fill_jobs(w);
}

/* False: usage. */
static bool parse(int argc, char **argv, struct work *w, double *seconds)
{
	unsigned size = argc > 2 ? (unsigned)atoi(argv[2]) : 0, align;

	if (argc < 4 || argc > 5 || size < FRAME_MIN || size > FRAME_MAX)
		return false;
	while (w->algorithm < ALGORITHMS && strcmp(argv[1], algorithms[w->algorithm].name) != 0)
		w->algorithm++;
	if (w->algorithm == ALGORITHMS)
		return false;
	w->in = strcmp(argv[3], "in") == 0;
	*seconds = argc > 4 ? atof(argv[4]) : 0.2;
	align = algorithms[w->algorithm].align;
	w->clear = (size - ETHERNET + TRAILER + align - 1) / align * align;
	return (w->in || strcmp(argv[3], "out") == 0) && *seconds > 0;
}

static int usage(void)
{
	fprintf(stderr,
	    "usage: cipher-bench ALGORITHM SIZE out|in [SECONDS]\nSIZE: %u to %u. ALGORITHM:",
	    FRAME_MIN, FRAME_MAX);
	for (unsigned i = 0; i < ALGORITHMS; i++)
		fprintf(stderr, " %s", algorithms[i].name);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	double seconds, best = INFINITY, ratio = INFINITY;
	struct work w = {0};
	struct timespec since;
	uint64_t begin;
	clock_t until;
	IMB_MGR *m;

	if (!parse(argc, argv, &w, &seconds))
		return usage();
	m = alloc_mb_mgr(0);
	if (!m)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &since);
	begin = rte_rdtsc();
	init_mb_mgr_auto(m, NULL);
	prepare(m, &w);
	until = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
	while (clock() < until) {
		uint64_t start = rte_rdtsc();

		run(m, &w);
		best = fmin(best, (double)(rte_rdtsc() - start));
		ratio = fmin(ratio, ticks_per_cycle());
	}
	printf("%.1f cycles %.2f Mpps %u bytes\n", best / BURST / ratio,
	    BURST / best * ticks_per_second(begin, &since) / 1e6, w.clear);
	free_mb_mgr(m);
	return 0;
}
