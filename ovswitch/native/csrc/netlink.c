/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include <errno.h>
#include <stdlib.h>

#include "memory.h"

void
nl_buf_uninit(struct nl_buf *b)
{
    free(b->base);
    memset(b, 0, sizeof *b);
}

/* Adds 'size' octets to 'b' and returns the first; the caller fills them. */
void *
nl_buf_put_uninit(struct nl_buf *b, size_t size)
{
    void *p;

    if (OVS_UNLIKELY(b->allocated - b->size < size)) {
        b->allocated = MAX(b->allocated * 2, b->size + size + 512);
        b->base = xrealloc(b->base, b->allocated);
    }
    p = b->base + b->size;
    b->size += size;
    return p;
}

void
nl_buf_put(struct nl_buf *b, const void *p, size_t size)
{
    if (size) {
        memcpy(nl_buf_put_uninit(b, size), p, size);
    }
}

size_t
nl_msg_start(struct nl_buf *b, uint16_t type, uint16_t flags, uint32_t seq,
             uint32_t pid)
{
    size_t start = b->size;
    struct nlmsghdr *nlmsg = nl_buf_put_uninit(b, sizeof *nlmsg);

    nlmsg->nlmsg_len = 0;
    nlmsg->nlmsg_type = type;
    nlmsg->nlmsg_flags = flags;
    nlmsg->nlmsg_seq = seq;
    nlmsg->nlmsg_pid = pid;
    return start;
}

void
nl_msg_end(struct nl_buf *b, size_t start)
{
    struct nlmsghdr *nlmsg = (struct nlmsghdr *) (b->base + start);

    nlmsg->nlmsg_len = b->size - start;
}

size_t
nl_start_nested(struct nl_buf *b, uint16_t type)
{
    size_t start = b->size;

    nl_put_unspec_uninit(b, type, 0);
    return start;
}

void
nl_end_nested(struct nl_buf *b, size_t start)
{
    struct nlattr *a = (struct nlattr *) (b->base + start);

    a->nla_len = b->size - start;
}

/* Adds an attribute with room for 'size' octets, returns its content.  The
 * padding is zeroed, the content is the caller's to fill. */
void *
nl_put_unspec_uninit(struct nl_buf *b, uint16_t type, size_t size)
{
    size_t padded = NLA_ALIGN(size);
    struct nlattr *a = nl_buf_put_uninit(b, sizeof *a + padded);
    uint8_t *content = (uint8_t *) (a + 1);

    a->nla_len = sizeof *a + size;
    a->nla_type = type;
    memset(content + size, 0, padded - size);
    return content;
}

void
nl_put_unspec(struct nl_buf *b, uint16_t type, const void *p, size_t size)
{
    void *content = nl_put_unspec_uninit(b, type, size);

    if (size) {
        memcpy(content, p, size);
    }
}

void
nl_put_flag(struct nl_buf *b, uint16_t type)
{
    nl_put_unspec_uninit(b, type, 0);
}

void
nl_put_u8(struct nl_buf *b, uint16_t type, uint8_t x)
{
    nl_put_unspec(b, type, &x, sizeof x);
}

void
nl_put_u16(struct nl_buf *b, uint16_t type, uint16_t x)
{
    nl_put_unspec(b, type, &x, sizeof x);
}

void
nl_put_u32(struct nl_buf *b, uint16_t type, uint32_t x)
{
    nl_put_unspec(b, type, &x, sizeof x);
}

void
nl_put_u64(struct nl_buf *b, uint16_t type, uint64_t x)
{
    nl_put_unspec(b, type, &x, sizeof x);
}

void
nl_put_string(struct nl_buf *b, uint16_t type, const char *s)
{
    nl_put_unspec(b, type, s, strlen(s) + 1);
}

/* Returns true if the 'size' octets at 'p' are whole attributes. */
bool
nl_attrs_valid(const void *p, size_t size)
{
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, p, size) {
        continue;
    }
    return !left;
}

/* Sorts the attributes in the 'size' octets at 'p' into 'attrs', by type; the
 * last of several counts, as in the kernel.  'policy' has 'n_attrs' rows.
 * Returns 0 or -EINVAL. */
int
nl_parse(const void *p, size_t size, const struct nl_policy policy[],
         const struct nlattr *attrs[], size_t n_attrs)
{
    const struct nlattr *a;
    size_t left;

    memset(attrs, 0, n_attrs * sizeof *attrs);
    NL_FOR_EACH (a, left, p, size) {
        uint16_t type = nl_type(a);

        if (type < n_attrs && policy[type].max_size) {
            if (nl_size(a) < policy[type].min_size
                || nl_size(a) > policy[type].max_size) {
                return -EINVAL;
            }
            attrs[type] = a;
        }
    }
    return left ? -EINVAL : 0;
}
