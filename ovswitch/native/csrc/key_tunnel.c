/* SPDX-License-Identifier: Apache-2.0 */
#include "key_attrs.h"

#include <errno.h>

#include "odp.h"

/* The nested attributes of a tunnel key.  Geneve options stay as they stand in
 * the packet: 'tun_metadata_len' octets of 'tun_metadata'. */

struct erspan_options {
    uint32_t version;
    uint8_t content[8];         /* Version 1: index; version 2: below. */
};
#define ERSPAN2_HWID_UPPER 6    /* Octet with the upper 2 bits of the id. */
#define ERSPAN2_DIR_HWID 7      /* Octet: direction in bit 3, id in 4-7. */

static const struct nl_policy tunnel_policy[] = {
    [OVS_TUNNEL_KEY_ATTR_ID] = NL_EXACT(8),
    [OVS_TUNNEL_KEY_ATTR_IPV4_SRC] = NL_EXACT(4),
    [OVS_TUNNEL_KEY_ATTR_IPV4_DST] = NL_EXACT(4),
    [OVS_TUNNEL_KEY_ATTR_TOS] = NL_EXACT(1),
    [OVS_TUNNEL_KEY_ATTR_TTL] = NL_EXACT(1),
    [OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT] = { 0, 1 },
    [OVS_TUNNEL_KEY_ATTR_CSUM] = { 0, 1 },
    [OVS_TUNNEL_KEY_ATTR_OAM] = { 0, 1 },
    [OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS] = { 0, NL_ANY_SIZE },
    [OVS_TUNNEL_KEY_ATTR_TP_SRC] = NL_EXACT(2),
    [OVS_TUNNEL_KEY_ATTR_TP_DST] = NL_EXACT(2),
    [OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS] = { 0, NL_ANY_SIZE },
    [OVS_TUNNEL_KEY_ATTR_IPV6_SRC] = NL_EXACT(16),
    [OVS_TUNNEL_KEY_ATTR_IPV6_DST] = NL_EXACT(16),
    [OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS] = NL_EXACT(12),
    [ODP_TUNNEL_KEY_GTPU_OPTS] = NL_EXACT(2),
};

static int
gbp_from_attrs(const struct nlattr *nested, struct flow_key *key)
{
    static const struct nl_policy policy[] = {
        [OVS_VXLAN_EXT_GBP] = NL_EXACT(4),
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (nl_parse(nl_data(nested), nl_size(nested), policy, attrs,
                 ARRAY_SIZE(policy))) {
        return -EINVAL;
    }
    if (attrs[OVS_VXLAN_EXT_GBP]) {
        uint32_t gbp = nl_u32(attrs[OVS_VXLAN_EXT_GBP]);

        key->tun_gbp_id = htons(gbp & 0xffff);
        key->tun_gbp_flags = gbp >> 16;
    }
    return 0;
}

static void
erspan_from_attr(const struct nlattr *a, struct flow_key *key)
{
    const struct erspan_options *o = nl_data(a);

    key->tun_erspan_ver = o->version;
    if (key->tun_erspan_ver == 1) {
        key->tun_erspan_idx = get_u32(o->content);
    } else if (key->tun_erspan_ver == 2) {
        uint8_t dir_hwid = o->content[ERSPAN2_DIR_HWID];

        key->tun_erspan_dir = dir_hwid >> 3 & 1;
        key->tun_erspan_hwid = (o->content[ERSPAN2_HWID_UPPER] & 3) << 4
                               | dir_hwid >> 4;
    }
}

static uint16_t
flags_from_attrs(const struct nlattr *attrs[])
{
    return ((attrs[OVS_TUNNEL_KEY_ATTR_ID] ? TUN_F_KEY : 0)
            | (attrs[OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT]
               ? TUN_F_DONT_FRAGMENT : 0)
            | (attrs[OVS_TUNNEL_KEY_ATTR_CSUM] ? TUN_F_CSUM : 0)
            | (attrs[OVS_TUNNEL_KEY_ATTR_OAM] ? TUN_F_OAM : 0));
}

static void
copy_attr(void *member, const struct nlattr *a)
{
    if (a) {
        memcpy(member, nl_data(a), nl_size(a));
    }
}

/* Reads the attributes nested in 'nested' into the tunnel part of 'key', a key
 * or a mask. */
int
tunnel_from_attrs(const struct nlattr *nested, struct flow_key *key)
{
    const struct nlattr *attrs[ARRAY_SIZE(tunnel_policy)];
    const struct nlattr *geneve;

    if (nl_parse(nl_data(nested), nl_size(nested), tunnel_policy, attrs,
                 ARRAY_SIZE(tunnel_policy))
        || !attrs[OVS_TUNNEL_KEY_ATTR_TTL]) {
        return -EINVAL;
    }
    key->tun_flags = htons(flags_from_attrs(attrs));
    copy_attr(&key->tun_id, attrs[OVS_TUNNEL_KEY_ATTR_ID]);
    copy_attr(&key->tun_src, attrs[OVS_TUNNEL_KEY_ATTR_IPV4_SRC]);
    copy_attr(&key->tun_dst, attrs[OVS_TUNNEL_KEY_ATTR_IPV4_DST]);
    copy_attr(&key->tun_ipv6_src, attrs[OVS_TUNNEL_KEY_ATTR_IPV6_SRC]);
    copy_attr(&key->tun_ipv6_dst, attrs[OVS_TUNNEL_KEY_ATTR_IPV6_DST]);
    copy_attr(&key->tun_tos, attrs[OVS_TUNNEL_KEY_ATTR_TOS]);
    copy_attr(&key->tun_ttl, attrs[OVS_TUNNEL_KEY_ATTR_TTL]);
    copy_attr(&key->tun_tp_src, attrs[OVS_TUNNEL_KEY_ATTR_TP_SRC]);
    copy_attr(&key->tun_tp_dst, attrs[OVS_TUNNEL_KEY_ATTR_TP_DST]);
    if (attrs[OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS]
        && gbp_from_attrs(attrs[OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS], key)) {
        return -EINVAL;
    }
    geneve = attrs[OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS];
    if (geneve) {
        if (nl_size(geneve) >= sizeof key->tun_metadata) {
            return -EINVAL;
        }
        copy_attr(key->tun_metadata, geneve);
        key->tun_metadata_len = nl_size(geneve);
    }
    if (attrs[OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS]) {
        erspan_from_attr(attrs[OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS], key);
    }
    if (attrs[ODP_TUNNEL_KEY_GTPU_OPTS]) {
        const uint8_t *gtpu = nl_data(attrs[ODP_TUNNEL_KEY_GTPU_OPTS]);

        key->tun_gtpu_flags = gtpu[0];
        key->tun_gtpu_msgtype = gtpu[1];
    }
    return 0;
}

static bool
any_set(const struct ip6_addr *a)
{
    return get_u64(a->octets) || get_u64(a->octets + 8);
}

static void
erspan_to_attr(const struct flow_key *key, struct nl_buf *b)
{
    struct erspan_options o = { .version = key->tun_erspan_ver };

    if (o.version == 1) {
        put_u32(o.content, key->tun_erspan_idx);
    } else {
        o.content[ERSPAN2_HWID_UPPER] = key->tun_erspan_hwid >> 4 & 3;
        o.content[ERSPAN2_DIR_HWID] = (key->tun_erspan_hwid & 0xf) << 4
                                      | (key->tun_erspan_dir & 1) << 3;
    }
    nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_ERSPAN_OPTS, &o, sizeof o);
}

