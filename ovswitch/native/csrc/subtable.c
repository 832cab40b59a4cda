/* SPDX-License-Identifier: Apache-2.0 */
#include "subtable.h"

#include "hash.h"
#include "memory.h"

#define TOMBSTONE ((struct flow *) 1)
#define MIN_ENTRIES 8

static struct flow_array *
array_create(uint32_t n)
{
    struct flow_array *array;

    array = xzalloc(sizeof *array + n * sizeof array->entries[0]);
    array->mask = n - 1;
    return array;
}

static void
array_insert(struct flow_array *array, struct flow *flow)
{
    uint32_t i = flow->hash & array->mask;

    while (atomic_load_explicit(&array->entries[i].flow,
                                memory_order_relaxed)) {
        i = (i + 1) & array->mask;
    }
    atomic_store_explicit(&array->entries[i].hash, flow->hash,
                          memory_order_relaxed);
    atomic_store_explicit(&array->entries[i].flow, flow,
                          memory_order_release);
}

/* Makes room in 's' for one more flow: a new array when the old one, with its
 * tombstones, is half full. */
static void
reserve(struct subtable *s, struct rcu *rcu)
{
    struct flow_array *old = atomic_load(&s->array);
    struct flow_array *new;
    uint32_t n = MIN_ENTRIES;

    if ((s->n_used + 1) * 2 <= old->mask + 1) {
        return;
    }
    while (n < (s->n_flows + 1) * 4) {
        n *= 2;
    }
    new = array_create(n);
    for (uint32_t i = 0; i <= old->mask; i++) {
        struct flow *flow = atomic_load(&old->entries[i].flow);

        if (flow && flow != TOMBSTONE) {
            array_insert(new, flow);
        }
    }
    s->n_used = s->n_flows;
    atomic_store_explicit(&s->array, new, memory_order_release);
    rcu_defer(rcu, free, old);
}

struct subtable *
subtable_create(const struct flow_key *mask)
{
    const uint64_t *words = (const uint64_t *) mask;
    struct subtable *s = xzalloc(sizeof *s);

    for (uint32_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (words[i]) {
            s->offsets[s->n_words] = i;
            s->mask[s->n_words++] = words[i];
        }
    }
    atomic_store(&s->array, array_create(MIN_ENTRIES));
    return s;
}

bool
subtable_has_mask(const struct subtable *s, const struct flow_key *mask)
{
    const uint64_t *words = (const uint64_t *) mask;
    uint32_t n = 0;

    for (uint32_t i = 0; i < FLOW_KEY_WORDS; i++) {
        if (words[i]) {
            if (n >= s->n_words || s->offsets[n] != i
                || s->mask[n] != words[i]) {
                return false;
            }
            n++;
        }
    }
    return n == s->n_words;
}

/* Frees 's', which has no flows.  For rcu_defer(). */
void
subtable_free(void *s_)
{
    struct subtable *s = s_;

    free(atomic_load(&s->array));
    free(s);
}

/* Returns the hash of 'key' under the mask of 's'. */
uint32_t
subtable_hash(const struct subtable *s, const struct flow_key *key)
{
    const uint64_t *words = (const uint64_t *) key;
    uint64_t hash = 0;

    for (uint32_t i = 0; i < s->n_words; i++) {
        hash = hash_mix64(hash, words[s->offsets[i]] & s->mask[i]);
    }
    return hash_fold(hash);
}

/* Returns the flow of 's' that 'key' matches, or NULL.  Any thread, online
 * under RCU. */
struct flow *
subtable_lookup(const struct subtable *s, const struct flow_key *key)
{
    const struct flow_array *array;
    uint32_t hash = subtable_hash(s, key);

    array = atomic_load_explicit(&s->array, memory_order_acquire);
    for (uint32_t i = hash;; i++) {
        const struct flow_entry *e = &array->entries[i & array->mask];
        struct flow *flow = atomic_load_explicit(&e->flow,
                                                 memory_order_acquire);

        if (!flow) {
            return NULL;
        }
        if (atomic_load_explicit(&e->hash, memory_order_relaxed) == hash
            && flow != TOMBSTONE && flow_matches(flow, key)) {
            return flow;
        }
    }
}

/* Adds 'flow', whose 'hash' and 'values' are set. */
void
subtable_insert(struct subtable *s, struct flow *flow, struct rcu *rcu)
{
    reserve(s, rcu);
    array_insert(atomic_load(&s->array), flow);
    s->n_flows++;
    s->n_used++;
}

void
subtable_remove(struct subtable *s, const struct flow *flow)
{
    struct flow_array *array = atomic_load(&s->array);
    uint32_t i = flow->hash & array->mask;

    while (atomic_load_explicit(&array->entries[i].flow,
                                memory_order_relaxed) != flow) {
        i = (i + 1) & array->mask;
    }
    atomic_store_explicit(&array->entries[i].flow, TOMBSTONE,
                          memory_order_release);
    s->n_flows--;
}
