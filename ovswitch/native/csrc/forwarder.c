/* SPDX-License-Identifier: Apache-2.0 */

/* ovs-forwarder: the userspace datapath of a run directory, as a process.
 *
 * It listens on RUNDIR/ovs-forwarder.sock and holds a lock on
 * RUNDIR/ovs-forwarder.pid, so that a run directory has one.  See server.c for
 * when it ends. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "port.h"
#include "server.h"
#include "worker.h"

#define SOCKET_NAME "ovs-forwarder.sock"
#define PID_NAME "ovs-forwarder.pid"
#define MAX_DEFAULT_THREADS 4

struct options {
    char rundir[PATH_MAX];
    bool detach;
    unsigned int n_threads;     /* That forward. */
};

static void
usage(void)
{
    printf("ovs-forwarder: userspace datapath\n"
           "usage: ovs-forwarder --rundir=DIR [OPTIONS]\n"
           "  --rundir=DIR     directory of the control socket\n"
           "  --detach         run in background, return when ready\n"
           "  --threads=N      forwarding threads (default: by processors)\n"
           "  -h, --help       display this help message\n"
           "  -V, --version    display version information\n");
}

static void
fail(const char *what, int error)
{
    fprintf(stderr, "ovs-forwarder: %s%s%s\n", what, error ? ": " : "",
            error ? strerror(error) : "");
    exit(EXIT_FAILURE);
}

static uint64_t
monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000) + ts.tv_nsec / 1000000;
}

/* One forwarding thread for each processor but one, which the switch's daemon
 * and the control thread share. */
static unsigned int
default_threads(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN) - 1;

    return n < 1 ? 1 : MIN(n, MAX_DEFAULT_THREADS);
}

static void
parse_options(int argc, char *argv[], struct options *o)
{
    static const struct option long_options[] = {
        { "rundir", required_argument, NULL, 'r' },
        { "detach", no_argument, NULL, 'd' },
        { "threads", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    const char *rundir = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        switch (c) {
        case 'r':
            rundir = optarg;
            break;
        case 'd':
            o->detach = true;
            break;
        case 't':
            o->n_threads = strtoul(optarg, NULL, 10);
            if (o->n_threads < 1 || o->n_threads >= MAX_WORKERS) {
                fail("--threads: not a number from 1 to 7", 0);
            }
            break;
        case 'h':
            usage();
            exit(EXIT_SUCCESS);
        case 'V':
            printf("ovs-forwarder (Open vSwitch) 3.1.0\n");
            exit(EXIT_SUCCESS);
        default:
            exit(EXIT_FAILURE);
        }
    }
    if (optind < argc) {
        fail("takes no arguments but options; use --help for help", 0);
    } else if (!rundir) {
        fail("--rundir is required; use --help for help", 0);
    } else if (!realpath(rundir, o->rundir)) {
        fail(rundir, errno);
    }
}

/* Goes to the background.  Returns a descriptor to tell the waiting parent on
 * that we are ready; the parent fails if we end before. */
static int
detach(void)
{
    int fds[2];
    char c;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC)) {
        fail("pipe", errno);
    }
    pid = fork();
    if (pid < 0) {
        fail("fork", errno);
    } else if (pid) {
        close(fds[1]);
        _exit(read(fds[0], &c, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(fds[0]);
    setsid();
    return fds[1];
}

static void
complete_detach(int fd)
{
    int null_fd = open("/dev/null", O_RDWR);

    for (int i = 0; null_fd >= 0 && i < 3; i++) {
        dup2(null_fd, i);
    }
    if (null_fd > 2) {
        close(null_fd);
    }
    (void) !write(fd, "", 1);
    close(fd);
}

/* Takes the lock, in the current directory, or fails. */
static void
lock_pid_file(void)
{
    int fd = open(PID_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char pid[32];
    int n;

    if (fd < 0) {
        fail(PID_NAME, errno);
    } else if (fcntl(fd, F_SETLK, &lock)) {
        fail("another one runs in this directory", 0);
    }
    n = snprintf(pid, sizeof pid, "%ld\n", (long) getpid());
    if (ftruncate(fd, 0) || write(fd, pid, n) != n) {
        fail(PID_NAME, errno);
    }
    /* The descriptor stays open: it is the lock. */
}

/* Returns a socket that listens in the current directory. */
static int
listen_here(void)
{
    struct sockaddr_un sun = {
        .sun_family = AF_UNIX,
        .sun_path = SOCKET_NAME,
    };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    0);
    mode_t old_mask = umask(0077);

    unlink(SOCKET_NAME);
    if (fd < 0 || bind(fd, (struct sockaddr *) &sun, sizeof sun)
        || listen(fd, 64)) {
        fail(SOCKET_NAME, errno);
    }
    umask(old_mask);
    return fd;
}

static void
start_workers(struct forwarder *f)
{
    for (unsigned int i = 1; i < f->n_workers; i++) {
        int error = worker_start(f->workers[i]);

        if (error) {
            fail("starting a thread", -error);
        }
    }
}

/* Removes what we made in the run directory, unless someone else has put their
 * own there. */
static void
remove_files(const char *rundir, const struct stat *socket_stat)
{
    struct stat st;

    if (!chdir(rundir) && !stat(SOCKET_NAME, &st)
        && st.st_ino == socket_stat->st_ino) {
        unlink(SOCKET_NAME);
        unlink(PID_NAME);
    }
}

int
main(int argc, char *argv[])
{
    struct options o = { .n_threads = default_threads() };
    char socket_path[PATH_MAX + sizeof SOCKET_NAME];
    struct stat socket_stat;
    struct forwarder *f;
    struct server *server;
    int ready_fd = -1;
    int listen_fd, error;

    parse_options(argc, argv, &o);
    prctl(PR_SET_NAME, "ovs-forwarder");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (o.detach) {
        ready_fd = detach();
    }

    /* Names relative to the directory have no limit of length. */
    if (chdir(o.rundir)) {
        fail(o.rundir, errno);
    }
    lock_pid_file();
    listen_fd = listen_here();
    snprintf(socket_path, sizeof socket_path, "%s/%s", o.rundir, SOCKET_NAME);
    if (stat(SOCKET_NAME, &socket_stat) || chdir("/")) {
        fail(socket_path, errno);
    }

    /* The server blocks signals, so it comes before the threads. */
    server = server_create(listen_fd, socket_path);
    f = xmalloc(sizeof *f);
    forwarder_init(f, 1 + o.n_threads, &packet_port_class, &tap_port_class,
                   server_sink(server), monotonic_ms);
    start_workers(f);
    if (o.detach) {
        complete_detach(ready_fd);
    }
    error = server_run(server, f);
    remove_files(o.rundir, &socket_stat);
    forwarder_uninit(f);
    server_destroy(server);
    free(f);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
