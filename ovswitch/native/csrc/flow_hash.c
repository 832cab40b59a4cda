/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_hash.h"

#include "hash.h"
#include "headers.h"

#define KEY_U64(KEY, MEMBER) \
    get_u64((const uint8_t *) (KEY) + offsetof(struct flow_key, MEMBER))

/* Returns a hash of what tells microflows apart, for the flow cache and to
 * choose among a port's upcall queues.  It looks only at the headers that the
 * packet can have: some nine words for TCP over IPv4. */
uint32_t
flow_key_hash(const struct flow_key *key)
{
    uint64_t hash = hash_mix64(KEY_U64(key, ct_mark), KEY_U64(key, dp_hash));

    hash = hash_mix64(hash, KEY_U64(key, in_port));
    hash = hash_mix64(hash, KEY_U64(key, dl_dst));
    hash = hash_mix64(hash, KEY_U64(key, dl_src) >> 16);
    hash = hash_mix64(hash, KEY_U64(key, vlan_tpid0));
    if (OVS_UNLIKELY(key->tun_dst || key->tun_id)) {
        hash = hash_mix64(hash, KEY_U64(key, tun_id));
        hash = hash_mix64(hash, KEY_U64(key, tun_src));
    }
    switch (ntohs(key->dl_type)) {
    case ETH_TYPE_IPV6:
        hash = hash_mix64(hash, get_u64(&key->ipv6_src));
        hash = hash_mix64(hash, get_u64((uint8_t *) &key->ipv6_src + 8));
        hash = hash_mix64(hash, get_u64(&key->ipv6_dst));
        hash = hash_mix64(hash, get_u64((uint8_t *) &key->ipv6_dst + 8));
        hash = hash_mix64(hash, KEY_U64(key, ipv6_label));
        hash = hash_mix64(hash, KEY_U64(key, tp_src));
        break;
    case ETH_TYPE_IP:
    case ETH_TYPE_ARP:
        hash = hash_mix64(hash, KEY_U64(key, nw_src));
        hash = hash_mix64(hash, KEY_U64(key, ipv6_label));
        hash = hash_mix64(hash, KEY_U64(key, tp_src));
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        hash = hash_mix64(hash, KEY_U64(key, mpls_lse0));
        break;
    case ETH_TYPE_NSH:
        hash = hash_mix64(hash, KEY_U64(key, nsh_flags));
        break;
    }
    return hash_fold(hash);
}

static uint32_t
hash_add_octets(uint32_t hash, const void *p_, size_t size)
{
    const uint8_t *p = p_;

    for (size_t i = 0; i < size; i += 4) {
        hash = mhash_add(hash, get_u32(p + i));
    }
    return hash;
}

static bool
has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP
           || proto == PROTO_ICMP || proto == PROTO_ICMPV6;
}

/* The reference's hash of addresses, protocol and ports. */
uint32_t
flow_hash_5tuple(const struct flow_key *key, uint32_t basis)
{
    uint32_t hash = basis;

    if (key->dl_type == htons(ETH_TYPE_IPV6)) {
        hash = hash_add_octets(hash, &key->ipv6_src, 32);
    } else if (key->dl_type == htons(ETH_TYPE_IP)
               || key->dl_type == htons(ETH_TYPE_ARP)) {
        hash = hash_add_octets(hash, &key->nw_src, 8);
    } else {
        return mhash_finish(hash, 42);
    }
    hash = mhash_add(hash, key->nw_proto);
    if (has_ports(key->nw_proto)) {
        hash = hash_add_octets(hash, &key->tp_src, 4);
    }
    return mhash_finish(hash, 42);
}

static uint32_t
hash_symmetric_l2(const struct flow_key *key, uint32_t basis)
{
    uint8_t fields[12] = { 0 };

    if (key->packet_type != htonl(PT_ETH)) {
        return 0;
    }
    put_u16(fields, key->dl_type);
    put_u16(fields + 2, (key->vlan_tci0 ^ key->vlan_tci1) & htons(0xfff));
    for (int i = 0; i < 6; i++) {
        fields[4 + i] = key->dl_src.ea[i] ^ key->dl_dst.ea[i];
    }
    return mhash_finish(hash_add_octets(basis, fields, sizeof fields), basis);
}

/* The reference's hash that is the same in both directions. */
uint32_t
flow_hash_symmetric_l3l4(const struct flow_key *key, uint32_t basis,
                         bool with_udp_ports)
{
    uint32_t hash = basis;

    if (key->dl_type == htons(ETH_TYPE_IP)) {
        hash = mhash_add(hash, key->nw_src ^ key->nw_dst);
    } else if (key->dl_type == htons(ETH_TYPE_IPV6)) {
        const uint8_t *a = (const void *) &key->ipv6_src;
        const uint8_t *b = (const void *) &key->ipv6_dst;

        for (int i = 0; i < 16; i += 4) {
            hash = mhash_add(hash, get_u32(a + i) ^ get_u32(b + i));
        }
    } else {
        return hash_symmetric_l2(key, basis);
    }
    hash = mhash_add(hash, key->nw_proto);
    if (!key->nw_frag
        && (key->nw_proto == PROTO_TCP || key->nw_proto == PROTO_SCTP
            || (with_udp_ports && key->nw_proto == PROTO_UDP))) {
        hash = mhash_add(hash, key->tp_src ^ key->tp_dst);
    }
    return mhash_finish(hash, basis);
}
