/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "actions.h"
#include "extract.h"
#include "flow_hash.h"
#include "key_attrs.h"
#include "odp.h"
#include "worker.h"

static const struct nl_policy packet_policy[] = {
    [OVS_PACKET_ATTR_PACKET] = { 0, NL_ANY_SIZE },
    [OVS_PACKET_ATTR_KEY] = { 0, NL_ANY_SIZE },
    [OVS_PACKET_ATTR_ACTIONS] = { 0, NL_ANY_SIZE },
    [ODP_PACKET_HASH] = NL_EXACT(8),
};
#define N_ATTRS ARRAY_SIZE(packet_policy)

static int
execute(struct worker *w, struct datapath *dp, const struct nlattr *attrs[])
{
    const struct nlattr *actions = attrs[OVS_PACKET_ATTR_ACTIONS];
    const struct nlattr *octets = attrs[OVS_PACKET_ATTR_PACKET];
    const struct nlattr *key = attrs[OVS_PACKET_ATTR_KEY];
    struct packet *p = &w->batch[0];
    int error;

    if (!packet_init_copy(p, &w->arena, nl_data(octets), nl_size(octets))) {
        return -ENOMEM;
    }
    error = key_metadata_from_attrs(nl_data(key), nl_size(key), &p->key);
    if (!error) {
        worker_begin(w);
        flow_extract(p);
        p->hash = (attrs[ODP_PACKET_HASH] ? nl_u64(attrs[ODP_PACKET_HASH])
                   : flow_key_hash(&p->key));
        w->actions = NULL;
        actions_execute(w, dp, p, nl_data(actions), nl_size(actions));
    }
    packet_uninit(p);
    worker_flush(w);
    upcall_flush(w);
    return error;
}

static int
packet_handle(const struct request *rq)
{
    struct forwarder *f = rq->client->forwarder;
    struct datapath *dp = datapath_find(f, rq->dp_ifindex);
    const struct nlattr *attrs[N_ATTRS];
    const struct nlattr *actions;
    int error;

    if (rq->genl->cmd != OVS_PACKET_CMD_EXECUTE) {
        return -EOPNOTSUPP;
    } else if (nl_parse(rq->attrs, rq->attrs_size, packet_policy, attrs,
                        N_ATTRS)
               || !attrs[OVS_PACKET_ATTR_PACKET]
               || !attrs[OVS_PACKET_ATTR_KEY]
               || !attrs[OVS_PACKET_ATTR_ACTIONS]) {
        return -EINVAL;
    } else if (!dp) {
        return -ENODEV;
    }
    actions = attrs[OVS_PACKET_ATTR_ACTIONS];
    error = actions_check(nl_data(actions), nl_size(actions));
    return error ? error : execute(f->workers[0], dp, attrs);
}

const struct family packet_family = { .handle = packet_handle };
