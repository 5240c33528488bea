/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The ceiling: intel-ipsec-mb called directly, and nothing else; no packet is framed, copied or counted.
 *
 *   cipher-bench ALGORITHM SIZE out|in [SECONDS]
 *
 * ALGORITHM: aes128gcm16, aes128-sha1; SIZE: of a clear Ethernet frame, whose IP packet is encrypted. Prints core cycles
 * per packet and millions per second, of bursts of 64 packets that stay in the cache; the fastest burst counts. Core
 * cycles as in transitbench: a loop of dependent multiplications.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <intel-ipsec-mb.h>
#include <rte_cycles.h>

#define BURST    64
#define ROOM     2048
#define ETHERNET 14
#define TRAILER  2
#define HEADER   24 /* ESP and IV of AES-CBC */
#define MULTIPLY 3  /* cycles */

static uint8_t packet[BURST][ROOM] __attribute__((aligned(64)));
static uint8_t digest[BURST][64];
static struct gcm_key_data gcm;
static struct gcm_context_data context;
static uint32_t enc[60] __attribute__((aligned(16))), dec[60] __attribute__((aligned(16)));
static uint8_t inner[64] __attribute__((aligned(16))), outer[64] __attribute__((aligned(16)));
static IMB_JOB job[BURST];

static double ticks_per_cycle(void)
{
	const unsigned n = 4000;
	uint64_t x = 3, start = rte_rdtsc();

	for (unsigned i = 0; i < n; i++)
		__asm__ volatile("imul %0, %0" : "+r"(x));
	return (double)(rte_rdtsc() - start) / (n * MULTIPLY);
}

/* TSC ticks in a second, from the kernel's clock since the start. */
static double ticks_per_second(uint64_t tsc, const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(rte_rdtsc() - tsc) /
	    ((double)(now.tv_sec - since->tv_sec) + (double)(now.tv_nsec - since->tv_nsec) / 1e9);
}

static void run_gcm(IMB_MGR *m, unsigned bytes, int in)
{
	static const uint8_t nonce[16] = {1};
	unsigned clear = (bytes + TRAILER + 3) & ~3u;

	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *text = packet[i] + 16;

		if (in)
			IMB_AES128_GCM_DEC(m, &gcm, &context, text, text, clear, nonce, packet[i],
			    8, digest[i], 16);
		else
			IMB_AES128_GCM_ENC(m, &gcm, &context, text, text, clear, nonce, packet[i],
			    8, text + clear, 16);
	}
}

static void fill_jobs(unsigned bytes, int in)
{
	unsigned clear = (bytes + TRAILER + 15) & ~15u;

	for (unsigned i = 0; i < BURST; i++) {
		IMB_JOB *j = &job[i];

		memset(j, 0, sizeof(*j));
		j->enc_keys = enc;
		j->dec_keys = dec;
		j->key_len_in_bytes = 16;
		j->iv = packet[i] + 8;
		j->iv_len_in_bytes = 16;
		j->src = packet[i];
		j->dst = packet[i] + HEADER;
		j->cipher_start_src_offset_in_bytes = HEADER;
		j->msg_len_to_cipher_in_bytes = clear;
		j->msg_len_to_hash_in_bytes = HEADER + clear;
		j->u.HMAC._hashed_auth_key_xor_ipad = inner;
		j->u.HMAC._hashed_auth_key_xor_opad = outer;
		j->auth_tag_output = digest[i];
		j->auth_tag_output_len_in_bytes = 12;
		j->cipher_mode = IMB_CIPHER_CBC;
		j->hash_alg = IMB_AUTH_HMAC_SHA_1;
		j->cipher_direction = in ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
		j->chain_order = in ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
	}
}

static void run_chain(IMB_MGR *m, int in)
{
	IMB_CIPHER_DIRECTION direction = in ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;

	IMB_SUBMIT_CIPHER_BURST_NOCHECK(
	    m, job, BURST, IMB_CIPHER_CBC, direction, IMB_KEY_128_BYTES);
	IMB_SUBMIT_HASH_BURST_NOCHECK(m, job, BURST, IMB_AUTH_HMAC_SHA_1);
}

static void prepare(IMB_MGR *m)
{
	static const uint8_t key[64] = {1, 2, 3};

	IMB_AES128_GCM_PRE(m, key, &gcm);
	IMB_AES_KEYEXP_128(m, key, enc, dec);
	IMB_SHA1_ONE_BLOCK(m, key, inner);
	IMB_SHA1_ONE_BLOCK(m, key, outer);
}

int main(int argc, char **argv)
{
	unsigned bytes = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	int chain = argc > 1 && strcmp(argv[1], "aes128-sha1") == 0;
	int in = argc > 3 && strcmp(argv[3], "in") == 0;
	double seconds = argc > 4 ? atof(argv[4]) : 0.2, best = INFINITY, ratio = INFINITY;
	IMB_MGR *m = alloc_mb_mgr(0);
	uint64_t begin;
	struct timespec since;
	clock_t until = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	if (!m || bytes < 64 || bytes > 1500) {
		fprintf(
		    stderr, "usage: cipher-bench aes128gcm16|aes128-sha1 SIZE out|in [SECONDS]\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &since);
	begin = rte_rdtsc();
	init_mb_mgr_auto(m, NULL);
	prepare(m);
	fill_jobs(bytes - ETHERNET, in);
	while (clock() < until) {
		uint64_t start = rte_rdtsc();

		if (chain)
			run_chain(m, in);
		else
			run_gcm(m, bytes - ETHERNET, in);
		best = fmin(best, (double)(rte_rdtsc() - start));
		ratio = fmin(ratio, ticks_per_cycle());
	}
	printf("%.1f cycles %.2f Mpps\n", best / BURST / ratio,
	    BURST / best * ticks_per_second(begin, &since) / 1e6);
	free_mb_mgr(m);
	return 0;
}
