/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_TREE_H
#define CONF_TREE_H

/*
 * A YAML file as a tree of nodes, each of which knows its line and column.
 *
 * bytes -> text_clean() (encoding) -> libyaml's events -> tree_parse(): bounded in depth and number of nodes,
 * no anchors, aliases, tags or second documents, no key twice in one mapping. What breaks one of these
 * rules is an error, and the rest of the file is read all the same; only a file that is no YAML ends at
 * that place (`partial`).
 *
 * A node is known by its number, 0 is none. The tree holds pre-shared keys: tree_fini() wipes it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

#define TREE_DEPTH_MAX  32
#define TREE_NODES_MAX  (1u << 21)
#define TREE_FILE_BYTES (32u << 20)

enum node_kind {
	NODE_NULL, /* nothing, ~ or null */
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_BROKEN, /* reported already; stands for anything */
};

struct node {
	enum node_kind kind;
	bool reported;   /* an error was reported at this value: no second one */
	uint32_t line;   /* of the value, from 1 */
	uint32_t column; /* in characters, from 1 */
	uint32_t next;   /* the next child of the same parent */
	uint32_t first;  /* the first child */
	uint32_t count;  /* of children */
	uint32_t key_line;
	uint32_t key_column;
	const char *key;  /* when the parent is a mapping */
	const char *text; /* of a scalar */
};

struct tree {
	struct node *nodes; /* nodes[0] is not used */
	uint32_t count;
	uint32_t capacity;
	uint32_t root; /* 0: the file has no values */
	bool partial;  /* the file could not be read to its end */
	struct conf_pool *pool;
};

/* Reads `len` bytes; errors go to `errs`. */
void tree_parse(struct tree *tree, const char *bytes, size_t len, struct conf_errors *errs);
void tree_fini(struct tree *tree);

static inline struct node *tree_node(const struct tree *tree, uint32_t number)
{
	return &tree->nodes[number];
}
/* The value of a key in a mapping; NULL when it is not there. */
struct node *tree_child(const struct tree *tree, uint32_t map, const char *key);
/* The i-th element of a list; the node itself when it is no list. */
struct node *tree_item(const struct tree *tree, struct node *list, unsigned i);

/*
 * A copy of the file in which every byte that is not printable UTF-8 text is a question mark, each reported.
 * *len becomes the length of the copy, to be released with secret_free(copy, *len + 1). A byte order
 * mark is left out. NULL when the file is no UTF-8 at all (UTF-16).
 */
char *text_clean(const char *bytes, size_t *len, struct conf_errors *errs);

#endif
