/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace that runs: which packets are wanted, and what each of them is at a stage.
 *
 * A packet is judged where it comes in, and again when it came out of a tunnel, for then it is another one. With a
 * tunnel in the filter, ESP is known by its SPI, and what goes in by its route: its record of being received
 * follows then. A trace of drops marks what the filter wants and numbers it when it is dropped; what was wanted by
 * nobody before is judged once more there, as what was dropped before it was received by an interface.
 *
 * What the table said is asked again, by the functions of boundary/decide.h that the packet was routed by a moment ago:
 * so that routing need not keep it for a trace that is off.
 */

#include "datapath/trace.h"

#include <rte_esp.h>
#include <rte_ethdev.h>
#include <rte_icmp.h>

#include "boundary/decide.h"
#include "boundary/flow.h"
#include "datapath/ipv4.h"
#include "datapath/natt.h"

/* ---- the header of a packet in its record ---- */

static void read_esp(struct trace_record *r, const struct rte_mbuf *m, unsigned at)
{
	struct rte_esp_hdr esp;

	if (m->data_len < at + sizeof(esp))
		return;
	memcpy(&esp, rte_pktmbuf_mtod_offset(m, const void *, at), sizeof(esp));
	r->spi = rte_be_to_cpu_32(esp.spi);
	r->sequence = rte_be_to_cpu_32(esp.seq);
}

static void read_ports(struct trace_record *r, const struct rte_mbuf *m, unsigned at)
{
	rte_be16_t port[2];
	uint8_t icmp[2];

	if (m->data_len < at + sizeof(port))
		return;
	memcpy(port, rte_pktmbuf_mtod_offset(m, const void *, at), sizeof(port));
	if (r->protocol == IPPROTO_ICMP) {
		memcpy(icmp, port, sizeof(icmp));
		r->src_port = icmp[0];
		r->dst_port = icmp[1];
	} else if (flow_has_ports(r->protocol)) {
		r->src_port = rte_be_to_cpu_16(port[0]);
		r->dst_port = rte_be_to_cpu_16(port[1]);
	}
	if (r->protocol == IPPROTO_UDP && (r->dst_port == NATT_PORT || r->src_port == NATT_PORT))
		read_esp(r, m, at + UDP_BYTES);
}

static void read_header(struct trace_record *r, const struct rte_mbuf *m, unsigned at)
{
	struct rte_ipv4_hdr ip;

	if (m->data_len < at + sizeof(ip))
		return;
	memcpy(&ip, rte_pktmbuf_mtod_offset(m, const void *, at), sizeof(ip));
	if (ip.version_ihl >> 4 != IP_V4 || rte_ipv4_hdr_len(&ip) < sizeof(ip)) {
		r->version = ip.version_ihl >> 4 == 6 ? 6 : 0;
		return;
	}
	r->version = 4;
	r->src = rte_be_to_cpu_32(ip.src_addr);
	r->dst = rte_be_to_cpu_32(ip.dst_addr);
	r->protocol = ip.next_proto_id;
	r->ttl = ip.time_to_live;
	r->fragment = ipv4_is_fragment(&ip);
	if (r->fragment)
		return;
	if (r->protocol == IPPROTO_ESP)
		read_esp(r, m, at + rte_ipv4_hdr_len(&ip));
	else
		read_ports(r, m, at + rte_ipv4_hdr_len(&ip));
}

static struct trace_record record_of(struct worker *w, struct rte_mbuf *m)
{
	const struct pkt_meta *meta = pkt_meta(m);
	struct trace_record r = {
	    .clock = rte_rdtsc(),
	    .packet = meta->trace,
	    .worker = (uint8_t)w->id,
	    .attachment = meta->attachment,
	    .iface = meta->iface,
	    .tunnel = meta->tunnel,
	    .bytes = (uint16_t)(m->pkt_len - pkt_out_l2_bytes(meta->out)),
	    .l2_bytes = (uint8_t)pkt_out_l2_bytes(meta->out),
	};

	read_header(&r, m, pkt_out_l2_bytes(meta->out));
	return r;
}

/* The record with the packet behind it, as far as the trace keeps it and there is memory in `e`. */
static const struct trace_record *with_bytes(
    const struct worker *w, struct trace_entry *e, const struct trace_record *r, struct rte_mbuf *m)
{
	unsigned n = RTE_MIN((unsigned)w->trace->keep, m->pkt_len);
	const void *bytes = rte_pktmbuf_read(m, 0, n, e->bytes);

	if (bytes && bytes != e->bytes)
		memcpy(e->bytes, bytes, n);
	e->record = *r;
	e->record.kept = bytes ? (uint16_t)n : 0;
	return &e->record;
}

/* m: the packet of the record; NULL: no bytes of it are of interest. */
static void put(struct worker *w, struct trace_record *r, struct rte_mbuf *m,
    enum trace_stage stage, unsigned what)
{
	struct trace_entry e;

