/* SPDX-License-Identifier: Apache-2.0 */
/* Packet generator of the benchmark: UDP over IPv4, paced or flat out.
 *
 *     generator KEY=VALUE...
 *
 *     dev=NAME       interface to send through (required)
 *     lengths=N,...  frame lengths without checksum, taken in turn (60)
 *     flows=N        number of 5-tuples, taken in turn (1)
 *     first=N        number of the first 5-tuple (0)
 *     rate=N         packets a second; 0 is as fast as possible (0)
 *     count=N        stop after so many packets (no limit)
 *     cpu=N          run on this CPU only
 *     reverse=1      swap the two MAC addresses
 *
 * Sends until the count is reached or SIGTERM arrives, then prints the number of
 * packets that the kernel took and the seconds that it took for them.
 *
 * A 5-tuple's number stands in the low bits of the source address (10.64.0.0/10)
 * and in the source port, so tuples up to 2**22 differ. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64                    /* Packets a system call. */
#define MAX_LENGTH 1514
#define MAX_LENGTHS 16
#define N_TUPLES (1u << 22)
#define NAP_NS 50000                /* Sleep while a paced packet isn't due. */

struct frame {
    struct ether_header eth;
    struct iphdr ip;
    struct udphdr udp;
    uint8_t payload[MAX_LENGTH - sizeof(struct ether_header)
                    - sizeof(struct iphdr) - sizeof(struct udphdr)];
} __attribute__((packed));

_Static_assert(sizeof(struct frame) == MAX_LENGTH, "frame has padding");

struct order {
    const char *dev;
    int lengths[MAX_LENGTHS];
    size_t n_lengths;
    uint32_t flows;
    uint32_t first;
    double rate;
    uint64_t count;
    int cpu;
    int reverse;
};

static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
    (void) signal_number;
    stopped = 1;
}

static void
die(const char *what)
{
    fprintf(stderr, "generator: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
usage(const char *word)
{
    fprintf(stderr, "generator: bad argument %s\n", word);
    exit(2);
}

static double
seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void
parse_lengths(struct order *order, const char *text)
{
    order->n_lengths = 0;
    while (*text && order->n_lengths < MAX_LENGTHS) {
        char *end;
        long length = strtol(text, &end, 10);

        if (length < 60 || length > MAX_LENGTH) {
            usage(text);
        }
        order->lengths[order->n_lengths++] = (int) length;
        text = *end == ',' ? end + 1 : "";
    }
}

static void
parse_word(struct order *order, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t key_length = equals ? (size_t) (equals - word) : 0;
    const char *value = equals ? equals + 1 : "";

#define KEY(NAME) (key_length == strlen(NAME) && !strncmp(word, NAME, key_length))
    if (KEY("dev")) {
        order->dev = value;
    } else if (KEY("lengths")) {
        parse_lengths(order, value);
    } else if (KEY("flows")) {
        order->flows = (uint32_t) strtoul(value, NULL, 10);
    } else if (KEY("first")) {
        order->first = (uint32_t) strtoul(value, NULL, 10);
    } else if (KEY("rate")) {
        order->rate = strtod(value, NULL);
    } else if (KEY("count")) {
        order->count = strtoull(value, NULL, 10);
    } else if (KEY("cpu")) {
        order->cpu = atoi(value);
    } else if (KEY("reverse")) {
        order->reverse = atoi(value);
    } else {
        usage(word);
    }
#undef KEY
}

static int
open_device(const char *name)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET };
    int on = 1;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);    /* Protocol 0: sends only. */

    if (fd < 0) {
        die("socket");
    }
    address.sll_ifindex = (int) if_nametoindex(name);
    if (!address.sll_ifindex) {
        die(name);
    }
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on)
        || bind(fd, (struct sockaddr *) &address, sizeof address)) {
        die(name);
    }
    return fd;
}

