/* SPDX-License-Identifier: Apache-2.0 */
#include "key_attrs.h"

#include "extract.h"
#include "headers.h"
#include "odp.h"

/* Writing: 'key' says which attributes there are, 'data' (the key itself or
 * its mask) what is in them. */
struct writer {
    const struct flow_key *key;
    const struct flow_key *mask;
    const struct flow_key *data;
    bool is_mask;
    struct nl_buf *b;
};

static void
put_metadata(const struct writer *w, uint16_t type, ovs_be32 value)
{
    nl_put_u32(w->b, type, ntohl(value));
}

static void
put_ct(const struct writer *w)
{
    const struct flow_key *d = w->data;
    const uint8_t *label = (const uint8_t *) &d->ct_label;
    uint8_t *out;

    put_metadata(w, OVS_KEY_ATTR_CT_STATE, d->ct_state);
    nl_put_u16(w->b, OVS_KEY_ATTR_CT_ZONE, ntohs(d->ct_zone));
    put_metadata(w, OVS_KEY_ATTR_CT_MARK, d->ct_mark);
    out = nl_put_unspec_uninit(w->b, OVS_KEY_ATTR_CT_LABELS, 16);
    for (int i = 0; i < 16; i++) {
        out[i] = label[15 - i];
    }
    if (!w->key->ct_nw_proto) {
        return;
    }
    if (w->key->dl_type == htons(ETH_TYPE_IP)) {
        struct ovs_key_ct_tuple_ipv4 ct;

        memset(&ct, 0, sizeof ct);
        ct.ipv4_src = d->ct_nw_src;
        ct.ipv4_dst = d->ct_nw_dst;
        ct.src_port = d->ct_tp_src;
        ct.dst_port = d->ct_tp_dst;
        ct.ipv4_proto = d->ct_nw_proto;
        nl_put_unspec(w->b, OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4, &ct, sizeof ct);
    } else if (w->key->dl_type == htons(ETH_TYPE_IPV6)) {
        struct ovs_key_ct_tuple_ipv6 ct;

        memset(&ct, 0, sizeof ct);
        memcpy(ct.ipv6_src, &d->ct_ipv6_src, sizeof ct.ipv6_src);
        memcpy(ct.ipv6_dst, &d->ct_ipv6_dst, sizeof ct.ipv6_dst);
        ct.src_port = d->ct_tp_src;
        ct.dst_port = d->ct_tp_dst;
        ct.ipv6_proto = d->ct_nw_proto;
        nl_put_unspec(w->b, OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6, &ct, sizeof ct);
    }
}

static uint8_t
frag_to_attr(const struct writer *w)
{
    uint8_t frag = w->data->nw_frag;

    if (w->is_mask) {
        return frag == NW_FRAG_MASK ? UINT8_MAX : 0;
    }
    return (!(frag & NW_FRAG_ANY) ? OVS_FRAG_TYPE_NONE
            : frag & NW_FRAG_LATER ? OVS_FRAG_TYPE_LATER
            : OVS_FRAG_TYPE_FIRST);
}

static void
put_ipv4(const struct writer *w)
{
    struct ovs_key_ipv4 k = {
        .ipv4_src = w->data->nw_src,
        .ipv4_dst = w->data->nw_dst,
        .ipv4_proto = w->data->nw_proto,
        .ipv4_tos = w->data->nw_tos,
        .ipv4_ttl = w->data->nw_ttl,
        .ipv4_frag = frag_to_attr(w),
    };

    nl_put_unspec(w->b, OVS_KEY_ATTR_IPV4, &k, sizeof k);
}

static void
put_ipv6(const struct writer *w)
{
    struct ovs_key_ipv6 k = {
        .ipv6_label = w->data->ipv6_label,
        .ipv6_proto = w->data->nw_proto,
        .ipv6_tclass = w->data->nw_tos,
        .ipv6_hlimit = w->data->nw_ttl,
        .ipv6_frag = frag_to_attr(w),
    };

    memcpy(k.ipv6_src, &w->data->ipv6_src, sizeof k.ipv6_src);
    memcpy(k.ipv6_dst, &w->data->ipv6_dst, sizeof k.ipv6_dst);
    nl_put_unspec(w->b, OVS_KEY_ATTR_IPV6, &k, sizeof k);
}

