/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_H
#define PORT_H 1

/* A datapath port: a class that moves packets, and queues in front of it.
 *
 * Output collects in a transmit queue for each thread and port; the queue goes
 * out in one system call when it is full, when the thread has handled its
 * batch, or when the thread's arena needs buffers back.  An entry either holds
 * a reference to an arena buffer or points into a received frame, which its
 * port keeps until the batch is over, and that comes after the flush. */

#include <linux/virtio_net.h>

#include "datapath.h"
#include "offload.h"

#define BATCH 32

struct tx_entry {
    uint8_t *data;
    uint32_t size;
    uint16_t l3_ofs;            /* For segmentation, if it comes to that. */
    struct packet_buf *buf;     /* Referenced; NULL for a received frame. */
    struct virtio_net_hdr vnet;
};

struct tx_queue {
    unsigned int n;
    struct tx_entry entries[BATCH];
};

/* One thread's counters of a port. */
struct port_counters {
    _Atomic(uint64_t) rx_packets, rx_bytes, rx_errors, rx_dropped;
    _Atomic(uint64_t) tx_packets, tx_bytes, tx_errors, tx_dropped;
};
_Static_assert(sizeof(struct port_counters) == OVS_CACHE_LINE,
               "port_counters");

/* Connections that take a port's upcalls. */
struct upcall_pids {
    uint32_t n;
    uint32_t pids[];
};

struct port {
    struct port_counters counters[MAX_WORKERS]
        __attribute__((aligned(OVS_CACHE_LINE)));
    struct tx_queue *tx[MAX_WORKERS];
    const struct port_class *class;
    struct datapath *dp;
    uint32_t port_no;
    uint32_t type;              /* OVS_VPORT_TYPE_*. */
    char name[IFNAMSIZ];
    int ifindex;                /* 0 if there is no such thing. */
    int fd;                     /* -1 if none. */
    struct worker *owner;       /* Who receives from it. */
    uint32_t slot;              /* In the owner's 'slots'. */
    void *private;              /* The class's. */
    _Atomic(struct upcall_pids *) pids;
};

/* Functions return 0 or a negative errno.  Those marked (worker) are called by
 * the port's owner or any transmitting thread, the others by the control
 * thread. */
struct port_class {
    bool takes_offloads;        /* Wants tx_entry.vnet, takes GSO. */

    int (*open)(struct port *);
    void (*close)(struct port *);

    /* Returns how many packets the kernel dropped, for want of room, since the
     * last call.  NULL if it does not tell. */
    uint32_t (*kernel_drops)(struct port *);

    /* (worker) Prepares up to 'max' packets with packet_init() and offload
     * data.  Their octets stay valid until 'release'. */
    unsigned int (*receive)(struct port *, struct worker *, struct packet[],
                            unsigned int max);
    void (*release)(struct port *, struct worker *);

    /* (worker) Sends 'n' entries and counts what became of them. */
    void (*transmit)(struct port *, struct worker *, struct tx_entry[],
                     unsigned int n);
};

extern const struct port_class packet_port_class;
extern const struct port_class tap_port_class;

void port_output(struct port *, struct worker *, struct packet *);
void port_flush(struct port *, struct worker *);
void port_set_pids(struct port *, const uint32_t pids[], uint32_t n);
uint32_t port_upcall_pid(const struct port *, uint32_t hash);
bool port_transmit_in_software(struct port *, struct worker *,
                               const struct tx_entry *,
                               void (*send)(struct packet *, void *aux),
                               void *aux);

static inline void
port_count_tx(struct port *port, unsigned int thread, uint32_t size)
{
    counter_add(&port->counters[thread].tx_packets, 1);
    counter_add(&port->counters[thread].tx_bytes, size);
}

#endif /* port.h */
