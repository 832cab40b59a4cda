/* SPDX-License-Identifier: Apache-2.0 */
#include "attr_set.h"
#include "extract.h"
#include "headers.h"
#include "key_attrs.h"

/* Key attributes of MPLS, NSH, layers 3 and 4: 's' has them, 'dst' (a key, or
 * the mask of 'key') takes what they say. */

static int
mpls_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    ovs_be32 *lses[] = { &dst->mpls_lse0, &dst->mpls_lse1, &dst->mpls_lse2 };
    int error = 0;
    const uint8_t *p = require(s, OVS_KEY_ATTR_MPLS, &error);
    size_t n;

    if (!p) {
        return error;
    }
    n = nl_size(s->attrs[OVS_KEY_ATTR_MPLS]) / 4;
    if (!n || n > ARRAY_SIZE(lses)
        || nl_size(s->attrs[OVS_KEY_ATTR_MPLS]) % 4) {
        return -EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        bool bos;

        *lses[i] = get_u32(p + 4 * i);
        bos = *lses[i] & htonl(MPLS_BOS);
        if (!s->is_mask && bos != (i == n - 1) && (bos || n < 3)) {
            return -EINVAL;
        }
    }
    return 0;
}

static int
nsh_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    static const struct nl_policy policy[] = {
        [OVS_NSH_KEY_ATTR_BASE] = NL_EXACT(sizeof(struct ovs_nsh_key_base)),
        [OVS_NSH_KEY_ATTR_MD1] = NL_EXACT(sizeof(struct ovs_nsh_key_md1)),
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ovs_nsh_key_base *base;
    int error = 0;
    const void *content = require(s, OVS_KEY_ATTR_NSH, &error);

    if (!content) {
        return error;
    }
    if (nl_parse(content, nl_size(s->attrs[OVS_KEY_ATTR_NSH]), policy, attrs,
                 ARRAY_SIZE(policy))) {
        return -EINVAL;
    }
    if (attrs[OVS_NSH_KEY_ATTR_BASE]) {
        base = nl_data(attrs[OVS_NSH_KEY_ATTR_BASE]);
        dst->nsh_flags = base->flags;
        dst->nsh_ttl = base->ttl;
        dst->nsh_mdtype = base->mdtype;
        dst->nsh_np = base->np;
        dst->nsh_path_hdr = base->path_hdr;
    }
    if (attrs[OVS_NSH_KEY_ATTR_MD1]) {
        memcpy(&dst->nsh_c1, nl_data(attrs[OVS_NSH_KEY_ATTR_MD1]), 16);
        if (!s->is_mask && dst->nsh_mdtype != NSH_MDTYPE1) {
            return -EINVAL;
        }
    }
    return 0;
}

static bool
frag_from_attr(uint8_t frag, bool is_mask, uint8_t *nw_frag)
{
    if (is_mask) {
        *nw_frag = frag ? NW_FRAG_MASK : 0;
        return true;
    }
    *nw_frag = (frag == OVS_FRAG_TYPE_NONE ? 0
                : frag == OVS_FRAG_TYPE_FIRST ? NW_FRAG_ANY
                : NW_FRAG_ANY | NW_FRAG_LATER);
    return frag <= OVS_FRAG_TYPE_LATER;
}

static int
ipv4_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    int error = 0;
    const struct ovs_key_ipv4 *k = require(s, OVS_KEY_ATTR_IPV4, &error);

    if (k) {
        dst->nw_src = k->ipv4_src;
        dst->nw_dst = k->ipv4_dst;
        dst->nw_proto = k->ipv4_proto;
        dst->nw_tos = k->ipv4_tos;
        dst->nw_ttl = k->ipv4_ttl;
        if (!frag_from_attr(k->ipv4_frag, s->is_mask, &dst->nw_frag)) {
            return -EINVAL;
        }
    }
    return error;
}

static int
ipv6_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    int error = 0;
    const struct ovs_key_ipv6 *k = require(s, OVS_KEY_ATTR_IPV6, &error);

    if (k) {
        memcpy(&dst->ipv6_src, k->ipv6_src, sizeof dst->ipv6_src);
        memcpy(&dst->ipv6_dst, k->ipv6_dst, sizeof dst->ipv6_dst);
        dst->ipv6_label = k->ipv6_label;
        dst->nw_proto = k->ipv6_proto;
        dst->nw_tos = k->ipv6_tclass;
        dst->nw_ttl = k->ipv6_hlimit;
        if (!frag_from_attr(k->ipv6_frag, s->is_mask, &dst->nw_frag)) {
            return -EINVAL;
        }
    }
    return error;
}

static int
arp_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    int error = 0;
    const struct ovs_key_arp *k = require(s, OVS_KEY_ATTR_ARP, &error);

    if (k) {
        if (!s->is_mask && ntohs(k->arp_op) > 0xff) {
            return -EINVAL;
        }
        dst->nw_src = k->arp_sip;
        dst->nw_dst = k->arp_tip;
        dst->nw_proto = ntohs(k->arp_op);
        memcpy(&dst->arp_sha, k->arp_sha, sizeof dst->arp_sha);
        memcpy(&dst->arp_tha, k->arp_tha, sizeof dst->arp_tha);
    }
    return error;
}

