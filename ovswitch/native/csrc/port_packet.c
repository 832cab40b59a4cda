/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "headers.h"
#include "memory.h"
#include "worker.h"

/* Ports on network devices: an AF_PACKET socket each.
 *
 * Receiving.  The kernel writes frames to a TPACKET_V2 ring: no system call a
 * packet, none of TPACKET_V3's latency.  A slot of the ring has room for an
 * MTU-sized frame.  A larger one (GSO, up to 64 kB) the kernel also appends to
 * the socket's queue (PACKET_COPY_THRESH), and marks its slot: it is then read
 * from there, in order.  So rings stay small, 2 MB a port, whatever the size
 * of packets.  Measured against slots of 128 kB that hold everything, 32 MB a
 * port: a quarter more CPU for each gigabyte of 64 kB packets, a third less
 * for MTU-sized ones, whose slots stay in the processor's cache.
 *
 * PACKET_VNET_HDR makes segmentation and checksum work that the sender left to
 * its card cross to the receiver's card, in both directions.  A VLAN tag that
 * the kernel took out of the frame is put back.
 *
 * A second socket sends.  Each skb that is freed tells its socket that there
 * is room again, which on a socket that epoll watches costs a call into epoll
 * (7 % of all).  PACKET_QDISC_BYPASS saved nothing, and would bypass QoS.
 *
 * A slot belongs to the kernel again in 'release', when the batch is over and
 * nothing refers to the frame. */

#define SLOT_HEADROOM 64        /* For headers that actions push. */
#define MIN_SLOT_SIZE 2048
#define MAX_SLOT_SIZE 16384
#define BLOCK_SIZE (256 * 1024)
#define RING_SIZE (2 * 1024 * 1024)
#define SOCKET_QUEUE_SIZE (16 * 1024 * 1024)

struct packet_port {
    int tx_fd;                  /* Sends; port->fd only receives. */
    uint8_t *ring;
    size_t ring_size;
    uint32_t slot_size;
    uint32_t n_slots;
    uint32_t next;              /* Slot to receive from. */
    uint32_t n_held;            /* Slots before it that we still use. */
};

static int
set_option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof value) ? -errno : 0;
}

static int
get_mtu(int fd, const char *name)
{
    struct ifreq ifr;

    memset(&ifr, 0, sizeof ifr);
    memcpy(ifr.ifr_name, name, strlen(name));
    return ioctl(fd, SIOCGIFMTU, &ifr) ? 1500 : ifr.ifr_mtu;
}

/* Sizes queues beyond the system's limits if we may, else up to them. */
static void
set_queue_sizes(int fd)
{
    int size = SOCKET_QUEUE_SIZE;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
}

static int
open_ring(int fd, struct packet_port *pp, int mtu)
{
    struct tpacket_req req;
    uint32_t slot_size = MIN_SLOT_SIZE;

    while (slot_size < MAX_SLOT_SIZE && slot_size < (uint32_t) mtu + 256) {
        slot_size *= 2;
    }
    req.tp_frame_size = slot_size;
    req.tp_block_size = BLOCK_SIZE;
    req.tp_block_nr = RING_SIZE / BLOCK_SIZE;
    req.tp_frame_nr = RING_SIZE / slot_size;
    if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req)) {
        return -errno;
    }
    pp->ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                    0);
    if (pp->ring == MAP_FAILED) {
        pp->ring = NULL;
        return -errno;
    }
    pp->ring_size = RING_SIZE;
    pp->slot_size = slot_size;
    pp->n_slots = req.tp_frame_nr;
    return 0;
}

/* Binds 'fd' to the device; with protocol 0 it receives nothing. */
static int
bind_to(int fd, int ifindex, uint16_t protocol)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = ifindex,
    };

    return bind(fd, (struct sockaddr *) &sll, sizeof sll) ? -errno : 0;
}

static int
set_promiscuous(int fd, int ifindex)
{
    struct packet_mreq mreq = {
        .mr_ifindex = ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };

    return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                      sizeof mreq) ? -errno : 0;
}

static int
packet_socket(void)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

static void
packet_port_close(struct port *port)
{
    struct packet_port *pp = port->private;

    if (pp->ring) {
        munmap(pp->ring, pp->ring_size);
    }
    if (port->fd >= 0) {
        close(port->fd);
    }
    if (pp->tx_fd >= 0) {
        close(pp->tx_fd);
    }
    free(pp);
}

