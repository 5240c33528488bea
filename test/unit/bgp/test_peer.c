/* SPDX-License-Identifier: BSD-3-Clause */

/* Peers come, change and go while there are routes; and what there is to see of them. */

#include "speaker.h"

#include <errno.h>

#define OK                                                                                         \
	"400101 00"                                                                                \
	"400206 0201 0000fde9"                                                                     \
	"400304 0a000001"

static void bad_configurations(void **state)
{
	struct speaker s;
	struct bgp_config config = {.router_id = 0};
	const char *why = NULL;

	speaker_init(&s);
	for (unsigned i = 0; i < 10; i++) {
		struct bgp_peer_config c = speaker_config(1);

		switch (i) {
		case 0:
			c.transport.remote = (struct ip_addr){0};
			break;
		case 1:
			c.transport.remote = test_addr("0.0.0.0");
			break;
		case 2:
			c.local_as = 0;
			break;
		case 3:
			c.remote_as = 0;
			break;
		case 4:
			c.remote_as = BGP_AS_TRANS;
			break;
		case 5:
			c.families = 0;
			break;
		case 6:
			c.hold_s = 2;
			break;
		case 7:
			c.families = BGP_FAMILIES_ALL; /* over IPv4, without a next hop */
			break;
		case 8:
			c.transport.remote = test_addr("2001:db8::1"); /* IPv4 over IPv6 likewise */
			break;
		case 9:
			c.connect_retry_s = 0;
			break;
		}
		why = NULL;
		assert_int_equal(bgp_peer_add(s.engine, s.now, 1, &c, &why), -EINVAL);
		assert_non_null(why);
	}
	assert_int_equal(bgp_peer_start(s.engine, s.now, 1), -ENOENT);
	assert_int_equal(bgp_peer_remove(s.engine, s.now, 1), -ENOENT);
	assert_int_equal(bgp_peer_reset(s.engine, s.now, 1, false, NULL), -ENOENT);
	assert_int_equal(bgp_peer_refresh(s.engine, s.now, 1), -ENOENT);
	assert_null(bgp_create(NULL, NULL, &s.rng, &config, s.now));
	assert_int_equal(errno, EINVAL);
	speaker_fini(&s);
}

static void numbers(void **state)
{
	const struct bgp_config config = {.router_id = LOCAL_ID, .peers_max = 3};
	struct ip_addr local = ip_v4(LOCAL_ID), other = ip_v4(7), remote = ip_v4(PEER_ID(2));
	struct bgp_peer_config c;
	struct speaker s;

	speaker_init_with(&s, &config);
	for (unsigned i = 3; i >= 1; i--) {
		c = speaker_config(i);
		assert_int_equal(bgp_peer_add(s.engine, s.now, i, &c, NULL), 0);
	}
	assert_int_equal(bgp_peer_add(s.engine, s.now, 2, &c, NULL), -EEXIST);
	assert_int_equal(bgp_peer_add(s.engine, s.now, 4, &c, NULL), -ENOSPC);
	assert_int_equal(bgp_peer_add(s.engine, s.now, 0, &c, NULL), -EINVAL);
	assert_int_equal(bgp_peer_find(s.engine, &local, &remote), 2);
	assert_int_equal(bgp_peer_find(s.engine, &other, &remote), 0);
	assert_int_equal(bgp_peer_find(s.engine, &local, &local), 0);
	assert_int_equal(bgp_peer_remove(s.engine, s.now, 2), 0);
	assert_int_equal(bgp_peer_find(s.engine, &local, &remote), 0);
	speaker_fini(&s);
}

static void count_up(void *arg, const struct bgp_peer_info *info)
{
	unsigned *last = arg;

	assert_true(info->peer > *last);
	*last = info->peer;
}

static void in_order(void **state)
{
	static const unsigned order[] = {9, 2, 7, 1, 5};
	unsigned last = 0;
	struct speaker s;

	speaker_init(&s);
	for (unsigned i = 0; i < TEST_COUNT(order); i++)
		speaker_up(&s, order[i]);
	bgp_each_peer(s.engine, count_up, &last);
	assert_int_equal(last, 9);
	speaker_fini(&s);
}

/* What changes quietly, and what needs a new session (O10). */
static void changes(void **state)
{
	struct speaker s;

	for (unsigned i = 0; i < 23; i++) {
		struct bgp_peer_config c = speaker_config(1);
		bool reset = i >= 13 || i == 2;

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_update(&s, 1, "", OK, "08 0a");
		speaker_settle(&s);
		switch (i) {
		case 0: /* nothing */
			break;
		case 1:
			strcpy(c.name, "another");
			break;
		case 2:
			c.hold_s = 30;
			break;
		case 3:
			c.mrai_ms = 100;
			break;
		case 4:
			c.limit_in[BGP_IPV4].max = 5;
			break;
		case 5:
			c.view = 7;
			break;
		case 6:
			c.has_export = true;
			break;
		case 7:
			c.has_import = true;
			break;
		case 8:
			c.stale_s = 9;
			break;
		case 9:
			c.allow_as_in = 3;
			break;
		case 10:
			c.passive = true;
			break;
		case 11:
			c.remove_private_as = true;
			break;
		case 12:
			c.limit_out[BGP_IPV4] = 1;
			break;
		case 13:
			c.local_as = 5;
			break;
		case 14:
			c.transport.ttl_min = 255;
			break;
		case 15:
			c.role = BGP_ROLE_PEER;
			break;
		case 16:
			c.graceful_restart = false;
			break;
		case 17:
			c.route_refresh = false;
			break;
		case 18:
			c.transport.local = test_addr("10.0.0.77");
			break;
		case 19:
			c.families = BGP_FAMILIES_ALL;
			c.next_hop[BGP_IPV6] = test_addr("2001:db8::1");
			break;
		case 20:
			c.any_first_as = true;
			break;
		case 21:
			c.extended_messages = false;
			break;
		case 22:
			c.keepalive_s = 7;
			break;
		}
		assert_int_equal(bgp_peer_update(s.engine, s.now, 1, &c, NULL), 0);
		speaker_run(&s);
		assert_int_equal(s.remote[1].downs, reset);
		assert_int_equal(bgp_changes_waiting(s.engine), reset);
		if (reset) {
			speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_CONFIG, "");
			assert_int_equal(s.remote[1].connects, 2); /* and at once again */
		}
		speaker_fini(&s);
	}
}

