/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HASH_H
#define HASH_H 1

/* Hash tables whose nodes lie within their elements.  Buckets are chains; the
 * table doubles when it has as many nodes as buckets.
 *
 * Keys come from the server: tables are seeded, so that it cannot choose
 * keys that meet in one bucket. */

#include <stdint.h>

#include "list.h"
#include "ovsdb-client/uuid.h"

struct hash_node {
    struct hash_node *next;
    uint32_t hash;
};

struct hash_table {
    struct hash_node **buckets;
    size_t mask;
    size_t n;
};

void hash_table_init(struct hash_table *);
void hash_table_destroy(struct hash_table *); /* Leaves the elements alone. */
void hash_table_insert(struct hash_table *, struct hash_node *, uint32_t hash);
void hash_table_remove(struct hash_table *, struct hash_node *);

static inline struct hash_node *
hash_table_bucket(const struct hash_table *t, uint32_t hash)
{
    return t->buckets[hash & t->mask];
}

/* Visits the nodes that might be the one wanted.  'node' must be a
 * struct hash_node *. */
#define HASH_FOR_EACH_WITH_HASH(NODE, HASH, TABLE)                      \
    for ((NODE) = hash_table_bucket(TABLE, HASH); (NODE);               \
         (NODE) = (NODE)->next)                                         \
        if ((NODE)->hash == (HASH))

/* Visits every node.  The body may free it but not remove others. */
#define HASH_FOR_EACH_SAFE(NODE, TABLE)                                 \
    for (size_t bucket_ = 0; bucket_ <= (TABLE)->mask; bucket_++)       \
        for (struct hash_node *next_ = (TABLE)->buckets[bucket_];       \
             next_ && ((NODE) = next_, next_ = next_->next, true);)

uint32_t hash_seed(void);
uint32_t hash_octets(const void *, size_t, uint32_t seed);

static inline uint32_t
hash_uuid(const struct uuid *uuid, uint32_t seed)
{
    return hash_octets(uuid, sizeof *uuid, seed);
}

#endif /* hash.h */
