/* SPDX-License-Identifier: Apache-2.0 */
#include "encap.h"

#include <errno.h>

#include "extract.h"
#include "headers.h"
#include "netlink.h"
#include "odp.h"

static ovs_be32
packet_type(uint16_t ethertype)
{
    return htonl((uint32_t) PT_NS_ETHERTYPE << 16 | ethertype);
}

static bool
is_ethernet(const struct packet *p)
{
    return p->key.packet_type == htonl(PT_ETH) && p->size >= ETH_HEADER_LEN;
}

bool
push_vlan(struct packet *p, struct packet_arena *arena, ovs_be16 tpid,
          ovs_be16 tci)
{
    struct eth_header *eth;
    struct vlan_header *vlan;

    if (!is_ethernet(p)) {
        return true;
    } else if (!packet_push(p, arena, VLAN_HEADER_LEN)) {
        return false;
    }
    memmove(p->data, p->data + VLAN_HEADER_LEN, 2 * sizeof(struct eth_addr));
    eth = (void *) p->data;
    vlan = (void *) (eth + 1);
    eth->type = tpid;
    vlan->tci = tci & htons(~VLAN_CFI);
    return true;
}

bool
pop_vlan(struct packet *p, struct packet_arena *arena)
{
    const struct eth_header *eth = (const void *) p->data;

    if (!is_ethernet(p) || !eth_type_vlan(eth->type)
        || p->size < ETH_HEADER_LEN + VLAN_HEADER_LEN) {
        return true;
    } else if (!packet_own(p, arena)) {
        return false;
    }
    memmove(p->data + VLAN_HEADER_LEN, p->data, 2 * sizeof(struct eth_addr));
    packet_pull(p, VLAN_HEADER_LEN);
    return true;
}

/* Inserts 'lse' at 'ofs'; the frame's type before it becomes 'ethertype'. */
static bool
insert_mpls(struct packet *p, struct packet_arena *arena, uint16_t ofs,
            ovs_be16 ethertype, ovs_be32 lse)
{
    if (!packet_push(p, arena, MPLS_HEADER_LEN)) {
        return false;
    }
    memmove(p->data, p->data + MPLS_HEADER_LEN, ofs);
    put_u32(p->data + ofs, lse);
    if (p->key.packet_type == htonl(PT_ETH)) {
        put_u16(p->data + ofs - 2, ethertype);
    } else {
        p->key.packet_type = packet_type(ntohs(ethertype));
    }
    flow_extract(p);
    return true;
}

/* Pushes before the outermost label, or where layer 3 starts. */
bool
push_mpls(struct packet *p, struct packet_arena *arena, ovs_be16 ethertype,
          ovs_be32 lse)
{
    uint16_t ofs = p->l2_5_ofs != NO_OFS ? p->l2_5_ofs : p->l3_ofs;

    if (ofs == NO_OFS || !eth_type_mpls(ethertype)) {
        return true;
    }
    return insert_mpls(p, arena, ofs, ethertype, lse);
}

/* Pushes before everything: the packet becomes one of type MPLS. */
bool
add_mpls(struct packet *p, struct packet_arena *arena, ovs_be16 ethertype,
         ovs_be32 lse)
{
    if (!eth_type_mpls(ethertype)) {
        return true;
    }
    p->key.packet_type = packet_type(ntohs(ethertype));
    return insert_mpls(p, arena, 0, ethertype, lse);
}

bool
pop_mpls(struct packet *p, struct packet_arena *arena, ovs_be16 ethertype)
{
    uint16_t ofs = p->l2_5_ofs;

    if (ofs == NO_OFS || p->size < (uint32_t) ofs + MPLS_HEADER_LEN) {
        return true;
    } else if (!packet_own(p, arena)) {
        return false;
    }
    memmove(p->data + MPLS_HEADER_LEN, p->data, ofs);
    packet_pull(p, MPLS_HEADER_LEN);
    if (ofs) {
        put_u16(p->data + ofs - 2, ethertype);
    } else {
        p->key.packet_type = (ethertype == htons(ETH_TYPE_TEB)
                              ? htonl(PT_ETH)
                              : packet_type(ntohs(ethertype)));
    }
    flow_extract(p);
    return true;
}

bool
push_eth(struct packet *p, struct packet_arena *arena,
         const struct eth_addr *src, const struct eth_addr *dst)
{
    ovs_be16 ethertype = htons(ntohl(p->key.packet_type) & 0xffff);
    struct eth_header *eth;

    if (!packet_push(p, arena, ETH_HEADER_LEN)) {
        return false;
    }
    eth = (void *) p->data;
    eth->dst = *dst;
    eth->src = *src;
    eth->type = ethertype;
    p->key.packet_type = htonl(PT_ETH);
    flow_extract(p);
    return true;
}

