# SPDX-License-Identifier: Apache-2.0
"""Requests in several parts, and long replies."""

import struct

import pytest
from connmgr_switch import Peer
from hypothesis import given, settings
from hypothesis import strategies as st

from ovswitch.ofproto import multipart
from ovswitch.openflow import codec, raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.core import BarrierRequest
from ovswitch.openflow.messages.flow_stats import FlowStatsReply, FlowStatsRequest
from ovswitch.openflow.messages.port_stats import PortStatsRequest
from ovswitch.openflow.parse.flow import parse_flow_mod

_PORTS = raws.find("PORT_STATS_REQUEST", 4)
_FEATURES = raws.find("TABLE_FEATURES_STATS_REQUEST", 4)


def _part(body=b"", *, more=True, xid=9, raw=_PORTS):
    return raws.put(raw, 4, xid, body, int(more))


def test_a_request_is_complete_with_its_last_part():
    assembler = multipart.Assembler()
    assert assembler.add(_part(bytes(8)), 0) == []
    assert assembler.deadline() == 1000
    last = _part(bytes(8), more=False)
    assert assembler.add(last, 500) == [_part(bytes(8)), last]
    assert assembler.deadline() is None


def test_empty_parts_are_left_out():
    assembler = multipart.Assembler()
    body = _part(bytes(8))
    for part in (_part(), body, _part()):
        assert assembler.add(part, 0) == []
    assert assembler.add(_part(more=False), 0) == [body]


def test_a_request_that_is_not_completed_expires(switch):
    peer = Peer(switch, 4)
    assert peer.ask(_part(bytes(8))) == []
    switch.run(999)
    assert peer.take() == []
    switch.run(1)
    (octets,) = peer.take()
    error = codec.decode(octets)
    assert error.name == "OFPBRC_MULTIPART_REQUEST_TIMEOUT"
    assert error.xid == 9


def test_requests_are_bounded_in_size():
    assembler = multipart.Assembler()
    part = _part(bytes(65528 - 16), raw=_FEATURES)
    for _ in range(multipart.MAX_REQUEST_SIZE // len(part)):
        assert assembler.add(part, 0) == []
    with pytest.raises(OpenFlowError, match="OFPBRC_MULTIPART_BUFFER_OVERFLOW"):
        assembler.add(part, 0)
    assert assembler.deadline() is None


def test_requests_are_bounded_in_number():
    assembler = multipart.Assembler()
    for xid in range(16):
        assembler.add(_part(xid=xid), 0)
    with pytest.raises(OpenFlowError, match="OFPBRC_MULTIPART_BUFFER_OVERFLOW"):
        assembler.add(_part(xid=99), 0)
    assert assembler.add(_part(bytes(8), more=False, xid=3), 0)


@given(st.lists(st.binary(max_size=40000), max_size=6))
@settings(max_examples=30)
def test_replies_hold_all_entries_in_order(entries):
    raw = raws.find("FLOW_STATS_REPLY", 4)
    parts = list(multipart.reply(raw, 4, 9, entries))
    assert b"".join(part[16:] for part in parts) == b"".join(entries)
    assert [bool(part[11] & 1) for part in parts] == [True] * (len(parts) - 1) + [False]


def test_an_entry_that_fits_into_no_message_is_left_out():
    raw = raws.find("FLOW_STATS_REPLY", 4)
    (part,) = multipart.reply(raw, 4, 9, [b"a", bytes(65535), b"b"])
    assert part[16:] == b"ab"


def _fill(switch, peer, count):
    flow_mod, _ = parse_flow_mod("ip,nw_src=1.2.3.4,actions=output:2", 0)
    for i in range(count):
        flow_mod.priority = i
        assert peer.ask(flow_mod) == []


def test_a_long_reply_waits_for_room_in_the_send_buffer(switch):
    peer = Peer(switch, 4)
    _fill(switch, peer, 2000)
    peer.backlog = 1 << 20
    request = codec.encode(FlowStatsRequest(), 4, 9)
    switch.connmgr.receive(peer, request)
    assert peer.take() == []
    assert switch.connmgr.deadline() is not None
    assert switch.connmgr.resume(peer)
    peer.backlog = 0
    replies = []
    while switch.connmgr.resume(peer):
        replies += peer.take()
    replies += peer.take()
    flows = [flow for one in replies for flow in codec.decode(one).flows]
    assert len(flows) == 2000
    assert len(replies) > 1


def test_requests_wait_for_the_reply_before_them(switch):
    peer = Peer(switch, 4)
    _fill(switch, peer, 2000)
    peer.backlog = 1 << 20
    switch.connmgr.receive(peer, codec.encode(FlowStatsRequest(), 4, 9))
    switch.connmgr.receive(peer, codec.encode(BarrierRequest(), 4, 10))
    *replies, barrier = [codec.decode(one) for one in peer.take()]
    assert all(isinstance(one, FlowStatsReply) for one in replies)
    assert barrier.xid == 10


def test_a_peer_that_is_gone_gets_nothing_more(switch):
    peer = Peer(switch, 4)
    peer.backlog = 1 << 20
    switch.connmgr.receive(peer, codec.encode(PortStatsRequest(), 4, 9))
    switch.connmgr.disconnect(peer)
    switch.run(1000)
    assert peer.take() == []
    assert switch.connmgr.deadline() is None


def test_stats_requests_of_openflow_10_have_one_part(switch):
    """Their flag "more" has no meaning (OpenFlow 1.0 has no multipart requests)."""
    peer = Peer(switch, 1)
    raw = raws.find("PORT_STATS_REQUEST", 1)
    octets = raws.put(raw, 1, 9, struct.pack("!H6x", 1), 1)
    (reply,) = peer.decoded(octets)
    assert [port.port_no for port in reply.ports] == [1]
