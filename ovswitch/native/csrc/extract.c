/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"

#include "headers.h"

/* From octets to flow key.
 *
 * Each layer's function takes the cursor past its header and fills its part of
 * the key, or leaves the key as it is where the header is cut short or wrong:
 * a truncated packet matches as what is left of it, which is how Open vSwitch
 * defines it.  What never is in a packet (padding after the length that IP
 * gives) is never looked at. */

_Atomic(uint32_t) flow_vlan_limit = 2;

struct cursor {
    const uint8_t *p;
    uint32_t left;
};

/* Returns the next 'size' octets and steps over them, NULL if too few. */
static inline const void *
take(struct cursor *c, uint32_t size)
{
    const uint8_t *p = c->p;

    if (OVS_UNLIKELY(c->left < size)) {
        return NULL;
    }
    c->p += size;
    c->left -= size;
    return p;
}

static void
extract_vlans(struct cursor *c, struct flow_key *key)
{
    ovs_be16 *tags[] = { &key->vlan_tpid0, &key->vlan_tpid1 };

    uint32_t limit = atomic_load_explicit(&flow_vlan_limit,
                                          memory_order_relaxed);

    for (uint32_t i = 0; i < limit; i++) {
        /* A tag, and the type behind it. */
        if (!eth_type_vlan(get_u16(c->p)) || c->left < 6) {
            break;
        }
        tags[i][0] = get_u16(c->p);
        tags[i][1] = get_u16(c->p + 2) | htons(VLAN_CFI);
        c->p += VLAN_HEADER_LEN;
        c->left -= VLAN_HEADER_LEN;
    }
}

static ovs_be16
extract_ethertype(struct cursor *c)
{
    static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
    const struct llc_snap_header *llc;
    ovs_be16 type = get_u16(c->p);

    c->p += 2;
    c->left -= 2;
    if (OVS_LIKELY(ntohs(type) >= ETH_TYPE_MIN)) {
        return type;
    }
    if (c->left < sizeof *llc || memcmp(c->p, snap, sizeof snap)) {
        return htons(DL_TYPE_NONE);
    }
    llc = take(c, sizeof *llc);
    return ntohs(llc->type) >= ETH_TYPE_MIN ? llc->type : htons(DL_TYPE_NONE);
}

static void
extract_mpls(struct cursor *c, struct flow_key *key)
{
    ovs_be32 *lses[] = { &key->mpls_lse0, &key->mpls_lse1, &key->mpls_lse2 };
    const void *p;

    for (unsigned int i = 0; (p = take(c, MPLS_HEADER_LEN)); i++) {
        ovs_be32 lse = get_u32(p);

        if (i < ARRAY_SIZE(lses)) {
            *lses[i] = lse;
        }
        if (lse & htonl(MPLS_BOS)) {
            break;
        }
    }
}

static void
extract_arp(struct cursor *c, struct flow_key *key)
{
    const struct arp_header *arp = take(c, sizeof *arp);

    if (!arp || arp->hardware != htons(1) || arp->protocol != htons(0x800)
        || arp->hardware_size != 6 || arp->protocol_size != 4) {
        return;
    }
    key->nw_src = arp->spa;
    key->nw_dst = arp->tpa;
    if (ntohs(arp->operation) <= 0xff) {
        key->nw_proto = ntohs(arp->operation);
    }
    key->arp_sha = arp->sha;
    key->arp_tha = arp->tha;
}

static void
extract_nsh(struct cursor *c, struct flow_key *key)
{
    const struct nsh_header *nsh = (const void *) c->p;
    unsigned int size;

    if (c->left < NSH_BASE_LEN) {
        return;
    }
    size = nsh_size(nsh);
    if (size > c->left || nsh_version(nsh) != 0
        || (nsh->mdtype == NSH_MDTYPE1 && size != NSH_MD1_LEN)
        || (nsh->mdtype == NSH_MDTYPE2 && size < NSH_BASE_LEN)) {
        return;
    }
    key->nsh_flags = nsh_flags(nsh);
    key->nsh_ttl = nsh_ttl(nsh);
    key->nsh_mdtype = nsh->mdtype;
    key->nsh_np = nsh->np;
    key->nsh_path_hdr = nsh->path_hdr;
    if (nsh->mdtype == NSH_MDTYPE1) {
        memcpy(&key->nsh_c1, nsh->context, sizeof nsh->context);
    }
}

