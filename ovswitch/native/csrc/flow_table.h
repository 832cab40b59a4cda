/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H 1

/* Megaflows, by tuple space search.
 *
 * Flows with the same mask share a subtable, a hash table over the masked key.
 * A lookup tries the subtables one after another, busiest first; since
 * megaflows never overlap in what they do (vswitchd sees to it), the first
 * match is as good as any.  A subtable keeps only the 64-bit words in which
 * its mask is not zero: hashing and comparing cost a multiplication and a
 * comparison for each of the ten or so words that a usual megaflow looks at.
 * See subtable.h.
 *
 * Flow slots are never unmapped while the table lives, and carry a generation
 * number that changes when the flow is deleted.  So a cache may remember a
 * flow over any time: if the generation is still the same, the flow is alive,
 * and being online under RCU keeps it so.
 *
 * Statistics are an array by thread: each thread writes only its own line,
 * with plain moves.
 *
 * Bounds: FLOW_TABLE_MAX flows.  A lookup costs time in proportion to the
 * number of masks; the flow cache in front (flow_cache.h) hides that as long
 * as the working set fits there. */

#include <stdatomic.h>

#include "flow_key.h"
#include "rcu.h"

#define FLOW_TABLE_MAX (1u << 20)
#define UFID_SIZE 16

/* One thread's share of a flow's statistics. */
struct flow_stats {
    _Atomic(uint64_t) n_packets;
    _Atomic(uint64_t) n_bytes;
    _Atomic(uint64_t) used;     /* Milliseconds, monotonic; 0 for never. */
    _Atomic(uint16_t) tcp_flags; /* All that were seen, host order. */
    uint8_t pad[OVS_CACHE_LINE - 26];
};
_Static_assert(sizeof(struct flow_stats) == OVS_CACHE_LINE, "flow_stats");

/* What to do with packets: netlink attributes, checked when installed. */
struct flow_actions {
    uint32_t size;
    uint8_t attrs[] __attribute__((aligned(8)));
};

struct flow {
    /* For readers. */
    const struct flow_table *table;
    struct subtable *subtable;
    _Atomic(struct flow_actions *) actions;
    _Atomic(uint32_t) generation; /* Raised when the flow is deleted. */
    uint32_t hash;              /* Of the masked key. */
    uint64_t *values;           /* The key's words, masked. */
    struct flow_stats *stats;   /* One for each thread. */

    /* For the control thread only. */
    struct flow_pool *pool;     /* Where the slot belongs. */
    struct flow *next_free;
    struct flow *next_by_ufid;
    uint32_t id;                /* Index in flow_table.all. */
    uint8_t ufid[UFID_SIZE];
    uint8_t *attrs;             /* Canonical key, then mask attributes. */
    uint16_t key_size, mask_size;
    uint64_t cleared_packets;   /* Statistics at the last "clear". */
    uint64_t cleared_bytes;
    uint64_t cleared_used;
};

/* Sum over the threads, less what was cleared. */
struct flow_totals {
    uint64_t n_packets, n_bytes, used;
    uint16_t tcp_flags;
};

struct subtable_vector {
    uint32_t n;
    struct subtable *subtables[];
};

struct flow_table;

struct flow_table *flow_table_create(struct rcu *, unsigned int n_threads);
void flow_table_destroy(struct flow_table *);

struct flow *flow_table_lookup(const struct flow_table *,
                               const struct flow_key *, uint32_t *n_masks);
int flow_table_insert(struct flow_table *, const struct flow_key *,
                      const struct flow_key *mask,
                      const uint8_t ufid[UFID_SIZE], const void *actions,
                      size_t actions_size, struct flow **);
void flow_table_remove(struct flow_table *, struct flow *);
void flow_table_set_actions(struct flow_table *, struct flow *,
                            const void *actions, size_t size);
struct flow *flow_table_find(const struct flow_table *,
                             const uint8_t ufid[UFID_SIZE]);
struct flow *flow_table_next(const struct flow_table *, uint32_t *cursor);
uint32_t flow_table_n_flows(const struct flow_table *);
uint32_t flow_table_n_masks(const struct flow_table *);
void flow_table_sort(struct flow_table *);

void flow_totals(const struct flow_table *, const struct flow *,
                 struct flow_totals *);
void flow_clear_totals(const struct flow_table *, struct flow *);

static inline void
counter_add(_Atomic(uint64_t) *counter, uint64_t n)
{
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed)
                          + n, memory_order_relaxed);
}

/* Counts a packet; 'thread' is the caller's own number. */
static inline void
flow_count(struct flow *flow, unsigned int thread, uint32_t size,
           uint16_t tcp_flags, uint64_t now)
{
    struct flow_stats *s = &flow->stats[thread];

    counter_add(&s->n_packets, 1);
    counter_add(&s->n_bytes, size);
    atomic_store_explicit(&s->used, now, memory_order_relaxed);
    if (tcp_flags) {
        uint16_t old = atomic_load_explicit(&s->tcp_flags,
                                            memory_order_relaxed);

        atomic_store_explicit(&s->tcp_flags, old | tcp_flags,
                              memory_order_relaxed);
    }
}

#endif /* flow_table.h */
