/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests of rtnetlink (RFC 3549): a header, a body of a type, attributes; an answer with an error number. */

#include "host/netlink.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RULES_AT_ONCE 64 /* deleted before the list is asked for again */

struct request {
	struct nlmsghdr header;
	uint8_t rest[256];
};

int netlink_open(void)
{
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return nl < 0 ? -errno : nl;
}

/* A request with room for a body of that size, which is returned. */
static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t body)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return NLMSG_DATA(&r->header);
}

static void put(struct request *r, uint16_t type, const void *value, size_t len)
{
	uint8_t *at = (uint8_t *)r + NLMSG_ALIGN(r->header.nlmsg_len);
	const struct rtattr attr = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};

	memcpy(at, &attr, sizeof(attr));
	memcpy(at + RTA_LENGTH(0), value, len);
	r->header.nlmsg_len =
	    (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(attr.rta_len));
}

static void put_u32(struct request *r, uint16_t type, uint32_t value)
{
	put(r, type, &value, sizeof(value));
}

static int ask(int nl, struct request *r)
{
	uint8_t answer[1024];
	const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
	struct nlmsgerr error;

	r->header.nlmsg_flags |= NLM_F_ACK;
	if (send(nl, r, r->header.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(nl, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(error)) || header->nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	memcpy(&error, NLMSG_DATA(header), sizeof(error));
	return error.error;
}

int netlink_address(int nl, unsigned ifindex, const struct ip_addr *addr, bool add)
{
	struct request r;
	struct ifaddrmsg *body = begin(&r, add ? RTM_NEWADDR : RTM_DELADDR,
	    add ? NLM_F_CREATE | NLM_F_REPLACE : 0, sizeof(*body));

	body->ifa_family = AF_INET;
	body->ifa_prefixlen = 32;
	body->ifa_index = ifindex;
	put(&r, IFA_LOCAL, addr->bytes, 4);
	put(&r, IFA_ADDRESS, addr->bytes, 4);
	return ask(nl, &r);
}

int netlink_default_route(int nl, unsigned ifindex, uint32_t table)
{
	struct request r;
	struct rtmsg *body = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*body));

	body->rtm_family = AF_INET;
	body->rtm_protocol = RTPROT_STATIC;
	body->rtm_scope = RT_SCOPE_LINK;
	body->rtm_type = RTN_UNICAST;
	put_u32(&r, RTA_TABLE, table);
	put_u32(&r, RTA_OIF, ifindex);
	return ask(nl, &r);
}

int netlink_local_route(
    int nl, unsigned ifindex, const struct ip_addr *addr, uint32_t table, bool add)
{
	struct request r;
	struct rtmsg *body = begin(&r, add ? RTM_NEWROUTE : RTM_DELROUTE,
	    add ? NLM_F_CREATE | NLM_F_REPLACE : 0, sizeof(*body));

	body->rtm_family = AF_INET;
	body->rtm_dst_len = 32;
	body->rtm_scope = RT_SCOPE_HOST;
	body->rtm_type = RTN_LOCAL;
	body->rtm_protocol = add ? RTPROT_STATIC : RTPROT_UNSPEC; /* whoever made it */
	put_u32(&r, RTA_TABLE, table);
	put_u32(&r, RTA_OIF, ifindex);
	put(&r, RTA_DST, addr->bytes, 4);
	return ask(nl, &r);
}

static struct fib_rule_hdr *begin_rule(
    struct request *r, uint32_t table, uint32_t priority, bool add)
{
	struct fib_rule_hdr *body = begin(
	    r, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*body));

	body->family = AF_INET;
	body->action = FR_ACT_TO_TBL;
	put_u32(r, FRA_TABLE, table);
	put_u32(r, FRA_PRIORITY, priority);
	return body;
}

int netlink_rule_if(
    int nl, enum netlink_rule_by by, const char *ifname, uint32_t table, uint32_t priority)
{
	struct request r;

	begin_rule(&r, table, priority, true);
	put(&r, by == NETLINK_RULE_OUT ? FRA_OIFNAME : FRA_IIFNAME, ifname, strlen(ifname) + 1);
	return ask(nl, &r);
}

int netlink_rule_from(
    int nl, const struct ip_addr *addr, uint32_t table, uint32_t priority, bool add)
{
	struct request r;

	begin_rule(&r, table, priority, add)->src_len = 32;
	put(&r, FRA_SRC, addr->bytes, 4);
	return ask(nl, &r);
}

/* ---- rules left behind ---- */

struct found {
	uint32_t priority[RULES_AT_ONCE];
	unsigned count;
	uint32_t table;
};

static void look_at(struct found *found, const struct nlmsghdr *header)
{
	const struct fib_rule_hdr *body = NLMSG_DATA(header);
	int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*body)));
	uint32_t table = body->table, priority = 0;

	if (header->nlmsg_type != RTM_NEWRULE || left < 0)
		return;
	for (const struct rtattr *a =
		 (const struct rtattr *)((const uint8_t *)body + NLMSG_ALIGN(sizeof(*body)));
	     RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == FRA_TABLE && RTA_PAYLOAD(a) >= sizeof(table))
			memcpy(&table, RTA_DATA(a), sizeof(table));
		else if (a->rta_type == FRA_PRIORITY && RTA_PAYLOAD(a) >= sizeof(priority))
			memcpy(&priority, RTA_DATA(a), sizeof(priority));
	}
	if (table == found->table && found->count < RULES_AT_ONCE)
		found->priority[found->count++] = priority;
}

/* False at the end of the list. */
static bool read_list(int nl, struct found *found)
{
	static uint8_t room[65536];
	ssize_t n = recv(nl, room, sizeof(room), 0);
	unsigned left = n > 0 ? (unsigned)n : 0;
	const struct nlmsghdr *h = (const struct nlmsghdr *)room;

	if (n <= 0)
		return false;
	for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return false;
		look_at(found, h);
	}
	return true;
}

static int list(int nl, struct found *found)
{
	struct request r;
	struct fib_rule_hdr *body = begin(&r, RTM_GETRULE, NLM_F_DUMP, sizeof(*body));

	body->family = AF_INET;
	if (send(nl, &r, r.header.nlmsg_len, 0) < 0)
		return -errno;
	while (read_list(nl, found))
		;
	return 0;
}

/* By table and priority alone: whichever of them goes first, as many deletions as there are rules. */
static int delete_one(int nl, uint32_t table, uint32_t priority)
{
	struct request r;

	begin_rule(&r, table, priority, false);
	return ask(nl, &r);
}

int netlink_rules_flush(int nl, uint32_t table)
{
	for (;;) {
		struct found found = {.table = table};
		int rc = list(nl, &found);

		if (rc < 0 || found.count == 0)
			return rc;
		for (unsigned i = 0; i < found.count && rc == 0; i++)
			rc = delete_one(nl, table, found.priority[i]);
		if (rc < 0)
			return rc;
	}
}