/* Returns false if there is no sound IPv4 header. */
static bool
extract_ipv4(struct cursor *c, struct packet *p)
{
    const struct ip_header *ip = (const void *) c->p;
    struct flow_key *key = &p->key;
    uint32_t header_size, total_size;

    if (OVS_UNLIKELY(c->left < sizeof *ip)) {
        return false;
    }
    header_size = (ip->ihl_version & 0xf) * 4;
    total_size = ntohs(ip->total_size);
    if (OVS_UNLIKELY(header_size < sizeof *ip || total_size > c->left
                     || header_size > total_size
                     || c->left - total_size > UINT16_MAX)) {
        return false;
    }
    p->l2_pad_size = c->left - total_size;
    c->left = total_size;
    key->nw_src = ip->src;
    key->nw_dst = ip->dst;
    key->nw_tos = ip->tos;
    key->nw_ttl = ip->ttl;
    key->nw_proto = ip->proto;
    if (OVS_UNLIKELY(ip->frag & htons(IP_MORE | IP_OFFSET_MASK))) {
        key->nw_frag = NW_FRAG_ANY;
        if (ip->frag & htons(IP_OFFSET_MASK)) {
            key->nw_frag |= NW_FRAG_LATER;
        }
    }
    c->p += header_size;
    c->left -= header_size;
    return true;
}

/* Steps over IPv6 extension headers, whose first has number '*proto', to the
 * first that is none; stores that one's number in '*proto'.  Returns false if
 * they are cut short. */
static bool
extract_ipv6_extensions(struct cursor *c, uint8_t *proto, uint8_t *frag)
{
    for (;;) {
        const struct ip6_frag_header *fragment;
        uint8_t this = *proto;
        uint32_t size;

        if (OVS_LIKELY(this != PROTO_HOPOPTS && this != PROTO_ROUTING
                       && this != PROTO_DSTOPTS && this != PROTO_AH
                       && this != PROTO_FRAGMENT)) {
            return true;
        }
        if (c->left < 8) {
            return false;
        }
        fragment = (const void *) c->p;
        *proto = fragment->next;
        size = (this == PROTO_FRAGMENT ? 8
                : this == PROTO_AH ? (c->p[1] + 2) * 4
                : (c->p[1] + 1) * 8);
        if (!take(c, size)) {
            return false;
        }
        if (this == PROTO_FRAGMENT && fragment->offset) {
            *frag = NW_FRAG_ANY;
            if (fragment->offset & htons(IP6_OFFSET_MASK)) {
                *frag |= NW_FRAG_LATER;
                *proto = PROTO_FRAGMENT;
                return true;
            }
        }
    }
}

/* Returns false if there is no sound IPv6 header with its extensions. */
static bool
extract_ipv6(struct cursor *c, struct packet *p)
{
    const struct ip6_header *ip6 = (const void *) c->p;
    struct flow_key *key = &p->key;
    uint32_t payload_size, flow;
    uint8_t proto, frag = 0;

    if (OVS_UNLIKELY(c->left < sizeof *ip6)) {
        return false;
    }
    payload_size = ntohs(ip6->payload_size);
    if (OVS_UNLIKELY(payload_size + sizeof *ip6 > c->left
                     || c->left - payload_size - sizeof *ip6 > UINT16_MAX)) {
        return false;
    }
    p->l2_pad_size = c->left - payload_size - sizeof *ip6;
    c->p += sizeof *ip6;
    c->left = payload_size;
    memcpy(&key->ipv6_src, &ip6->src, sizeof key->ipv6_src);
    memcpy(&key->ipv6_dst, &ip6->dst, sizeof key->ipv6_dst);

    proto = ip6->next;
    if (!extract_ipv6_extensions(c, &proto, &frag)) {
        return false;
    }
    flow = ntohl(ip6->flow);
    key->ipv6_label = htonl(flow & IP6_LABEL_MASK);
    key->nw_tos = flow >> 20;
    key->nw_ttl = ip6->hop_limit;
    key->nw_proto = proto;
    key->nw_frag = frag;
    return true;
}

/* Takes the link-layer address options of a neighbour discovery message.  One
 * that comes twice makes the whole message suspect: then the key keeps none of
 * what it says. */
static void
extract_nd_options(struct cursor *c, struct flow_key *key)
{
    while (c->left >= sizeof(struct nd_option)) {
        const struct nd_option *option = (const void *) c->p;
        bool is_source = option->type == ND_OPT_SOURCE;

        if (!option->length || option->length * 8 > c->left) {
            return;
        }
        if (option->length == 1
            && (is_source || option->type == ND_OPT_TARGET)) {
            struct eth_addr *ea = is_source ? &key->arp_sha : &key->arp_tha;

            if (!eth_addr_is_zero(ea)) {
                memset(&key->nd_target, 0, sizeof key->nd_target);
                memset(&key->arp_sha, 0, sizeof key->arp_sha);
                memset(&key->arp_tha, 0, sizeof key->arp_tha);
                return;
            }
            *ea = option->address;
            if (!key->tcp_flags) {
                key->tcp_flags = htons(option->type);
            }
        }
        take(c, option->length * 8);
    }
}

