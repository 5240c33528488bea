/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay SEED IF_A IF_B - a cable with faults between two interfaces.
 *
 * Frames go from A to B and from B to A; rules (relay_rule.h) lose, copy, delay, reorder, damage or
 * replay some of them. All choices come from one generator seeded with SEED, so that the same
 * frames meet the same faults. Commands come on standard input, one line each, and are answered by
 * one line:
 *
 *   add ID RULE   append a rule; they are asked in order, each that fits is applied, a drop ends it
 *   del ID        remove it
 *   clear         remove all
 *   stats         {"a": {"in": N, "out": N}, "b": ..., "lost": N, "held": N, "rules":
 *                 {ID: {"matched": N, "applied": N}, ...}}
 *
 * `lost`: frames that the relay itself lost, because it was too slow; a test must see 0 there.
 * The program ends with the end of its input.
 */

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame_socket.h"
#include "relay_rule.h"

#define RULES_MAX       64
#define WORDS_MAX       32
#define BURST           64
#define REORDER_MAX_MS  50 /* a held frame leaves by then even if no other follows */
#define MS_NS           1000000ll
#define UDP_CHECKSUM_AT 6

/* A frame that leaves later: at `due_ns`, or once `behind` more of its direction have left. */
struct held {
	struct held *next;
	int64_t due_ns;
	uint64_t behind; /* frames that are to overtake it; 0: by time alone */
	uint8_t dir;
	struct frame frame;
};

static struct end {
	int fd;
	uint64_t in, out;
	unsigned lost;
} ends[2]; /* A, B */

static struct rule rules[RULES_MAX];
static unsigned rule_count;
/*
 * By due time, equal ones in order of arrival: those that leave by time alone, and apart from them those that count what
 * overtakes them, of which there are few at a time. A cable of 50 ms at 20,000 frames a second has a thousand of the former.
 */
