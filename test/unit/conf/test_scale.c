/* SPDX-License-Identifier: BSD-3-Clause */
/* Large files: 2,000 planted errors, all found (C-30), and 10,000 tunnels that load in time (C-33). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "conf/conf.h"

#define CONNECTIONS 2500
#define PLANTED     2000

struct writer {
	FILE *to;
	char *text;
	size_t len;
	unsigned line; /* of what is written next */
};

/* Where an error was planted and what must be said about it. */
struct truth {
	unsigned line;
	unsigned column;
	char text[200];
};

/* Ways to spoil a tunnel: what stands behind its gateway address, and what is said about it. */
static const struct {
	const char *spoilt;
	unsigned column; /* behind the start of `spoilt` */
	const char *text;
} faults[] = {
    {"psk: \"a b\"", 5,
	"psk: the value is not valid; give 1..100 printable characters without spaces"},
    {"pks: abc", 0, "unknown key 'pks' in tunnel; did you mean 'psk'?"},
    {"dpd: {interval: 0}", 16, "interval: '0' is out of range; give a whole number, 1..3600"},
    {"ike: {dh-group: group14, lifetime: 86401}", 35,
	"lifetime: '86401' is out of range; give a whole number, 0..86400"},
    {"ike: {dh-group: 14, version: ikev}", 29,
	"version: 'ikev' is not known; did you mean 'ikev2'? (ikev2, ikev1)"},
    {"apply-immediately: perhaps", 19, "apply-immediately: 'perhaps' is not valid; give yes or no"},
    {"via: dc-1", 0, "via: possible only with gateway-type: private; remove it, or change that"},
    {"bgp: {cidr: 10.0.0.0/30}", 12,
	"cidr: 10.0.0.0/30 is no /30 of 169.254.0.0/16; give one, such as 169.254.10.0/30"},
    {"bgp: {enabled: no, local-asn: 65000}", 19,
	"local-asn: a setting of bgp, which is not enabled; set `enabled: yes`, or remove it"},
    {"health-check: {destination: 10.1.1.1}", 0,
	"health-check: 'source' is missing; give an address on the side of the transit router"},
    {"nat-traversal: [yes]", 15,
	"nat-traversal: a list stands where one value belongs; give yes or no"},
    {"expected-mbit: 1, expected-mbit: 2", 18, NULL /* names the first place */},
};

#ifdef __SANITIZE_ADDRESS__
#	define SLOWER 10
#else
#	define SLOWER 1
#endif

/* Processor time, so that a busy machine does not fail the test. */
static struct mono cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct mono){DUR_S(t.tv_sec) + t.tv_nsec};
}

static void check_time(struct mono start, int64_t limit_ns)
{
	assert_true(mono_diff(start, cpu_now()) < SLOWER * limit_ns);
}

static void put(struct writer *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(w->to, format, args);
	va_end(args);
	w->line++;
}

static void put_head(struct writer *w)
{
	put(w,
	    "ports: {wan0: {device: 'tap:t0', address: 203.0.113.10/24, gateway: 203.0.113.1}}\n");
	put(w, "transit-router: {limits: {vpn-attachments: 60000}}\n");
	put(w,
	    "customer-gateways: {gw-a: {address: 192.0.2.1, asn: 65010}, gw-b: {address: 192.0.2.2, asn: "
	    "65010}}\n");
	put(w, "attachments:\n");
	for (unsigned i = 0; i < CONNECTIONS; i++)
		put(w, "  dc-%u: {kind: vpn, connection: dc-%u}\n", i, i);
	put(w, "vpn-connections:\n");
}

static void plant(struct writer *w, unsigned indent, unsigned fault, struct truth *truth)
{
	unsigned start = indent;

	truth->line = w->line;
	truth->column = start + faults[fault].column;
	if (faults[fault].text)
		strcpy(truth->text, faults[fault].text);
	else
		snprintf(truth->text, sizeof(truth->text),
		    "'expected-mbit' stands here for the second time, first in line %u column %u; remove "
		    "one of them",
		    w->line, start);
}

/* A tunnel; `fault` < 0: a good one. */
static void put_tunnel(
    struct writer *w, unsigned number, const char *gateway, int fault, struct truth *truth)
{
	char head[128];
	int len = snprintf(head, sizeof(head),
	    "      - {customer-gateway: %s, gateway-address: 10.%u.%u.%u, ", gateway,
	    64 + (number >> 16), number >> 8 & 0xff, number & 0xff);

	if (fault >= 0)
		plant(w, (unsigned)len + 1, (unsigned)fault, truth);
	put(w, "%s%s}\n", head, fault < 0 ? "psk: abc" : faults[fault].spoilt);
}

