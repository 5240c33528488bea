/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe send ADDRESS PORT [pps=N] [count=N] [flows=N] [size=BYTES] [stream=N] [source=ADDRESS]
 * probe recv ADDRESS PORT [flows=N] [stream=N] [settle=MS]
 *
 * The oracle of the lab: UDP datagrams that tell what became of each of them. Every datagram
 * carries its stream, flow, sequence number, destination and a hash over all of its bytes. A flow
 * has a source port of its own. A sender that was held up goes on at its rate: to make up for more
 * than CATCH_UP_MS in a burst would be a test of queues. The sender runs until `count` datagrams are sent (0: without end)
 * or SIGTERM; the receiver until SIGTERM and then until nothing has come for `settle` ms. It says
 * "ready" when it listens, and "flowing" when something of each of `flows` flows has come. Each
 * then prints one line of JSON:
 *
 *   send: {"sent": N, "flows": [N, ...], "errors": N}
 *   recv: {"received": N, "duplicated": N, "corrupted": N, "misdelivered": N, "foreign": N,
 *          "reordered": N, "reorder_depth": N, "gap_ms": F,
 *          "flows": [{"received": N, "gap_ms": F}, ...]}
 *
 * received      different datagrams of the stream: lost = sent - received
 * corrupted     the hash is wrong
 * misdelivered  sent to another address
 * foreign       of another stream
 * reorder_depth how far, in sequence numbers, the latest latecomer was behind
 * gap_ms        the longest silence between two datagrams
 */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS_MAX    256
#define SIZE_MAX_B   8972
#define MAGIC        0x7472616e73697431ull
#define TICK_NS      1000000
#define CATCH_UP_MS  10
#define BUFFER_BYTES (16 << 20)

struct datagram { /* all in host order: both ends are on this machine */
	uint64_t magic, stream;
	uint32_t flow, size;
	uint64_t seq;
	uint32_t to, pad;
	uint64_t hash; /* over the whole datagram, with this field zero */
};

struct flow {
	int fd;
	uint64_t next, count;
	uint8_t *seen; /* bit per sequence number */
	uint64_t seen_bytes;
	int64_t last_ns, gap_ns;
};

static struct {
	struct sockaddr_in to, source;
	uint64_t pps, count, stream;
	uint32_t flows, size, settle_ms;
} opt = {.pps = 1000, .flows = 1, .size = 64, .settle_ms = 300};

static struct flow flows[FLOWS_MAX];
static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
	(void)sig;
	told_to_end = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* FNV-1a, eight bytes at a time; enough to notice any damage that checksums let through. */
static uint64_t hash(const uint8_t *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x100000001b3ull;
		h ^= h >> 29;
	}
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

static uint64_t hash_of(uint8_t *bytes, size_t len)
{
	uint64_t zero = 0;

	memcpy(bytes + offsetof(struct datagram, hash), &zero, sizeof(zero));
	return hash(bytes, len);
}

static int udp_socket(const struct sockaddr_in *local)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;

	if (fd < 0 || bind(fd, (const struct sockaddr *)local, sizeof(*local)) < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

/* ---- sender ---- */

static uint8_t packet[SIZE_MAX_B];
static uint64_t send_errors;

static void send_one(uint32_t i)
{
	struct flow *f = &flows[i];
	struct datagram d = {.magic = MAGIC,
	    .stream = opt.stream,
	    .flow = i,
	    .size = opt.size,
	    .seq = f->next,
	    .to = opt.to.sin_addr.s_addr};

	memcpy(packet, &d, sizeof(d));
	d.hash = hash_of(packet, opt.size);
	memcpy(packet, &d, sizeof(d));
	/* An ICMP error about an earlier datagram is reported here once, so try again. */
	for (int tries = 0; tries < 3; tries++) {
		if (sendto(f->fd, packet, opt.size, 0, (struct sockaddr *)&opt.to,
			sizeof(opt.to)) >= 0) {
			f->next++;
			return;
		}
	}
	send_errors++;
}

/* How many are due by now. *start moves on over the time that is lost for good. */
static uint64_t due_by(int64_t *start, uint64_t sent)
{
	uint64_t burst = opt.pps * CATCH_UP_MS / 1000 + 1;
	uint64_t due = (uint64_t)((double)(now_ns() - *start) * 1e-9 * (double)opt.pps) + 1;

	if (due <= sent + burst)
		return due;
	*start += (int64_t)((double)(due - sent - burst) * 1e9 / (double)opt.pps);
	return sent + burst;
}

static void send_all(void)
{
	struct timespec tick = {.tv_nsec = TICK_NS};
	int64_t start = now_ns();
	uint64_t sent = 0;

	for (uint32_t i = 0; i < opt.flows; i++)
		flows[i].fd = udp_socket(&opt.source);
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 131);
	while (!told_to_end && (!opt.count || sent < opt.count)) {
		uint64_t due = due_by(&start, sent);

		for (; sent < due && (!opt.count || sent < opt.count); sent++)
			send_one((uint32_t)(sent % opt.flows));
		clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
	}
	uint64_t total = 0;
	for (uint32_t i = 0; i < opt.flows; i++)
		total += flows[i].next;
	printf("{\"sent\": %lu, \"errors\": %lu, \"flows\": [", total, send_errors);
	for (uint32_t i = 0; i < opt.flows; i++)
		printf("%s%lu", i ? ", " : "", flows[i].next);
	puts("]}");
}