static struct queue {
	struct held *first, *last;
} waiting, overtaken;
static uint64_t random_state;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* splitmix64 */
static uint64_t random64(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static bool chance(double percent)
{
	return (double)(random64() >> 11) * 0x1p-53 * 100.0 < percent;
}

static void leave(const struct frame *f, uint8_t dir)
{
	struct end *to = &ends[dir == DIR_AB];

	if (frame_write(to->fd, f) == 0)
		to->out++;
}

static void hold(const struct frame *f, uint8_t dir, int64_t due_ns, uint64_t behind)
{
	struct queue *q = behind ? &overtaken : &waiting;
	struct held *h = malloc(sizeof(*h)), **at = &q->first;

	if (!h)
		err(1, "malloc");
	h->frame.len = f->len;
	memcpy(h->frame.bytes, f->bytes, f->len);
	h->due_ns = due_ns;
	h->behind = behind;
	h->dir = dir;
	if (q->last && q->last->due_ns <= due_ns)
		at = &q->last->next;
	while (*at && (*at)->due_ns <= due_ns)
		at = &(*at)->next;
	h->next = *at;
	*at = h;
	if (!h->next)
		q->last = h;
}

static void let_go(struct held *h)
{
	leave(&h->frame, h->dir);
	free(h);
}

/* Sends what is due. `passed`: direction of a frame that just left, counted by overtaken ones; or 0. */
static void release(int64_t now, uint8_t passed)
{
	struct held *last = NULL;

	while (waiting.first && waiting.first->due_ns <= now) {
		struct held *h = waiting.first;

		waiting.first = h->next;
		if (!h->next)
			waiting.last = NULL;
		let_go(h);
	}
	for (struct held **at = &overtaken.first; *at;) {
		struct held *h = *at;
		bool due = h->due_ns <= now || (h->dir == passed && --h->behind == 0);

		if (!due) {
			last = h;
			at = &h->next;
			continue;
		}
		*at = h->next;
		let_go(h);
	}
	overtaken.last = last;
}

/* A damaged UDP packet gets no checksum, so that the layer above gets to see the damage. */
static void forget_checksum(struct frame *f, const struct packet_info *p)
{
	if (p->proto == IPPROTO_UDP && p->payload_at >= p->ip_at + 28)
		memset(f->bytes + p->payload_at - 8 + UDP_CHECKSUM_AT, 0, 2);
}

static bool flip(struct frame *f, const struct packet_info *p)
{
	if (!p->is_ip || p->payload_at >= f->len)
		return false;
	uint64_t bit = random64() % ((f->len - p->payload_at) * 8);
	f->bytes[p->payload_at + bit / 8] ^= (uint8_t)(1u << bit % 8);
	forget_checksum(f, p);
	return true;
}

/* Cuts the end off and corrects the IPv4 and UDP lengths, and the IPv4 checksum by RFC 1624. */
static bool truncate_frame(struct frame *f, const struct packet_info *p, uint64_t bytes)
{
	if (!p->is_ip || f->len < p->payload_at + bytes)
		return false;
	uint8_t *ip = f->bytes + p->ip_at;
	uint32_t old = (uint32_t)ip[2] << 8 | ip[3], len = old - (uint32_t)bytes;
	uint32_t sum = (~((uint32_t)ip[10] << 8 | ip[11]) & 0xffff) + (~old & 0xffff) + len;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	f->len -= bytes;
	ip[2] = (uint8_t)(len >> 8), ip[3] = (uint8_t)len;
	ip[10] = (uint8_t)(sum >> 8), ip[11] = (uint8_t)sum;
	if (p->proto == IPPROTO_UDP && p->payload_at >= p->ip_at + 28) {
		uint8_t *udp = f->bytes + p->payload_at - 8;
		uint32_t udp_len = ((uint32_t)udp[4] << 8 | udp[5]) - (uint32_t)bytes;

		udp[4] = (uint8_t)(udp_len >> 8), udp[5] = (uint8_t)udp_len;
		forget_checksum(f, p);
	}
	return true;
}

/* What all rules together do to one frame. */
struct fate {
	bool dropped;
	unsigned copies;
	int64_t delay_ms;
	uint64_t behind;
};

static bool apply(
    const struct rule *r, struct frame *f, const struct packet_info *p, struct fate *fate)
{
	if (!chance(r->percent))
		return false;
	switch (r->action) {
	case ACT_DROP:
		return fate->dropped = true;
	case ACT_DUP:
		return ++fate->copies;
	case ACT_DELAY:
		fate->delay_ms += (int64_t)r->amount;
		return true;
	case ACT_REORDER:
		fate->behind = r->amount;
		return true;
	case ACT_FLIP:
		return flip(f, p);
	case ACT_TRUNCATE:
		return truncate_frame(f, p, r->amount);
	case ACT_REPLAY:
		hold(f, p->dir, now_ns() + (int64_t)r->amount * MS_NS, 0);
		return true;
	}
	return false;
}

static void relay_frame(struct frame *f, uint8_t dir)
{
	struct fate fate = {.copies = 1};
	struct packet_info p;
	int64_t now = now_ns();

	packet_inspect(f, dir, &p);
	for (unsigned i = 0; i < rule_count && !fate.dropped; i++)
		if (rule_matches(&rules[i], &p))
			rules[i].applied += apply(&rules[i], f, &p, &fate);
	for (; fate.copies && !fate.dropped; fate.copies--) {
		if (fate.behind) {
			hold(f, dir, now + REORDER_MAX_MS * MS_NS, fate.behind);
		} else if (fate.delay_ms) {
			hold(f, dir, now + fate.delay_ms * MS_NS, 0);
		} else {
			leave(f, dir);
			release(now, dir);
		}
	}
}

static void take_from(unsigned side)
{
	static struct frame f;

	for (unsigned n = 0; n < BURST && frame_read(ends[side].fd, &f) > 0; n++) {
		ends[side].in++;
		relay_frame(&f, side == 0 ? DIR_AB : DIR_BA);
	}
}

/* ---- commands ---- */

static void print_stats(void)
{
	unsigned held = 0;

	for (struct held *h = waiting.first; h; h = h->next)
		held++;
	for (struct held *h = overtaken.first; h; h = h->next)
		held++;
	for (int i = 0; i < 2; i++)
		ends[i].lost += frame_lost(ends[i].fd);
	printf(
	    "{\"a\": {\"in\": %lu, \"out\": %lu}, \"b\": {\"in\": %lu, \"out\": %lu}, \"lost\": %u, "
	    "\"held\": %u, \"rules\": {",
	    ends[0].in, ends[0].out, ends[1].in, ends[1].out, ends[0].lost + ends[1].lost, held);
	for (unsigned i = 0; i < rule_count; i++)
		printf("%s\"%s\": {\"matched\": %lu, \"applied\": %lu}", i ? ", " : "", rules[i].id,
		    rules[i].matched, rules[i].applied);
	puts("}}");
}

static bool add_rule(char **w, unsigned count)
{
	struct rule r = {0};

	if (count < 2 || rule_count == RULES_MAX || strlen(w[0]) >= RULE_ID_MAX ||
	    rule_parse(&r, w + 1, count - 1))
		return false;
	strcpy(r.id, w[0]);
	rules[rule_count++] = r;
	return true;
}

static bool del_rule(const char *id)
{
	for (unsigned i = 0; i < rule_count; i++) {
		if (strcmp(rules[i].id, id) != 0)
			continue;
		memmove(&rules[i], &rules[i + 1], (--rule_count - i) * sizeof(*rules));
		return true;
	}
	return false;
}

static void command(char *line)
{
	char *w[WORDS_MAX + 1] = {0}, *save;
	unsigned count = 0;
	bool ok = false;

	for (char *word = strtok_r(line, " \n", &save); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " \n", &save))
		w[count++] = word;
	if (count == 1 && !strcmp(w[0], "stats")) {
		print_stats();
		return;
	}
	if (count == 1 && !strcmp(w[0], "clear")) {
		rule_count = 0;
		ok = true;
	} else if (count == 2 && !strcmp(w[0], "del")) {
		ok = del_rule(w[1]);
	} else if (count > 2 && !strcmp(w[0], "add")) {
		ok = add_rule(w + 1, count - 1);
	}
	puts(ok ? "ok" : "error: not understood");
}

static int wait_ms(void)
{
	int64_t first = INT64_MAX;

	if (waiting.first)
		first = waiting.first->due_ns;
	if (overtaken.first && overtaken.first->due_ns < first)
		first = overtaken.first->due_ns;
	if (first == INT64_MAX)
		return -1;
	int64_t left = first - now_ns();
	return left <= 0 ? 0 : (int)(left / MS_NS) + 1;
}

int main(int argc, char **argv)
{
	struct pollfd p[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
	char line[512];

	if (argc != 4)
		errx(2, "usage: %s SEED IF_A IF_B", argv[0]);
	random_state = strtoull(argv[1], NULL, 0);
	for (int i = 0; i < 2; i++) {
		ends[i].fd = frame_open(argv[2 + i]);
		p[1 + i] = (struct pollfd){.fd = ends[i].fd, .events = POLLIN};
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	puts("ready");
	while (poll(p, 3, wait_ms()) >= 0 || errno == EINTR) {
		release(now_ns(), 0);
		for (unsigned side = 0; side < 2; side++)
			if (p[1 + side].revents)
				take_from(side);
		if (p[0].revents && !fgets(line, sizeof(line), stdin))
			return 0;
		if (p[0].revents)
			command(line);
	}
	err(1, "poll");
}
