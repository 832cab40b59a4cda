/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath.h"

#include <errno.h>

#include "memory.h"
#include "odp.h"
#include "worker.h"

/* Makes 'f' ready, with 'n_workers' workers, the control thread's included.
 * The caller starts the others. */
void
forwarder_init(struct forwarder *f, unsigned int n_workers,
               const struct port_class *netdev_class,
               const struct port_class *internal_class,
               struct upcall_sink sink, uint64_t (*now)(void))
{
    memset(f, 0, sizeof *f);
    f->netdev_class = netdev_class;
    f->internal_class = internal_class;
    f->sink = sink;
    f->now = now;
    f->n_workers = n_workers;
    rcu_init(&f->rcu, n_workers);
    for (unsigned int i = 0; i < n_workers; i++) {
        f->workers[i] = worker_create(f, i);
    }
}

void
forwarder_uninit(struct forwarder *f)
{
    while (f->datapaths) {
        datapath_destroy(f->datapaths);
    }
    for (unsigned int i = 0; i < f->n_workers; i++) {
        worker_destroy(f->workers[i]);
    }
    rcu_uninit(&f->rcu);
}

struct datapath *
datapath_find(const struct forwarder *f, uint32_t dp_ifindex)
{
    struct datapath *dp = f->datapaths;

    while (dp && dp->dp_ifindex != dp_ifindex) {
        dp = dp->next;
    }
    return dp;
}

struct datapath *
datapath_find_name(const struct forwarder *f, const char *name)
{
    struct datapath *dp = f->datapaths;

    while (dp && strcmp(dp->name, name)) {
        dp = dp->next;
    }
    return dp;
}

/* Creates datapath 'name' with its local port, an internal one of the same
 * name, whose upcalls go to 'pids'.  Returns 0 or a negative errno. */
int
datapath_create(struct forwarder *f, const char *name, const uint32_t pids[],
                uint32_t n_pids, struct datapath **dpp)
{
    struct datapath *dp;
    struct port *port;
    int error;

    if (datapath_find_name(f, name)) {
        return -EEXIST;
    }
    dp = xzalloc(sizeof *dp);
    dp->forwarder = f;
    dp->dp_ifindex = 1;
    while (datapath_find(f, dp->dp_ifindex)) {
        dp->dp_ifindex++;
    }
    strcpy(dp->name, name);     /* The request checked its size. */
    dp->flows = flow_table_create(&f->rcu, f->n_workers);
    dp->meters = meter_table_create(&f->rcu);
    dp->ports = xzalloc(DP_MAX_PORTS * sizeof *dp->ports);
    dp->next = f->datapaths;
    f->datapaths = dp;
    error = datapath_add_port(dp, ODPP_LOCAL, OVS_VPORT_TYPE_INTERNAL, name,
                              pids, n_pids, &port);
    if (error) {
        datapath_destroy(dp);
        return error;
    }
    f->had_datapaths = true;
    *dpp = dp;
    return 0;
}

/* Ports. */

struct port *
datapath_find_port_name(const struct datapath *dp, const char *name)
{
    uint32_t left = dp->n_ports;

    for (uint32_t i = 0; left; i++) {
        struct port *port = datapath_port(dp, i);

        if (port) {
            left--;
            if (!strcmp(port->name, name)) {
                return port;
            }
        }
    }
    return NULL;
}

/* Ports are spread over the workers in turn; with none but the control thread,
 * packets are handed in by other means. */
static struct worker *
choose_worker(struct forwarder *f, uint32_t port_no)
{
    return f->n_workers > 1
           ? f->workers[1 + port_no % (f->n_workers - 1)] : f->workers[0];
}

static void
port_free(struct port *port)
{
    for (unsigned int i = 0; i < MAX_WORKERS; i++) {
        free(port->tx[i]);
    }
    free(atomic_load(&port->pids));
    free(port);
}

static struct port *
port_create(struct datapath *dp, uint32_t port_no, uint32_t type,
            const char *name)
{
    struct forwarder *f = dp->forwarder;
    struct port *port = xaligned_zalloc(OVS_CACHE_LINE, sizeof *port);

    port->dp = dp;
    port->port_no = port_no;
    port->type = type;
    port->fd = -1;
    port->class = (type == OVS_VPORT_TYPE_INTERNAL ? f->internal_class
                   : f->netdev_class);
    strcpy(port->name, name);   /* The caller checked its size. */
    for (unsigned int i = 0; i < f->n_workers; i++) {
        port->tx[i] = xzalloc(sizeof *port->tx[i]);
    }
    return port;
}

/* Adds a port with number 'port_no', or any if that is ODPP_NONE.  Returns 0
 * or a negative errno, and the port in '*portp'. */
