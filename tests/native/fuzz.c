/* SPDX-License-Identifier: Apache-2.0 */

/* Feeds the datapath random packets, flows and requests.
 *
 *     fuzz SEED ROUNDS
 *
 * Built with sanitizers by test_sanitizers.py; a fault ends it with a report.
 * Most of what it makes is nearly right, since random octets alone never get
 * past the first check.  Some properties are asserted on the way. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core_api.h"
#include "encap.h"
#include "extract.h"
#include "headers.h"
#include "key_attrs.h"
#include "odp.h"
#include "request.h"
#include "worker.h"

static uint64_t state;
static struct core_dummy *dummy;

static uint32_t
rnd(uint32_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return n ? (uint32_t) (state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n : 0;
}

static bool
one_in(uint32_t n)
{
    return !rnd(n);
}

static void
rnd_octets(void *p_, size_t size)
{
    uint8_t *p = p_;

    for (size_t i = 0; i < size; i++) {
        p[i] = rnd(256);
    }
}

static void
mutate(uint8_t *p, size_t size)
{
    if (size) {
        for (uint32_t n = rnd(4) + 1; n; n--) {
            p[rnd(size)] = one_in(2) ? rnd(256) : 1u << rnd(8);
        }
    }
}

/* Packets. */

static size_t
put_l4(uint8_t *p, uint8_t proto)
{
    rnd_octets(p, 64);
    switch (proto) {
    case PROTO_TCP:
        p[12] = (5 + rnd(3)) << 4;
        return 64;
    case PROTO_ICMPV6:
        p[0] = ND_SOLICIT + rnd(2);
        p[1] = 0;
        p[24] = 1 + rnd(2);
        p[25] = 1;
        p[32] = 1 + rnd(2);
        p[33] = 1;
        return 24 + 8 * rnd(4);
    default:
        return 8 + rnd(56);
    }
}

static const uint8_t protos[] = {
    PROTO_TCP, PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_IGMP, PROTO_SCTP,
    PROTO_ICMPV6, 47,
};

static size_t
put_ipv4(uint8_t *p)
{
    struct ip_header *ip = (void *) p;
    size_t size;

    rnd_octets(ip, 20);
    ip->ihl_version = 0x45;
    ip->proto = protos[rnd(ARRAY_SIZE(protos))];
    ip->frag = one_in(8) ? ip->frag : 0;
    size = 20 + put_l4(p + 20, ip->proto);
    ip->total_size = htons(size);
    return size;
}

static size_t
put_ipv6(uint8_t *p)
{
    static const uint8_t extensions[] = {
        PROTO_HOPOPTS, PROTO_ROUTING, PROTO_FRAGMENT, PROTO_AH, PROTO_DSTOPTS,
    };
    struct ip6_header *ip6 = (void *) p;
    uint8_t *next = &ip6->next;
    size_t size = 40;

    rnd_octets(ip6, 40);
    *p = 0x60 | (*p & 0xf);
    while (one_in(3) && size < 120) {
        *next = extensions[rnd(ARRAY_SIZE(extensions))];
        rnd_octets(p + size, 16);
        p[size + 1] = rnd(2);
        next = p + size;
        size += *next == PROTO_FRAGMENT ? 8 : 8 * (p[size + 1] + 1);
    }
    *next = protos[rnd(ARRAY_SIZE(protos))];
    size += put_l4(p + size, *next);
    ip6->payload_size = htons(size - 40);
    return size;
}

/* Writes a packet to 'p', which has room for 512 octets; returns its size. */
static size_t
make_packet(uint8_t *p)
{
    static const uint16_t types[] = {
        ETH_TYPE_IP, ETH_TYPE_IP, ETH_TYPE_IPV6, ETH_TYPE_IPV6, ETH_TYPE_ARP,
        ETH_TYPE_RARP, ETH_TYPE_MPLS, ETH_TYPE_NSH, 0x88cc, 0x0100,
    };
    size_t size = 12;
    uint16_t type;

    rnd_octets(p, 512);
    p[0] = p[6] = 2;
    while (one_in(3) && size < 30) {
        put_u16(p + size, htons(one_in(2) ? 0x8100 : 0x88a8));
        size += 4;
    }
    type = types[rnd(ARRAY_SIZE(types))];
    put_u16(p + size, htons(type));
    size += 2;
    while (type == ETH_TYPE_MPLS && one_in(2) && size < 60) {
        p[size + 2] &= 0xfe;
        size += 4;
    }
    if (type == ETH_TYPE_MPLS) {
        p[size + 2] |= 1;
        size += 4;
        type = one_in(2) ? ETH_TYPE_IP : ETH_TYPE_IPV6;
    }
    switch (type) {
    case ETH_TYPE_IP:
        size += put_ipv4(p + size);
        break;
    case ETH_TYPE_IPV6:
        size += put_ipv6(p + size);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        memcpy(p + size, "\0\1\10\0\6\4\0\1", 8);
        size += 28;
        break;
    case ETH_TYPE_NSH:
        memcpy(p + size, "\0\106\1\3", 4);
        size += 24 + rnd(40);
        break;
    default:
        size += rnd(60);
    }
    if (one_in(4)) {
        mutate(p, size);
    }
    return one_in(8) ? rnd(size + 1) : size;
}

