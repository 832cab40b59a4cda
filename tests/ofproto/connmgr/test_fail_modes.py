# SPDX-License-Identifier: Apache-2.0
"""What a switch does without controllers, and when they are gone."""

import pytest
from connmgr_switch import Peer, Settings

from ovswitch.ofproto.fail_open import FAIL_OPEN_PRIORITY
from ovswitch.openflow import codec
from ovswitch.openflow.actions.types import Output
from ovswitch.openflow.messages.core import BarrierRequest, EchoRequest
from ovswitch.openflow.messages.flow_stats import FlowStatsRequest
from ovswitch.openflow.messages.packet_in import PacketIn
from ovswitch.openflow.parse.flow import parse_flow_mod

NORMAL = (Output(0xFFFA),)
CONTROLLER = Settings("tcp:127.0.0.1:6653", is_primary=True)
MANAGEMENT = Settings()


def _flows(switch):
    return [
        (rule.priority, rule.actions)
        for rule in switch.ofproto.tables.rules()
        if rule.table_id == 0
    ]


@pytest.fixture
def standalone(switch):
    switch.connmgr.set_fail_mode(is_secure=False)
    return switch


def test_a_secure_switch_begins_without_flows(switch):
    switch.connmgr.set_controllers([MANAGEMENT])
    assert not switch.connmgr.has_primary_controllers
    assert _flows(switch) == []


def test_a_standalone_switch_forwards_as_normal(standalone):
    assert _flows(standalone) == [(0, NORMAL)]
    (reply,) = Peer(standalone, 1).decoded(FlowStatsRequest())
    assert len(reply.flows) == 1


def test_the_flow_of_a_standalone_switch_goes_with_its_mode(standalone):
    standalone.connmgr.set_fail_mode(is_secure=True)
    assert _flows(standalone) == []


def test_the_first_and_the_last_controller_flush_the_tables(standalone):
    flow_mod, _ = parse_flow_mod("in_port=1,actions=drop", 0)
    Peer(standalone, 1).ask(flow_mod)
    standalone.connmgr.set_controllers([MANAGEMENT, CONTROLLER])
    assert standalone.connmgr.has_primary_controllers
    assert _flows(standalone) == []
    Peer(standalone, 1).ask(flow_mod)
    standalone.connmgr.set_controllers([MANAGEMENT])
    assert _flows(standalone) == [(0, NORMAL)]


def test_a_switch_fails_open_after_three_probe_intervals(standalone):
    standalone.connmgr.set_controllers([CONTROLLER])
    assert standalone.connmgr.deadline() == standalone.now + 15000
    standalone.run(14999)
    assert _flows(standalone) == []
    standalone.run(1)
    assert _flows(standalone) == [(FAIL_OPEN_PRIORITY, NORMAL)]
    (reply,) = Peer(standalone, 1).decoded(FlowStatsRequest())
    assert reply.flows == []  # it is hidden


def test_a_secure_switch_does_not_fail_open(switch):
    switch.connmgr.set_controllers([CONTROLLER])
    switch.run(100_000)
    assert _flows(switch) == []
    assert switch.connmgr.deadline() is None


def _fail(standalone):
    standalone.connmgr.set_controllers([CONTROLLER])
    standalone.run(15000)
    assert _flows(standalone)


def test_a_controller_that_asks_for_something_ends_the_failure(standalone):
    _fail(standalone)
    peer = Peer(standalone, 1, settings=CONTROLLER)
    peer.ask(EchoRequest())
    assert _flows(standalone)  # it may yet turn us away
    peer.ask(BarrierRequest())
    assert _flows(standalone) == []


def test_a_controller_that_keeps_us_half_a_minute_has_admitted_us(standalone):
    _fail(standalone)
    peer = Peer(standalone, 1, settings=CONTROLLER)
    standalone.run(29_999)
    peer.ask(EchoRequest())
    assert _flows(standalone)
    standalone.run(1)
    peer.ask(EchoRequest())
    assert _flows(standalone) == []


def test_made_up_packets_give_a_controller_its_occasion(standalone):
    _fail(standalone)
    peer = Peer(standalone, 1, settings=CONTROLLER)
    standalone.run()
    standalone.run(1999)
    assert peer.take() == []
    standalone.run(1)
    (octets,) = peer.take()
    packet_in = codec.decode(octets)
    assert isinstance(packet_in, PacketIn)
    assert packet_in.in_port == 0xFFFE
    assert len(packet_in.packet) == 42


def test_losing_the_controller_again_fails_open_again(standalone):
    _fail(standalone)
    peer = Peer(standalone, 1, settings=CONTROLLER)
    peer.ask(BarrierRequest())
    standalone.run(60_000)
    assert _flows(standalone) == []
    peer.ask(BarrierRequest())
    standalone.connmgr.disconnect(peer)
    standalone.run(14_999)
    assert _flows(standalone) == []
    standalone.run(1)
    assert _flows(standalone) == [(FAIL_OPEN_PRIORITY, NORMAL)]


def test_secure_mode_ends_the_failure(standalone):
    _fail(standalone)
    standalone.connmgr.set_fail_mode(is_secure=True)
    assert _flows(standalone) == []


def test_a_management_connection_is_no_controller(standalone):
    _fail(standalone)
    Peer(standalone, 1, settings=MANAGEMENT).ask(BarrierRequest())
    assert _flows(standalone) == [(FAIL_OPEN_PRIORITY, NORMAL)]
