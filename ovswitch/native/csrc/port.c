/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include "headers.h"
#include "memory.h"
#include "worker.h"

/* Sends what 'w' has queued for 'port'. */
void
port_flush(struct port *port, struct worker *w)
{
    struct tx_queue *q = port->tx[w->id];
    unsigned int n = q->n;

    if (n) {
        q->n = 0;
        port->class->transmit(port, w, q->entries, n);
        for (unsigned int i = 0; i < n; i++) {
            packet_buf_unref(q->entries[i].buf);
        }
    }
}

/* Queues 'p' as it is. */
static void
enqueue(struct port *port, struct worker *w, struct packet *p)
{
    struct tx_queue *q = port->tx[w->id];
    struct tx_entry *e;

    if (!q->n) {
        if (w->n_pending == MAX_PENDING) {
            worker_flush(w);
        }
        w->pending[w->n_pending++] = port;
    } else if (q->n == BATCH) {
        port_flush(port, w);
    }
    e = &q->entries[q->n++];
    e->data = p->data;
    e->size = packet_send_size(p);
    e->l3_ofs = p->l3_ofs;
    e->buf = p->buf;
    packet_buf_ref(p->buf);
    p->shared = true;
    offload_to_vnet(p, &e->vnet);
}

struct output_aux {
    struct port *port;
    struct worker *w;
};

static void
enqueue_segment(struct packet *p, void *aux_)
{
    const struct output_aux *aux = aux_;

    enqueue(aux->port, aux->w, p);
}

/* Outputs 'p', all of it but 'cutlen'.  A port that wants plain frames gets
 * them; so does any port of a packet that is cut, since then there is no
 * telling what a checksum that is due would cover.  All ports are Ethernet's:
 * they drop packets of other types. */
void
port_output(struct port *port, struct worker *w, struct packet *p)
{
    struct output_aux aux = { port, w };

    if (OVS_UNLIKELY(p->key.packet_type != htonl(PT_ETH))) {
        counter_add(&port->counters[w->id].tx_dropped, 1);
    } else if (OVS_LIKELY(port->class->takes_offloads && !p->cutlen)) {
        enqueue(port, w, p);
    } else if (offload_is_gso(p)) {
        if (!offload_segment(p, &w->arena, enqueue_segment, &aux)) {
            counter_add(&port->counters[w->id].tx_dropped, 1);
        }
    } else if (offload_finish_csum(p, &w->arena)) {
        enqueue(port, w, p);
    } else {
        counter_add(&port->counters[w->id].tx_dropped, 1);
    }
}

/* Does in software what the virtio header of 'e' asks for and gives the
 * results to 'send'.  For classes to fall back on when the kernel refuses a
 * header.  Returns false if nothing could be sent. */
bool
port_transmit_in_software(struct port *port OVS_UNUSED, struct worker *w,
                          const struct tx_entry *e,
                          void (*send)(struct packet *, void *aux), void *aux)
{
    struct packet *p = xzalloc(sizeof *p);
    bool ok;

    packet_init(p, e->data, e->size, e->data);
    p->shared = true;
    p->l3_ofs = e->l3_ofs;
    p->l2_5_ofs = p->l4_ofs = NO_OFS;
    p->l2_pad_size = 0;
    ok = offload_from_vnet(p, &e->vnet);
    if (ok && offload_is_gso(p)) {
        ok = offload_segment(p, &w->arena, send, aux);
    } else if (ok && p->offload.needs_csum) {
        ok = offload_finish_csum(p, &w->arena);
        if (ok) {
            send(p, aux);
        }
    } else {
        ok = false;
    }
    packet_uninit(p);
    free(p);
    return ok;
}

/* Has the port's upcalls go to 'pids' from now on. */
void
port_set_pids(struct port *port, const uint32_t pids[], uint32_t n)
{
    struct upcall_pids *new = xmalloc(sizeof *new + n * sizeof pids[0]);
    struct upcall_pids *old;

    new->n = n;
    for (uint32_t i = 0; i < n; i++) {
        new->pids[i] = pids[i];
    }
    old = atomic_exchange(&port->pids, new);
    if (old) {
        rcu_defer(&port->dp->forwarder->rcu, free, old);
    }
}

/* Returns the connection for an upcall of a packet with 'hash', 0 if none. */
uint32_t
port_upcall_pid(const struct port *port, uint32_t hash)
{
    const struct upcall_pids *pids;

    pids = atomic_load_explicit(&port->pids, memory_order_acquire);
    return pids && pids->n ? pids->pids[hash % pids->n] : 0;
}
