/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Makes and frees Security Associations: checks the spec, derives what the workers' hot records hold ready, and
 * gives the memory back after a grace period, once no packet of the SA waits in a crypto queue.
 *
 * IVs. AEAD: the sequence number, so one is never used twice under a key (RFC 4106 3.1). CBC: the engine
 * encrypts the sequence number, exclusive-or a secret mask of 16 random bytes of this SA, as the first block of
 * the message; what goes over the wire as IV is that block's ciphertext. Distinct inputs under one key give
 * distinct IVs, and nobody without key and mask can tell the next one (NIST SP 800-38A, appendix C).
 */

#include "boundary/sa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_malloc.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/secret.h"
#include "boundary/sa_header.h"
#include "boundary/sa_mb.h"
#include "boundary/sa_rte.h"
#include "boundary/sa_table.h"

#define ESP_BYTES        8  /* SPI and sequence number */
#define TRAILER_BYTES    2  /* pad length and next header */
#define ESN_BYTES        4  /* upper half of the number, in front of the ICV while it is computed */
#define AAD_BYTES        16 /* scratch space of the engine behind the packet */
#define ESP_ALIGN        4  /* RFC 4303 2.4 */
#define SMALL_BLOCK_SOFT (SA_SMALL_BLOCK_BYTES / 4 * 3)

static bool spec_is_valid(const struct sa_spec *s)
{
	const struct alg_encr_info *e = alg_encr(s->encr);
	bool aead = alg_is_aead(s->encr);

	if (s->encr == ENCR_NONE || s->encr >= ENCR_COUNT || s->auth >= AUTH_COUNT)
		return false;
	if (aead != (s->auth == AUTH_NONE))
		return false;
	if (!ip_bytes(s->local.family) || s->local.family != s->remote.family)
		return false;
	if (!ip_bytes(s->inner_family) || s->selector_count > SA_SELECTORS_MAX)
		return false;
	if (s->window && (s->window < SA_WINDOW_MIN || s->window > SA_WINDOW_MAX))
		return false;
	if (s->replays_pass && (s->esn || s->window))
		return false;
	return s->spi != 0 && s->dscp < 64 && e->key_bytes + e->salt_bytes <= SA_KEY_MAX;
}

static uint64_t limit_of(uint64_t configured)
{
	return configured ? configured : UINT64_MAX;
}

static bool has_small_blocks(enum alg_encr encr)
{
	return encr == ENCR_DES || encr == ENCR_3DES;
}

static uint64_t soft_bytes_of(const struct sa_spec *s)
{
	uint64_t limit = limit_of(s->soft_bytes);

	return has_small_blocks(s->encr) ? RTE_MIN(limit, SMALL_BLOCK_SOFT) : limit;
}

static uint64_t hard_bytes_of(const struct sa_spec *s)
{
	uint64_t limit = limit_of(s->hard_bytes);

	return has_small_blocks(s->encr) ? RTE_MIN(limit, SA_SMALL_BLOCK_BYTES) : limit;
}

/* Cold record and head */

static struct sa_cold *make_cold(struct sa_table *t, const struct sa_spec *s, bool inbound)
{
	struct sa_cold *cold = xcalloc(1, sizeof(*cold));

	sa_free_idle(t); /* a good moment: there may be a session to use again */
	cold->crypto = t->crypto;
	cold->table = t;
	list_init(&cold->all);
	cold->workers = t->workers;
	cold->encr = s->encr;
	cold->auth = s->auth;
	cold->inbound = inbound;
	cold->spi = s->spi;
	cold->tunnel = s->tunnel;
	if (!s->replays_pass)
		cold->window = s->window ? s->window : SA_WINDOW_DEFAULT;
	cold->local = s->local;
	cold->remote = s->remote;
	cold->local_port = s->local_port;
	cold->remote_port = s->remote_port;
	cold->natt = s->natt;
	cold->esn = s->esn;
	cold->selector_count = s->selector_count;
	memcpy(cold->selector, s->selector, sizeof(cold->selector));
	return cold;
}

