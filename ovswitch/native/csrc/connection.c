/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"

#define SOCKET_BUFFER (4 << 20)

struct connection *
connection_create(int fd, struct forwarder *f, uint32_t pid)
{
    struct connection *c = xzalloc(sizeof *c);
    int size = SOCKET_BUFFER;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    c->fd = fd;
    c->client.forwarder = f;
    c->client.pid = pid;
    c->last = &c->first;
    return c;
}

void
connection_destroy(struct connection *c)
{
    while (c->first) {
        struct datagram *d = c->first;

        c->first = d->next;
        free(d);
    }
    nl_buf_uninit(&c->client.replies);
    close(c->fd);
    free(c);
}

/* Tries to send now.  Returns false if the socket is full; notes in 'failed'
 * if it is dead, and then there is nothing to wait for either. */
static bool
try_send(struct connection *c, const void *octets, size_t size)
{
    ssize_t n;

    do {
        n = send(c->fd, octets, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        return true;
    } else if (errno == EAGAIN || errno == ENOBUFS) {
        return false;
    }
    c->failed = true;
    return true;
}

static void
append(struct connection *c, const void *octets, size_t size,
       unsigned int n_upcalls)
{
    struct datagram *d = xmalloc(sizeof *d + size);

    d->next = NULL;
    d->size = size;
    d->n_upcalls = n_upcalls;
    memcpy(d->octets, octets, size);
    *c->last = d;
    c->last = &d->next;
    if (n_upcalls) {
        c->n_upcalls += n_upcalls;
        c->upcall_bytes += size;
    } else {
        c->reply_bytes += size;
    }
}

/* Sends or queues a datagram of upcalls.  Returns false if it is lost. */
bool
connection_send_upcalls(struct connection *c, const void *octets, size_t size,
                        unsigned int n_upcalls)
{
    if (!c->failed && !c->first && try_send(c, octets, size)) {
        return !c->failed;
    }
    if (c->failed || c->n_upcalls + n_upcalls > MAX_UPCALLS
        || c->upcall_bytes + size > MAX_UPCALL_BYTES) {
        return false;
    }
    append(c, octets, size, n_upcalls);
    return true;
}

/* Sends or queues a datagram of replies. */
void
connection_send_replies(struct connection *c, const void *octets, size_t size)
{
    if (c->failed || (!c->first && try_send(c, octets, size))) {
        return;
    }
    if (c->reply_bytes + size > MAX_REPLY_BYTES) {
        c->failed = true;
        return;
    }
    append(c, octets, size, 0);
}

/* Sends what it can of the queue. */
void
connection_drain(struct connection *c)
{
    while (c->first && !c->failed) {
        struct datagram *d = c->first;

        if (!try_send(c, d->octets, d->size)) {
            return;
        }
        c->first = d->next;
        if (!c->first) {
            c->last = &c->first;
        }
        if (d->n_upcalls) {
            c->n_upcalls -= d->n_upcalls;
            c->upcall_bytes -= d->size;
        } else {
            c->reply_bytes -= d->size;
        }
        free(d);
    }
}
