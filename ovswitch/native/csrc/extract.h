/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXTRACT_H
#define EXTRACT_H 1

#include <stdatomic.h>

#include "packet.h"

/* Values of flow_key.nw_frag. */
#define NW_FRAG_ANY 1
#define NW_FRAG_LATER 2
#define NW_FRAG_MASK 3

/* VLAN headers that keys have: 0 to 2.  Other tags count as payload.  Changes
 * while packets are under way are harmless, but leave flows behind that no
 * packet matches any more. */
extern _Atomic(uint32_t) flow_vlan_limit;

void flow_extract(struct packet *);

#endif /* extract.h */