static void
put_arp(const struct writer *w)
{
    struct ovs_key_arp k;

    memset(&k, 0, sizeof k);
    k.arp_sip = w->data->nw_src;
    k.arp_tip = w->data->nw_dst;
    /* All ones in a mask are all ones of the wider member too. */
    k.arp_op = w->data->nw_proto == UINT8_MAX ? UINT16_MAX
                                              : htons(w->data->nw_proto);
    memcpy(k.arp_sha, &w->data->arp_sha, sizeof k.arp_sha);
    memcpy(k.arp_tha, &w->data->arp_tha, sizeof k.arp_tha);
    nl_put_unspec(w->b, OVS_KEY_ATTR_ARP, &k, sizeof k);
}

static void
put_mpls(const struct writer *w)
{
    const struct flow_key *k = w->key;
    unsigned int n = (k->mpls_lse0 & htonl(MPLS_BOS) ? 1
                      : k->mpls_lse1 & htonl(MPLS_BOS) ? 2 : 3);

    /* A stack cut short, with no bottom, shows what there is of it. */
    if (n == 3 && !k->mpls_lse2) {
        n = k->mpls_lse1 ? 2 : k->mpls_lse0 ? 1 : 0;
    }
    nl_put_unspec(w->b, OVS_KEY_ATTR_MPLS, &w->data->mpls_lse0, 4 * n);
}

static void
put_nsh(const struct writer *w)
{
    size_t start = nl_start_nested(w->b, OVS_KEY_ATTR_NSH);
    const struct flow_key *d = w->data;
    struct ovs_nsh_key_base base = {
        .flags = d->nsh_flags,
        .ttl = d->nsh_ttl,
        .mdtype = d->nsh_mdtype,
        .np = d->nsh_np,
        .path_hdr = d->nsh_path_hdr,
    };

    nl_put_unspec(w->b, OVS_NSH_KEY_ATTR_BASE, &base, sizeof base);
    if (w->is_mask || d->nsh_mdtype == NSH_MDTYPE1) {
        nl_put_unspec(w->b, OVS_NSH_KEY_ATTR_MD1, &d->nsh_c1, 16);
    }
    nl_end_nested(w->b, start);
}

static void
put_ports(const struct writer *w, uint16_t type)
{
    nl_put_unspec(w->b, type, &w->data->tp_src, 4);
}

static void
put_icmp(const struct writer *w, uint16_t type)
{
    uint8_t icmp[2] = { ntohs(w->data->tp_src), ntohs(w->data->tp_dst) };

    nl_put_unspec(w->b, type, icmp, sizeof icmp);
}

static void
put_nd(const struct writer *w)
{
    const struct flow_key *d = w->data;
    struct ovs_key_nd nd;

    if (w->key->tp_dst || (w->key->tp_src != htons(ND_SOLICIT)
                           && w->key->tp_src != htons(ND_ADVERT))
        || (w->is_mask && (d->tp_src != htons(0xff)
                           || d->tp_dst != htons(0xff)))) {
        return;
    }
    memcpy(nd.nd_target, &d->nd_target, sizeof nd.nd_target);
    memcpy(nd.nd_sll, &d->arp_sha, sizeof nd.nd_sll);
    memcpy(nd.nd_tll, &d->arp_tha, sizeof nd.nd_tll);
    nl_put_unspec(w->b, OVS_KEY_ATTR_ND, &nd, sizeof nd);
    if (d->igmp_group_ip4 || d->tcp_flags) {
        struct odp_key_nd_extensions ext = {
            .nd_reserved = d->igmp_group_ip4,
            .nd_options_type = ntohs(d->tcp_flags),
        };

        nl_put_unspec(w->b, ODP_KEY_ND_EXTENSIONS, &ext, sizeof ext);
    }
}

static void
put_l4(const struct writer *w)
{
    bool is_ipv6 = w->key->dl_type == htons(ETH_TYPE_IPV6);

    if (w->key->nw_frag & NW_FRAG_LATER) {
        return;
    }
    switch (w->key->nw_proto) {
    case PROTO_TCP:
        put_ports(w, OVS_KEY_ATTR_TCP);
        if (w->data->tcp_flags || (w->mask && w->mask->tcp_flags)) {
            nl_put_unspec(w->b, OVS_KEY_ATTR_TCP_FLAGS, &w->data->tcp_flags,
                          2);
        }
        break;
    case PROTO_UDP:
        put_ports(w, OVS_KEY_ATTR_UDP);
        break;
    case PROTO_SCTP:
        put_ports(w, OVS_KEY_ATTR_SCTP);
        break;
    case PROTO_ICMP:
        if (!is_ipv6) {
            put_icmp(w, OVS_KEY_ATTR_ICMP);
        }
        break;
    case PROTO_ICMPV6:
        if (is_ipv6) {
            put_icmp(w, OVS_KEY_ATTR_ICMPV6);
            put_nd(w);
        }
        break;
    }
}

