/* SPDX-License-Identifier: BSD-3-Clause */

/* base/list.h: order, removal at every place, and removal while walking. */

#include "base/list.h"
#include "testing.h"

struct item {
	int value;
	struct list link;
};

static void check(struct list *head, const int *values, unsigned count)
{
	struct item *item;
	unsigned i = 0;

	list_for (item, head, link) {
		assert_true(i < count);
		assert_int_equal(item->value, values[i++]);
	}
	assert_int_equal(i, count);
	/* and backwards */
	for (struct list *at = head->prev; at != head; at = at->prev)
		assert_int_equal(list_entry(at, struct item, link)->value, values[--i]);
	assert_int_equal(i, 0);
	assert_int_equal(list_is_empty(head), count == 0);
}

static void a_new_list_is_empty(void **state)
{
	struct list head;

	list_init(&head);
	check(&head, (int[]){0}, 0);
}

static void nodes_keep_the_order_of_appending(void **state)
{
	struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
	struct list head;

	list_init(&head);
	for (unsigned i = 0; i < 3; i++)
		list_append(&head, &items[i].link);
	check(&head, (int[]){1, 2, 3}, 3);
}

static void any_node_can_go(void **state)
{
	static const int left[3][2] = {{2, 3}, {1, 3}, {1, 2}};

	for (unsigned gone = 0; gone < 3; gone++) {
		struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
		struct list head;

		list_init(&head);
		for (unsigned i = 0; i < 3; i++)
			list_append(&head, &items[i].link);
		list_remove(&items[gone].link);
		check(&head, left[gone], 2);
		assert_true(list_is_empty(&items[gone].link));
	}
}

static void removing_twice_is_harmless(void **state)
{
	struct item a = {.value = 1}, b = {.value = 2};
	struct list head;

	list_init(&head);
	list_init(&a.link);
	list_remove(&a.link);
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_remove(&a.link);
	list_remove(&a.link);
	check(&head, (int[]){2}, 1);
	list_append(&head, &a.link);
	check(&head, (int[]){2, 1}, 2);
}

static void nodes_may_be_freed_while_walking(void **state)
{
	struct item *item, *next;
	struct list head;
	int sum = 0;

	list_init(&head);
	for (int i = 1; i <= 100; i++) {
		item = test_malloc(sizeof(*item));
		item->value = i;
		list_append(&head, &item->link);
	}
	list_for_safe (item, next, &head, link) {
		sum += item->value;
		list_remove(&item->link);
		test_free(item);
	}
	assert_int_equal(sum, 5050);
	assert_true(list_is_empty(&head));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_list_is_empty),
	    cmocka_unit_test(nodes_keep_the_order_of_appending),
	    cmocka_unit_test(any_node_can_go),
	    cmocka_unit_test(removing_twice_is_harmless),
	    cmocka_unit_test(nodes_may_be_freed_while_walking),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
