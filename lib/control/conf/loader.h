/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONF_LOADER_H
#define CONF_LOADER_H

/*
 * The state of one conf_load(), shared by its steps, and how they report.
 *
 *   tree_parse     bytes -> nodes
 *   decode         nodes -> structs, by the keyword table: unknown keys, types, ranges, missing keys
 *   resolve        names -> pointers: names used twice, references that lead nowhere
 *   complete       what follows from other values: owners, AS numbers, sections that are switched on by standing there
 *   applies        keys out of place, by the keyword table
 *   check_*        rules between values
 *   allocate       uplinks, zones and gateway addresses of tunnels, and what hangs on them
 *
 * Every step goes on after an error, and no place gets two: what one step has reported about a value
 * silences the later ones there.
 */

#include "conf/conf.h"
#include "conf/errors.h"
#include "conf/names.h"
#include "conf/tree.h"

struct conf_index {
	struct names ports;
	struct names route_tables;
	struct names customer_gateways;
	struct names connections;
	struct names attachments;
};

struct loader {
	struct conf *conf;
	struct tree tree;
	struct conf_errors *errs;
	const struct conf_options *options;
	unsigned
	    suggestions_left; /* names still compared to find what was meant; bounds the time */
};

/* The steps. */
void decode_file(struct loader *l);
void resolve_names(struct loader *l);
void complete(struct loader *l);
void check_applies(struct loader *l);
void check_system(struct loader *l);
void check_ports(struct loader *l);
void check_transit_router(struct loader *l);
void check_route_tables(struct loader *l);
void check_customer_gateways(struct loader *l);
void check_connections(struct loader *l);
/* B1, and the same for health checks: settings of a section that is switched off. */
void check_switched_off(
    struct loader *l, const struct conf_source *section, bool enabled, const char *what);
void check_crypto(struct loader *l, const struct conf_tunnel *tunnel);
void check_manual(struct loader *l);
void check_bgp(struct loader *l);
/* B4: a warning for a local AS number of the file that is not private. */
void check_local_asn(
    struct loader *l, const struct conf_source *source, const char *key, uint32_t asn);
void check_bfd(struct loader *l);
void check_policers(struct loader *l);
void check_attachments(struct loader *l);
void check_neighbors(struct loader *l);
void check_routing_policies(struct loader *l);
void assign_uplinks(struct loader *l);
void allocate_gateways(struct loader *l);
void check_gateways(struct loader *l);

/* Reporting at a value of the tree. An error marks the value, and later ones at it are dropped. */
void fail_node(struct loader *l, struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reporting at a key of an object: at its value, or at the object when the key is not there. */
void fail_key(struct loader *l, const struct conf_source *object, const char *key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void warn_key(struct loader *l, const struct conf_source *object, const char *key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* At the i-th value of a list. */
void fail_item(struct loader *l, const struct conf_source *object, const char *key, unsigned i,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
void warn_item(struct loader *l, const struct conf_source *object, const char *key, unsigned i,
    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* At the key itself, which is out of place; its value is not looked at any more. */
void fail_place(struct loader *l, const struct conf_source *object, const char *key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* At the object itself. */
void fail_object(struct loader *l, const struct conf_source *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void warn_object(struct loader *l, const struct conf_source *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the key stands in the file. */
bool is_given(const struct loader *l, const struct conf_source *object, const char *key);
/* Whether the key's value, or any in its list, was reported: what is stored for it means nothing then. */
bool is_reported(const struct loader *l, const struct conf_source *object, const char *key);

/* Text of the file for a message: printable, 60 characters at most. */
#define QUOTE_MAX 64
const char *quote(const char *text, char buf[QUOTE_MAX]);
/* "a" or "an". */
const char *article(const char *noun);
/* "; did you mean 'x'?" or "". */
#define HINT_MAX 96
struct suggest;
const char *hint(const struct suggest *s, char buf[HINT_MAX]);

/* value.c: reads a scalar into `at`, of value_size() bytes. False, and reported, when it is not valid. */
struct kw;
bool value_read(struct loader *l, const struct kw *row, struct node *node, void *at);

#endif
