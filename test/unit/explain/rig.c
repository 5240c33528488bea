/* SPDX-License-Identifier: BSD-3-Clause */
/* rig.h says what this builds. */

#include "rig.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "base/mem.h"
#include "boundary/decide.h"
#include "datapath/stage.h"

#define WIRE 64

static const char *const port_names[RIG_PORTS] = {"wan0", "wan1", "lan0", "lan1"};

/* ---- fixtures ---- */

static void open_port(struct rig *r, unsigned i)
{
	struct rte_eth_conf conf = {0};
	struct port *p = &r->port[i];
	char name[32];

	snprintf(name, sizeof(name), "in%u", i);
	r->in[i] = rte_ring_create(name, WIRE, SOCKET_ID_ANY, 0);
	snprintf(name, sizeof(name), "out%u", i);
	r->out[i] = rte_ring_create(name, WIRE, SOCKET_ID_ANY, 0);
	snprintf(name, sizeof(name), "wire%u", i);
	int id = rte_eth_from_rings(name, &r->in[i], 1, &r->out[i], 1, 0);
	assert_true(id >= 0);
	assert_int_equal(rte_eth_dev_configure((uint16_t)id, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_rx_queue_setup((uint16_t)id, 0, WIRE, 0, NULL, r->b->pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup((uint16_t)id, 0, WIRE, 0, NULL), 0);
	assert_int_equal(rte_eth_dev_start((uint16_t)id), 0);
	*p = (struct port){.dpdk_id = (uint16_t)id,
	    .index = (uint16_t)i,
	    .rx_queues = 1,
	    .tx_queues = 1,
	    .tx_shared = true,
	    .mtu = 1500};
	p->mac.addr_bytes[0] = 2;
	p->mac.addr_bytes[5] = (uint8_t)i;
	snprintf(p->name, sizeof(p->name), "%s", port_names[i]);
	atomic_store(&p->link_up, true);
	rte_spinlock_init(&p->tx_lock[0]);
	r->b->port[r->b->ports++] = p;
}

int rig_setup(void **state)
{
	const struct boundary_limits limits = {.workers = 1,
	    .ifaces = 256,
	    .neighbours = 4096,
	    .nexthops = 4096,
	    .tunnels = 256,
	    .sas = 256,
	    .slots = 512};
	const struct model_limits model = {.routes_per_table = 4096, .tbl8_per_table = 256};
	struct rig *r = xcalloc(1, sizeof(*r));
	const char *why;

	if (test_eal_setup(state) < 0)
		return -1;
	*state = r;
	r->rng = test_rng();
	r->crypto = crypto_open("auto", 1, 256, &why);
	assert_non_null(r->crypto);
	r->b = boundary_create(&limits, r->crypto, rte_mempool_lookup(TEST_POOL));
	assert_non_null(r->b);
	for (unsigned i = 0; i < RIG_PORTS; i++)
		open_port(r, i);
	r->w = workers_create(r->b, false);
	assert_non_null(r->w);
	for (uint16_t i = 0; i < RIG_PORTS; i++)
		assert_int_equal(worker_add_queue(r->w, i, 0), 0);
	r->m = model_create(r->b, &model);
	return 0;
}

static void sas_remove(struct rig *r)
{
	const struct model_tunnel **all;
	unsigned count = model_tunnels(r->m, &all);

	for (unsigned i = 0; i < count; i++)
		rig_tunnel(r, all[i]->name, TUNNEL_DOWN);
	for (unsigned i = 0; i < r->sas; i++)
		sa_out_remove(r->b->sas, r->sa[i]);
	r->sas = 0;
}

int rig_teardown(void **state)
{
	struct rig *r = *state;

	sas_remove(r);
	model_free(r->m);
	workers_free(r->w, 1);
	conf_free(r->conf);
	boundary_free(r->b);
	crypto_close(r->crypto);
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		rte_eth_dev_stop(r->port[i].dpdk_id);
		rte_eth_dev_close(r->port[i].dpdk_id);
		rte_ring_free(r->in[i]);
		rte_ring_free(r->out[i]);
	}
	free(r);
	test_packets_all_home();
	return test_eal_teardown(state);
}

/* ---- configuration ---- */

static struct sa_out *make_sa(struct rig *r, const struct model_tunnel *t)
{
	struct sa_spec spec = {.spi = 0x10000u + t->index * 16u + r->sas,
	    .tunnel = t->index,
	    .attachment = t->attachment,
	    .slot = t->slot,
	    .inner_family = IP_V4,
	    .local = t->conf->gateway_address,
	    .remote = t->conf->customer_gateway->address,
	    .encr = ENCR_AES128GCM16,
	    .auth = AUTH_NONE,
	    .df = SA_DF_CLEAR,
	    .outer_mtu = t->outer_mtu,
	    .underlay = model_underlay(
		r->m, &t->conf->gateway_address, &t->conf->customer_gateway->address)};

	if (!spec.underlay || r->sas == TEST_COUNT(r->sa))
		return NULL;
	r->sa[r->sas] = sa_out_create(r->b->sas, &spec);
	assert_non_null(r->sa[r->sas]);
	return r->sa[r->sas++];
}

static const struct ip_prefix everything = {.addr = {.family = IP_V4}};

/* One SA for each pair of the lists, or one for all. */
static void add_sas(struct rig *r, const struct model_tunnel *t, struct tunnel *record)
{
	const struct conf_connection *c = t->conf->connection;
	bool flows = c->routing_mode == CONF_ROUTING_FLOW_PROTECTION;
	const struct ip_prefix *remote = flows ? c->peer_cidrs : &everything;
	unsigned count = flows ? c->peer_cidrs_count : 1;

	for (unsigned i = 0; i < count; i++) {
		struct sa_out *sa = make_sa(r, t);

		if (!sa)
			return;
		record->out[record->out_count].sa = sa;
		record->out[record->out_count++].selector = (struct sa_selector){
		    .local = ip_range_of_prefix(flows ? &c->local_cidrs[0] : &everything),
		    .remote = ip_range_of_prefix(&remote[i]),
		    .local_port_last = UINT16_MAX,
		    .remote_port_last = UINT16_MAX};
	}
	record->any = !flows;
}

void rig_tunnel(struct rig *r, const char *name, enum tunnel_state state)
{
	static const enum model_tunnel_state of[] = {
	    [TUNNEL_DOWN] = MODEL_TUNNEL_DOWN,
	    [TUNNEL_TRAP] = MODEL_TUNNEL_TRAP,
	    [TUNNEL_UNFIT] = MODEL_TUNNEL_DOWN,
	    [TUNNEL_UP] = MODEL_TUNNEL_UP,
	};
	const struct model_tunnel **all;
	unsigned count = model_tunnels(r->m, &all);

	for (unsigned i = 0; i < count; i++) {
		const struct model_tunnel *t = all[i];
		struct tunnel record = {.index = t->index,
		    .slot = t->slot,
		    .attachment = t->attachment,
		    .fib = t->fib,
		    .inner_mtu = 1300};

		if (strcmp(t->name, name) != 0)
			continue;
		if (state >= TUNNEL_UNFIT)
			add_sas(r, t, &record);
		record.state =
		    (uint8_t)(record.out_count || state == TUNNEL_TRAP ? state : TUNNEL_DOWN);
		tunnel_publish(&r->b->tunnels, &record);
		model_tunnel_set(r->m, t->index, of[record.state]);
	}
}

static void know(struct rig *r, uint32_t iface, const struct ip_addr *addr, unsigned chance)
{
	static uint8_t last;
	struct rte_ether_addr mac = {{2, 0xee, 0, 0, 0, ++last}};

	if (rng_below(&r->rng, 100) < chance)
		neigh_publish(r->b->neighbours, iface_get(&r->b->ifaces, iface), addr, &mac);
}

void rig_neighbours(struct rig *r, unsigned chance)
{
	const struct model_iface **all;
	unsigned count = model_ifaces(r->m, &all);

	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < all[i]->gateway_count; k++)
			know(r, all[i]->index, &all[i]->gateway[k], chance);
		for (unsigned k = 0; k < all[i]->address_count; k++) {
			struct ip_addr a =
			    ip_prefix_of(&all[i]->address[k].addr, all[i]->address[k].len).addr;

			for (unsigned host = 1; host < 100; host++) {
				a = ip_next(&a);
				know(r, all[i]->index, &a, chance);
			}
		}
	}
}

