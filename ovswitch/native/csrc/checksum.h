/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECKSUM_H
#define CHECKSUM_H 1

/* The Internet checksum (RFC 1071), its update (RFC 1624), and SCTP's CRC. */

#include "headers.h"

uint32_t csum_partial(uint32_t sum, const void *, size_t size);
uint32_t csum_pseudo4(const struct ip_header *, uint8_t proto,
                      uint32_t l4_size);
uint32_t csum_pseudo6(const struct ip6_header *, uint8_t proto,
                      uint32_t l4_size);
uint32_t crc32c(const void *, size_t size);

/* Folds 'sum' to 16 bits, without taking the complement. */
static inline uint16_t
csum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The checksum field's value for 'sum'. */
static inline uint16_t
csum_finish(uint32_t sum)
{
    return ~csum_fold(sum);
}

/* Returns checksum field 'csum' after a 16-bit field that it covers changed
 * from 'old' to 'new'. */
static inline uint16_t
csum_update16(uint16_t csum, uint16_t old, uint16_t new)
{
    return csum_finish((uint16_t) ~csum + (uint16_t) ~old + new);
}

static inline uint16_t
csum_update32(uint16_t csum, uint32_t old, uint32_t new)
{
    return csum_update16(csum_update16(csum, old, new), old >> 16, new >> 16);
}

#endif /* checksum.h */
