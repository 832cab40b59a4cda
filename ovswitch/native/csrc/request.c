/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "odp.h"

#define FIRST_FAMILY ODP_FAMILY_DATAPATH

static const struct family *const families[] = {
    [ODP_FAMILY_DATAPATH - FIRST_FAMILY] = &datapath_family,
    [ODP_FAMILY_VPORT - FIRST_FAMILY] = &vport_family,
    [ODP_FAMILY_FLOW - FIRST_FAMILY] = &flow_family,
    [ODP_FAMILY_PACKET - FIRST_FAMILY] = &packet_family,
    [ODP_FAMILY_METER - FIRST_FAMILY] = &meter_family,
    [ODP_FAMILY_CT_LIMIT - FIRST_FAMILY] = NULL,
};

size_t
reply_start(struct client *c, const struct nlmsghdr *request, uint8_t cmd,
            uint8_t version, uint32_t dp_ifindex)
{
    uint16_t flags = c->dump.active ? NLM_F_MULTI : 0;
    size_t start = nl_msg_start(&c->replies, request->nlmsg_type, flags,
                                request->nlmsg_seq, c->pid);
    struct genlmsghdr *genl = nl_buf_put_uninit(&c->replies, sizeof *genl);
    struct ovs_header *ovs;

    genl->cmd = cmd;
    genl->version = version;
    genl->reserved = 0;
    ovs = nl_buf_put_uninit(&c->replies, sizeof *ovs);
    ovs->dp_ifindex = dp_ifindex;
    return start;
}

void
reply_end(struct client *c, size_t start)
{
    nl_msg_end(&c->replies, start);
}

/* Appends NLMSG_ERROR, which with no error is an acknowledgement. */
static void
put_error(struct client *c, const struct nlmsghdr *request, int error)
{
    size_t start = nl_msg_start(&c->replies, NLMSG_ERROR, 0,
                                request->nlmsg_seq, c->pid);
    struct nlmsgerr *err = nl_buf_put_uninit(&c->replies, sizeof *err);

    err->error = error;
    err->msg = *request;
    reply_end(c, start);
}

static void
put_done(struct client *c)
{
    size_t start = nl_msg_start(&c->replies, NLMSG_DONE, NLM_F_MULTI,
                                c->dump.nlmsg.nlmsg_seq, c->pid);

    memset(nl_buf_put_uninit(&c->replies, 4), 0, 4);
    reply_end(c, start);
}

static bool
is_dump(const struct nlmsghdr *nlmsg, const struct genlmsghdr *genl)
{
    /* "Get" has the same number in every family; its bits mean other things
     * elsewhere (NLM_F_CREATE and so on). */
    return genl->cmd == OVS_FLOW_CMD_GET
           && (nlmsg->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP
           && nlmsg->nlmsg_type != ODP_FAMILY_PACKET
           && nlmsg->nlmsg_type != ODP_FAMILY_METER;
}

static int
start_dump(const struct request *rq, const struct family *family)
{
    struct dump *dump = &rq->client->dump;
    int error;

    if (!family->dump_next) {
        return -EOPNOTSUPP;
    } else if (dump->active) {
        return -EBUSY;
    }
    memset(dump, 0, sizeof *dump);
    dump->nlmsg = *rq->nlmsg;
    dump->cmd = rq->genl->cmd;
    dump->dp_ifindex = rq->dp_ifindex;
    error = family->dump_start ? family->dump_start(rq) : 0;
    dump->active = !error;
    return error;
}

/* Serves one message of 'size' octets, of which the header is there. */
static void
handle_message(struct client *c, const struct nlmsghdr *nlmsg, size_t size)
{
    const size_t headers = (sizeof *nlmsg + sizeof(struct genlmsghdr)
                            + sizeof(struct ovs_header));
    uint32_t index = nlmsg->nlmsg_type - FIRST_FAMILY;
    struct request rq = { .client = c, .nlmsg = nlmsg };
    bool dump;
    int error;

    if (index >= ARRAY_SIZE(families) || !families[index]) {
        put_error(c, nlmsg, -EOPNOTSUPP);
        return;
    } else if (size < headers) {
        put_error(c, nlmsg, -EINVAL);
        return;
    }
    rq.genl = (const void *) (nlmsg + 1);
    rq.dp_ifindex = get_u32(rq.genl + 1);
    rq.attrs = (const uint8_t *) nlmsg + headers;
    rq.attrs_size = size - headers;
    dump = is_dump(nlmsg, rq.genl);
    error = dump ? start_dump(&rq, families[index])
            : families[index]->handle(&rq);
    if (error || (nlmsg->nlmsg_flags & NLM_F_ACK && !dump)) {
        put_error(c, nlmsg, error);
    }
}

/* Serves the requests in a datagram of 'size' octets. */
void
request_handle(struct client *c, const void *p_, size_t size)
{
    const uint8_t *p = p_;

    while (size >= sizeof(struct nlmsghdr)) {
        const struct nlmsghdr *nlmsg = (const void *) p;
        size_t n = nlmsg->nlmsg_len;

        if (n < sizeof *nlmsg || n > size) {
            put_error(c, nlmsg, -EINVAL);
            return;
        }
        handle_message(c, nlmsg, n);
        n = MIN(NLMSG_ALIGN(n), size);
        p += n;
        size -= n;
    }
}

/* Goes on with the client's dump, if it has one, until about 'limit' octets of
 * replies are there. */
void
request_continue(struct client *c, size_t limit)
{
    const struct family *family;

    if (!c->dump.active) {
        return;
    }
    family = families[c->dump.nlmsg.nlmsg_type - FIRST_FAMILY];
    while (c->replies.size < limit) {
        if (!family->dump_next(c)) {
            put_done(c);
            c->dump.active = false;
            break;
        }
    }
}
