/* SPDX-License-Identifier: Apache-2.0 */
#include "actions.h"

#include "encap.h"
#include "extract.h"
#include "flow_hash.h"
#include "headers.h"
#include "netlink.h"
#include "odp.h"
#include "set_field.h"
#include "worker.h"

/* One packet and the actions that remain for it.
 *
 * Actions that branch off (sample, clone, check_pkt_len, recirc) work on a
 * clone, unless they are the last: then nobody will miss the packet.  Clones
 * come from the worker's stack of them, whose depth the nesting of actions
 * (checked at installation) and the count of recirculations bound. */

static struct packet *
clone_push(struct worker *w, struct packet *p)
{
    struct packet *clone;

    if (w->depth == ARRAY_SIZE(w->clones)) {
        return NULL;
    }
    clone = &w->clones[w->depth++];
    packet_clone(clone, p);
    return clone;
}

static void
clone_pop(struct worker *w)
{
    packet_uninit(&w->clones[--w->depth]);
}

static void
output(struct worker *w, struct datapath *dp, struct packet *p,
       uint32_t port_no)
{
    struct port *port = datapath_port(dp, port_no);

    if (OVS_LIKELY(port != NULL)) {
        port_output(port, w, p);
    }
    p->cutlen = 0;
}

static void
execute_userspace(struct worker *w, struct datapath *dp, struct packet *p,
                  const struct nlattr *action)
{
    struct upcall_args args = { .cmd = OVS_PACKET_CMD_ACTION };
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, nl_data(action), nl_size(action)) {
        switch (nl_type(a)) {
        case OVS_USERSPACE_ATTR_PID:
            args.pid = nl_u32(a);
            break;
        case OVS_USERSPACE_ATTR_USERDATA:
            args.userdata = a;
            break;
        case OVS_USERSPACE_ATTR_ACTIONS:
            args.with_actions = true;
            break;
        }
    }
    if (args.pid == UINT32_MAX) {
        /* "Whoever takes the port's misses." */
        struct port *port = datapath_port(dp, ntohl(p->key.in_port));

        args.pid = port ? port_upcall_pid(port, p->hash) : 0;
    }
    upcall_action(w, dp, p, &args);
    p->cutlen = 0;
}

/* Executes a nested list, on 'p' itself if that was its last action. */
static void
execute_branch(struct worker *w, struct datapath *dp, struct packet *p,
               const struct nlattr *list, bool last)
{
    struct packet *branch = last ? p : clone_push(w, p);

    if (branch) {
        actions_execute(w, dp, branch, nl_data(list), nl_size(list));
        if (!last) {
            clone_pop(w);
        }
    }
}

static void
execute_sample(struct worker *w, struct datapath *dp, struct packet *p,
               const struct nlattr *action, bool last)
{
    const struct nlattr *list = NULL;
    uint32_t probability = 0;
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, nl_data(action), nl_size(action)) {
        if (nl_type(a) == OVS_SAMPLE_ATTR_PROBABILITY) {
            probability = nl_u32(a);
        } else if (nl_type(a) == OVS_SAMPLE_ATTR_ACTIONS) {
            list = a;
        }
    }
    if (list && (probability == UINT32_MAX
                 || worker_random(w) < probability)) {
        execute_branch(w, dp, p, list, last);
    }
}

/* Returns the size that 'p' will have as one packet on the wire. */
static uint32_t
wire_size(const struct packet *p)
{
    uint32_t size = packet_send_size(p);

    size -= MIN(size, p->l2_pad_size);
    if (offload_is_gso(p)) {
        struct virtio_net_hdr vnet;

        offload_to_vnet(p, &vnet);
        size = MIN(size, (uint32_t) vnet.hdr_len + vnet.gso_size);
    }
    return size;
}

static void
execute_check_pkt_len(struct worker *w, struct datapath *dp,
                      struct packet *p, const struct nlattr *action,
                      bool last)
{
    const struct nlattr *lists[__OVS_CHECK_PKT_LEN_ATTR_MAX] = { NULL };
    const struct nlattr *a;
    uint16_t limit;
    size_t left;

    NL_FOR_EACH (a, left, nl_data(action), nl_size(action)) {
        if (nl_type(a) < ARRAY_SIZE(lists)) {
            lists[nl_type(a)] = a;
        }
    }
    limit = nl_u16(lists[OVS_CHECK_PKT_LEN_ATTR_PKT_LEN]);
    execute_branch(w, dp, p,
                   lists[wire_size(p) > limit
                         ? OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER
                         : OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL],
                   last);
}

static void
execute_recirc(struct worker *w, struct datapath *dp, struct packet *p,
               uint32_t recirc_id, bool last)
{
    struct packet *branch;

    if (w->recirc == MAX_RECIRC) {
        return;
    }
    branch = last ? p : clone_push(w, p);
    if (branch) {
        const struct flow_actions *actions = w->actions;

        branch->key.recirc_id = htonl(recirc_id);
        w->recirc++;
        worker_recirculate(w, dp, branch);
        w->recirc--;
        w->actions = actions;
        if (!last) {
            clone_pop(w);
        }
    }
}

