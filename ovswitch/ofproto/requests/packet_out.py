# SPDX-License-Identifier: Apache-2.0
"""Packets from controllers: through the pipeline, then through the datapath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.layout import FLOW_MASK, SLOTS
from ovswitch.flow.match import Match
from ovswitch.ofproto.xlate import pipeline
from ovswitch.ofproto.xlate.cache import FlowStats
from ovswitch.ofproto.xlate.context import Context
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import NO_BUFFER
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.packet.extract import extract
from ovswitch.runtime import coverage

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.requests.request import Request
    from ovswitch.openflow.actions.types import Action

_packet_outs = coverage.Counter("ofproto_packet_out")

_TCP_FLAGS = SLOTS["tcp_flags"]


def _packet_out(ofconn: Ofconn, request: Request) -> None:
    _packet_outs.add()
    message = request.decode()
    assert isinstance(message, PacketOut)
    if message.buffer_id != NO_BUFFER:
        raise OpenFlowError("OFPBRC_BUFFER_UNKNOWN")
    flow = extract(message.packet, message.metadata.value)
    # The match is exact, so that prerequisites are judged by the packet itself.
    actions = ofpacts.check(
        message.actions, Match(flow, FLOW_MASK), ofconn.protocol, table_id=0
    )
    ofconn.ofproto.tables.check_actions(actions)
    execute(ofconn.ofproto, flow, message.packet, actions)


def execute(
    ofproto: Ofproto, flow: int, packet: bytes, actions: tuple[Action, ...]
) -> None:
    """Let a switch do OpenFlow `actions` to a packet.

    Args:
        ofproto: the switch.
        flow: the packet's, with metadata and the OpenFlow in_port.
        packet: its octets.
        actions: as checked.

    Raises: OpenFlowError: the actions fail; nothing was done.
    """
    now = ofproto.clock()
    tcp_flags = _TCP_FLAGS.get(flow)
    ctx = Context(ofproto, flow, now, packet=packet, tcp_flags=tcp_flags)
    ctx.in_packet_out = True
    pipeline.translate(ctx, actions)
    backer = ofproto.backer
    try:
        if ctx.error:
            raise OpenFlowError("OFPFMFC_UNKNOWN")
        ctx.cache.push_stats(FlowStats(1, len(packet), now, tcp_flags))
        backer.udpif.execute_on(ofproto, packet, flow, odp.encode(ctx.odp))
    finally:
        backer.recirc.release(ctx.recircs, now)


HANDLERS = {"PACKET_OUT": _packet_out}
