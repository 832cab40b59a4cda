/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ODP_H
#define ODP_H 1

/* The numbers of the datapath protocol.
 *
 * <linux/openvswitch.h> has most of them.  Below stand those that it lacks:
 * what only userspace datapaths know (numbers as in Open vSwitch 3.1) and what
 * kernel headers gained after Linux 5.4, under names of our own so that any
 * header version compiles. */

#include <linux/openvswitch.h>

/* Netlink message types of the families; see docs/datapath-protocol.md. */
enum odp_family {
    ODP_FAMILY_DATAPATH = 0x20,
    ODP_FAMILY_VPORT,
    ODP_FAMILY_FLOW,
    ODP_FAMILY_PACKET,
    ODP_FAMILY_METER,
    ODP_FAMILY_CT_LIMIT,
};

/* Flow key attributes.  The table of expected sizes in key_attrs.c has
 * ODP_KEY_MAX + 1 rows. */
enum {
    ODP_KEY_PACKET_TYPE = 29,   /* be32. */
    ODP_KEY_ND_EXTENSIONS = 30, /* struct odp_key_nd_extensions. */
    ODP_KEY_MAX = ODP_KEY_ND_EXTENSIONS,
};

struct odp_key_nd_extensions {
    uint32_t nd_reserved;       /* Big-endian. */
    uint8_t nd_options_type;
    uint8_t pad[3];
};

/* Actions. */
enum {
    ODP_ACTION_ADD_MPLS = 22,
    ODP_ACTION_TUNNEL_PUSH = 23,
    ODP_ACTION_TUNNEL_POP = 24,
    ODP_ACTION_DROP = 25,       /* u32 reason, for counters. */
    ODP_ACTION_LB_OUTPUT = 26,
    ODP_ACTION_MAX = ODP_ACTION_LB_OUTPUT,
};

struct odp_action_add_mpls {
    uint32_t mpls_lse;          /* Big-endian. */
    uint16_t mpls_ethertype;    /* Big-endian. */
    uint16_t tun_flags;         /* ODP_MPLS_L3. */
};
#define ODP_MPLS_L3 1           /* Insert after the Ethernet header. */

enum {
    ODP_HASH_ALG_L4 = 0,
    ODP_HASH_ALG_SYM_L4 = 1,
};

/* Tunnel key attributes. */
enum { ODP_TUNNEL_KEY_GTPU_OPTS = 16 };

/* Packet and datapath attributes. */
enum {
    ODP_PACKET_HASH = 11,       /* u64. */
    ODP_DP_MASKS_CACHE_SIZE = 7,
    ODP_DP_PER_CPU_PIDS = 8,

    /* Ours: u32, how many VLAN headers keys have (0 to 2, default 2). */
    ODP_DP_VLAN_LIMIT = 100,
};

#define ODPP_NONE UINT32_MAX    /* "No port", in keys. */
#define ODPP_LOCAL 0            /* The datapath's own internal port. */

#endif /* odp.h */
