/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

/* Adds the 'size' octets at 'p', as 16-bit words, to 'sum'.  All parts but the
 * last must have an even size.
 *
 * Summing 64-bit words with the carry put back gives the same result modulo
 * 0xffff, and quarters the work: a 1500-octet packet takes some 60 ns. */
uint32_t
csum_partial(uint32_t sum, const void *p_, size_t size)
{
    const uint8_t *p = p_;
    uint64_t wide = sum;

    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word = get_u64(p);

        wide += word;
        wide += wide < word;
    }
    wide = (wide & UINT32_MAX) + (wide >> 32);
    if (size & 4) {
        wide += get_u32(p);
        p += 4;
    }
    if (size & 2) {
        wide += get_u16(p);
        p += 2;
    }
    if (size & 1) {
        uint8_t last[2] = { *p, 0 };

        wide += get_u16(last);
    }
    wide = (wide & UINT32_MAX) + (wide >> 32);
    wide = (wide & UINT32_MAX) + (wide >> 32);
    return csum_fold(wide);
}

/* Returns the unfolded sum of the IPv4 pseudo header. */
uint32_t
csum_pseudo4(const struct ip_header *ip, uint8_t proto, uint32_t l4_size)
{
    uint32_t sum = csum_partial(0, &ip->src, 8);

    return sum + htons(proto) + htons(l4_size & 0xffff) + htons(l4_size >> 16);
}

/* Returns the unfolded sum of the IPv6 pseudo header. */
uint32_t
csum_pseudo6(const struct ip6_header *ip6, uint8_t proto, uint32_t l4_size)
{
    uint32_t sum = csum_partial(0, &ip6->src, 32);

    return sum + htons(proto) + htons(l4_size & 0xffff) + htons(l4_size >> 16);
}

/* Returns the CRC32c of 'size' octets, as SCTP wants it (RFC 9260, appendix
 * A).  Bit by bit, which is
 * slow but small: packets whose SCTP ports change are rare. */
uint32_t
crc32c(const void *p_, size_t size)
{
    const uint8_t *p = p_;
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}
