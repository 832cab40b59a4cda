/* SPDX-License-Identifier: Apache-2.0 */
#include "core_api.h"

#include <errno.h>

#include "actions.h"
#include "extract.h"
#include "flow_hash.h"
#include "key_attrs.h"

/* Callers' keys are octets at any address; ours are aligned. */

uint32_t
core_key_size(void)
{
    return FLOW_KEY_SIZE;
}

void
core_set_vlan_limit(uint32_t limit)
{
    atomic_store(&flow_vlan_limit, MIN(limit, 2));
}

/* Completes 'key', whose metadata are set, from a packet's octets. */
void
core_extract(const uint8_t *octets, uint32_t size, uint8_t *key)
{
    struct packet p;

    memcpy(&p.key, key, sizeof p.key);
    packet_init(&p, (uint8_t *) octets, size, (uint8_t *) octets);
    flow_extract(&p);
    memcpy(key, &p.key, sizeof p.key);
}

int
core_key_from_attrs(const uint8_t *attrs, uint32_t size, uint8_t *key)
{
    struct flow_key k;
    int error = key_from_attrs(attrs, size, &k);

    memcpy(key, &k, sizeof k);
    return error;
}

/* Likewise for 'n' keys, whose attributes stand one after another. */
void
core_keys_from_attrs(uint32_t n, const uint8_t *attrs, const uint32_t sizes[],
                     uint8_t *keys, int32_t errors[])
{
    for (uint32_t i = 0; i < n; i++) {
        errors[i] = core_key_from_attrs(attrs, sizes[i],
                                        keys + i * FLOW_KEY_SIZE);
        attrs += sizes[i];
    }
}

int
core_mask_from_attrs(const uint8_t *attrs, uint32_t size, const uint8_t *key,
                     uint8_t *mask)
{
    struct flow_key k, m;
    int error;

    memcpy(&k, key, sizeof k);
    error = mask_from_attrs(attrs, size, &k, &m);
    memcpy(mask, &m, sizeof m);
    return error;
}

static int
copy_out(struct nl_buf *b, uint8_t *attrs, uint32_t room)
{
    int size = b->size <= room ? (int) b->size : -ENOBUFS;

    if (size > 0) {
        memcpy(attrs, b->base, size);
    }
    nl_buf_uninit(b);
    return size;
}

int
core_key_to_attrs(const uint8_t *key, uint8_t *attrs, uint32_t room)
{
    struct nl_buf b = { NULL, 0, 0 };
    struct flow_key k;

    memcpy(&k, key, sizeof k);
    key_to_attrs(&k, &b);
    return copy_out(&b, attrs, room);
}

int
core_mask_to_attrs(const uint8_t *key, const uint8_t *mask, uint8_t *attrs,
                   uint32_t room)
{
    struct nl_buf b = { NULL, 0, 0 };
    struct flow_key k, m;

    memcpy(&k, key, sizeof k);
    memcpy(&m, mask, sizeof m);
    mask_to_attrs(&k, &m, &b);
    return copy_out(&b, attrs, room);
}

uint32_t
core_hash_5tuple(const uint8_t *key, uint32_t basis)
{
    struct flow_key k;

    memcpy(&k, key, sizeof k);
    return flow_hash_5tuple(&k, basis);
}

uint32_t
core_hash_symmetric_l3l4(const uint8_t *key, uint32_t basis,
                         int with_udp_ports)
{
    struct flow_key k;

    memcpy(&k, key, sizeof k);
    return flow_hash_symmetric_l3l4(&k, basis, with_udp_ports);
}

int
core_actions_check(const uint8_t *actions, uint32_t size)
{
    return actions_check(actions, size);
}
