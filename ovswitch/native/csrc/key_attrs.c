/* SPDX-License-Identifier: Apache-2.0 */
#include "key_attrs.h"

#include <errno.h>

#include "attr_set.h"
#include "extract.h"
#include "headers.h"
#include "odp.h"

#define ANY_SIZE (-1)

/* Content sizes of key attributes. */
static const int16_t attr_sizes[ODP_KEY_MAX + 1] = {
    [OVS_KEY_ATTR_UNSPEC] = ANY_SIZE,
    [OVS_KEY_ATTR_ENCAP] = ANY_SIZE,
    [OVS_KEY_ATTR_PRIORITY] = 4,
    [OVS_KEY_ATTR_IN_PORT] = 4,
    [OVS_KEY_ATTR_ETHERNET] = sizeof(struct ovs_key_ethernet),
    [OVS_KEY_ATTR_VLAN] = 2,
    [OVS_KEY_ATTR_ETHERTYPE] = 2,
    [OVS_KEY_ATTR_IPV4] = sizeof(struct ovs_key_ipv4),
    [OVS_KEY_ATTR_IPV6] = sizeof(struct ovs_key_ipv6),
    [OVS_KEY_ATTR_TCP] = sizeof(struct ovs_key_tcp),
    [OVS_KEY_ATTR_UDP] = sizeof(struct ovs_key_udp),
    [OVS_KEY_ATTR_ICMP] = sizeof(struct ovs_key_icmp),
    [OVS_KEY_ATTR_ICMPV6] = sizeof(struct ovs_key_icmpv6),
    [OVS_KEY_ATTR_ARP] = sizeof(struct ovs_key_arp),
    [OVS_KEY_ATTR_ND] = sizeof(struct ovs_key_nd),
    [OVS_KEY_ATTR_SKB_MARK] = 4,
    [OVS_KEY_ATTR_TUNNEL] = ANY_SIZE,
    [OVS_KEY_ATTR_SCTP] = sizeof(struct ovs_key_sctp),
    [OVS_KEY_ATTR_TCP_FLAGS] = 2,
    [OVS_KEY_ATTR_DP_HASH] = 4,
    [OVS_KEY_ATTR_RECIRC_ID] = 4,
    [OVS_KEY_ATTR_MPLS] = ANY_SIZE,
    [OVS_KEY_ATTR_CT_STATE] = 4,
    [OVS_KEY_ATTR_CT_ZONE] = 2,
    [OVS_KEY_ATTR_CT_MARK] = 4,
    [OVS_KEY_ATTR_CT_LABELS] = 16,
    [OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4] = sizeof(struct ovs_key_ct_tuple_ipv4),
    [OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6] = sizeof(struct ovs_key_ct_tuple_ipv6),
    [OVS_KEY_ATTR_NSH] = ANY_SIZE,
    [ODP_KEY_PACKET_TYPE] = 4,
    [ODP_KEY_ND_EXTENSIONS] = sizeof(struct odp_key_nd_extensions),
};

/* Metadata of four octets in host order, which the key has in network
 * order. */
static const struct metadatum {
    uint16_t type;
    uint16_t ofs;
} metadata[] = {
    { OVS_KEY_ATTR_PRIORITY, offsetof(struct flow_key, skb_priority) },
    { OVS_KEY_ATTR_SKB_MARK, offsetof(struct flow_key, pkt_mark) },
    { OVS_KEY_ATTR_CT_STATE, offsetof(struct flow_key, ct_state) },
    { OVS_KEY_ATTR_CT_MARK, offsetof(struct flow_key, ct_mark) },
    { OVS_KEY_ATTR_RECIRC_ID, offsetof(struct flow_key, recirc_id) },
    { OVS_KEY_ATTR_DP_HASH, offsetof(struct flow_key, dp_hash) },
    { OVS_KEY_ATTR_IN_PORT, offsetof(struct flow_key, in_port) },
};

static int
attr_set_init(struct attr_set *s, const void *p, size_t size, bool is_mask)
{
    const struct nlattr *a;
    size_t left;

    s->present = s->used = 0;
    s->is_mask = is_mask;
    NL_FOR_EACH (a, left, p, size) {
        uint16_t type = nl_type(a);

        if (type > ODP_KEY_MAX) {
            continue;
        }
        if ((attr_sizes[type] != ANY_SIZE
             && nl_size(a) != (size_t) attr_sizes[type])
            || s->present & BIT(type)) {
            return -EINVAL;
        }
        s->present |= BIT(type);
        s->attrs[type] = a;
    }
    return left ? -EINVAL : 0;
}

