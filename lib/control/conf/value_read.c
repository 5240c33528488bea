/* SPDX-License-Identifier: BSD-3-Clause */
/* A scalar of the file: its value, or an error that says what would have been right. */
#include <string.h>

#include "base/text.h"
#include "conf/loader.h"
#include "conf/suggest.h"
#include "conf/value.h"

static const char *target_name(enum ref_target target)
{
	static const char *const names[] = {
	    [REF_PORT] = "port",
	    [REF_TABLE] = "route table",
	    [REF_CUSTOMER_GATEWAY] = "customer gateway",
	    [REF_CONNECTION] = "connection",
	    [REF_ATTACHMENT] = "attachment",
	};
	return names[target];
}

static void expect_range(const struct kw *row, const char *what, struct text *t)
{
	char lo[VALUE_TEXT_MAX], hi[VALUE_TEXT_MAX];
	uint32_t min = (uint32_t)row->min, max = (uint32_t)row->max;
	bool wide = row->type == VALUE_COUNT || row->type == VALUE_SIZE || row->type == VALUE_RATE;

	value_text(row, wide ? (const void *)&row->min : &min, lo);
	value_text(row, wide ? (const void *)&row->max : &max, hi);
	text_addf(t, "%s, %s..%s", what, lo, hi);
}

/* "dual, single": the words of an enum without its aliases. */
static void add_words(const struct value_name *names, struct text *t)
{
	const char *separator = "";

	for (const struct value_name *n = names; n->name; n++) {
		if (keyword_word(names, n->value) != n->name)
			continue;
		text_addf(t, "%s%s", separator, n->name);
		separator = ", ";
	}
}

static void expect_text(const struct kw *row, const char *what, struct text *t)
{
	text_addf(t, "%s of %u..%u characters", what, (unsigned)row->min, (unsigned)row->max);
}

const char *value_expect(const struct kw *row, char buf[EXPECT_MAX])
{
	static const char *const words[VALUE_SCALARS] = {
	    [VALUE_BOOL] = "yes or no",
	    [VALUE_LABEL] = "1..64 letters, digits, '_', '-' or '.'",
	    [VALUE_NAME] = "2..128 characters: a letter, then letters, digits, '_' or '-'",
	    [VALUE_IP] = "an address such as 192.0.2.1",
	    [VALUE_PREFIX] = "a prefix such as 10.1.0.0/16",
	    [VALUE_IFADDR] = "an address with the length of its subnet such as 10.1.255.254/16",
	    [VALUE_ASN] = "an AS number, 1..4294967295, or asdot such as 123.456",
	    [VALUE_COMMUNITY] = "a community such as 65000:100 or no-export",
	    [VALUE_ID] = "an address, a FQDN, user@FQDN or keyid:TEXT",
	    [VALUE_KEY] = "hexadecimal digits, two per byte, for at most 68 bytes",
	    [VALUE_MAC] = "the MAC address of one station such as 02:00:00:00:00:01",
	    [VALUE_SPI] = "256..4294967295, or 0x00000100..0xffffffff",
	};
	struct text t = text_of(buf, EXPECT_MAX);

	if (row->expect) {
		text_add(&t, row->expect);
		return buf;
	}
	switch (row->type) {
	case VALUE_UINT:
	case VALUE_COUNT:
		expect_range(row, "a whole number", &t);
		break;
	case VALUE_SIZE:
		expect_range(row, "a size such as 512M", &t);
		break;
	case VALUE_RATE:
		expect_range(row, "a rate such as 500M", &t);
		break;
	case VALUE_TEXT:
		expect_text(row, "printable text", &t);
		break;
	case VALUE_PATH:
		expect_text(row, "an absolute path", &t);
		break;
	case VALUE_PSK:
	case VALUE_SECRET:
		text_addf(&t, "%u..%u printable characters without spaces", (unsigned)row->min,
		    (unsigned)row->max);
		break;
	case VALUE_ENUM:
		text_add(&t, "one of ");
		add_words(row->names, &t);
		break;
	case VALUE_REF:
		text_addf(&t, "the name of %s %s", article(target_name(row->target)),
		    target_name(row->target));
		break;
	default:
		text_add(&t, words[row->type]);
	}
	return buf;
}

static void fail_word(struct loader *l, const struct kw *row, struct node *node)
{
	struct suggest s = suggest_for(node->text);
	char value[QUOTE_MAX], what[HINT_MAX], words[EXPECT_MAX];
	struct text t = text_of(words, sizeof(words));

	for (const struct value_name *n = row->names; n->name; n++) {
		suggest_try(&s, n->name);
		if (strcmp(n->name, suggest_own_name(node->text)) == 0)
			s = (struct suggest){.word = node->text, .best = n->name};
	}
	add_words(row->names, &t);
	if (s.best)
		fail_node(l, node, "%s: '%s' is not known%s (%s)", row->key,
		    quote(node->text, value), hint(&s, what), words);
	else
		fail_node(l, node, "%s: '%s' is not known; give one of %s", row->key,
		    quote(node->text, value), words);
}

static void fail_host_bits(
    struct loader *l, const struct kw *row, struct node *node, const struct ip_prefix *fixed)
{
	char value[QUOTE_MAX], text[IP_PREFIX_TEXT_MAX];

	fail_node(l, node, "%s: '%s' has bits set behind its length; give %s", row->key,
	    quote(node->text, value), ip_prefix_text(fixed, text));
}

static void fail_value(
    struct loader *l, const struct kw *row, struct node *node, enum value_fault fault)
{
	const char *what = fault == VALUE_OUT_OF_RANGE ? "out of range" : "not valid";
	char value[QUOTE_MAX], expect[EXPECT_MAX];

	value_expect(row, expect);
	if (fault == VALUE_PLACEHOLDER)
		fail_node(l, node,
		    "%s: '%s' stands for a secret that was not printed; give the secret", row->key,
		    VALUE_SECRET_PLACEHOLDER);
	else if (row->secret)
		fail_node(l, node, "%s: the value is %s; give %s", row->key, what, expect);
	else
		fail_node(l, node, "%s: '%s' is %s; give %s%s", row->key, quote(node->text, value),
		    what, expect,
		    fault == VALUE_OUT_OF_RANGE && row->range_note ? row->range_note : "");
}

bool value_read(struct loader *l, const struct kw *row, struct node *node, void *at)
{
	enum value_fault fault;
	char expect[EXPECT_MAX];

	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind == NODE_NULL) {
		fail_node(l, node, "%s: no value; give %s", row->key, value_expect(row, expect));
		return false;
	}
	if (node->kind != NODE_SCALAR) {
		fail_node(l, node, "%s: a %s stands where one value belongs; give %s", row->key,
		    node->kind == NODE_LIST ? "list" : "mapping", value_expect(row, expect));
		return false;
	}
	fault = value_parse(row, node->text, l->conf->pool, at);
	if (fault == VALUE_UNKNOWN_WORD)
		fail_word(l, row, node);
	else if (fault == VALUE_HOST_BITS)
		fail_host_bits(l, row, node, at);
	else if (fault)
		fail_value(l, row, node, fault);
	return fault == VALUE_GOOD;
}
