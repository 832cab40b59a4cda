/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_table.h"

#include <errno.h>

#include "hash.h"
#include "key_attrs.h"
#include "memory.h"
#include "subtable.h"

#define SLOTS_PER_CHUNK 64

/* Slots come in sizes: by how many words a flow's mask has. */
static const uint32_t pool_words[] = { 12, 20, FLOW_KEY_WORDS };
#define N_POOLS ARRAY_SIZE(pool_words)

/* Slots of one size.  Only the control thread touches it. */
struct flow_pool {
    size_t slot_size;
    uint32_t n_values;
    struct flow *free;
    void **chunks;              /* Never unmapped before the table. */
    uint32_t n_chunks;
};

struct flow_table {
    _Atomic(struct subtable_vector *) vector; /* For readers. */

    /* For the control thread only. */
    struct rcu *rcu;
    unsigned int n_threads;
    struct flow_pool pools[N_POOLS];
    struct flow **all;          /* By id, NULL where there is none. */
    uint32_t n_ids, ids_allocated;
    uint32_t *free_ids;
    uint32_t n_free_ids;
    struct flow **by_ufid;      /* Chained hash table. */
    uint32_t ufid_mask;
    uint32_t n_flows;
};

struct flow_table *
flow_table_create(struct rcu *rcu, unsigned int n_threads)
{
    struct flow_table *t = xzalloc(sizeof *t);

    t->rcu = rcu;
    t->n_threads = n_threads;
    atomic_store(&t->vector, xzalloc(sizeof(struct subtable_vector)));
    for (size_t i = 0; i < N_POOLS; i++) {
        struct flow_pool *pool = &t->pools[i];

        pool->n_values = pool_words[i];
        pool->slot_size = ROUND_UP(sizeof(struct flow)
                                   + pool->n_values * sizeof(uint64_t),
                                   OVS_CACHE_LINE)
                          + n_threads * sizeof(struct flow_stats);
    }
    t->ufid_mask = 1023;
    t->by_ufid = xzalloc((t->ufid_mask + 1) * sizeof *t->by_ufid);
    return t;
}

/* Frees the table with its flows.  No reader may be able to see it, or hold a
 * cached flow of it. */
void
flow_table_destroy(struct flow_table *t)
{
    struct subtable_vector *vector;

    for (uint32_t cursor = 0;;) {
        struct flow *flow = flow_table_next(t, &cursor);

        if (!flow) {
            break;
        }
        flow_table_remove(t, flow);
    }
    while (rcu_poll(t->rcu)) {
        rcu_synchronize(t->rcu);
    }
    vector = atomic_load(&t->vector);
    free(vector);
    for (size_t i = 0; i < N_POOLS; i++) {
        for (uint32_t j = 0; j < t->pools[i].n_chunks; j++) {
            free(t->pools[i].chunks[j]);
        }
        free(t->pools[i].chunks);
    }
    free(t->all);
    free(t->free_ids);
    free(t->by_ufid);
    free(t);
}

/* Slots and ids. */

static void
pool_grow(struct flow_pool *pool, unsigned int n_threads)
{
    uint8_t *chunk = xaligned_zalloc(OVS_CACHE_LINE,
                                     SLOTS_PER_CHUNK * pool->slot_size);

    pool->chunks = xrealloc(pool->chunks,
                            (pool->n_chunks + 1) * sizeof *pool->chunks);
    pool->chunks[pool->n_chunks++] = chunk;
    for (int i = SLOTS_PER_CHUNK - 1; i >= 0; i--) {
        struct flow *flow = (struct flow *) (chunk + i * pool->slot_size);
        uint8_t *end = (uint8_t *) flow + pool->slot_size;

        flow->pool = pool;
        flow->values = (uint64_t *) (flow + 1);
        flow->stats = (struct flow_stats *) end - n_threads;
        flow->next_free = pool->free;
        pool->free = flow;
    }
}