static bool
all_used(const struct attr_set *s)
{
    return !(s->present & ~s->used);
}

static void
ct_tuple_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    const struct ovs_key_ct_tuple_ipv4 *v4;
    const struct ovs_key_ct_tuple_ipv6 *v6;

    v4 = use(s, OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV4);
    if (v4) {
        dst->ct_nw_src = v4->ipv4_src;
        dst->ct_nw_dst = v4->ipv4_dst;
        dst->ct_nw_proto = v4->ipv4_proto;
        dst->ct_tp_src = v4->src_port;
        dst->ct_tp_dst = v4->dst_port;
    }
    v6 = use(s, OVS_KEY_ATTR_CT_ORIG_TUPLE_IPV6);
    if (v6) {
        memcpy(&dst->ct_ipv6_src, v6->ipv6_src, sizeof dst->ct_ipv6_src);
        memcpy(&dst->ct_ipv6_dst, v6->ipv6_dst, sizeof dst->ct_ipv6_dst);
        dst->ct_nw_proto = v6->ipv6_proto;
        dst->ct_tp_src = v6->src_port;
        dst->ct_tp_dst = v6->dst_port;
    }
}

/* Labels are one number of 128 bits: little-endian in the attribute. */
static void
copy_ct_label(void *dst_, const void *src_)
{
    const uint8_t *src = src_;
    uint8_t *dst = dst_;

    for (int i = 0; i < 16; i++) {
        dst[i] = src[15 - i];
    }
}

static int
metadata_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    const void *content;

    if (s->is_mask) {
        dst->recirc_id = UINT32_MAX;
    } else {
        dst->in_port = htonl(ODPP_NONE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(metadata); i++) {
        content = use(s, metadata[i].type);
        if (content) {
            put_u32((uint8_t *) dst + metadata[i].ofs,
                    htonl(get_u32(content)));
        }
    }
    content = use(s, OVS_KEY_ATTR_CT_ZONE);
    if (content) {
        dst->ct_zone = htons(get_u16(content));
    }
    content = use(s, OVS_KEY_ATTR_CT_LABELS);
    if (content) {
        copy_ct_label(&dst->ct_label, content);
    }
    ct_tuple_from_attrs(s, dst);
    if (use(s, OVS_KEY_ATTR_TUNNEL)) {
        return tunnel_from_attrs(s->attrs[OVS_KEY_ATTR_TUNNEL], dst);
    }
    return 0;
}

/* Reads the Ethertype, or the conventions that stand for one. */
static int
ethertype_from_attrs(struct attr_set *s, const struct flow_key *key,
                     struct flow_key *dst)
{
    const void *content = use(s, OVS_KEY_ATTR_ETHERTYPE);
    bool untyped = ntohs(key->dl_type) < ETH_TYPE_MIN;

    if (content) {
        dst->dl_type = get_u16(content);
        return (s->is_mask ? untyped && dst->dl_type != UINT16_MAX
                : ntohs(dst->dl_type) < ETH_TYPE_MIN) ? -EINVAL : 0;
    } else if (s->is_mask) {
        if (key->packet_type != htonl(PT_ETH)) {
            dst->dl_type = UINT16_MAX;
        } else if (untyped) {
            return -EINVAL;
        }
    } else {
        dst->dl_type = htons(has(s, OVS_KEY_ATTR_IPV4) ? ETH_TYPE_IP
                             : has(s, OVS_KEY_ATTR_IPV6) ? ETH_TYPE_IPV6
                             : has(s, OVS_KEY_ATTR_MPLS) ? ETH_TYPE_MPLS
                             : DL_TYPE_NONE);
    }
    return 0;
}

/* Reads VLAN headers from 's', as many as there are, and what is inside. */
static int
vlans_onward_from_attrs(struct attr_set *s, const struct flow_key *key,
                        struct flow_key *dst)
{
    ovs_be16 *tags[] = { &dst->vlan_tpid0, &dst->vlan_tpid1 };
    const ovs_be16 *key_tags[] = { &key->vlan_tpid0, &key->vlan_tpid1 };
    uint32_t limit = atomic_load_explicit(&flow_vlan_limit,
                                          memory_order_relaxed);
    int error;

