/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts together fragmented packets that are addressed to the router (RFC 791 3.2, RFC 815; RFC 5722 and RFC 1858
 * for what is refused). Transit fragments are forwarded as they are and never come here.
 *
 * Each worker has a table of its own: a port sends all fragments of a datagram to one queue, since it hashes
 * fragments by address. A datagram is known by (ingress attachment, source, destination, protocol, ID). Its fragments
 * wait in a list by offset, linked through their meta; as none may overlap, it is whole when their lengths add up to
 * where the last one ends. Datagrams are in one queue by age, so that the oldest goes first, by time or
 * because a limit is reached: a flood of fragments pushes out the flood.
 *
 * rte_ip_frag would take 8 fragments at most, leaves the protocol out of the key, and frees packets without
 * a word to the ledger.
 */

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "boundary/near.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"
#include "datapath/trace.h"

#define DATAGRAMS                256
#define BUCKETS                  512
#define FRAGMENTS_PER_DATAGRAM   64
#define FRAGMENTS_WAITING_MAX    1024 /* and never more than 1/8 of the packet pool */
#define FIRST_FRAGMENT_BYTES_MIN 40   /* of payload: every header that later stages read at once */
#define WAIT_MS                  2000
#define NOBODY                   UINT16_MAX

struct datagram_key {
	rte_be32_t src, dst;
	rte_be16_t id;
	uint16_t attachment;
	uint32_t protocol;
};

struct datagram {
	struct datagram_key key;
	struct rte_mbuf *first; /* by offset, through meta.next_fragment */
	unsigned count;
	unsigned bytes;   /* of payload that came */
	unsigned end;     /* of the last fragment; 0: not seen */
	uint64_t expires; /* cycles */
	uint16_t bucket;
	uint16_t next_in_bucket;
	uint16_t older, newer; /* free ones are linked through `newer` */
};

struct worker_reassembly {
	uint64_t seed;
	unsigned waiting, waiting_max; /* fragments */
	uint64_t wait_cycles;
	uint16_t oldest, newest, free;
	uint16_t bucket[BUCKETS];
	struct datagram datagram[DATAGRAMS];
};

struct worker_reassembly *reassembly_create(const struct boundary *b, unsigned worker)
{
	struct worker_reassembly *r = near_zmalloc(worker, sizeof(*r));

	if (!r)
		return NULL;
	r->seed = rte_rand();
	r->waiting_max = RTE_MIN(FRAGMENTS_WAITING_MAX, b->pool->size / 8);
	r->wait_cycles = rte_get_tsc_hz() / 1000 * WAIT_MS;
	r->oldest = r->newest = NOBODY;
	for (unsigned i = 0; i < BUCKETS; i++)
		r->bucket[i] = NOBODY;
	for (unsigned i = 0; i < DATAGRAMS; i++)
		r->datagram[i].newer = i + 1 < DATAGRAMS ? (uint16_t)(i + 1) : NOBODY;
	return r;
}

static uint16_t bucket_of(const struct worker_reassembly *r, const struct datagram_key *key)
{
	uint64_t a = (uint64_t)key->src << 32 | key->dst;
	uint64_t b = (uint64_t)key->id << 32 | (uint32_t)key->attachment << 8 | key->protocol;
	uint64_t h = (a ^ r->seed) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32 ^ b) * UINT64_C(0xd6e8feb86659fd93);
	return (uint16_t)(h >> 48) % BUCKETS;
}

static bool key_eq(const struct datagram_key *a, const struct datagram_key *b)
{
	return a->src == b->src && a->dst == b->dst && a->id == b->id &&
	    a->attachment == b->attachment && a->protocol == b->protocol;
}

/* Takes a datagram out of bucket and queue; its fragments are the caller's. */
static struct rte_mbuf *forget(struct worker_reassembly *r, struct datagram *d)
{
	uint16_t self = (uint16_t)(d - r->datagram);
	uint16_t *link = &r->bucket[d->bucket];

	while (*link != self)
		link = &r->datagram[*link].next_in_bucket;
	*link = d->next_in_bucket;
	*(d->older == NOBODY ? &r->oldest : &r->datagram[d->older].newer) = d->newer;
	*(d->newer == NOBODY ? &r->newest : &r->datagram[d->newer].older) = d->older;
	d->newer = r->free;
	r->free = self;
	r->waiting -= d->count;
	return d->first;
}

static void refuse(struct worker *w, struct datagram *d)
{
	struct rte_mbuf *m = forget(w->reassembly, d);

	while (m) {
		struct rte_mbuf *next = pkt_meta(m)->next_fragment;

		drop(w, m, DROP_REASSEMBLY);
		m = next;
	}
}

static struct datagram *find(struct worker_reassembly *r, const struct datagram_key *key)
{
	uint16_t i = r->bucket[bucket_of(r, key)];

	while (i != NOBODY && !key_eq(&r->datagram[i].key, key))
		i = r->datagram[i].next_in_bucket;
	return i == NOBODY ? NULL : &r->datagram[i];
}

static struct datagram *start(struct worker *w, const struct datagram_key *key)
{
	struct worker_reassembly *r = w->reassembly;
	struct datagram *d;
	uint16_t self;

	if (r->free == NOBODY)
		refuse(w, &r->datagram[r->oldest]);
	self = r->free;
	d = &r->datagram[self];
	r->free = d->newer;
	*d = (struct datagram){.key = *key,
	    .bucket = bucket_of(r, key),
	    .expires = w->now + r->wait_cycles,
	    .older = r->newest,
	    .newer = NOBODY};
	d->next_in_bucket = r->bucket[d->bucket];
	r->bucket[d->bucket] = self;
	*(r->newest == NOBODY ? &r->oldest : &r->datagram[r->newest].newer) = self;
	r->newest = self;
	return d;
}