static void
extract_icmpv6(struct cursor *c, struct flow_key *key)
{
    const struct icmp_header *icmp = take(c, sizeof *icmp);
    const struct ip6_addr *target;

    if (!icmp) {
        return;
    }
    key->tp_src = htons(icmp->type);
    key->tp_dst = htons(icmp->code);
    if (icmp->code || (icmp->type != ND_SOLICIT && icmp->type != ND_ADVERT)) {
        return;
    }
    key->igmp_group_ip4 = icmp->rest;
    target = take(c, sizeof *target);
    if (target) {
        memcpy(&key->nd_target, target, sizeof key->nd_target);
        extract_nd_options(c, key);
    }
}

static void
extract_l4(struct cursor *c, struct flow_key *key)
{
    switch (key->nw_proto) {
    case PROTO_TCP: {
        const struct tcp_header *tcp = (const void *) c->p;

        if (c->left >= sizeof *tcp) {
            uint32_t size = (ntohs(tcp->ctl) >> 12) * 4;

            if (size >= sizeof *tcp && size <= c->left) {
                key->tcp_flags = tcp->ctl & htons(TCP_FLAGS_MASK);
                key->tp_src = tcp->src;
                key->tp_dst = tcp->dst;
            }
        }
        break;
    }
    case PROTO_UDP:
    case PROTO_SCTP:
        if (c->left >= (key->nw_proto == PROTO_UDP
                        ? sizeof(struct udp_header)
                        : sizeof(struct sctp_header))) {
            key->tp_src = get_u16(c->p);
            key->tp_dst = get_u16(c->p + 2);
        }
        break;
    case PROTO_ICMP:
    case PROTO_IGMP:
        if (c->left >= sizeof(struct icmp_header)) {
            key->tp_src = htons(c->p[0]);
            key->tp_dst = htons(c->p[1]);
            if (key->nw_proto == PROTO_IGMP) {
                key->igmp_group_ip4 = get_u32(c->p + 4);
            }
        }
        break;
    case PROTO_ICMPV6:
        if (c->left >= sizeof(struct icmp_header)) {
            extract_icmpv6(c, key);
        }
        break;
    }
}

static void
extract_l3(struct cursor *c, struct packet *p)
{
    struct flow_key *key = &p->key;
    bool sound;

    switch (ntohs(key->dl_type)) {
    case ETH_TYPE_IP:
        sound = extract_ipv4(c, p);
        break;
    case ETH_TYPE_IPV6:
        sound = extract_ipv6(c, p);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        extract_arp(c, key);
        return;
    case ETH_TYPE_NSH:
        extract_nsh(c, key);
        return;
    default:
        return;
    }
    if (sound) {
        p->l4_ofs = c->p - p->data;
        if (!(key->nw_frag & NW_FRAG_LATER)) {
            extract_l4(c, key);
        }
    }
}

/* Fills the header part of 'p''s key, from dl_dst on, and its layer offsets.
 * The metadata part (in_port, packet_type, recirc_id, tunnel and so on) is the
 * caller's, and says with packet_type whether there is an Ethernet header. */
void
flow_extract(struct packet *p)
{
    struct cursor c = { p->data, p->size };
    struct flow_key *key = &p->key;

    memset((uint8_t *) key + FLOW_KEY_HEADERS_OFS, 0,
           sizeof *key - FLOW_KEY_HEADERS_OFS);
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = NO_OFS;
    p->l2_pad_size = 0;

    if (OVS_LIKELY(key->packet_type == htonl(PT_ETH))) {
        const struct eth_header *eth = (const void *) p->data;

        if (OVS_UNLIKELY(c.left < sizeof *eth)) {
            return;
        }
        key->dl_dst = eth->dst;
        key->dl_src = eth->src;
        take(&c, 2 * sizeof(struct eth_addr));
        if (OVS_UNLIKELY(eth_type_vlan(eth->type))) {
            extract_vlans(&c, key);
        }
        key->dl_type = extract_ethertype(&c);
    } else {
        key->dl_type = htons(ntohl(key->packet_type) & 0xffff);
    }

    if (OVS_UNLIKELY(eth_type_mpls(key->dl_type))) {
        p->l2_5_ofs = c.p - p->data;
        extract_mpls(&c, key);
    }
    p->l3_ofs = c.p - p->data;
    extract_l3(&c, p);
}