static void
execute_hash(struct packet *p, const struct ovs_action_hash *hash)
{
    flow_extract(p);
    p->key.dp_hash = htonl(hash->hash_alg == ODP_HASH_ALG_L4
                           ? flow_hash_5tuple(&p->key, hash->hash_basis)
                           : flow_hash_symmetric_l3l4(&p->key,
                                                      hash->hash_basis,
                                                      false));
}

static bool
execute_add_mpls(struct worker *w, struct packet *p,
                 const struct odp_action_add_mpls *mpls)
{
    return mpls->tun_flags & ODP_MPLS_L3
           ? push_mpls(p, &w->arena, mpls->mpls_ethertype, mpls->mpls_lse)
           : add_mpls(p, &w->arena, mpls->mpls_ethertype, mpls->mpls_lse);
}

/* Executes an action that changes the packet.  Returns false if that drops
 * it. */
static bool
execute_change(struct worker *w, struct datapath *dp, struct packet *p,
               const struct nlattr *a)
{
    const void *content = nl_data(a);

    switch (nl_type(a)) {
    case OVS_ACTION_ATTR_SET:
        return set_field(p, &w->arena, content, false);
    case OVS_ACTION_ATTR_SET_MASKED:
        return set_field(p, &w->arena, content, true);
    case OVS_ACTION_ATTR_PUSH_VLAN: {
        const struct ovs_action_push_vlan *vlan = content;

        return push_vlan(p, &w->arena, vlan->vlan_tpid, vlan->vlan_tci);
    }
    case OVS_ACTION_ATTR_POP_VLAN:
        return pop_vlan(p, &w->arena);
    case OVS_ACTION_ATTR_PUSH_MPLS: {
        const struct ovs_action_push_mpls *mpls = content;

        return push_mpls(p, &w->arena, mpls->mpls_ethertype, mpls->mpls_lse);
    }
    case ODP_ACTION_ADD_MPLS:
        return execute_add_mpls(w, p, content);
    case OVS_ACTION_ATTR_POP_MPLS:
        return pop_mpls(p, &w->arena, nl_u16(a));
    case OVS_ACTION_ATTR_PUSH_ETH: {
        const struct ovs_action_push_eth *eth = content;

        return push_eth(p, &w->arena,
                        (const void *) eth->addresses.eth_src,
                        (const void *) eth->addresses.eth_dst);
    }
    case OVS_ACTION_ATTR_POP_ETH:
        return pop_eth(p);
    case OVS_ACTION_ATTR_PUSH_NSH:
        return push_nsh(p, &w->arena, content);
    case OVS_ACTION_ATTR_POP_NSH:
        return pop_nsh(p);
    case OVS_ACTION_ATTR_HASH:
        execute_hash(p, content);
        return true;
    case OVS_ACTION_ATTR_TRUNC: {
        const struct ovs_action_trunc *trunc = content;

        p->cutlen = p->size > trunc->max_len ? p->size - trunc->max_len : 0;
        return true;
    }
    case OVS_ACTION_ATTR_METER:
        return meter_packet(dp->meters, nl_u32(a), p->size, w->now);
    default:                    /* OVS_ACTION_ATTR_DROP. */
        return false;
    }
}

/* Headers that network cards' segmentation does not expect. */
static bool
needs_segments(uint16_t type)
{
    return type == OVS_ACTION_ATTR_PUSH_MPLS || type == ODP_ACTION_ADD_MPLS
           || type == OVS_ACTION_ATTR_PUSH_NSH
           || type == OVS_ACTION_ATTR_TRUNC;
}

struct rest {
    struct worker *w;
    struct datapath *dp;
    const struct nlattr *actions;
    size_t size;
};

static void
execute_rest(struct packet *p, void *rest_)
{
    const struct rest *rest = rest_;

    actions_execute(rest->w, rest->dp, p, rest->actions, rest->size);
}

/* Executes 'size' octets of actions on 'p', which the caller owns and finds
 * changed afterward. */
void
actions_execute(struct worker *w, struct datapath *dp, struct packet *p,
                const struct nlattr *actions, size_t size)
{
    const struct nlattr *a;
    size_t left;

    NL_FOR_EACH (a, left, actions, size) {
        bool last = left <= nl_padded(a);

        switch (nl_type(a)) {
        case OVS_ACTION_ATTR_OUTPUT:
            output(w, dp, p, nl_u32(a));
            break;
        case OVS_ACTION_ATTR_USERSPACE:
            execute_userspace(w, dp, p, a);
            break;
        case OVS_ACTION_ATTR_SAMPLE:
            execute_sample(w, dp, p, a, last);
            break;
        case OVS_ACTION_ATTR_CLONE:
            execute_branch(w, dp, p, a, last);
            break;
        case OVS_ACTION_ATTR_CHECK_PKT_LEN:
            execute_check_pkt_len(w, dp, p, a, last);
            break;
        case OVS_ACTION_ATTR_RECIRC:
            execute_recirc(w, dp, p, nl_u32(a), last);
            break;
        default:
            if (OVS_UNLIKELY(offload_is_gso(p))
                && needs_segments(nl_type(a))) {
                struct rest rest = { w, dp, a, left };

                offload_segment(p, &w->arena, execute_rest, &rest);
                return;
            } else if (!execute_change(w, dp, p, a)) {
                return;
            }
            break;
        }
    }
}
