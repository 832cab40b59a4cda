/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REQUEST_H
#define REQUEST_H 1

/* Requests of the datapath protocol (docs/datapath-protocol.md).
 *
 * A client's datagram goes through request_handle(), which appends replies to
 * a buffer.  A dump does not come all at once: the client's dump state
 * remembers the place, and request_continue() appends the next part whenever
 * the connection has room for it. */

#include "datapath.h"

/* A client's dump under way.  Flows may change meanwhile: each that exists
 * throughout shows up once. */
struct dump {
    bool active;
    struct nlmsghdr nlmsg;      /* Of the request. */
    uint8_t cmd;
    uint32_t dp_ifindex;
    uint32_t cursor;            /* Place in what is being dumped. */
    uint32_t ufid_flags;        /* OVS_UFID_F_*, for flows. */
};

struct client {
    struct forwarder *forwarder;
    uint32_t pid;               /* The connection's number. */
    struct dump dump;
    struct nl_buf replies;      /* What is to be sent. */
};

/* A request, taken apart. */
struct request {
    struct client *client;
    const struct nlmsghdr *nlmsg;
    const struct genlmsghdr *genl;
    uint32_t dp_ifindex;
    const void *attrs;
    size_t attrs_size;
};

/* How to serve a family.  Functions return 0 or a negative errno. */
struct family {
    int (*handle)(const struct request *);

    /* Appends the message for one thing at or after dump.cursor, moves the
     * cursor behind it and returns true; false if there is none.  NULL if the
     * family has no dumps. */
    bool (*dump_next)(struct client *);
    int (*dump_start)(const struct request *); /* May be NULL. */
};

extern const struct family datapath_family;
extern const struct family vport_family;
extern const struct family flow_family;
extern const struct family packet_family;
extern const struct family meter_family;

void request_handle(struct client *, const void *, size_t size);
void request_continue(struct client *, size_t limit);

/* For families: opens and closes a reply with the headers that 'cmd' and
 * 'dp_ifindex' make. */
size_t reply_start(struct client *, const struct nlmsghdr *request,
                   uint8_t cmd, uint8_t version, uint32_t dp_ifindex);
void reply_end(struct client *, size_t start);

static inline bool
wants_echo(const struct request *rq)
{
    return rq->nlmsg->nlmsg_flags & NLM_F_ECHO;
}

static inline bool
nl_string_valid(const struct nlattr *a)
{
    return nl_size(a) && !((const char *) nl_data(a))[nl_size(a) - 1];
}

#endif /* request.h */