	r->stage = (uint8_t)stage;
	r->what = (uint16_t)what;
	if (w->trace->keep == 0) {
		trace_put(w->trace, r);
	} else if (m) {
		trace_put(w->trace, with_bytes(w, &e, r, m));
	} else {
		e.record = *r;
		trace_put(w->trace, &e.record);
	}
}

/* ---- which ---- */

static const struct sa_in *sa_of(struct worker *w, const struct trace_record *r)
{
	return r->spi ? sa_in_find(w->b->sas, r->spi) : NULL;
}

/* As it came in: by its ingress, or by the SA that it is for. */
static bool fits_received(struct worker *w, const struct trace_record *r)
{
	const struct trace_filter *f = &w->trace->filter;
	const struct sa_in *sa = f->tunnel || f->attachment ? sa_of(w, r) : NULL;

	if (f->tunnel && !(r->tunnel == f->tunnel || (sa && sa->head.tunnel == f->tunnel)))
		return false;
	if (f->attachment && r->attachment != f->attachment &&
	    !(sa && sa->head.attachment == f->attachment))
		return false;
	return trace_filter_fits(f, r);
}

/* Wanted from here on: with a number of its own, or as one that may be dropped. Does it have a number now? */
static bool want(struct worker *w, struct rte_mbuf *m, struct trace_record *r)
{
	const struct trace_session *s = w->trace;

	pkt_meta(m)->trace = s->filter.drops ? trace_candidate(s) : trace_number(w->trace);
	r->packet = pkt_meta(m)->trace;
	return !s->filter.drops && r->packet != 0;
}

static bool is_traced(const struct worker *w, struct rte_mbuf *m)
{
	return trace_has(w->trace, pkt_meta(m)->trace);
}

static bool is_enough(const struct worker *w)
{
	return atomic_load_explicit(&w->trace->taken, memory_order_relaxed) >= w->trace->wanted;
}

void trace_received_on(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n && !is_enough(w); i++) {
		struct trace_record r = record_of(w, m[i]);

		if (fits_received(w, &r) && want(w, m[i], &r))
			put(w, &r, m[i], TRACE_RECEIVED, 0);
	}
}

void trace_decrypted_on(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct trace_record r;

		if (!is_traced(w, m[i]) && is_enough(w))
			continue;
		r = record_of(w, m[i]);
		if (!is_traced(w, m[i]) && !(fits_received(w, &r) && want(w, m[i], &r)))
			continue;
		put(w, &r, m[i], TRACE_DECRYPTED, 0);
	}
}

/* ---- routing ---- */

/* What the table of its ingress says of it, to be called before its TTL or anything else decides. */
static void ask_table(struct worker *w, struct rte_mbuf *m, struct trace_record *r)
{
	const struct fib *fib = ingress_fib(w, pkt_meta(m));
	const struct nexthop *nh;
	uint32_t hop = 0;

	r->what = (uint16_t)decide_no_table(r->iface != 0);
	if (!fib)
		return;
	fib_lookup_v4(fib, &r->dst, &hop, 1);
	nh = nexthop_get(&w->b->nexthops, hop);
	r->entry = hop;
	r->what = (uint16_t)decide_entry(nh, r->attachment);
	if (nh && nh->kind == NH_GROUP) {
		bool ports = flow_has_ports(r->protocol) && !r->fragment;

		r->hash = flow_hash_v4(
		    r->src, r->dst, r->protocol, ports ? r->src_port : 0, ports ? r->dst_port : 0);
		nh = decide_member(&w->b->nexthops, nh, r->hash);
	}
	r->leaf = nh ? nh->index : 0;
}

static void routed(struct worker *w, struct rte_mbuf *m, const struct tunnel *into)
{
	const struct trace_filter *f = &w->trace->filter;
	bool traced = is_traced(w, m);
	struct trace_record r;

	if (!traced && !(f->tunnel && into && into->index == f->tunnel && !is_enough(w)))
		return;
	r = record_of(w, m);
	if (!traced) { /* into the tunnel that is wanted */
		r.tunnel = f->tunnel;
		if (!fits_received(w, &r) || !want(w, m, &r))
			return;
		r.tunnel = pkt_meta(m)->tunnel;
		put(w, &r, m, TRACE_RECEIVED, 0);
	}
	ask_table(w, m, &r);
	put(w, &r, NULL, TRACE_ROUTED, r.what);
}

void trace_routed_on(struct worker *w, const struct routed *to)
{
	for (unsigned i = 0; i < to->clear.n; i++)
		routed(w, to->clear.m[i], NULL);
	for (unsigned i = 0; i < to->tunnel.n; i++)
		routed(w, to->tunnel.m[i], to->tunnel.tunnel[i]);
	for (unsigned i = 0; i < to->local.n; i++)
		routed(w, to->local.m[i], NULL);
}

