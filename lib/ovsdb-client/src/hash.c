/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <sys/random.h>
#include <time.h>

void
hash_table_init(struct hash_table *t)
{
    t->buckets = xzalloc(sizeof *t->buckets);
    t->mask = 0;
    t->n = 0;
}

void
hash_table_destroy(struct hash_table *t)
{
    free(t->buckets);
    t->buckets = NULL;
}

static void
grow(struct hash_table *t)
{
    size_t mask = t->mask * 2 + 1;
    struct hash_node **buckets = xzalloc((mask + 1) * sizeof *buckets);
    struct hash_node *node;

    HASH_FOR_EACH_SAFE (node, t) {
        node->next = buckets[node->hash & mask];
        buckets[node->hash & mask] = node;
    }
    free(t->buckets);
    t->buckets = buckets;
    t->mask = mask;
}

void
hash_table_insert(struct hash_table *t, struct hash_node *node, uint32_t hash)
{
    if (t->n > t->mask) {
        grow(t);
    }
    node->hash = hash;
    node->next = t->buckets[hash & t->mask];
    t->buckets[hash & t->mask] = node;
    t->n++;
}

void
hash_table_remove(struct hash_table *t, struct hash_node *node)
{
    struct hash_node **p = &t->buckets[node->hash & t->mask];

    while (*p != node) {
        p = &(*p)->next;
    }
    *p = node->next;
    t->n--;
}

uint32_t
hash_seed(void)
{
    uint32_t seed;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        seed = (uint32_t) now.tv_nsec;
    }
    return seed;
}

/* Multiplies and folds, a octet at a time; good enough for buckets. */
uint32_t
hash_octets(const void *octets, size_t size, uint32_t seed)
{
    const unsigned char *p = octets;
    uint64_t h = seed ^ UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
        h ^= h >> 32;
    }
    return (uint32_t) (h ^ (h >> 29));
}
