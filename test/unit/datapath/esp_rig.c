/* SPDX-License-Identifier: BSD-3-Clause */
/* esp_rig.h says what this builds. */

#include "esp_rig.h"

#include <stdio.h>

#define BUFFERS  2047
#define SESSIONS 1024
#define SLOTS    8

static const enum alg_encr ciphers[] = {
    ENCR_DES, ENCR_3DES, ENCR_AES128, ENCR_AES192, ENCR_AES256, ENCR_NULL};
static const enum alg_encr aeads[] = {ENCR_AES128GCM16, ENCR_AES256GCM16, ENCR_CHACHA20POLY1305};
static const enum alg_auth auths[] = {AUTH_MD5, AUTH_SHA1, AUTH_SHA256, AUTH_SHA384, AUTH_SHA512};

/* Drops seen by rig_dropped(). */
static uint64_t seen[DROP_REASON_COUNT];

struct suite suite_of(unsigned i)
{
	if (i < SUITES - TEST_COUNT(aeads))
		return (struct suite){ciphers[i / 5], auths[i % 5]};
	return (struct suite){aeads[i + TEST_COUNT(aeads) - SUITES], AUTH_NONE};
}

const char *suite_name(struct suite s)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s+%s", alg_encr(s.encr)->name, alg_auth(s.auth)->name);
	return name;
}

bool rig_has(struct suite s)
{
	const char *backend = getenv("TEST_CRYPTO");

	return (s.encr != ENCR_CHACHA20POLY1305 && s.encr != ENCR_NULL) || !backend ||
	    strcmp(backend, "openssl") != 0;
}

/* Fixtures */

/* Free ones; without crypto devices there are none at all. */
static unsigned operations(const struct rig *r)
{
	struct rte_mempool *pool = crypto_op_pool(r->crypto);

	return pool ? rte_mempool_avail_count(pool) : 0;
}

struct rig *rig_open(const char *backend, unsigned workers)
{
	struct boundary_limits limits = {.workers = workers,
	    .ifaces = 8,
	    .neighbours = 8,
	    .nexthops = 8,
	    .tunnels = RIG_TUNNELS + 1,
	    .sas = SESSIONS,
	    .slots = SLOTS};
	struct rig *r = calloc(1, sizeof(*r));
	const char *why;

	r->crypto = crypto_open(backend, workers, SESSIONS, &why);
	if (!r->crypto)
		fail_msg("%s", why);
	r->pool =
	    rte_pktmbuf_pool_create(backend, BUFFERS, 0, META_BYTES, 2048 + 128, SOCKET_ID_ANY);
	assert_non_null(r->pool);
	r->b = boundary_create(&limits, r->crypto, r->pool);
	assert_non_null(r->b);
	r->workers = workers_create(r->b, false);
	assert_non_null(r->workers);
	r->w = &r->workers[0];
	r->lan = slot_alloc(&r->b->counters);
	r->wan = slot_alloc(&r->b->counters);
	r->buffers = rte_mempool_avail_count(r->pool);
	r->operations = operations(r);
	memset(seen, 0, sizeof(seen));
	return r;
}

static int setup(void **state, unsigned workers)
{
	const char *backend = getenv("TEST_CRYPTO");

	*state = rig_open(backend ? backend : "auto", workers);
	return 0;
}

int rig_setup(void **state)
{
	return setup(state, 1);
}

int rig_setup_two(void **state)
{
	return setup(state, 2);
}

static void check_ledger(struct rig *r)
{
	for (uint16_t slot = 0; slot < SLOTS; slot++) {
		struct slot_counters sum;

		slot_read(&r->b->counters, slot, &sum);
		if (slot_balance(&sum) != 0)
			fail_msg("slot %u: received %llu, delivered %llu, decrypted %llu", slot,
			    (unsigned long long)sum.received, (unsigned long long)sum.delivered,
			    (unsigned long long)sum.decrypted);
	}
}

void rig_close(struct rig *r)
{
	check_ledger(r);
	assert_int_equal(rte_mempool_avail_count(r->pool), r->buffers);
	assert_int_equal(operations(r), r->operations);
	workers_free(r->workers, r->b->workers);
	boundary_free(r->b);
	rte_mempool_free(r->pool);
	crypto_close(r->crypto);
	free(r);
}

int rig_teardown(void **state)
{
	rig_close(*state);
	return 0;
}

/* SAs */

struct sa_spec rig_spec(struct rig *r, struct suite s, uint32_t spi)
{
	struct ip_prefix all = {.addr = ip_any(IP_V4)};
	struct rng rng;
	struct sa_spec spec = {.spi = spi,
	    .slot = r->lan,
	    .attachment = 7,
	    .inner_family = IP_V4,
	    .local = test_addr("192.0.2.1"),
	    .remote = test_addr("198.51.100.2"),
	    .local_port = 4500,
	    .remote_port = 4500,
	    .encr = s.encr,
	    .auth = s.auth,
	    .underlay = 42,
	    .selector_count = 1};

