/* SPDX-License-Identifier: Apache-2.0 */
#include "actions.h"

#include <errno.h>

#include "encap.h"
#include "headers.h"
#include "netlink.h"
#include "odp.h"
#include "set_field.h"
#include "worker.h"

/* Sizes of what actions hold; nested ones are looked into below. */
static const struct nl_policy action_policy[ODP_ACTION_MAX + 1] = {
    [OVS_ACTION_ATTR_OUTPUT] = NL_EXACT(4),
    [OVS_ACTION_ATTR_USERSPACE] = { 0, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_SET] = { 4, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_PUSH_VLAN]
        = NL_EXACT(sizeof(struct ovs_action_push_vlan)),
    [OVS_ACTION_ATTR_POP_VLAN] = { 0, 4 },
    [OVS_ACTION_ATTR_SAMPLE] = { 0, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_RECIRC] = NL_EXACT(4),
    [OVS_ACTION_ATTR_HASH] = NL_EXACT(sizeof(struct ovs_action_hash)),
    [OVS_ACTION_ATTR_PUSH_MPLS]
        = NL_EXACT(sizeof(struct ovs_action_push_mpls)),
    [OVS_ACTION_ATTR_POP_MPLS] = NL_EXACT(2),
    [OVS_ACTION_ATTR_SET_MASKED] = { 4, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_CT] = { 0, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_TRUNC] = NL_EXACT(sizeof(struct ovs_action_trunc)),
    [OVS_ACTION_ATTR_PUSH_ETH] = NL_EXACT(sizeof(struct ovs_action_push_eth)),
    [OVS_ACTION_ATTR_POP_ETH] = { 0, 4 },
    [OVS_ACTION_ATTR_CT_CLEAR] = { 0, 4 },
    [OVS_ACTION_ATTR_PUSH_NSH] = { 4, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_POP_NSH] = { 0, 4 },
    [OVS_ACTION_ATTR_METER] = NL_EXACT(4),
    [OVS_ACTION_ATTR_CLONE] = { 0, NL_ANY_SIZE },
    [OVS_ACTION_ATTR_CHECK_PKT_LEN] = { 0, NL_ANY_SIZE },
    [ODP_ACTION_ADD_MPLS] = NL_EXACT(sizeof(struct odp_action_add_mpls)),
    [ODP_ACTION_TUNNEL_PUSH] = { 0, NL_ANY_SIZE },
    [ODP_ACTION_TUNNEL_POP] = NL_EXACT(4),
    [ODP_ACTION_DROP] = NL_EXACT(4),
    [ODP_ACTION_LB_OUTPUT] = NL_EXACT(4),
};

static int check_list(const void *, size_t size, int depth);

/* Returns true if 'action' holds one key attribute and nothing else. */
static bool
has_one_key(const struct nlattr *action)
{
    const struct nlattr *key = nl_data(action);

    return nl_fits(key, nl_size(action)) && nl_padded(key) >= nl_size(action);
}

static int
check_set(const struct nlattr *action, bool masked)
{
    return (has_one_key(action) ? set_field_check(nl_data(action), masked)
            : -EINVAL);
}

