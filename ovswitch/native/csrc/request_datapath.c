/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "extract.h"
#include "odp.h"
#include "worker.h"

static const struct nl_policy datapath_policy[] = {
    [OVS_DP_ATTR_NAME] = { 2, DP_NAME_MAX },
    [OVS_DP_ATTR_UPCALL_PID] = { 0, NL_ANY_SIZE },
    [OVS_DP_ATTR_USER_FEATURES] = NL_EXACT(4),
    [ODP_DP_VLAN_LIMIT] = NL_EXACT(4),
};
#define N_ATTRS ARRAY_SIZE(datapath_policy)

static uint64_t
sum(const struct datapath *dp, size_t ofs)
{
    uint64_t total = 0;

    for (unsigned int i = 0; i < dp->forwarder->n_workers; i++) {
        const uint8_t *counters = (const uint8_t *) &dp->counters[i];

        total += atomic_load_explicit(
            (const _Atomic(uint64_t) *) (counters + ofs),
            memory_order_relaxed);
    }
    return total;
}
#define SUM(DP, MEMBER) sum(DP, offsetof(struct dp_counters, MEMBER))

static void
put_datapath(struct client *c, const struct nlmsghdr *request, uint8_t cmd,
             const struct datapath *dp)
{
    size_t start = reply_start(c, request, cmd, OVS_DATAPATH_VERSION,
                               dp->dp_ifindex);
    struct ovs_dp_stats stats = {
        .n_hit = SUM(dp, n_hit),
        .n_missed = SUM(dp, n_missed),
        .n_lost = SUM(dp, n_lost),
        .n_flows = flow_table_n_flows(dp->flows),
    };
    struct ovs_dp_megaflow_stats megaflow = {
        .n_mask_hit = SUM(dp, n_mask_hit),
        .n_masks = flow_table_n_masks(dp->flows),
    };
    uint64_t n_cache_hit = SUM(dp, n_cache_hit);

    /* In a member that headers before Linux 5.12 call padding. */
    _Static_assert(sizeof megaflow == 32, "ovs_dp_megaflow_stats");
    memcpy((uint8_t *) &megaflow + 16, &n_cache_hit, sizeof n_cache_hit);

    nl_put_string(&c->replies, OVS_DP_ATTR_NAME, dp->name);
    nl_put_unspec(&c->replies, OVS_DP_ATTR_STATS, &stats, sizeof stats);
    nl_put_unspec(&c->replies, OVS_DP_ATTR_MEGAFLOW_STATS, &megaflow,
                  sizeof megaflow);
    nl_put_u32(&c->replies, OVS_DP_ATTR_USER_FEATURES, dp->user_features);
    nl_put_u32(&c->replies, ODP_DP_MASKS_CACHE_SIZE,
               FLOW_CACHE_SETS * FLOW_CACHE_WAYS);
    reply_end(c, start);
}

/* Applies what both "new" and "set" may change. */
static void
configure(struct datapath *dp, const struct nlattr *attrs[])
{
    if (attrs[OVS_DP_ATTR_USER_FEATURES]) {
        dp->user_features = nl_u32(attrs[OVS_DP_ATTR_USER_FEATURES]);
    }
    if (attrs[ODP_DP_VLAN_LIMIT]) {
        atomic_store(&flow_vlan_limit,
                     MIN(nl_u32(attrs[ODP_DP_VLAN_LIMIT]), 2));
    }
}

static int
create(const struct request *rq, const struct nlattr *attrs[])
{
    const struct nlattr *pids = attrs[OVS_DP_ATTR_UPCALL_PID];
    struct datapath *dp;
    int error;

    if (!attrs[OVS_DP_ATTR_NAME]) {
        return -EINVAL;
    }
    error = datapath_create(rq->client->forwarder,
                            nl_data(attrs[OVS_DP_ATTR_NAME]),
                            pids ? nl_data(pids) : NULL,
                            pids ? nl_size(pids) / 4 : 0, &dp);
    if (error) {
        return error;
    }
    configure(dp, attrs);
    if (wants_echo(rq)) {
        put_datapath(rq->client, rq->nlmsg, OVS_DP_CMD_NEW, dp);
    }
    return 0;
}

static int
datapath_handle(const struct request *rq)
{
    struct forwarder *f = rq->client->forwarder;
    const struct nlattr *attrs[N_ATTRS];
    const struct nlattr *name;
    struct datapath *dp;

    if (nl_parse(rq->attrs, rq->attrs_size, datapath_policy, attrs,
                 N_ATTRS)) {
        return -EINVAL;
    }
    name = attrs[OVS_DP_ATTR_NAME];
    if (name && !nl_string_valid(name)) {
        return -EINVAL;
    }
    if (rq->genl->cmd == OVS_DP_CMD_NEW) {
        return create(rq, attrs);
    }
    dp = name ? datapath_find_name(f, nl_data(name))
         : datapath_find(f, rq->dp_ifindex);
    if (!dp) {
        return -ENODEV;
    }
    switch (rq->genl->cmd) {
    case OVS_DP_CMD_SET:
        configure(dp, attrs);
        break;
    case OVS_DP_CMD_GET:
    case OVS_DP_CMD_DEL:
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (rq->genl->cmd == OVS_DP_CMD_GET || wants_echo(rq)) {
        put_datapath(rq->client, rq->nlmsg, rq->genl->cmd, dp);
    }
    if (rq->genl->cmd == OVS_DP_CMD_DEL) {
        datapath_destroy(dp);
    }
    return 0;
}

/* Datapaths come in the order of their numbers. */
static bool
datapath_dump_next(struct client *c)
{
    const struct datapath *best = NULL;

    for (const struct datapath *dp = c->forwarder->datapaths; dp;
         dp = dp->next) {
        if (dp->dp_ifindex > c->dump.cursor
            && (!best || dp->dp_ifindex < best->dp_ifindex)) {
            best = dp;
        }
    }
    if (!best) {
        return false;
    }
    c->dump.cursor = best->dp_ifindex;
    put_datapath(c, &c->dump.nlmsg, c->dump.cmd, best);
    return true;
}

const struct family datapath_family = {
    .handle = datapath_handle,
    .dump_next = datapath_dump_next,
};
