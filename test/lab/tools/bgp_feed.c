/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Many BGP peers in one process, over kernel sockets, that announce large tables and flap.
 *
 *   bgp_feed LOCAL REMOTE AS [peers=N] [step=N] [prefixes=N] [sets=N] [hold=S] [prepend=N]
 *
 * Peer i is at LOCAL + i * step, speaks to REMOTE + i * step, is of AS + i, and has prefixes of its own, the same in
 * every process; prepend=N makes its AS paths so much longer. All connect
 * when started, and again when refused. Messages are made before; what the other side announces is counted. Commands
 * come on standard input, one line each:
 *
 *   send             every peer announces its table, then End-of-RIB     -> "sent FIRST LAST OCTETS"
 *   flap RATE S      so many UPDATEs a second, spread over the peers, one prefix each, in turn withdrawn and
 *                    announced with one of as many other sets; in the end all are announced -> "flapped COUNT"
 *   quit
 *
 * FIRST and LAST are seconds of the monotonic clock: before the first octet was written, after the last one was. When
 * all sessions are established it says "established"; when one is lost, "lost PEER" and why.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT        179
#define HEADER      19
#define MESSAGE_MAX 4096
#define PEERS_MAX   1000
#define BURST       64 /* UPDATEs of a peer at a time, of a flap */
#define READ_MAX    65536
#define PER_UPDATE  900 /* prefixes */
#define PREPEND_MAX 16

enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE };

struct bytes {
	uint8_t *at;
	size_t len, room;
};

struct peer {
	int fd; /* -1: none */
	bool connecting, up;
	double retry_at, keepalive_at;
	struct bytes table;       /* UPDATEs of the whole table */
	const struct bytes *bulk; /* being sent from `bulk_at` on; NULL: nothing */
	size_t bulk_at;
	struct bytes out; /* small things, sent when no message of the bulk is half sent */
	size_t out_at;
	uint8_t in[READ_MAX];
	size_t in_len;
	uint32_t flap_at; /* next prefix of a flap */
};

static struct {
	struct in_addr local, remote;
	uint32_t as, peers, step, prefixes, sets, hold, prepend;
	struct peer *peer;
	uint32_t up;
	bool told_up, quit;
	double flap_from, flap_until, flap_rate, first, last;
	uint64_t flapped, random, octets;
	uint32_t sending;
} feed = {
    .peers = 1, .step = 4, .prefixes = 1000, .sets = 50, .hold = 90, .random = 88172645463325252u};

