/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORKER_H
#define WORKER_H 1

/* What a thread needs to forward packets: buffers, caches, queues.
 *
 * Worker 0 belongs to the control thread and receives from no port.  The
 * others each run a loop over epoll: they sleep until a port has packets, then
 * take up to BATCH of them at a time through extraction, lookup and actions,
 * and flush the transmit queues and upcalls that this filled. */

#include <pthread.h>

#include "flow_cache.h"
#include "packet.h"
#include "port.h"
#include "upcall.h"

#define MAX_DEPTH 16            /* Nested actions: checked at installation. */
#define MAX_RECIRC 8            /* Recirculations in a row. */
#define MAX_PENDING 64          /* Ports with something queued. */

struct worker {
    unsigned int id;
    struct forwarder *forwarder;
    uint64_t now;               /* Milliseconds, read once a batch. */
    uint64_t random;            /* State of worker_random(). */
    uint32_t cache_epoch;       /* forwarder.cache_epoch, as obeyed. */

    struct port *pending[MAX_PENDING];
    unsigned int n_pending;
    struct upcall_batch upcalls;

    /* Of the packet whose actions are being executed. */
    unsigned int depth;         /* Clones in use. */
    unsigned int recirc;
    const struct flow_actions *actions; /* All of its flow's. */

    /* The thread; not for worker 0. */
    pthread_t thread;
    int epoll_fd;
    int wakeup_fd;              /* An eventfd, to stop it. */
    _Atomic(bool) stop;
    _Atomic(struct port *) *slots; /* Ports, by what epoll remembers. */

    struct packet_arena arena;
    struct packet batch[BATCH];
    struct packet clones[MAX_DEPTH + MAX_RECIRC];
    struct flow_cache cache;
};

struct worker *worker_create(struct forwarder *, unsigned int id);
void worker_destroy(struct worker *);
int worker_start(struct worker *);
int worker_add_port(struct worker *, struct port *);
void worker_remove_port(struct worker *, struct port *);

void worker_process(struct worker *, struct port *, struct packet[],
                    unsigned int n);
void worker_recirculate(struct worker *, struct datapath *, struct packet *);
void worker_flush(struct worker *);
void worker_begin(struct worker *);

/* Returns 32 random bits (xorshift64*). */
static inline uint32_t
worker_random(struct worker *w)
{
    w->random ^= w->random >> 12;
    w->random ^= w->random << 25;
    w->random ^= w->random >> 27;
    return w->random * UINT64_C(0x2545f4914f6cdd1d) >> 32;
}

#endif /* worker.h */