/* ---- the other stages ---- */

void trace_stage_on(
    struct worker *w, enum trace_stage stage, unsigned what, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (is_traced(w, m[i])) {
			struct trace_record r = record_of(w, m[i]);

			put(w, &r, stage == TRACE_ENCRYPTED ? m[i] : NULL, stage, what);
		}
	}
}

static bool is_of_routing(enum drop_reason reason)
{
	return reason == DROP_NO_ROUTE || reason == DROP_NOT_FOR_US || reason == DROP_BLACKHOLE ||
	    reason == DROP_POLICY_DENIED || reason == DROP_NO_MEMBER || reason == DROP_TTL_EXCEEDED;
}

/* Is it one of a trace of drops, and has a number now? */
static bool is_wanted_drop(struct worker *w, struct rte_mbuf *m, struct trace_record *r)
{
	const struct trace_session *s = w->trace;
	uint16_t mark = pkt_meta(m)->trace;

	if (is_enough(w) || (mark != trace_candidate(s) && !fits_received(w, r)))
		return false;
	if (mark != trace_candidate(s) && !s->filter.drops && r->iface)
		return false; /* judged where it was received */
	r->packet = trace_number(w->trace);
	return r->packet != 0;
}

static void dropped(struct worker *w, enum drop_reason reason, struct rte_mbuf *m)
{
	bool traced = is_traced(w, m);
	struct trace_record r;

	if (!traced && is_enough(w))
		return;
	r = record_of(w, m);
	if (reason == DROP_ETHERTYPE_UNKNOWN) { /* layer 2 has not been looked at any further */
		r.l2_bytes = (uint8_t)RTE_MIN(r.bytes, (unsigned)RTE_ETHER_HDR_LEN);
		r.bytes = (uint16_t)(r.bytes - r.l2_bytes);
		r.version = 0;
		r.protocol = r.ttl = 0;
		r.src = r.dst = r.spi = r.sequence = 0;
		r.src_port = r.dst_port = 0;
	}
	if (!traced) {
		if (!is_wanted_drop(w, m, &r))
			return;
		put(w, &r, m, TRACE_RECEIVED, 0);
	}
	if (is_of_routing(reason) && r.version == 4 && (r.iface || r.tunnel)) {
		struct trace_record asked = r;

		ask_table(w, m, &asked);
		put(w, &asked, NULL, TRACE_ROUTED, asked.what);
	}
	if (reason == DROP_POLICED) {
		r.gate = w->gate;
	} else if (reason == DROP_VLAN_UNKNOWN) {
		r.frame.port = pkt_meta(m)->port;
		r.frame.vlan = (uint16_t)pkt_meta(m)->vlan;
	}
	put(w, &r, m, TRACE_DROPPED, reason);
}

void trace_dropped_on(struct worker *w, enum drop_reason reason, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dropped(w, reason, m[i]);
}

/* What punt_put() does; the packet is control's afterwards. */
int trace_punt_on(struct worker *w, struct rte_mbuf *m, enum punt_class class)
{
	bool traced = is_traced(w, m);
	struct trace_record r = {.packet = 0};
	int rc;

	if (traced)
		r = record_of(w, m);
	rc = punt_put(w->b->punt, w->id, class, m, w->now);
	if (traced && rc == 0)
		put(w, &r, NULL, TRACE_PUNTED, class);
	return rc;
}

/* One by one: the bytes of a packet are gone with it. */
static uint16_t send_with_bytes(
    struct worker *w, const struct port *port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	uint16_t sent = 0;

	while (sent < n) {
		bool traced = is_traced(w, m[sent]);
		struct trace_record r;
		struct trace_entry e;

		if (traced) {
			r = record_of(w, m[sent]);
			r.stage = TRACE_SENT;
			r.what = port->index;
			with_bytes(w, &e, &r, m[sent]);
		}
		if (rte_eth_tx_burst(port->dpdk_id, queue, &m[sent], 1) == 0)
			break;
		if (traced)
			trace_put(w->trace, &e.record);
		sent++;
	}
	return sent;
}

/* What rte_eth_tx_burst() does; the packets it took are the port's afterwards. */
uint16_t trace_send_on(
    struct worker *w, const struct port *port, uint16_t queue, struct rte_mbuf **m, uint16_t n)
{
	struct trace_record r[BURST_MAX];
	uint16_t sent;

	if (w->trace->keep)
		return send_with_bytes(w, port, queue, m, n);
	for (unsigned i = 0; i < n; i++) {
		r[i].packet = 0;
		if (is_traced(w, m[i]))
			r[i] = record_of(w, m[i]);
	}
	sent = rte_eth_tx_burst(port->dpdk_id, queue, m, n);
	for (unsigned i = 0; i < sent; i++) {
		if (r[i].packet)
			put(w, &r[i], NULL, TRACE_SENT, port->index);
	}
	return sent;
}
