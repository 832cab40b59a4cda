/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_H
#define MEMORY_H 1

/* Allocation that does not fail: see <ovsdb-client/api.h>. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(ARRAY) (sizeof (ARRAY) / sizeof (ARRAY)[0])
#define CONTAINER_OF(POINTER, STRUCT, MEMBER) \
    ((STRUCT *) (void *) ((char *) (POINTER) - offsetof(STRUCT, MEMBER)))

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

/* Room for 'n' things of a size, uninitialized.  NULL if 'n' is 0. */
static inline void *
xmalloc_array(size_t n, size_t size)
{
    return n ? xcheck(n <= SIZE_MAX / size ? malloc(n * size) : NULL) : NULL;
}

static inline void *
xrealloc_array(void *p, size_t n, size_t size)
{
    return xcheck(n && n <= SIZE_MAX / size ? realloc(p, n * size) : NULL);
}

static inline void *
xmemdup(const void *p, size_t size)
{
    return size ? memcpy(xmalloc(size), p, size) : xmalloc(1);
}

static inline char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

#endif /* memory.h */
