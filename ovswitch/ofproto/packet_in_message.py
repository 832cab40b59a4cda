# SPDX-License-Identifier: Apache-2.0
"""From a packet that the pipeline sends to controllers to the message for it.

The whole packet is sent: nothing buffers the rest of it, and so a `max_len` has no say.
A paused pipeline's state goes along as a continuation, which `requests.resume` takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.wildcards import metadata_match
from ovswitch.ofproto.xlate.recirc import UnrollXlate
from ovswitch.openflow.messages.packet_in import Continuation, PacketIn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.packet_in import PacketInEvent
    from ovswitch.ofproto.xlate.recirc import FrozenState
    from ovswitch.openflow.actions.types import Action


def message_of(ofproto: Ofproto, event: PacketInEvent) -> PacketIn:
    """Return the packet-in message for a packet."""
    message = PacketIn(
        event.packet,
        metadata_match(event.flow, ofproto.tun_table),
        event.reason,
        event.table_id,
        event.cookie,
    )
    message.userdata = event.userdata
    if event.state is not None:
        message.continuation = _continuation(ofproto, event.state)
        message.continuation.odp_port = event.odp_port
    return message


def _continuation(ofproto: Ofproto, state: FrozenState) -> Continuation:
    """Return what a controller brings back to let the pipeline go on."""
    result = Continuation()
    result.bridge = ofproto.uuid
    result.stack = [
        value.to_bytes((bits + 7) // 8, "big") for value, bits in reversed(state.stack)
    ]
    result.mirrors = state.mirrors
    result.conntracked = state.conntracked
    result.actions = list(_groups(state.actions))
    result.action_set = state.action_set
    return result


def _groups(
    actions: tuple[Action, ...],
) -> Iterator[tuple[int, int, tuple[Action, ...]]]:
    """Yield (table, cookie, actions): what is left to do of each rule."""
    table_id = cookie = 0
    group: list[Action] = []
    for action in actions:
        if isinstance(action, UnrollXlate):
            if group:
                yield table_id, cookie, tuple(group)
            table_id, cookie = action.table_id, action.rule_cookie
            group = []
        else:
            group.append(action)
    if group:
        yield table_id, cookie, tuple(group)
