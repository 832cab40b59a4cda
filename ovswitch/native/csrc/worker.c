/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actions.h"
#include "extract.h"
#include "flow_hash.h"
#include "headers.h"
#include "memory.h"

/* Batches that a port may have in a row before the next port's turn. */
#define BATCHES_PER_TURN 4
#define EVENTS 64
#define WAKEUP UINT32_MAX       /* epoll data of 'wakeup_fd'. */

static void
reclaim(void *w)
{
    worker_flush(w);
}

struct worker *
worker_create(struct forwarder *f, unsigned int id)
{
    struct worker *w = xaligned_zalloc(OVS_CACHE_LINE, sizeof *w);

    w->id = id;
    w->forwarder = f;
    w->random = 0x9e3779b97f4a7c15u * (id + 1);
    w->epoll_fd = w->wakeup_fd = -1;
    arena_init(&w->arena, reclaim, w);
    return w;
}

/* Stops the thread, if it runs, and frees 'w'.  Ports are gone already. */
void
worker_destroy(struct worker *w)
{
    if (w->epoll_fd >= 0) {
        atomic_store(&w->stop, true);
        eventfd_write(w->wakeup_fd, 1);
        pthread_join(w->thread, NULL);
        close(w->wakeup_fd);
        close(w->epoll_fd);
        free(w->slots);
    }
    arena_uninit(&w->arena);
    nl_buf_uninit(&w->upcalls.b);
    free(w);
}

/* Sends all that 'w' has queued. */
void
worker_flush(struct worker *w)
{
    while (w->n_pending) {
        port_flush(w->pending[--w->n_pending], w);
    }
}

/* Begins a batch: reads the clock, and obeys forwarder.cache_epoch. */
void
worker_begin(struct worker *w)
{
    uint32_t epoch = atomic_load_explicit(&w->forwarder->cache_epoch,
                                          memory_order_acquire);

    w->now = w->forwarder->now();
    if (OVS_UNLIKELY(epoch != w->cache_epoch)) {
        flow_cache_clear(&w->cache);
        w->cache_epoch = epoch;
    }
}

/* Returns the flow for 'p', whose key and hash are set, or NULL. */
static struct flow *
lookup(struct worker *w, struct datapath *dp, const struct packet *p)
{
    struct dp_counters *counters = &dp->counters[w->id];
    uint32_t n_masks = 0;
    struct flow *flow;

    flow = flow_cache_lookup(&w->cache, dp->flows, &p->key, p->hash);
    if (OVS_LIKELY(flow != NULL)) {
        counter_add(&counters->n_hit, 1);
        counter_add(&counters->n_cache_hit, 1);
        return flow;
    }
    flow = flow_table_lookup(dp->flows, &p->key, &n_masks);
    counter_add(&counters->n_mask_hit, n_masks);
    if (flow) {
        counter_add(&counters->n_hit, 1);
        flow_cache_insert(&w->cache, flow, p->hash);
    } else {
        counter_add(&counters->n_missed, 1);
    }
    return flow;
}

/* Does with 'p' what 'flow' says, or sends it up if that is NULL. */
static void
forward(struct worker *w, struct datapath *dp, struct packet *p,
        struct flow *flow)
{
    if (OVS_LIKELY(flow != NULL)) {
        uint16_t tcp_flags = p->key.nw_proto == PROTO_TCP
                             ? ntohs(p->key.tcp_flags) : 0;
        const struct flow_actions *actions;

        flow_count(flow, w->id, p->size, tcp_flags, w->now);
        actions = atomic_load_explicit(&flow->actions, memory_order_acquire);
        w->actions = actions;
        actions_execute(w, dp, p, (const void *) actions->attrs,
                        actions->size);
    } else {
        upcall_miss(w, dp, p);
    }
}

/* Takes 'n' packets that 'port' received through the datapath, and lets go of
 * them.  What they caused may still be queued. */
