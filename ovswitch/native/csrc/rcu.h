/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RCU_H
#define RCU_H 1

/* Read-copy-update between one writer, the control thread, and the forwarding
 * threads.
 *
 * Rules.  A reader is online while it handles a batch: what it finds through a
 * published pointer stays valid until its next rcu_online() or rcu_offline().
 * The writer first makes an object unreachable (an atomic store), then hands
 * it to rcu_defer(), which frees it once every reader has been offline or has
 * begun another batch.  A reader never waits.  It costs a reader one store and
 * one fence a batch.
 *
 * How.  Every deferral raises the epoch and remembers the new value.  A reader
 * publishes the epoch that it saw when it came online, 0 when it is offline.
 * An object may go when no reader shows an epoch, other than 0, below the
 * object's.  With sequentially consistent accesses on both sides, either the
 * writer sees that the reader is online, or the reader came online after the
 * object was unreachable. */

#include <stdatomic.h>

#include "base.h"

#define RCU_MAX_READERS 8

struct rcu_deferred;

struct rcu {
    _Atomic(uint64_t) epoch;
    unsigned int n_readers;
    struct {
        _Atomic(uint64_t) seen;
        uint8_t pad[OVS_CACHE_LINE - sizeof(uint64_t)];
    } readers[RCU_MAX_READERS];

    /* The writer's: a queue, oldest first. */
    struct rcu_deferred *first;
    struct rcu_deferred **last;
};

void rcu_init(struct rcu *, unsigned int n_readers);
void rcu_uninit(struct rcu *);
void rcu_defer(struct rcu *, void (*function)(void *), void *);
bool rcu_poll(struct rcu *);
void rcu_synchronize(struct rcu *);

static inline void
rcu_online(struct rcu *rcu, unsigned int reader)
{
    atomic_store(&rcu->readers[reader].seen, atomic_load(&rcu->epoch));
}

static inline void
rcu_offline(struct rcu *rcu, unsigned int reader)
{
    atomic_store_explicit(&rcu->readers[reader].seen, 0,
                          memory_order_release);
}

#endif /* rcu.h */
