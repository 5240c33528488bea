/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Runs in the kernel, for every frame that an interface receives, before the kernel has looked at it: what belongs to
 * the router goes to its AF_XDP socket of that queue, everything else stays with the kernel as if this was not here.
 * Whatever is doubtful is the kernel's, so that the host stays reachable.
 *
 *   frame -> VLAN -> whose is it? -+- ALL        the router's
 *                                  +- REST       the router's, but for addresses of the host
 *                                  +- ADDRESSED  the router's, if for its addresses: ESP, UDP 500 and 4500, ICMP,
 *                                  |             their fragments, ARP, neighbour discovery
 *                                  +- HOST       the kernel's
 *
 * Where the router has a MAC address of its own, unicast frames are told apart by that alone. The maps start empty:
 * until the process has filled them in, everything is the kernel's.
 *
 * Only packet bytes and the stable struct xdp_md are read, so the object runs on every kernel that has AF_XDP.
 */

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_layout.h"

#define PROTO_ICMP   1
#define PROTO_UDP    17
#define PROTO_ESP    50
#define PROTO_ICMPV6 58
#define PROTO_FRAG6  44
#define PORT_IKE     500
#define PORT_NATT    4500
#define ND_SOLICIT   135
#define ND_ADVERTISE 136

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, STEER_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STEER_VLANS);
	__type(key, __u32);
	__type(value, __u8);
} steer_vlans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STEER_ADDRESSES);
	__type(key, struct steer_address);
	__type(value, __u8);
} steer_ours SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, STEER_ADDRESSES);
	__type(key, struct steer_address);
	__type(value, __u8);
} steer_hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct steer_port);
} steer_port SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_VERDICTS);
	__type(key, __u32);
	__type(value, __u64);
} steer_counts SEC(".maps");

/* What is left of the frame. */
struct view {
	const __u8 *at;
	const __u8 *end;
};

#define HAS(v, bytes) ((v)->at + (bytes) <= (v)->end)

static __always_inline __u16 load16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static __always_inline int known4(void *map, __u16 vlan, const __u8 *address)
{
	struct steer_address key = {.vlan = vlan, .family = 4};

	__builtin_memcpy(key.bytes, address, 4);
	return bpf_map_lookup_elem(map, &key) != 0;
}

static __always_inline int known6(void *map, __u16 vlan, const __u8 *address)
{
	struct steer_address key = {.vlan = vlan, .family = 6};

	__builtin_memcpy(key.bytes, address, 16);
	return bpf_map_lookup_elem(map, &key) != 0;
}

static __always_inline int udp_verdict(const __u8 *udp, const __u8 *end)
{
	if (udp + 4 > end)
		return STEER_TRUNCATED;
	__u16 port = load16(udp + 2);
	return port == PORT_IKE || port == PORT_NATT ? STEER_IKE : STEER_HOST;
}

/* ---- addressed to the router, and of its protocols? ---- */

static __always_inline int addressed4(const struct view *v, __u16 vlan)
{
	if (!HAS(v, 20))
		return STEER_TRUNCATED;
	if (!known4(&steer_ours, vlan, v->at + 16))
		return STEER_HOST;
	__u8 proto = v->at[9];
	if (proto != PROTO_ESP && proto != PROTO_UDP && proto != PROTO_ICMP)
		return STEER_HOST;
	if (load16(v->at + 6) & 0x1fff)
		return STEER_FRAGMENT;
	if (proto == PROTO_ESP)
		return STEER_ESP;
	if (proto == PROTO_ICMP)
		return STEER_ICMP;
	return udp_verdict(v->at + (v->at[0] & 0xf) * 4, v->end);
}

static __always_inline int discovery6(const struct view *v, __u16 vlan)
{
	if (!HAS(v, 64)) /* type, code, checksum, 4 bytes, target */
		return STEER_HOST;
	__u8 type = v->at[40];
	if ((type == ND_SOLICIT || type == ND_ADVERTISE) && known6(&steer_ours, vlan, v->at + 48))
		return STEER_NEIGHBOUR;
	return STEER_HOST;
}

