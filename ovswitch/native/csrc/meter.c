/* SPDX-License-Identifier: Apache-2.0 */
#include "meter.h"

#include <errno.h>

#include "memory.h"

struct meter_table {
    struct rcu *rcu;
    _Atomic(struct meter *) meters[MAX_METERS]; /* Untouched pages cost
                                                 * nothing. */
};

struct meter_table *
meter_table_create(struct rcu *rcu)
{
    struct meter_table *t = xzalloc(sizeof *t);

    t->rcu = rcu;
    return t;
}

static void
meter_free(void *m_)
{
    struct meter *m = m_;

    pthread_mutex_destroy(&m->lock);
    free(m);
}

void
meter_table_destroy(struct meter_table *t)
{
    for (uint32_t id = 0; id < MAX_METERS; id++) {
        struct meter *m = atomic_load_explicit(&t->meters[id],
                                               memory_order_relaxed);

        if (m) {
            meter_free(m);
        }
    }
    free(t);
}

struct meter *
meter_lookup(const struct meter_table *t, uint32_t id)
{
    return id < MAX_METERS
           ? atomic_load_explicit(&t->meters[id], memory_order_acquire)
           : NULL;
}

static void
meter_replace(struct meter_table *t, uint32_t id, struct meter *new)
{
    struct meter *old = atomic_exchange(&t->meters[id], new);

    if (old) {
        rcu_defer(t->rcu, meter_free, old);
    }
}

/* Makes meter 'id' one with 'n_bands' of 'bands', whose buckets start full.
 * Returns 0 or a negative errno. */
int
meter_set(struct meter_table *t, uint32_t id, bool kbps,
          const struct meter_band bands[], uint32_t n_bands, uint64_t now)
{
    struct meter *m;

    if (id >= MAX_METERS) {
        return -EFBIG;
    } else if (n_bands > METER_MAX_BANDS) {
        return -EINVAL;
    }
    m = xzalloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->kbps = kbps;
    m->n_bands = n_bands;
    m->used = now;
    for (uint32_t i = 0; i < n_bands; i++) {
        struct meter_band *b = &m->bands[i];

        b->rate = bands[i].rate;
        b->burst = bands[i].burst ? bands[i].burst : b->rate;
        b->bucket = b->burst * UINT64_C(1000);
        if (b->rate) {
            m->max_delta = MAX(m->max_delta, b->bucket / b->rate);
        }
    }
    meter_replace(t, id, m);
    return 0;
}

int
meter_delete(struct meter_table *t, uint32_t id)
{
    if (!meter_lookup(t, id)) {
        return -ENOENT;
    }
    meter_replace(t, id, NULL);
    return 0;
}

/* Takes a packet of 'size' octets out of the buckets.  Returns the band with
 * the highest rate that has too little in its bucket, or NULL. */
static struct meter_band *
meter_drain(struct meter *m, uint32_t size, uint64_t now)
{
    uint64_t delta = now > m->used ? MIN(now - m->used, m->max_delta) : 0;
    uint64_t volume = m->kbps ? size * UINT64_C(8) : 1000;
    struct meter_band *hit = NULL;

    m->used = now;
    for (uint32_t i = 0; i < m->n_bands; i++) {
        struct meter_band *b = &m->bands[i];

        b->bucket = MIN(b->bucket + delta * b->rate,
                        b->burst * UINT64_C(1000));
        if (b->bucket >= volume) {
            b->bucket -= volume;
        } else if (!hit || b->rate > hit->rate) {
            hit = b;
        }
    }
    return hit;
}

/* Runs a packet through meter 'id'.  Returns false if it is to be dropped; a
 * meter that does not exist lets everything pass. */
bool
meter_packet(const struct meter_table *t, uint32_t id, uint32_t size,
             uint64_t now)
{
    struct meter *m = meter_lookup(t, id);
    struct meter_band *hit;

    if (!m) {
        return true;
    }
    pthread_mutex_lock(&m->lock);
    m->n_packets++;
    m->n_bytes += size;
    hit = meter_drain(m, size, now);
    if (hit) {
        hit->n_packets++;
        hit->n_bytes += size;
    }
    pthread_mutex_unlock(&m->lock);
    return !hit;
}