static void die(const char *what)
{
	fprintf(stderr, "bgp_feed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t rnd(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

/* ---- writing messages ---- */

static void put(struct bytes *b, const void *bytes, size_t len)
{
	if (b->len + len > b->room) {
		b->room = 2 * (b->len + len);
		b->at = realloc(b->at, b->room);
		if (!b->at)
			die("memory");
	}
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

static void put_u8(struct bytes *b, unsigned v)
{
	put(b, &(uint8_t){(uint8_t)v}, 1);
}

static void put_u16(struct bytes *b, unsigned v)
{
	put(b, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void put_u32(struct bytes *b, uint32_t v)
{
	put_u16(b, v >> 16);
	put_u16(b, v & 0xffff);
}

static void patch_u16(struct bytes *b, size_t at, size_t v)
{
	b->at[at] = (uint8_t)(v >> 8);
	b->at[at + 1] = (uint8_t)v;
}

static size_t begin(struct bytes *b, unsigned type)
{
	size_t at = b->len;

	for (int i = 0; i < 16; i++)
		put_u8(b, 0xff);
	put_u16(b, 0);
	put_u8(b, type);
	return at;
}

static void end(struct bytes *b, size_t at)
{
	patch_u16(b, at + 16, b->len - at);
}

static void put_open(struct bytes *b, uint32_t number)
{
	uint32_t as = feed.as + number;
	size_t at = begin(b, OPEN);

	put_u8(b, 4);
	put_u16(b, as > 0xffff ? 23456 : as);
	put_u16(b, feed.hold);
	put_u32(b, ntohl(feed.local.s_addr) + number * feed.step);
	put_u8(b, 16);
	put(b, "\x02\x0e\x01\x04\x00\x01\x00\x01\x02\x00\x41\x04", 12);
	put_u32(b, as);
	end(b, at);
}

/*
 * Different for each set, and always the same for that one, of the sizes that are seen on the Internet: 2 to 6 ASNs, up
 * to 5 communities.
 */
static void put_attributes(struct bytes *b, uint32_t number, uint32_t set)
{
	uint64_t random = (((uint64_t)number << 32 | set) + 1) * 0x9e3779b97f4a7c15u; /* not 0 */
	unsigned hops = 2 + rnd(&random, 5), communities = rnd(&random, 6);

	put(b, "\x40\x01\x01\x00\x40\x02", 6);
	put_u8(b, 2 + 4 * (hops + feed.prepend));
	put_u8(b, 2);
	put_u8(b, hops + feed.prepend);
	for (unsigned i = 0; i <= feed.prepend; i++)
		put_u32(b, feed.as + number);
	for (unsigned i = 1; i < hops; i++)
		put_u32(b, i == 1 ? 100000 + set : 1 + rnd(&random, 40000));
	put(b, "\x40\x03\x04", 3);
	put_u32(b, ntohl(feed.local.s_addr) + number * feed.step);
	if (!communities)
		return;
	put(b, "\xc0\x08", 2);
	put_u8(b, 4 * communities);
	for (unsigned i = 0; i < communities; i++)
		put_u32(b, rnd(&random, 0xfff00000));
}

/* Prefixes in scattered order; no two peers have the same. */
static void put_prefix(struct bytes *b, uint32_t number, uint32_t i)
{
	uint64_t index = (uint64_t)number * feed.prefixes + i;
	uint32_t at = (uint32_t)(index * 2654435761u % (1u << 23)); /* odd factor: a permutation */
	uint32_t first = 11 + (at >> 16), addr;

	/* 127 is no network to route, and 139 stands in for it */
	addr = (first == 127 ? 139 : first) << 24 | (at & 0xffff) << 8;
	put_u8(b, 24);
	put(b, (uint8_t[]){(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8)}, 3);
}

static void put_update(struct bytes *b, uint32_t number, uint32_t set, uint32_t from, uint32_t to)
{
	size_t at = begin(b, UPDATE), length_at;

	put_u16(b, 0);
	length_at = b->len;
	put_u16(b, 0);
	put_attributes(b, number, set);
	patch_u16(b, length_at, b->len - length_at - 2);
	for (uint32_t i = from; i < to; i++)
		put_prefix(b, number, i);
	end(b, at);
}

static void put_withdrawal(struct bytes *b, uint32_t number, uint32_t i)
{
	size_t at = begin(b, UPDATE);

	put_u16(b, 4);
	put_prefix(b, number, i);
	put_u16(b, 0);
	end(b, at);
}

static void put_keepalive(struct bytes *b)
{
	end(b, begin(b, KEEPALIVE));
}

static void make_table(uint32_t number)
{
	struct bytes *b = &feed.peer[number].table;
	uint32_t done = 0;
	size_t at;

	for (uint32_t set = 0; set < feed.sets; set++) {
		uint32_t until = (uint32_t)((uint64_t)feed.prefixes * (set + 1) / feed.sets);

		for (uint32_t to; done < until; done = to) {
			to = until - done < PER_UPDATE ? until : done + PER_UPDATE;
			put_update(b, number, set, done, to);
		}
	}
	at = begin(b, UPDATE); /* End-of-RIB */
	put_u32(b, 0);
	end(b, at);
}

/* ---- sockets ---- */

static void lost(struct peer *p, const char *why)
{
	if (p->up) {
		feed.up--;
		printf("lost %td %s\n", p - feed.peer, why);
		if (p->bulk)
			feed.sending--;
	}
	fprintf(stderr, "peer %td: %s\n", p - feed.peer, why);
	close(p->fd);
	p->fd = -1;
	p->up = p->connecting = false;
	p->bulk = NULL;
	p->in_len = p->out.len = p->out_at = 0;
	p->retry_at = now() + 0.2;
	feed.told_up = false;
}

static void start(uint32_t number)
{
	struct peer *p = &feed.peer[number];
	struct sockaddr_in a = {.sin_family = AF_INET};
	int size = 4 << 20;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		die("socket");
	setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	a.sin_addr.s_addr = htonl(ntohl(feed.local.s_addr) + number * feed.step);
	if (bind(p->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("bind");
	a.sin_addr.s_addr = htonl(ntohl(feed.remote.s_addr) + number * feed.step);
	a.sin_port = htons(PORT);
	p->connecting = true;
	if (connect(p->fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS)
		lost(p, strerror(errno));
}

static void connected(struct peer *p)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		lost(p, strerror(error));
		return;
	}
	p->connecting = false;
	put_open(&p->out, (uint32_t)(p - feed.peer));
}

/* False: the socket takes no more for now, or is gone. */
static bool write_some(struct peer *p, const struct bytes *b, size_t *at)
{
	while (*at < b->len) {
		ssize_t n = send(p->fd, b->at + *at, b->len - *at, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				lost(p, strerror(errno));
			return false;
		}
		*at += (size_t)n;
		feed.octets += (uint64_t)n;
	}
	return true;
}

static void flush(struct peer *p)
{
	if (p->bulk) {
		if (!write_some(p, p->bulk, &p->bulk_at))
			return;
		p->bulk = NULL;
		if (--feed.sending == 0) {
			feed.last = now();
			printf("sent %.6f %.6f %llu\n", feed.first, feed.last,
			    (unsigned long long)feed.octets);
		}
	}
	if (write_some(p, &p->out, &p->out_at))
		p->out.len = p->out_at = 0;
}

/* ---- reading ---- */

static void established(struct peer *p)
{
	p->up = true;
	p->keepalive_at = now() + feed.hold / 3.0;
	if (++feed.up == feed.peers && !feed.told_up) {
		feed.told_up = true;
		printf("established\n");
	}
}

/* False: the connection is gone. */
static bool message(struct peer *p, const uint8_t *m, size_t len)
{
	char why[64];

	switch (m[18]) {
	case OPEN:
		put_keepalive(&p->out);
		break;
	case KEEPALIVE:
		if (!p->up)
			established(p);
		break;
	case NOTIFICATION:
		snprintf(why, sizeof(why), "NOTIFICATION %u/%u", len > 20 ? m[19] : 0,
		    len > 20 ? m[20] : 0);
		lost(p, why);
		return false;
	}
	return true;
}

static void read_some(struct peer *p)
{
	ssize_t n = recv(p->fd, p->in + p->in_len, sizeof(p->in) - p->in_len, 0);
	size_t at = 0;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			lost(p, n == 0 ? "closed" : strerror(errno));
		return;
	}
	p->in_len += (size_t)n;
	while (p->in_len - at >= HEADER) {
		size_t len = (size_t)p->in[at + 16] << 8 | p->in[at + 17];

		if (len < HEADER || len > MESSAGE_MAX) {
			lost(p, "garbage");
			return;
		}
		if (p->in_len - at < len)
			break;
		if (!message(p, p->in + at, len))
			return;
		at += len;
	}
	memmove(p->in, p->in + at, p->in_len - at);
	p->in_len -= at;
}

/* ---- commands ---- */

static void send_tables(void)
{
	feed.first = now();
	feed.octets = 0;
	feed.sending = feed.peers;
	for (uint32_t i = 0; i < feed.peers; i++) {
		feed.peer[i].bulk = &feed.peer[i].table;
		feed.peer[i].bulk_at = 0;
	}
}

static void command(char *line)
{
	unsigned rate, seconds;

	if (strncmp(line, "send", 4) == 0) {
		send_tables();
	} else if (sscanf(line, "flap %u %u", &rate, &seconds) == 2) {
		feed.flap_rate = rate;
		feed.flap_from = now();
		feed.flap_until = feed.flap_from + seconds;
		feed.flapped = 0;
	} else {
		feed.quit = true;
	}
}

static void read_commands(void)
{
	static char line[256];
	static size_t len;
	ssize_t n = read(0, line + len, sizeof(line) - 1 - len);
	char *end_of_line;

	if (n <= 0) {
		feed.quit = true;
		return;
	}
	len += (size_t)n;
	line[len] = '\0';
	while ((end_of_line = strchr(line, '\n'))) {
		*end_of_line = '\0';
		command(line);
		len -= (size_t)(end_of_line + 1 - line);
		memmove(line, end_of_line + 1, len + 1);
	}
}

/* ---- flapping ---- */

/* Withdrawn when the count is even, else announced again. */
static void flap_one(uint32_t number)
{
	struct peer *p = &feed.peer[number];
	uint32_t window = feed.prefixes < 5000 ? feed.prefixes : 5000, i = p->flap_at / 2 % window;

	if (p->flap_at++ % 2 == 0)
		put_withdrawal(&p->out, number, i);
	else
		put_update(&p->out, number, feed.sets + rnd(&feed.random, feed.sets), i, i + 1);
	feed.flapped++;
}

static void flap(double t)
{
	uint64_t due = (uint64_t)((t - feed.flap_from) * feed.flap_rate);

	for (uint32_t turn = 0; feed.flapped < due && turn < feed.peers; turn++) {
		uint32_t number = rnd(&feed.random, feed.peers);
		struct peer *p = &feed.peer[number];

		for (int i = 0; i < BURST && feed.flapped < due && p->up && p->out.len < 1 << 20;
		     i++)
			flap_one(number);
	}
	if (t < feed.flap_until)
		return;
	for (uint32_t i = 0; i < feed.peers; i++)
		if (feed.peer[i].flap_at % 2)
			flap_one(i);
	printf("flapped %llu\n", (unsigned long long)feed.flapped);
	feed.flap_until = 0;
}

/* ---- the loop ---- */

static int timeout_ms(void)
{
	return feed.flap_until > 0 ? 5 : 100;
}

static void turn(struct pollfd *fds)
{
	double t = now();

	for (uint32_t i = 0; i < feed.peers; i++) {
		struct peer *p = &feed.peer[i];
		bool writing = p->connecting || p->bulk || p->out.len > p->out_at;

		if (p->fd < 0 && t >= p->retry_at)
			start(i);
		fds[i] = (struct pollfd){p->fd, (short)(POLLIN | (writing ? POLLOUT : 0)), 0};
	}
	fds[feed.peers] = (struct pollfd){0, POLLIN, 0};
	if (poll(fds, feed.peers + 1, timeout_ms()) < 0 && errno != EINTR)
		die("poll");
	t = now();
	if (fds[feed.peers].revents)
		read_commands();
	if (feed.flap_until > 0)
		flap(t);
	for (uint32_t i = 0; i < feed.peers; i++) {
		struct peer *p = &feed.peer[i];

		if (p->fd >= 0 && p->connecting && fds[i].revents)
			connected(p);
		if (p->fd >= 0 && !p->connecting && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			read_some(p);
		if (p->fd >= 0 && p->up && t >= p->keepalive_at) {
			p->keepalive_at = t + feed.hold / 3.0;
			put_keepalive(&p->out);
		}
		if (p->fd >= 0 && !p->connecting)
			flush(p);
	}
}

static void options(int argc, char **argv)
{
	if (argc < 4 || !inet_aton(argv[1], &feed.local) || !inet_aton(argv[2], &feed.remote)) {
		fprintf(stderr, "usage: bgp_feed LOCAL REMOTE AS [NAME=NUMBER...]\n");
		exit(2);
	}
	feed.as = (uint32_t)strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++) {
		if (sscanf(argv[i], "peers=%u", &feed.peers) != 1 &&
		    sscanf(argv[i], "step=%u", &feed.step) != 1 &&
		    sscanf(argv[i], "prefixes=%u", &feed.prefixes) != 1 &&
		    sscanf(argv[i], "sets=%u", &feed.sets) != 1 &&
		    sscanf(argv[i], "prepend=%u", &feed.prepend) != 1 &&
		    sscanf(argv[i], "hold=%u", &feed.hold) != 1) {
			fprintf(stderr, "bgp_feed: %s?\n", argv[i]);
			exit(2);
		}
	}
	if (feed.peers < 1 || feed.peers > PEERS_MAX || feed.sets < 1 || feed.prefixes < 1 ||
	    feed.hold < 3 || feed.prepend > PREPEND_MAX)
		exit(2);
}

int main(int argc, char **argv)
{
	struct pollfd *fds;

	options(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	feed.peer = calloc(feed.peers, sizeof(*feed.peer));
	fds = calloc(feed.peers + 1, sizeof(*fds));
	if (!feed.peer || !fds)
		die("memory");
	for (uint32_t i = 0; i < feed.peers; i++) {
		feed.peer[i].fd = -1;
		make_table(i);
	}
	while (!feed.quit)
		turn(fds);
	return 0;
}
