/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFFLOAD_H
#define OFFLOAD_H 1

/* What network cards do for hosts, in software: finishing checksums and
 * cutting a large TCP or UDP packet into segments.
 *
 * Packets between local ports carry these jobs along in a virtio header and
 * nobody ever does them.  Where the octets themselves matter (a packet that
 * goes to the controller, is cut short, or leaves by a port that takes no such
 * header) they are done here. */

#include <linux/virtio_net.h>

#include "packet.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4       /* Headers before Linux 6.2. */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

bool offload_from_vnet(struct packet *, const struct virtio_net_hdr *);
void offload_to_vnet(const struct packet *, struct virtio_net_hdr *);
bool offload_finish_csum(struct packet *, struct packet_arena *);

static inline bool
offload_is_gso(const struct packet *p)
{
    return p->offload.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* Takes each segment in turn; the packet is the callee's until it returns. */
typedef void offload_emit_func(struct packet *, void *aux);
bool offload_segment(const struct packet *, struct packet_arena *,
                     offload_emit_func *, void *aux);

#endif /* offload.h */