bool
pop_eth(struct packet *p)
{
    uint16_t size = p->l2_5_ofs != NO_OFS ? p->l2_5_ofs : p->l3_ofs;

    if (p->key.packet_type != htonl(PT_ETH) || size == NO_OFS || size < 2) {
        return true;
    }
    p->key.packet_type = packet_type(ntohs(get_u16(p->data + size - 2)));
    packet_pull(p, size);
    flow_extract(p);
    return true;
}

/* Checks the argument of push_nsh, an OVS_KEY_ATTR_NSH whose nested attributes
 * make up one header. */
int
push_nsh_check(const struct nlattr *nested)
{
    static const struct nl_policy policy[] = {
        [OVS_NSH_KEY_ATTR_BASE] = NL_EXACT(sizeof(struct ovs_nsh_key_base)),
        [OVS_NSH_KEY_ATTR_MD1] = NL_EXACT(sizeof(struct ovs_nsh_key_md1)),
        [OVS_NSH_KEY_ATTR_MD2] = { 1, NSH_MAX_LEN - NSH_BASE_LEN - 4 },
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ovs_nsh_key_base *base;

    if (nl_type(nested) != OVS_KEY_ATTR_NSH
        || nl_parse(nl_data(nested), nl_size(nested), policy, attrs,
                    ARRAY_SIZE(policy))
        || !attrs[OVS_NSH_KEY_ATTR_BASE]) {
        return -EINVAL;
    }
    base = nl_data(attrs[OVS_NSH_KEY_ATTR_BASE]);
    if (base->mdtype == NSH_MDTYPE1) {
        return attrs[OVS_NSH_KEY_ATTR_MD1] ? 0 : -EINVAL;
    }
    return base->mdtype == NSH_MDTYPE2 ? 0 : -EINVAL;
}

static uint8_t
nsh_next_protocol(const struct packet *p)
{
    uint32_t type = ntohl(p->key.packet_type);

    switch (type & 0xffff) {
    case ETH_TYPE_IP:
        return NSH_NP_IPV4;
    case ETH_TYPE_IPV6:
        return NSH_NP_IPV6;
    case ETH_TYPE_NSH:
        return NSH_NP_NSH;
    default:
        return type == PT_ETH ? NSH_NP_ETHERNET : 0;
    }
}

bool
push_nsh(struct packet *p, struct packet_arena *arena,
         const struct nlattr *nested)
{
    uint8_t header[NSH_MAX_LEN] = { 0 };
    struct nsh_header *nsh = (void *) header;
    uint8_t np = nsh_next_protocol(p);
    uint8_t flags = 0, ttl = 0;
    const struct nlattr *a;
    uint32_t size = NSH_BASE_LEN;
    size_t left;

    if (!np) {
        return false;
    }
    NL_FOR_EACH (a, left, nl_data(nested), nl_size(nested)) {
        const struct ovs_nsh_key_base *base = nl_data(a);

        switch (nl_type(a)) {
        case OVS_NSH_KEY_ATTR_BASE:
            flags = base->flags;
            ttl = base->ttl;
            nsh->mdtype = base->mdtype;
            nsh->path_hdr = base->path_hdr;
            break;
        case OVS_NSH_KEY_ATTR_MD1:
        case OVS_NSH_KEY_ATTR_MD2:
            size = ROUND_UP(NSH_BASE_LEN + nl_size(a), 4);
            memcpy(header + NSH_BASE_LEN, nl_data(a), nl_size(a));
            break;
        }
    }
    nsh->np = np;
    nsh->ver_flags_ttl_len = htons((flags & 3) << 12 | (ttl & 0x3f) << 6
                                   | size / 4);
    if (!packet_push(p, arena, size)) {
        return false;
    }
    memcpy(p->data, header, size);
    p->key.packet_type = packet_type(ETH_TYPE_NSH);
    flow_extract(p);
    return true;
}

bool
pop_nsh(struct packet *p)
{
    const struct nsh_header *nsh = (const void *) packet_at(p, p->l3_ofs);
    ovs_be32 type;
    uint32_t size;

    if (p->key.dl_type != htons(ETH_TYPE_NSH) || !nsh
        || p->size < p->l3_ofs + NSH_BASE_LEN) {
        return false;
    }
    switch (nsh->np) {
    case NSH_NP_ETHERNET:
        type = htonl(PT_ETH);
        break;
    case NSH_NP_IPV4:
        type = packet_type(ETH_TYPE_IP);
        break;
    case NSH_NP_IPV6:
        type = packet_type(ETH_TYPE_IPV6);
        break;
    case NSH_NP_NSH:
        type = packet_type(ETH_TYPE_NSH);
        break;
    default:
        return false;
    }
    size = p->l3_ofs + nsh_size(nsh);
    if (size > p->size) {
        return false;
    }
    packet_pull(p, size);
    p->key.packet_type = type;
    flow_extract(p);
    return true;
}