/* ---- receiver ---- */

static struct {
	uint64_t received, duplicated, corrupted, misdelivered, foreign, reordered, depth;
	int64_t last_ns, gap_ns;
	uint32_t flows, begun;
} got;

/* Marks a sequence number; false when it was there before. */
static bool mark(struct flow *f, uint64_t seq)
{
	if (seq / 8 >= f->seen_bytes) {
		uint64_t bytes = seq / 4 + 4096;
		uint8_t *more = realloc(f->seen, bytes);

		if (!more)
			err(1, "realloc");
		memset(more + f->seen_bytes, 0, bytes - f->seen_bytes);
		f->seen = more;
		f->seen_bytes = bytes;
	}
	if (f->seen[seq / 8] & (1u << seq % 8))
		return false;
	f->seen[seq / 8] |= (uint8_t)(1u << seq % 8);
	return true;
}

static void longest(int64_t *last, int64_t *gap, int64_t now)
{
	if (*last && now - *last > *gap)
		*gap = now - *last;
	*last = now;
}

static void judge(uint8_t *bytes, size_t len, int64_t now)
{
	struct datagram d;

	if (len < sizeof(d)) {
		got.corrupted++;
		return;
	}
	memcpy(&d, bytes, sizeof(d));
	if (d.magic != MAGIC || d.size != len || d.hash != hash_of(bytes, len) ||
	    d.flow >= FLOWS_MAX || d.seq > (1ull << 32)) {
		got.corrupted++;
		return;
	}
	if (d.to != opt.to.sin_addr.s_addr)
		got.misdelivered++;
	if (d.stream != opt.stream) {
		got.foreign++;
		return;
	}
	struct flow *f = &flows[d.flow];
	if (!mark(f, d.seq)) {
		got.duplicated++;
		return;
	}
	got.received++;
	if (!f->count++ && ++got.begun == opt.flows)
		fputs("flowing\n", stderr);
	if (d.flow >= got.flows)
		got.flows = d.flow + 1;
	longest(&got.last_ns, &got.gap_ns, now);
	longest(&f->last_ns, &f->gap_ns, now);
	if (d.seq < f->next) {
		got.reordered++;
		if (f->next - d.seq > got.depth)
			got.depth = f->next - d.seq;
	} else {
		f->next = d.seq + 1;
	}
}

static void receive_all(void)
{
	static uint8_t bytes[SIZE_MAX_B + 1];
	struct pollfd p = {.fd = udp_socket(&opt.to), .events = POLLIN};
	int ready;

	fputs("ready\n", stderr);
	do {
		ready = poll(&p, 1, told_to_end ? (int)opt.settle_ms : 50);
		if (ready > 0) {
			ssize_t len = recv(p.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

			if (len >= 0)
				judge(bytes, (size_t)len, now_ns());
		}
	} while (ready != 0 || !told_to_end);
	printf(
	    "{\"received\": %lu, \"duplicated\": %lu, \"corrupted\": %lu, \"misdelivered\": %lu, "
	    "\"foreign\": %lu, \"reordered\": %lu, \"reorder_depth\": %lu, \"gap_ms\": %.1f, \"flows\": [",
	    got.received, got.duplicated, got.corrupted, got.misdelivered, got.foreign,
	    got.reordered, got.depth, (double)got.gap_ns / 1e6);
	for (uint32_t i = 0; i < got.flows; i++)
		printf("%s{\"received\": %lu, \"gap_ms\": %.1f}", i ? ", " : "", flows[i].count,
		    (double)flows[i].gap_ns / 1e6);
	puts("]}");
}

static void parse_option(const char *word)
{
	const char *value = strchr(word, '=');
	uint64_t n = value ? strtoull(value + 1, NULL, 10) : 0;

	if (!value)
		errx(2, "%s: not NAME=VALUE", word);
	if (!strncmp(word, "pps=", 4))
		opt.pps = n;
	else if (!strncmp(word, "count=", 6))
		opt.count = n;
	else if (!strncmp(word, "stream=", 7))
		opt.stream = n;
	else if (!strncmp(word, "settle=", 7) && n <= 60000)
		opt.settle_ms = (uint32_t)n;
	else if (!strncmp(word, "flows=", 6) && n && n <= FLOWS_MAX)
		opt.flows = (uint32_t)n;
	else if (!strncmp(word, "size=", 5) && n >= sizeof(struct datagram) && n <= SIZE_MAX_B)
		opt.size = (uint32_t)n;
	else if (strncmp(word, "source=", 7) || !inet_aton(value + 1, &opt.source.sin_addr))
		errx(2, "%s: unknown, or out of range", word);
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_term};

	if (argc < 4 || !inet_aton(argv[2], &opt.to.sin_addr))
		errx(2, "usage: %s send|recv ADDRESS PORT [NAME=VALUE]...", argv[0]);
	opt.to.sin_family = opt.source.sin_family = AF_INET;
	opt.to.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	for (int i = 4; i < argc; i++)
		parse_option(argv[i]);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	if (!strcmp(argv[1], "send"))
		send_all();
	else
		receive_all();
	return 0;
}
