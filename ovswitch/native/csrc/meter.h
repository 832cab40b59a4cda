/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METER_H
#define METER_H 1

/* Meters: token buckets that drop what exceeds a rate.
 *
 * A meter in kilobits counts its buckets in bits, one in packets in
 * thousandths of packets; either way a bucket gains 'rate' a millisecond and
 * holds 'burst' times 1000.  A packet that finds too little in a band's bucket
 * has hit that band; the band with the highest rate that it hit counts it, and
 * it is dropped.  Each meter has a lock: many threads may share one. */

#include <pthread.h>
#include <stdatomic.h>

#include "rcu.h"

#define MAX_METERS (1u << 18)
#define METER_MAX_BANDS 8

struct meter_band {
    uint32_t rate;              /* Kilobits or packets a second. */
    uint32_t burst;             /* In the same units. */
    uint64_t bucket;
    uint64_t n_packets, n_bytes; /* What the band dropped. */
};

struct meter {
    pthread_mutex_t lock;       /* Protects all that follows. */
    bool kbps;                  /* Rates count kilobits, else packets. */
    uint32_t n_bands;
    uint64_t used;              /* Milliseconds. */
    uint64_t max_delta;         /* Time that fills any bucket. */
    uint64_t n_packets, n_bytes;
    struct meter_band bands[METER_MAX_BANDS];
};

struct meter_table;

struct meter_table *meter_table_create(struct rcu *);
void meter_table_destroy(struct meter_table *);
struct meter *meter_lookup(const struct meter_table *, uint32_t id);
int meter_set(struct meter_table *, uint32_t id, bool kbps,
              const struct meter_band[], uint32_t n_bands, uint64_t now);
int meter_delete(struct meter_table *, uint32_t id);
bool meter_packet(const struct meter_table *, uint32_t id, uint32_t size,
                  uint64_t now);

#endif /* meter.h */
