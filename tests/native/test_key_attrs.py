# SPDX-License-Identifier: Apache-2.0
"""Flow keys and masks as attributes, both ways (the reference's odp-util.c)."""

import random

import pytest

from ovswitch.flow.layout import SLOTS
from ovswitch.native import core
from ovswitch.native.core import AttributesError

from . import odp, packets
from .odp import attr, be16, eth, u32

METADATA = SLOTS["in_port"].put(0, 3) | SLOTS["recirc_id"].put(0, 5)
# Keys with members that have no attribute, or that come back as their default.
INEXACT = {"igmp", "mpls 4", "llc"}


def key_of(name):
    return core.extract(packets.OCTETS[name], METADATA)


@pytest.mark.parametrize("name", sorted(set(packets.OCTETS) - INEXACT))
def test_a_packet_s_key_survives_its_attributes(name):
    key = key_of(name)
    assert core.key_from_attrs(core.key_to_attrs(key)) == key


@pytest.mark.parametrize("name", sorted(set(packets.OCTETS) - {"mpls 4"}))
def test_an_exact_mask_survives_once_written(name):
    key = key_of(name)
    attrs = core.mask_to_attrs(key, core.mask_from_attrs(b"", key))
    mask = core.mask_from_attrs(attrs, key)
    assert core.mask_to_attrs(key, mask) == attrs


def test_a_batch_marks_the_malformed():
    good = core.key_to_attrs(key_of("tcp"))
    assert core.keys_from_attrs([good, good[:-3], b"", good]) == [
        key_of("tcp"),
        None,
        core.key_from_attrs(b""),
        key_of("tcp"),
    ]


def test_labels_are_little_endian():
    key = core.key_from_attrs(attr(odp.K_CT_LABELS, bytes(range(16))) + eth())
    assert SLOTS["ct_label"].get(key) == int.from_bytes(bytes(range(16)), "little")


def test_a_key_without_port_has_none():
    assert SLOTS["in_port"].get(core.key_from_attrs(eth())) == 0xFFFFFFFF


def test_truncated_vlan_header():
    octets = packets.OCTETS["vlan"][:16]
    key = core.extract(octets, METADATA)
    assert SLOTS["dl_type"].get(key) == 0x8100
    assert core.key_from_attrs(core.key_to_attrs(key)) == key


IP = attr(odp.K_IPV4, bytes(8) + bytes([6, 0, 64, 0]))
TCP = attr(odp.K_TCP, bytes(4))
KEY = eth() + be16(odp.K_ETHERTYPE, 0x800) + IP + TCP


@pytest.mark.parametrize(
    ("why", "attrs"),
    [
        ("too few: no IPv4", eth() + be16(odp.K_ETHERTYPE, 0x800)),
        ("too few: no ports", eth() + be16(odp.K_ETHERTYPE, 0x800) + IP),
        ("too many: UDP ports", KEY + attr(odp.K_UDP, bytes(4))),
        ("wrong size", eth()[:-4] + KEY),
        ("duplicate", KEY + TCP),
        ("trailing octets", KEY + b"\0\0"),
        ("a length for a type", eth() + be16(odp.K_ETHERTYPE, 0x100)),
        ("bad fragment type", KEY.replace(IP, IP[:-1] + b"\3")),
        (
            "VLAN without its bit",
            eth()
            + be16(odp.K_ETHERTYPE, 0x8100)
            + be16(odp.K_VLAN, 5)
            + attr(odp.K_ENCAP),
        ),
        (
            "VLAN without inside",
            eth() + be16(odp.K_ETHERTYPE, 0x8100) + be16(odp.K_VLAN, 0x1005),
        ),
        (
            "big ARP operation",
            eth()
            + be16(odp.K_ETHERTYPE, 0x806)
            + attr(odp.K_ARP, bytes(8) + b"\x12\x34" + bytes(14)),
        ),
        (
            "MPLS with the bottom on top",
            eth()
            + be16(odp.K_ETHERTYPE, 0x8847)
            + attr(odp.K_MPLS, b"\0\0\1\0" + b"\0\0\1\0"),
        ),
        ("tunnel without TTL", attr(odp.K_TUNNEL, attr(0, bytes(8))) + KEY),
    ],
)
def test_keys_that_make_no_sense_are_refused(why, attrs):
    with pytest.raises(AttributesError):
        core.key_from_attrs(attrs)


@pytest.mark.parametrize(
    ("why", "mask"),
    [
        ("ports of another protocol", attr(odp.K_UDP, b"\xff" * 4)),
        ("layer 3 without type", attr(odp.K_IPV4, b"\xff" * 12)),
        (
            "ports without protocol",
            be16(odp.K_ETHERTYPE, 0xFFFF) + attr(odp.K_TCP, b"\xff" * 4),
        ),
    ],
)
def test_masks_that_make_no_sense_are_refused(why, mask):
    with pytest.raises(AttributesError):
        core.mask_from_attrs(mask, core.key_from_attrs(KEY))


def test_a_mask_without_vlan_matches_that_there_is_none():
    mask = core.mask_from_attrs(u32(odp.K_IN_PORT, 0), core.key_from_attrs(KEY))
    assert SLOTS["vlan_tci0"].get(mask) == 0xFFFF
    assert SLOTS["recirc_id"].get(mask) == 0xFFFFFFFF
    assert SLOTS["dl_type"].get(mask) == 0


def test_unknown_attributes_are_skipped():
    assert core.key_from_attrs(KEY + attr(77, b"abc")) == core.key_from_attrs(KEY)


@pytest.mark.parametrize("name", ["tcp6", "qinq", "nd both options", "nsh", "mpls 2"])
def test_broken_attributes_raise_and_nothing_else(name):
    rng = random.Random(3)
    attrs = core.key_to_attrs(key_of(name))
    for _ in range(2000):
        octets = bytearray(attrs)
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
        del octets[rng.randrange(len(octets) * 2) :]
        try:
            key = core.key_from_attrs(bytes(octets))
        except AttributesError:
            continue
        core.key_to_attrs(key)


def test_tunnel_members():
    tunnel = (
        attr(0, (5).to_bytes(8, "big"))
        + attr(1, bytes([1, 1, 1, 1]))
        + attr(2, bytes([2, 2, 2, 2]))
        + attr(4, b"\x40")
        + attr(6)
        + attr(8, b"\0\1\x80\1abcd")
        + attr(11, u32(1, 0x50007))
    )
    key = core.key_from_attrs(attr(odp.K_TUNNEL, tunnel) + KEY)
    assert SLOTS["tun_id"].get(key) == 5
    assert SLOTS["tun_dst"].get(key) == 0x02020202
    assert SLOTS["tun_flags"].get(key) == 0x0C
    assert SLOTS["tun_metadata_len"].get(key) == 8
    assert SLOTS["tun_gbp_id"].get(key) == 7
    assert SLOTS["tun_gbp_flags"].get(key) == 5
    assert core.key_from_attrs(core.key_to_attrs(key)) == key