void
worker_process(struct worker *w, struct port *port, struct packet packets[],
               unsigned int n)
{
    struct port_counters *counters = &port->counters[w->id];
    struct datapath *dp = port->dp;
    struct flow *flows[BATCH];
    uint64_t n_bytes = 0;

    for (unsigned int i = 0; i < n; i++) {
        struct packet *p = &packets[i];

        memset((uint8_t *) &p->key + FLOW_KEY_DP_OFS, 0,
               FLOW_KEY_HEADERS_OFS - FLOW_KEY_DP_OFS);
        p->key.in_port = htonl(port->port_no);
        flow_extract(p);
        p->hash = flow_key_hash(&p->key);
        flow_cache_prefetch(&w->cache, p->hash);
        n_bytes += p->size;
    }
    for (unsigned int i = 0; i < n; i++) {
        flows[i] = lookup(w, dp, &packets[i]);
    }
    for (unsigned int i = 0; i < n; i++) {
        forward(w, dp, &packets[i], flows[i]);
        packet_uninit(&packets[i]);
    }
    counter_add(&counters->rx_packets, n);
    counter_add(&counters->rx_bytes, n_bytes);
}

/* Looks 'p', whose metadata are set, up anew. */
void
worker_recirculate(struct worker *w, struct datapath *dp, struct packet *p)
{
    flow_extract(p);
    p->hash = flow_key_hash(&p->key);
    forward(w, dp, p, lookup(w, dp, p));
}

/* The thread. */

static void
run_port(struct worker *w, struct port *port)
{
    for (int i = 0; i < BATCHES_PER_TURN; i++) {
        unsigned int n = port->class->receive(port, w, w->batch, BATCH);

        if (n) {
            worker_begin(w);
            worker_process(w, port, w->batch, n);
            worker_flush(w);
            upcall_flush(w);
        }
        port->class->release(port, w);
        if (n < BATCH) {
            break;
        }
    }
}

static void *
worker_main(void *w_)
{
    struct worker *w = w_;
    struct rcu *rcu = &w->forwarder->rcu;
    struct epoll_event events[EVENTS];
    char name[16];

    snprintf(name, sizeof name, "forward%u", w->id);
    pthread_setname_np(pthread_self(), name);
    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        int n = epoll_wait(w->epoll_fd, events, EVENTS, -1);

        rcu_online(rcu, w->id);
        for (int i = 0; i < n; i++) {
            uint32_t slot = events[i].data.u32;
            struct port *port;

            if (slot == WAKEUP) {
                continue;
            }
            /* The port may be gone since the event: its slot knows. */
            port = atomic_load(&w->slots[slot]);
            if (port) {
                run_port(w, port);
            }
        }
        rcu_offline(rcu, w->id);
    }
    return NULL;
}

/* Starts the thread of 'w'.  Returns 0 or a negative errno. */
int
worker_start(struct worker *w)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = WAKEUP };
    int error;

    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->slots = xzalloc(DP_MAX_PORTS * sizeof *w->slots);
    if (w->epoll_fd < 0 || w->wakeup_fd < 0
        || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wakeup_fd, &event)) {
        return -errno;
    }
    error = pthread_create(&w->thread, NULL, worker_main, w);
    return -error;
}

/* Has 'w' receive from 'port'.  Returns 0 or a negative errno. */
int
worker_add_port(struct worker *w, struct port *port)
{
    struct epoll_event event = { .events = EPOLLIN };
    uint32_t slot = 0;

    if (port->fd < 0) {
        port->owner = w;
        return 0;
    }
    while (slot < DP_MAX_PORTS && atomic_load(&w->slots[slot])) {
        slot++;
    }
    if (slot == DP_MAX_PORTS) {
        return -EFBIG;
    }
    event.data.u32 = port->slot = slot;
    atomic_store(&w->slots[slot], port);
    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, port->fd, &event)) {
        atomic_store(&w->slots[slot], NULL);
        return -errno;
    }
    port->owner = w;
    return 0;
}

/* Has 'w' forget 'port'; it may be looking at it until RCU says otherwise. */
void
worker_remove_port(struct worker *w, struct port *port)
{
    if (port->fd >= 0) {
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, port->fd, NULL);
        atomic_store(&w->slots[port->slot], NULL);
    }
}