/* Keys and engine. `sequence` as for sa_rte_create(). */
static int make_crypto(struct sa_cold *cold, const struct sa_spec *s, uint64_t sequence,
    struct rte_ipsec_session *session, struct sa_head *h)
{
	return crypto_mb(cold->crypto) ? sa_mb_create(cold, s, h)
				       : sa_rte_create(cold, s, sequence, session, &h->engine);
}

/* 0 or -ENOMEM. */
static int fill_head(struct sa_head *h, struct sa_cold *cold, const struct sa_spec *s)
{
	const struct alg_encr_info *e = alg_encr(s->encr);

	h->spi = s->spi;
	h->tunnel = s->tunnel;
	h->slot = s->slot;
	h->attachment = s->attachment;
	h->inner_family = s->inner_family;
	h->header_bytes = (uint8_t)(ESP_BYTES + e->iv_bytes);
	h->icv_bytes = alg_is_aead(s->encr) ? e->icv_bytes : alg_auth(s->auth)->icv_bytes;
	h->align = RTE_MAX(e->block_bytes, ESP_ALIGN);
	h->next_header = s->inner_family == IP_V4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	h->queue_device = cold->session.dev;
	h->esn = s->esn;
	h->natt = s->natt;
	h->mb = cold->mb;
	h->cold = cold;
	cold->head = h;
	h->of_worker =
	    rte_zmalloc("sa", cold->workers * sizeof(*h->of_worker), RTE_CACHE_LINE_SIZE);
	return h->of_worker ? 0 : -ENOMEM;
}

static void free_parts(struct sa_head *h, struct sa_cold *cold)
{
	sa_mb_destroy(cold);
	sa_rte_destroy(cold);
	rte_free(h->of_worker);
	free(cold);
}

/* Inbound */

static bool selects_all(const struct sa_spec *s)
{
	const struct sa_selector *sel = s->selector;
	struct ip_prefix all = {.addr = ip_any(s->inner_family), .len = 0};
	struct ip_range every = ip_range_of_prefix(&all);

	return s->selector_count == 1 && sel->protocol == 0 &&
	    ip_range_covers(&sel->local, &every) && ip_range_covers(&sel->remote, &every) &&
	    sel->local_port_first == 0 && sel->local_port_last == UINT16_MAX &&
	    sel->remote_port_first == 0 && sel->remote_port_last == UINT16_MAX;
}

static void fill_in(struct sa_in *sa, const struct sa_spec *s)
{
	sa->min_bytes = sa->head.header_bytes + sa->head.align + sa->head.icv_bytes;
	sa->selects_all = selects_all(s);
	sa->outer_family = s->local.family;
	atomic_init(&sa->owner, -1);
	sa->local = s->local;
	sa->remote = s->remote;
	if (s->local.family == IP_V4) {
		memcpy(&sa->outer_v4, s->remote.bytes, 4);
		memcpy((uint8_t *)&sa->outer_v4 + 4, s->local.bytes, 4);
	}
	sa->remote_port = rte_cpu_to_be_16(s->remote_port);
	sa->soft_packets = limit_of(s->soft_packets);
	sa->hard_packets = limit_of(s->hard_packets);
	sa->soft_bytes = soft_bytes_of(s);
	sa->hard_bytes = hard_bytes_of(s);
	sa->limited = RTE_MIN(sa->soft_packets, sa->hard_packets) != UINT64_MAX ||
	    RTE_MIN(sa->soft_bytes, sa->hard_bytes) != UINT64_MAX;
	sa->selector_count = s->selector_count;
	memcpy(sa->selector, s->selector, sizeof(sa->selector));
}

static int init_replay(struct sa_in *sa, uint64_t top)
{
	uint32_t window = sa->head.cold->window;
	uint32_t infer = RTE_MAX(window, sa_rte_window(sa->head.esn, window));
	uint64_t *word =
	    rte_zmalloc("sa", replay_words(window) * sizeof(*word), RTE_CACHE_LINE_SIZE);

	if (!word)
		return -ENOMEM;
	replay_init(&sa->replay, word, window, infer, window ? top : 0);
	return 0;
}

void sa_in_free(struct sa_in *sa)
{
	rte_free(sa->replay.word);
	free_parts(&sa->head, sa->head.cold);
	rte_free(sa);
}

