# SPDX-License-Identifier: Apache-2.0
"""Hashes: values of the published algorithms, and of the reference's flow hashes."""

import pytest

from ovswitch.flow import flow_hash, hashes
from ovswitch.flow.layout import SLOTS

TCP = {
    "dl_src": 0x001122334455,
    "dl_dst": 0x00AABBCCDDEE,
    "dl_type": 0x0800,
    "vlan_tci0": 0x1005,
    "nw_src": 0x0A000001,
    "nw_dst": 0x0A000002,
    "nw_proto": 6,
    "tp_src": 1000,
    "tp_dst": 80,
}
SWAPS = (("dl_src", "dl_dst"), ("nw_src", "nw_dst"), ("ipv6_src", "ipv6_dst"))


def flow(**members):
    value = 0
    for name, number in members.items():
        value = SLOTS[name].put(value, number)
    return value


def reverse(members):
    other = dict(members)
    for a, b in (*SWAPS, ("tp_src", "tp_dst")):
        other[a], other[b] = members.get(b, 0), members.get(a, 0)
    return other


@pytest.mark.parametrize(
    ("octets", "seed", "value"),
    [(b"", 1, 0x514E28B7), (b"test", 0, 0xBA6BD213), (b"aaaa", 0x9747B28C, 0x5A97808A)],
)
def test_murmur_hash(octets, seed, value):
    """Well-known values of MurmurHash3_x86_32."""
    assert hashes.hash_octets(octets, seed) == value


def test_jenkins_hash():
    """lookup3's hashlittle() with nothing to hash gives its start value."""
    assert hashes.jhash(b"") == 0xDEADBEEF
    assert hashes.jhash(b"", 5) == 0xDEADBEF4


@pytest.mark.parametrize("fields", [1, 2, 3, 6])
def test_symmetric_hashes_are_equal_in_both_directions(fields):
    there, back = flow(**TCP), flow(**reverse(TCP))
    assert there != back
    here = flow_hash.by_fields(there, fields, 3)
    assert here == flow_hash.by_fields(back, fields, 3)


@pytest.mark.parametrize("protocol", [1, 6, 17, 132, 50])
@pytest.mark.parametrize("eth_type", [0x0800, 0x86DD, 0x0806, 0x1234])
@pytest.mark.parametrize("fields", range(7))
def test_a_hash_depends_on_nothing_outside_its_mask(fields, eth_type, protocol):
    one = flow(**TCP | {"dl_type": eth_type, "nw_proto": protocol, "ipv6_src": 1 << 99})
    looked_at = flow_hash.mask(one, fields) | SLOTS["dl_type"].mask
    looked_at |= SLOTS["packet_type"].mask | SLOTS["nw_frag"].mask
    if not flow_hash.mask(one, fields) and fields in (2, 3):
        return  # The reference looks at layer 2 then without saying so.
    other = one ^ (SLOTS["nw_ttl"].mask | SLOTS["vlan_tpid0"].mask)
    for name in ("tp_src", "tp_dst", "nw_src", "nw_dst", "ipv6_dst", "dl_src"):
        other ^= SLOTS[name].mask & ~looked_at
    assert flow_hash.by_fields(one, fields, 9) == flow_hash.by_fields(other, fields, 9)


@pytest.mark.parametrize("algorithm", range(4))
@pytest.mark.parametrize("n_links", [1, 2, 7, 64, 65, 1000])
def test_every_link_is_chosen_by_some_hash(algorithm, n_links):
    links = {
        flow_hash.multipath_link(value * 0x9E3779B1 & 0xFFFFFFFF, algorithm, n_links)
        for value in range(20 * min(n_links, 65))
    }
    assert min(links) >= 0
    assert max(links) < n_links
    assert len(links) >= min(n_links, 50)


@pytest.mark.parametrize(
    ("changes", "low_bits"),
    [
        ({}, (0x8123, 0x7875, 0xEAD2, 0xEAD2, 0xC104, 0x0538, 0x1075)),
        (
            {"nw_proto": 17},
            (0x8123, 0x5363, 0x5EFD, 0x0471, 0xC104, 0x0538, 0x1075),
        ),
        (
            {
                "dl_type": 0x86DD,
                "ipv6_src": 0xFD00 << 112 | 0x10002,
                "ipv6_dst": 0xFD00 << 112 | 3,
            },
            (0x8123, 0x3F7E, 0xF22D, 0xF22D, 0x3944, 0x082B, 0xE85D),
        ),
    ],
)
def test_hashes_are_the_references(changes, low_bits):
    """Taken from its "multipath" action: basis 7, modulo 65536."""
    packet = flow(**TCP | changes)
    found = [flow_hash.by_fields(packet, fields, 7) & 0xFFFF for fields in range(7)]
    assert tuple(found) == low_bits
