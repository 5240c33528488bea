/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_KEYWORDS_H
#define CONF_KEYWORDS_H

/*
 * The keyword table: every key of the startup file, once.
 *
 * A row says what the key is called, what its value may be, where it is stored, what it is when left out
 * and what it means. The same rows are read by decode.c (file to structs), applies.c (keys out of
 * place), emit.c (structs to YAML and JSON) and doc.c (the reference), so these can never disagree. To
 * add a setting, add a member to conf.h and a row here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "conf/diff.h"

/* How a value is written, checked by itself, and stored. */
enum value_type {
	VALUE_BOOL,      /* bool */
	VALUE_UINT,      /* uint32_t, min..max */
	VALUE_COUNT,     /* uint64_t, min..max */
	VALUE_SIZE,      /* uint64_t, bytes with K, M, G, T */
	VALUE_RATE,      /* uint64_t, with k, M, G, T of 1000 */
	VALUE_TEXT,      /* const char *, min..max bytes */
	VALUE_LABEL,     /* const char *, 1..64 letters, digits and _ - . */
	VALUE_NAME,      /* const char *, a name of A20 */
	VALUE_PATH,      /* const char *, absolute, at most `max` bytes */
	VALUE_ENUM,      /* an enum, one of `names` */
	VALUE_IP,        /* struct ip_addr */
	VALUE_PREFIX,    /* struct ip_prefix */
	VALUE_IFADDR,    /* struct conf_ifaddr */
	VALUE_ASN,       /* uint32_t, plain or asdot */
	VALUE_COMMUNITY, /* uint32_t, 65000:100 or a well-known name */
	VALUE_PSK,       /* char[CONF_PSK_MAX + 1] */
	VALUE_SECRET,    /* const char *, as a PSK */
	VALUE_ID,        /* struct conf_id */
	VALUE_KEY,       /* struct conf_key, hexadecimal */
	VALUE_SPI,       /* uint32_t, decimal or 0x */
	VALUE_MAC,       /* struct conf_mac */
	VALUE_REF,       /* const char *, the name of a `target`; its pointer is at ref_offset */
	VALUE_SCALARS,   /* from here on: structure */
	VALUE_OBJECT = VALUE_SCALARS, /* a mapping, stored in place */
	VALUE_MAP,                    /* name: mapping; a list of pointers */
	VALUE_SEQUENCE,               /* a list of mappings; a list of pointers */
	VALUE_TAGS,                   /* key: value; a list of struct conf_tag */
};

enum ref_target { REF_PORT, REF_TABLE, REF_CUSTOMER_GATEWAY, REF_CONNECTION, REF_ATTACHMENT };

/* A word of an enum. An alias is read and never written; of several words the first one is written. */
struct value_name {
	const char *name;
	unsigned value;
};

struct object_kind;

struct kw {
	const char *key;
	enum value_type type;
	bool list;     /* one value or a list of them: `T *x` and `unsigned x_count` */
	bool required; /* as soon as the object stands in the file */
	bool secret;
	bool repeats;     /* a list may hold the same value twice */
	bool may_be_none; /* of a reference: the word `none` leads nowhere, on purpose */
	enum ref_target target;
	uint16_t offset;
	uint16_t count_offset;
	uint16_t ref_offset;
	uint16_t list_min;
	uint16_t list_max; /* 0: any number */
	uint64_t min;
	uint64_t max;
	const struct value_name *names; /* ends with a NULL name */
	const struct object_kind
	    *object;        /* of a structure, and of a reference that may be written inline */
	const char *preset; /* the value when left out, as the file would say it */
	const char *preset_words; /* the same where it follows from other values */
	bool (*applies)(
	    const void *object);   /* whether the key makes sense, given the rest; NULL: always */
	const char *applies_key;   /* of this object, or of the connection of a tunnel */
	const char *applies_words; /* "only with ..." */
	bool (*moot)(
	    const void *object); /* accepted, but without effect: not printed among defaults */
	const char *expect;      /* what to give, in place of the words of the type */
	const char *range_note;  /* said beside the range when a value is out of it */
	enum conf_effect
	    effect; /* of a change of the value; of a map or sequence: of a member that comes or goes */
	const char *meaning;
};

/* An object: a mapping with fixed keys, stored as a struct that begins with a conf_source. */
struct object_kind {
	const char *what; /* "tunnel", "port": for messages and headings */
	const char *intro;
	size_t size;
	const struct kw *rows; /* ends with a NULL key; 64 at most */
	uint16_t name_offset;  /* of `const char *name`; NO_NAME: none */
	unsigned
	    identity; /* without a name: the first so many rows, scalars, tell one from another; 0: its place */
};
#define NO_NAME UINT16_MAX

