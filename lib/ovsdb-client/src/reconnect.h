/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECONNECT_H
#define RECONNECT_H 1

/* When to connect, probe and give up: a state machine without any I/O.
 *
 *   VOID        Nothing to do any more.
 *   BACKOFF     Wait, then connect.
 *   CONNECTING  A try is in progress.
 *   ACTIVE      There is a connection, and the peer has been heard lately.
 *   IDLE        A probe was sent, and the peer must answer.
 *
 * Times are in milliseconds.  Waits begin at 1 s and double up to 8 s; a
 * connection that lasted longer than the last wait begins anew. */

#include <stdbool.h>
#include <stdint.h>

#define TIME_NEVER INT64_MAX
#define RECONNECT_UNLIMITED UINT32_MAX

enum reconnect_state {
    RECONNECT_VOID,
    RECONNECT_BACKOFF,
    RECONNECT_CONNECTING,
    RECONNECT_ACTIVE,
    RECONNECT_IDLE
};

enum reconnect_action {
    RECONNECT_NOTHING,
    RECONNECT_CONNECT,
    RECONNECT_DISCONNECT,
    RECONNECT_PROBE
};

struct reconnect {
    enum reconnect_state state;
    int64_t entered;            /* When 'state' was entered. */
    int64_t backoff;
    int64_t probe_interval;     /* 0 for no probes. */
    int64_t last_activity;
    int64_t last_connected;
    uint32_t n_tries;           /* That are left. */
    uint32_t n_free_tries;      /* Without waiting in between. */
};

void reconnect_init(struct reconnect *, int64_t now, uint32_t n_tries,
                    uint32_t n_free_tries);
void reconnect_connecting(struct reconnect *, int64_t now);
void reconnect_connected(struct reconnect *, int64_t now);
void reconnect_activity(struct reconnect *, int64_t now);
void reconnect_disconnected(struct reconnect *, int64_t now);
int64_t reconnect_deadline(const struct reconnect *);

/* Returns what to do now.  For RECONNECT_CONNECT and RECONNECT_DISCONNECT the
 * caller does so and reports it. */
enum reconnect_action reconnect_run(struct reconnect *, int64_t now);

static inline bool
reconnect_is_connected(const struct reconnect *r)
{
    return r->state == RECONNECT_ACTIVE || r->state == RECONNECT_IDLE;
}

#endif /* reconnect.h */