struct sa_in *sa_in_create(struct sa_table *t, const struct sa_spec *spec)
{
	uint64_t top = spec->first_sequence ? spec->first_sequence - 1 : 0;
	struct sa_cold *cold;
	struct sa_in *sa;
	int rc = -EINVAL;

	if (!spec_is_valid(spec))
		goto fail;
	rc = -ENOMEM;
	sa = rte_zmalloc("sa", sizeof(*sa), RTE_CACHE_LINE_SIZE);
	if (!sa)
		goto fail;
	cold = make_cold(t, spec, true);
	rc = make_crypto(cold, spec, top, &sa->session, &sa->head);
	if (rc == 0)
		rc = fill_head(&sa->head, cold, spec);
	if (rc == 0)
		rc = init_replay(sa, top);
	if (rc == 0) {
		fill_in(sa, spec);
		rc = sa_table_insert(t, sa);
	}
	if (rc == 0)
		sa_spi_release(t, spec->spi); /* after that: the worker side relies on it */
	if (rc == 0)
		return sa;
	sa->head.cold = cold;
	sa_in_free(sa);
fail:
	errno = -rc;
	return NULL;
}

/* Outbound */

/* Numbers that a worker takes one by one, without another look: none where bytes are limited, workers share, or the engine
 * works SA by SA. */
static void set_free(struct sa_out *sa)
{
	uint64_t soft = atomic_load_explicit(&sa->soft_sequence, memory_order_relaxed);
	uint64_t hard = atomic_load_explicit(&sa->hard_sequence, memory_order_relaxed);
	bool watched = sa->counts_bytes || sa->head.cold->workers > 1 ||
	    sa->head.engine == ESP_RTE_IPSEC_SYNC || sa->head.engine == ESP_RTE_IPSEC_QUEUE;

	atomic_store_explicit(
	    &sa->free_sequence, watched ? 0 : RTE_MIN(soft, hard), memory_order_release);
}

static void fill_limits(struct sa_out *sa, const struct sa_spec *s, uint64_t first)
{
	uint64_t last = s->esn ? UINT64_MAX - UINT32_MAX : SA_SEQUENCE_LAST;
	uint64_t soft = s->esn ? last : SA_SEQUENCE_SOFT;

	if (s->hard_packets && s->hard_packets <= last - first)
		last = first + s->hard_packets - 1;
	if (s->soft_packets && s->soft_packets <= soft - RTE_MIN(first, soft))
		soft = first + s->soft_packets - 1;
	atomic_init(&sa->hard_sequence, s->granted ? first - 1 : last);
	atomic_init(&sa->soft_sequence, s->granted ? first - 1 : soft);
	sa->soft_bytes = soft_bytes_of(s);
	sa->hard_bytes = hard_bytes_of(s);
	sa->counts_bytes = sa->soft_bytes != UINT64_MAX || sa->hard_bytes != UINT64_MAX;
	sa->head.cold->first_sequence = first;
	atomic_init(&sa->next_sequence, first);
	set_free(sa);
}

static void fill_out(struct sa_out *sa, const struct sa_spec *s)
{
	const struct sa_head *h = &sa->head;
	struct rng rng;

	rng_init_system(&rng);
	sa->copies_df = s->df == SA_DF_COPY;
	sa->copies_dscp = s->copy_dscp;
	sa->outer_family = s->local.family;
	sa->tail_bytes =
	    (uint8_t)(h->align - 1 + TRAILER_BYTES + ESN_BYTES + h->icv_bytes + AAD_BYTES);
	sa->header_bytes = sa_header_fill(&sa->header, s);
	sa->head_bytes = (uint8_t)(sa->header_bytes + h->header_bytes);
	sa->header_sum = sa_header_sum(&sa->header, s);
	sa->id_offset = (uint16_t)rng_u32(&rng);
	sa->underlay = s->underlay;
	sa->cbc = !alg_is_aead(s->encr) && alg_encr(s->encr)->iv_bytes != 0;
	rng_fill(&rng, sa->iv_mask, sizeof(sa->iv_mask));
	if (h->engine == ESP_MB_CHAIN)
		memcpy(h->cold->mb->chain.iv_mask, sa->iv_mask, sizeof(sa->iv_mask));
}

