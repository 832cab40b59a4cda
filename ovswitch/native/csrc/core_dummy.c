/* SPDX-License-Identifier: Apache-2.0 */
#include "core_api.h"

#include <errno.h>

#include "memory.h"
#include "port_dummy.h"
#include "request.h"
#include "worker.h"

/* The dummy datapath: the forwarder without threads, devices or sockets.
 *
 * Whatever ports transmit, and upcalls, wait in one queue of events, in the
 * order in which they came about, until the caller fetches them.  Beyond
 * MAX_EVENTS they are dropped.  The caller sets the time. */

#define MAX_EVENTS 65536

struct event {
    struct event *next;
    uint32_t dp_ifindex;
    uint32_t number;
    uint32_t size;
    uint8_t octets[] __attribute__((aligned(8)));
};

struct core_dummy {
    struct forwarder forwarder;
    struct client client;
    struct event *first, **last;
    unsigned int n_events;
    struct event *fetched;      /* What the last event refers to. */
};

/* A process has one clock. */
static uint64_t dummy_now = 1;

static uint64_t
now(void)
{
    return dummy_now;
}

static bool
append_event(struct core_dummy *d, uint32_t dp_ifindex, uint32_t number,
             const void *octets, uint32_t size)
{
    struct event *e;

    if (d->n_events >= MAX_EVENTS) {
        return false;
    }
    e = xmalloc(sizeof *e + size);
    e->next = NULL;
    e->dp_ifindex = dp_ifindex;
    e->number = number;
    e->size = size;
    memcpy(e->octets, octets, size);
    *d->last = e;
    d->last = &e->next;
    d->n_events++;
    return true;
}

static struct core_dummy *
dummy_of(struct forwarder *f)
{
    return (void *) ((uint8_t *) f - offsetof(struct core_dummy, forwarder));
}

static void
transmit(struct port *port, const void *octets, uint32_t size)
{
    append_event(dummy_of(port->dp->forwarder), port->dp->dp_ifindex,
                 port->port_no, octets, size);
}

static bool
send_upcalls(void *dummy, uint32_t pid, const void *octets, size_t size,
             unsigned int n_upcalls OVS_UNUSED)
{
    return append_event(dummy, 0, pid, octets, size);
}

struct core_dummy *
core_dummy_create(void)
{
    struct core_dummy *d = xzalloc(sizeof *d);

    dummy_transmit = transmit;
    forwarder_init(&d->forwarder, 1, &dummy_port_class, &dummy_port_class,
                   (struct upcall_sink) { send_upcalls, d }, now);
    d->client.forwarder = &d->forwarder;
    d->last = &d->first;
    return d;
}

void
core_dummy_destroy(struct core_dummy *d)
{
    struct core_event event;

    while (core_dummy_next_event(d, &event)) {
        continue;
    }
    forwarder_uninit(&d->forwarder);
    nl_buf_uninit(&d->client.replies);
    free(d->fetched);
    free(d);
}

void
core_dummy_set_time(struct core_dummy *d OVS_UNUSED, uint64_t now_ms)
{
    dummy_now = now_ms;
}

/* Serves a datagram of requests from client 'pid'.  Stores where the replies
 * are, which is good until the next call, and returns their size. */
uint32_t
core_dummy_request(struct core_dummy *d, uint32_t pid, const uint8_t *octets,
                   uint32_t size, const uint8_t **replies)
{
    uint8_t *copy = xmemdup(octets, size); /* Aligned. */

    d->client.pid = pid;
    d->client.replies.size = 0;
    request_handle(&d->client, copy, size);
    request_continue(&d->client, SIZE_MAX);
    free(copy);
    rcu_poll(&d->forwarder.rcu);
    *replies = d->client.replies.base;
    return d->client.replies.size;
}

/* Has port 'port_no' receive a packet.  Returns 0 or a negative errno. */
int
core_dummy_receive(struct core_dummy *d, uint32_t dp_ifindex,
                   uint32_t port_no, const uint8_t *octets, uint32_t size)
{
    struct worker *w = d->forwarder.workers[0];
    struct datapath *dp = datapath_find(&d->forwarder, dp_ifindex);
    struct port *port = dp ? datapath_port(dp, port_no) : NULL;

    if (!port) {
        return -ENODEV;
    } else if (!packet_init_copy(&w->batch[0], &w->arena, octets, size)) {
        return -EMSGSIZE;
    }
    worker_begin(w);
    worker_process(w, port, w->batch, 1);
    worker_flush(w);
    upcall_flush(w);
    return 0;
}

/* Fetches the oldest event.  Returns 0 if there is none. */
int
core_dummy_next_event(struct core_dummy *d, struct core_event *event)
{
    struct event *e = d->first;

    free(d->fetched);
    d->fetched = e;
    if (!e) {
        return 0;
    }
    d->first = e->next;
    if (!d->first) {
        d->last = &d->first;
    }
    d->n_events--;
    event->dp_ifindex = e->dp_ifindex;
    event->number = e->number;
    event->size = e->size;
    event->octets = e->octets;
    return 1;
}
