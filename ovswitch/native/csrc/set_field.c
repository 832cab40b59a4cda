/* SPDX-License-Identifier: Apache-2.0 */
#include "set_field.h"

#include <errno.h>

#include "checksum.h"
#include "netlink.h"
#include "odp.h"

/* A set action's argument is one flow key attribute, whose content is a value
 * or, for the masked form, a value and a mask of the same size.  The setters
 * below always get both: set_field() lends an all-ones mask to the plain form.
 *
 * Checksums in the IP header are always updated.  That of layer 4 covers the
 * addresses too (the pseudo header); when it is still to be computed
 * ('offload.needs_csum'), the field holds the uncomplemented sum of the pseudo
 * header and must follow a change of address, but not one of a port. */

static const uint8_t all_ones[64] = {
    [0 ... 63] = 0xff,
};

static inline uint8_t
merge8(uint8_t old, uint8_t value, uint8_t mask)
{
    return (value & mask) | (old & ~mask);
}

static inline uint16_t
merge16(uint16_t old, uint16_t value, uint16_t mask)
{
    return (value & mask) | (old & ~mask);
}

static inline uint32_t
merge32(uint32_t old, uint32_t value, uint32_t mask)
{
    return (value & mask) | (old & ~mask);
}

static void
merge_octets(uint8_t *p, const uint8_t *value, const uint8_t *mask,
             size_t size)
{
    for (size_t i = 0; i < size; i++) {
        p[i] = merge8(p[i], value[i], mask[i]);
    }
}

/* Returns the layer-4 checksum field of 'p' if the packet has one that its
 * addresses affect, otherwise NULL. */
static uint8_t *
l4_csum_field(const struct packet *p)
{
    uint8_t *l4 = packet_at(p, p->l4_ofs);
    uint32_t size = packet_size_from(p, p->l4_ofs);
    size_t ofs;

    if (!l4 || p->key.nw_frag & 2) {
        return NULL;
    }
    switch (p->key.nw_proto) {
    case PROTO_TCP:
        ofs = offsetof(struct tcp_header, csum);
        return size >= sizeof(struct tcp_header) ? l4 + ofs : NULL;
    case PROTO_UDP:
        ofs = offsetof(struct udp_header, csum);
        return size >= sizeof(struct udp_header) ? l4 + ofs : NULL;
    case PROTO_ICMPV6:
        ofs = offsetof(struct icmp_header, csum);
        return (size >= sizeof(struct icmp_header)
                && p->key.dl_type == htons(ETH_TYPE_IPV6)) ? l4 + ofs : NULL;
    default:
        return NULL;
    }
}

/* Brings layer 4's checksum up to date after 32 bits of the pseudo header
 * changed. */
static void
update_pseudo(struct packet *p, uint32_t old, uint32_t new)
{
    uint8_t *field = l4_csum_field(p);
    uint16_t csum;

    if (!field) {
        return;
    }
    csum = get_u16(field);
    if (p->offload.needs_csum) {
        csum = ~csum_update32(~csum, old, new);
    } else if (csum || p->key.nw_proto != PROTO_UDP) {
        csum = csum_update32(csum, old, new);
        if (!csum && p->key.nw_proto == PROTO_UDP) {
            csum = 0xffff;
        }
    } else {
        return;                 /* UDP without checksum. */
    }
    put_u16(field, csum);
}

/* Likewise after 16 bits of layer 4 itself changed. */
static void
update_l4(struct packet *p, uint8_t *field, uint16_t old, uint16_t new)
{
    uint16_t csum = get_u16(field);

    if (p->offload.needs_csum
        || (!csum && p->key.nw_proto == PROTO_UDP)) {
        return;
    }
    csum = csum_update16(csum, old, new);
    if (!csum && p->key.nw_proto == PROTO_UDP) {
        csum = 0xffff;
    }
    put_u16(field, csum);
}

