/* SPDX-License-Identifier: BSD-3-Clause */

#include "transitctl/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "transitctl/pcapng.h"

struct capture {
	const char *path;
	FILE *file;
	struct pcapng *out;
};

static void complain(const struct capture *c, const char *what)
{
	fprintf(stderr, "transitctl: %s: %s: %s\n", c->path, what, strerror(errno));
}

static FILE *open_file(const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? NULL : fdopen(fd, "wb");
}

struct capture *capture_open(const char *path)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->path = path;
	c->file = open_file(path);
	c->out = c->file ? pcapng_begin(c->file, "transitctl trace") : NULL;
	if (c->out)
		return c;
	complain(c, "cannot write packets there");
	if (c->file && c->file != stdout)
		fclose(c->file);
	free(c);
	return NULL;
}

/* ---- a stage of a packet ---- */

static const char *word(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static enum pcapng_direction direction_of(const char *stage)
{
	if (strcmp(stage, "received") == 0 || strcmp(stage, "decrypted") == 0)
		return PCAPNG_IN;
	return strcmp(stage, "dropped") == 0 ? PCAPNG_NO_DIRECTION : PCAPNG_OUT;
}

/* Where it was seen: the name of a port, "tunnel NAME", or what else there is. */
static const char *place(const json_t *row, const char *stage, char *room, size_t size)
{
	struct text t = text_of(room, size);

	if (*word(row, "port"))
		text_add(&t, word(row, "port"));
	else if (*word(row, "tunnel"))
		text_addf(&t, "tunnel %s", word(row, "tunnel"));
	else
		text_add(&t, strcmp(stage, "dropped") == 0 ? "dropped" : "router");
	return room;
}

static void comment_on(const json_t *packet, const json_t *row, struct text *t)
{
	static const char *const keys[] = {"tunnel", "attachment", "reason", "because"};

	text_addf(t, "packet %lld: %s",
	    (long long)json_integer_value(json_object_get(packet, "packet")), word(row, "stage"));
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*word(row, keys[i]))
			text_addf(t, ", %s %s", keys[i], word(row, keys[i]));
}

/* The bytes of the packet, in a frame. *len: how many; *missing: those that were not kept. The caller frees it. */
static uint8_t *frame_of(const json_t *kept, uint32_t *len, uint32_t *missing)
{
	const char *hex = word(kept, "hex");
	size_t room = strlen(hex) / 2,
	       head = strcmp(word(kept, "link"), "ethernet") ? ETHER_HDR_LEN : 0;
	uint8_t *frame = xcalloc(1, head + room + 1);
	int n = text_unhex(hex, frame + head, room);
	json_int_t length = json_integer_value(json_object_get(kept, "length"));

	n = n < 0 ? 0 : n;
	if (head) {
		uint16_t type =
		    htons(n > 0 && frame[head] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);

		memcpy(frame + 2 * ETHER_ADDR_LEN, &type, sizeof(type));
	}
	*len = (uint32_t)(head + (size_t)n);
	*missing = length > n ? (uint32_t)(length - n) : 0;
	return frame;
}

static bool write_row(
    struct capture *c, const json_t *packet, const json_t *row, const json_t *kept, int64_t start)
{
	const char *stage = word(row, "stage");
	char iface[128], comment[256];
	struct text t = text_of(comment, sizeof(comment));
	double ns = json_number_value(json_object_get(row, "at-us")) * 1e3;
	uint32_t len, missing;
	uint8_t *frame = frame_of(kept, &len, &missing);
	struct pcapng_packet p = {
	    .iface = place(row, stage, iface, sizeof(iface)),
	    .direction = direction_of(stage),
	    .unix_ns = (uint64_t)(start + (int64_t)ns),
	    .bytes = frame,
	    .kept = len,
	    .length = len + missing,
	    .comment = comment,
	};
	bool done;

	comment_on(packet, row, &t);
	done = pcapng_write(c->out, &p);
	free(frame);
	if (!done)
		complain(c, "a packet was not written");
	return done;
}

bool capture_packet(struct capture *c, const json_t *packet, int64_t start_ns)
{
	const json_t *row, *kept;
	size_t i;

	json_array_foreach(json_object_get(packet, "stages"), i, row)
	{
		kept = json_object_get(row, "kept");
		if (kept && !write_row(c, packet, row, kept, start_ns))
			return false;
	}
	return true;
}

bool capture_close(struct capture *c)
{
	bool done = true;

	pcapng_end(c->out);
	if (c->file != stdout && fclose(c->file) != 0) {
		complain(c, "not all is written");
		done = false;
	}
	free(c);
	return done;
}
