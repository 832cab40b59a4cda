/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HASH_H
#define HASH_H 1

/* Hash functions.
 *
 * hash_mix64() serves the lookup tables: one multiplication a word, with the
 * two halves of the product folded, which spreads every input bit over the
 * result.  Its values never leave the process.
 *
 * mhash_add() and mhash_finish() are MurmurHash3's 32-bit rounds.  The
 * reference spreads packets over the buckets of a group with them, so hash
 * actions use them, to choose the same bucket as a reference built without
 * CPU-specific hashing. */

#include "base.h"

static inline uint64_t
hash_mix64(uint64_t hash, uint64_t word)
{
    __extension__ unsigned __int128 product
        = (unsigned __int128) (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* Returns 32 well mixed bits of 'hash'. */
static inline uint32_t
hash_fold(uint64_t hash)
{
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

static inline uint32_t
mhash_add(uint32_t hash, uint32_t word)
{
    word *= 0xcc9e2d51;
    word = word << 15 | word >> 17;
    word *= 0x1b873593;
    hash ^= word;
    hash = hash << 13 | hash >> 19;
    return hash * 5 + 0xe6546b64;
}

static inline uint32_t
mhash_finish(uint32_t hash, uint32_t final)
{
    hash ^= final;
    hash ^= hash >> 16;
    hash *= 0x85ebca6b;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35;
    return hash ^ hash >> 16;
}

#endif /* hash.h */
