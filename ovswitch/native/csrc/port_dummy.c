/* SPDX-License-Identifier: Apache-2.0 */
#include "port_dummy.h"

#include "worker.h"

dummy_transmit_func *dummy_transmit;

static int
dummy_open(struct port *port OVS_UNUSED)
{
    return 0;
}

static void
dummy_close(struct port *port OVS_UNUSED)
{
}

/* Packets are handed to worker_process() by whoever has them. */
static unsigned int
dummy_receive(struct port *port OVS_UNUSED, struct worker *w OVS_UNUSED,
              struct packet packets[] OVS_UNUSED, unsigned int max OVS_UNUSED)
{
    return 0;
}

static void
dummy_release(struct port *port OVS_UNUSED, struct worker *w OVS_UNUSED)
{
}

static void
dummy_port_transmit(struct port *port, struct worker *w,
                    struct tx_entry entries[], unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        dummy_transmit(port, entries[i].data, entries[i].size);
        port_count_tx(port, w->id, entries[i].size);
    }
}

const struct port_class dummy_port_class = {
    .takes_offloads = false,
    .open = dummy_open,
    .close = dummy_close,
    .receive = dummy_receive,
    .release = dummy_release,
    .transmit = dummy_port_transmit,
};