	rng_init_seeded(&rng, spi);
	rng_fill(&rng, spec.encr_key, sizeof(spec.encr_key));
	rng_fill(&rng, spec.auth_key, sizeof(spec.auth_key));
	spec.selector[0] = (struct sa_selector){.local = ip_range_of_prefix(&all),
	    .remote = ip_range_of_prefix(&all),
	    .local_port_last = UINT16_MAX,
	    .remote_port_last = UINT16_MAX};
	return spec;
}

struct sa_spec rig_mirror(const struct sa_spec *spec)
{
	struct sa_spec m = *spec;

	m.local = spec->remote;
	m.remote = spec->local;
	m.local_port = spec->remote_port;
	m.remote_port = spec->local_port;
	for (unsigned i = 0; i < m.selector_count; i++) {
		m.selector[i].local = spec->selector[i].remote;
		m.selector[i].remote = spec->selector[i].local;
		m.selector[i].local_port_first = spec->selector[i].remote_port_first;
		m.selector[i].local_port_last = spec->selector[i].remote_port_last;
		m.selector[i].remote_port_first = spec->selector[i].local_port_first;
		m.selector[i].remote_port_last = spec->selector[i].local_port_last;
	}
	return m;
}

uint32_t rig_tunnel(struct rig *r, struct sa_out *sa)
{
	struct tunnel t = {.index = tunnel_alloc(&r->b->tunnels),
	    .slot = r->lan,
	    .state = TUNNEL_UP,
	    .inner_mtu = 1500,
	    .any = true,
	    .out_count = 1};

	assert_int_not_equal(t.index, 0);
	t.out[0].sa = sa;
	tunnel_publish(&r->b->tunnels, &t);
	return t.index;
}

struct sa_out *rig_out(struct rig *r, const struct sa_spec *spec)
{
	struct sa_out *sa = sa_out_create(r->b->sas, spec);

	if (!sa)
		fail_msg(
		    "%s: %s", suite_name((struct suite){spec->encr, spec->auth}), strerror(errno));
	return sa;
}

struct sa_in *rig_in(struct rig *r, const struct sa_spec *spec)
{
	struct sa_in *sa = sa_in_create(r->b->sas, spec);

	if (!sa)
		fail_msg(
		    "%s: %s", suite_name((struct suite){spec->encr, spec->auth}), strerror(errno));
	return sa;
}

uint32_t rig_pair(struct rig *r, const struct sa_spec *spec, struct sa_out **out, struct sa_in **in)
{
	struct sa_spec mirror = rig_mirror(spec);

	*in = rig_in(r, &mirror);
	*out = rig_out(r, spec);
	return rig_tunnel(r, *out);
}

/* Packets */

struct rte_mbuf *rig_mbuf(struct rig *r, uint16_t slot, const void *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);
	char *at;

	assert_non_null(m);
	at = rte_pktmbuf_append(m, (uint16_t)len);
	assert_non_null(at);
	memcpy(at, bytes, len);
	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	pkt_meta(m)->slot = slot;
	r->w->slots[slot].received++;
	return m;
}

void rig_inner(struct packet *p, size_t len)
{
	struct ip4 ip = {.src = "10.1.2.3", .dst = "10.9.8.7", .protocol = 17};
	static uint8_t payload[PACKET_MAX];

	assert_true(len >= 20);
	packet_fill(payload, len);
	p->len = 0;
	if (len < 28)
		packet_ip4(p, &ip, payload, len - 20);
	else
		packet_udp(p, &ip, 1111, 2222, payload, len - 28);
	assert_int_equal(p->len, len);
}

struct rte_mbuf *rig_to_send(struct rig *r, uint32_t tunnel, const struct packet *inner)
{
	struct rte_mbuf *m = rig_mbuf(r, r->lan, inner->bytes, inner->len);

	pkt_meta(m)->tunnel = tunnel;
	return m;
}

static void as_classified(struct rte_mbuf *m)
{
	bool udp = rte_pktmbuf_mtod(m, const uint8_t *)[9] == 17;

	esp_found(m, 20, udp ? 8 : 0);
}

struct rte_mbuf *rig_to_receive(struct rig *r, const void *bytes, size_t len)
{
	struct rte_mbuf *m = rig_mbuf(r, r->wan, bytes, len);

	as_classified(m);
	return m;
}

