/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKET_H
#define PACKET_H 1

/* A packet on its way through the datapath.
 *
 * Its octets lie either in the frame that the port received (the port keeps
 * the frame until the batch is over) or in an arena buffer.  They may be
 * shared: with a transmit queue, or with the packet's clone.  A packet copies
 * them to a buffer of its own before it first changes them (packet_own()), so
 * that output costs no copy and only flooding with changes in between does.
 *
 * The arena belongs to one thread and is bounded.  When it runs dry the
 * owner's 'reclaim' callback sends what its transmit queues hold, which gives
 * buffers back; packets in hand never hold more than ARENA_BUFFERS / 2. */

#include "base.h"
#include "flow_key.h"

#define NO_OFS UINT16_MAX       /* "This layer is not there." */

/* Room in a buffer: a 64 kB packet with its headers, and room to push. */
#define PACKET_HEADROOM 512
#define PACKET_ROOM (65536 + 2048)
#define ARENA_BUFFERS 128

struct packet_buf {
    struct packet_arena *arena;
    struct packet_buf *next_free;
    uint32_t n_refs;            /* Packets and transmit queue entries. */
    uint8_t room[PACKET_ROOM];
};

struct packet_arena {
    struct packet_buf *buffers; /* ARENA_BUFFERS, one mapping. */
    struct packet_buf *free;
    void (*reclaim)(void *aux); /* Makes transmit queues let go of buffers. */
    void *aux;
};

/* What the peer left for the network card to do: the virtio header's content,
 * in host order.  'csum_start' counts from the packet's first octet. */
struct packet_offload {
    uint8_t needs_csum;         /* Checksum from csum_start is due. */
    uint8_t gso_type;           /* VIRTIO_NET_HDR_GSO_*, 0 for none. */
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
};

struct packet {
    uint8_t *data;              /* First octet. */
    uint32_t size;
    uint8_t *base;              /* Start of the headroom before 'data'. */
    struct packet_buf *buf;     /* What holds 'data'; NULL: a port's frame. */
    bool shared;                /* Others look at the octets too. */
    uint32_t cutlen;            /* Octets that 'trunc' takes off at output. */
    struct packet_offload offload;
    uint32_t hash;              /* Of the flow key; see flow_key_hash(). */
    uint16_t l2_5_ofs;          /* MPLS, or NO_OFS. */
    uint16_t l3_ofs;            /* Layer 3, or NO_OFS. */
    uint16_t l4_ofs;            /* Layer 4, or NO_OFS. */
    uint16_t l2_pad_size;       /* Octets after layer 3's end. */
    struct flow_key key;        /* As extracted; actions leave it behind. */
};

void arena_init(struct packet_arena *, void (*reclaim)(void *), void *aux);
void arena_uninit(struct packet_arena *);
struct packet_buf *arena_get(struct packet_arena *);

static inline void
packet_buf_ref(struct packet_buf *b)
{
    if (b) {
        b->n_refs++;
    }
}

void packet_buf_unref(struct packet_buf *);

void packet_init(struct packet *, uint8_t *data, uint32_t size, uint8_t *base);
bool packet_init_copy(struct packet *, struct packet_arena *, const void *,
                      uint32_t size);
void packet_clone(struct packet *, struct packet *from);
void packet_uninit(struct packet *);

bool packet_own(struct packet *, struct packet_arena *);
bool packet_push(struct packet *, struct packet_arena *, uint32_t size);
void packet_pull(struct packet *, uint32_t size);

static inline uint8_t *
packet_at(const struct packet *p, uint16_t ofs)
{
    return ofs == NO_OFS ? NULL : p->data + ofs;
}

/* Returns how many octets of 'p' stand from 'ofs' on, the padding that layer
 * 3 does not count left out. */
static inline uint32_t
packet_size_from(const struct packet *p, uint16_t ofs)
{
    return ofs == NO_OFS ? 0 : p->size - ofs - p->l2_pad_size;
}

/* Returns how many octets leave: pops after a 'trunc' may have left less than
 * it was to take off. */
static inline uint32_t
packet_send_size(const struct packet *p)
{
    return p->size > p->cutlen ? p->size - p->cutlen : 0;
}

#endif /* packet.h */