/* Actions. */

static void put_actions(struct nl_buf *, int depth);

static void
put_set(struct nl_buf *b)
{
    static const struct {
        uint16_t type, size;
    } fields[] = {
        { OVS_KEY_ATTR_ETHERNET, 12 }, { OVS_KEY_ATTR_IPV4, 12 },
        { OVS_KEY_ATTR_IPV6, 40 }, { OVS_KEY_ATTR_TCP, 4 },
        { OVS_KEY_ATTR_UDP, 4 }, { OVS_KEY_ATTR_SCTP, 4 },
        { OVS_KEY_ATTR_ARP, 24 }, { OVS_KEY_ATTR_ND, 28 },
        { ODP_KEY_ND_EXTENSIONS, 8 }, { OVS_KEY_ATTR_MPLS, 4 },
        { OVS_KEY_ATTR_PRIORITY, 4 }, { OVS_KEY_ATTR_SKB_MARK, 4 },
        { OVS_KEY_ATTR_ICMP, 2 }, { OVS_KEY_ATTR_ICMPV6, 2 },
        { OVS_KEY_ATTR_DP_HASH, 4 },
    };
    uint32_t i = rnd(ARRAY_SIZE(fields));
    bool masked = one_in(2) && i != 12 && i != 13;
    size_t start = nl_start_nested(b, masked ? OVS_ACTION_ATTR_SET_MASKED
                                      : OVS_ACTION_ATTR_SET);
    size_t size = fields[i].size * (masked ? 2 : 1);

    rnd_octets(nl_put_unspec_uninit(b, fields[i].type, size), size);
    nl_end_nested(b, start);
}

static void
put_nsh(struct nl_buf *b, uint16_t action)
{
    size_t start = nl_start_nested(b, action);
    size_t inner = nl_start_nested(b, OVS_KEY_ATTR_NSH);
    uint8_t base[8] = { 1, 63, 1, 3, 0, 0, 1, 255 };

    nl_put_unspec(b, OVS_NSH_KEY_ATTR_BASE, base, 8);
    nl_put_unspec(b, OVS_NSH_KEY_ATTR_MD1, base, 8);
    nl_buf_put(b, base, 8);
    ((struct nlattr *) (b->base + b->size - 20))->nla_len += 8;
    nl_end_nested(b, inner);
    nl_end_nested(b, start);
}

static void
put_nested_action(struct nl_buf *b, int depth)
{
    size_t start, inner;

    switch (rnd(4)) {
    case 0:
        start = nl_start_nested(b, OVS_ACTION_ATTR_SAMPLE);
        nl_put_u32(b, OVS_SAMPLE_ATTR_PROBABILITY, UINT32_MAX / (1 + rnd(2)));
        inner = nl_start_nested(b, OVS_SAMPLE_ATTR_ACTIONS);
        put_actions(b, depth + 1);
        nl_end_nested(b, inner);
        break;
    case 1:
        start = nl_start_nested(b, OVS_ACTION_ATTR_CHECK_PKT_LEN);
        nl_put_u16(b, 1, rnd(200));
        for (int i = 2; i < 4; i++) {
            inner = nl_start_nested(b, i);
            put_actions(b, depth + 1);
            nl_end_nested(b, inner);
        }
        break;
    case 2:
        start = nl_start_nested(b, OVS_ACTION_ATTR_USERSPACE);
        nl_put_u32(b, OVS_USERSPACE_ATTR_PID, one_in(2) ? 1 : UINT32_MAX);
        rnd_octets(nl_put_unspec_uninit(b, OVS_USERSPACE_ATTR_USERDATA, 7),
                   7);
        if (one_in(2)) {
            nl_put_flag(b, OVS_USERSPACE_ATTR_ACTIONS);
        }
        break;
    default:
        start = nl_start_nested(b, OVS_ACTION_ATTR_CLONE);
        put_actions(b, depth + 1);
        break;
    }
    nl_end_nested(b, start);
}