static struct flow *
flow_alloc(struct flow_table *t, uint32_t n_words)
{
    struct flow_pool *pool = t->pools;
    struct flow *flow;

    while (pool->n_values < n_words) {
        pool++;
    }
    if (!pool->free) {
        pool_grow(pool, t->n_threads);
    }
    flow = pool->free;
    pool->free = flow->next_free;
    return flow;
}

/* Gives a slot back; called when no reader looks at the flow any more. */
static void
flow_free(void *flow_)
{
    struct flow *flow = flow_;

    free(atomic_load(&flow->actions));
    free(flow->attrs);
    flow->next_free = flow->pool->free;
    flow->pool->free = flow;
}

static void
id_assign(struct flow_table *t, struct flow *flow)
{
    if (t->n_free_ids) {
        flow->id = t->free_ids[--t->n_free_ids];
    } else {
        if (t->n_ids == t->ids_allocated) {
            t->ids_allocated = MAX(64, t->ids_allocated * 2);
            t->all = xrealloc(t->all, t->ids_allocated * sizeof *t->all);
            t->free_ids = xrealloc(t->free_ids,
                                   t->ids_allocated * sizeof *t->free_ids);
        }
        flow->id = t->n_ids++;
    }
    t->all[flow->id] = flow;
}

/* The index by UFID.  Identifiers are random, so their first octets serve as
 * hash. */

static struct flow **
ufid_bucket(const struct flow_table *t, const uint8_t ufid[UFID_SIZE])
{
    uint64_t hash = hash_mix64(get_u64(ufid), get_u64(ufid + 8));

    return &t->by_ufid[hash_fold(hash) & t->ufid_mask];
}

static void
ufid_grow(struct flow_table *t)
{
    t->ufid_mask = t->ufid_mask * 2 + 1;
    free(t->by_ufid);
    t->by_ufid = xzalloc((t->ufid_mask + 1) * sizeof *t->by_ufid);
    for (uint32_t i = 0; i < t->n_ids; i++) {
        struct flow *flow = t->all[i];

        if (flow) {
            struct flow **bucket = ufid_bucket(t, flow->ufid);

            flow->next_by_ufid = *bucket;
            *bucket = flow;
        }
    }
}

struct flow *
flow_table_find(const struct flow_table *t, const uint8_t ufid[UFID_SIZE])
{
    struct flow *flow = *ufid_bucket(t, ufid);

    while (flow && memcmp(flow->ufid, ufid, UFID_SIZE)) {
        flow = flow->next_by_ufid;
    }
    return flow;
}

/* The vector of subtables. */

/* Returns the flow that 'key' matches, or NULL.  Adds the number of subtables
 * tried to '*n_masks'.  Any thread, online under RCU. */
struct flow *
flow_table_lookup(const struct flow_table *t, const struct flow_key *key,
                  uint32_t *n_masks)
{
    const struct subtable_vector *v;

    v = atomic_load_explicit(&t->vector, memory_order_acquire);
    for (uint32_t i = 0; i < v->n; i++) {
        struct subtable *s = v->subtables[i];
        struct flow *flow = subtable_lookup(s, key);

        if (flow) {
            counter_add(&s->n_hits, 1);
            *n_masks += i + 1;
            return flow;
        }
    }
    *n_masks += v->n;
    return NULL;
}

static void
publish_vector(struct flow_table *t, struct subtable_vector *new)
{
    struct subtable_vector *old = atomic_load(&t->vector);

    atomic_store_explicit(&t->vector, new, memory_order_release);
    rcu_defer(t->rcu, free, old);
}