/* The count of planted errors, in the order of the file. */
static unsigned put_connections(struct writer *w, struct rng *rng, struct truth *truth)
{
	const unsigned kinds = sizeof(faults) / sizeof(faults[0]);
	unsigned planted = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		put(w, "  dc-%u:\n", i);
		put(w, "    tunnels:\n");
		for (unsigned k = 0; k < 2; k++) {
			bool spoil = truth && planted < PLANTED &&
			    rng_below(rng, 2 * CONNECTIONS - 2 * i - k) < PLANTED - planted;

			put_tunnel(w, 2 * i + k, k ? "gw-b" : "gw-a",
			    spoil ? (int)rng_below(rng, kinds) : -1,
			    spoil ? &truth[planted] : NULL);
			planted += spoil;
		}
	}
	return planted;
}

static void write_file(struct writer *w, struct rng *rng, struct truth *truth)
{
	*w = (struct writer){.line = 1};
	w->to = open_memstream(&w->text, &w->len);
	put_head(w);
	assert_int_equal(put_connections(w, rng, truth), truth ? PLANTED : 0);
	fclose(w->to);
}

static unsigned lines_of(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		n++;
	return n;
}

/* The first 200 errors are printed, no warning takes their place, and the totals are told. */
static void check_print(const struct conf_errors *errs)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	conf_errors_print(errs, f);
	fclose(f);
	assert_int_equal(lines_of(text, ": error: "), CONF_ERRORS_PRINTED);
	assert_int_equal(lines_of(text, ": warning: "), 0);
	assert_int_equal(lines_of(text, "\n"), CONF_ERRORS_PRINTED + 1);
	assert_non_null(strstr(text, "\nbig.yaml: 2000 errors, "));
	assert_non_null(strstr(text, " warnings; 200 of them are shown\n"));
	free(text);
}

static void test_planted_errors(void **state)
{
	static struct truth truth[PLANTED];
	struct conf_errors errs;
	struct conf *conf;
	struct writer w;
	struct rng rng;
	struct mono start;
	unsigned found = 0;

	rng_init_seeded(&rng, 2000);
	write_file(&w, &rng, truth);
	conf_errors_init(&errs);
	start = cpu_now();
	assert_int_equal(conf_load_buffer("big.yaml", w.text, w.len, NULL, &conf, &errs), -22);
	check_time(start, DUR_S(1));
	assert_int_equal(errs.errors, PLANTED);
	for (unsigned i = 0; i < errs.items_count; i++) {
		const struct conf_error *e = &errs.items[i];

		if (e->warning)
			continue;
		assert_true(found < PLANTED);
		assert_int_equal(e->line, truth[found].line);
		assert_int_equal(e->column, truth[found].column);
		assert_string_equal(e->text, truth[found].text);
		found++;
	}
	assert_int_equal(found, PLANTED);
	check_print(&errs);
	conf_errors_fini(&errs);
	free(w.text);
}

static void test_many_tunnels(void **state)
{
	struct conf_errors errs;
	struct conf *conf;
	struct writer w;
	struct rng rng;
	struct mono start;

	rng_init_seeded(&rng, 1);
	write_file(&w, &rng, NULL);
	conf_errors_init(&errs);
	start = cpu_now();
	assert_int_equal(conf_load_buffer("big.yaml", w.text, w.len, NULL, &conf, &errs), 0);
	check_time(start, DUR_S(5));
	assert_int_equal(conf->vpn_connections_count, CONNECTIONS);
	assert_int_equal(conf_find_connection(conf, "dc-2499")->tunnels[1]->number, 2);
	conf_free(conf);
	conf_errors_fini(&errs);
	free(w.text);
}

/* Every reference leads nowhere, and each is compared with thousands of names. */
static void test_many_dangling_references(void **state)
{
	struct conf_errors errs;
	struct conf *conf;
	struct mono start;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("ports: {lan0: {device: 'tap:t0'}}\ncustomer-gateways:\n", f);
	for (unsigned i = 0; i < 5000; i++)
		fprintf(f, "  customer-gateway-%c%u: {address: 192.0.2.1}\n", 'a' + i % 26, i);
	fputs("attachments:\n", f);
	for (unsigned i = 0; i < 5000; i++)
		fprintf(f,
		    "  v-%u: {kind: vpn, connection: {mode: single, tunnels: [{customer-gateway: "
		    "customer-gatevay-%c%u}]}}\n",
		    i, 'b' + i % 25, i);
	fclose(f);
	conf_errors_init(&errs);
	start = cpu_now();
	assert_int_equal(conf_load_buffer("big.yaml", text, len, NULL, &conf, &errs), -22);
	check_time(start, DUR_S(1));
	assert_int_equal(errs.errors, 5000 + 4950 /* over the limit of VPN attachments */ + 1);
	conf_errors_fini(&errs);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_planted_errors),
	    cmocka_unit_test(test_many_tunnels),
	    cmocka_unit_test(test_many_dangling_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
