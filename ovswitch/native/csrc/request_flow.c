/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "actions.h"
#include "hash.h"
#include "headers.h"
#include "key_attrs.h"
#include "odp.h"

static const struct nl_policy flow_policy[] = {
    [OVS_FLOW_ATTR_KEY] = { 0, NL_ANY_SIZE },
    [OVS_FLOW_ATTR_ACTIONS] = { 0, NL_ANY_SIZE },
    [OVS_FLOW_ATTR_CLEAR] = { 0, 4 },
    [OVS_FLOW_ATTR_MASK] = { 0, NL_ANY_SIZE },
    [OVS_FLOW_ATTR_PROBE] = { 0, 4 },
    [OVS_FLOW_ATTR_UFID] = { 1, UFID_SIZE },
    [OVS_FLOW_ATTR_UFID_FLAGS] = NL_EXACT(4),
};
#define N_ATTRS ARRAY_SIZE(flow_policy)

static void
put_flow(struct client *c, const struct nlmsghdr *request, uint8_t cmd,
         const struct datapath *dp, const struct flow *flow, uint32_t omit)
{
    size_t start = reply_start(c, request, cmd, OVS_FLOW_VERSION,
                               dp->dp_ifindex);
    struct nl_buf *b = &c->replies;
    struct flow_totals totals;

    nl_put_unspec(b, OVS_FLOW_ATTR_UFID, flow->ufid, UFID_SIZE);
    if (!(omit & OVS_UFID_F_OMIT_KEY)) {
        nl_put_unspec(b, OVS_FLOW_ATTR_KEY, flow->attrs, flow->key_size);
    }
    if (!(omit & OVS_UFID_F_OMIT_MASK)) {
        nl_put_unspec(b, OVS_FLOW_ATTR_MASK, flow->attrs + flow->key_size,
                      flow->mask_size);
    }
    flow_totals(dp->flows, flow, &totals);
    if (totals.used) {
        nl_put_u64(b, OVS_FLOW_ATTR_USED, totals.used);
    }
    if (totals.n_packets) {
        struct ovs_flow_stats stats = { totals.n_packets, totals.n_bytes };

        nl_put_unspec(b, OVS_FLOW_ATTR_STATS, &stats, sizeof stats);
    }
    if (totals.tcp_flags & 0xff) {
        nl_put_u8(b, OVS_FLOW_ATTR_TCP_FLAGS, totals.tcp_flags);
    }
    if (!(omit & OVS_UFID_F_OMIT_ACTIONS)) {
        const struct flow_actions *actions = atomic_load(&flow->actions);

        nl_put_unspec(b, OVS_FLOW_ATTR_ACTIONS, actions->attrs,
                      actions->size);
    }
    reply_end(c, start);
}

/* A flow request's attributes, and what they came to. */
struct flow_request {
    const struct nlattr *attrs[N_ATTRS];
    struct datapath *dp;
    struct flow_key key, mask;  /* If there is a key. */
    uint8_t ufid[UFID_SIZE];
    uint32_t omit;
};

/* Identifies a flow that its creator gave no UFID, by its key. */
static void
make_ufid(const struct flow_key *key, uint8_t ufid[UFID_SIZE])
{
    const uint64_t *words = (const uint64_t *) key;
    uint64_t a = 1, b = 2;

    for (uint32_t i = 0; i < FLOW_KEY_WORDS; i++) {
        a = hash_mix64(a, words[i]);
        b = hash_mix64(b + i, words[i]);
    }
    memcpy(ufid, &a, sizeof a);
    memcpy(ufid + 8, &b, sizeof b);

    /* Has the form of a version 4 UUID, as the reference's. */
    ufid[6] = (ufid[6] & 0x0f) | 0x40;
    ufid[8] = (ufid[8] & 0x3f) | 0x80;
}

static int
parse_key(struct flow_request *fr)
{
    const struct nlattr *key = fr->attrs[OVS_FLOW_ATTR_KEY];
    const struct nlattr *mask = fr->attrs[OVS_FLOW_ATTR_MASK];
    int error = key_from_attrs(nl_data(key), nl_size(key), &fr->key);

    if (!error) {
        error = mask_from_attrs(mask ? nl_data(mask) : NULL,
                                mask ? nl_size(mask) : 0, &fr->key,
                                &fr->mask);
    }
    if (!error && !fr->attrs[OVS_FLOW_ATTR_UFID]) {
        make_ufid(&fr->key, fr->ufid);
    }
    return error;
}

static int
parse(const struct request *rq, struct flow_request *fr)
{
    const struct nlattr *ufid, *actions;
    int error;

    if (nl_parse(rq->attrs, rq->attrs_size, flow_policy, fr->attrs,
                 N_ATTRS)) {
        return -EINVAL;
    }
    fr->dp = datapath_find(rq->client->forwarder, rq->dp_ifindex);
    if (!fr->dp) {
        return -ENODEV;
    }
    fr->omit = (fr->attrs[OVS_FLOW_ATTR_UFID_FLAGS]
                ? nl_u32(fr->attrs[OVS_FLOW_ATTR_UFID_FLAGS]) : 0);
    ufid = fr->attrs[OVS_FLOW_ATTR_UFID];
    memset(fr->ufid, 0, sizeof fr->ufid);
    if (ufid) {
        memcpy(fr->ufid, nl_data(ufid), nl_size(ufid));
    }
    if (fr->attrs[OVS_FLOW_ATTR_KEY]) {
        error = parse_key(fr);
        if (error) {
            return error;
        }
    }
    actions = fr->attrs[OVS_FLOW_ATTR_ACTIONS];
    return actions ? actions_check(nl_data(actions), nl_size(actions)) : 0;
}

