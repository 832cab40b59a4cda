# SPDX-License-Identifier: Apache-2.0
"""Matches on the wire in extensible form (OpenFlow 1.5.1 §7.2.3)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow import access, parse, prereqs
from ovswitch.flow.fields import ALL, FIELDS
from ovswitch.flow.match import Match
from ovswitch.openflow import oxm
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.wire import Cursor

BASES = ("", "ip", "ipv6", "tcp", "udp6", "sctp", "icmp", "icmp6", "arp", "mpls", "nsh")
#: Not on the wire, or several names of one thing.
SKIPPED = {
    "dp_hash", "recirc_id", "skb_priority", "in_port_oxm", "packet_type", "vlan_tci",
    "dl_vlan", "dl_vlan_pcp", "dl_type", "nw_proto", "xreg0",
}  # fmt: skip
PLAIN = [
    field
    for field in ALL
    if field.name not in SKIPPED
    and access.tun_metadata_index(field) is None
    and not field.name.startswith(("xreg", "xxreg", "reg"))
]


@st.composite
def matches(draw):
    base = draw(st.sampled_from(BASES))
    match = (parse.set_protocol(Match(), base) if base else None) or Match()
    for field in draw(st.lists(st.sampled_from(PLAIN), max_size=4, unique=True)):
        if not prereqs.holds_for_match(field, match) or not field.oxms:
            continue
        if not access.is_wild(field, match.mask):
            continue
        bits = min(field.n_bits, 16)
        value = draw(st.integers(0, (1 << bits) - 1))
        mask = None
        if field.maskable:
            mask = draw(st.none() | st.integers(1, (1 << field.n_bits) - 1))
        match = access.set_match(field, match, value, mask)
    return match


@settings(max_examples=100, deadline=None)
@given(matches())
def test_a_match_survives_nicira_form(match):
    octets, size = oxm.put_nxm(match)
    cursor = Cursor(octets)
    again = oxm.take_nxm(cursor, size).match
    assert not cursor.left
    assert oxm.put_nxm(again) == (octets, size)


@settings(max_examples=100, deadline=None)
@given(matches(), st.integers(3, 6))
def test_a_match_survives_the_standards_form(match, version):
    octets = oxm.put_oxm(match, version)
    assert len(octets) % 8 == 0
    cursor = Cursor(octets)
    again = oxm.take_oxm(cursor)
    assert not cursor.left
    assert oxm.put_oxm(again, version) == octets


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("0000", "OFPBMC_BAD_LEN"),  # half a header
        ("00000002 00", "OFPBMC_BAD_LEN"),  # half a value
        ("00000602 0800 00000602 0800", "OFPBMC_DUP_FIELD"),
        ("00000602 0800 00000e04 01020304 00000e04 01020304", "OFPBMC_DUP_FIELD"),
        ("00000e04 01020304", "OFPBMC_BAD_PREREQ"),  # an address without IP
        ("00000602 86dd 00000e04 01020304", "OFPBMC_BAD_PREREQ"),
        ("00000602 0800 00000f08 01020304 ffffff00", "OFPBMC_BAD_WILDCARDS"),
        ("00000704 0800 ff00", "OFPBMC_BAD_MASK"),  # an EtherType has no mask
        ("00000602 0800 00000a01 03", "OFPBMC_BAD_VALUE"),  # DSCP, low bits
        ("0000fe02 0001", "OFPBMC_BAD_FIELD"),
        ("7fff0002 0001", "OFPBMC_BAD_FIELD"),
        ("ffff0002 0001", "OFPBMC_BAD_LEN"),  # an experimenter without its id
        ("00013c08 0000000000000001", "OFPBMC_BAD_FIELD"),  # a cookie, not here
    ],
)
def test_a_wrong_entry_is_refused(octets, error):
    raw = bytes.fromhex(octets.replace(" ", ""))
    padded = raw + bytes(-len(raw) % 8)
    with pytest.raises(OpenFlowError) as caught:
        oxm.take_nxm(Cursor(padded), len(raw))
    assert caught.value.name == error


def test_a_cookie_comes_beside_the_match():
    raw = bytes.fromhex("00013d10 0000000000000005 00000000000000ff 00000602 0800")
    decoded = oxm.take_nxm(
        Cursor(raw + bytes(-len(raw) % 8)), len(raw), allow_cookie=True
    )
    assert (decoded.cookie, decoded.cookie_mask) == (5, 0xFF)
    assert FIELDS["dl_type"].get(decoded.match.value) == 0x0800


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("000100", "OFPBMC_BAD_LEN"),
        ("00010003", "OFPBMC_BAD_LEN"),
        ("00020004 00000000", "OFPBMC_BAD_TYPE"),
        ("00010008 80000004", "OFPBMC_BAD_LEN"),
        ("0001000c 80000004 00000001", "OFPBMC_BAD_LEN"),  # without its padding
    ],
)
def test_a_wrong_match_header_is_refused(octets, error):
    with pytest.raises(OpenFlowError) as caught:
        oxm.take_oxm(Cursor(bytes.fromhex(octets.replace(" ", ""))))
    assert caught.value.name == error


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_any_octets_are_a_match_or_an_error(octets):
    try:
        match = oxm.take_nxm(Cursor(octets + bytes(8)), len(octets)).match
    except OpenFlowError as error:
        assert error.name.startswith(("OFPBMC_", "NX"))  # noqa: PT017
        return
    assert match.value & ~match.mask == 0


@pytest.mark.parametrize("port", [1, 0xFEFF, 0xFFFE])
def test_what_is_remembered_of_an_entry_is_what_it_means(port):
    """The second time an entry comes it is taken from memory."""
    number = port if port < 0xFF00 else port | 0xFFFF0000
    raw = bytes.fromhex("80000004") + number.to_bytes(4, "big")
    raw += bytes.fromhex("80000c02 1007")
    padded = raw + bytes(-len(raw) % 8)
    first = oxm.take_nxm(Cursor(padded), len(raw)).match
    assert oxm.take_nxm(Cursor(padded), len(raw)).match == first
    assert FIELDS["in_port"].get(first.value) == port
    with pytest.raises(OpenFlowError, match="OFPBMC_DUP_FIELD"):
        oxm.take_nxm(Cursor(raw + raw + bytes(-2 * len(raw) % 8)), 2 * len(raw))


def test_an_arp_operation_is_wider_on_the_wire_than_in_a_flow():
    """NXM_OF_ARP_OP is 16 bits, of which a flow keeps 8: nothing else is matched."""
    octets = bytes.fromhex("00000602080600001e020001")
    match = oxm.take_nxm(Cursor(octets + bytes(4)), len(octets)).match
    assert not match.mask & FIELDS["nw_ttl"].mask
    assert FIELDS["arp_op"].get(match.value) == 1
    assert oxm.put_nxm(match)[0][:12] == octets


def test_an_arp_operation_beyond_eight_bits_is_a_bad_value():
    octets = bytes.fromhex("00000602080600001e020101")
    with pytest.raises(OpenFlowError, match="OFPBMC_BAD_VALUE"):
        oxm.take_nxm(Cursor(octets + bytes(4)), len(octets))


def test_the_mask_of_a_vlan_has_no_bits_of_the_priority():
    match = parse.set_field(Match(), FIELDS["dl_vlan_pcp"], "5")[0]
    octets = oxm.encode(match, 4)
    assert octets.hex() == "80000d0410001000" + "80000e0105"
