/* SPDX-License-Identifier: Apache-2.0 */
#include "reconnect.h"

#include <string.h>

#define MIN_BACKOFF 1000
#define MAX_BACKOFF 8000

static void
enter(struct reconnect *r, enum reconnect_state state, int64_t now)
{
    r->state = state;
    r->entered = now;
}

static bool
may_try(struct reconnect *r)
{
    if (r->n_tries == RECONNECT_UNLIMITED) {
        return true;
    } else if (!r->n_tries) {
        return false;
    }
    r->n_tries--;
    return true;
}

void
reconnect_init(struct reconnect *r, int64_t now, uint32_t n_tries,
               uint32_t n_free_tries)
{
    memset(r, 0, sizeof *r);
    r->n_tries = n_tries;
    r->n_free_tries = n_free_tries;
    enter(r, may_try(r) ? RECONNECT_BACKOFF : RECONNECT_VOID, now);
}

void
reconnect_connecting(struct reconnect *r, int64_t now)
{
    enter(r, RECONNECT_CONNECTING, now);
}

void
reconnect_connected(struct reconnect *r, int64_t now)
{
    enter(r, RECONNECT_ACTIVE, now);
    r->last_connected = r->last_activity = now;
}

void
reconnect_activity(struct reconnect *r, int64_t now)
{
    if (r->state == RECONNECT_IDLE) {
        enter(r, RECONNECT_ACTIVE, now);
    }
    r->last_activity = now;
}

void
reconnect_disconnected(struct reconnect *r, int64_t now)
{
    if (r->state == RECONNECT_VOID || r->state == RECONNECT_BACKOFF) {
        return;
    } else if (!may_try(r)) {
        enter(r, RECONNECT_VOID, now);
        return;
    }
    if (r->n_free_tries > 1) {
        r->n_free_tries--;
        r->backoff = 0;
    } else if (r->backoff < MIN_BACKOFF
               || (reconnect_is_connected(r)
                   && r->last_activity - r->last_connected >= r->backoff)) {
        r->backoff = MIN_BACKOFF;
    } else {
        r->backoff = (r->backoff < MAX_BACKOFF / 2
                      ? r->backoff * 2 : MAX_BACKOFF);
    }
    enter(r, RECONNECT_BACKOFF, now);
}

int64_t
reconnect_deadline(const struct reconnect *r)
{
    switch (r->state) {
    case RECONNECT_VOID:
        break;
    case RECONNECT_BACKOFF:
        return r->entered + r->backoff;
    case RECONNECT_CONNECTING:
        return r->entered + (r->backoff > MIN_BACKOFF
                             ? r->backoff : MIN_BACKOFF);
    case RECONNECT_ACTIVE:
    case RECONNECT_IDLE:
        if (r->probe_interval) {
            int64_t base = r->entered;

            if (r->state == RECONNECT_ACTIVE && r->last_activity > base) {
                base = r->last_activity;
            }
            return base + r->probe_interval;
        }
        break;
    }
    return TIME_NEVER;
}

enum reconnect_action
reconnect_run(struct reconnect *r, int64_t now)
{
    if (now < reconnect_deadline(r)) {
        return RECONNECT_NOTHING;
    }
    switch (r->state) {
    case RECONNECT_BACKOFF:
        return RECONNECT_CONNECT;
    case RECONNECT_CONNECTING:
    case RECONNECT_IDLE:
        return RECONNECT_DISCONNECT;
    case RECONNECT_ACTIVE:
        enter(r, RECONNECT_IDLE, now);
        return RECONNECT_PROBE;
    case RECONNECT_VOID:
        break;
    }
    return RECONNECT_NOTHING;
}
