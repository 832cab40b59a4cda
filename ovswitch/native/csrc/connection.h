/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTION_H
#define CONNECTION_H 1

/* A client of the control socket and what waits to be sent to it.
 *
 * The server's lock protects the queue and 'failed', since any thread may have
 * an upcall for the connection.  The rest is the control thread's. */

#include "request.h"

#define MAX_UPCALLS 1024        /* Packets waiting in a queue ... */
#define MAX_UPCALL_BYTES (4u << 20)
#define MAX_REPLY_BYTES (64u << 20)

struct datagram {
    struct datagram *next;
    size_t size;
    unsigned int n_upcalls;     /* 0 for replies. */
    uint8_t octets[];
};

struct connection {
    struct connection *next;
    int fd;
    struct client client;       /* Its state as a client; has the pid. */

    /* Under the server's lock. */
    struct datagram *first, **last;
    size_t n_upcalls, upcall_bytes, reply_bytes;
    bool failed;                /* To be closed by the control thread. */
};

struct connection *connection_create(int fd, struct forwarder *, uint32_t pid);
void connection_destroy(struct connection *);
bool connection_send_upcalls(struct connection *, const void *, size_t size,
                             unsigned int n_upcalls);
void connection_send_replies(struct connection *, const void *, size_t size);
void connection_drain(struct connection *);

static inline bool
connection_has_queue(const struct connection *c)
{
    return c->first;
}

#endif /* connection.h */