static void
put_action(struct nl_buf *b, int depth)
{
    uint32_t words[6];

    rnd_octets(words, sizeof words);
    switch (rnd(17)) {
    case 0:
    case 1:
        nl_put_u32(b, OVS_ACTION_ATTR_OUTPUT, rnd(5));
        break;
    case 2:
    case 3:
    case 4:
        put_set(b);
        break;
    case 5:
        words[0] = htonl(0x8100u << 16 | 0x1000 | rnd(4096));
        nl_put_unspec(b, OVS_ACTION_ATTR_PUSH_VLAN, words, 4);
        break;
    case 6:
        nl_put_flag(b, OVS_ACTION_ATTR_POP_VLAN);
        break;
    case 7:
        words[1] = htons(0x8847);
        nl_put_unspec(b, one_in(2) ? OVS_ACTION_ATTR_PUSH_MPLS
                      : (int) ODP_ACTION_ADD_MPLS, words, 8);
        break;
    case 8:
        nl_put_u16(b, OVS_ACTION_ATTR_POP_MPLS,
                   htons(one_in(2) ? 0x800 : one_in(2) ? 0x6558 : 0x86dd));
        break;
    case 9:
        if (one_in(2)) {
            nl_put_unspec(b, OVS_ACTION_ATTR_PUSH_ETH, words, 12);
        } else {
            nl_put_flag(b, OVS_ACTION_ATTR_POP_ETH);
        }
        break;
    case 10:
        put_nsh(b, one_in(2) ? OVS_ACTION_ATTR_PUSH_NSH
                : OVS_ACTION_ATTR_SET);
        break;
    case 11:
        nl_put_flag(b, OVS_ACTION_ATTR_POP_NSH);
        break;
    case 12:
        nl_put_u32(b, OVS_ACTION_ATTR_TRUNC, 14 + rnd(100));
        break;
    case 13:
        nl_put_u32(b, OVS_ACTION_ATTR_RECIRC, rnd(3));
        break;
    case 14:
        words[0] = rnd(2);
        nl_put_unspec(b, OVS_ACTION_ATTR_HASH, words, 8);
        break;
    case 15:
        nl_put_u32(b, OVS_ACTION_ATTR_METER, rnd(4));
        break;
    default:
        put_nested_action(b, depth);
    }
}

static void
put_actions(struct nl_buf *b, int depth)
{
    uint32_t n = depth < 4 ? rnd(6) : 0;

    for (uint32_t i = 0; i < n && b->size < 8000; i++) {
        put_action(b, depth);
    }
}

/* Requests. */

static size_t
start_request(struct nl_buf *b, uint16_t family, uint8_t cmd, uint16_t flags)
{
    size_t start = nl_msg_start(b, family, NLM_F_REQUEST | flags, 1, 0);
    struct genlmsghdr genl = { .cmd = cmd, .version = 1 };
    uint32_t dp_ifindex = 1;

    nl_buf_put(b, &genl, sizeof genl);
    nl_buf_put(b, &dp_ifindex, 4);
    return start;
}

static void
send_request(struct nl_buf *b, bool mutable)
{
    const uint8_t *replies;
    uint32_t size;

    if (mutable && one_in(3)) {
        mutate(b->base + 16, b->size - 16);
    }
    size = core_dummy_request(dummy, 1, b->base, b->size, &replies);
    for (uint32_t i = 0; i < size;) {
        const struct nlmsghdr *nlmsg = (const void *) (replies + i);

        assert(nlmsg->nlmsg_len >= 16 && i + nlmsg->nlmsg_len <= size);
        i += NLMSG_ALIGN(nlmsg->nlmsg_len);
    }
    nl_buf_uninit(b);
}

static void
put_nested_attrs(struct nl_buf *b, uint16_t type, struct nl_buf *content)
{
    nl_put_unspec(b, type, content->base, content->size);
    nl_buf_uninit(content);
}

/* Extracts a random packet's key, and checks that it survives its attributes.
 * Returns false if the key is one that has no exact attributes. */