static void
set_ethernet(struct packet *p, const struct ovs_key_ethernet *value,
             const struct ovs_key_ethernet *mask)
{
    struct eth_header *eth = (void *) p->data;

    if (p->key.packet_type == htonl(PT_ETH) && p->size >= sizeof *eth) {
        merge_octets(eth->src.ea, value->eth_src, mask->eth_src, 6);
        merge_octets(eth->dst.ea, value->eth_dst, mask->eth_dst, 6);
    }
}

static void
set_ipv4_addr(struct packet *p, struct ip_header *ip, uint8_t *field,
              ovs_be32 value, ovs_be32 mask)
{
    ovs_be32 old = get_u32(field);
    ovs_be32 new = merge32(old, value, mask);

    if (old != new) {
        update_pseudo(p, old, new);
        ip->csum = csum_update32(ip->csum, old, new);
        put_u32(field, new);
    }
}

static void
set_ipv4(struct packet *p, const struct ovs_key_ipv4 *value,
         const struct ovs_key_ipv4 *mask)
{
    struct ip_header *ip = (void *) packet_at(p, p->l3_ofs);
    uint8_t *addrs = (uint8_t *) &ip->src;
    uint8_t tos, ttl;

    set_ipv4_addr(p, ip, addrs, value->ipv4_src, mask->ipv4_src);
    set_ipv4_addr(p, ip, addrs + 4, value->ipv4_dst, mask->ipv4_dst);
    tos = merge8(ip->tos, value->ipv4_tos, mask->ipv4_tos);
    if (tos != ip->tos) {
        ip->csum = csum_update16(ip->csum, htons(ip->tos), htons(tos));
        ip->tos = tos;
    }
    ttl = merge8(ip->ttl, value->ipv4_ttl, mask->ipv4_ttl);
    if (ttl != ip->ttl) {
        ip->csum = csum_update16(ip->csum, htons(ip->ttl << 8),
                                 htons(ttl << 8));
        ip->ttl = ttl;
    }
}

/* Returns true if a routing header with segments left stands before layer 4.
 * Then the destination in the header is not the pseudo header's. */
static bool
has_segments_left(const struct packet *p)
{
    const uint8_t *l3 = packet_at(p, p->l3_ofs);
    const uint8_t *end = packet_at(p, p->l4_ofs);
    const uint8_t *h = l3 + sizeof(struct ip6_header);
    uint8_t proto = ((const struct ip6_header *) l3)->next;

    while (h + 8 <= end) {
        if (proto == PROTO_ROUTING) {
            return h[3] != 0;
        } else if (proto != PROTO_HOPOPTS && proto != PROTO_DSTOPTS) {
            break;
        }
        proto = h[0];
        h += (h[1] + 1) * 8;
    }
    return false;
}

static void
set_ipv6_addr(struct packet *p, uint8_t *field, const void *value_,
              const void *mask_, bool in_pseudo)
{
    const uint8_t *value = value_;
    const uint8_t *mask = mask_;

    for (int i = 0; i < 16; i += 4) {
        uint32_t old = get_u32(field + i);
        uint32_t new = merge32(old, get_u32(value + i), get_u32(mask + i));

        if (old != new) {
            if (in_pseudo) {
                update_pseudo(p, old, new);
            }
            put_u32(field + i, new);
        }
    }
}

static void
set_ipv6(struct packet *p, const struct ovs_key_ipv6 *value,
         const struct ovs_key_ipv6 *mask)
{
    struct ip6_header *ip6 = (void *) packet_at(p, p->l3_ofs);
    uint32_t flow;
    uint8_t tclass;

    set_ipv6_addr(p, ip6->src.octets, value->ipv6_src, mask->ipv6_src, true);
    set_ipv6_addr(p, ip6->dst.octets, value->ipv6_dst, mask->ipv6_dst,
                  !has_segments_left(p));
    flow = ntohl(ip6->flow);
    tclass = merge8(flow >> 20, value->ipv6_tclass, mask->ipv6_tclass);
    flow = (flow & ~0xff00000u) | (uint32_t) tclass << 20;
    flow = merge32(flow, ntohl(value->ipv6_label),
                   ntohl(mask->ipv6_label) & IP6_LABEL_MASK);
    ip6->flow = htonl(flow);
    ip6->hop_limit = merge8(ip6->hop_limit, value->ipv6_hlimit,
                            mask->ipv6_hlimit);
}

