# SPDX-License-Identifier: Apache-2.0
"""NXT_RESUME: a paused packet comes back from its controller and goes on.

The controller may have changed the packet and its metadata, and the continuation is
only as good as the controller: nothing here trusts it but for what the wire's decoder
has checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.layout import SLOTS, TUNNEL_MASK
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import pipeline
from ovswitch.ofproto.xlate.cache import FlowStats
from ovswitch.ofproto.xlate.recirc import METADATA_MASK, FrozenState, UnrollXlate
from ovswitch.openflow.actions.types import Note
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.packet_in import Continuation, Resume
from ovswitch.packet.extract import extract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request
    from ovswitch.openflow.actions.types import Action

_TCP_FLAGS = SLOTS["tcp_flags"]

#: What a datapath keeps beside a packet's octets; the rest is the frozen state's.
_PACKET_METADATA = TUNNEL_MASK
for _name in (
    *("recirc_id", "dp_hash", "skb_priority", "pkt_mark", "in_port", "ct_state"),
    *("ct_zone", "ct_mark", "ct_label", "ct_nw_proto", "ct_tp_src", "ct_tp_dst"),
    *("ct_nw_src", "ct_nw_dst", "ct_ipv6_src", "ct_ipv6_dst"),
):
    _PACKET_METADATA |= SLOTS[_name].mask


def _resume(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, Resume)
    ofproto = ofconn.ofproto
    metadata = message.metadata.value
    flow = extract(message.packet, metadata & _PACKET_METADATA)
    now = ofproto.clock()
    tcp_flags = _TCP_FLAGS.get(flow)
    ctx = c.Context(ofproto, flow, now, packet=message.packet, tcp_flags=tcp_flags)
    continuation = message.continuation or Continuation()
    ctx.frozen_state = _state(continuation, metadata)
    pipeline.translate(ctx)
    backer = ofproto.backer
    try:
        if ctx.error == c.BRIDGE_NOT_FOUND:
            raise OpenFlowError("NXR_STALE")
        ctx.cache.push_stats(FlowStats(1, len(message.packet), now, tcp_flags))
        backer.udpif.execute_from(
            continuation.odp_port, message.packet, flow, odp.encode(ctx.odp)
        )
    finally:
        backer.recirc.release(ctx.recircs, now)


def _state(continuation: Continuation, metadata: int) -> FrozenState:
    """Return the state that a packet is thawed from."""
    return FrozenState(
        continuation.bridge or bytes(16),
        0,  # each rule's actions bring their table with them
        metadata & METADATA_MASK,
        stack=tuple(
            (int.from_bytes(value, "big"), 8 * len(value))
            for value in reversed(continuation.stack)
        ),
        mirrors=continuation.mirrors,
        conntracked=continuation.conntracked,
        # Without any action the packet would be looked up in the flow table.
        actions=tuple(_actions(continuation)) or (Note(b""),),
        action_set=continuation.action_set,
    )


def _actions(continuation: Continuation) -> Iterator[Action]:
    for table_id, cookie, actions in continuation.actions:
        yield UnrollXlate(table_id, cookie)
        yield from actions


HANDLERS = {"NXT_RESUME": _resume}
