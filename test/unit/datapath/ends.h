/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENDS_H
#define ENDS_H

/*
 * A tunnel through the whole pipeline. Both ends are in one router: what tunnel "left" encrypts leaves on the
 * uplink; the test carries it back to the uplink, where tunnel "right" decrypts it, and the other way round.
 *
 *   10.1.0.1 - W_A -> table A: 10.100/16 -> left  == ESP over port 0 ==  right -> table R: via 10.2.0.1 - W_B
 *   10.2.0.1 - W_B -> table B: 10.101/16 -> right == ESP over port 0 ==  left  -> table A
 */

#include "world.h"

#define INNER_MTU 1400
#define MSS       1360

struct end {
	uint32_t tunnel, nexthop;
	uint16_t slot, attachment;
	struct tunnel spec;
	struct sa_in *in;
};

struct ends {
	struct world *t;
	struct end left, right;
	struct fib *table_r;
	uint32_t underlay;
};

/* Fixtures: *state is a struct ends. */
int ends_setup_gcm(void **state);
int ends_setup_cbc(void **state);
int ends_setup_natt(void **state);
int ends_teardown(void **state);

/* Carries what is on the wire of the uplink back to the uplink, until it is silent. Returns how much that was. */
unsigned ends_carry(struct world *t);
/* The same once, as one burst. */
unsigned ends_carry_together(struct world *t);
void ends_inner(struct packet *p, const char *dst, uint16_t fragment, size_t len);
void ends_expect_state(struct ends *e, struct end *end, enum tunnel_state state);

#define TEST(f)        cmocka_unit_test_setup_teardown(f, ends_setup_gcm, ends_teardown)
#define WITH(f, setup) cmocka_unit_test_setup_teardown(f, setup, ends_teardown)

#endif
