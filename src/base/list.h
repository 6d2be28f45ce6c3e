/*
 * list: the intrusive, circular, doubly linked list.
 *
 * A node is embedded in its owner, found again with container_of. The head is a node that belongs
 * to no owner. A node that is in no list points at itself, so list_remove may be called twice.
 */
#ifndef EBB_BASE_LIST_H
#define EBB_BASE_LIST_H

#include <stdbool.h>

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* True for a node that is in a list. */
static inline bool list_is_linked(const struct list *node)
{
	return node->next != node;
}

/* Puts node, which is in no list, before `at`: before the head is the end of the list. */
static inline void list_append(struct list *at, struct list *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Moves all nodes of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

/* The same to the beginning of `to`. */
static inline void list_splice_front(struct list *to, struct list *from)
{
	list_splice(to->next, from);
}

#define list_each(node, head) \
	for (struct list *node = (head)->next; node != (head); node = node->next)

/* As list_each; the body may remove or free the node it is given, no other. */
#define list_each_safe(node, head)                                                        \
	for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
		node = node##_next, node##_next = node->next)

#endif
