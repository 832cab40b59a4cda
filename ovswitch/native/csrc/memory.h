/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_H
#define MEMORY_H 1

/* Allocation that does not fail: out of memory ends the process, as in every
 * Open vSwitch daemon.  Sizes that a peer chooses are bounded before they come
 * here. */

#include <stdlib.h>

#include "base.h"

static inline void *
xcheck(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

static inline void *
xmalloc(size_t size)
{
    return xcheck(malloc(size ? size : 1));
}

static inline void *
xzalloc(size_t size)
{
    return xcheck(calloc(1, size ? size : 1));
}

static inline void *
xrealloc(void *p, size_t size)
{
    return xcheck(realloc(p, size ? size : 1));
}

static inline void *
xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);

    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

static inline void *
xaligned_zalloc(size_t alignment, size_t size)
{
    size_t rounded = ROUND_UP(size, alignment);
    void *p = xcheck(aligned_alloc(alignment, rounded));

    memset(p, 0, rounded);
    return p;
}

#endif /* memory.h */
