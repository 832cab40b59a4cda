/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPCALL_H
#define UPCALL_H 1

/* Packets for userspace, as OVS_PACKET_CMD_MISS and _ACTION messages.
 *
 * A thread gathers the messages of a batch for one connection and hands them
 * over together: one datagram for up to 32 packets or 64 kB. */

#include "netlink.h"

struct datapath;
struct nlattr;
struct packet;
struct worker;

#define UPCALL_BATCH 32
#define UPCALL_BATCH_SIZE 65536

struct upcall_batch {
    struct nl_buf b;
    struct datapath *dp;
    uint32_t pid;
    unsigned int n;
};

/* What a message says beside the packet and its key. */
struct upcall_args {
    uint8_t cmd;                /* OVS_PACKET_CMD_*. */
    uint32_t pid;
    const struct nlattr *userdata;      /* NULL if none. */
    bool with_actions;          /* Tell the flow's actions. */
};

void upcall_miss(struct worker *, struct datapath *, struct packet *);
void upcall_action(struct worker *, struct datapath *, struct packet *,
                   const struct upcall_args *);
void upcall_flush(struct worker *);

#endif /* upcall.h */