/* Returns the flow that the request means: by UFID, or the one that a packet
 * with the request's key would match. */
static struct flow *
find_flow(const struct flow_request *fr)
{
    struct flow *flow = flow_table_find(fr->dp->flows, fr->ufid);
    uint32_t n_masks = 0;

    if (!flow && fr->attrs[OVS_FLOW_ATTR_KEY]) {
        flow = flow_table_lookup(fr->dp->flows, &fr->key, &n_masks);
    }
    return flow;
}

/* A missing VLAN mask means "no VLAN", and no match on the ingress port makes
 * no megaflow. */
static int
check_mask(struct flow_request *fr)
{
    if (fr->mask.in_port != UINT32_MAX) {
        return -EINVAL;
    }
    if (!fr->mask.vlan_tci0) {
        fr->mask.vlan_tci0 = htons(VLAN_CFI | 0xfff);
    }
    return 0;
}

static int
new_flow(const struct request *rq, struct flow_request *fr,
         struct flow **flowp)
{
    const struct nlattr *actions = fr->attrs[OVS_FLOW_ATTR_ACTIONS];
    int error;

    if (!fr->attrs[OVS_FLOW_ATTR_KEY] || !actions) {
        return -EINVAL;
    }
    error = check_mask(fr);
    if (error) {
        return error;
    }
    *flowp = find_flow(fr);
    if (*flowp) {
        if (rq->nlmsg->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL)) {
            return -EEXIST;
        }
        flow_table_set_actions(fr->dp->flows, *flowp, nl_data(actions),
                               nl_size(actions));
        return 0;
    }
    return flow_table_insert(fr->dp->flows, &fr->key, &fr->mask, fr->ufid,
                             nl_data(actions), nl_size(actions), flowp);
}

static int
set_flow(struct flow_request *fr, struct flow **flowp)
{
    const struct nlattr *actions = fr->attrs[OVS_FLOW_ATTR_ACTIONS];

    *flowp = find_flow(fr);
    if (!*flowp) {
        return -ENOENT;
    }
    if (actions) {
        flow_table_set_actions(fr->dp->flows, *flowp, nl_data(actions),
                               nl_size(actions));
    }
    return 0;
}

static void
flush_flows(struct datapath *dp)
{
    struct flow *flow;

    for (uint32_t cursor = 0; (flow = flow_table_next(dp->flows, &cursor));) {
        flow_table_remove(dp->flows, flow);
    }
}

static int
flow_handle(const struct request *rq)
{
    uint8_t cmd = rq->genl->cmd;
    struct flow_request fr;
    struct flow *flow;
    int error = parse(rq, &fr);

    if (error) {
        return error;
    }
    switch (cmd) {
    case OVS_FLOW_CMD_NEW:
        error = new_flow(rq, &fr, &flow);
        break;
    case OVS_FLOW_CMD_SET:
        error = set_flow(&fr, &flow);
        break;
    case OVS_FLOW_CMD_DEL:
        if (!fr.attrs[OVS_FLOW_ATTR_KEY] && !fr.attrs[OVS_FLOW_ATTR_UFID]) {
            flush_flows(fr.dp);
            return 0;
        }
        /* Fall through. */
    case OVS_FLOW_CMD_GET:
        flow = find_flow(&fr);
        error = flow ? 0 : -ENOENT;
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (error) {
        return error;
    }
    if (cmd == OVS_FLOW_CMD_GET || wants_echo(rq)) {
        put_flow(rq->client, rq->nlmsg, cmd, fr.dp, flow, fr.omit);
    }
    if (cmd == OVS_FLOW_CMD_DEL) {
        flow_table_remove(fr.dp->flows, flow);
    } else if (cmd != OVS_FLOW_CMD_GET && fr.attrs[OVS_FLOW_ATTR_CLEAR]) {
        flow_clear_totals(fr.dp->flows, flow);
    }
    return 0;
}

static int
flow_dump_start(const struct request *rq)
{
    const struct nlattr *attrs[N_ATTRS];

    if (nl_parse(rq->attrs, rq->attrs_size, flow_policy, attrs, N_ATTRS)) {
        return -EINVAL;
    }
    if (attrs[OVS_FLOW_ATTR_UFID_FLAGS]) {
        rq->client->dump.ufid_flags = nl_u32(attrs[OVS_FLOW_ATTR_UFID_FLAGS]);
    }
    return datapath_find(rq->client->forwarder, rq->dp_ifindex) ? 0 : -ENODEV;
}

static bool
flow_dump_next(struct client *c)
{
    const struct datapath *dp = datapath_find(c->forwarder,
                                              c->dump.dp_ifindex);
    const struct flow *flow;

    flow = dp ? flow_table_next(dp->flows, &c->dump.cursor) : NULL;
    if (!flow) {
        return false;
    }
    put_flow(c, &c->dump.nlmsg, c->dump.cmd, dp, flow, c->dump.ufid_flags);
    return true;
}

const struct family flow_family = {
    .handle = flow_handle,
    .dump_next = flow_dump_next,
    .dump_start = flow_dump_start,
};
