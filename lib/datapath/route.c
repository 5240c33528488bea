/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which way? (A2, R5, R8; RFC 1812 5.2.4, 5.3.1)
 *
 * The table of the ingress (interface, or tunnel after decryption) names the next hop of a destination; the
 * routing policies behind that route say whether this ingress may use it; a group picks a leaf by the hash of the
 * flow; the TTL is spent. Packets of a burst are taken table by table, so that a table is asked with many addresses
 * at once; packets of one flow stay in order, because a flow has one ingress, and that one table.
 *
 * An uplink carries no transit: what it brings must be for an address of the router.
 * The permit that counts is that of the route: the entry in the table, leaf or group.
 */

#include "boundary/decide.h"
#include "boundary/flow.h"
#include "datapath/ipv4.h"
#include "datapath/stage.h"

const struct fib *ingress_fib(struct worker *w, const struct pkt_meta *meta)
{
	if (meta->iface) {
		const struct iface *iface = iface_get(&w->b->ifaces, meta->iface);

		return iface ? iface->fib : NULL;
	}
	if (meta->tunnel) {
		const struct tunnel *tunnel = tunnel_get(&w->b->tunnels, meta->tunnel);

		return tunnel ? tunnel->fib : NULL;
	}
	return NULL;
}

static __rte_noinline uint32_t flow_of_any(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	rte_be64_t addresses;
	rte_be32_t ports = 0;

	memcpy(&addresses, &ip->src_addr, sizeof(addresses));
	if (flow_has_ports(ip->next_proto_id) && !ipv4_is_fragment(ip) &&
	    m->data_len >= IPV4_BYTES + sizeof(ports))
		memcpy(&ports, ip + 1, sizeof(ports));
	return flow_hash_words(addresses, ip->next_proto_id, ports);
}

/* The same; TCP and UDP in whole packets, which is nearly all, in fewer questions: fragment bits and protocol as one
 * number, of the eight octets from the IPv4 ID on. */
static inline uint32_t flow_of(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip)
{
	const uint64_t fragment = (uint64_t)RTE_BE16(IPV4_FRAGMENT_BITS) << 16;
	const unsigned protocol_at = 40;
	rte_be64_t addresses;
	rte_le64_t octets;
	rte_be32_t ports;
	uint64_t kind;

	memcpy(&octets, &ip->packet_id, sizeof(octets));
	kind = rte_le_to_cpu_64(octets) & (fragment | UINT64_C(0xff) << protocol_at);
	if (unlikely((kind != (uint64_t)IPPROTO_UDP << protocol_at &&
			 kind != (uint64_t)IPPROTO_TCP << protocol_at) ||
		m->data_len < IPV4_BYTES + sizeof(ports)))
		return flow_of_any(m, ip);
	memcpy(&addresses, &ip->src_addr, sizeof(addresses));
	memcpy(&ports, ip + 1, sizeof(ports));
	return flow_hash_words(addresses, (uint8_t)(kind >> protocol_at), ports);
}

/* Transit costs a packet one of its TTL; false: it had no more, and is dropped. */
static inline bool spend_ttl(struct worker *w, struct rte_mbuf *m, struct rte_ipv4_hdr *ip)
{
	uint32_t ttl_word = ipv4_ttl_word(ip);

	if (unlikely((uint8_t)ttl_word <= 1)) {
		drop_with_icmp(w, m, DROP_TTL_EXCEEDED, 0);
		return false;
	}
	ipv4_ttl_decrement(ip, ttl_word);
	return true;
}

/*
 * An answer of the router on its way back to the attachment that asked (RFC 1812 4.3.2.4). Policies are about transit
 * between attachments: without that one, whoever sits behind a private circuit would never hear that a packet is too big.
 */
static inline bool is_own_answer(struct rte_mbuf *m, const struct nexthop *nh)
{
	const struct pkt_meta *meta = pkt_meta(m);

	return meta->slot == SLOT_CONTROL && meta->iface && nh->attachment == meta->attachment;
}

/* Any packet: the leaf that it leaves by; NULL: it is dropped, and why, or in `local`. */
static __rte_noinline const struct nexthop *leaf_of_any(
    struct worker *w, struct rte_mbuf *m, const struct nexthop *nh, struct burst *local)
{
	unsigned why = decide_entry(nh, pkt_meta(m)->attachment);

	if (unlikely(why != DROP_NOT) && !(why == DROP_POLICY_DENIED && is_own_answer(m, nh))) {
		drop_with_icmp(w, m, why, 0); /* nobody is told of what came in on an uplink */
		return NULL;
	}
	if (nh->kind == NH_GROUP) {
		nh = decide_member(&w->b->nexthops, nh, flow_of(m, ipv4_of(m)));
		if (unlikely(!nh)) {
			drop_with_icmp(w, m, DROP_NO_MEMBER, 0);
			return NULL;
		}
	}
	if (nh->kind == NH_LOCAL)
		burst_put(local, m);
	else if (nh->kind == NH_BLACKHOLE)
		drop(w, m, DROP_BLACKHOLE);
	else
		return nh;
	return NULL;
}

/* The same; transit that nothing keeps from leaving, which is nearly all, takes the short way. *tunnel: it goes into
 * that one, and what is returned is not NULL, but need not be the leaf; 0: into none. */
static inline const struct nexthop *leaf_of(struct worker *w, const struct nexthops *t,
    struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, const struct nexthop *nh,
    struct burst *local, uint32_t *tunnel)
{
	const struct nexthop *leaf = nh;

