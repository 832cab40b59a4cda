/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "headers.h"
#include "worker.h"

/* Internal ports: tap devices, which last as long as the port.
 *
 * The host's stack hands over and takes segments whole and checksums undone,
 * as with AF_PACKET.  A packet costs a system call each way; internal ports
 * carry the host's own traffic. */

#ifndef TUN_F_USO4              /* Headers before Linux 6.2. */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int
tap_open(struct port *port)
{
    unsigned int offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6
                            | TUN_F_TSO_ECN;
    struct ifreq ifr;
    int error;

    port->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (port->fd < 0) {
        return -errno;
    }
    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    memcpy(ifr.ifr_name, port->name, strlen(port->name));
    if (ioctl(port->fd, TUNSETIFF, &ifr)) {
        error = -errno;
        close(port->fd);
        return error;
    }
    /* Kernels before 6.2 know no UDP segmentation. */
    if (ioctl(port->fd, TUNSETOFFLOAD, offloads | TUN_F_USO4 | TUN_F_USO6)) {
        ioctl(port->fd, TUNSETOFFLOAD, offloads);
    }
    port->ifindex = if_nametoindex(port->name);
    return 0;
}

static void
tap_close(struct port *port)
{
    close(port->fd);
}

static unsigned int
tap_receive(struct port *port, struct worker *w, struct packet packets[],
            unsigned int max)
{
    unsigned int n = 0;

    while (n < max) {
        struct packet_buf *b = arena_get(&w->arena);
        struct packet *p = &packets[n];
        struct virtio_net_hdr vnet;
        struct iovec iov[2] = { { &vnet, sizeof vnet } };
        ssize_t size;

        if (!b) {
            break;
        }
        iov[1].iov_base = b->room + PACKET_HEADROOM;
        iov[1].iov_len = PACKET_ROOM - PACKET_HEADROOM;
        size = readv(port->fd, iov, 2);
        if (size < (ssize_t) sizeof vnet) {
            packet_buf_unref(b);
            break;
        }
        packet_init(p, iov[1].iov_base, size - sizeof vnet, b->room);
        p->buf = b;
        if (p->size >= ETH_HEADER_LEN && offload_from_vnet(p, &vnet)) {
            n++;
        } else {
            counter_add(&port->counters[w->id].rx_errors, 1);
            packet_uninit(p);
        }
    }
    return n;
}

static void
tap_release(struct port *port OVS_UNUSED, struct worker *w OVS_UNUSED)
{
    /* Packets own their buffers. */
}

static ssize_t
tap_write(int fd, const struct virtio_net_hdr *vnet, const void *octets,
          size_t size)
{
    struct iovec iov[2] = {
        { (void *) vnet, sizeof *vnet },
        { (void *) octets, size },
    };

    return writev(fd, iov, 2);
}

static void
write_plain(struct packet *p, void *port_)
{
    static const struct virtio_net_hdr no_offload;
    struct port *port = port_;

    (void) !tap_write(port->fd, &no_offload, p->data, p->size);
}

static void
tap_transmit(struct port *port, struct worker *w, struct tx_entry entries[],
             unsigned int n)
{
    struct port_counters *counters = &port->counters[w->id];

    for (unsigned int i = 0; i < n; i++) {
        struct tx_entry *e = &entries[i];

        if (tap_write(port->fd, &e->vnet, e->data, e->size) >= 0
            || (errno == EINVAL
                && port_transmit_in_software(port, w, e, write_plain,
                                             port))) {
            port_count_tx(port, w->id, e->size);
        } else {
            counter_add(&counters->tx_dropped, 1);
        }
    }
}

const struct port_class tap_port_class = {
    .takes_offloads = true,
    .open = tap_open,
    .close = tap_close,
    .receive = tap_receive,
    .release = tap_release,
    .transmit = tap_transmit,
};