void rig_apply(struct rig *r, struct conf *conf)
{
	static const enum tunnel_state states[] = {
	    TUNNEL_UP, TUNNEL_UP, TUNNEL_UP, TUNNEL_DOWN, TUNNEL_TRAP, TUNNEL_UNFIT};
	const struct model_tunnel **all;

	sas_remove(r);
	assert_int_equal(model_apply(r->m, conf), 0);
	conf_free(r->conf);
	r->conf = conf;
	unsigned count = model_tunnels(r->m, &all);
	for (unsigned i = 0; i < count; i++)
		rig_tunnel(r, all[i]->name, states[rng_below(&r->rng, TEST_COUNT(states))]);
	rig_neighbours(r, 80);
	epoch_flush(r->b->epoch);
}

/* ---- packets ---- */

static void put_ip(struct rte_mbuf *m, const struct model_flow *f, bool df)
{
	unsigned len = f->bytes < 60 ? 60 : f->bytes;
	struct rte_ipv4_hdr *ip = (void *)rte_pktmbuf_append(m, (uint16_t)len);
	uint8_t *l4 = (uint8_t *)(ip + 1);

	memset(ip, 0, len);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16((uint16_t)len);
	ip->fragment_offset = df ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
	ip->time_to_live = 64;
	ip->next_proto_id = f->protocol;
	memcpy(&ip->src_addr, f->src.bytes, 4);
	memcpy(&ip->dst_addr, f->dst.bytes, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	l4[0] = (uint8_t)(f->src_port >> 8);
	l4[1] = (uint8_t)f->src_port;
	l4[2] = (uint8_t)(f->dst_port >> 8);
	l4[3] = (uint8_t)f->dst_port;
	if (f->protocol == IPPROTO_TCP)
		l4[12] = 5 << 4; /* a header of 20 bytes, no SYN */
}

static void enter_by_port(struct rig *r, struct rte_mbuf *m, const struct model_iface *i,
    const struct model_flow *f, bool df)
{
	const struct iface *record = iface_get(&r->b->ifaces, i->index);
	struct rte_ether_hdr *eth = (void *)rte_pktmbuf_append(m, sizeof(*eth));

	memset(eth, 0, sizeof(*eth));
	eth->dst_addr = r->port[record->port].mac;
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	if (record->vlan != VLAN_NONE) {
		struct rte_vlan_hdr *tag = (void *)rte_pktmbuf_append(m, sizeof(*tag));

		eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_VLAN);
		tag->vlan_tci = rte_cpu_to_be_16(record->vlan);
		tag->eth_proto = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	}
	put_ip(m, f, df);
	assert_int_equal(rte_ring_enqueue(r->in[record->port], m), 0);
}

