/* SPDX-License-Identifier: Apache-2.0 */
#include "offload.h"

#include "checksum.h"

/* Notes the jobs that 'vnet' (little-endian, as AF_PACKET and tap give it on
 * the machines that we build for; see the assertion) leaves for 'p'.  Returns
 * false for jobs that make no sense or that we do not know. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "virtio headers are in host order on little-endian machines");

bool
offload_from_vnet(struct packet *p, const struct virtio_net_hdr *vnet)
{
    struct packet_offload *o = &p->offload;

    memset(o, 0, sizeof *o);
    if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        o->needs_csum = true;
        o->csum_start = vnet->csum_start;
        o->csum_offset = vnet->csum_offset;
        if (o->csum_start + o->csum_offset + 2u > p->size) {
            return false;
        }
    }
    switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        o->gso_type = vnet->gso_type;
        o->gso_size = vnet->gso_size;
        return o->gso_size && o->needs_csum;
    default:
        return false;
    }
}

/* Writes the jobs left on 'p' to 'vnet'. */
void
offload_to_vnet(const struct packet *p, struct virtio_net_hdr *vnet)
{
    const struct packet_offload *o = &p->offload;

    memset(vnet, 0, sizeof *vnet);
    if (o->needs_csum) {
        vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        vnet->csum_start = o->csum_start;
        vnet->csum_offset = o->csum_offset;
    }
    if (offload_is_gso(p)) {
        bool is_udp = o->gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
        uint32_t header = o->csum_start;

        /* The kernel pulls 'hdr_len' octets into its header area. */
        header += (is_udp || p->size < o->csum_start + 20u
                   ? sizeof(struct udp_header)
                   : (p->data[o->csum_start + 12] >> 4) * 4);
        vnet->gso_type = o->gso_type;
        vnet->gso_size = o->gso_size;
        vnet->hdr_len = MIN(header, p->size);
    }
}

/* Computes the checksum that is due, if one is.  Returns false if there is no
 * memory. */
bool
offload_finish_csum(struct packet *p, struct packet_arena *arena)
{
    struct packet_offload *o = &p->offload;
    uint16_t csum;

    if (!o->needs_csum) {
        return true;
    }
    if (o->csum_start + o->csum_offset + 2u > p->size
        || !packet_own(p, arena)) {
        return false;
    }
    csum = csum_finish(csum_partial(0, p->data + o->csum_start,
                                    p->size - o->csum_start));
    if (!csum && o->csum_offset == offsetof(struct udp_header, csum)) {
        csum = 0xffff;
    }
    put_u16(p->data + o->csum_start + o->csum_offset, csum);
    o->needs_csum = false;
    return true;
}

/* Makes the IP header before 'l4' that of segment 'i', with 'l4_size' octets
 * behind it.  Returns the sum of the pseudo header. */
static uint32_t
fix_ip(uint8_t *l3, uint8_t *l4, unsigned int i, uint32_t l4_size,
       uint8_t proto)
{
    if (*l3 >> 4 == 4) {
        struct ip_header *ip = (void *) l3;

        ip->total_size = htons(l4 - l3 + l4_size);
        ip->id = htons(ntohs(ip->id) + i);
        ip->csum = 0;
        ip->csum = csum_finish(csum_partial(0, ip, (*l3 & 0xf) * 4));
        return csum_pseudo4(ip, proto, l4_size);
    } else {
        struct ip6_header *ip6 = (void *) l3;

        ip6->payload_size = htons(l4 - l3 - sizeof *ip6 + l4_size);
        return csum_pseudo6(ip6, proto, l4_size);
    }
}

static void
fix_tcp(struct tcp_header *tcp, uint32_t ofs, bool first, bool last)
{
    uint16_t clear = (first ? 0 : TCP_CWR) | (last ? 0 : TCP_FIN | TCP_PSH);

    tcp->seq = htonl(ntohl(tcp->seq) + ofs);
    tcp->ctl &= htons(~clear);
    tcp->csum = 0;
}

/* Cuts 'p', which is_gso, into segments and gives each to 'emit'.  Returns
 * false if 'p' is malformed, and then nothing was given, or memory ran out. */
bool
offload_segment(const struct packet *p, struct packet_arena *arena,
                offload_emit_func *emit, void *aux)
{
    uint32_t l4_ofs = p->offload.csum_start;
    bool is_udp = p->offload.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
    uint32_t gso_size = p->offload.gso_size;
    uint32_t header_size, payload_size, ofs = 0;
    unsigned int i = 0;

    if (p->l3_ofs == NO_OFS
        || l4_ofs < p->l3_ofs + (p->data[p->l3_ofs] >> 4 == 4 ? 20u : 40u)
        || p->size < l4_ofs + (is_udp ? 8u : 20u)) {
        return false;
    }
    header_size = l4_ofs + (is_udp ? sizeof(struct udp_header)
                            : (p->data[l4_ofs + 12] >> 4) * 4u);
    if (header_size > p->size || (!is_udp && header_size < l4_ofs + 20)) {
        return false;
    }
    payload_size = p->size - header_size;
    do {
        uint32_t n = MIN(gso_size, payload_size - ofs);
        uint32_t l4_size = header_size - l4_ofs + n;
        struct packet_buf *b = arena_get(arena);
        struct packet segment = *p;
        uint8_t *l4;
        uint16_t csum;
        uint32_t sum;

        if (!b) {
            return false;
        }
        packet_init(&segment, b->room + PACKET_HEADROOM, header_size + n,
                    b->room);
        segment.buf = b;
        segment.cutlen = p->cutlen;
        memcpy(segment.data, p->data, header_size);
        memcpy(segment.data + header_size, p->data + header_size + ofs, n);
        l4 = segment.data + l4_ofs;
        sum = fix_ip(segment.data + p->l3_ofs, l4, i, l4_size,
                     is_udp ? PROTO_UDP : PROTO_TCP);
        if (is_udp) {
            struct udp_header *udp = (void *) l4;

            udp->size = htons(l4_size);
            udp->csum = 0;
            csum = csum_finish(csum_partial(sum, l4, l4_size));
            udp->csum = csum ? csum : 0xffff;
        } else {
            struct tcp_header *tcp = (void *) l4;

            fix_tcp(tcp, ofs, !ofs, ofs + n >= payload_size);
            csum = csum_finish(csum_partial(sum, l4, l4_size));
            tcp->csum = csum;
        }
        emit(&segment, aux);
        packet_uninit(&segment);
        ofs += n;
        i++;
    } while (ofs < payload_size);
    return true;
}
