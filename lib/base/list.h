/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_LIST_H
#define BASE_LIST_H

/* Doubly linked list with nodes inside their owners. An unlinked node points to itself. */

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}
static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}
static inline void list_append(struct list *head, struct list *node)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}
/* Safe to call on an unlinked node. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->next = node->prev = node;
}

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
#define list_for(pos, head, member)                                                                \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head);     \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
/* `pos` may be removed and freed in the body; `nxt` is of the same type. */
#define list_for_safe(pos, nxt, head, member)                                                      \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),                             \
	    nxt = list_entry(pos->member.next, __typeof__(*pos), member);                          \
	     &pos->member != (head);                                                               \
	     pos = nxt, nxt = list_entry(nxt->member.next, __typeof__(*nxt), member))

#endif