/* As if decrypted from a tunnel of it. */
static void enter_by_tunnel(
    struct rig *r, struct rte_mbuf *m, uint32_t tunnel, const struct model_flow *f, bool df)
{
	put_ip(m, f, df);
	pkt_meta(m)->tunnel = tunnel;
	pkt_meta(m)->detail = INJECT_ROUTE;
	assert_int_equal(inject_put(r->b->inject, 0, m), 0);
}

/* Returns the slot of the ledger where it was received. */
static uint16_t enter(struct rig *r, const struct model_flow *f, bool df)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->b->pool);
	const struct model_iface **ifaces;
	const struct model_tunnel **tunnels;
	unsigned n = model_ifaces(r->m, &ifaces);

	memset(pkt_meta(m), 0, sizeof(struct pkt_meta));
	for (unsigned i = 0; i < n; i++) {
		if (!ifaces[i]->attachment || strcmp(ifaces[i]->attachment->name, f->from) != 0)
			continue;
		enter_by_port(r, m, ifaces[i], f, df);
		return ifaces[i]->slot;
	}
	n = model_tunnels(r->m, &tunnels);
	for (unsigned i = 0; i < n; i++) {
		const struct conf_attachment *a = tunnels[i]->conf->connection->attachment;

		if (!a || strcmp(a->name, f->from) != 0)
			continue;
		enter_by_tunnel(r, m, tunnels[i]->index, f, df);
		return SLOT_CONTROL;
	}
	fail_msg("there is no attachment %s", f->from);
	return 0;
}

static void look_at(struct rig_outcome *out, unsigned port, const uint8_t *frame)
{
	unsigned at = 12;

	out->frames++;
	out->port = (uint16_t)port;
	out->vlan = VLAN_NONE;
	out->spi = 0;
	memcpy(out->mac, frame, 6);
	if (frame[at] == 0x81) {
		out->vlan = (uint16_t)((frame[at + 2] << 8 | frame[at + 3]) & 0xfff);
		at += 4;
	}
	const uint8_t *ip = frame + at + 2;
	if (ip[9] == IPPROTO_ESP)
		out->spi = (uint32_t)ip[20] << 24 | (uint32_t)ip[21] << 16 | (uint32_t)ip[22] << 8 |
		    ip[23];
}

void rig_send(struct rig *r, const struct model_flow *flow, bool df, struct rig_outcome *out)
{
	struct slot_counters before[512];
	struct rte_mbuf *m;

	memset(out, 0, sizeof(*out));
	memcpy(before, r->w->slots, sizeof(before));
	uint16_t slot = enter(r, flow, df);
	epoch_online(r->b->epoch, 0);
	while (worker_round(r->w) > 0)
		continue;
	epoch_offline(r->b->epoch, 0);
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		out->drop[i] = r->w->slots[slot].drop[i] - before[slot].drop[i];
		out->drops += (unsigned)out->drop[i];
	}
	for (unsigned c = 0; c < PUNT_CLASS_COUNT; c++) {
		while (punt_take(r->b->punt, c, &m, 1) == 1) {
			rte_pktmbuf_free(m);
			out->punted += c != PUNT_ICMP_ERROR;
			out->waiting += c == PUNT_NEIGH || c == PUNT_TRAP;
		}
	}
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		while (rte_ring_dequeue(r->out[i], (void **)&m) == 0) {
			look_at(out, i, rte_pktmbuf_mtod(m, const uint8_t *));
			rte_pktmbuf_free(m);
		}
	}
}
