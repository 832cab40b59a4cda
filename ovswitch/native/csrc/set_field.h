/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SET_FIELD_H
#define SET_FIELD_H 1

/* The set actions: new values for header fields, under a mask, with every
 * checksum kept right, whether it is in the packet or still due. */

#include <linux/netlink.h>

#include "packet.h"

int set_field_check(const struct nlattr *key, bool masked);
bool set_field(struct packet *, struct packet_arena *,
               const struct nlattr *key, bool masked);

#endif /* set_field.h */