/* TCP and UDP have their ports in the same place. */
static void
set_ports(struct packet *p, size_t csum_ofs, const uint8_t *value,
          const uint8_t *mask)
{
    uint8_t *l4 = packet_at(p, p->l4_ofs);

    for (int i = 0; i < 4; i += 2) {
        uint16_t old = get_u16(l4 + i);
        uint16_t new = merge16(old, get_u16(value + i), get_u16(mask + i));

        if (old != new) {
            update_l4(p, l4 + csum_ofs, old, new);
            put_u16(l4 + i, new);
        }
    }
}

/* A checksum that was wrong stays wrong by the same difference, so that the
 * receiver still finds the error. */
static void
set_sctp(struct packet *p, const struct ovs_key_sctp *value,
         const struct ovs_key_sctp *mask)
{
    struct sctp_header *sctp = (void *) packet_at(p, p->l4_ofs);
    uint32_t size = packet_size_from(p, p->l4_ofs);
    uint32_t old_csum = sctp->csum;
    uint32_t correct;

    sctp->csum = 0;
    correct = crc32c(sctp, size);
    sctp->src = merge16(sctp->src, value->sctp_src, mask->sctp_src);
    sctp->dst = merge16(sctp->dst, value->sctp_dst, mask->sctp_dst);
    sctp->csum = old_csum ^ correct ^ crc32c(sctp, size);
}

static void
set_icmp(struct packet *p, const struct ovs_key_icmp *value,
         const struct ovs_key_icmp *mask)
{
    struct icmp_header *icmp = (void *) packet_at(p, p->l4_ofs);
    uint16_t old = get_u16(icmp);
    uint16_t csum;

    icmp->type = merge8(icmp->type, value->icmp_type, mask->icmp_type);
    icmp->code = merge8(icmp->code, value->icmp_code, mask->icmp_code);
    csum = icmp->csum;
    icmp->csum = csum_update16(csum, old, get_u16(icmp));
}

static void
set_arp(struct packet *p, const struct ovs_key_arp *value,
        const struct ovs_key_arp *mask)
{
    struct arp_header *arp = (void *) packet_at(p, p->l3_ofs);

    arp->operation = merge16(arp->operation, value->arp_op, mask->arp_op);
    arp->spa = merge32(arp->spa, value->arp_sip, mask->arp_sip);
    arp->tpa = merge32(arp->tpa, value->arp_tip, mask->arp_tip);
    merge_octets(arp->sha.ea, value->arp_sha, mask->arp_sha, 6);
    merge_octets(arp->tha.ea, value->arp_tha, mask->arp_tha, 6);
}

/* Gives 'size' octets of layer 4 at 'field' new values, checksum included. */
static void
set_l4_octets(struct packet *p, uint8_t *field, const uint8_t *value,
              const uint8_t *mask, size_t size)
{
    struct icmp_header *icmp = (void *) packet_at(p, p->l4_ofs);

    for (size_t i = 0; i < size; i += 2) {
        uint16_t old = get_u16(field + i);
        uint16_t new = merge16(old, get_u16(value + i), get_u16(mask + i));
        uint16_t csum = icmp->csum;

        if (old != new) {
            icmp->csum = csum_update16(csum, old, new);
            put_u16(field + i, new);
        }
    }
}

/* Returns the first option of a neighbour discovery message that holds an
 * Ethernet address, or NULL. */
