/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <errno.h>

#include "odp.h"

static const struct nl_policy meter_policy[] = {
    [OVS_METER_ATTR_ID] = NL_EXACT(4),
    [OVS_METER_ATTR_KBPS] = { 0, 4 },
    [OVS_METER_ATTR_BANDS] = { 0, NL_ANY_SIZE },
    [OVS_METER_ATTR_CLEAR] = { 0, 4 },
};
#define N_ATTRS ARRAY_SIZE(meter_policy)

static const struct nl_policy band_policy[] = {
    [OVS_BAND_ATTR_TYPE] = NL_EXACT(4),
    [OVS_BAND_ATTR_RATE] = NL_EXACT(4),
    [OVS_BAND_ATTR_BURST] = NL_EXACT(4),
};

static void
put_features(const struct request *rq)
{
    struct nl_buf *b = &rq->client->replies;
    size_t start = reply_start(rq->client, rq->nlmsg, rq->genl->cmd,
                               OVS_METER_VERSION, rq->dp_ifindex);
    size_t bands, band;

    nl_put_u32(b, OVS_METER_ATTR_MAX_METERS, MAX_METERS);
    nl_put_u32(b, OVS_METER_ATTR_MAX_BANDS, METER_MAX_BANDS);
    bands = nl_start_nested(b, OVS_METER_ATTR_BANDS);
    band = nl_start_nested(b, OVS_BAND_ATTR_UNSPEC);
    nl_put_u32(b, OVS_BAND_ATTR_TYPE, OVS_METER_BAND_TYPE_DROP);
    nl_end_nested(b, band);
    nl_end_nested(b, bands);
    reply_end(rq->client, start);
}

static void
put_stats(struct nl_buf *b, uint16_t type, uint64_t n_packets,
          uint64_t n_bytes)
{
    struct ovs_flow_stats stats = { n_packets, n_bytes };

    nl_put_unspec(b, type, &stats, sizeof stats);
}

static void
put_bands(struct nl_buf *b, const struct meter *m)
{
    size_t bands = nl_start_nested(b, OVS_METER_ATTR_BANDS);

    for (uint32_t i = 0; i < m->n_bands; i++) {
        const struct meter_band *band = &m->bands[i];
        size_t start = nl_start_nested(b, OVS_BAND_ATTR_UNSPEC);

        put_stats(b, OVS_BAND_ATTR_STATS, band->n_packets, band->n_bytes);
        nl_end_nested(b, start);
    }
    nl_end_nested(b, bands);
}

static void
put_meter(const struct request *rq, uint32_t id, struct meter *m)
{
    struct nl_buf *b = &rq->client->replies;
    size_t start = reply_start(rq->client, rq->nlmsg, rq->genl->cmd,
                               OVS_METER_VERSION, rq->dp_ifindex);

    nl_put_u32(b, OVS_METER_ATTR_ID, id);
    if (m) {
        pthread_mutex_lock(&m->lock);
        put_stats(b, OVS_METER_ATTR_STATS, m->n_packets, m->n_bytes);
        nl_put_u64(b, OVS_METER_ATTR_USED, m->used);
        put_bands(b, m);
        pthread_mutex_unlock(&m->lock);
    }
    reply_end(rq->client, start);
}

static int
parse_band(const struct nlattr *nested, struct meter_band *band)
{
    const struct nlattr *attrs[ARRAY_SIZE(band_policy)];

    memset(band, 0, sizeof *band);
    if (nl_parse(nl_data(nested), nl_size(nested), band_policy, attrs,
                 ARRAY_SIZE(attrs))
        || !attrs[OVS_BAND_ATTR_TYPE] || !attrs[OVS_BAND_ATTR_RATE]) {
        return -EINVAL;
    }
    if (nl_u32(attrs[OVS_BAND_ATTR_TYPE]) != OVS_METER_BAND_TYPE_DROP) {
        return -ENODEV;
    }
    band->rate = nl_u32(attrs[OVS_BAND_ATTR_RATE]);
    if (attrs[OVS_BAND_ATTR_BURST]) {
        band->burst = nl_u32(attrs[OVS_BAND_ATTR_BURST]);
    }
    return 0;
}

static int
set_meter(const struct request *rq, struct datapath *dp,
          const struct nlattr *attrs[])
{
    const struct nlattr *list = attrs[OVS_METER_ATTR_BANDS];
    struct meter_band bands[METER_MAX_BANDS];
    uint32_t id = nl_u32(attrs[OVS_METER_ATTR_ID]);
    uint32_t n = 0;
    const struct nlattr *a;
    size_t left;
    int error;

    if (list) {
        NL_FOR_EACH (a, left, nl_data(list), nl_size(list)) {
            if (n == METER_MAX_BANDS) {
                return -EINVAL;
            }
            error = parse_band(a, &bands[n++]);
            if (error) {
                return error;
            }
        }
    }
    error = meter_set(dp->meters, id, attrs[OVS_METER_ATTR_KBPS], bands, n,
                      rq->client->forwarder->now());
    if (!error) {
        put_meter(rq, id, NULL);
    }
    return error;
}

static int
meter_handle(const struct request *rq)
{
    struct datapath *dp = datapath_find(rq->client->forwarder,
                                        rq->dp_ifindex);
    const struct nlattr *attrs[N_ATTRS];
    struct meter *m;
    uint32_t id;

    if (nl_parse(rq->attrs, rq->attrs_size, meter_policy, attrs, N_ATTRS)) {
        return -EINVAL;
    } else if (!dp) {
        return -ENODEV;
    } else if (rq->genl->cmd == OVS_METER_CMD_FEATURES) {
        put_features(rq);
        return 0;
    } else if (!attrs[OVS_METER_ATTR_ID]) {
        return -EINVAL;
    }
    id = nl_u32(attrs[OVS_METER_ATTR_ID]);
    if (id >= MAX_METERS) {
        return -EFBIG;
    } else if (rq->genl->cmd == OVS_METER_CMD_SET) {
        return set_meter(rq, dp, attrs);
    } else if (rq->genl->cmd != OVS_METER_CMD_GET
               && rq->genl->cmd != OVS_METER_CMD_DEL) {
        return -EOPNOTSUPP;
    }
    m = meter_lookup(dp->meters, id);
    if (!m) {
        return -ENOENT;
    }
    put_meter(rq, id, m);
    return rq->genl->cmd == OVS_METER_CMD_DEL
           ? meter_delete(dp->meters, id) : 0;
}

const struct family meter_family = { .handle = meter_handle };
