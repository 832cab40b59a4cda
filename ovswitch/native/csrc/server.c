/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection.h"
#include "memory.h"

#define MAX_REQUEST (1u << 20)  /* Greatest datagram from a client. */
#define REPLY_SIZE 32768        /* About a datagram of replies. */
#define DUMP_CHUNKS 8           /* Of a dump, before other clients' turn. */
#define MAX_CONNECTIONS 256
#define TICK_MS 1000
#define RCU_TICK_MS 5
#define IDLE_EXIT_MS 10000      /* Nothing to do, ever, and nobody there. */
#define EVENTS 32

struct server {
    int listen_fd;
    int epoll_fd;
    int signal_fd;
    const char *socket_path;
    struct stat socket_stat;    /* To notice that it is not ours any more. */
    struct forwarder *forwarder;
    uint8_t *request;           /* MAX_REQUEST octets. */
    uint32_t last_pid;
    unsigned int n_connections;
    uint64_t idle_since;
    uint64_t last_tick;

    pthread_mutex_t lock;       /* Protects the list and the queues. */
    struct connection *connections;
};

static void
watch(int epoll_fd, int op, int fd, uint32_t events, void *p)
{
    struct epoll_event event = { .events = events, .data.ptr = p };

    epoll_ctl(epoll_fd, op, fd, &event);
}

/* Asks to be told when 'c' takes more, if there is more for it. */
static void
watch_connection(struct server *s, struct connection *c)
{
    bool out = connection_has_queue(c) || c->client.dump.active;

    watch(s->epoll_fd, EPOLL_CTL_MOD, c->fd, EPOLLIN | (out ? EPOLLOUT : 0),
          c);
}

/* Creates a server for a socket that listens already at 'socket_path', which
 * the caller keeps. */
struct server *
server_create(int listen_fd, const char *socket_path)
{
    struct server *s = xzalloc(sizeof *s);
    sigset_t signals;

    s->listen_fd = listen_fd;
    s->socket_path = socket_path;
    stat(socket_path, &s->socket_stat);
    pthread_mutex_init(&s->lock, NULL);
    s->request = xmalloc(MAX_REQUEST);
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    watch(s->epoll_fd, EPOLL_CTL_ADD, s->listen_fd, EPOLLIN, &s->listen_fd);
    watch(s->epoll_fd, EPOLL_CTL_ADD, s->signal_fd, EPOLLIN, &s->signal_fd);
    return s;
}

void
server_destroy(struct server *s)
{
    while (s->connections) {
        struct connection *c = s->connections;

        s->connections = c->next;
        connection_destroy(c);
    }
    close(s->signal_fd);
    close(s->epoll_fd);
    pthread_mutex_destroy(&s->lock);
    free(s->request);
    free(s);
}

