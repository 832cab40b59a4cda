/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEY_ATTRS_H
#define KEY_ATTRS_H 1

/* Flow keys and masks as OVS_KEY_ATTR_* attributes, both ways.
 *
 * The attributes of a key must be just those that its own content calls for: a
 * key with TCP in its IPv4 header has ports and nothing of UDP.  Too few, too
 * many, or of wrong size is -EINVAL.  Attribute types beyond those we know are
 * skipped.  A mask is read and written along with its key, which decides what
 * may be there. */

#include "flow_key.h"
#include "netlink.h"

/* flow_key.tun_flags. */
#define TUN_F_OAM 0x01
#define TUN_F_DONT_FRAGMENT 0x02
#define TUN_F_CSUM 0x04
#define TUN_F_KEY 0x08

int key_from_attrs(const void *attrs, size_t size, struct flow_key *);
int mask_from_attrs(const void *attrs, size_t size, const struct flow_key *,
                    struct flow_key *mask);
int key_metadata_from_attrs(const void *attrs, size_t size, struct flow_key *);
void key_exact_mask(const struct flow_key *, struct flow_key *mask);

void key_to_attrs(const struct flow_key *, struct nl_buf *);
void mask_to_attrs(const struct flow_key *, const struct flow_key *mask,
                   struct nl_buf *);

/* key_tunnel.c: the content of OVS_KEY_ATTR_TUNNEL. */
int tunnel_from_attrs(const struct nlattr *, struct flow_key *);
void tunnel_to_attrs(const struct flow_key *, struct nl_buf *);

static inline bool
key_has_tunnel(const struct flow_key *key)
{
    return key->tun_dst || key->tun_src || get_u64(&key->tun_ipv6_dst)
           || get_u64((const uint8_t *) &key->tun_ipv6_dst + 8)
           || get_u64(&key->tun_ipv6_src)
           || get_u64((const uint8_t *) &key->tun_ipv6_src + 8);
}

#endif /* key_attrs.h */
