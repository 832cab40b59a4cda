/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "memory.h"
#include "stream-ssl.h"

#define OVSDB_PORT "6640"

static const char *
strip(const char *remote, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(remote, prefix, size) ? NULL : remote + size;
}

static int
connect_address(struct stream *s, const void *address, socklen_t size,
                int family)
{
    int error;

    s->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) {
        return errno;
    }
    if (connect(s->fd, address, size)
        && errno != EINPROGRESS && errno != EINTR) {
        error = errno == EAGAIN ? ECONNREFUSED : errno;
        close(s->fd);
        s->fd = -1;
        return error;
    }
    s->connecting = true;
    return 0;
}

/* Connects to a path too long for an address by way of its directory. */
static int
connect_long_path(struct stream *s, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    char *directory;
    int fd, size, error;

    if (!slash) {
        return ENAMETOOLONG;
    }
    directory = xmemdup(path, (size_t) (slash - path) + 1);
    directory[slash - path] = '\0';
    fd = open(*directory ? directory : "/",
              O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    if (fd < 0) {
        return errno;
    }
    size = snprintf(sun.sun_path, sizeof sun.sun_path, "/proc/self/fd/%d%s",
                    fd, slash);
    error = (size >= (int) sizeof sun.sun_path ? ENAMETOOLONG
             : connect_address(s, &sun, sizeof sun, AF_UNIX));
    close(fd);
    return error;
}

static int
open_unix(struct stream *s, const char *path)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof sun.sun_path) {
        return connect_long_path(s, path);
    }
    strcpy(sun.sun_path, path);
    return connect_address(s, &sun, sizeof sun, AF_UNIX);
}

/* 'target' is IP:PORT, [IP]:PORT or an address alone.  Names are not resolved,
 * which would block. */
static int
open_tcp(struct stream *s, const char *target)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    const char *port = OVSDB_PORT;
    struct addrinfo *address;
    char *host = xstrdup(target);
    char *start = host;
    char *colon = strrchr(host, ':');
    int one = 1;
    int error;

    if (*host == '[') {
        char *bracket = strchr(host, ']');

        start = host + 1;
        colon = bracket && bracket[1] == ':' ? bracket + 1 : NULL;
        if (bracket) {
            *bracket = '\0';
        }
    } else if (colon && strchr(host, ':') != colon) {
        colon = NULL;           /* A bare IPv6 address. */
    }
    if (colon) {
        *colon = '\0';
        port = colon + 1;
    }
    error = (getaddrinfo(start, port, &hints, &address)
             ? EAFNOSUPPORT : 0);
    free(host);
    if (error) {
        return error;
    }
    error = connect_address(s, address->ai_addr, address->ai_addrlen,
                            address->ai_family);
    freeaddrinfo(address);
    if (!error) {
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    return error;
}

int
stream_open(struct stream *s, const char *remote,
            const struct ssl_files *files)
{
    const char *target;
    int error;

    *s = (struct stream) { .fd = -1 };
    if ((target = strip(remote, "unix:"))) {
        return open_unix(s, target);
    } else if ((target = strip(remote, "tcp:"))) {
        return open_tcp(s, target);
    } else if (!(target = strip(remote, "ssl:"))) {
        return EAFNOSUPPORT;
    }
    error = open_tcp(s, target);
    if (!error) {
        error = stream_ssl_open(&s->ssl, files, s->fd);
        if (error) {
            stream_close(s);
        }
    }
    return error;
}

void
stream_close(struct stream *s)
{
    if (s->ssl) {
        stream_ssl_close(s->ssl);
        s->ssl = NULL;
    }
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

int
stream_connect(struct stream *s)
{
    if (s->connecting) {
        struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };
        int error = 0;
        socklen_t size = sizeof error;

        if (poll(&pfd, 1, 0) <= 0) {
            return EAGAIN;
        }
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size)) {
            return errno;
        } else if (error) {
            return error;
        }
        s->connecting = false;
    }
    return s->ssl ? stream_ssl_connect(s->ssl) : 0;
}

ssize_t
stream_recv(struct stream *s, void *octets, size_t size)
{
    ssize_t n;

    if (s->ssl) {
        return stream_ssl_recv(s->ssl, octets, size);
    }
    do {
        n = recv(s->fd, octets, size, 0);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t
stream_send(struct stream *s, const void *octets, size_t size)
{
    ssize_t n;

    if (s->ssl) {
        return stream_ssl_send(s->ssl, octets, size);
    }
    do {
        n = send(s->fd, octets, size, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

short int
stream_events(const struct stream *s, bool sending)
{
    short int events;

    if (s->connecting) {
        return POLLOUT;
    }
    events = s->ssl ? stream_ssl_events(s->ssl) : 0;
    return events ? events : (short int) (POLLIN | (sending ? POLLOUT : 0));
}

bool
stream_needs_probes(const char *remote)
{
    return strip(remote, "unix:") == NULL;
}
