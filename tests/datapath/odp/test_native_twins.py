# SPDX-License-Identifier: Apache-2.0
"""The C core and its plain Python twins agree: extraction, keys, masks."""

import random

import pytest

from ovswitch.datapath import netlink
from ovswitch.datapath.odp import key_decode, key_encode
from ovswitch.datapath.odp.numbers import OVS_KEY_ATTR_TUNNEL
from ovswitch.flow.layout import SLOTS, VLAN_CFI
from ovswitch.packet import compose, extract

core = pytest.importorskip("ovswitch.native.core")


def fields(flow):
    return {n: s.get(flow) for n, s in SLOTS.items() if s.get(flow)}


def put(flow, **values):
    for name, value in values.items():
        flow = SLOTS[name].put(flow, value)
    return flow


L2 = {"dl_src": 0x0A0000000001, "dl_dst": 0x0A0000000002, "in_port": 3}
V4 = {"dl_type": 0x800, "nw_src": 0x0A000001, "nw_dst": 0x0A000002, "nw_ttl": 9}
V6 = {"dl_type": 0x86DD, "ipv6_src": 0xFE80 << 112 | 1, "ipv6_dst": 5, "nw_ttl": 9}
VLAN = {"vlan_tpid0": 0x8100, "vlan_tci0": 0x2005 | VLAN_CFI}
QINQ = {
    "vlan_tpid0": 0x88A8,
    "vlan_tci0": 0x2005 | VLAN_CFI,
    "vlan_tpid1": 0x8100,
    "vlan_tci1": 7 | VLAN_CFI,
}
FLOWS = [
    put(0, **L2, **V4, nw_proto=6, tp_src=1, tp_dst=2, tcp_flags=0x12),
    put(0, **L2, **V4, nw_proto=17, tp_src=1, tp_dst=2, nw_tos=0x2E),
    put(0, **L2, **V4, nw_proto=1, tp_src=8),
    put(0, **L2, **V4, nw_proto=132, tp_src=8),
    put(0, **L2, **V4, nw_proto=2, tp_src=0x16, igmp_group_ip4=0xE0000001),
    put(0, **L2, **V4, nw_proto=17, nw_frag=3),
    put(0, **L2, **V4, nw_proto=17, nw_frag=1, tp_src=3),
    put(0, **L2, **V4, **VLAN, nw_proto=17, tp_src=1),
    put(0, **L2, **V4, **QINQ, nw_proto=17, tp_src=1),
    put(0, **L2, **V6, nw_proto=6, tp_src=1, ipv6_label=0x12345),
    put(0, **L2, **V6, nw_proto=58, tp_src=128),
    put(0, **L2, **V6, nw_proto=58, tp_src=135, nd_target=9, arp_sha=4, tcp_flags=1),
    put(0, **L2, **V6, nw_proto=58, tp_src=136, nd_target=9, arp_tha=4, tcp_flags=2),
    put(0, **L2, dl_type=0x806, nw_proto=1, nw_src=1, nw_dst=2, arp_sha=3, arp_tha=4),
    put(0, **L2, dl_type=0x8035, nw_proto=3),
    put(0, **L2, dl_type=0x8847, mpls_lse0=0x10140),
    put(0, **L2, dl_type=0x8847, mpls_lse0=0x10040, mpls_lse1=0x20140),
    put(0, **L2, dl_type=0x8848, mpls_lse0=1 << 12, mpls_lse1=9, mpls_lse2=0x101),
    put(0, **L2, dl_type=0x1234),
    put(0, **L2, dl_type=0x5FF),
    put(0, **L2, **V4, ct_state=0x21, ct_zone=5, ct_mark=6, ct_label=7 << 64 | 1),
    put(0, **L2, **V4, recirc_id=5, dp_hash=6, skb_priority=7, pkt_mark=8),
    put(0, **L2, **V4, ct_state=1, ct_nw_proto=6, ct_nw_src=1, ct_tp_src=2),
    put(0, **L2, **V6, ct_state=1, ct_nw_proto=6, ct_ipv6_src=1, ct_tp_dst=2),
    put(
        0,
        **L2,
        dl_type=0x894F,
        nsh_ttl=6,
        nsh_mdtype=1,
        nsh_np=3,
        nsh_path_hdr=0x1234,
        nsh_c1=1,
        nsh_c4=2,
    ),
    put(0, **L2, **V4, tun_dst=1, tun_src=2, tun_id=3, tun_flags=0xC, tun_ttl=64),
    put(0, **L2, **V4, tun_ipv6_dst=1, tun_ttl=64, tun_gbp_id=3, tun_gbp_flags=8),
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: hex(hash(flow)))
def test_both_encode_a_flow_alike(flow):
    assert key_encode.from_flow(flow) == core.key_to_attrs(flow)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: hex(hash(flow)))