static void sa_out_free(struct sa_out *sa)
{
	free_parts(&sa->head, sa->head.cold);
	secret_wipe(sa, sizeof(*sa));
	rte_free(sa);
}

struct sa_out *sa_out_create(struct sa_table *t, const struct sa_spec *spec)
{
	uint64_t first = spec->first_sequence ? spec->first_sequence : 1;
	struct sa_cold *cold;
	struct sa_out *sa;
	int rc = -EINVAL;

	if (!spec_is_valid(spec) || (!spec->esn && first > SA_SEQUENCE_LAST))
		goto fail;
	rc = -ENOMEM;
	sa = rte_zmalloc("sa", sizeof(*sa), RTE_CACHE_LINE_SIZE);
	if (!sa)
		goto fail;
	cold = make_cold(t, spec, false);
	rc = make_crypto(cold, spec, first, &sa->session, &sa->head);
	if (rc == 0)
		rc = fill_head(&sa->head, cold, spec);
	if (rc == 0) {
		fill_limits(sa, spec, first);
		fill_out(sa, spec);
		list_append(&t->outbound, &cold->all);
		return sa;
	}
	sa->head.cold = cold;
	sa_out_free(sa);
fail:
	errno = -rc;
	return NULL;
}

uint64_t sa_out_sequence(const struct sa_out *sa)
{
	return atomic_load_explicit(&sa->next_sequence, memory_order_relaxed);
}

void sa_out_grant(struct sa_out *sa, uint64_t soft, uint64_t last)
{
	uint64_t end = sa->head.esn ? UINT64_MAX - UINT32_MAX : SA_SEQUENCE_LAST;

	atomic_store_explicit(&sa->hard_sequence, RTE_MIN(last, end), memory_order_relaxed);
	atomic_store_explicit(&sa->soft_sequence, RTE_MIN(soft, end), memory_order_relaxed);
	atomic_store_explicit(&sa->soft_raised, false, memory_order_release);
	atomic_store_explicit(&sa->hard_raised, false, memory_order_release);
	set_free(sa);
}

/* Fewer bytes */

static void lower(uint64_t *limit, uint64_t used, uint64_t more)
{
	uint64_t end = more > UINT64_MAX - used ? UINT64_MAX : used + more;

	if (end < *limit)
		__atomic_store_n(limit, end, __ATOMIC_RELAXED);
}

void sa_in_limit_bytes(struct sa_in *sa, uint64_t soft, uint64_t hard)
{
	uint64_t used = __atomic_load_n(&sa->bytes, __ATOMIC_RELAXED);

	lower(&sa->soft_bytes, used, soft);
	lower(&sa->hard_bytes, used, hard);
	__atomic_store_n(&sa->limited, true, __ATOMIC_RELEASE);
}

void sa_out_limit_bytes(struct sa_out *sa, uint64_t soft, uint64_t hard)
{
	uint64_t used = atomic_load_explicit(&sa->limited_bytes, memory_order_relaxed);

	lower(&sa->soft_bytes, used, soft);
	lower(&sa->hard_bytes, used, hard);
	__atomic_store_n(&sa->counts_bytes, true, __ATOMIC_RELEASE);
	set_free(sa);
}

/* Removal */

static bool is_in_flight(const struct sa_head *h)
{
	uint64_t packets = 0;

	for (unsigned i = 0; i < h->cold->workers; i++)
		packets += __atomic_load_n(&h->of_worker[i].in_flight, __ATOMIC_ACQUIRE);
	return packets != 0;
}

static void free_record(struct sa_head *h)
{
	if (h->cold->inbound)
		sa_in_free(container_of(h, struct sa_in, head));
	else
		sa_out_free(container_of(h, struct sa_out, head));
}

void sa_free_idle(struct sa_table *t)
{
	struct sa_head *h, **link = &t->busy;

	while ((h = *link) != NULL) {
		if (is_in_flight(h)) {
			link = &h->cold->next_busy;
			continue;
		}
		*link = h->cold->next_busy;
		free_record(h);
	}
}