static bool
make_key(struct flow_key *key)
{
    uint8_t octets[512];
    size_t size = make_packet(octets);
    struct nl_buf b = { NULL, 0, 0 };
    struct flow_key copy;

    memset(key, 0, sizeof *key);
    key->in_port = htonl(1 + rnd(3));
    key->recirc_id = htonl(rnd(3));
    core_extract(octets, size, (uint8_t *) key);
    key_to_attrs(key, &b);
    if (key_from_attrs(b.base, b.size, &copy)) {
        /* MPLS without bottom, a stack of more than three: not expressible. */
        assert(eth_type_mpls(key->dl_type));
        nl_buf_uninit(&b);
        return false;
    }
    if (key->nw_proto != PROTO_IGMP && key->dl_type != htons(ETH_TYPE_NSH)
        && (key->nw_proto != PROTO_ICMP
            || key->dl_type == htons(ETH_TYPE_IP))
        && (key->nw_proto != PROTO_ICMPV6
            || key->dl_type == htons(ETH_TYPE_IPV6))
        && ntohs(key->dl_type) >= ETH_TYPE_MIN) {
        assert(!memcmp(key, &copy, sizeof copy));
    }
    nl_buf_uninit(&b);
    return true;
}

static void
make_mask(const struct flow_key *key, struct flow_key *mask)
{
    uint8_t *octets = (uint8_t *) mask;
    struct nl_buf b = { NULL, 0, 0 };

    key_exact_mask(key, mask);
    for (uint32_t n = rnd(30); n; n--) {
        octets[FLOW_KEY_HEADERS_OFS + 12 + rnd(FLOW_KEY_SIZE
                                           - FLOW_KEY_HEADERS_OFS - 12)] = 0;
    }
    mask_to_attrs(key, mask, &b);
    mask_from_attrs(b.base, b.size, key, mask);
    nl_buf_uninit(&b);
    mask->in_port = UINT32_MAX;
}

static void
flow_request(void)
{
    static const uint8_t cmds[] = {
        OVS_FLOW_CMD_NEW, OVS_FLOW_CMD_NEW, OVS_FLOW_CMD_NEW,
        OVS_FLOW_CMD_SET, OVS_FLOW_CMD_GET, OVS_FLOW_CMD_DEL,
    };
    struct nl_buf b = { NULL, 0, 0 }, sub = { NULL, 0, 0 };
    struct flow_key key, mask;
    uint8_t ufid[16] = { 0 };
    size_t start;

    if (!make_key(&key)) {
        return;
    }
    make_mask(&key, &mask);
    ufid[0] = rnd(64);
    start = start_request(&b, ODP_FAMILY_FLOW, cmds[rnd(ARRAY_SIZE(cmds))],
                          rnd(16) | (one_in(4) ? 0x400 : 0));
    key_to_attrs(&key, &sub);
    put_nested_attrs(&b, OVS_FLOW_ATTR_KEY, &sub);
    if (!one_in(6)) {
        mask_to_attrs(&key, &mask, &sub);
        put_nested_attrs(&b, OVS_FLOW_ATTR_MASK, &sub);
    }
    put_actions(&sub, 0);
    put_nested_attrs(&b, OVS_FLOW_ATTR_ACTIONS, &sub);
    if (one_in(2)) {
        nl_put_unspec(&b, OVS_FLOW_ATTR_UFID, ufid, 16);
    }
    if (one_in(5)) {
        nl_put_flag(&b, OVS_FLOW_ATTR_CLEAR);
    }
    nl_msg_end(&b, start);
    send_request(&b, true);
}

static void
execute_request(void)
{
    struct nl_buf b = { NULL, 0, 0 }, sub = { NULL, 0, 0 };
    uint8_t octets[512];
    size_t size = make_packet(octets);
    size_t start = start_request(&b, ODP_FAMILY_PACKET,
                                 OVS_PACKET_CMD_EXECUTE, NLM_F_ACK);

    nl_put_unspec(&b, OVS_PACKET_ATTR_PACKET, octets, size);
    nl_put_u32(&sub, OVS_KEY_ATTR_IN_PORT, 1 + rnd(3));
    put_nested_attrs(&b, OVS_PACKET_ATTR_KEY, &sub);
    put_actions(&sub, 0);
    put_nested_attrs(&b, OVS_PACKET_ATTR_ACTIONS, &sub);
    nl_msg_end(&b, start);
    send_request(&b, true);
}

static void
other_request(void)
{
    struct nl_buf b = { NULL, 0, 0 };
    size_t start = start_request(&b, ODP_FAMILY_DATAPATH + rnd(6),
                                 3 + rnd(2), rnd(2) ? NLM_F_DUMP : NLM_F_ACK);

    if (one_in(2)) {
        nl_put_u32(&b, OVS_VPORT_ATTR_PORT_NO, rnd(6));
    }
    nl_msg_end(&b, start);
    send_request(&b, true);
}