int
datapath_add_port(struct datapath *dp, uint32_t port_no, uint32_t type,
                  const char *name, const uint32_t pids[], uint32_t n_pids,
                  struct port **portp)
{
    struct forwarder *f = dp->forwarder;
    struct port *port;
    int error;

    if (type != OVS_VPORT_TYPE_NETDEV && type != OVS_VPORT_TYPE_INTERNAL) {
        return -EOPNOTSUPP;
    } else if (strlen(name) >= sizeof port->name) {
        return -ENAMETOOLONG;
    } else if (datapath_find_port_name(dp, name)) {
        return -EEXIST;
    }
    if (port_no == ODPP_NONE) {
        port_no = 1;
        while (port_no < DP_MAX_PORTS && datapath_port(dp, port_no)) {
            port_no++;
        }
    }
    if (port_no >= DP_MAX_PORTS) {
        return -EFBIG;
    } else if (datapath_port(dp, port_no)) {
        return -EBUSY;
    }
    port = port_create(dp, port_no, type, name);
    error = port->class->open(port);
    if (error) {
        port_free(port);
        return error;
    }
    port_set_pids(port, pids, n_pids);
    atomic_store(&dp->ports[port_no], port);
    dp->n_ports++;
    error = worker_add_port(choose_worker(f, port_no), port);
    if (error) {
        datapath_remove_port(dp, port);
        return error;
    }
    *portp = port;
    return 0;
}

/* Takes 'port' off 'dp'.  Workers may use it until the next grace period. */
static void
detach_port(struct datapath *dp, struct port *port)
{
    if (port->owner) {
        worker_remove_port(port->owner, port);
    }
    atomic_store(&dp->ports[port->port_no], NULL);
    dp->n_ports--;
}

static void
close_port(struct port *port)
{
    port->class->close(port);
    port_free(port);
}

/* Removes 'port'.  Waits until no worker uses it, since its class has to know
 * that nothing of its frames is in use. */
void
datapath_remove_port(struct datapath *dp, struct port *port)
{
    detach_port(dp, port);
    rcu_synchronize(&dp->forwarder->rcu);
    close_port(port);
}

/* Closing a tap device takes the kernel some 15 ms, nearly all of it waiting.
 * So when a datapath goes, threads close its ports side by side: each every
 * CLOSERS'th of the list. */
#define CLOSERS 16

struct closer {
    pthread_t thread;
    struct port **ports;
    uint32_t first, n;
};

static void *
close_some(void *closer_)
{
    const struct closer *closer = closer_;

    for (uint32_t i = closer->first; i < closer->n; i += CLOSERS) {
        close_port(closer->ports[i]);
    }
    return NULL;
}

static void
close_ports(struct port *ports[], uint32_t n)
{
    struct closer closers[CLOSERS];
    uint32_t n_threads = 0;

    for (uint32_t i = 0; i < CLOSERS; i++) {
        closers[i] = (struct closer) { .ports = ports, .first = i, .n = n };
    }
    while (n_threads < CLOSERS && n > CLOSERS
           && !pthread_create(&closers[n_threads].thread, NULL, close_some,
                              &closers[n_threads])) {
        n_threads++;
    }
    for (uint32_t i = n_threads; i < CLOSERS; i++) {
        close_some(&closers[i]);
    }
    while (n_threads) {
        pthread_join(closers[--n_threads].thread, NULL);
    }
}

static void
remove_all_ports(struct datapath *dp)
{
    struct port **ports = xmalloc(dp->n_ports * sizeof *ports);
    uint32_t n = 0;

    for (uint32_t i = 0; dp->n_ports; i++) {
        struct port *port = datapath_port(dp, i);

        if (port) {
            detach_port(dp, port);
            ports[n++] = port;
        }
    }
    rcu_synchronize(&dp->forwarder->rcu);
    close_ports(ports, n);
    free(ports);
}

/* Destroys 'dp'.  Nothing that refers to it stays in any worker: ports go
 * first, and then every worker clears its cache before it sees another
 * batch. */
void
datapath_destroy(struct datapath *dp)
{
    struct forwarder *f = dp->forwarder;
    struct datapath **p = &f->datapaths;

    remove_all_ports(dp);
    while (*p != dp) {
        p = &(*p)->next;
    }
    *p = dp->next;
    atomic_fetch_add(&f->cache_epoch, 1);
    flow_cache_clear(&f->workers[0]->cache);
    rcu_synchronize(&f->rcu);
    flow_table_destroy(dp->flows);
    meter_table_destroy(dp->meters);
    free(dp->ports);
    free(dp);
}