/* Writes the options of 'key' that only one tunnel protocol has. */
static void
options_to_attrs(const struct flow_key *key, struct nl_buf *b)
{
    if (key->tun_gbp_flags || key->tun_gbp_id) {
        size_t start = nl_start_nested(b, OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS);

        nl_put_u32(b, OVS_VXLAN_EXT_GBP, (uint32_t) key->tun_gbp_flags << 16
                                         | ntohs(key->tun_gbp_id));
        nl_end_nested(b, start);
    }
    if (key->tun_metadata_len) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_GENEVE_OPTS, key->tun_metadata,
                      key->tun_metadata_len);
    }
    if (key->tun_erspan_ver == 1 || key->tun_erspan_ver == 2) {
        erspan_to_attr(key, b);
    }
    if (key->tun_gtpu_flags && key->tun_gtpu_msgtype) {
        uint8_t gtpu[2] = { key->tun_gtpu_flags, key->tun_gtpu_msgtype };

        nl_put_unspec(b, ODP_TUNNEL_KEY_GTPU_OPTS, gtpu, sizeof gtpu);
    }
}

/* Writes OVS_KEY_ATTR_TUNNEL with the tunnel part of 'key', a key or a
 * mask. */
void
tunnel_to_attrs(const struct flow_key *key, struct nl_buf *b)
{
    size_t start = nl_start_nested(b, OVS_KEY_ATTR_TUNNEL);
    uint16_t flags = ntohs(key->tun_flags);

    if (key->tun_id || flags & TUN_F_KEY) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_ID, &key->tun_id, 8);
    }
    if (key->tun_src) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_IPV4_SRC, &key->tun_src, 4);
    }
    if (key->tun_dst) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_IPV4_DST, &key->tun_dst, 4);
    }
    if (any_set(&key->tun_ipv6_src)) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_IPV6_SRC, &key->tun_ipv6_src, 16);
    }
    if (any_set(&key->tun_ipv6_dst)) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_IPV6_DST, &key->tun_ipv6_dst, 16);
    }
    if (key->tun_tos) {
        nl_put_u8(b, OVS_TUNNEL_KEY_ATTR_TOS, key->tun_tos);
    }
    nl_put_u8(b, OVS_TUNNEL_KEY_ATTR_TTL, key->tun_ttl);
    if (flags & TUN_F_DONT_FRAGMENT) {
        nl_put_flag(b, OVS_TUNNEL_KEY_ATTR_DONT_FRAGMENT);
    }
    if (flags & TUN_F_CSUM) {
        nl_put_flag(b, OVS_TUNNEL_KEY_ATTR_CSUM);
    }
    if (key->tun_tp_src) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_TP_SRC, &key->tun_tp_src, 2);
    }
    if (key->tun_tp_dst) {
        nl_put_unspec(b, OVS_TUNNEL_KEY_ATTR_TP_DST, &key->tun_tp_dst, 2);
    }
    if (flags & TUN_F_OAM) {
        nl_put_flag(b, OVS_TUNNEL_KEY_ATTR_OAM);
    }
    options_to_attrs(key, b);
    nl_end_nested(b, start);
}
