/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPATH_H
#define DATAPATH_H 1

/* The datapaths of a process, their ports, and who runs them.
 *
 * 'struct forwarder' is everything that a process, or the in-process dummy,
 * has.  The control thread owns it: it alone changes datapaths, ports, flows
 * and meters, by the requests in request.h.  It is also worker 0, which
 * executes the packets that come in requests.  The other workers receive and
 * forward; what they read is published through atomic pointers and freed by
 * RCU. */

#include <net/if.h>
#include <pthread.h>

#include "flow_table.h"
#include "meter.h"
#include "netlink.h"
#include "rcu.h"

#define MAX_WORKERS RCU_MAX_READERS
#define DP_MAX_PORTS 65536
#define DP_NAME_MAX 64

struct packet;
struct port;
struct worker;

/* Counters of one thread about one datapath. */
struct dp_counters {
    _Atomic(uint64_t) n_hit;
    _Atomic(uint64_t) n_missed;
    _Atomic(uint64_t) n_lost;
    _Atomic(uint64_t) n_mask_hit; /* Subtables that lookups tried. */
    _Atomic(uint64_t) n_cache_hit;
    uint8_t pad[OVS_CACHE_LINE - 40];
};

struct datapath {
    struct forwarder *forwarder;
    struct datapath *next;
    uint32_t dp_ifindex;
    char name[DP_NAME_MAX];
    uint32_t user_features;     /* OVS_DP_F_*, as the client set them. */
    struct flow_table *flows;
    struct meter_table *meters;
    _Atomic(struct port *) *ports; /* By number: DP_MAX_PORTS. */
    uint32_t n_ports;
    struct dp_counters counters[MAX_WORKERS];
};

/* How a process that runs a forwarder gets rid of upcalls.  Any worker may
 * call 'send', with the octets of whole messages; it returns false if nobody
 * takes them. */
struct upcall_sink {
    bool (*send)(void *aux, uint32_t pid, const void *, size_t size,
                 unsigned int n_upcalls);
    void *aux;
};

struct port_class;

struct forwarder {
    struct datapath *datapaths;
    bool had_datapaths;
    const struct port_class *netdev_class;   /* For OVS_VPORT_TYPE_NETDEV. */
    const struct port_class *internal_class; /* For OVS_VPORT_TYPE_INTERNAL. */
    struct upcall_sink sink;
    struct rcu rcu;
    unsigned int n_workers;
    struct worker *workers[MAX_WORKERS];
    _Atomic(uint32_t) cache_epoch; /* Workers clear their caches after. */
    uint64_t (*now)(void);      /* Monotonic milliseconds. */
};

void forwarder_init(struct forwarder *, unsigned int n_workers,
                    const struct port_class *netdev_class,
                    const struct port_class *internal_class,
                    struct upcall_sink, uint64_t (*now)(void));
void forwarder_uninit(struct forwarder *);

struct datapath *datapath_find(const struct forwarder *, uint32_t dp_ifindex);
struct datapath *datapath_find_name(const struct forwarder *, const char *);
int datapath_create(struct forwarder *, const char *name,
                    const uint32_t pids[], uint32_t n_pids,
                    struct datapath **);
void datapath_destroy(struct datapath *);

int datapath_add_port(struct datapath *, uint32_t port_no, uint32_t type,
                      const char *name, const uint32_t pids[],
                      uint32_t n_pids, struct port **);
void datapath_remove_port(struct datapath *, struct port *);
struct port *datapath_find_port_name(const struct datapath *, const char *);

static inline struct port *
datapath_port(const struct datapath *dp, uint32_t port_no)
{
    return port_no < DP_MAX_PORTS
           ? atomic_load_explicit(&dp->ports[port_no], memory_order_acquire)
           : NULL;
}

#endif /* datapath.h */
