/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Blocks of draft-ietf-opsawg-pcapng: a section header, an interface description before the first packet of each
 * interface, enhanced packet blocks. Everything is in the order of this machine, which the header's magic tells;
 * blocks and what is in them are padded to 32 bits. A block is put together in memory, since its length stands at
 * both ends.
 */

#include "transitctl/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SECTION   0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET    6
#define ORDER_MAGIC     0x1a2b3c4d
#define LENGTH_UNKNOWN  UINT64_MAX

enum {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_FLAGS = 2,       /* of a packet */
	OPTION_NAME = 2,        /* of an interface */
	OPTION_APPLICATION = 4, /* of a section */
	OPTION_RESOLUTION = 9   /* of an interface: 10 to the minus that many seconds */
};

#define LINK_ETHERNET 1

struct pcapng {
	FILE *to;
	char **interface; /* names */
	uint32_t count;
};

struct block {
	uint8_t *bytes;
	size_t len, room;
};

static void put(struct block *b, const void *bytes, size_t len)
{
	if (b->room - b->len < len) {
		b->room = 2 * b->room + len;
		b->bytes = xrealloc(b->bytes, b->room);
	}
	if (len)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static void put16(struct block *b, uint16_t v)
{
	put(b, &v, sizeof(v));
}

static void put32(struct block *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

static void put64(struct block *b, uint64_t v)
{
	put(b, &v, sizeof(v));
}

static void put_padded(struct block *b, const void *bytes, size_t len)
{
	static const uint8_t zero[4];

	put(b, bytes, len);
	put(b, zero, -len & 3);
}

static void put_option(struct block *b, uint16_t code, const void *value, size_t len)
{
	len = len > UINT16_MAX ? UINT16_MAX : len;
	put16(b, code);
	put16(b, (uint16_t)len);
	put_padded(b, value, len);
}

static struct block begin(uint32_t type)
{
	struct block b = {NULL, 0, 0};

	put32(&b, type);
	put32(&b, 0); /* the length, when it is known */
	return b;
}

/* Writes the block and frees it. */
static bool end(struct pcapng *p, struct block *b)
{
	uint32_t len;
	bool done;

	put_option(b, OPTION_END, NULL, 0);
	len = (uint32_t)b->len + sizeof(len);
	memcpy(b->bytes + sizeof(uint32_t), &len, sizeof(len));
	put32(b, len);
	done = fwrite(b->bytes, 1, b->len, p->to) == b->len && fflush(p->to) == 0;
	free(b->bytes);
	return done;
}

struct pcapng *pcapng_begin(FILE *to, const char *application)
{
	struct pcapng *p = xcalloc(1, sizeof(*p));
	struct block b = begin(BLOCK_SECTION);

	p->to = to;
	put32(&b, ORDER_MAGIC);
	put16(&b, 1); /* version 1.0 */
	put16(&b, 0);
	put64(&b, LENGTH_UNKNOWN);
	put_option(&b, OPTION_APPLICATION, application, strlen(application));
	if (end(p, &b))
		return p;
	free(p);
	return NULL;
}

static bool new_interface(struct pcapng *p, const char *name)
{
	static const uint8_t nanoseconds = 9;
	struct block b = begin(BLOCK_INTERFACE);

	p->interface = xrealloc(p->interface, (p->count + 1) * sizeof(*p->interface));
	p->interface[p->count++] = xstrdup(name);
	put16(&b, LINK_ETHERNET);
	put16(&b, 0);
	put32(&b, 0); /* no limit */
	put_option(&b, OPTION_NAME, name, strlen(name));
	put_option(&b, OPTION_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	return end(p, &b);
}

/* The number of an interface; p->count: there is none yet. */
static uint32_t find(const struct pcapng *p, const char *name)
{
	uint32_t i = 0;

	while (i < p->count && strcmp(p->interface[i], name) != 0)
		i++;
	return i;
}

bool pcapng_write(struct pcapng *p, const struct pcapng_packet *packet)
{
	uint32_t number = find(p, packet->iface), flags = packet->direction;
	struct block b;

	if (number == p->count && !new_interface(p, packet->iface))
		return false;
	b = begin(BLOCK_PACKET);
	put32(&b, number);
	put32(&b, (uint32_t)(packet->unix_ns >> 32));
	put32(&b, (uint32_t)packet->unix_ns);
	put32(&b, packet->kept);
	put32(&b, packet->length);
	put_padded(&b, packet->bytes, packet->kept);
	put_option(&b, OPTION_FLAGS, &flags, sizeof(flags));
	if (packet->comment)
		put_option(&b, OPTION_COMMENT, packet->comment, strlen(packet->comment));
	return end(p, &b);
}

void pcapng_end(struct pcapng *p)
{
	for (uint32_t i = 0; p && i < p->count; i++)
		free(p->interface[i]);
	if (p)
		free(p->interface);
	free(p);
}
