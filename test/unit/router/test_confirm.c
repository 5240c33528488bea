/* SPDX-License-Identifier: BSD-3-Clause */
/* What was up and is not back (O10): told right, and of 5,000 tunnels in no time that a control lcore would miss. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "router/change/apply.h"
#include "router/change/confirm.h"
#include "router/change/startup.h"
#include "router/speaker/speaker.h"
#include "testing.h"

#define TUNNELS 5000
#define LIMIT   DUR_MS(500) /* a walk over all for each of them takes seconds */

struct site {
	struct router r;
	struct speaker speaker;
	struct startup startup;
	struct conf conf;
	struct model_tunnel model[TUNNELS];
	struct vpn_tunnel tunnel[TUNNELS];
	char name[TUNNELS][16], dir[32], file[64];
};

static int setup(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct router *r = &s->r;

	strcpy(s->dir, "/tmp/test-confirm-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->file, sizeof(s->file), "%s/startup.yaml", s->dir);
	s->conf.system.state_dir = s->dir;
	s->startup.file = s->file;
	startup_set_text(&s->startup, "before", 6);
	list_init(&s->speaker.peers);
	r->conf = &s->conf;
	r->speaker = &s->speaker;
	r->setup.startup = &s->startup;
	r->tunnel_capacity = TUNNELS;
	r->tunnel = xcalloc(TUNNELS, sizeof(struct vpn_tunnel *));
	timers_init(&r->timers);
	for (unsigned i = 0; i < TUNNELS; i++) {
		snprintf(s->name[i], sizeof(s->name[i]), "c%u/1", i);
		s->model[i].name = s->name[i];
		s->tunnel[i] =
		    (struct vpn_tunnel){.model = &s->model[i], .ike_state = IKE_TUNNEL_UP};
		r->tunnel[i] = &s->tunnel[i];
	}
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	confirm_fini(&s->r);
	timers_fini(&s->r.timers);
	unlink(s->file);
	assert_int_equal(rmdir(s->dir), 0);
	s->startup.file = NULL;
	startup_free(&s->startup);
	free(s->r.tunnel);
	free(s);
	return 0;
}

static json_t *timed_json(struct site *s)
{
	struct mono start = mono_now();
	json_t *told = confirm_json(&s->r);

	assert_true(mono_diff(start, mono_now()) < LIMIT);
	return told;
}

static void what_is_not_back(void **state)
{
	struct site *s = *state;
	const struct apply_order order = {
	    .text = "after", .len = 5, .save = true, .confirm_s = 60, .how = "apply"};
	char why[400] = "";

	assert_int_equal(confirm_prepare(&s->r, &order), 0);
	confirm_begin(&s->r, &order);
	startup_set_text(&s->startup, order.text, order.len);
	json_t *told = timed_json(s);
	assert_int_equal(json_integer_value(json_object_get(told, "were-up")), TUNNELS);
	assert_int_equal(json_array_size(json_object_get(told, "not-back")), 0);
	json_decref(told);
	s->tunnel[7].ike_state = IKE_TUNNEL_NEGOTIATING;
	s->r.tunnel[8] = NULL; /* the new configuration has it no more */
	told = timed_json(s);
	assert_int_equal(json_array_size(json_object_get(told, "not-back")), 1);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(told, "not-back"), 0)), "tunnel c7/1");
	json_decref(told);
	assert_int_equal(confirm_accept(&s->r, false, why, sizeof(why)), CONFIRM_NOT_BACK);
	assert_string_equal(why, "tunnel c7/1");
	for (unsigned i = 100; i < 200; i++)
		s->tunnel[i].ike_state = IKE_TUNNEL_DOWN;
	assert_int_equal(confirm_accept(&s->r, false, why, sizeof(why)), CONFIRM_NOT_BACK);
	assert_non_null(strstr(why, "tunnel c7/1, tunnel c100/1, "));
	assert_non_null(strstr(why, " and 93 more"));
	for (unsigned i = 0; i < TUNNELS; i++)
		s->tunnel[i].ike_state = IKE_TUNNEL_UP;
	assert_int_equal(confirm_accept(&s->r, false, why, sizeof(why)), CONFIRM_DONE);
	assert_int_equal(confirm_accept(&s->r, false, why, sizeof(why)), CONFIRM_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_not_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