static int
open_receiver(struct port *port)
{
    static const int options[][2] = {
        { PACKET_VERSION, TPACKET_V2 },
        { PACKET_VNET_HDR, 1 },
        { PACKET_IGNORE_OUTGOING, 1 },
        { PACKET_RESERVE, SLOT_HEADROOM },
        { PACKET_COPY_THRESH, 1 },
    };
    int error = 0;

    port->fd = packet_socket();
    if (port->fd < 0) {
        return port->fd;
    }
    for (size_t i = 0; !error && i < ARRAY_SIZE(options); i++) {
        error = set_option(port->fd, options[i][0], options[i][1]);
    }
    if (!error) {
        set_queue_sizes(port->fd);
        error = open_ring(port->fd, port->private,
                          get_mtu(port->fd, port->name));
    }
    if (!error) {
        error = bind_to(port->fd, port->ifindex, ETH_P_ALL);
    }
    return error ? error : set_promiscuous(port->fd, port->ifindex);
}

static int
open_sender(struct port *port)
{
    struct packet_port *pp = port->private;
    int error;

    pp->tx_fd = packet_socket();
    if (pp->tx_fd < 0) {
        return pp->tx_fd;
    }
    set_queue_sizes(pp->tx_fd);
    error = set_option(pp->tx_fd, PACKET_VNET_HDR, 1);
    return error ? error : bind_to(pp->tx_fd, port->ifindex, 0);
}

static int
packet_port_open(struct port *port)
{
    struct packet_port *pp;
    int error;

    port->ifindex = if_nametoindex(port->name);
    if (!port->ifindex) {
        return -ENODEV;
    }
    port->private = pp = xzalloc(sizeof *pp);
    pp->tx_fd = -1;
    error = open_sender(port);
    if (!error) {
        error = open_receiver(port);
    }
    if (error) {
        packet_port_close(port);
    }
    return error;
}

static uint32_t
packet_port_kernel_drops(struct port *port)
{
    struct tpacket_stats stats;
    socklen_t size = sizeof stats;

    return getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size)
           ? 0 : stats.tp_drops;
}

static struct tpacket2_hdr *
slot_at(const struct packet_port *pp, uint32_t slot)
{
    return (void *) (pp->ring + (size_t) slot * pp->slot_size);
}

/* Prepares 'p' from the frame in its slot. */
static bool
receive_slot(struct packet *p, struct tpacket2_hdr *h)
{
    uint8_t *frame = (uint8_t *) h + h->tp_mac;
    struct virtio_net_hdr vnet;

    memcpy(&vnet, frame - sizeof vnet, sizeof vnet);
    packet_init(p, frame, h->tp_len, (uint8_t *) h + TPACKET2_HDRLEN);
    return offload_from_vnet(p, &vnet);
}

/* Prepares 'p' from the next packet of the socket's queue. */
static bool
receive_queued(struct port *port, struct worker *w, struct packet *p)
{
    struct packet_buf *b = arena_get(&w->arena);
    struct virtio_net_hdr vnet;
    struct iovec iov[2] = { { &vnet, sizeof vnet } };
    ssize_t n;

    if (!b) {
        /* Take it off the queue all the same: slots and queue go together. */
        recv(port->fd, &vnet, sizeof vnet, MSG_DONTWAIT | MSG_TRUNC);
        return false;
    }
    iov[1].iov_base = b->room + PACKET_HEADROOM;
    iov[1].iov_len = PACKET_ROOM - PACKET_HEADROOM;
    n = readv(port->fd, iov, 2);
    if (n < (ssize_t) (sizeof vnet + ETH_HEADER_LEN)
        || n >= (ssize_t) (sizeof vnet + iov[1].iov_len)) {
        packet_buf_unref(b);
        return false;
    }
    packet_init(p, iov[1].iov_base, n - sizeof vnet, b->room);
    p->buf = b;
    if (!offload_from_vnet(p, &vnet)) {
        packet_uninit(p);
        return false;
    }
    return true;
}

/* Puts the VLAN tag back that the kernel keeps beside the frame. */
static bool
restore_vlan(struct worker *w, struct packet *p, const struct tpacket2_hdr *h)
{
    uint16_t tpid = h->tp_status & TP_STATUS_VLAN_TPID_VALID
                    ? h->tp_vlan_tpid : ETH_TYPE_VLAN_8021Q;
    uint8_t *tag;

    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = NO_OFS;
    if (!packet_push(p, &w->arena, VLAN_HEADER_LEN)) {
        return false;
    }
    memmove(p->data, p->data + VLAN_HEADER_LEN, 2 * sizeof(struct eth_addr));
    tag = p->data + 2 * sizeof(struct eth_addr);
    put_u16(tag, htons(tpid));
    put_u16(tag + 2, htons(h->tp_vlan_tci));
    return true;
}

static bool
receive_one(struct port *port, struct worker *w, struct packet *p,
            struct tpacket2_hdr *h, uint32_t status)
{
    bool ok;