void rig_turn_round(struct rig *r, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		r->w->slots[pkt_meta(m[i])->slot].delivered++;
		memset(pkt_meta(m[i]), 0, sizeof(struct pkt_meta));
		pkt_meta(m[i])->slot = r->wan;
		r->w->slots[r->wan].received++;
		as_classified(m[i]);
	}
}

void rig_outer(struct packet *p, const struct sa_spec *spec, const uint8_t *esp, size_t len)
{
	char src[IP_TEXT_MAX], dst[IP_TEXT_MAX];
	struct ip4 ip = {.src = ip_text(&spec->local, src), .dst = ip_text(&spec->remote, dst)};
	static uint8_t datagram[PACKET_MAX];

	p->len = 0;
	ip.protocol = spec->natt ? 17 : 50;
	if (!spec->natt) {
		packet_ip4(p, &ip, esp, len);
		return;
	}
	put16(datagram, spec->local_port);
	put16(datagram + 2, spec->remote_port);
	put16(datagram + 4, (unsigned)len + 8);
	put16(datagram + 6, 0); /* RFC 3948 2.1: no checksum */
	memcpy(datagram + 8, esp, len);
	packet_ip4(p, &ip, datagram, len + 8);
}

/* Through the stages */

static void poll_all(
    struct rig *r, struct rte_mbuf **in, unsigned *in_n, struct rte_mbuf **out, unsigned *out_n)
{
	for (unsigned idle = 0; idle < 3;) {
		unsigned i = 0, o = 0;

		esp_poll(r->w, BURST_MAX, in + *in_n, &i, out + *out_n, &o);
		*in_n += i;
		*out_n += o;
		idle = i + o ? 0 : idle + 1;
	}
}

unsigned rig_esp_out(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	const struct tunnel *tunnel[BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		tunnel[i] = tunnel_get(&w->b->tunnels, pkt_meta(m[i])->tunnel);
	return esp_out(w, tunnel, m, n, outer);
}

unsigned rig_send(struct rig *r, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer)
{
	struct rte_mbuf *inner[BURST_MAX];
	unsigned inner_n = 0, outer_n = rig_esp_out(r->w, m, n, outer);

	poll_all(r, inner, &inner_n, outer, &outer_n);
	assert_int_equal(inner_n, 0);
	return outer_n;
}

unsigned rig_receive(struct rig *r, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner)
{
	struct rte_mbuf *outer[BURST_MAX];
	unsigned outer_n = 0, inner_n = esp_in(r->w, m, n, inner);

	poll_all(r, inner, &inner_n, outer, &outer_n);
	assert_int_equal(outer_n, 0);
	return inner_n;
}

struct rte_mbuf *rig_send_one(struct rig *r, uint32_t tunnel, const struct packet *inner)
{
	struct rte_mbuf *m = rig_to_send(r, tunnel, inner), *outer[BURST_MAX];
	unsigned n = rig_send(r, &m, 1, outer);

	assert_in_range(n, 0, 1);
	return n ? outer[0] : NULL;
}

struct rte_mbuf *rig_receive_sealed(struct rig *r, const struct sa_spec *spec, uint64_t sequence,
    const struct oracle_trailer *t, const void *bytes, size_t len)
{
	static const struct oracle_trailer right;
	static const uint8_t iv[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
	static uint8_t esp[ORACLE_MAX];
	static struct packet p;
	struct rte_mbuf *m, *inner[BURST_MAX];
	size_t n = oracle_seal(spec, sequence, iv, t ? t : &right, bytes, len, esp);

	rig_outer(&p, spec, esp, n);
	m = rig_to_receive(r, p.bytes, p.len);
	n = rig_receive(r, &m, 1, inner);
	assert_in_range(n, 0, 1);
	return n ? inner[0] : NULL;
}

void rig_free(struct rig *r, struct rte_mbuf *m)
{
	r->w->slots[pkt_meta(m)->slot].delivered++;
	rte_pktmbuf_free(m);
}

/* What happened */

uint64_t rig_drops(struct rig *r, enum drop_reason reason)
{
	uint64_t n = 0;

	for (uint16_t slot = 0; slot < SLOTS; slot++) {
		struct slot_counters sum;

		slot_read(&r->b->counters, slot, &sum);
		n += sum.drop[reason];
	}
	return n;
}

void rig_dropped(struct rig *r, enum drop_reason reason, uint64_t n)
{
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		uint64_t now = rig_drops(r, i);
		uint64_t expected = i == reason ? n : 0;

		if (now - seen[i] != expected)
			fail_msg("%llu drops of %s, expected %llu",
			    (unsigned long long)(now - seen[i]), drop_reason_name(i),
			    (unsigned long long)expected);
		seen[i] = now;
	}
}

bool rig_event(struct rig *r, struct event *ev)
{
	return events_take(r->b->events, ev, 1) == 1;
}