static bool
key_is_nd(const struct flow_key *key)
{
    return key->dl_type == htons(ETH_TYPE_IPV6)
           && key->nw_proto == PROTO_ICMPV6 && key->tp_dst == 0
           && (key->tp_src == htons(ND_SOLICIT)
               || key->tp_src == htons(ND_ADVERT));
}

/* Neighbour discovery can be matched only along with its exact type and
 * code. */
static bool
nd_allowed(const struct attr_set *s, const struct flow_key *dst,
           const void *content, size_t size)
{
    static const uint8_t zeros[sizeof(struct ovs_key_nd)];

    return !s->is_mask || !memcmp(content, zeros, size)
           || (dst->tp_src == htons(0xff) && dst->tp_dst == htons(0xff));
}

static int
nd_from_attrs(struct attr_set *s, struct flow_key *dst)
{
    int error = 0;
    const struct ovs_key_nd *nd = require(s, OVS_KEY_ATTR_ND, &error);
    const struct odp_key_nd_extensions *ext = use(s, ODP_KEY_ND_EXTENSIONS);

    if (nd) {
        memcpy(&dst->nd_target, nd->nd_target, sizeof dst->nd_target);
        memcpy(&dst->arp_sha, nd->nd_sll, sizeof dst->arp_sha);
        memcpy(&dst->arp_tha, nd->nd_tll, sizeof dst->arp_tha);
        if (!nd_allowed(s, dst, nd, sizeof *nd)) {
            return -EINVAL;
        }
    }
    if (ext) {
        dst->igmp_group_ip4 = ext->nd_reserved;
        dst->tcp_flags = htons(ext->nd_options_type);
        if (!nd_allowed(s, dst, ext, 5)) {
            return -EINVAL;
        }
    }
    return error;
}

static int
ports_from_attrs(struct attr_set *s, uint16_t type, struct flow_key *dst)
{
    int error = 0;
    const uint8_t *ports = require(s, type, &error);

    if (ports) {
        dst->tp_src = get_u16(ports);
        dst->tp_dst = get_u16(ports + 2);
    }
    return error;
}

static int
icmp_from_attrs(struct attr_set *s, uint16_t type, struct flow_key *dst)
{
    int error = 0;
    const uint8_t *icmp = require(s, type, &error);

    if (icmp) {
        dst->tp_src = htons(icmp[0]);
        dst->tp_dst = htons(icmp[1]);
    }
    return error;
}

static int
l4_from_attrs(struct attr_set *s, const struct flow_key *key,
              struct flow_key *dst)
{
    bool is_ipv6 = key->dl_type == htons(ETH_TYPE_IPV6);
    const void *content;
    int error = 0;

    if (key->nw_frag & NW_FRAG_LATER) {
        return 0;
    }
    switch (key->nw_proto) {
    case PROTO_TCP:
        error = ports_from_attrs(s, OVS_KEY_ATTR_TCP, dst);
        content = use(s, OVS_KEY_ATTR_TCP_FLAGS);
        if (content) {
            dst->tcp_flags = get_u16(content);
        }
        break;
    case PROTO_UDP:
        error = ports_from_attrs(s, OVS_KEY_ATTR_UDP, dst);
        break;
    case PROTO_SCTP:
        error = ports_from_attrs(s, OVS_KEY_ATTR_SCTP, dst);
        break;
    case PROTO_ICMP:
        if (!is_ipv6) {
            error = icmp_from_attrs(s, OVS_KEY_ATTR_ICMP, dst);
        }
        break;
    case PROTO_ICMPV6:
        if (is_ipv6) {
            error = icmp_from_attrs(s, OVS_KEY_ATTR_ICMPV6, dst);
            if (!error && key_is_nd(key)) {
                error = nd_from_attrs(s, dst);
            }
        }
        break;
    }
    if (!error && s->is_mask && (dst->tp_src || dst->tp_dst)
        && dst->nw_proto != 0xff) {
        error = -EINVAL;        /* Ports without a protocol. */
    }
    return error;
}

/* Returns true if mask 'dst' matches on layer 3, for which it must match the
 * Ethertype. */
static bool
mask_looks_at_l3(const struct flow_key *dst)
{
    static const uint8_t zeros[sizeof *dst];
    size_t start = offsetof(struct flow_key, mpls_lse0);

    return memcmp((const uint8_t *) dst + start, zeros, sizeof *dst - start);
}

/* Reads what is behind the Ethertype that 'key' has into 'dst': 'key' itself,
 * or its mask.  Returns 0 or -EINVAL. */
int
headers_from_attrs(struct attr_set *s, const struct flow_key *key,
                   struct flow_key *dst)
{
    bool is_ip = false;
    int error = 0;

    switch (ntohs(key->dl_type)) {
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        error = mpls_from_attrs(s, dst);
        break;
    case ETH_TYPE_IP:
        is_ip = true;
        error = ipv4_from_attrs(s, dst);
        break;
    case ETH_TYPE_IPV6:
        is_ip = true;
        error = ipv6_from_attrs(s, dst);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        error = arp_from_attrs(s, dst);
        break;
    case ETH_TYPE_NSH:
        error = nsh_from_attrs(s, dst);
        break;
    }
    if (!error && is_ip) {
        error = l4_from_attrs(s, key, dst);
    }
    if (!error && s->is_mask && dst->dl_type != UINT16_MAX
        && mask_looks_at_l3(dst)) {
        error = -EINVAL;
    }
    return error;
}
