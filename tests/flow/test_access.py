# SPDX-License-Identifier: Apache-2.0
"""Fields of flows and matches, as actions and messages see them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.flow import access, prereqs, values, wildcards
from ovswitch.flow.fields import ALL, FIELDS
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match

PLAIN = [field for field in ALL if access.tun_metadata_index(field) is None]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PLAIN), st.data())
def test_what_is_put_is_found(field, data):
    value = data.draw(st.integers(0, (1 << field.n_bits) - 1))
    if not values.is_valid(field, value) or field.name in ("in_port_oxm", "dl_vlan"):
        return
    flow = access.put(field, 0, value)
    got = access.get(field, flow)
    if field.name not in ("dl_vlan_pcp", "vlan_pcp", "vlan_vid", "actset_output"):
        assert got == value
    assert access.put(field, flow, got) == flow


@pytest.mark.parametrize(
    ("name", "value", "tci"),
    [
        ("dl_vlan", 5, 0x1005),
        ("dl_vlan", 0xFFFF, 0),
        ("vlan_vid", 0x1005, 0x1005),
        ("vlan_vid", 0, 0),
        ("dl_vlan_pcp", 3, 0x7000),
        ("vlan_tci", 0x7123, 0x7123),
    ],
)
def test_vlan_fields_are_windows_of_the_same_header(name, value, tci):
    flow = access.put(FIELDS[name], 0, value)
    assert SLOTS["vlan_tci0"].get(flow) == tci
    assert SLOTS["vlan_tpid0"].get(flow) == (0x8100 if tci else 0)


def test_matches_on_both_halves_of_a_vlan_header_add_up():
    match = access.set_match(FIELDS["dl_vlan"], Match(), 5)
    match = access.set_match(FIELDS["dl_vlan_pcp"], match, 3)
    assert SLOTS["vlan_tci0"].get(match.value) == 0x7005
    assert SLOTS["vlan_tci0"].get(match.mask) == 0xFFFF
    match = access.set_wild(FIELDS["dl_vlan_pcp"], match)
    assert SLOTS["vlan_tci0"].get(match.mask) == 0x1FFF
    assert access.set_wild(FIELDS["dl_vlan"], match) == Match()


def test_the_standards_port_has_32_bits():
    flow = access.put(FIELDS["in_port_oxm"], 0, 0xFFFFFFFE)
    assert FIELDS["in_port"].get(flow) == 0xFFFE
    assert access.get(FIELDS["in_port_oxm"], flow) == 0xFFFFFFFE


@pytest.mark.parametrize(
    ("field", "members", "holds"),
    [
        ("ip_src", {"dl_type": 0x0800}, True),
        ("ip_src", {"dl_type": 0x86DD}, False),
        ("arp_op", {"dl_type": 0x0806}, True),
        ("tcp_src", {"dl_type": 0x0800, "nw_proto": 6}, True),
        ("tcp_src", {"dl_type": 0x0800, "nw_proto": 17}, False),
        ("tcp_src", {"dl_type": 0x0800, "nw_proto": 6, "nw_frag": 3}, False),
        ("nd_target", {"dl_type": 0x86DD, "nw_proto": 58, "tp_src": 135}, True),
        ("nd_target", {"dl_type": 0x86DD, "nw_proto": 58, "tp_src": 128}, False),
        ("mpls_label", {"dl_type": 0x8847}, True),
        ("vlan_pcp", {}, False),
        ("vlan_pcp", {"vlan_tci0": 0x1000}, True),
        ("eth_src", {"packet_type": 0x10800}, False),
        ("ip_src", {"packet_type": 0x10800}, True),
        ("reg0", {}, True),
    ],
)
def test_fields_mean_something_only_in_their_packets(field, members, holds):
    flow = 0
    for name, value in members.items():
        flow = SLOTS[name].put(flow, value)
    assert prereqs.holds(FIELDS[field], flow) is holds
    assert prereqs.look(FIELDS[field], flow)[0] is holds


def test_an_exact_match_covers_what_the_packet_has():
    flow = SLOTS["dl_type"].put(0, 0x0800)
    flow = SLOTS["nw_proto"].put(flow, 6)
    mask = wildcards.for_packet(flow)
    for name in ("dl_src", "nw_src", "tp_src", "tcp_flags", "ct_state", "vlan_tci0"):
        assert mask & SLOTS[name].mask == SLOTS[name].mask, name
    for name in ("ipv6_src", "arp_sha", "mpls_lse0", "vlan_tci1", "tun_src", "reg0"):
        assert not mask & SLOTS[name].mask, name
