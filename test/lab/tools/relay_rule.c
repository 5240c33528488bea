/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define IKE_PORT          500
#define NATT_PORT         4500
#define UDP_HEADER_BYTES  8
#define IKE_HEADER_BYTES  28
#define IKE_FLAG_RESPONSE 0x20

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void inspect_ike(const uint8_t *p, size_t len, struct packet_info *out)
{
	if (len < IKE_HEADER_BYTES)
		return;
	out->is_ike = true;
	out->exchange = p[18];
	out->is_response = p[19] & IKE_FLAG_RESPONSE;
	out->msgid = get32(p + 20);
}

static void inspect_udp(const uint8_t *p, size_t len, struct packet_info *out)
{
	out->sport = get16(p);
	out->dport = get16(p + 2);
	out->payload_at += UDP_HEADER_BYTES;
	p += UDP_HEADER_BYTES;
	len -= UDP_HEADER_BYTES;
	if (out->sport == IKE_PORT || out->dport == IKE_PORT) {
		inspect_ike(p, len, out);
	} else if ((out->sport == NATT_PORT || out->dport == NATT_PORT) && len >= 8) {
		if (get32(p) == 0) {
			inspect_ike(p + 4, len - 4, out);
		} else {
			out->is_esp = true;
			out->spi = get32(p);
		}
	}
}

void packet_inspect(const struct frame *f, uint8_t dir, struct packet_info *out)
{
	size_t at = ETH_HEADER_BYTES, type_at = 2 * ETH_ALEN;
	size_t header, len;

	*out = (struct packet_info){.dir = dir};
	if (f->len >= type_at + 8 && get16(f->bytes + type_at) == ETHERTYPE_VLAN)
		at += 4, type_at += 4;
	if (f->len < at + 20 || get16(f->bytes + type_at) != ETHERTYPE_IP)
		return;
	const uint8_t *ip = f->bytes + at;
	header = (size_t)(ip[0] & 15) * 4;
	if (header < 20 || f->len < at + header)
		return;
	out->is_ip = true;
	out->proto = ip[9];
	out->src = get32(ip + 12);
	out->dst = get32(ip + 16);
	out->ip_at = at;
	out->payload_at = at + header;
	len = f->len - at - header;
	if (get16(ip + 6) & 0x1fff) /* not the first fragment: no ports in it */
		return;
	if (out->proto == IPPROTO_UDP && len >= UDP_HEADER_BYTES) {
		inspect_udp(ip + header, len, out);
	} else if (out->proto == IPPROTO_TCP && len >= 4) {
		out->sport = get16(ip + header);
		out->dport = get16(ip + header + 2);
	} else if (out->proto == IPPROTO_ESP && len >= 8) {
		out->is_esp = true;
		out->spi = get32(ip + header);
	}
}

static bool fits(const struct rule *r, const struct packet_info *p)
{
	if (!(r->dir & p->dir))
		return false;
	if ((r->kind == KIND_IKE && !p->is_ike) || (r->kind == KIND_ESP && !p->is_esp) ||
	    (r->kind == KIND_PROTO && (!p->is_ip || p->proto != r->proto)))
		return false;
	if ((r->src && r->src != p->src) || (r->dst && r->dst != p->dst) ||
	    (r->sport && r->sport != p->sport) || (r->dport && r->dport != p->dport))
		return false;
	if (r->spi >= 0 && (!p->is_esp || r->spi != p->spi))
		return false;
	if (r->exchange < 0 && r->msgid < 0 && r->response < 0)
		return true;
	return p->is_ike && (r->exchange < 0 || r->exchange == p->exchange) &&
	    (r->msgid < 0 || r->msgid == p->msgid) &&
	    (r->response < 0 || r->response == p->is_response);
}

bool rule_matches(struct rule *r, const struct packet_info *p)
{
	if (!fits(r, p))
		return false;
	r->matched++;
	return (!r->nth || r->matched == r->nth) && (!r->first || r->matched <= r->first);
}

/* ---- text ---- */