static struct nd_option *
find_nd_option(const struct packet *p)
{
    uint32_t left = packet_size_from(p, p->l4_ofs) - sizeof(struct nd_message);
    uint8_t *o = packet_at(p, p->l4_ofs) + sizeof(struct nd_message);

    while (left >= sizeof(struct nd_option) && o[1] && o[1] * 8u <= left) {
        if (o[1] == 1 && (o[0] == ND_OPT_SOURCE || o[0] == ND_OPT_TARGET)) {
            return (void *) o;
        }
        left -= o[1] * 8;
        o += o[1] * 8;
    }
    return NULL;
}

static void
set_nd(struct packet *p, const struct ovs_key_nd *value,
       const struct ovs_key_nd *mask)
{
    struct nd_message *nd = (void *) packet_at(p, p->l4_ofs);
    struct nd_option *option = find_nd_option(p);

    set_l4_octets(p, nd->target.octets, (const void *) value->nd_target,
                  (const void *) mask->nd_target, 16);
    if (option) {
        bool is_source = option->type == ND_OPT_SOURCE;

        set_l4_octets(p, option->address.ea,
                      is_source ? value->nd_sll : value->nd_tll,
                      is_source ? mask->nd_sll : mask->nd_tll, 6);
    }
}

static void
set_nd_extensions(struct packet *p, const struct odp_key_nd_extensions *value,
                  const struct odp_key_nd_extensions *mask)
{
    struct nd_message *nd = (void *) packet_at(p, p->l4_ofs);

    set_l4_octets(p, (uint8_t *) &nd->icmp.rest,
                  (const uint8_t *) &value->nd_reserved,
                  (const uint8_t *) &mask->nd_reserved, 4);
    if (packet_size_from(p, p->l4_ofs) >= sizeof *nd + 2) {
        uint8_t value2[2] = { value->nd_options_type, 0 };
        uint8_t mask2[2] = { mask->nd_options_type, 0 };

        set_l4_octets(p, (uint8_t *) (nd + 1), value2, mask2, 2);
    }
}

static void
set_mpls(struct packet *p, const uint8_t *value, const uint8_t *mask)
{
    uint8_t *lse = packet_at(p, p->l2_5_ofs);

    put_u32(lse, merge32(get_u32(lse), get_u32(value), get_u32(mask)));
}

/* 'nested' holds the NSH attributes, in masked form if 'masked'. */
static void
set_nsh(struct packet *p, const struct nlattr *nested, bool masked)
{
    struct nsh_header *nsh = (void *) packet_at(p, p->l3_ofs);
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, nl_data(nested), nl_size(nested)) {
        size_t size = nl_size(a) / (masked ? 2 : 1);
        const uint8_t *value = nl_data(a);
        const uint8_t *mask = masked ? value + size : all_ones;

        if (nl_type(a) == OVS_NSH_KEY_ATTR_BASE) {
            const struct ovs_nsh_key_base *v = (const void *) value;
            const struct ovs_nsh_key_base *m = (const void *) mask;
            uint16_t word = ntohs(nsh->ver_flags_ttl_len);
            uint8_t flags = merge8(nsh_flags(nsh), v->flags, m->flags);
            uint8_t ttl = merge8(nsh_ttl(nsh), v->ttl, m->ttl);

            word = (word & ~0x3fc0) | (flags & 3) << 12 | (ttl & 0x3f) << 6;
            nsh->ver_flags_ttl_len = htons(word);
            nsh->path_hdr = merge32(nsh->path_hdr, v->path_hdr, m->path_hdr);
        } else if (nl_type(a) == OVS_NSH_KEY_ATTR_MD1
                   && nsh->mdtype == NSH_MDTYPE1) {
            merge_octets((uint8_t *) nsh->context, value, mask, size);
        }
    }
}

static void
set_metadata(ovs_be32 *field, uint32_t value, uint32_t mask)
{
    *field = merge32(*field, htonl(value), htonl(mask));
}

/* What a packet must have for a key attribute to be set in it. */
enum needs {
    NEEDS_NOTHING,              /* Metadata. */
    NEEDS_ETH,
    NEEDS_MPLS,
    NEEDS_L3,                   /* 'dl_type', and 'n' octets of it. */
    NEEDS_L4,                   /* 'proto', and 'n' octets of it. */
};