def test_both_encode_a_mask_alike(flow):
    for mask in (
        0,
        SLOTS["nw_tos"].mask | SLOTS["dl_type"].mask,
        put(SLOTS["nw_src"].mask | SLOTS["tp_src"].mask, nw_frag=3),
        SLOTS["tp_src"].put(SLOTS["tp_dst"].put(0, 0xFF), 0xFF)
        | SLOTS["nd_target"].mask,
        SLOTS["vlan_tci0"].mask | SLOTS["mpls_lse0"].mask | SLOTS["in_port"].mask,
        SLOTS["tcp_flags"].put(0, 0x12) | SLOTS["ct_state"].mask,
    ):
        own = dict(netlink.walk(key_encode.from_mask(mask, flow))[0])
        other = dict(netlink.walk(core.mask_to_attrs(flow, mask))[0])
        if OVS_KEY_ATTR_TUNNEL not in own:
            other.pop(OVS_KEY_ATTR_TUNNEL, None)
        assert own == other


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: hex(hash(flow)))
def test_both_decode_what_either_encodes(flow):
    attrs = core.key_to_attrs(flow)
    decoded, fitness = key_decode.to_flow(attrs)
    assert fitness == key_decode.FIT_PERFECT
    assert fields(decoded) == fields(core.key_from_attrs(attrs))
    assert fields(decoded) == fields(flow) or SLOTS["nw_proto"].get(flow) == 2


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: hex(hash(flow)))
def test_both_decode_masks_alike(flow):
    attrs = core.mask_to_attrs(flow, (1 << 8 * core.KEY_SIZE) - 1)
    mask, fitness = key_decode.to_mask(attrs, flow)
    assert fitness == key_decode.FIT_PERFECT
    assert fields(mask) == fields(core.mask_from_attrs(attrs, flow))


def test_extraction_of_broken_packets_is_alike():
    rng = random.Random(11)
    packets = [compose.compose(flow) for flow in FLOWS]
    for _ in range(4000):
        octets = bytearray(rng.choice(packets))
        for _ in range(rng.randrange(5)):
            octets[rng.randrange(len(octets))] = rng.choice((0, 1, 6, 17, 43, 44, 255))
        packet = bytes(octets[: rng.randrange(len(octets) + 1)])
        assert fields(extract.extract(packet, put(0, in_port=3))) == fields(
            core.extract(packet, put(0, in_port=3))
        ), packet.hex()


def test_decoding_of_broken_keys_never_fails_otherwise():
    rng = random.Random(12)
    keys = [core.key_to_attrs(flow) for flow in FLOWS]
    for _ in range(3000):
        octets = bytearray(rng.choice(keys))
        for _ in range(rng.randrange(4)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        broken = bytes(octets[: rng.randrange(len(octets) + 1)])
        try:
            flow, fitness = key_decode.to_flow(broken)
        except key_decode.KeyDecodeError:
            continue
        assert fitness in range(3)
        assert flow >= 0