/* Gone with all its routes, in slices; its number is used again meanwhile. */
static void removed_and_added(void **state)
{
	struct bgp_peer_config c = speaker_config(1);
	struct speaker s;
	char nlri[64];
	unsigned slices = 0;

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		speaker_update(&s, 1, "", OK, nlri);
	}
	speaker_settle(&s);
	assert_int_equal(bgp_peer_remove(s.engine, s.now, 1), 0);
	assert_int_equal(speaker_paths(&s, "10.0.0.0/24", NULL, 0), 0); /* dead at once */
	speaker_up(&s, 1);
	speaker_update(&s, 1, "", OK, "18 0a0000 18 0a0001");
	assert_int_equal(speaker_paths(&s, "10.0.0.0/24", NULL, 0), 1);
	while (bgp_run(s.engine, s.now))
		slices++;
	assert_in_range(slices, 4, 20);
	assert_int_equal(bgp_usage(s.engine).routes[BGP_IPV4], 2);
	assert_int_equal(bgp_changes_waiting(s.engine), 20000);
	speaker_settle(&s);
	assert_int_equal(bgp_usage(s.engine).prefixes[BGP_IPV4], 2);
	assert_int_equal(bgp_peer_add(s.engine, s.now, 1, &c, NULL), -EEXIST);
	speaker_fini(&s);
}

/* A session that ends and comes back before the old routes are swept: only the new ones are there. */
static void back_before_swept(void **state)
{
	struct speaker s;
	char nlri[64];

	speaker_init(&s);
	speaker_up(&s, 1);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		speaker_update(&s, 1, "", OK, nlri);
	}
	speaker_decide(&s);
	for (unsigned round = 0; round < 300; round++) {
		speaker_close(&s, 1);
		bgp_peer_start(s.engine, s.now, 1);
		speaker_establish(&s, 1, "");
		snprintf(nlri, sizeof(nlri), "18 0a%04x", 10000 + round);
		speaker_update(&s, 1, "", OK, nlri);
		assert_int_equal(speaker_info(&s, 1).rib[BGP_IPV4].received, 1);
	}
	speaker_settle(&s);
	assert_int_equal(bgp_usage(s.engine).routes[BGP_IPV4], 1);
	assert_int_equal(speaker_paths(&s, "10.40.59.0/24", NULL, 0), 0 + 1); /* 0x283b = 10299 */
	speaker_fini(&s);
}

static void count_routes(void *arg, const struct bgp_route_info *info)
{
	assert_non_null(info->received);
	++*(unsigned *)arg;
}

static void shown_in_slices(void **state)
{
	uint32_t cursor = 0;
	unsigned n = 0, calls = 0;
	struct speaker s;
	char nlri[64];

	speaker_init(&s);
	speaker_up(&s, 1);
	speaker_up(&s, 2);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(nlri, sizeof(nlri), "18 0a%04x", i);
		speaker_update(&s, 1, "", OK, nlri);
	}
	speaker_settle(&s);
	do {
		calls++;
	} while (bgp_each_learned(s.engine, 1, BGP_IPV4, &cursor, 100, count_routes, &n));
	assert_int_equal(n, 1000);
	assert_in_range(calls, 10, 12);
	n = cursor = 0;
	while (bgp_each_announced(s.engine, 2, BGP_IPV4, &cursor, 7, count_routes, &n))
		;
	assert_int_equal(n, 1000);
	n = cursor = 0;
	while (bgp_each_learned(s.engine, 2, BGP_IPV4, &cursor, 7, count_routes, &n))
		;
	assert_int_equal(n, 0);
	assert_false(bgp_each_learned(s.engine, 99, BGP_IPV4, &cursor, 7, count_routes, &n));
	speaker_fini(&s);
}

static void names(void **state)
{
	assert_string_equal(bgp_error_name(6), "cease");
	assert_string_equal(bgp_suberror_name(6, 2), "administrative shutdown");
	assert_string_equal(bgp_suberror_name(2, 0), "malformed OPEN");
	assert_string_equal(bgp_suberror_name(6, 0), "unspecific");
	for (unsigned code = 0; code < 256; code++) {
		assert_non_null(bgp_error_name((uint8_t)code));
		assert_non_null(bgp_attr_name((uint8_t)code));
		for (unsigned sub = 0; sub < 256; sub++)
			assert_non_null(bgp_suberror_name((uint8_t)code, (uint8_t)sub));
	}
	for (unsigned i = 0; i <= BGP_STEP_ADDRESS; i++)
		assert_true(strlen(bgp_step_text(i)) > 3);
	for (unsigned i = 0; i < 256; i++)
		assert_non_null(bgp_role_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_configurations),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(in_order),
	    cmocka_unit_test(changes),
	    cmocka_unit_test(removed_and_added),
	    cmocka_unit_test(back_before_swept),
	    cmocka_unit_test(shown_in_slices),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
