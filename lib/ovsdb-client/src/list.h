/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIST_H
#define LIST_H 1

/* Doubly linked rings.  An element that is on no list points to itself, so
 * that it can always be removed. */

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"

struct list {
    struct list *next, *prev;
};

#define LIST_FOR_EACH(VAR, STRUCT, MEMBER, LIST)                        \
    for (struct list *iter_ = (LIST)->next;                             \
         iter_ != (LIST)                                                \
         && ((VAR) = CONTAINER_OF(iter_, STRUCT, MEMBER), true);        \
         iter_ = iter_->next)

/* The body may remove the element. */
#define LIST_FOR_EACH_SAFE(VAR, STRUCT, MEMBER, LIST)                   \
    for (struct list *iter_ = (LIST)->next, *next_;                     \
         iter_ != (LIST)                                                \
         && ((VAR) = CONTAINER_OF(iter_, STRUCT, MEMBER),               \
             next_ = iter_->next, true);                                \
         iter_ = next_)

static inline void
list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool
list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void
list_push_back(struct list *list, struct list *element)
{
    element->next = list;
    element->prev = list->prev;
    list->prev->next = element;
    list->prev = element;
}

static inline void
list_remove(struct list *element)
{
    element->prev->next = element->next;
    element->next->prev = element->prev;
    list_init(element);
}

#endif /* list.h */
