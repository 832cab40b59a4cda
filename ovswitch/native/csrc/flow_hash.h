/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_HASH_H
#define FLOW_HASH_H 1

#include "flow_key.h"

uint32_t flow_key_hash(const struct flow_key *);
uint32_t flow_hash_5tuple(const struct flow_key *, uint32_t basis);
uint32_t flow_hash_symmetric_l3l4(const struct flow_key *, uint32_t basis,
                                  bool with_udp_ports);

#endif /* flow_hash.h */