static void
put_l3_onward(const struct writer *w)
{
    switch (ntohs(w->key->dl_type)) {
    case ETH_TYPE_IP:
        put_ipv4(w);
        put_l4(w);
        break;
    case ETH_TYPE_IPV6:
        put_ipv6(w);
        put_l4(w);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        put_arp(w);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        put_mpls(w);
        break;
    case ETH_TYPE_NSH:
        put_nsh(w);
        break;
    }
}

/* Writes the Ethertype and all that is behind it.
 *
 *     key      mask    matches
 *    -------  ------  -----------------------------------------
 *    > 0x5ff  0xffff  this Ethertype
 *    > 0x5ff  0       any frame
 *    none     0xffff  any frame without Ethertype */
static void
put_type_onward(const struct writer *w)
{
    if (ntohs(w->key->dl_type) < ETH_TYPE_MIN) {
        if (w->is_mask) {
            nl_put_u16(w->b, OVS_KEY_ATTR_ETHERTYPE, UINT16_MAX);
        }
        return;
    }
    nl_put_u16(w->b, OVS_KEY_ATTR_ETHERTYPE, w->data->dl_type);
    if (!eth_type_vlan(w->key->dl_type)) {
        put_l3_onward(w);
    }
}

/* Writes VLAN header 'i' and what it encapsulates. */
static void
put_vlan_onward(const struct writer *w, uint32_t i)
{
    const ovs_be16 *key = &w->key->vlan_tpid0 + 2 * i;
    const ovs_be16 *data = &w->data->vlan_tpid0 + 2 * i;
    bool truncated;
    size_t start;

    if (i == atomic_load_explicit(&flow_vlan_limit, memory_order_relaxed)
        || (!key[1] && !eth_type_vlan(w->key->dl_type))) {
        put_type_onward(w);
        return;
    }
    truncated = !key[1];        /* Then the type is in dl_type. */
    nl_put_u16(w->b, OVS_KEY_ATTR_ETHERTYPE,
               w->is_mask ? UINT16_MAX : truncated ? w->key->dl_type : key[0]);
    nl_put_u16(w->b, OVS_KEY_ATTR_VLAN, data[1]);
    start = nl_start_nested(w->b, OVS_KEY_ATTR_ENCAP);
    if (!truncated) {
        put_vlan_onward(w, i + 1);
    }
    nl_end_nested(w->b, start);
}

static void
put_all(const struct writer *w)
{
    const struct flow_key *d = w->data;

    put_metadata(w, OVS_KEY_ATTR_PRIORITY, d->skb_priority);
    if (w->is_mask || key_has_tunnel(w->key)) {
        tunnel_to_attrs(d, w->b);
    }
    put_metadata(w, OVS_KEY_ATTR_SKB_MARK, d->pkt_mark);
    put_ct(w);
    put_metadata(w, OVS_KEY_ATTR_RECIRC_ID, d->recirc_id);
    put_metadata(w, OVS_KEY_ATTR_DP_HASH, d->dp_hash);
    if (w->is_mask || w->key->in_port != htonl(ODPP_NONE)) {
        put_metadata(w, OVS_KEY_ATTR_IN_PORT, d->in_port);
    }
    nl_put_u32(w->b, ODP_KEY_PACKET_TYPE, d->packet_type);
    if (w->key->packet_type == htonl(PT_ETH)) {
        struct ovs_key_ethernet eth;

        memcpy(eth.eth_src, &d->dl_src, sizeof eth.eth_src);
        memcpy(eth.eth_dst, &d->dl_dst, sizeof eth.eth_dst);
        nl_put_unspec(w->b, OVS_KEY_ATTR_ETHERNET, &eth, sizeof eth);
        put_vlan_onward(w, 0);
    } else {
        put_type_onward(w);
    }
}

/* Writes 'key'. */
void
key_to_attrs(const struct flow_key *key, struct nl_buf *b)
{
    struct writer w = { key, NULL, key, false, b };

    put_all(&w);
}

/* Writes 'mask', which goes with 'key'. */
void
mask_to_attrs(const struct flow_key *key, const struct flow_key *mask,
              struct nl_buf *b)
{
    struct writer w = { key, mask, mask, true, b };

    put_all(&w);
}