extern const struct object_kind conf_kind_root;
extern const struct object_kind conf_kind_connection;
extern const struct object_kind conf_kind_tunnel;
extern const struct object_kind conf_kind_customer_gateway;
extern const struct object_kind conf_kind_neighbor;
extern const struct object_kind conf_kind_bfd;
extern const struct object_kind conf_kind_policer;
extern const struct kw conf_rows_system[];
extern const struct kw conf_rows_port[];
extern const struct kw conf_rows_router[];
extern const struct kw conf_rows_table[];
extern const struct kw conf_rows_customer_gateway[];
extern const struct kw conf_rows_connection[];
extern const struct kw conf_rows_attachment[];
extern const struct kw conf_rows_policy[];

/* The row of a key; NULL when the kind has none. */
const struct kw *keyword_find(const struct object_kind *kind, const char *key);
/* The word of a value; never NULL for values that a file can give. */
const char *keyword_word(const struct value_name *names, unsigned value);
/* Calls fn for the object and all that it holds, from the outside in. */
typedef void keyword_fn(void *ctx, const struct object_kind *kind, void *object);
void keyword_walk(const struct object_kind *kind, void *object, keyword_fn *fn, void *ctx);
/* Bytes of one stored value of a scalar type. */
size_t value_size(enum value_type type);

static inline void *keyword_at(const struct kw *row, const void *object)
{
	return (char *)(uintptr_t)object + row->offset;
}
static inline unsigned *keyword_count(const struct kw *row, const void *object)
{
	return (unsigned *)((char *)(uintptr_t)object + row->count_offset);
}

/*
 * Parts of a row. FIELD and LIST refuse, at compile time, a member of another size than the type stores.
 */
#define SIZE_CHECK(size, type) (0 * sizeof(char[(size) == sizeof(type) ? 1 : -1]))
#define MEMBER(s, m)           ((s *)0)->m
#define FIELD_OF(s, m, t)      .offset = offsetof(s, m) + SIZE_CHECK(sizeof(MEMBER(s, m)), t)
#define OBJECTS_OF(s, m)                                                                           \
	.offset = offsetof(s, m) + SIZE_CHECK(sizeof(*MEMBER(s, m)), void *),                      \
	.count_offset = offsetof(s, m##_count)
#define FIELD(o, m, t) FIELD_OF(struct conf_##o, m, t)
#define OBJECTS(o, m)  OBJECTS_OF(struct conf_##o, m)
#define LIST(o, m, t)                                                                              \
	.list = true,                                                                              \
	.offset =                                                                                  \
	    offsetof(struct conf_##o, m) + SIZE_CHECK(sizeof(*MEMBER(struct conf_##o, m)), t),     \
	.count_offset = offsetof(struct conf_##o, m##_count)
#define REF(o, m, t)                                                                               \
	.offset = offsetof(struct conf_##o, m##_name), .ref_offset = offsetof(struct conf_##o, m), \
	.target = (t)
#define REFS(o, m, t)                                                                              \
	REF(o, m, t), .list = true, .count_offset = offsetof(struct conf_##o, m##_count)
#define RANGE(lo, hi)       .min = (lo), .max = (hi)
#define PRESET(text)        .preset = (text)
#define DERIVED(words)      .preset_words = (words)
#define ONLY(fn, on, words) .applies = (fn), .applies_key = (on), .applies_words = (words)
/* Behind all others: what a change of the key does to a running router (diff.h), and what the key means. */
#define MEANS(does, ...) .effect = CONF_EFFECT_##does, .meaning = __VA_ARGS__

/* The same rows of several kinds of objects. */
#define ROW_DESCRIPTION(o)                                                                         \
	{                                                                                          \
		"description", VALUE_TEXT, FIELD(o, description, char *), RANGE(0, 256),           \
		    MEANS(NOTHING, "free text")                                                    \
	}
#define ROW_OWNER(o)                                                                               \
	{                                                                                          \
		"owner", VALUE_LABEL, FIELD(o, owner, char *),                                     \
		    DERIVED("owner of the transit router"), MEANS(NOTHING, "whose object this is") \
	}
#define ROW_TAGS(o)                                                                                        \
	{                                                                                                  \
		"tags", VALUE_TAGS,                                                                        \
		    .offset = offsetof(struct conf_##o, tags),                                             \
		    .count_offset = offsetof(struct conf_##o, tags_count), .list_max = 20,                 \
		    MEANS(NOTHING,                                                                         \
			"key: value pairs; keys of 1..64 characters, values of 0..128, neither beginning " \
			"with `acs:` or `aliyun` nor holding `http://` or `https://`")                     \
	}

#endif
