/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_CACHE_H
#define FLOW_CACHE_H 1

/* The exact-match cache in front of the flow table, one for each thread.
 *
 * It maps the hash of a packet's whole key to the megaflow that a packet with
 * that hash last matched.  An entry is only a hint: the lookup checks that the
 * flow still lives and that the key matches it, which is exact and touches
 * some ten words.  So an entry is 16 octets where one that held the key would
 * take 250, the whole cache 128 kB, and nothing has to be invalidated when
 * flows change: a deleted flow has another generation number.
 *
 * Two ways a set; a new entry takes the place of the older.  Behind 8,192
 * entries, a working set of some 6,000 microflows hits more than 90 %. */

#include "subtable.h"

#define FLOW_CACHE_SETS 4096
#define FLOW_CACHE_WAYS 2

struct flow_cache_entry {
    uint32_t hash;
    uint32_t generation;
    struct flow *flow;
};

struct flow_cache {
    struct flow_cache_entry sets[FLOW_CACHE_SETS][FLOW_CACHE_WAYS]
        __attribute__((aligned(OVS_CACHE_LINE)));
};

static inline void
flow_cache_prefetch(const struct flow_cache *cache, uint32_t hash)
{
    OVS_PREFETCH(cache->sets[hash % FLOW_CACHE_SETS]);
}

/* Returns the flow that 'key', with 'hash', matches, if the cache knows it.
 * Several datapaths share a thread's cache, so the flow must be in 'table'. */
static inline struct flow *
flow_cache_lookup(const struct flow_cache *cache,
                  const struct flow_table *table, const struct flow_key *key,
                  uint32_t hash)
{
    const struct flow_cache_entry *e = cache->sets[hash % FLOW_CACHE_SETS];

    for (int i = 0; i < FLOW_CACHE_WAYS; i++, e++) {
        if (e->hash == hash && e->flow
            && atomic_load_explicit(&e->flow->generation,
                                    memory_order_acquire) == e->generation
            && e->flow->table == table && flow_matches(e->flow, key)) {
            return e->flow;
        }
    }
    return NULL;
}

static inline void
flow_cache_insert(struct flow_cache *cache, struct flow *flow, uint32_t hash)
{
    struct flow_cache_entry *e = cache->sets[hash % FLOW_CACHE_SETS];

    if (e[0].hash != hash) {
        e[1] = e[0];
    }
    e[0].hash = hash;
    e[0].generation = atomic_load_explicit(&flow->generation,
                                           memory_order_relaxed);
    e[0].flow = flow;
}

static inline void
flow_cache_clear(struct flow_cache *cache)
{
    memset(cache, 0, sizeof *cache);
}

#endif /* flow_cache.h */
