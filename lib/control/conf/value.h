/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

/*
 * Scalar values: text of the file to what is stored, and back. Each type is one row {size, read, write,
 * expect} in value.c; reading here knows nothing of files and lines.
 */

#include "conf/keywords.h"

struct conf_pool;

/* What value_parse() found wrong. */
enum value_fault {
	VALUE_GOOD,
	VALUE_NOT_VALID,
	VALUE_OUT_OF_RANGE,
	VALUE_UNKNOWN_WORD,
	VALUE_HOST_BITS,   /* `fixed` has the prefix without them */
	VALUE_PLACEHOLDER, /* what conf_print() writes in place of a secret */
};

/* Text into `at`, value_size() bytes there; strings are copied into the pool. */
enum value_fault value_parse(
    const struct kw *row, const char *text, struct conf_pool *pool, void *at);

/* The stored value in the words of the file, cut at the capacity. Secrets too: the caller decides. */
#define VALUE_TEXT_MAX 2100 /* 512 characters of UTF-8 and more */
const char *value_text(const struct kw *row, const void *at, char buf[VALUE_TEXT_MAX]);

/* What the row accepts: "a whole number, 576..9600". */
#define EXPECT_MAX 256
const char *value_expect(const struct kw *row, char buf[EXPECT_MAX]);

#define VALUE_SECRET_PLACEHOLDER "<secret>"

/* The parts of value.c that stand in value_net.c and value_word.c. */
enum value_fault parse_ip(const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_prefix(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_ifaddr(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_asn(const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_community(
    const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_mac(const struct kw *row, const char *s, struct conf_pool *pool, void *at);
enum value_fault parse_id(const struct kw *row, const char *s, struct conf_pool *pool, void *at);
void write_ip(const struct kw *row, const void *at, char *buf);
void write_prefix(const struct kw *row, const void *at, char *buf);
void write_ifaddr(const struct kw *row, const void *at, char *buf);
void write_community(const struct kw *row, const void *at, char *buf);
void write_mac(const struct kw *row, const void *at, char *buf);
void write_id(const struct kw *row, const void *at, char *buf);
/* Decimal digits alone, without a leading zero. False when it is none or does not fit; *huge tells which. */
bool parse_decimal(const char *s, uint64_t *out, bool *huge);
/* The characters of UTF-8 text; -1 when some of them are not printable. */
int text_characters(const char *s);
/* A name of A20. */
bool is_name(const char *s);

#endif
