/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "odp.h"
#include "port.h"

static const struct nl_policy vport_policy[] = {
    [OVS_VPORT_ATTR_PORT_NO] = NL_EXACT(4),
    [OVS_VPORT_ATTR_TYPE] = NL_EXACT(4),
    [OVS_VPORT_ATTR_NAME] = { 2, DP_NAME_MAX },
    [OVS_VPORT_ATTR_OPTIONS] = { 0, NL_ANY_SIZE },
    [OVS_VPORT_ATTR_UPCALL_PID] = { 0, NL_ANY_SIZE },
    [OVS_VPORT_ATTR_STATS] = NL_EXACT(sizeof(struct ovs_vport_stats)),
};
#define N_ATTRS ARRAY_SIZE(vport_policy)

static void
get_stats(const struct port *port, struct ovs_vport_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (unsigned int i = 0; i < port->dp->forwarder->n_workers; i++) {
        const struct port_counters *c = &port->counters[i];

        stats->rx_packets += atomic_load(&c->rx_packets);
        stats->tx_packets += atomic_load(&c->tx_packets);
        stats->rx_bytes += atomic_load(&c->rx_bytes);
        stats->tx_bytes += atomic_load(&c->tx_bytes);
        stats->rx_errors += atomic_load(&c->rx_errors);
        stats->tx_errors += atomic_load(&c->tx_errors);
        stats->rx_dropped += atomic_load(&c->rx_dropped);
        stats->tx_dropped += atomic_load(&c->tx_dropped);
    }
}

/* Adds what the kernel dropped to the control thread's counters. */
static void
note_kernel_drops(struct port *port)
{
    if (port->class->kernel_drops) {
        counter_add(&port->counters[0].rx_dropped,
                    port->class->kernel_drops(port));
    }
}

static void
put_vport(struct client *c, const struct nlmsghdr *request, uint8_t cmd,
          struct port *port)
{
    size_t start = reply_start(c, request, cmd, OVS_VPORT_VERSION,
                               port->dp->dp_ifindex);
    const struct upcall_pids *pids = atomic_load(&port->pids);
    struct ovs_vport_stats stats;

    nl_put_u32(&c->replies, OVS_VPORT_ATTR_PORT_NO, port->port_no);
    nl_put_u32(&c->replies, OVS_VPORT_ATTR_TYPE, port->type);
    nl_put_string(&c->replies, OVS_VPORT_ATTR_NAME, port->name);
    nl_put_u32(&c->replies, OVS_VPORT_ATTR_IFINDEX, port->ifindex);
    note_kernel_drops(port);
    get_stats(port, &stats);
    nl_put_unspec(&c->replies, OVS_VPORT_ATTR_STATS, &stats, sizeof stats);
    nl_put_unspec(&c->replies, OVS_VPORT_ATTR_UPCALL_PID, pids->pids,
                  pids->n * sizeof pids->pids[0]);
    reply_end(c, start);
}

static int
create(const struct request *rq, const struct nlattr *attrs[])
{
    struct datapath *dp = datapath_find(rq->client->forwarder,
                                        rq->dp_ifindex);
    const struct nlattr *pids = attrs[OVS_VPORT_ATTR_UPCALL_PID];
    struct port *port;
    int error;

    if (!attrs[OVS_VPORT_ATTR_NAME] || !attrs[OVS_VPORT_ATTR_TYPE]) {
        return -EINVAL;
    } else if (!dp) {
        return -ENODEV;
    }
    error = datapath_add_port(dp,
                              attrs[OVS_VPORT_ATTR_PORT_NO]
                              ? nl_u32(attrs[OVS_VPORT_ATTR_PORT_NO])
                              : ODPP_NONE,
                              nl_u32(attrs[OVS_VPORT_ATTR_TYPE]),
                              nl_data(attrs[OVS_VPORT_ATTR_NAME]),
                              pids ? nl_data(pids) : NULL,
                              pids ? nl_size(pids) / 4 : 0, &port);
    if (!error && wants_echo(rq)) {
        put_vport(rq->client, rq->nlmsg, OVS_VPORT_CMD_NEW, port);
    }
    return error;
}

/* Finds the port by name, in any datapath if the request names none, or by
 * number. */
static int
find_port(const struct request *rq, const struct nlattr *attrs[],
          struct port **portp)
{
    struct forwarder *f = rq->client->forwarder;
    const struct nlattr *name = attrs[OVS_VPORT_ATTR_NAME];
    const struct nlattr *number = attrs[OVS_VPORT_ATTR_PORT_NO];

    *portp = NULL;
    if (name) {
        for (struct datapath *dp = f->datapaths; dp && !*portp;
             dp = dp->next) {
            if (!rq->dp_ifindex || dp->dp_ifindex == rq->dp_ifindex) {
                *portp = datapath_find_port_name(dp, nl_data(name));
            }
        }
        return *portp ? 0 : -ENODEV;
    } else if (number) {
        struct datapath *dp = datapath_find(f, rq->dp_ifindex);

        if (dp) {
            *portp = datapath_port(dp, nl_u32(number));
        }
        return *portp ? 0 : -ENODEV;
    }
    return -EINVAL;
}

static int
vport_handle(const struct request *rq)
{
    const struct nlattr *attrs[N_ATTRS];
    const struct nlattr *pids;
    struct port *port;
    int error;

    if (nl_parse(rq->attrs, rq->attrs_size, vport_policy, attrs, N_ATTRS)
        || (attrs[OVS_VPORT_ATTR_NAME]
            && !nl_string_valid(attrs[OVS_VPORT_ATTR_NAME]))) {
        return -EINVAL;
    }
    if (rq->genl->cmd == OVS_VPORT_CMD_NEW) {
        return create(rq, attrs);
    }
    error = find_port(rq, attrs, &port);
    if (error) {
        return error;
    }
    switch (rq->genl->cmd) {
    case OVS_VPORT_CMD_SET:
        pids = attrs[OVS_VPORT_ATTR_UPCALL_PID];
        if (attrs[OVS_VPORT_ATTR_TYPE]
            && nl_u32(attrs[OVS_VPORT_ATTR_TYPE]) != port->type) {
            return -EINVAL;
        }
        if (pids) {
            port_set_pids(port, nl_data(pids), nl_size(pids) / 4);
        }
        break;
    case OVS_VPORT_CMD_DEL:
        if (port->port_no == ODPP_LOCAL) {
            return -EINVAL;
        }
        break;
    case OVS_VPORT_CMD_GET:
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (rq->genl->cmd == OVS_VPORT_CMD_GET || wants_echo(rq)) {
        put_vport(rq->client, rq->nlmsg, rq->genl->cmd, port);
    }
    if (rq->genl->cmd == OVS_VPORT_CMD_DEL) {
        datapath_remove_port(port->dp, port);
    }
    return 0;
}

static int
vport_dump_start(const struct request *rq)
{
    return datapath_find(rq->client->forwarder, rq->dp_ifindex) ? 0 : -ENODEV;
}

static bool
vport_dump_next(struct client *c)
{
    const struct datapath *dp = datapath_find(c->forwarder,
                                              c->dump.dp_ifindex);

    while (dp && c->dump.cursor < DP_MAX_PORTS) {
        struct port *port = datapath_port(dp, c->dump.cursor++);

        if (port) {
            put_vport(c, &c->dump.nlmsg, c->dump.cmd, port);
            return true;
        }
    }
    return false;
}

const struct family vport_family = {
    .handle = vport_handle,
    .dump_next = vport_dump_next,
    .dump_start = vport_dump_start,
};
