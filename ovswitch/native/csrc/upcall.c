/* SPDX-License-Identifier: Apache-2.0 */
#include "upcall.h"

#include "extract.h"
#include "key_attrs.h"
#include "odp.h"
#include "worker.h"

/* Hands the gathered messages over. */
void
upcall_flush(struct worker *w)
{
    struct upcall_batch *u = &w->upcalls;
    const struct upcall_sink *sink = &w->forwarder->sink;

    if (u->n) {
        if (!sink->send(sink->aux, u->pid, u->b.base, u->b.size, u->n)) {
            counter_add(&u->dp->counters[w->id].n_lost, u->n);
        }
        u->b.size = 0;
        u->n = 0;
    }
}

static void
put_upcall(struct worker *w, struct datapath *dp, const struct packet *p,
           const struct upcall_args *args)
{
    struct upcall_batch *u = &w->upcalls;
    struct nl_buf *b = &u->b;
    size_t start = nl_msg_start(b, ODP_FAMILY_PACKET, 0, 0, args->pid);
    struct genlmsghdr *genl = nl_buf_put_uninit(b, sizeof *genl);
    struct ovs_header *ovs;
    uint32_t size = packet_send_size(p);
    size_t nest;

    genl->cmd = args->cmd;
    genl->version = OVS_PACKET_VERSION;
    genl->reserved = 0;
    ovs = nl_buf_put_uninit(b, sizeof *ovs);
    ovs->dp_ifindex = dp->dp_ifindex;
    nest = nl_start_nested(b, OVS_PACKET_ATTR_KEY);
    key_to_attrs(&p->key, b);
    nl_end_nested(b, nest);
    if (args->userdata) {
        nl_put_unspec(b, OVS_PACKET_ATTR_USERDATA, nl_data(args->userdata),
                      nl_size(args->userdata));
    }
    if (args->with_actions && w->actions) {
        nl_put_unspec(b, OVS_PACKET_ATTR_ACTIONS, w->actions->attrs,
                      w->actions->size);
    }
    if (p->cutlen) {
        nl_put_u32(b, OVS_PACKET_ATTR_LEN, p->size);
    }
    nl_put_u64(b, ODP_PACKET_HASH, p->hash);
    nl_put_unspec(b, OVS_PACKET_ATTR_PACKET, p->data, size);
    nl_msg_end(b, start);
    u->dp = dp;
    u->pid = args->pid;
    u->n++;
}

struct segment_aux {
    struct worker *w;
    struct datapath *dp;
    const struct upcall_args *args;
};

static void
put_segment(struct packet *p, void *aux_)
{
    const struct segment_aux *aux = aux_;
    struct upcall_batch *u = &aux->w->upcalls;

    if (u->n && (u->pid != aux->args->pid || u->dp != aux->dp
                 || u->n >= UPCALL_BATCH || u->b.size >= UPCALL_BATCH_SIZE)) {
        upcall_flush(aux->w);
    }
    put_upcall(aux->w, aux->dp, p, aux->args);
}

/* Sends 'p' up.  Userspace gets packets as they would be on the wire: in
 * segments, with checksums. */
static void
upcall(struct worker *w, struct datapath *dp, struct packet *p,
       const struct upcall_args *args)
{
    struct segment_aux aux = { w, dp, args };

    if (!args->pid
        || !(offload_is_gso(p)
             ? offload_segment(p, &w->arena, put_segment, &aux)
             : offload_finish_csum(p, &w->arena))) {
        counter_add(&dp->counters[w->id].n_lost, 1);
    } else if (!offload_is_gso(p)) {
        put_segment(p, &aux);
    }
}

/* Sends up 'p', which matched no flow. */
void
upcall_miss(struct worker *w, struct datapath *dp, struct packet *p)
{
    struct port *port = datapath_port(dp, ntohl(p->key.in_port));
    struct upcall_args args = {
        .cmd = OVS_PACKET_CMD_MISS,
        .pid = port ? port_upcall_pid(port, p->hash) : 0,
    };

    upcall(w, dp, p, &args);
}

/* Sends up 'p' because a userspace action says so. */
void
upcall_action(struct worker *w, struct datapath *dp, struct packet *p,
              const struct upcall_args *args)
{
    flow_extract(p);            /* Actions may have changed it. */
    upcall(w, dp, p, args);
}
