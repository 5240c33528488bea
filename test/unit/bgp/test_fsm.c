/* SPDX-License-Identifier: BSD-3-Clause */

/* The six states, commands and their reasons (BG-01). */

#include "speaker.h"

static void six_states(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	assert_int_equal(bgp_peer_add(s.engine, s.now, 1, &config, NULL), 0);
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	bgp_peer_start(s.engine, s.now, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_CONNECT);
	bgp_connect_failed(s.engine, s.now, s.remote[1].conn);
	s.remote[1].connecting = false;
	assert_int_equal(speaker_state(&s, 1), BGP_ACTIVE);
	speaker_wait(&s, DUR_S(30)); /* connect retry */
	assert_int_equal(s.remote[1].connects, 2);
	assert_int_equal(speaker_state(&s, 1), BGP_CONNECT);
	speaker_accept(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENSENT);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_OPEN);
	speaker_open(&s, 1, NULL);
	assert_int_equal(speaker_state(&s, 1), BGP_OPENCONFIRM);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.type, BGP_KEEPALIVE);
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	assert_int_equal(s.remote[1].ups, 1);
	speaker_fini(&s);
}

/* Our OPEN, octet by octet. */
static void our_open(void **state)
{
	static const char want[] = "04 fde8 0078 0a0000fe"
				   "26 02 24"
				   "01 04 0001 0001"
				   "01 04 0002 0001"
				   "02 00"
				   "06 00"
				   "40 0a 4078 0001 01 80 0002 01 80"
				   "41 04 0000fde8"
				   "46 00";
	const struct bgp_config engine = {
	    .router_id = LOCAL_ID, .restart_s = 120, .forwarding_kept = true};
	struct bgp_peer_config config = speaker_config(1);
	uint8_t bytes[256];
	struct speaker s;

	speaker_init_with(&s, &engine);
	config.families = BGP_FAMILIES_ALL;
	config.next_hop[BGP_IPV6] = test_addr("2001:db8::fe");
	config.hold_s = 120;
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.len, unhex(want, bytes, sizeof(bytes)));
	assert_memory_equal(s.message.body, bytes, s.message.len);
	speaker_fini(&s);
}

/* An AS of four octets stands as AS_TRANS in front and whole in the capability. */
static void our_open_with_a_long_as(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	config.local_as = 200000;
	speaker_add(&s, 1, &config);
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_memory_equal(s.message.body + 1, "\x5b\xa0", 2);
	assert_memory_equal(
	    memmem(s.message.body, s.message.len, "\x41\x04", 2), "\x41\x04\x00\x03\x0d\x40", 6);
	speaker_fini(&s);
}

static void passive(void **state)
{
	struct bgp_peer_config config = speaker_config(1);
	struct speaker s;

	speaker_init(&s);
	config.passive = true;
	speaker_add(&s, 1, &config);
	assert_int_equal(speaker_state(&s, 1), BGP_ACTIVE);
	speaker_wait(&s, DUR_S(3600));
	assert_int_equal(s.remote[1].connects, 0);
	assert_true(speaker_connect(&s, 1));
	speaker_establish(&s, 1, "");
	speaker_fini(&s);
}

static void stop_with_text(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_up(&s, 1);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, "back at 9");
	speaker_expect_notification(
	    &s, 1, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "09 6261636b2061742039");
	assert_int_equal(speaker_state(&s, 1), BGP_IDLE);
	speaker_wait(&s, DUR_S(3600));
	assert_int_equal(s.remote[1].connects, 1); /* does not come back by itself */
	assert_false(speaker_connect(&s, 1));
	bgp_peer_start(s.engine, s.now, 1);
	assert_int_equal(s.remote[1].connects, 2);
	speaker_establish(&s, 1, "");
	bgp_peer_reset(s.engine, s.now, 1, false, NULL);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_RESET, "");
	speaker_wait(&s, DUR_S(2));
	assert_int_equal(s.remote[1].connects, 3); /* and this one does */
	speaker_establish(&s, 1, "");
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_BFD_DOWN, "not told");
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "");
	bgp_peer_start(s.engine, s.now, 1);
	speaker_establish(&s, 1, "");
	bgp_peer_remove(s.engine, s.now, 1);
	speaker_expect_notification(&s, 1, BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED, "");
	speaker_fini(&s);
}