/* Called by any thread. */
static bool
send_upcalls(void *server_, uint32_t pid, const void *octets, size_t size,
             unsigned int n_upcalls)
{
    struct server *s = server_;
    struct connection *c;
    bool sent = false;

    pthread_mutex_lock(&s->lock);
    for (c = s->connections; c; c = c->next) {
        if (c->client.pid == pid) {
            bool had_queue = connection_has_queue(c);

            sent = connection_send_upcalls(c, octets, size, n_upcalls);
            if (!had_queue && connection_has_queue(c)) {
                watch(s->epoll_fd, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT,
                      c);
            }
            break;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return sent;
}

struct upcall_sink
server_sink(struct server *s)
{
    return (struct upcall_sink) { send_upcalls, s };
}

static void
accept_connections(struct server *s)
{
    for (;;) {
        int fd = accept4(s->listen_fd, NULL, NULL,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct connection *c;

        if (fd < 0) {
            return;
        } else if (s->n_connections >= MAX_CONNECTIONS) {
            close(fd);
            continue;
        }
        /* 0 means "none" and UINT32_MAX "default" in upcall pids. */
        s->last_pid = s->last_pid < UINT32_MAX - 1 ? s->last_pid + 1 : 1;
        c = connection_create(fd, s->forwarder, s->last_pid);
        pthread_mutex_lock(&s->lock);
        c->next = s->connections;
        s->connections = c;
        pthread_mutex_unlock(&s->lock);
        s->n_connections++;
        watch(s->epoll_fd, EPOLL_CTL_ADD, fd, EPOLLIN, c);
    }
}

static void
close_connection(struct server *s, struct connection *c)
{
    struct connection **p = &s->connections;

    pthread_mutex_lock(&s->lock);
    while (*p != c) {
        p = &(*p)->next;
    }
    *p = c->next;
    pthread_mutex_unlock(&s->lock);
    s->n_connections--;
    connection_destroy(c);
}

/* Sends the client's replies, in datagrams of whole messages. */
static void
send_replies(struct server *s, struct connection *c)
{
    struct nl_buf *b = &c->client.replies;
    size_t start = 0;

    pthread_mutex_lock(&s->lock);
    while (start < b->size) {
        size_t end = start;

        do {
            const struct nlmsghdr *nlmsg = (const void *) (b->base + end);

            end += NLMSG_ALIGN(nlmsg->nlmsg_len);
        } while (end < b->size && end - start < REPLY_SIZE);
        connection_send_replies(c, b->base + start, end - start);
        start = end;
    }
    b->size = 0;
    pthread_mutex_unlock(&s->lock);
}

static void
continue_dump(struct server *s, struct connection *c)
{
    for (int i = 0; i < DUMP_CHUNKS; i++) {
        if (!c->client.dump.active || connection_has_queue(c) || c->failed) {
            break;
        }
        request_continue(&c->client, REPLY_SIZE);
        send_replies(s, c);
    }
}

/* Reads what requests there are, some at a time.  Returns false at the
 * connection's end. */
static bool
read_requests(struct server *s, struct connection *c)
{
    for (int i = 0; i < 16; i++) {
        struct iovec iov = { s->request, MAX_REQUEST };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        } else if (!n || msg.msg_flags & MSG_TRUNC) {
            return false;
        }
        request_handle(&c->client, s->request, n);
        send_replies(s, c);
    }
    return true;
}

static void
run_connection(struct server *s, struct connection *c, uint32_t events)
{
    bool alive = true;

    if (events & EPOLLIN) {
        alive = read_requests(s, c);
    } else if (events & (EPOLLHUP | EPOLLERR)) {
        alive = false;
    }
    pthread_mutex_lock(&s->lock);
    connection_drain(c);
    pthread_mutex_unlock(&s->lock);
    if (alive) {
        continue_dump(s, c);
    }
    pthread_mutex_lock(&s->lock);
    alive = alive && !c->failed;
    if (alive) {
        watch_connection(s, c);
    }
    pthread_mutex_unlock(&s->lock);
    if (!alive) {
        close_connection(s, c);
    }
}

/* Returns true if the socket is still at its path. */
static bool
socket_is_ours(const struct server *s)
{
    struct stat st;

    return !stat(s->socket_path, &st)
           && st.st_ino == s->socket_stat.st_ino
           && st.st_dev == s->socket_stat.st_dev;
}

/* Once a second.  Returns false if it is time to end. */
static bool
tick(struct server *s, uint64_t now)
{
    struct forwarder *f = s->forwarder;

    for (struct datapath *dp = f->datapaths; dp; dp = dp->next) {
        flow_table_sort(dp->flows);
    }
    if (f->datapaths || s->connections) {
        s->idle_since = now;
    }
    return socket_is_ours(s) && now - s->idle_since < IDLE_EXIT_MS;
}

static bool
must_end(struct server *s)
{
    uint64_t now = s->forwarder->now();

    if (s->forwarder->had_datapaths && !s->forwarder->datapaths) {
        return true;
    }
    if (now - s->last_tick >= TICK_MS) {
        s->last_tick = now;
        return !tick(s, now);
    }
    return false;
}

/* Serves clients until the last datapath is deleted, SIGTERM or SIGINT comes,
 * the socket is gone, or there was nothing to serve for a while.  Returns 0 or
 * a negative errno. */
int
server_run(struct server *s, struct forwarder *f)
{
    struct epoll_event events[EVENTS];

    s->forwarder = f;
    s->last_tick = s->idle_since = f->now();
    while (!must_end(s)) {
        int timeout = rcu_poll(&f->rcu) ? RCU_TICK_MS : TICK_MS;
        int n = epoll_wait(s->epoll_fd, events, EVENTS, timeout);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &s->signal_fd) {
                return 0;
            } else if (events[i].data.ptr == &s->listen_fd) {
                accept_connections(s);
            } else {
                run_connection(s, events[i].data.ptr, events[i].events);
            }
        }
    }
    return 0;
}
