# SPDX-License-Identifier: Apache-2.0
"""Netlink attributes and messages as octets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink
from ovswitch.datapath.transport import Answers, Sequencer


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=9)), max_size=6))
def test_attributes_come_back_in_order(attributes):
    octets = b"".join(netlink.attr(kind, payload) for kind, payload in attributes)
    assert len(octets) % 4 == 0
    assert netlink.walk(octets) == (attributes, b"")


def test_numbers_have_their_sizes_and_padding():
    assert netlink.put_u8(1, 5) == b"\x05\0\x01\0\x05\0\0\0"
    assert netlink.walk(netlink.put_u16(2, 7))[0] == [(2, b"\x07\0")]
    assert netlink.get_uint(netlink.put_u32(3, 9)[4:]) == 9
    assert netlink.get_string(netlink.put_string(5, "br0")[4:8]) == "br0"


@pytest.mark.parametrize("octets", [b"\3\0\1\0", b"\x09\0\1\0abc", b"\1", b"\0\0\0\0"])
def test_malformed_attributes_are_left_over(octets):
    good = netlink.put_u32(1, 1)
    assert netlink.walk(good + octets) == ([(1, b"\1\0\0\0")], octets)
    with pytest.raises(netlink.NetlinkError):
        netlink.parse(good + octets)


def test_message_has_its_headers_back():
    octets = netlink.message(f.OVS_FLOW, f.CMD_GET, 7, netlink.NLM_F_DUMP, 99, b"abcd")
    [one] = netlink.split(octets)
    assert (one.family, one.cmd, one.dp_ifindex, one.seq) == (f.OVS_FLOW, 3, 7, 99)
    assert one.attributes == b"abcd"
    assert one.flags == netlink.NLM_F_DUMP | netlink.NLM_F_REQUEST


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_any_octets_are_messages_or_an_error(octets):
    try:
        netlink.split(octets)
    except netlink.NetlinkError:
        return


def error(seq, errno):
    one = netlink.Message(netlink.NLMSG_ERROR, 0, seq, 0)
    one.error = errno
    return one


def test_answers_are_sorted_by_request_and_stale_ones_dropped():
    sequencer = Sequencer()
    sequencer.number([(f.OVS_FLOW, 1, 1, 0, b"")] * 3)
    first, octets = sequencer.number([(f.OVS_FLOW, 1, 1, 0, b"")] * 2)
    assert [netlink.split(one)[0].seq for one in octets] == [first, first + 1]
    answers = Answers(first, 2)
    answers.add(error(first - 1, 17))
    answers.add(error(first + 1, 2))
    assert not answers.complete
    answers.add(error(first, 0))
    assert answers.complete
    assert [[one.error for one in own] for own in answers.replies] == [[0], [2]]
