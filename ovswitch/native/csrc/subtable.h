/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUBTABLE_H
#define SUBTABLE_H 1

/* The flows that share one mask, as a hash table.
 *
 * A subtable is an open-addressing array, at most half full, of flow pointers
 * with their hashes.  The control thread alone writes.  It publishes a flow by
 * storing first the hash, then the pointer; a reader that sees a half-done
 * change misses a flow that is just coming or going, never another.  A deleted
 * flow leaves a tombstone.  Growing, and clearing tombstones out, builds a new
 * array and frees the old by RCU. */

#include "flow_table.h"

struct flow_entry {
    _Atomic(uint32_t) hash;
    _Atomic(struct flow *) flow; /* NULL: never used; TOMBSTONE: was. */
};

struct flow_array {
    uint32_t mask;              /* Number of entries less one. */
    struct flow_entry entries[];
};

struct subtable {
    _Atomic(struct flow_array *) array;
    uint32_t n_words;
    uint8_t offsets[FLOW_KEY_WORDS]; /* Which words of the key. */
    uint64_t mask[FLOW_KEY_WORDS];
    _Atomic(uint64_t) n_hits;   /* Approximate: threads may lose some. */

    /* For the control thread only. */
    uint32_t n_flows;
    uint32_t n_used;            /* Entries that hold a flow or a tombstone. */
    uint64_t last_hits;         /* 'n_hits' at the last sorting. */
};

struct subtable *subtable_create(const struct flow_key *mask);
void subtable_free(void *subtable);
bool subtable_has_mask(const struct subtable *, const struct flow_key *mask);
uint32_t subtable_hash(const struct subtable *, const struct flow_key *);
struct flow *subtable_lookup(const struct subtable *, const struct flow_key *);
void subtable_insert(struct subtable *, struct flow *, struct rcu *);
void subtable_remove(struct subtable *, const struct flow *);

/* Returns true if the packet key 'key' is one of 'flow''s. */
static inline bool
flow_matches(const struct flow *flow, const struct flow_key *key)
{
    const struct subtable *s = flow->subtable;
    const uint64_t *words = (const uint64_t *) key;
    uint64_t difference = 0;

    for (uint32_t i = 0; i < s->n_words; i++) {
        difference |= (words[s->offsets[i]] & s->mask[i]) ^ flow->values[i];
    }
    return !difference;
}

#endif /* subtable.h */
