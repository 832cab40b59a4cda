/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTR_SET_H
#define ATTR_SET_H 1

/* Key attributes while they are being read.
 *
 * Reading marks each attribute that the key's own content calls for; what is
 * present and was not called for makes the whole key wrong.  For files that
 * read keys: key_attrs.c and key_headers.c. */

#include <errno.h>

#include "netlink.h"
#include "odp.h"

#define BIT(TYPE) (UINT64_C(1) << (TYPE))

/* One level of attributes, and which of them made sense so far. */
struct attr_set {
    const struct nlattr *attrs[ODP_KEY_MAX + 1];
    uint64_t present;
    uint64_t used;
    bool is_mask;
};

static inline bool
has(const struct attr_set *s, uint16_t type)
{
    return s->present & BIT(type);
}

/* Returns the content of attribute 'type', NULL if there is none. */
static inline const void *
use(struct attr_set *s, uint16_t type)
{
    s->used |= BIT(type);
    return has(s, type) ? nl_data(s->attrs[type]) : NULL;
}

/* Likewise for an attribute that a key must have and a mask may lack: sets
 * '*error' if a key lacks it. */
static inline const void *
require(struct attr_set *s, uint16_t type, int *error)
{
    const void *content = use(s, type);

    if (!content && !s->is_mask) {
        *error = -EINVAL;
    }
    return content;
}

/* key_headers.c. */
struct flow_key;
int headers_from_attrs(struct attr_set *, const struct flow_key *,
                       struct flow_key *dst);

#endif /* attr_set.h */