static int parse_number(const char *word, uint64_t *out)
{
	char *end;

	if (!word)
		return -EINVAL;
	*out = strtoull(word, &end, 0);
	return *word && !*end ? 0 : -EINVAL;
}

static int parse_address(const char *word, uint32_t *out)
{
	struct in_addr a;

	if (!word || !inet_aton(word, &a))
		return -EINVAL;
	*out = ntohl(a.s_addr);
	return 0;
}

static bool parse_kind(struct rule *r, const char *word)
{
	static const struct {
		const char *word;
		int kind;
		uint8_t proto;
	} kinds[] = {{"ike", KIND_IKE, 0}, {"esp", KIND_ESP, 0}, {"udp", KIND_PROTO, IPPROTO_UDP},
	    {"tcp", KIND_PROTO, IPPROTO_TCP}, {"icmp", KIND_PROTO, IPPROTO_ICMP}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(word, kinds[i].word)) {
			r->kind = (typeof(r->kind))kinds[i].kind;
			r->proto = kinds[i].proto;
			return true;
		}
	}
	return false;
}

/* A match and its argument: number of words used, 0 when it is no match, or -EINVAL. */
static int parse_match(struct rule *r, char **w)
{
	uint64_t n = 0;
	int bad = 0;

	if (parse_kind(r, w[0]))
		return 1;
	if (!strcmp(w[0], "request") || !strcmp(w[0], "response")) {
		r->response = !strcmp(w[0], "response");
		return 1;
	}
	if (!strcmp(w[0], "src"))
		return parse_address(w[1], &r->src) ? -EINVAL : 2;
	if (!strcmp(w[0], "dst"))
		return parse_address(w[1], &r->dst) ? -EINVAL : 2;
	bad = parse_number(w[1], &n);
	if (!strcmp(w[0], "sport"))
		r->sport = (uint16_t)n;
	else if (!strcmp(w[0], "dport"))
		r->dport = (uint16_t)n;
	else if (!strcmp(w[0], "exchange"))
		r->exchange = (int64_t)n;
	else if (!strcmp(w[0], "msgid"))
		r->msgid = (int64_t)n;
	else if (!strcmp(w[0], "spi"))
		r->spi = (int64_t)n;
	else if (!strcmp(w[0], "nth"))
		r->nth = n;
	else if (!strcmp(w[0], "first"))
		r->first = n;
	else
		return 0;
	return bad ? -EINVAL : 2;
}

static int parse_action(struct rule *r, char **w, unsigned count)
{
	static const struct {
		const char *word;
		enum rule_action action;
		bool percent, amount;
	} actions[] = {{"drop", ACT_DROP, false, false}, {"loss", ACT_DROP, true, false},
	    {"dup", ACT_DUP, true, false}, {"delay", ACT_DELAY, false, true},
	    {"reorder", ACT_REORDER, true, true}, {"flip", ACT_FLIP, true, false},
	    {"truncate", ACT_TRUNCATE, false, true}, {"replay", ACT_REPLAY, true, true}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		unsigned at = 1;

		if (strcmp(w[0], actions[i].word) != 0)
			continue;
		if (count != 1u + actions[i].percent + actions[i].amount)
			return -EINVAL;
		r->action = actions[i].action;
		r->percent = actions[i].percent ? strtod(w[at++], NULL) : 100.0;
		return actions[i].amount ? parse_number(w[at], &r->amount) : 0;
	}
	return -EINVAL;
}

int rule_parse(struct rule *r, char **w, unsigned count)
{
	unsigned at = 1;

	r->exchange = r->msgid = r->spi = r->response = -1;
	if (count < 2)
		return -EINVAL;
	r->dir = !strcmp(w[0], "ab") ? DIR_AB
	    : !strcmp(w[0], "ba")    ? DIR_BA
	    : !strcmp(w[0], "any")   ? DIR_ANY
				     : 0;
	if (!r->dir)
		return -EINVAL;
	while (at < count) {
		int used = parse_match(r, w + at);

		if (used < 0)
			return used;
		if (!used)
			return parse_action(r, w + at, count - at);
		at += (unsigned)used;
	}
	return -EINVAL;
}
