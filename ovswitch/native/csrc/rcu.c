/* SPDX-License-Identifier: Apache-2.0 */
#include "rcu.h"

#include <unistd.h>

#include "memory.h"

struct rcu_deferred {
    struct rcu_deferred *next;
    uint64_t epoch;
    void (*function)(void *);
    void *object;
};

void
rcu_init(struct rcu *rcu, unsigned int n_readers)
{
    memset(rcu, 0, sizeof *rcu);
    atomic_store(&rcu->epoch, 1);
    rcu->n_readers = n_readers;
    rcu->last = &rcu->first;
}

/* Frees what is left.  No reader may be online. */
void
rcu_uninit(struct rcu *rcu)
{
    while (rcu_poll(rcu)) {
        continue;
    }
}

/* Returns the oldest epoch that an online reader may be in. */
static uint64_t
oldest_epoch(struct rcu *rcu)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned int i = 0; i < rcu->n_readers; i++) {
        uint64_t seen = atomic_load(&rcu->readers[i].seen);

        if (seen && seen < oldest) {
            oldest = seen;
        }
    }
    return oldest;
}

/* Has 'function' called on 'object', which readers cannot reach any more, once
 * none can still be looking at it. */
void
rcu_defer(struct rcu *rcu, void (*function)(void *), void *object)
{
    struct rcu_deferred *d = xmalloc(sizeof *d);

    d->next = NULL;
    d->epoch = atomic_fetch_add(&rcu->epoch, 1) + 1;
    d->function = function;
    d->object = object;
    *rcu->last = d;
    rcu->last = &d->next;
}

/* Frees what can be freed now.  Returns true if more waits. */
bool
rcu_poll(struct rcu *rcu)
{
    uint64_t oldest;

    if (!rcu->first) {
        return false;
    }
    oldest = oldest_epoch(rcu);
    while (rcu->first && rcu->first->epoch <= oldest) {
        struct rcu_deferred *d = rcu->first;

        rcu->first = d->next;
        if (!rcu->first) {
            rcu->last = &rcu->first;
        }
        d->function(d->object);
        free(d);
    }
    return rcu->first;
}

/* Waits until no reader can see what was unreachable before the call.  A batch
 * takes less than a millisecond. */
void
rcu_synchronize(struct rcu *rcu)
{
    uint64_t epoch = atomic_fetch_add(&rcu->epoch, 1) + 1;

    while (oldest_epoch(rcu) < epoch) {
        usleep(20);
    }
}