static __always_inline int addressed6(const struct view *v, __u16 vlan)
{
	if (!HAS(v, 40))
		return STEER_TRUNCATED;
	__u8 proto = v->at[6];
	if (!known6(&steer_ours, vlan, v->at + 24)) /* solicitations go to a multicast address */
		return proto == PROTO_ICMPV6 ? discovery6(v, vlan) : STEER_HOST;
	if (proto == PROTO_ESP)
		return STEER_ESP;
	if (proto == PROTO_ICMPV6)
		return STEER_ICMP;
	if (proto == PROTO_FRAG6)
		return STEER_FRAGMENT;
	return proto == PROTO_UDP ? udp_verdict(v->at + 40, v->end) : STEER_HOST;
}

/* Requests and answers alike: the target is us. */
static __always_inline int arp(const struct view *v, __u16 vlan)
{
	if (!HAS(v, 28))
		return STEER_TRUNCATED;
	return known4(&steer_ours, vlan, v->at + 24) ? STEER_NEIGHBOUR : STEER_HOST;
}

static __always_inline int addressed(const struct view *v, __u16 type, __u16 vlan)
{
	if (type == ETH_P_ARP)
		return arp(v, vlan);
	if (type == ETH_P_IP)
		return addressed4(v, vlan);
	return type == ETH_P_IPV6 ? addressed6(v, vlan) : STEER_HOST;
}

/* ---- the router's, unless it is for the host ---- */

static __always_inline int rest(const struct view *v, __u16 type, __u16 vlan)
{
	if (type == ETH_P_IP) {
		if (!HAS(v, 20))
			return STEER_TRUNCATED;
		return known4(&steer_hosts, 0, v->at + 16) ? STEER_HOST : STEER_ATTACHMENT;
	}
	if (type == ETH_P_IPV6) {
		if (!HAS(v, 40))
			return STEER_TRUNCATED;
		return known6(&steer_hosts, 0, v->at + 24) ? STEER_HOST : STEER_ATTACHMENT;
	}
	return addressed(v, type, vlan);
}

static __always_inline int is_own_mac(const struct steer_port *port, const __u8 *frame)
{
	int same = 1;

	for (int i = 0; i < 6; i++)
		same &= frame[i] == port->mac[i];
	return same;
}

static __always_inline int verdict_of(struct xdp_md *ctx, const struct steer_port *port)
{
	const __u8 *frame = (const __u8 *)(long)ctx->data;
	struct view v = {frame + ETH_HLEN, (const __u8 *)(long)ctx->data_end};
	__u16 type, vlan = 0;

	if (port->everything)
		return STEER_EVERYTHING;
	if (v.at > v.end)
		return STEER_TRUNCATED;
	type = load16(frame + 12);
	if (type == ETH_P_8021Q) {
		if (!HAS(&v, 4))
			return STEER_TRUNCATED;
		vlan = load16(v.at) & 0xfff;
		type = load16(v.at + 2);
		v.at += 4;
	}
	__u32 key = vlan;
	__u8 *mode = bpf_map_lookup_elem(&steer_vlans, &key);
	if (!mode || *mode == STEER_MODE_HOST)
		return STEER_HOST;
	if (*mode == STEER_MODE_ALL)
		return STEER_ATTACHMENT;
	if (port->own_mac && !(frame[0] & 1))
		return is_own_mac(port, frame) ? STEER_ATTACHMENT : STEER_HOST;
	if (*mode == STEER_MODE_REST && !port->own_mac && !(frame[0] & 1))
		return rest(&v, type, vlan);
	return addressed(&v, type, vlan);
}

static __always_inline void count(__u32 verdict)
{
	__u64 *n = bpf_map_lookup_elem(&steer_counts, &verdict);

	if (n)
		(*n)++;
}

SEC("xdp")
int transitd_steer(struct xdp_md *ctx)
{
	__u32 zero = 0, queue = ctx->rx_queue_index;
	const struct steer_port *port = bpf_map_lookup_elem(&steer_port, &zero);
	int verdict = port ? verdict_of(ctx, port) : STEER_HOST;

	if (verdict > STEER_LAST_ROUTER) {
		count(verdict);
		return XDP_PASS;
	}
	if (!bpf_map_lookup_elem(&xsks_map, &queue)) {
		count(STEER_NO_SOCKET);
		return XDP_PASS;
	}
	count(verdict);
	return bpf_redirect_map(&xsks_map, queue, XDP_PASS);
}

/* None of the helpers asks for the GPL. */
char license_text[] SEC("license") = "BSD-3-Clause";
