/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SSL_H
#define STREAM_SSL_H 1

/* TLS on a connected socket.  Without OpenSSL, every function fails with
 * ENOTSUP. */

#include <sys/types.h>

struct stream_ssl;
struct ssl_files;

/* Loads PEM files.  Returns 0 or an errno value. */
int ssl_files_load(struct ssl_files **, const char *private_key,
                   const char *certificate, const char *ca_certificate);
void ssl_files_free(struct ssl_files *);

int stream_ssl_open(struct stream_ssl **, const struct ssl_files *, int fd);
void stream_ssl_close(struct stream_ssl *);
int stream_ssl_connect(struct stream_ssl *);
ssize_t stream_ssl_recv(struct stream_ssl *, void *, size_t);
ssize_t stream_ssl_send(struct stream_ssl *, const void *, size_t);

/* POLLIN or POLLOUT if the session needs that before anything else, or 0. */
short int stream_ssl_events(const struct stream_ssl *);

#endif /* stream-ssl.h */
