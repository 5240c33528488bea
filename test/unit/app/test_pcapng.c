/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks as they stand in the file, word for word. */

#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "transitctl/pcapng.h"

static uint32_t word_at(const char *file, size_t at)
{
	uint32_t v;

	memcpy(&v, file + at, sizeof(v));
	return v;
}

/* A whole block: its length stands at both ends. Returns where the next one begins. */
static size_t block_at(const char *file, size_t at, uint32_t type)
{
	uint32_t len = word_at(file, at + 4);

	assert_int_equal(word_at(file, at), type);
	assert_int_equal(len % 4, 0);
	assert_int_equal(word_at(file, at + len - 4), len);
	return at + len;
}

static void test_file(void **state)
{
	const struct pcapng_packet packet = {
	    .iface = "wan0",
	    .direction = PCAPNG_OUT,
	    .unix_ns = UINT64_C(0x1234567890),
	    .bytes = (const uint8_t *)"frame",
	    .kept = 5,
	    .length = 1500,
	    .comment = "packet 1: sent",
	};
	struct pcapng_packet other = packet;
	char *file = NULL;
	size_t len = 0, at, next;
	FILE *to = open_memstream(&file, &len);
	struct pcapng *p = pcapng_begin(to, "a test");

	other.iface = "tunnel dc1/1";
	other.comment = NULL;
	assert_non_null(p);
	assert_true(pcapng_write(p, &packet));
	assert_true(pcapng_write(p, &other));
	assert_true(pcapng_write(p, &packet));
	pcapng_end(p);
	fclose(to);

	at = block_at(file, 0, 0x0a0d0d0a);
	assert_int_equal(word_at(file, 8), 0x1a2b3c4d);
	assert_int_equal(word_at(file, 12), 1);
	next = block_at(file, at, 1);
	assert_int_equal(word_at(file, at + 8), 1); /* Ethernet */
	assert_memory_equal(file + at + 16, "\2\0\4\0wan0", 8);
	at = next;
	next = block_at(file, at, 6);
	assert_int_equal(word_at(file, at + 8), 0);
	assert_int_equal(word_at(file, at + 12), 0x12);
	assert_int_equal(word_at(file, at + 16), 0x34567890);
	assert_int_equal(word_at(file, at + 20), 5);
	assert_int_equal(word_at(file, at + 24), 1500);
	assert_memory_equal(file + at + 28, "frame\0\0\0", 8);
	assert_memory_equal(file + at + 36, "\2\0\4\0\2\0\0\0", 8);
	assert_memory_equal(file + at + 44, "\1\0\16\0packet 1: sent\0\0", 20);
	at = block_at(file, next, 1); /* another interface */
	next = block_at(file, at, 6);
	assert_int_equal(word_at(file, at + 8), 1);
	at = next; /* the first one again */
	assert_int_equal(block_at(file, at, 6), len);
	assert_int_equal(word_at(file, at + 8), 0);
	free(file);
}

static void test_full(void **state)
{
	FILE *full = fopen("/dev/full", "wb");

	assert_non_null(full);
	assert_null(pcapng_begin(full, "a test"));
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