    for (size_t i = 0; i < limit; i++) {
        const void *tci, *encap;

        if (s->is_mask ? !(key_tags[i][1] & htons(VLAN_CFI))
            : !eth_type_vlan(dst->dl_type)) {
            break;
        }
        tci = use(s, OVS_KEY_ATTR_VLAN);
        encap = use(s, OVS_KEY_ATTR_ENCAP);
        tags[i][0] = dst->dl_type;
        tags[i][1] = tci ? get_u16(tci) : 0;
        if (!all_used(s) || (!s->is_mask && (!tci || !encap))) {
            return -EINVAL;
        }
        if (!s->is_mask && !tags[i][1]) {
            /* The VLAN header was cut short: the type is all there is. */
            tags[i][0] = 0;
            return nl_size(s->attrs[OVS_KEY_ATTR_ENCAP]) ? -EINVAL : 0;
        } else if (!s->is_mask && !(tags[i][1] & htons(VLAN_CFI))) {
            return -EINVAL;
        }
        dst->dl_type = 0;
        if (!encap) {
            return 0;
        }
        error = attr_set_init(s, encap,
                              nl_size(s->attrs[OVS_KEY_ATTR_ENCAP]),
                              s->is_mask);
        if (!error) {
            error = ethertype_from_attrs(s, key, dst);
        }
        if (error) {
            return error;
        }
    }
    error = headers_from_attrs(s, key, dst);
    return error ? error : all_used(s) ? 0 : -EINVAL;
}

static int
from_attrs(const void *p, size_t size, const struct flow_key *key,
           struct flow_key *dst, bool is_mask)
{
    struct attr_set s;
    const void *content;
    int error;

    memset(dst, 0, sizeof *dst);
    error = attr_set_init(&s, p, size, is_mask);
    if (!error) {
        error = metadata_from_attrs(&s, dst);
    }
    if (error) {
        return error;
    }

    content = use(&s, ODP_KEY_PACKET_TYPE);
    if (content) {
        dst->packet_type = get_u32(content);
        if (ntohl(key->packet_type) >> 16 == PT_NS_ETHERTYPE) {
            dst->dl_type = htons(ntohl(dst->packet_type) & 0xffff);
        }
    }
    content = use(&s, OVS_KEY_ATTR_ETHERNET);
    if (content) {
        const struct ovs_key_ethernet *eth = content;

        memcpy(&dst->dl_src, eth->eth_src, sizeof dst->dl_src);
        memcpy(&dst->dl_dst, eth->eth_dst, sizeof dst->dl_dst);
        if (!is_mask) {
            dst->packet_type = htonl(PT_ETH);
        }
    } else if (has(&s, OVS_KEY_ATTR_ETHERTYPE) && !is_mask) {
        uint16_t type = ntohs(nl_u16(s.attrs[OVS_KEY_ATTR_ETHERTYPE]));

        dst->packet_type = htonl((uint32_t) PT_NS_ETHERTYPE << 16 | type);
    }
    error = ethertype_from_attrs(&s, key, dst);
    if (error) {
        return error;
    }
    if (is_mask && !(key->vlan_tci0 & htons(VLAN_CFI))) {
        /* No VLAN in the mask means: match that there is none. */
        content = use(&s, OVS_KEY_ATTR_VLAN);
        dst->vlan_tpid0 = UINT16_MAX;
        dst->vlan_tci0 = content ? get_u16(content) : UINT16_MAX;
        if (eth_type_vlan(key->dl_type)) {
            use(&s, OVS_KEY_ATTR_ENCAP);
        }
    }
    return vlans_onward_from_attrs(&s, key, dst);
}

/* Reads a key. */
int
key_from_attrs(const void *p, size_t size, struct flow_key *key)
{
    return from_attrs(p, size, key, key, false);
}

/* Reads the mask that goes with 'key'; no attributes at all make an exact
 * match. */
int
mask_from_attrs(const void *p, size_t size, const struct flow_key *key,
                struct flow_key *mask)
{
    if (!size) {
        key_exact_mask(key, mask);
        return 0;
    }
    return from_attrs(p, size, key, mask, true);
}

/* Reads only what describes a packet beside its octets, into a key that is
 * otherwise zeros; the attributes may tell more. */
int
key_metadata_from_attrs(const void *p, size_t size, struct flow_key *key)
{
    struct attr_set s;
    const void *content;
    int error = attr_set_init(&s, p, size, false);

    if (!error) {
        error = metadata_from_attrs(&s, key);
    }
    if (error) {
        return error;
    }
    content = use(&s, ODP_KEY_PACKET_TYPE);
    if (content) {
        key->packet_type = get_u32(content);
    }
    return 0;
}
