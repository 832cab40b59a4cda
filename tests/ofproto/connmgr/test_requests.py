# SPDX-License-Identifier: Apache-2.0
"""What single requests do, version by version."""

import pytest
from connmgr_switch import Peer

from ovswitch.openflow.actions.types import Output, Resubmit
from ovswitch.openflow.messages.core import (
    BarrierReply,
    BarrierRequest,
    EchoReply,
    EchoRequest,
    FeaturesRequest,
)
from ovswitch.openflow.messages.flow_stats import FlowStatsRequest
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.openflow.parse.flow import parse_flow_mod
from ovswitch.openflow.version import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_echo_and_barrier_are_answered(switch, version):
    peer = Peer(switch, version)
    echo, barrier = peer.decoded(EchoRequest(b"abc"), BarrierRequest())
    assert isinstance(echo, EchoReply)
    assert echo.octets == b"abc"
    assert echo.xid == 7
    assert isinstance(barrier, BarrierReply)


@pytest.mark.parametrize("version", VERSIONS)
def test_features_tell_the_datapath_id(switch, version):
    (reply,) = Peer(switch, version).decoded(FeaturesRequest())
    assert reply.datapath_id == 1
    assert reply.n_tables == 254
    assert len(reply.ports) == (3 if version < 4 else 0)


def _packet_out(*actions):
    return PacketOut(bytes(60), 1, actions)


@pytest.mark.parametrize("version", VERSIONS)
def test_packet_outs_count_for_the_flows_that_they_meet(switch, version):
    peer = Peer(switch, version)
    flow_mod, _ = parse_flow_mod("in_port=1,actions=output:2", 0)
    assert peer.ask(flow_mod, _packet_out(Resubmit(0xFFF8, 0)), _packet_out()) == []
    (reply,) = peer.decoded(FlowStatsRequest())
    assert [(flow.packet_count, flow.byte_count) for flow in reply.flows] == [(1, 60)]


def test_a_packet_out_that_loops_is_refused(switch):
    peer = Peer(switch, 4)
    flow_mod, _ = parse_flow_mod("actions=resubmit(,0)", 0)
    (error,) = peer.decoded(flow_mod, _packet_out(Resubmit(0xFFF8, 0)))
    assert error.name == "OFPFMFC_UNKNOWN"


def test_flow_mods_are_counted_for_the_log(switch):
    peer = Peer(switch, 4)
    flow_mod, _ = parse_flow_mod("in_port=1,actions=output:2", 0)
    peer.ask(flow_mod)
    ofconn = switch.connmgr.connections[peer]
    assert ofconn.flow_mod_log.next_report == switch.now + 10_000
    switch.run(10_000)
    assert ofconn.flow_mod_log.next_report is None


def test_memory_is_accounted_for(switch):
    assert switch.connmgr.memory_usage() == {"ofconns": 0, "packets": 0}
    Peer(switch, 4)
    assert switch.connmgr.memory_usage() == {"ofconns": 1, "packets": 0}


def test_a_destroyed_switch_forgets_its_connections(switch):
    peer = Peer(switch, 4)
    switch.ofproto.destroy()
    assert not switch.connmgr.connections
    assert peer.take() == []
    assert _is_quiet(switch)


def _is_quiet(switch):
    return switch.connmgr.deadline() is None


def test_output_to_a_port_that_is_not_there_is_no_error(switch):
    assert Peer(switch, 1).ask(_packet_out(Output(77))) == []