static int
check_userspace(const struct nlattr *action)
{
    static const struct nl_policy policy[] = {
        [OVS_USERSPACE_ATTR_PID] = NL_EXACT(4),
        [OVS_USERSPACE_ATTR_USERDATA] = { 0, NL_ANY_SIZE },
        [OVS_USERSPACE_ATTR_EGRESS_TUN_PORT] = NL_EXACT(4),
        [OVS_USERSPACE_ATTR_ACTIONS] = { 0, 4 },
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (nl_parse(nl_data(action), nl_size(action), policy, attrs,
                 ARRAY_SIZE(policy)) || !attrs[OVS_USERSPACE_ATTR_PID]) {
        return -EINVAL;
    }
    return 0;
}

static int
check_sample(const struct nlattr *action, int depth)
{
    static const struct nl_policy policy[] = {
        [OVS_SAMPLE_ATTR_PROBABILITY] = NL_EXACT(4),
        [OVS_SAMPLE_ATTR_ACTIONS] = { 0, NL_ANY_SIZE },
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct nlattr *actions;

    if (nl_parse(nl_data(action), nl_size(action), policy, attrs,
                 ARRAY_SIZE(policy))
        || !attrs[OVS_SAMPLE_ATTR_PROBABILITY]
        || !attrs[OVS_SAMPLE_ATTR_ACTIONS]) {
        return -EINVAL;
    }
    actions = attrs[OVS_SAMPLE_ATTR_ACTIONS];
    return check_list(nl_data(actions), nl_size(actions), depth + 1);
}

static int
check_pkt_len(const struct nlattr *action, int depth)
{
    static const struct nl_policy policy[] = {
        [OVS_CHECK_PKT_LEN_ATTR_PKT_LEN] = NL_EXACT(2),
        [OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER] = { 0, NL_ANY_SIZE },
        [OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL] = { 0, NL_ANY_SIZE },
    };
    const struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (nl_parse(nl_data(action), nl_size(action), policy, attrs,
                 ARRAY_SIZE(policy))) {
        return -EINVAL;
    }
    for (size_t i = 1; i < ARRAY_SIZE(policy); i++) {
        int error = !attrs[i] ? -EINVAL
                    : i == OVS_CHECK_PKT_LEN_ATTR_PKT_LEN ? 0
                    : check_list(nl_data(attrs[i]), nl_size(attrs[i]),
                                 depth + 1);

        if (error) {
            return error;
        }
    }
    return 0;
}

static int
check_action(const struct nlattr *a, int depth)
{
    const void *content = nl_data(a);

    switch (nl_type(a)) {
    case OVS_ACTION_ATTR_OUTPUT:
        return nl_u32(a) < DP_MAX_PORTS ? 0 : -EINVAL;
    case OVS_ACTION_ATTR_USERSPACE:
        return check_userspace(a);
    case OVS_ACTION_ATTR_SET:
        return check_set(a, false);
    case OVS_ACTION_ATTR_SET_MASKED:
        return check_set(a, true);
    case OVS_ACTION_ATTR_PUSH_VLAN: {
        const struct ovs_action_push_vlan *vlan = content;

        return eth_type_vlan(vlan->vlan_tpid)
               && vlan->vlan_tci & htons(VLAN_CFI) ? 0 : -EINVAL;
    }
    case OVS_ACTION_ATTR_SAMPLE:
        return check_sample(a, depth);
    case OVS_ACTION_ATTR_HASH:
        return ((const struct ovs_action_hash *) content)->hash_alg
               <= ODP_HASH_ALG_SYM_L4 ? 0 : -EINVAL;
    case OVS_ACTION_ATTR_PUSH_MPLS: {
        const struct ovs_action_push_mpls *mpls = content;

        return eth_type_mpls(mpls->mpls_ethertype) ? 0 : -EINVAL;
    }
    case ODP_ACTION_ADD_MPLS: {
        const struct odp_action_add_mpls *mpls = content;

        return eth_type_mpls(mpls->mpls_ethertype) ? 0 : -EINVAL;
    }
    case OVS_ACTION_ATTR_TRUNC:
        return ((const struct ovs_action_trunc *) content)->max_len
               >= ETH_HEADER_LEN ? 0 : -EINVAL;
    case OVS_ACTION_ATTR_PUSH_NSH:
        return has_one_key(a) ? push_nsh_check(content) : -EINVAL;
    case OVS_ACTION_ATTR_CLONE:
        return check_list(content, nl_size(a), depth + 1);
    case OVS_ACTION_ATTR_CHECK_PKT_LEN:
        return check_pkt_len(a, depth);
    case OVS_ACTION_ATTR_CT:
    case OVS_ACTION_ATTR_CT_CLEAR:
    case ODP_ACTION_TUNNEL_PUSH:
    case ODP_ACTION_TUNNEL_POP:
    case ODP_ACTION_LB_OUTPUT:
        return -EOPNOTSUPP;
    default:
        return 0;               /* The policy has said it all. */
    }
}

static int
check_list(const void *p, size_t size, int depth)
{
    const struct nlattr *a;
    size_t left;

    if (depth > MAX_DEPTH) {
        return -EOVERFLOW;
    }
    NL_FOR_EACH (a, left, p, size) {
        uint16_t type = nl_type(a);
        int error;

        if (type > ODP_ACTION_MAX || !action_policy[type].max_size
            || nl_size(a) < action_policy[type].min_size
            || nl_size(a) > action_policy[type].max_size) {
            return -EINVAL;
        }
        error = check_action(a, depth);
        if (error) {
            return error;
        }
    }
    return left ? -EINVAL : 0;
}

/* Checks actions from outside.  Returns 0; -EINVAL for malformed ones,
 * -EOPNOTSUPP for those that this datapath lacks, -EOVERFLOW for too deep a
 * nesting. */
int
actions_check(const void *p, size_t size)
{
    return check_list(p, size, 1);
}
