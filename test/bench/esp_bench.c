/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Cycles per packet of esp_out() and esp_in(), alone: no port, no route lookup.
 *
 *   BENCH_CRYPTO=auto esp-bench [EAL options] -- [BURST [SECONDS [NAME]]]
 *
 * BENCH_CRYPTO is what crypto_open() takes: auto is intel-ipsec-mb called directly, cryptodev the same behind DPDK's
 * devices and rte_ipsec.
 *
 * A burst is encrypted and decrypted again in turns, with TSC reads around each stage; packets stay in the cache, as
 * they do behind a port with direct cache access. "crypto" is the device alone, on packets framed once, by the
 * same synchronous call: what framing adds is the difference. Core cycles: a loop of dependent multiplications,
 * 3 cycles each, tells how many TSC ticks a core cycle takes at that moment.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include "datapath/esp.h"
#include "drivers/buffers.h"
#include "transitbench/clock.h"

#define PACKETS    8191
#define MTU        1500
#define ROUNDS     64 /* there and back, in a piece */
#define PIECES_MAX 4096

struct bench {
	struct crypto *crypto;
	struct rte_mempool *pool;
	struct boundary *b;
	struct worker *w;
	struct sa_in *in[64];
	struct sa_out *out[64];
	uint32_t tunnel[64];
	unsigned tunnels;
	unsigned burst;
	double seconds;
};

struct profile {
	const char *name;
	enum alg_encr encr;
	enum alg_auth auth;
	unsigned bytes; /* of the inner packet */
	unsigned tunnels;
};

static const struct profile profiles[] = {
    {"gcm-64", ENCR_AES128GCM16, AUTH_NONE, 64, 1},
    {"gcm-256", ENCR_AES128GCM16, AUTH_NONE, 256, 1},
    {"gcm-1424", ENCR_AES128GCM16, AUTH_NONE, 1424, 1},
    {"gcm-64-16tunnels", ENCR_AES128GCM16, AUTH_NONE, 64, 16},
    {"cbc-sha1-64", ENCR_AES128, AUTH_SHA1, 64, 1},
    {"cbc-sha1-256", ENCR_AES128, AUTH_SHA1, 256, 1},
    {"cbc-sha1-1424", ENCR_AES128, AUTH_SHA1, 1424, 1},
    {"chacha20-64", ENCR_CHACHA20POLY1305, AUTH_NONE, 64, 1},
};

static void die(const char *what)
{
	fprintf(stderr, "esp-bench: %s\n", what);
	exit(1);
}

static void open_bench(struct bench *t)
{
	struct boundary_limits limits = {.workers = 1,
	    .ifaces = 8,
	    .neighbours = 8,
	    .nexthops = 8,
	    .tunnels = 128,
	    .sas = 128,
	    .slots = 128};
	const char *backend = getenv("BENCH_CRYPTO"), *why;

	t->crypto = crypto_open(backend ? backend : "auto", 1, 512, &why);
	if (!t->crypto)
		die(why);
	t->pool = packet_pool_create("bench", PACKETS, MTU, false, SOCKET_ID_ANY);
	t->b = t->pool ? boundary_create(&limits, t->crypto, t->pool) : NULL;
	t->w = t->b ? workers_create(t->b, false) : NULL;
	if (!t->w)
		die("no memory");
	printf("devices: %s\n", crypto_describe(t->crypto));
}

static void add_tunnel(struct bench *t, const struct profile *p, unsigned i)
{
	struct ip_prefix all = {.addr = ip_any(IP_V4)};
	struct sa_spec spec = {.spi = 0x1000 + i,
	    .slot = slot_alloc(&t->b->counters),
	    .inner_family = IP_V4,
	    .local = ip_v4(0xc0000201 + i),
	    .remote = ip_v4(0xc6336401 + i),
	    .encr = p->encr,
	    .auth = p->auth,
	    .underlay = 1,
	    .selector_count = 1};
	struct tunnel tunnel = {.slot = spec.slot, .state = TUNNEL_UP, .any = true, .out_count = 1};

	spec.tunnel = tunnel.index = t->tunnel[i] = tunnel_alloc(&t->b->tunnels);
	spec.selector[0] = (struct sa_selector){.local = ip_range_of_prefix(&all),
	    .remote = ip_range_of_prefix(&all),
	    .local_port_last = UINT16_MAX,
	    .remote_port_last = UINT16_MAX};
	memset(spec.encr_key, 0x11 + (int)i, sizeof(spec.encr_key));
	memset(spec.auth_key, 0x77 + (int)i, sizeof(spec.auth_key));
	t->out[i] = sa_out_create(t->b->sas, &spec);
	spec.remote = spec.local;
	spec.local = ip_v4(0xc6336401 + i);
	t->in[i] = sa_in_create(t->b->sas, &spec);
	if (!t->out[i] || !t->in[i])
		die("no such algorithm");
	tunnel.out[0].sa = t->out[i];
	tunnel_publish(&t->b->tunnels, &tunnel);
}

static void remove_tunnels(struct bench *t)
{
	for (unsigned i = 0; i < t->tunnels; i++) {
		struct tunnel down = {.index = t->tunnel[i]};

		tunnel_publish(&t->b->tunnels, &down);
		sa_out_remove(t->b->sas, t->out[i]);
		sa_in_remove(t->b->sas, t->in[i]);
		tunnel_release(&t->b->tunnels, t->tunnel[i]);
	}
	epoch_reclaim(t->b->epoch);
}