static struct subtable *
find_or_create_subtable(struct flow_table *t, const struct flow_key *mask)
{
    struct subtable_vector *old = atomic_load(&t->vector);
    struct subtable_vector *new;

    for (uint32_t i = 0; i < old->n; i++) {
        if (subtable_has_mask(old->subtables[i], mask)) {
            return old->subtables[i];
        }
    }
    new = xmalloc(sizeof *new + (old->n + 1) * sizeof *new->subtables);
    memcpy(new, old, sizeof *new + old->n * sizeof *new->subtables);
    new->subtables[new->n++] = subtable_create(mask);
    publish_vector(t, new);
    return new->subtables[new->n - 1];
}

static void
remove_subtable(struct flow_table *t, struct subtable *s)
{
    struct subtable_vector *old = atomic_load(&t->vector);
    struct subtable_vector *new;

    new = xmalloc(sizeof *new + old->n * sizeof *new->subtables);
    new->n = 0;
    for (uint32_t i = 0; i < old->n; i++) {
        if (old->subtables[i] != s) {
            new->subtables[new->n++] = old->subtables[i];
        }
    }
    publish_vector(t, new);
    rcu_defer(t->rcu, subtable_free, s);
}

/* Flows. */

static struct flow_actions *
actions_create(const void *attrs, size_t size)
{
    struct flow_actions *actions = xmalloc(sizeof *actions + size);

    actions->size = size;
    if (size) {
        memcpy(actions->attrs, attrs, size);
    }
    return actions;
}

static void
flow_init(struct flow_table *t, struct flow *flow, struct subtable *s,
          const struct flow_key *key, const struct flow_key *mask)
{
    const uint64_t *words = (const uint64_t *) key;
    struct nl_buf b = { NULL, 0, 0 };

    flow->table = t;
    flow->subtable = s;
    flow->hash = subtable_hash(s, key);
    for (uint32_t i = 0; i < s->n_words; i++) {
        flow->values[i] = words[s->offsets[i]] & s->mask[i];
    }
    memset(flow->stats, 0, t->n_threads * sizeof *flow->stats);
    flow->cleared_packets = flow->cleared_bytes = flow->cleared_used = 0;
    key_to_attrs(key, &b);
    flow->key_size = b.size;
    mask_to_attrs(key, mask, &b);
    flow->mask_size = b.size - flow->key_size;
    flow->attrs = xrealloc(b.base, b.size);
}

/* Adds a flow, whose UFID the table must not have yet.  Stores it in '*flowp'.
 * Returns 0 or -ENOSPC. */
int
flow_table_insert(struct flow_table *t, const struct flow_key *key,
                  const struct flow_key *mask, const uint8_t ufid[UFID_SIZE],
                  const void *actions, size_t actions_size,
                  struct flow **flowp)
{
    struct flow **bucket, *flow;
    struct subtable *s;

    if (t->n_flows >= FLOW_TABLE_MAX) {
        return -ENOSPC;
    }
    if (t->n_flows > t->ufid_mask) {
        ufid_grow(t);
    }
    s = find_or_create_subtable(t, mask);
    flow = flow_alloc(t, s->n_words);
    flow_init(t, flow, s, key, mask);
    memcpy(flow->ufid, ufid, UFID_SIZE);
    atomic_store(&flow->actions, actions_create(actions, actions_size));
    id_assign(t, flow);
    bucket = ufid_bucket(t, ufid);
    flow->next_by_ufid = *bucket;
    *bucket = flow;
    t->n_flows++;

    subtable_insert(s, flow, t->rcu);
    *flowp = flow;
    return 0;
}

/* Deletes 'flow'.  Its memory is good until the caller's next rcu_poll(). */
void
flow_table_remove(struct flow_table *t, struct flow *flow)
{
    struct subtable *s = flow->subtable;
    struct flow **p = ufid_bucket(t, flow->ufid);

    while (*p != flow) {
        p = &(*p)->next_by_ufid;
    }
    *p = flow->next_by_ufid;
    t->all[flow->id] = NULL;
    t->free_ids[t->n_free_ids++] = flow->id;
    t->n_flows--;

    subtable_remove(s, flow);
    atomic_fetch_add(&flow->generation, 1);
    rcu_defer(t->rcu, flow_free, flow);
    if (!s->n_flows) {
        remove_subtable(t, s);
    }
}