enum verdict { WAITS, WHOLE, IS_COPY, IS_BAD };

/* Puts a fragment in its place. The caller keeps it with the last two verdicts. */
static enum verdict insert(struct datagram *d, struct rte_mbuf *m, bool last)
{
	struct pkt_meta *meta = pkt_meta(m);
	struct rte_mbuf **link = &d->first;

	while (*link && pkt_meta(*link)->fragment_end <= meta->fragment_start)
		link = &pkt_meta(*link)->next_fragment;
	if (*link) {
		const struct pkt_meta *after = pkt_meta(*link);

		if (after->fragment_start == meta->fragment_start &&
		    after->fragment_end == meta->fragment_end)
			return IS_COPY;
		if (after->fragment_start < meta->fragment_end)
			return IS_BAD; /* overlap */
	}
	if (last && (d->end || *link))
		return IS_BAD; /* two ends, or something behind the end */
	if (d->end && meta->fragment_end > d->end)
		return IS_BAD;
	if (d->count == FRAGMENTS_PER_DATAGRAM)
		return IS_BAD;
	meta->next_fragment = *link;
	*link = m;
	d->count++;
	d->bytes += meta->fragment_end - meta->fragment_start;
	if (last)
		d->end = meta->fragment_end;
	return d->end && d->bytes == d->end ? WHOLE : WAITS;
}

/*
 * The ECN field of the whole (RFC 3168 5.3): CE when one fragment has CE, and none at all when others say that their
 * transport knows no ECN. False: to be dropped.
 */
static bool join_ecn(struct rte_mbuf *first)
{
	bool ce = false, not_ect = false;
	struct rte_ipv4_hdr *ip = ipv4_of(first);

	for (struct rte_mbuf *m = first; m; m = pkt_meta(m)->next_fragment) {
		uint8_t ecn = ipv4_of(m)->type_of_service & RTE_IPV4_HDR_ECN_MASK;

		ce |= ecn == RTE_IPV4_HDR_ECN_CE;
		not_ect |= ecn == 0;
	}
	if (ce)
		ip->type_of_service |= RTE_IPV4_HDR_ECN_CE;
	return !(ce && not_ect);
}

/* Chains the fragments behind the first and makes its header that of the whole packet. */
static struct rte_mbuf *join(struct worker *w, struct datagram *d)
{
	struct rte_mbuf *whole = d->first;
	struct rte_mbuf *m = pkt_meta(whole)->next_fragment;
	struct rte_ipv4_hdr *ip = ipv4_of(whole);

	if (!join_ecn(whole)) {
		refuse(w, d);
		return NULL;
	}
	forget(w->reassembly, d);
	while (m) {
		struct rte_mbuf *next = pkt_meta(m)->next_fragment;

		w->slots[pkt_meta(m)->slot].absorbed++;
		trace_stage(w, TRACE_ABSORBED, 0, &m, 1);
		rte_pktmbuf_adj(m, IPV4_BYTES);
		rte_pktmbuf_chain(whole, m);
		m = next;
	}
	ip->total_length = rte_cpu_to_be_16((uint16_t)whole->pkt_len);
	ip->fragment_offset = 0;
	ipv4_checksum_set(ip);
	return whole;
}

/* No fragment that an honest host or router makes. */
static bool is_odd(struct rte_mbuf *m, bool last)
{
	const struct pkt_meta *meta = pkt_meta(m);
	unsigned bytes = meta->fragment_end - meta->fragment_start;

	if (bytes == 0 || (!last && bytes % RTE_IPV4_HDR_OFFSET_UNITS))
		return true;
	return meta->fragment_start == 0 &&
	    (bytes < FIRST_FRAGMENT_BYTES_MIN ||
		m->data_len < IPV4_BYTES + FIRST_FRAGMENT_BYTES_MIN);
}

struct rte_mbuf *reassemble(struct worker *w, struct rte_mbuf *m)
{
	struct worker_reassembly *r = w->reassembly;
	const struct rte_ipv4_hdr *ip = ipv4_of(m);
	struct pkt_meta *meta = pkt_meta(m);
	struct datagram_key key = {.src = ip->src_addr,
	    .dst = ip->dst_addr,
	    .id = ip->packet_id,
	    .attachment = meta->attachment,
	    .protocol = ip->next_proto_id};
	bool last = !(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG));
	struct datagram *d;

	meta->fragment_start = (uint16_t)ipv4_fragment_offset(ip);
	meta->fragment_end = (uint16_t)ipv4_fragment_end(ip);
	if (is_odd(m, last)) {
		drop(w, m, DROP_REASSEMBLY);
		return NULL;
	}
	if (r->waiting >= r->waiting_max && r->oldest != NOBODY)
		refuse(w, &r->datagram[r->oldest]);
	d = find(r, &key);
	if (!d)
		d = start(w, &key);
	switch (insert(d, m, last)) {
	case WAITS:
		r->waiting++;
		return NULL;
	case WHOLE:
		r->waiting++;
		return join(w, d);
	case IS_BAD:
		refuse(w, d);
		break;
	case IS_COPY:
		break;
	}
	drop(w, m, DROP_REASSEMBLY);
	return NULL;
}

void reassembly_expire(struct worker *w)
{
	struct worker_reassembly *r = w->reassembly;

	while (r->oldest != NOBODY && r->datagram[r->oldest].expires <= w->now)
		refuse(w, &r->datagram[r->oldest]);
}

void reassembly_free(struct worker *w)
{
	struct worker_reassembly *r = w->reassembly;

	if (!r)
		return;
	while (r->oldest != NOBODY)
		refuse(w, &r->datagram[r->oldest]);
	rte_free(r);
	w->reassembly = NULL;
}