	if (unlikely(!decide_transit(nh, pkt_meta(m)->attachment))) {
		leaf = leaf_of_any(w, m, nh, local);
	} else if (nh->kind == NH_GROUP) {
		unsigned bucket = nexthop_bucket(flow_of(m, ip));

		*tunnel = nexthop_bucket_tunnel(nh, bucket);
		if (likely(*tunnel))
			return nh;
		leaf = nexthop_get(t, nh->bucket[bucket]);
		if (unlikely(!leaf || !nexthop_is_way_on(leaf)))
			leaf = leaf_of_any(w, m, nh, local);
	}
	*tunnel = leaf && leaf->kind == NH_TUNNEL ? leaf->tunnel : 0;
	return leaf;
}

/* The destination; its entry of the table is on the way to the cache. */
static inline uint32_t ask(const struct fib *fib, struct rte_mbuf *m)
{
	uint32_t dst = rte_be_to_cpu_32(ipv4_of(m)->dst_addr);

	fib_prefetch_v4(fib, dst);
	return dst;
}

/* Packets of one table, asked for dst[]. */
static void route_by(struct worker *w, const struct fib *fib, const uint32_t *dst,
    struct rte_mbuf **m, unsigned n, struct routed *out)
{
	const struct nexthops t = w->b->nexthops; /* both to be kept in registers */
	const struct tunnels tunnels = w->b->tunnels;
	const struct nexthop *nh[BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		nh[i] = nexthop_get(&t, fib_lookup_v4_one(fib, dst[i]));
	for (unsigned i = 0; i < n; i++) {
		struct rte_ipv4_hdr *ip = ipv4_of(m[i]);
		uint32_t tunnel;
		const struct nexthop *leaf = leaf_of(w, &t, m[i], ip, nh[i], &out->local, &tunnel);

		if (unlikely(!leaf))
			continue;
		/* a branch, not an address: what is guessed need not be waited for */
		if (likely(tunnel)) {
			if (likely(spend_ttl(w, m[i], ip)))
				tunnelled_put(&out->tunnel, m[i], tunnel_get(&tunnels, tunnel));
		} else if (likely(spend_ttl(w, m[i], ip))) {
			departures_put(&out->clear, m[i], leaf);
		}
	}
}

/* Asks for packets, from the first on, that have the table of the first: from one interface, or out of tunnels of one
 * attachment. Returns how many. */
static inline unsigned ask_same(
    const struct fib *fib, struct rte_mbuf **m, unsigned n, uint32_t *dst)
{
	uint32_t key = pkt_meta(m[0])->table_key;
	unsigned i = 0;

	do
		dst[i] = ask(fib, m[i]);
	while (++i < n && pkt_meta(m[i])->table_key == key);
	return i;
}

/* The table of each packet; NULL where the ingress has gone. True: it is `first` for all. */
static bool find_fibs(struct worker *w, struct rte_mbuf **m, unsigned n, const struct fib *first,
    const struct fib *fib[BURST_MAX])
{
	bool same = true;

	for (unsigned i = 0; i < n; i++) {
		fib[i] = ingress_fib(w, pkt_meta(m[i]));
		same &= fib[i] == first;
	}
	return same;
}

/* Moves the packets of the first one's table to same[]; the others stay in front. Returns how many stay. */
static unsigned take_fib(struct rte_mbuf **m, const struct fib **fib, unsigned n,
    struct rte_mbuf *same[BURST_MAX], unsigned *taken)
{
	const struct fib *first = fib[0];
	unsigned left = 0, k = 0;

	for (unsigned i = 0; i < n; i++) {
		if (fib[i] == first) {
			same[k++] = m[i];
		} else {
			fib[left] = fib[i];
			m[left++] = m[i];
		}
	}
	*taken = k;
	return left;
}

static void route_or_drop(
    struct worker *w, const struct fib *fib, struct rte_mbuf **m, unsigned n, struct routed *out)
{
	uint32_t dst[BURST_MAX];

	if (unlikely(!fib)) {
		for (unsigned i = 0; i < n; i++)
			drop(w, m[i], decide_no_table(pkt_meta(m[i])->iface != 0));
		return;
	}
	for (unsigned i = 0; i < n; i++)
		dst[i] = ask(fib, m[i]);
	route_by(w, fib, dst, m, n, out);
}

/* Packets of several ingresses; `first`: the table of the first packet. */
static __rte_noinline void route_mixed(
    struct worker *w, const struct fib *first, struct rte_mbuf **m, unsigned n, struct routed *out)
{
	const struct fib *fib[BURST_MAX];

	if (find_fibs(w, m, n, first, fib)) {
		route_or_drop(w, first, m, n, out);
		return;
	}
	while (n > 0) {
		struct rte_mbuf *same[BURST_MAX];
		unsigned taken;

		first = fib[0];
		n = take_fib(m, fib, n, same, &taken);
		route_or_drop(w, first, same, taken, out);
	}
}

void route(struct worker *w, struct rte_mbuf **m, unsigned n, struct routed *out)
{
	const struct fib *fib = ingress_fib(w, pkt_meta(m[0]));
	uint32_t dst[BURST_MAX];

	out->local.n = out->clear.n = out->tunnel.n = 0;
	if (likely(fib && ask_same(fib, m, n, dst) == n))
		route_by(w, fib, dst, m, n, out);
	else
		route_mixed(w, fib, m, n, out);
}