/* The device alone: the synchronous call that the AEAD engine makes, over and over on the same bytes. */
static double crypto_alone(struct bench *t, const struct profile *p, struct rte_mbuf **m)
{
	const struct crypto_session *session = &t->out[0]->head.cold->session;
	static uint8_t iv[BURST_MAX][16], aad[BURST_MAX][16];
	struct rte_crypto_va_iova_ptr ivs[BURST_MAX], aads[BURST_MAX], icvs[BURST_MAX];
	struct rte_crypto_vec data[BURST_MAX];
	struct rte_crypto_sgl list[BURST_MAX];
	int32_t status[BURST_MAX];
	union rte_crypto_sym_ofs none = {.raw = 0};
	struct rte_crypto_sym_vec work = {.num = t->burst,
	    .src_sgl = list,
	    .iv = ivs,
	    .aad = aads,
	    .digest = icvs,
	    .status = status};
	const unsigned rounds = 20;
	uint64_t start;

	if (!session->session || session->path != CRYPTO_SYNC)
		return 0;
	for (unsigned i = 0; i < t->burst; i++) {
		data[i] = (struct rte_crypto_vec){
		    .base = rte_pktmbuf_mtod(m[i], void *), .len = p->bytes + 4};
		list[i] = (struct rte_crypto_sgl){.vec = &data[i], .num = 1};
		ivs[i].va = iv[i];
		aads[i].va = aad[i];
		icvs[i].va = rte_pktmbuf_mtod_offset(m[i], void *, p->bytes + 4);
	}
	start = rte_rdtsc();
	for (unsigned i = 0; i < rounds; i++)
		rte_cryptodev_sym_cpu_crypto_process(session->dev, session->session, none, &work);
	return (double)(rte_rdtsc() - start) / rounds / t->burst;
}

static void fill_packet(struct rte_mbuf *m, unsigned bytes)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)rte_pktmbuf_append(m, (uint16_t)bytes);

	memset(ip, 0, bytes);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16((uint16_t)bytes);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = RTE_BE32(0x0a000001);
	ip->dst_addr = RTE_BE32(0x0a000002);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
}

static void tunnels_of(struct bench *t, const struct tunnel **tunnel, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tunnel[i] = tunnel_get(&t->w->b->tunnels, t->tunnel[i % t->tunnels]);
}

static void prepare_in(struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		esp_found(m[i], 20, 0);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double fast_decile(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 10];
}

/*
 * Core cycles per packet. Of many pieces of about a millisecond the fastest tenth counts, because others may
 * share the core.
 */
struct result {
	double out, in, crypto;
};

static void there_and_back(struct bench *t, struct rte_mbuf **m, uint64_t *out, uint64_t *in)
{
	const struct tunnel *tunnel[BURST_MAX];
	struct rte_mbuf *outer[BURST_MAX];
	uint64_t start;

	tunnels_of(t, tunnel, t->burst);
	start = rte_rdtsc();
	if (esp_out(t->w, tunnel, m, t->burst, outer) != t->burst)
		die("packets lost on the way out");
	*out += rte_rdtsc() - start;
	prepare_in(outer, t->burst);
	start = rte_rdtsc();
	if (esp_in(t->w, outer, t->burst, m) != t->burst)
		die("packets lost on the way in");
	*in += rte_rdtsc() - start;
}

static struct result measure(struct bench *t, const struct profile *p, struct rte_mbuf **m)
{
	static double out[PIECES_MAX], in[PIECES_MAX], crypto[PIECES_MAX];
	uint64_t until = rte_rdtsc() + (uint64_t)(t->seconds * (double)rte_get_tsc_hz());
	unsigned n = 0;

	for (; n < PIECES_MAX && rte_rdtsc() < until; n++) {
		uint64_t out_ticks = 0, in_ticks = 0;
		double scale = ROUNDS * t->burst * ticks_per_cycle();

		for (unsigned i = 0; i < ROUNDS; i++)
			there_and_back(t, m, &out_ticks, &in_ticks);
		out[n] = (double)out_ticks / scale;
		in[n] = (double)in_ticks / scale;
	}
	for (unsigned i = 0; i < PIECES_MAX; i++)
		crypto[i] = crypto_alone(t, p, m) / ticks_per_cycle();
	return (struct result){
	    fast_decile(out, n), fast_decile(in, n), fast_decile(crypto, PIECES_MAX)};
}

static void run(struct bench *t, const struct profile *p)
{
	struct rte_mbuf *m[BURST_MAX];
	struct result r;

	t->tunnels = p->tunnels;
	for (unsigned i = 0; i < t->tunnels; i++)
		add_tunnel(t, p, i);
	if (rte_pktmbuf_alloc_bulk(t->pool, m, t->burst) != 0)
		die("no packets");
	for (unsigned i = 0; i < t->burst; i++)
		fill_packet(m[i], p->bytes);
	r = measure(t, p, m);
	printf("%-18s out %6.1f  in %6.1f", p->name, r.out, r.in);
	if (r.crypto > 0)
		printf("  crypto %6.1f", r.crypto);
	printf("  cycles per packet");
	printf("\n");
	rte_pktmbuf_free_bulk(m, t->burst);
	remove_tunnels(t);
}

int main(int argc, char **argv)
{
	struct bench t = {.burst = BURST_MAX, .seconds = 1};
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		die("EAL does not start");
	if (argc - used > 1)
		t.burst = RTE_MIN((unsigned)atoi(argv[used + 1]), (unsigned)BURST_MAX);
	if (argc - used > 2)
		t.seconds = atof(argv[used + 2]);
	open_bench(&t);
	for (unsigned i = 0; i < RTE_DIM(profiles); i++) {
		if (argc - used <= 3 || strstr(profiles[i].name, argv[used + 3]))
			run(&t, &profiles[i]);
	}
	workers_free(t.w, 1);
	boundary_free(t.b);
	crypto_close(t.crypto);
	rte_eal_cleanup();
	return 0;
}