/* Writes what all packets of a buffer have in common. */
static void
prepare_frame(struct frame *frame, int reverse)
{
    static const uint8_t ends[2][ETH_ALEN] = {
        { 0x02, 0, 0, 0, 0, 0x01 }, { 0x02, 0, 0, 0, 0, 0x02 },
    };

    memset(frame, 0, sizeof *frame);
    memcpy(frame->eth.ether_shost, ends[!!reverse], ETH_ALEN);
    memcpy(frame->eth.ether_dhost, ends[!reverse], ETH_ALEN);
    frame->eth.ether_type = htons(ETHERTYPE_IP);
    frame->ip.version = 4;
    frame->ip.ihl = sizeof frame->ip / 4;
    frame->ip.ttl = 64;
    frame->ip.protocol = IPPROTO_UDP;
    frame->ip.daddr = htonl(0x0a000002);
    frame->udp.dest = htons(9);                 /* Checksum 0: not used. */
}

static uint16_t
ip_checksum(const struct frame *frame)
{
    const uint8_t *header = (const uint8_t *) &frame->ip;
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof frame->ip; i += 2) {
        sum += (uint32_t) header[i] << 8 | header[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    return htons((uint16_t) ~sum);
}

static void
finish_frame(struct frame *frame, int length, uint32_t tuple)
{
    size_t ip_size = (size_t) length - sizeof frame->eth;

    tuple %= N_TUPLES;
    frame->ip.tot_len = htons((uint16_t) ip_size);
    frame->ip.saddr = htonl(0x0a400000 | tuple);
    frame->ip.check = 0;
    frame->ip.check = ip_checksum(frame);
    frame->udp.source = htons((uint16_t) (1024 + tuple % 60000));
    frame->udp.len = htons((uint16_t) (ip_size - sizeof frame->ip));
}

/* How many packets may go now: at most a burst, 0 when none is due yet. */
static unsigned int
allowance(const struct order *order, uint64_t sent, double elapsed)
{
    uint64_t n = BURST;

    if (order->rate > 0) {
        double due = elapsed * order->rate - (double) sent;

        n = due < 1 ? 0 : due < BURST ? (uint64_t) due : BURST;
    }
    return (unsigned int) (n < order->count - sent ? n : order->count - sent);
}

static uint64_t
generate(const struct order *order, int fd, double start)
{
    static struct frame frames[BURST];
    struct mmsghdr messages[BURST];
    struct iovec vectors[BURST];
    uint64_t sent = 0;

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BURST; i++) {
        prepare_frame(&frames[i], order->reverse);
        vectors[i].iov_base = &frames[i];
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (!stopped && sent < order->count) {
        unsigned int n = allowance(order, sent, seconds_now() - start);

        if (!n) {
            nanosleep(&(struct timespec) { .tv_nsec = NAP_NS }, NULL);
            continue;
        }
        for (unsigned int i = 0; i < n; i++) {
            uint64_t number = sent + i;
            int length = order->lengths[number % order->n_lengths];

            finish_frame(&frames[i], length,
                         order->first + (uint32_t) (number % order->flows));
            vectors[i].iov_len = (size_t) length;
        }
        int taken = sendmmsg(fd, messages, n, 0);
        if (taken > 0) {
            sent += (uint64_t) taken;
        } else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
            die("sendmmsg");
        }
    }
    return sent;
}

int
main(int argc, char *argv[])
{
    struct order order = { .lengths = { 60 }, .n_lengths = 1, .flows = 1,
                           .count = UINT64_MAX, .cpu = -1 };

    for (int i = 1; i < argc; i++) {
        parse_word(&order, argv[i]);
    }
    if (!order.dev || !order.flows || !order.n_lengths) {
        usage("(dev, flows or lengths missing)");
    }
    if (order.cpu >= 0) {
        cpu_set_t cpus;

        CPU_ZERO(&cpus);
        CPU_SET(order.cpu, &cpus);
        if (sched_setaffinity(0, sizeof cpus, &cpus)) {
            die("sched_setaffinity");
        }
    }
    prctl(PR_SET_TIMERSLACK, 1000);
    signal(SIGTERM, stop);

    int fd = open_device(order.dev);
    double start = seconds_now();
    uint64_t sent = generate(&order, fd, start);

    printf("%llu %.6f\n", (unsigned long long) sent, seconds_now() - start);
    return 0;
}