void sa_free_rest(struct sa_table *t)
{
	struct sa_cold *cold, *next;
	struct sa_head *h;

	while ((h = t->busy) != NULL) {
		t->busy = h->cold->next_busy;
		free_record(h);
	}
	list_for_safe (cold, next, &t->outbound, all)
		free_record(cold->head);
}

/* The grace period is over: no packet enters a queue any more, those inside come out and count down. */
static void retired(void *head)
{
	struct sa_head *h = head;
	struct sa_table *t = h->cold->table;

	h->cold->next_busy = t->busy;
	t->busy = h;
	sa_free_idle(t);
}

void sa_in_remove(struct sa_table *t, struct sa_in *sa)
{
	sa_table_delete(t, sa);
	epoch_retire(t->epoch, retired, &sa->head);
}

void sa_out_remove(struct sa_table *t, struct sa_out *sa)
{
	list_remove(&sa->head.cold->all);
	epoch_retire(t->epoch, retired, &sa->head);
}

/* Reading */

void sa_in_hold(struct sa_in *sa)
{
	atomic_store_explicit(&sa->moved, true, memory_order_release);
}

void sa_in_follow(struct sa_in *sa, const struct ip_addr *remote, uint16_t port)
{
	if (!atomic_load_explicit(&sa->moved, memory_order_acquire))
		return;
	sa->remote = *remote;
	sa->remote_port = rte_cpu_to_be_16(port);
	atomic_store_explicit(&sa->moved, false, memory_order_release);
}

/* Out: all that got a number. Workers that share the SA may take a few behind the last one, which are not used. */
static void read_out(struct sa_out *sa, struct sa_totals *sum)
{
	uint64_t next = sa_out_sequence(sa);
	uint64_t end = atomic_load_explicit(&sa->hard_sequence, memory_order_relaxed) + 1;

	sum->packets = RTE_MIN(next, end) - sa->head.cold->first_sequence;
	sum->bytes = __atomic_load_n(&sa->bytes, __ATOMIC_RELAXED);
	sum->outer_bytes = __atomic_load_n(&sa->outer_bytes, __ATOMIC_RELAXED);
}

static void read_in(const struct sa_in *sa, struct sa_totals *sum)
{
	sum->packets = __atomic_load_n(&sa->packets, __ATOMIC_RELAXED);
	sum->bytes = __atomic_load_n(&sa->bytes, __ATOMIC_RELAXED);
	sum->outer_bytes = __atomic_load_n(&sa->outer_bytes, __ATOMIC_RELAXED);
}

void sa_totals_read(const struct sa_head *h, struct sa_totals *sum)
{
	memset(sum, 0, sizeof(*sum));
	if (h->cold->inbound)
		read_in(container_of(h, struct sa_in, head), sum);
	else
		read_out(container_of(h, struct sa_out, head), sum);
	for (unsigned i = 0; i < h->cold->workers; i++) {
		const struct sa_counters *c = &h->of_worker[i];

		sum->bytes += __atomic_load_n(&c->bytes, __ATOMIC_RELAXED);
		sum->outer_bytes += __atomic_load_n(&c->outer_bytes, __ATOMIC_RELAXED);
		sum->replay += __atomic_load_n(&c->replay, __ATOMIC_RELAXED);
		sum->replay_old += __atomic_load_n(&c->replay_old, __ATOMIC_RELAXED);
		sum->icv_failed += __atomic_load_n(&c->icv_failed, __ATOMIC_RELAXED);
		sum->other += __atomic_load_n(&c->other, __ATOMIC_RELAXED);
		sum->in_flight += __atomic_load_n(&c->in_flight, __ATOMIC_RELAXED);
	}
}

bool sa_in_selects(const struct sa_in *sa, const struct ip_addr *src, const struct ip_addr *dst,
    uint8_t protocol, uint16_t src_port, uint16_t dst_port)
{
	for (unsigned i = 0; i < sa->selector_count; i++) {
		const struct sa_selector *s = &sa->selector[i];

		if (ip_range_has(&s->remote, src) && ip_range_has(&s->local, dst) &&
		    sa_selects_transport(s, protocol, dst_port, src_port))
			return true;
	}
	return false;
}
