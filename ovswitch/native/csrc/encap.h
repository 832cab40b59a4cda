/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENCAP_H
#define ENCAP_H 1

/* Headers on and off: VLAN, MPLS, Ethernet, NSH.
 *
 * All return false if the packet has to be dropped, for lack of memory or
 * because it is not what the action needs.  Those that change what layers
 * there are (all but VLAN's) extract the key anew. */

#include "packet.h"

struct nlattr;

bool push_vlan(struct packet *, struct packet_arena *, ovs_be16 tpid,
               ovs_be16 tci);
bool pop_vlan(struct packet *, struct packet_arena *);
bool push_mpls(struct packet *, struct packet_arena *, ovs_be16 ethertype,
               ovs_be32 lse);
bool add_mpls(struct packet *, struct packet_arena *, ovs_be16 ethertype,
              ovs_be32 lse);
bool pop_mpls(struct packet *, struct packet_arena *, ovs_be16 ethertype);
bool push_eth(struct packet *, struct packet_arena *,
              const struct eth_addr *src, const struct eth_addr *dst);
bool pop_eth(struct packet *);
int push_nsh_check(const struct nlattr *);
bool push_nsh(struct packet *, struct packet_arena *, const struct nlattr *);
bool pop_nsh(struct packet *);

#endif /* encap.h */