static const struct settable {
    uint16_t size;              /* Of the value; 0 if it cannot be set. */
    uint8_t needs;              /* An enum needs. */
    uint8_t n;                  /* Octets that the header must have. */
    uint16_t dl_type;
    uint16_t proto;
    bool plain_only;            /* There is no masked form. */
} settables[ODP_KEY_MAX + 1] = {
    [OVS_KEY_ATTR_PRIORITY] = { .size = 4 },
    [OVS_KEY_ATTR_SKB_MARK] = { .size = 4 },
    [OVS_KEY_ATTR_DP_HASH] = { .size = 4 },
    [OVS_KEY_ATTR_RECIRC_ID] = { .size = 4 },
    [OVS_KEY_ATTR_ETHERNET] = { .size = 12, .needs = NEEDS_ETH },
    [OVS_KEY_ATTR_MPLS] = { .size = 4, .needs = NEEDS_MPLS },
    [OVS_KEY_ATTR_IPV4] = { 12, NEEDS_L3, 20, ETH_TYPE_IP, 0, false },
    [OVS_KEY_ATTR_IPV6] = { 40, NEEDS_L3, 40, ETH_TYPE_IPV6, 0, false },
    [OVS_KEY_ATTR_ARP] = { 24, NEEDS_L3, 28, ETH_TYPE_ARP, 0, false },
    [OVS_KEY_ATTR_TCP] = { 4, NEEDS_L4, 20, 0, PROTO_TCP, false },
    [OVS_KEY_ATTR_UDP] = { 4, NEEDS_L4, 8, 0, PROTO_UDP, false },
    [OVS_KEY_ATTR_SCTP] = { 4, NEEDS_L4, 12, 0, PROTO_SCTP, false },
    [OVS_KEY_ATTR_ICMP] = { 2, NEEDS_L4, 8, 0, PROTO_ICMP, true },
    [OVS_KEY_ATTR_ICMPV6] = { 2, NEEDS_L4, 8, 0, PROTO_ICMPV6, true },
    [OVS_KEY_ATTR_ND] = { 28, NEEDS_L4, 24, 0, PROTO_ICMPV6, false },
    [ODP_KEY_ND_EXTENSIONS] = { 8, NEEDS_L4, 24, 0, PROTO_ICMPV6, false },
};

/* Checks the NSH attributes in 'nested'. */
static int
check_nsh(const struct nlattr *nested, bool masked)
{
    unsigned int times = masked ? 2 : 1;
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, nl_data(nested), nl_size(nested)) {
        size_t size = (nl_type(a) == OVS_NSH_KEY_ATTR_BASE ? 8
                       : nl_type(a) == OVS_NSH_KEY_ATTR_MD1 ? 16 : 0);

        if (!size || nl_size(a) != size * times) {
            return -EINVAL;
        }
    }
    return left ? -EINVAL : 0;
}

/* Checks the argument of a set action.  Returns 0 or a negative errno. */
int
set_field_check(const struct nlattr *key, bool masked)
{
    uint16_t type = nl_type(key);
    const struct settable *s;

    if (type == OVS_KEY_ATTR_NSH) {
        return check_nsh(key, masked);
    } else if (type == OVS_KEY_ATTR_TUNNEL) {
        return -EOPNOTSUPP;
    } else if (type > ODP_KEY_MAX || !settables[type].size) {
        return -EINVAL;
    }
    s = &settables[type];
    if (masked && s->plain_only) {
        return -EINVAL;
    }
    return nl_size(key) == s->size * (masked ? 2u : 1u) ? 0 : -EINVAL;
}

/* Returns true if 'p' has what setting attribute 'type' takes.  The action may
 * come after others that took headers off. */