/* A text is cut at 255 octets, between characters (RFC 9003). */
static void long_text(void **state)
{
	char text[400] = "";
	struct speaker s;

	for (unsigned i = 0; i < 130; i++)
		strcat(text, "\xc3\xa4");
	speaker_init(&s);
	speaker_up(&s, 1);
	bgp_peer_stop(s.engine, s.now, 1, BGP_CEASE_SHUTDOWN, text);
	while (speaker_next(&s, 1))
		;
	assert_int_equal(s.message.type, BGP_NOTIFICATION);
	assert_int_equal(s.message.body[2], 254);
	assert_int_equal(s.message.len, 2 + 1 + 254);
	speaker_fini(&s);
}

/* What a peer says is printable, whatever it sends (G8). */
static void shutdown_texts_received(void **state)
{
	static const struct {
		const char *body, *text;
	} cell[] = {
	    {"06 02 05 68656c6c6f", "hello"},
	    {"06 04 05 68656c6c6f", "hello"},
	    {"06 02 04 1b5b316d", "\\x1b[1m"},
	    {"06 02 03 00 0a ff", "\\x00\\x0a\\xff"},
	    {"06 02 02 c3a4", "\\xc3\\xa4"},
	    {"06 02 00", ""},
	    {"06 02", ""},
	    {"06 02 09 6869", ""}, /* longer than it is */
	    {"06 03 05 68656c6c6f", ""},
	    {"03 02 05 68656c6c6f", ""},
	};

	for (unsigned i = 0; i < TEST_COUNT(cell); i++) {
		struct speaker s;

		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_send(&s, 1, BGP_NOTIFICATION, cell[i].body);
		assert_int_equal(s.remote[1].end.by, BGP_END_RECEIVED);
		assert_string_equal(s.remote[1].end.text, cell[i].text);
		speaker_fini(&s);
	}
}

/* NOTIFICATIONs of every length, never answered by another one. */
static void notifications_of_any_length(void **state)
{
	static char hex[9000];

	for (unsigned len = 0; len <= 4075; len += len < 300 ? 1 : 775) {
		struct speaker s;

		strcpy(hex, "06 02 ff");
		for (unsigned i = 1; i < len; i++)
			strcat(hex, "41");
		speaker_init(&s);
		speaker_up(&s, 1);
		speaker_drain(&s, 1);
		speaker_send(&s, 1, BGP_NOTIFICATION, len ? hex : "06 02");
		speaker_expect_nothing(&s, 1);
		assert_int_equal(s.remote[1].downs, 1);
		speaker_fini(&s);
	}
}

/* A peer that knows no optional parameters is asked again without them (RFC 5492). */
static void retry_without_capabilities(void **state)
{
	struct speaker s;

	speaker_init(&s);
	speaker_begin(&s, 1);
	speaker_accept(&s, 1);
	speaker_send(&s, 1, BGP_NOTIFICATION, "02 04");
	speaker_wait(&s, DUR_S(2));
	speaker_accept(&s, 1);
	assert_true(speaker_next(&s, 1));
	assert_int_equal(s.message.len, 10);
	speaker_open(&s, 1, NULL);
	KEEPALIVE(&s, 1);
	assert_int_equal(speaker_state(&s, 1), BGP_ESTABLISHED);
	speaker_fini(&s);
}

/* Events of connections that are gone, and of peers that are. */
static void stale_events(void **state)
{
	struct ip_addr local = ip_v4(LOCAL_ID);
	struct speaker s;
	bgp_conn old;

	speaker_init(&s);
	speaker_up(&s, 1);
	old = s.remote[1].conn;
	speaker_close(&s, 1);
	bgp_closed(s.engine, s.now, old);
	bgp_writable(s.engine, s.now, old);
	bgp_connected(s.engine, s.now, old, &local);
	assert_int_equal(bgp_received(s.engine, s.now, old, (const uint8_t *)"x", 1), 1);
	bgp_closed(s.engine, s.now, 0);
	bgp_closed(s.engine, s.now, ~UINT64_C(0));
	assert_int_equal(s.remote[1].downs, 1);
	bgp_peer_remove(s.engine, s.now, 1);
	speaker_run(&s);
	bgp_closed(s.engine, s.now, old);
	assert_int_equal(bgp_accepted(s.engine, s.now, 1), 0);
	speaker_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(six_states),
	    cmocka_unit_test(our_open),
	    cmocka_unit_test(our_open_with_a_long_as),
	    cmocka_unit_test(passive),
	    cmocka_unit_test(stop_with_text),
	    cmocka_unit_test(long_text),
	    cmocka_unit_test(shutdown_texts_received),
	    cmocka_unit_test(notifications_of_any_length),
	    cmocka_unit_test(retry_without_capabilities),
	    cmocka_unit_test(stale_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
