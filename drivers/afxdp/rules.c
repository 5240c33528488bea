/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Rules into the maps of the program, counters out of them.
 *
 * Each element changes atomically and workers of the kernel read them meanwhile: what is new is added before what is no
 * longer wanted is taken away, so traffic of objects that stay is never lost.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_packet.h>

#include "afxdp/internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "drivers/kernel_if.h"

#define LOG "xdp"

/* ---- sets of addresses ---- */

struct set {
	struct steer_address *item;
	unsigned count, capacity;
};

static void set_add(struct set *set, uint16_t vlan, uint16_t family, const void *bytes)
{
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? 2 * set->capacity : 64;
		set->item = xrealloc(set->item, set->capacity * sizeof(*set->item));
	}
	struct steer_address *a = &set->item[set->count++];
	memset(a, 0, sizeof(*a));
	a->vlan = vlan;
	a->family = family;
	memcpy(a->bytes, bytes, family == 4 ? 4 : 16);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct steer_address));
}

static bool set_has(const struct set *set, const struct steer_address *a)
{
	return set->count && bsearch(a, set->item, set->count, sizeof(*set->item), compare) != NULL;
}

/* The map holds what the set does. 0, or -errno of the first element that could not be added. */
static int map_follow(int fd, struct set *set)
{
	struct set gone = {0};
	struct steer_address key;
	const uint8_t one = 1;
	int rc = 0;

	if (set->count)
		qsort(set->item, set->count, sizeof(*set->item), compare);
	for (unsigned i = 0; i < set->count && rc == 0; i++)
		rc = bpf_map_update_elem(fd, &set->item[i], &one, BPF_ANY);
	for (void *from = NULL; bpf_map_get_next_key(fd, from, &key) == 0; from = &key) {
		if (!set_has(set, &key))
			set_add(&gone, key.vlan, key.family, key.bytes);
	}
	for (unsigned i = 0; i < gone.count; i++)
		bpf_map_delete_elem(fd, &gone.item[i]);
	free(gone.item);
	return rc;
}

/* ---- addresses of the host ---- */

static int hosts_follow(struct steer *s)
{
	struct ifaddrs *all = NULL;
	struct set set = {0};
	int rc;

	if (getifaddrs(&all) < 0)
		return -errno;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
			set_add(&set, 0, 4, &((struct sockaddr_in *)a->ifa_addr)->sin_addr);
		else if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET6)
			set_add(&set, 0, 6, &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr);
	}
	freeifaddrs(all);
	rc = map_follow(s->maps.hosts, &set);
	free(set.item);
	return rc;
}

void steer_tend(struct steer *s)
{
	static struct log_limit limit = {.interval_ns = DUR_S(60), .burst = 1};
	int rc = s->follows_hosts ? hosts_follow(s) : 0;

	if (rc < 0 && log_limit(&limit, mono_now(), NULL))
		log_write(LOG_WARNING, LOG, s->ifname,
		    "addresses of the host cannot be followed: %s", strerror(-rc));
}

/* ---- rules ---- */

static int vlans_follow(struct steer *s, const struct port_steering *rules)
{
	static const uint8_t mode_of[] = {
	    [PORT_SHARE_ADDRESSED] = STEER_MODE_ADDRESSED,
	    [PORT_SHARE_REST] = STEER_MODE_REST,
	    [PORT_SHARE_ALL] = STEER_MODE_ALL,
	};
	static uint8_t mode[STEER_VLANS];
	int rc = 0;

	memset(mode, STEER_MODE_HOST, sizeof(mode));
	for (unsigned i = 0; i < rules->vlan_count; i++) {
		uint8_t *m = &mode[rules->vlan[i].vlan % STEER_VLANS];
		uint8_t wanted = mode_of[rules->vlan[i].share];

		if (wanted > *m)
			*m = wanted;
	}
	for (uint32_t v = 0; v < STEER_VLANS && rc == 0; v++) {
		uint8_t now = STEER_MODE_HOST;

		bpf_map_lookup_elem(s->maps.vlans, &v, &now);
		if (now != mode[v])
			rc = bpf_map_update_elem(s->maps.vlans, &v, &mode[v], BPF_ANY);
	}
	return rc;
}

/* A NIC that takes VLAN tags off would hide them from the program. */
static void keep_tags(const struct steer *s, const struct port_steering *rules)
{
	bool tagged = rules->everything;
	int rc;

	for (unsigned i = 0; i < rules->vlan_count; i++)
		tagged |= rules->vlan[i].vlan != 0;
	rc = tagged ? kernel_if_keep_vlan_tags(s->ifname) : 0;
	if (rc < 0)
		log_write(LOG_WARNING, LOG, s->ifname,
		    "its VLAN offload cannot be switched off (%s): tagged frames may be missed; "
		    "`ethtool -K %s rxvlan off`",
		    strerror(-rc), s->ifname);
}

static bool uses_hosts(const struct port_steering *rules)
{
	for (unsigned i = 0; i < rules->vlan_count; i++) {
		if (rules->vlan[i].share == PORT_SHARE_REST)
			return true;
	}
	return false;
}

static int ours_follow(struct steer *s, const struct port_steering *rules)
{
	struct set set = {0};

	for (unsigned i = 0; i < rules->address_count; i++)
		set_add(&set, rules->address[i].vlan,
		    rules->address[i].address.family == IP_V4 ? 4 : 6,
		    rules->address[i].address.bytes);
	int rc = map_follow(s->maps.ours, &set);
	free(set.item);
	return rc;
}

int steer_apply(struct steer *s, const struct port_steering *rules)
{
	const uint32_t zero = 0;
	int rc = 0;

	keep_tags(s, rules);
	s->follows_hosts = uses_hosts(rules);
	if (s->follows_hosts) /* before any VLAN is ours but for them */
		rc = hosts_follow(s);
	if (rc == 0)
		rc = ours_follow(s, rules);
	if (rc == 0)
		rc = vlans_follow(s, rules);
	s->port.everything = rules->everything;
	if (rc == 0)
		rc = bpf_map_update_elem(s->maps.port, &zero, &s->port, BPF_ANY);
	return rc;
}

int steer_own_mac(struct steer *s, const uint8_t mac[6])
{
	struct packet_mreq member = {
	    .mr_ifindex = s->ifindex, .mr_type = PACKET_MR_UNICAST, .mr_alen = 6};

	memcpy(member.mr_address, mac, 6);
	memcpy(s->port.mac, mac, 6);
	s->port.own_mac = 1;
	s->mac_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->mac_fd < 0 ||
	    setsockopt(s->mac_fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof(member)) < 0)
		return -errno;
	return 0;
}

/* ---- counters ---- */

void steer_counts(const struct steer *s, port_count_fn *fn, void *ctx)
{
	static const char *const names[] = {
#define X(e, n, h) n,
	    STEER_VERDICT_LIST(X)
#undef X
	};
	int cpus = libbpf_num_possible_cpus();
	uint64_t *of_cpu = cpus > 0 ? xcalloc((size_t)cpus, sizeof(*of_cpu)) : NULL;

	for (uint32_t v = 0; of_cpu && v < STEER_VERDICTS; v++) {
		uint64_t sum = 0;

		if (bpf_map_lookup_elem(s->maps.counts, &v, of_cpu) < 0)
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += of_cpu[cpu];
		fn(ctx, names[v], sum);
	}
	free(of_cpu);
}