static bool
can_set(const struct packet *p, const struct settable *s, uint16_t type)
{
    const struct flow_key *key = &p->key;

    switch (s->needs) {
    case NEEDS_ETH:
        return p->size >= ETH_HEADER_LEN;
    case NEEDS_MPLS:
        return p->l2_5_ofs != NO_OFS
               && p->size >= p->l2_5_ofs + MPLS_HEADER_LEN;
    case NEEDS_L3:
        return p->l3_ofs != NO_OFS && packet_size_from(p, p->l3_ofs) >= s->n
               && (type == OVS_KEY_ATTR_ARP
                   ? key->dl_type == htons(ETH_TYPE_ARP)
                     || key->dl_type == htons(ETH_TYPE_RARP)
                   : key->dl_type == htons(s->dl_type)
                     && p->l4_ofs != NO_OFS);
    case NEEDS_L4:
        return p->l4_ofs != NO_OFS && !(key->nw_frag & 2)
               && key->nw_proto == s->proto
               && packet_size_from(p, p->l4_ofs) >= s->n;
    default:
        return true;
    }
}

static void
set_header(struct packet *p, uint16_t type, const void *value,
           const void *mask)
{
    switch (type) {
    case OVS_KEY_ATTR_PRIORITY:
        set_metadata(&p->key.skb_priority, get_u32(value), get_u32(mask));
        break;
    case OVS_KEY_ATTR_SKB_MARK:
        set_metadata(&p->key.pkt_mark, get_u32(value), get_u32(mask));
        break;
    case OVS_KEY_ATTR_DP_HASH:
        set_metadata(&p->key.dp_hash, get_u32(value), get_u32(mask));
        break;
    case OVS_KEY_ATTR_RECIRC_ID:
        set_metadata(&p->key.recirc_id, get_u32(value), get_u32(mask));
        break;
    case OVS_KEY_ATTR_ETHERNET:
        set_ethernet(p, value, mask);
        break;
    case OVS_KEY_ATTR_MPLS:
        set_mpls(p, value, mask);
        break;
    case OVS_KEY_ATTR_IPV4:
        set_ipv4(p, value, mask);
        break;
    case OVS_KEY_ATTR_IPV6:
        set_ipv6(p, value, mask);
        break;
    case OVS_KEY_ATTR_ARP:
        set_arp(p, value, mask);
        break;
    case OVS_KEY_ATTR_TCP:
        set_ports(p, offsetof(struct tcp_header, csum), value, mask);
        break;
    case OVS_KEY_ATTR_UDP:
        set_ports(p, offsetof(struct udp_header, csum), value, mask);
        break;
    case OVS_KEY_ATTR_SCTP:
        set_sctp(p, value, mask);
        break;
    case OVS_KEY_ATTR_ICMP:
    case OVS_KEY_ATTR_ICMPV6:
        set_icmp(p, value, mask);
        break;
    case OVS_KEY_ATTR_ND:
        set_nd(p, value, mask);
        break;
    case ODP_KEY_ND_EXTENSIONS:
        set_nd_extensions(p, value, mask);
        break;
    }
}

/* Executes a set action that set_field_check() has accepted.  A packet that
 * lacks the header stays as it is.  Returns false if there is no memory for a
 * private copy. */
bool
set_field(struct packet *p, struct packet_arena *arena,
          const struct nlattr *key, bool masked)
{
    uint16_t type = nl_type(key);
    const struct settable *s = &settables[type];
    const uint8_t *value = nl_data(key);

    if (type == OVS_KEY_ATTR_NSH) {
        if (p->key.dl_type != htons(ETH_TYPE_NSH) || p->l3_ofs == NO_OFS
            || p->size < p->l3_ofs + sizeof(struct nsh_header)) {
            return true;
        } else if (!packet_own(p, arena)) {
            return false;
        }
        set_nsh(p, key, masked);
        return true;
    }
    if (!can_set(p, s, type)) {
        return true;
    } else if (s->needs != NEEDS_NOTHING && !packet_own(p, arena)) {
        return false;
    }
    set_header(p, type, value, masked ? value + s->size : all_ones);
    return true;
}