    if (status & TP_STATUS_COPY) {
        ok = receive_queued(port, w, p);
    } else {
        ok = h->tp_snaplen == h->tp_len && h->tp_len >= ETH_HEADER_LEN
             && receive_slot(p, h);
    }
    if (ok && status & TP_STATUS_VLAN_VALID && !restore_vlan(w, p, h)) {
        packet_uninit(p);
        ok = false;
    }
    return ok;
}

/* The kernel reports on the socket that a device went down or away; reading
 * the report keeps epoll from repeating it. */
static void
clear_socket_error(int fd)
{
    socklen_t size = sizeof(int);
    int error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
}

static unsigned int
packet_port_receive(struct port *port, struct worker *w,
                    struct packet packets[], unsigned int max)
{
    struct packet_port *pp = port->private;
    unsigned int n = 0;

    while (n < max && pp->n_held < pp->n_slots) {
        struct tpacket2_hdr *h = slot_at(pp, pp->next);
        uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);

        if (!(status & TP_STATUS_USER)) {
            break;
        }
        if (receive_one(port, w, &packets[n], h, status)) {
            n++;
        } else {
            counter_add(&port->counters[w->id].rx_dropped, 1);
        }
        pp->next = pp->next + 1 < pp->n_slots ? pp->next + 1 : 0;
        pp->n_held++;
    }
    if (!pp->n_held) {
        clear_socket_error(port->fd);
    }
    return n;
}

static void
packet_port_release(struct port *port, struct worker *w OVS_UNUSED)
{
    struct packet_port *pp = port->private;

    while (pp->n_held) {
        uint32_t slot = (pp->next + pp->n_slots - pp->n_held) % pp->n_slots;

        __atomic_store_n(&slot_at(pp, slot)->tp_status, TP_STATUS_KERNEL,
                         __ATOMIC_RELEASE);
        pp->n_held--;
    }
}

static void
send_plain(struct packet *p, void *port_)
{
    static const struct virtio_net_hdr no_offload;
    struct port *port = port_;
    struct packet_port *pp = port->private;
    struct iovec iov[2] = {
        { (void *) &no_offload, sizeof no_offload },
        { p->data, p->size },
    };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    /* Loss shows in the device's own statistics. */
    (void) !sendmsg(pp->tx_fd, &msg, MSG_DONTWAIT);
}

/* Handles that the kernel refused 'e' with 'error'.  Returns true if the
 * entries behind it may fare better. */
static bool
handle_refusal(struct port *port, struct worker *w, const struct tx_entry *e,
               int error)
{
    struct port_counters *counters = &port->counters[w->id];

    switch (error) {
    case EINVAL:
        /* A header that the kernel cannot segment, or the like. */
        if (port_transmit_in_software(port, w, e, send_plain, port)) {
            port_count_tx(port, w->id, e->size);
            return true;
        }
        counter_add(&counters->tx_errors, 1);
        return true;
    case EMSGSIZE:
        counter_add(&counters->tx_dropped, 1);
        return true;
    default:
        /* EAGAIN, ENOBUFS: no room.  ENETDOWN, ENXIO: no device. */
        return false;
    }
}

static void
packet_port_transmit(struct port *port, struct worker *w,
                     struct tx_entry entries[], unsigned int n)
{
    struct packet_port *pp = port->private;
    struct mmsghdr msgs[BATCH];
    struct iovec iovs[BATCH][2];
    unsigned int done = 0;

    memset(msgs, 0, n * sizeof msgs[0]);
    for (unsigned int i = 0; i < n; i++) {
        iovs[i][0].iov_base = &entries[i].vnet;
        iovs[i][0].iov_len = sizeof entries[i].vnet;
        iovs[i][1].iov_base = entries[i].data;
        iovs[i][1].iov_len = entries[i].size;
        msgs[i].msg_hdr.msg_iov = iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 2;
    }
    while (done < n) {
        int sent = sendmmsg(pp->tx_fd, msgs + done, n - done, MSG_DONTWAIT);

        for (int i = 0; i < sent; i++) {
            port_count_tx(port, w->id, entries[done + i].size);
        }
        if (sent > 0) {
            done += sent;
        } else if (handle_refusal(port, w, &entries[done], errno)) {
            done++;
        } else {
            counter_add(&port->counters[w->id].tx_dropped, n - done);
            break;
        }
    }
}

const struct port_class packet_port_class = {
    .takes_offloads = true,
    .open = packet_port_open,
    .close = packet_port_close,
    .kernel_drops = packet_port_kernel_drops,
    .receive = packet_port_receive,
    .release = packet_port_release,
    .transmit = packet_port_transmit,
};
