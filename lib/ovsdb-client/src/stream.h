/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_H
#define STREAM_H 1

/* Connections that never block: unix, tcp and, with OpenSSL, ssl.
 *
 * Functions that return ssize_t return a number of octets, 0 at the end of
 * the stream, or a negative errno value: -EAGAIN to wait for stream_events().
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream_ssl;
struct ssl_files;

struct stream {
    int fd;
    bool connecting;
    struct stream_ssl *ssl;     /* NULL for a plain socket. */
};

/* Begins to connect.  Returns 0 or an errno value; then there is nothing to
 * close. */
int stream_open(struct stream *, const char *remote,
                const struct ssl_files *);
void stream_close(struct stream *);

/* Goes on with connecting.  Returns 0 when that is done, EAGAIN to wait, or
 * another errno value. */
int stream_connect(struct stream *);
ssize_t stream_recv(struct stream *, void *, size_t);
ssize_t stream_send(struct stream *, const void *, size_t);

/* What to wait for with poll(), if there is something to send or not. */
short int stream_events(const struct stream *, bool sending);

/* Whether a remote is of a kind that cannot vanish silently. */
bool stream_needs_probes(const char *remote);

#endif /* stream.h */