static void
meter_request(void)
{
    struct nl_buf b = { NULL, 0, 0 };
    size_t start = start_request(&b, ODP_FAMILY_METER, 1 + rnd(4), NLM_F_ACK);
    size_t bands, band;

    nl_put_u32(&b, OVS_METER_ATTR_ID, rnd(4));
    if (one_in(2)) {
        nl_put_flag(&b, OVS_METER_ATTR_KBPS);
    }
    bands = nl_start_nested(&b, OVS_METER_ATTR_BANDS);
    for (uint32_t n = rnd(3); n; n--) {
        band = nl_start_nested(&b, 0);
        nl_put_u32(&b, OVS_BAND_ATTR_TYPE, 1);
        nl_put_u32(&b, OVS_BAND_ATTR_RATE, rnd(100));
        nl_end_nested(&b, band);
    }
    nl_end_nested(&b, bands);
    nl_msg_end(&b, start);
    send_request(&b, true);
}

static void
vport_request(void)
{
    struct nl_buf b = { NULL, 0, 0 };
    size_t start = start_request(&b, ODP_FAMILY_VPORT,
                                 one_in(3) ? OVS_VPORT_CMD_DEL
                                 : OVS_VPORT_CMD_NEW, NLM_F_ECHO);
    char name[8];

    snprintf(name, sizeof name, "p%u", rnd(6));
    nl_put_u32(&b, OVS_VPORT_ATTR_TYPE, 1);
    nl_put_string(&b, OVS_VPORT_ATTR_NAME, name);
    nl_put_u32(&b, OVS_VPORT_ATTR_UPCALL_PID, 1);
    nl_msg_end(&b, start);
    send_request(&b, false);
}

static void
random_request(void)
{
    struct nl_buf b = { NULL, 0, 0 };
    size_t start = start_request(&b, ODP_FAMILY_DATAPATH + rnd(6), rnd(6),
                                 rnd(65536));
    size_t size = rnd(100);

    rnd_octets(nl_buf_put_uninit(&b, size), size);
    nl_msg_end(&b, start);
    if (one_in(4)) {
        mutate(b.base, b.size);
    }
    send_request(&b, false);
}

/* Has a port receive a packet, half of the time one with work left for a
 * network card. */
static void
receive(void)
{
    struct forwarder *f = (void *) dummy; /* Its first member. */
    struct worker *w = f->workers[0];
    struct datapath *dp = f->datapaths;
    struct port *port = dp ? datapath_port(dp, 1 + rnd(3)) : NULL;
    uint8_t octets[4096];
    size_t size = make_packet(octets);
    struct packet *p = &w->batch[0];
    struct virtio_net_hdr vnet = { 0 };

    if (!port || size < ETH_HEADER_LEN) {
        return;
    }
    if (one_in(2)) {
        size += rnd(3000);
    }
    assert(packet_init_copy(p, &w->arena, octets, size));
    if (one_in(2)) {
        flow_extract(p);
        vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        vnet.csum_start = one_in(8) ? rnd(200) : p->l4_ofs;
        vnet.csum_offset = one_in(2) ? 16 : 6;
        vnet.gso_type = rnd(6);
        vnet.gso_size = 1 + rnd(200);
        if (!offload_from_vnet(p, &vnet)) {
            packet_uninit(p);
            return;
        }
    }
    worker_begin(w);
    worker_process(w, port, p, 1);
    worker_flush(w);
    upcall_flush(w);
}

static void
drain_events(void)
{
    struct core_event event;

    while (core_dummy_next_event(dummy, &event)) {
        assert(event.size <= 1 << 20);
    }
}

static void
create_datapath(void)
{
    struct nl_buf b = { NULL, 0, 0 };
    size_t start = start_request(&b, ODP_FAMILY_DATAPATH, OVS_DP_CMD_NEW, 0);

    nl_put_string(&b, OVS_DP_ATTR_NAME, "dp");
    nl_put_u32(&b, OVS_DP_ATTR_UPCALL_PID, 1);
    nl_msg_end(&b, start);
    send_request(&b, false);
}

int
main(int argc, char *argv[])
{
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 10000;

    state = (argc > 1 ? strtoul(argv[1], NULL, 0) : 1) * 2 + 1;
    dummy = core_dummy_create();
    for (unsigned long i = 0; i < rounds; i++) {
        core_dummy_set_time(dummy, i + 1);
        create_datapath();      /* Does nothing if it is still there. */
        switch (rnd(16)) {
        case 0:
            vport_request();
            break;
        case 1:
            random_request();
            break;
        case 2:
            meter_request();
            break;
        case 3:
            other_request();
            break;
        case 4:
        case 5:
            execute_request();
            break;
        case 6:
        case 7:
        case 8:
            flow_request();
            break;
        default:
            receive();
        }
        drain_events();
    }
    core_dummy_destroy(dummy);
    printf("%lu rounds\n", rounds);
    return 0;
}