#define EXACT(MEMBER) memset(&mask->MEMBER, 0xff, sizeof mask->MEMBER)

static void
exact_tunnel(const struct flow_key *key, struct flow_key *mask)
{
    if (!key_has_tunnel(key)) {
        if (key->tun_id) {
            EXACT(tun_id);
        }
        return;
    }
    memset((uint8_t *) mask + offsetof(struct flow_key, tun_id), 0xff,
           offsetof(struct flow_key, tun_metadata_len)
           - offsetof(struct flow_key, tun_id));
    if (!(key->tun_flags & htons(TUN_F_KEY))) {
        mask->tun_id = 0;
    }
    EXACT(tun_metadata_len);
    memset(mask->tun_metadata, 0xff, key->tun_metadata_len);
}

static void
exact_ip(const struct flow_key *key, struct flow_key *mask)
{
    mask->nw_frag = NW_FRAG_MASK;
    EXACT(nw_tos);
    EXACT(nw_ttl);
    EXACT(nw_proto);
    EXACT(ct_nw_proto);
    EXACT(ct_tp_src);
    EXACT(ct_tp_dst);
    if (key->nw_frag & NW_FRAG_LATER) {
        return;
    }
    switch (key->nw_proto) {
    case PROTO_TCP:
        EXACT(tcp_flags);
        EXACT(tp_src);
        EXACT(tp_dst);
        break;
    case PROTO_UDP:
    case PROTO_SCTP:
        EXACT(tp_src);
        EXACT(tp_dst);
        break;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        /* Type and code have 8 bits, and so has an exact match on them. */
        mask->tp_src = mask->tp_dst = htons(0xff);
        break;
    }
}

static void
exact_mpls(const struct flow_key *key, struct flow_key *mask)
{
    EXACT(mpls_lse0);
    if (!(key->mpls_lse0 & htonl(MPLS_BOS))) {
        EXACT(mpls_lse1);
        if (!(key->mpls_lse1 & htonl(MPLS_BOS))) {
            EXACT(mpls_lse2);
        }
    }
}

static void
exact_l3_onward(const struct flow_key *key, struct flow_key *mask)
{
    switch (ntohs(key->dl_type)) {
    case ETH_TYPE_IP:
        EXACT(nw_src);
        EXACT(nw_dst);
        EXACT(ct_nw_src);
        EXACT(ct_nw_dst);
        exact_ip(key, mask);
        break;
    case ETH_TYPE_IPV6:
        EXACT(ipv6_src);
        EXACT(ipv6_dst);
        EXACT(ipv6_label);
        if (key->nw_proto == PROTO_ICMPV6 && !key->tp_dst
            && (key->tp_src == htons(ND_SOLICIT)
                || key->tp_src == htons(ND_ADVERT))) {
            EXACT(arp_sha);
            EXACT(arp_tha);
            EXACT(nd_target);
        } else {
            EXACT(ct_ipv6_src);
            EXACT(ct_ipv6_dst);
        }
        exact_ip(key, mask);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        EXACT(nw_src);
        EXACT(nw_dst);
        EXACT(nw_proto);
        EXACT(arp_sha);
        EXACT(arp_tha);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        exact_mpls(key, mask);
        break;
    case ETH_TYPE_NSH:
        memset(&mask->nsh_flags, 0xff, 24);
        break;
    }
}

/* The bits of ct_state that have a meaning (OVS_CS_F_*). */
#define CT_STATE_KNOWN 0xff

/* Makes 'mask' match all that a packet with 'key' has, and that attributes can
 * say: IGMP's fields, for one, have none. */
void
key_exact_mask(const struct flow_key *key, struct flow_key *mask)
{
    memset(mask, 0, sizeof *mask);
    exact_tunnel(key, mask);
    EXACT(skb_priority);
    EXACT(pkt_mark);
    mask->ct_state = htonl(CT_STATE_KNOWN);
    EXACT(ct_zone);
    EXACT(ct_mark);
    EXACT(ct_label);
    EXACT(recirc_id);
    EXACT(dp_hash);
    EXACT(in_port);
    EXACT(packet_type);
    if (key->packet_type == htonl(PT_ETH)) {
        EXACT(dl_dst);
        EXACT(dl_src);
        EXACT(dl_type);
        EXACT(vlan_tpid0);
        EXACT(vlan_tci0);
        if (key->vlan_tci0) {
            EXACT(vlan_tpid1);
            EXACT(vlan_tci1);
        }
    }
    exact_l3_onward(key, mask);
}
