/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEADERS_H
#define HEADERS_H 1

/* Protocol headers as they stand in packets, and the constants that go with
 * them.  All are packed: a packet may start at any address. */

#include "base.h"

/* Ethernet and what may follow its addresses. */
#define ETH_HEADER_LEN 14u
#define ETH_TYPE_MIN 0x600      /* Below it, a length and not a type. */
#define ETH_TYPE_IP 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_RARP 0x8035
#define ETH_TYPE_VLAN_8021Q 0x8100
#define ETH_TYPE_VLAN_8021AD 0x88a8
#define ETH_TYPE_IPV6 0x86dd
#define ETH_TYPE_MPLS 0x8847
#define ETH_TYPE_MPLS_MCAST 0x8848
#define ETH_TYPE_NSH 0x894f
#define ETH_TYPE_TEB 0x6558     /* Ethernet, inside another protocol. */
#define DL_TYPE_NONE 0x5ff      /* dl_type of frames without Ethertype. */

#define VLAN_CFI 0x1000         /* In keys: "there is a tag". */
#define VLAN_HEADER_LEN 4u

#define MPLS_BOS 0x100          /* Bottom of stack. */
#define MPLS_TTL_MASK 0xff
#define MPLS_HEADER_LEN 4u

/* Packet types: name space (0 Ethernet frame, 1 layer-3 packet) and type. */
#define PT_ETH 0
#define PT_NS_ETHERTYPE 1

struct eth_header {
    struct eth_addr dst;
    struct eth_addr src;
    ovs_be16 type;
} OVS_PACKED;

struct vlan_header {
    ovs_be16 tci;
    ovs_be16 next_type;
} OVS_PACKED;

struct llc_snap_header {
    uint8_t dsap, ssap, control;
    uint8_t organisation[3];
    ovs_be16 type;
} OVS_PACKED;

struct arp_header {
    ovs_be16 hardware;
    ovs_be16 protocol;
    uint8_t hardware_size;
    uint8_t protocol_size;
    ovs_be16 operation;
    struct eth_addr sha;
    ovs_be32 spa;
    struct eth_addr tha;
    ovs_be32 tpa;
} OVS_PACKED;

/* Layer 3. */
#define IP_DF 0x4000
#define IP_MORE 0x2000
#define IP_OFFSET_MASK 0x1fff

struct ip_header {
    uint8_t ihl_version;
    uint8_t tos;
    ovs_be16 total_size;
    ovs_be16 id;
    ovs_be16 frag;
    uint8_t ttl;
    uint8_t proto;
    ovs_be16 csum;
    ovs_be32 src;
    ovs_be32 dst;
} OVS_PACKED;

struct ip6_header {
    ovs_be32 flow;              /* Version, traffic class, label. */
    ovs_be16 payload_size;
    uint8_t next;
    uint8_t hop_limit;
    struct ip6_addr src;
    struct ip6_addr dst;
} OVS_PACKED;
#define IP6_LABEL_MASK 0xfffff

struct ip6_frag_header {
    uint8_t next;
    uint8_t reserved;
    ovs_be16 offset;
    ovs_be32 id;
} OVS_PACKED;
#define IP6_OFFSET_MASK 0xfff8

#define PROTO_HOPOPTS 0
#define PROTO_ICMP 1
#define PROTO_IGMP 2
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_AH 51
#define PROTO_ICMPV6 58
#define PROTO_DSTOPTS 60
#define PROTO_SCTP 132

/* Layer 4. */
struct tcp_header {
    ovs_be16 src;
    ovs_be16 dst;
    ovs_be32 seq;
    ovs_be32 ack;
    ovs_be16 ctl;               /* Header length and flags. */
    ovs_be16 window;
    ovs_be16 csum;
    ovs_be16 urgent;
} OVS_PACKED;
#define TCP_FLAGS_MASK 0x0fff
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_CWR 0x80

struct udp_header {
    ovs_be16 src;
    ovs_be16 dst;
    ovs_be16 size;
    ovs_be16 csum;
} OVS_PACKED;

struct sctp_header {
    ovs_be16 src;
    ovs_be16 dst;
    ovs_be32 vtag;
    ovs_be32 csum;              /* CRC32c, little-endian. */
} OVS_PACKED;

struct icmp_header {
    uint8_t type;
    uint8_t code;
    ovs_be16 csum;
    ovs_be32 rest;
} OVS_PACKED;

struct igmp_header {
    uint8_t type;
    uint8_t code;
    ovs_be16 csum;
    ovs_be32 group;
} OVS_PACKED;

/* Neighbour solicitation and advertisement, as far as it is fixed. */
struct nd_message {
    struct icmp_header icmp;    /* 'rest' is reserved bits or R, S, O. */
    struct ip6_addr target;
} OVS_PACKED;

struct nd_option {
    uint8_t type;
    uint8_t length;             /* In units of 8 octets. */
    struct eth_addr address;
} OVS_PACKED;

#define ND_SOLICIT 135
#define ND_ADVERT 136
#define ND_OPT_SOURCE 1
#define ND_OPT_TARGET 2

/* Network service header (RFC 8300). */
struct nsh_header {
    ovs_be16 ver_flags_ttl_len; /* Length in units of 4 octets. */
    uint8_t mdtype;
    uint8_t np;
    ovs_be32 path_hdr;
    ovs_be32 context[4];        /* With mdtype 1. */
} OVS_PACKED;
#define NSH_BASE_LEN 8u
#define NSH_MD1_LEN 24u
#define NSH_MAX_LEN 256u
#define NSH_MDTYPE1 1
#define NSH_MDTYPE2 2
#define NSH_NP_IPV4 1
#define NSH_NP_IPV6 2
#define NSH_NP_ETHERNET 3
#define NSH_NP_NSH 4

static inline unsigned int
nsh_size(const struct nsh_header *nsh)
{
    return (ntohs(nsh->ver_flags_ttl_len) & 0x3f) * 4;
}

static inline uint8_t
nsh_ttl(const struct nsh_header *nsh)
{
    return ntohs(nsh->ver_flags_ttl_len) >> 6 & 0x3f;
}

static inline uint8_t
nsh_flags(const struct nsh_header *nsh)
{
    return ntohs(nsh->ver_flags_ttl_len) >> 12 & 0x3;
}

static inline uint8_t
nsh_version(const struct nsh_header *nsh)
{
    return ntohs(nsh->ver_flags_ttl_len) >> 14;
}

/* Sizes that the wire fixes. */
_Static_assert(sizeof(struct eth_header) == ETH_HEADER_LEN, "eth_header");
_Static_assert(sizeof(struct arp_header) == 28, "arp_header");
_Static_assert(sizeof(struct ip_header) == 20, "ip_header");
_Static_assert(sizeof(struct ip6_header) == 40, "ip6_header");
_Static_assert(sizeof(struct tcp_header) == 20, "tcp_header");
_Static_assert(sizeof(struct nd_message) == 24, "nd_message");
_Static_assert(sizeof(struct nsh_header) == NSH_MD1_LEN, "nsh_header");

static inline bool
eth_type_vlan(ovs_be16 type)
{
    return type == htons(ETH_TYPE_VLAN_8021Q)
           || type == htons(ETH_TYPE_VLAN_8021AD);
}

static inline bool
eth_type_mpls(ovs_be16 type)
{
    return type == htons(ETH_TYPE_MPLS) || type == htons(ETH_TYPE_MPLS_MCAST);
}

static inline bool
eth_addr_is_zero(const struct eth_addr *a)
{
    return !get_u32(a->ea) && !get_u16(a->ea + 4);
}

#endif /* headers.h */