void
flow_table_set_actions(struct flow_table *t, struct flow *flow,
                       const void *attrs, size_t size)
{
    struct flow_actions *old = atomic_load(&flow->actions);

    atomic_store_explicit(&flow->actions, actions_create(attrs, size),
                          memory_order_release);
    rcu_defer(t->rcu, free, old);
}

/* Returns a flow with an id of '*cursor' or more and sets '*cursor' behind it;
 * NULL at the end.  Flows may come and go between calls. */
struct flow *
flow_table_next(const struct flow_table *t, uint32_t *cursor)
{
    while (*cursor < t->n_ids) {
        struct flow *flow = t->all[(*cursor)++];

        if (flow) {
            return flow;
        }
    }
    return NULL;
}

uint32_t
flow_table_n_flows(const struct flow_table *t)
{
    return t->n_flows;
}

uint32_t
flow_table_n_masks(const struct flow_table *t)
{
    return ((struct subtable_vector *) atomic_load(&t->vector))->n;
}

static int
compare_hits(const void *a_, const void *b_)
{
    const struct subtable *const *a = a_;
    const struct subtable *const *b = b_;

    return ((*a)->last_hits < (*b)->last_hits)
           - ((*a)->last_hits > (*b)->last_hits);
}

/* Puts the subtables that had the most hits since the last call in front. */
void
flow_table_sort(struct flow_table *t)
{
    struct subtable_vector *old = atomic_load(&t->vector);
    size_t size = sizeof *old + old->n * sizeof *old->subtables;
    struct subtable_vector *new;

    if (old->n < 2) {
        return;
    }
    for (uint32_t i = 0; i < old->n; i++) {
        old->subtables[i]->last_hits
            = atomic_exchange(&old->subtables[i]->n_hits, 0);
    }
    new = xmemdup(old, size);
    qsort(new->subtables, new->n, sizeof *new->subtables, compare_hits);
    if (memcmp(new, old, size)) {
        publish_vector(t, new);
    } else {
        free(new);
    }
}

/* Statistics. */

static void
raw_totals(const struct flow_table *t, const struct flow *flow,
           struct flow_totals *totals)
{
    memset(totals, 0, sizeof *totals);
    for (unsigned int i = 0; i < t->n_threads; i++) {
        const struct flow_stats *s = &flow->stats[i];
        uint64_t used = atomic_load_explicit(&s->used, memory_order_relaxed);

        totals->n_packets += atomic_load_explicit(&s->n_packets,
                                                  memory_order_relaxed);
        totals->n_bytes += atomic_load_explicit(&s->n_bytes,
                                                memory_order_relaxed);
        totals->used = MAX(totals->used, used);
        totals->tcp_flags |= atomic_load_explicit(&s->tcp_flags,
                                                  memory_order_relaxed);
    }
}

void
flow_totals(const struct flow_table *t, const struct flow *flow,
            struct flow_totals *totals)
{
    raw_totals(t, flow, totals);
    totals->n_packets -= flow->cleared_packets;
    totals->n_bytes -= flow->cleared_bytes;
    if (totals->used <= flow->cleared_used && !totals->n_packets) {
        totals->used = 0;
    }
}

/* Makes the totals start from zero.  Threads own their counters, so that this
 * remembers where they stood. */
void
flow_clear_totals(const struct flow_table *t, struct flow *flow)
{
    struct flow_totals totals;

    raw_totals(t, flow, &totals);
    flow->cleared_packets = totals.n_packets;
    flow->cleared_bytes = totals.n_bytes;
    flow->cleared_used = totals.used;
    for (unsigned int i = 0; i < t->n_threads; i++) {
        atomic_store_explicit(&flow->stats[i].tcp_flags, 0,
                              memory_order_relaxed);
    }
}
