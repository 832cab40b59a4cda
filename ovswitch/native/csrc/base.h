/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_H
#define BASE_H 1

/* Vocabulary that every file of the forwarder shares.
 *
 * Big-endian quantities have the ovs_be types: a struct of them is a header as
 * it stands in a packet.  Packets give no alignment, so headers are read and
 * written through the get_ and put_ functions below, which compile to plain
 * moves. */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t ovs_be16;
typedef uint32_t ovs_be32;
typedef uint64_t ovs_be64;

struct eth_addr {
    uint8_t ea[6];
};

struct ip6_addr {
    uint8_t octets[16];
};

#define OVS_LIKELY(CONDITION) __builtin_expect(!!(CONDITION), 1)
#define OVS_UNLIKELY(CONDITION) __builtin_expect(!!(CONDITION), 0)
#define OVS_UNUSED __attribute__((unused))
#define OVS_PACKED __attribute__((packed))
#define OVS_PREFETCH(ADDRESS) __builtin_prefetch(ADDRESS)
#define OVS_CACHE_LINE 64

#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))
#define ARRAY_SIZE(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define ROUND_UP(X, Y) (((X) + ((Y) - 1)) / (Y) * (Y))

static inline uint16_t
get_u16(const void *p)
{
    uint16_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint32_t
get_u32(const void *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint64_t
get_u64(const void *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof x);
    return x;
}

static inline void
put_u16(void *p, uint16_t x)
{
    memcpy(p, &x, sizeof x);
}

static inline void
put_u32(void *p, uint32_t x)
{
    memcpy(p, &x, sizeof x);
}

static inline ovs_be64
htonll(uint64_t x)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
           ? __builtin_bswap64(x) : x;
}

#endif /* base.h */
