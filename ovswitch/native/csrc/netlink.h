/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETLINK_H
#define NETLINK_H 1

/* Netlink messages: a growing buffer to build them in, and checked reading.
 *
 * Messages and attributes start at multiples of 4 octets and are in host byte
 * order.  Nothing here trusts its input: an iterator ends at the first
 * attribute that does not fit, and nl_attrs_valid() tells whether it ended at
 * the region's end. */

#include <linux/netlink.h>
#include <linux/genetlink.h>

#include "base.h"

/* A growing octet buffer.  All octets up to 'size' are initialised. */
struct nl_buf {
    uint8_t *base;
    size_t size;                /* Octets in use. */
    size_t allocated;           /* Octets that 'base' has room for. */
};

void nl_buf_uninit(struct nl_buf *);
void *nl_buf_put_uninit(struct nl_buf *, size_t size);
void nl_buf_put(struct nl_buf *, const void *, size_t size);

/* Building.  A message is opened with nl_msg_start(), which returns its
 * offset, and closed with nl_msg_end(); likewise a nested attribute. */
size_t nl_msg_start(struct nl_buf *, uint16_t type, uint16_t flags,
                    uint32_t seq, uint32_t pid);
void nl_msg_end(struct nl_buf *, size_t start);
size_t nl_start_nested(struct nl_buf *, uint16_t type);
void nl_end_nested(struct nl_buf *, size_t start);
void *nl_put_unspec_uninit(struct nl_buf *, uint16_t type, size_t size);
void nl_put_unspec(struct nl_buf *, uint16_t type, const void *, size_t size);
void nl_put_flag(struct nl_buf *, uint16_t type);
void nl_put_u8(struct nl_buf *, uint16_t type, uint8_t);
void nl_put_u16(struct nl_buf *, uint16_t type, uint16_t);
void nl_put_u32(struct nl_buf *, uint16_t type, uint32_t);
void nl_put_u64(struct nl_buf *, uint16_t type, uint64_t);
void nl_put_string(struct nl_buf *, uint16_t type, const char *);

/* Reading. */
static inline uint16_t
nl_type(const struct nlattr *a)
{
    return a->nla_type & NLA_TYPE_MASK;
}

static inline const void *
nl_data(const struct nlattr *a)
{
    return a + 1;
}

static inline size_t
nl_size(const struct nlattr *a)
{
    return a->nla_len - sizeof *a;
}

static inline size_t
nl_padded(const struct nlattr *a)
{
    return NLA_ALIGN(a->nla_len);
}

static inline bool
nl_fits(const struct nlattr *a, size_t left)
{
    return left >= sizeof *a && a->nla_len >= sizeof *a && a->nla_len <= left;
}

static inline const struct nlattr *
nl_next(const struct nlattr *a)
{
    return (const void *) ((const uint8_t *) a + nl_padded(a));
}

/* Steps through the attributes A in LEFT octets at START. */
#define NL_FOR_EACH(A, LEFT, START, SIZE)                               \
    for ((A) = (START), (LEFT) = (SIZE); nl_fits(A, LEFT);              \
         (LEFT) -= MIN(nl_padded(A), (LEFT)), (A) = nl_next(A))

static inline uint8_t
nl_u8(const struct nlattr *a)
{
    return *(const uint8_t *) nl_data(a);
}

static inline uint16_t
nl_u16(const struct nlattr *a)
{
    return get_u16(nl_data(a));
}

static inline uint32_t
nl_u32(const struct nlattr *a)
{
    return get_u32(nl_data(a));
}

static inline uint64_t
nl_u64(const struct nlattr *a)
{
    return get_u64(nl_data(a));
}

bool nl_attrs_valid(const void *, size_t size);

/* What an attribute of one type must look like. */
struct nl_policy {
    uint16_t min_size;
    uint16_t max_size;          /* 0 stands for "not known here": ignored. */
};
#define NL_ANY_SIZE UINT16_MAX
#define NL_EXACT(SIZE) { SIZE, SIZE }

int nl_parse(const void *, size_t size, const struct nl_policy[],
             const struct nlattr *attrs[], size_t n_attrs);

#endif /* netlink.h */
