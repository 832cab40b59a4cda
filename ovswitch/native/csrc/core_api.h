/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_API_H
#define CORE_API_H 1

/* What Python sees of the C code: see ovswitch/native/core.py for how each is
 * used.  Keys are FLOW_KEY_SIZE octets.  Functions that return int give a size
 * or 0, or a negative errno. */

#include <stddef.h>
#include <stdint.h>

/* core_api.c: keys. */
uint32_t core_key_size(void);
void core_set_vlan_limit(uint32_t limit);
void core_extract(const uint8_t *octets, uint32_t size, uint8_t *key);
int core_key_from_attrs(const uint8_t *attrs, uint32_t size, uint8_t *key);
void core_keys_from_attrs(uint32_t n, const uint8_t *attrs,
                          const uint32_t sizes[], uint8_t *keys,
                          int32_t errors[]);
int core_mask_from_attrs(const uint8_t *attrs, uint32_t size,
                         const uint8_t *key, uint8_t *mask);
int core_key_to_attrs(const uint8_t *key, uint8_t *attrs, uint32_t room);
int core_mask_to_attrs(const uint8_t *key, const uint8_t *mask,
                       uint8_t *attrs, uint32_t room);
uint32_t core_hash_5tuple(const uint8_t *key, uint32_t basis);
uint32_t core_hash_symmetric_l3l4(const uint8_t *key, uint32_t basis,
                                  int with_udp_ports);
int core_actions_check(const uint8_t *actions, uint32_t size);

/* core_dummy.c: the dummy datapath. */
struct core_dummy;

/* A packet that a port transmitted, or a datagram of upcalls. */
struct core_event {
    uint32_t dp_ifindex;        /* 0 for upcalls. */
    uint32_t number;            /* Port number, or pid. */
    uint32_t size;
    const uint8_t *octets;      /* Good until the next call. */
};

struct core_dummy *core_dummy_create(void);
void core_dummy_destroy(struct core_dummy *);
void core_dummy_set_time(struct core_dummy *, uint64_t now_ms);
uint32_t core_dummy_request(struct core_dummy *, uint32_t pid,
                            const uint8_t *octets, uint32_t size,
                            const uint8_t **replies);
int core_dummy_receive(struct core_dummy *, uint32_t dp_ifindex,
                       uint32_t port_no, const uint8_t *octets,
                       uint32_t size);
int core_dummy_next_event(struct core_dummy *, struct core_event *);

#endif /* core_api.h */
