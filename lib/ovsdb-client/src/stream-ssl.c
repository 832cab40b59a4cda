/* SPDX-License-Identifier: Apache-2.0 */
#include "stream-ssl.h"

#include <errno.h>

#include "memory.h"

#ifdef HAVE_OPENSSL

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

struct ssl_files {
    SSL_CTX *ctx;
    BIO_METHOD *method;         /* In use by open streams. */
};

struct stream_ssl {
    SSL *ssl;
    int fd;
    short int events;           /* What the last call waits for. */
};

/* OpenSSL's own way to write to a socket would raise SIGPIPE. */
static int
bio_write(BIO *bio, const char *octets, int size)
{
    int fd = *(const int *) BIO_get_data(bio);
    ssize_t n = send(fd, octets, (size_t) size, MSG_NOSIGNAL);

    BIO_clear_retry_flags(bio);
    if (n < 0 && BIO_sock_should_retry((int) n)) {
        BIO_set_retry_write(bio);
    }
    return (int) n;
}

static int
bio_read(BIO *bio, char *octets, int size)
{
    int fd = *(const int *) BIO_get_data(bio);
    ssize_t n = recv(fd, octets, (size_t) size, 0);

    BIO_clear_retry_flags(bio);
    if (n < 0 && BIO_sock_should_retry((int) n)) {
        BIO_set_retry_read(bio);
    }
    return (int) n;
}

static long int
bio_ctrl(BIO *bio, int command, long int number, void *pointer)
{
    (void) bio;
    (void) number;
    (void) pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
bio_method(void)
{
    BIO_METHOD *method = xcheck(BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f,
                                             "ovsdb-client"));

    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

static int
load(SSL_CTX *ctx, const char *private_key, const char *certificate,
     const char *ca_certificate)
{
    if (SSL_CTX_use_PrivateKey_file(ctx, private_key, SSL_FILETYPE_PEM) != 1
        || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1
        || SSL_CTX_check_private_key(ctx) != 1
        || SSL_CTX_load_verify_locations(ctx, ca_certificate, NULL) != 1) {
        return EINVAL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return 0;
}

int
ssl_files_load(struct ssl_files **files, const char *private_key,
               const char *certificate, const char *ca_certificate)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int error = ctx ? load(ctx, private_key, certificate, ca_certificate)
                : EINVAL;

    ERR_clear_error();
    *files = NULL;
    if (error) {
        SSL_CTX_free(ctx);
        return error;
    }
    *files = xmalloc(sizeof **files);
    (*files)->ctx = ctx;
    (*files)->method = bio_method();
    return 0;
}

void
ssl_files_free(struct ssl_files *files)
{
    if (files) {
        SSL_CTX_free(files->ctx);
        BIO_meth_free(files->method);
        free(files);
    }
}

int
stream_ssl_open(struct stream_ssl **streamp, const struct ssl_files *files,
                int fd)
{
    struct stream_ssl *stream;
    BIO *bio;

    if (!files) {
        return EINVAL;          /* ovsdb_idl_set_ssl() was not called. */
    }
    stream = *streamp = xzalloc(sizeof *stream);
    stream->fd = fd;
    stream->ssl = xcheck(SSL_new(files->ctx));
    bio = xcheck(BIO_new(files->method));
    BIO_set_data(bio, &stream->fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    return 0;
}

void
stream_ssl_close(struct stream_ssl *stream)
{
    SSL_free(stream->ssl);
    free(stream);
}

/* Returns 0 at the stream's end, or a negative errno value. */
static ssize_t
result(struct stream_ssl *stream, int retval)
{
    int error = SSL_get_error(stream->ssl, retval);
    int saved_errno = errno;

    ERR_clear_error();
    stream->events = 0;
    switch (error) {
    case SSL_ERROR_WANT_READ:
        stream->events = POLLIN;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        stream->events = POLLOUT;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        return saved_errno > 0 ? -saved_errno : 0;
    default:
        return -EPROTO;
    }
}

int
stream_ssl_connect(struct stream_ssl *stream)
{
    int retval = SSL_connect(stream->ssl);
    ssize_t error = retval == 1 ? 0 : result(stream, retval);

    if (retval == 1) {
        stream->events = 0;
        return 0;
    }
    return error ? (int) -error : EPROTO;
}

ssize_t
stream_ssl_recv(struct stream_ssl *stream, void *octets, size_t size)
{
    int n = SSL_read(stream->ssl, octets,
                     size < INT_MAX ? (int) size : INT_MAX);
    ssize_t retval = n > 0 ? n : result(stream, n);

    if (stream->events == POLLIN || n > 0) {
        stream->events = 0;     /* That is waited for anyway. */
    }
    return retval;
}

ssize_t
stream_ssl_send(struct stream_ssl *stream, const void *octets, size_t size)
{
    int n = SSL_write(stream->ssl, octets,
                      size < INT_MAX ? (int) size : INT_MAX);
    ssize_t retval = n > 0 ? n : result(stream, n);

    if (stream->events == POLLOUT || n > 0) {
        stream->events = 0;
    }
    return retval ? retval : -EPIPE;
}

short int
stream_ssl_events(const struct stream_ssl *stream)
{
    return stream->events;
}

#else /* !HAVE_OPENSSL */

int
ssl_files_load(struct ssl_files **files, const char *private_key,
               const char *certificate, const char *ca_certificate)
{
    (void) private_key;
    (void) certificate;
    (void) ca_certificate;
    *files = NULL;
    return ENOTSUP;
}

void
ssl_files_free(struct ssl_files *files)
{
    (void) files;
}

int
stream_ssl_open(struct stream_ssl **stream, const struct ssl_files *files,
                int fd)
{
    (void) files;
    (void) fd;
    *stream = NULL;
    return ENOTSUP;
}

void
stream_ssl_close(struct stream_ssl *stream)
{
    (void) stream;
}

int
stream_ssl_connect(struct stream_ssl *stream)
{
    (void) stream;
    return ENOTSUP;
}

ssize_t
stream_ssl_recv(struct stream_ssl *stream, void *octets, size_t size)
{
    (void) stream;
    (void) octets;
    (void) size;
    return -ENOTSUP;
}

ssize_t
stream_ssl_send(struct stream_ssl *stream, const void *octets, size_t size)
{
    (void) stream;
    (void) octets;
    (void) size;
    return -ENOTSUP;
}

short int
stream_ssl_events(const struct stream_ssl *stream)
{
    (void) stream;
    return 0;
}

#endif
