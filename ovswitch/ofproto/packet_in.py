# SPDX-License-Identifier: Apache-2.0
"""A packet on its way to controllers, before it has the form that each wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.wildcards import metadata_match
from ovswitch.ofproto.xlate.recirc import UnrollXlate
from ovswitch.openflow.messages.packet_in import Continuation, PacketIn

if TYPE_CHECKING:
    from ovswitch.flow.tun_metadata import TunTable
    from ovswitch.ofproto.xlate.recirc import FrozenState
    from ovswitch.openflow.actions.types import Action


class PacketInEvent:
    """A packet for the controllers.

    Attributes:
        flow: with the pipeline's metadata at the action that sent it.
        reason: OFPR_*, with the reference's own two for misses.
        max_len: how much of it a controller gets.
        state: where to go on, if the pipeline was paused.
    """

    __slots__ = (
        "controller_id", "cookie", "flow", "max_len", "packet", "reason", "state",
        "table_id", "userdata",
    )  # fmt: skip

    def __init__(
        self,
        packet: bytes,
        flow: int,
        *,
        reason: int,
        table_id: int,
        cookie: int,
        controller_id: int = 0,
        max_len: int = 0xFFFF,
        userdata: bytes = b"",
        state: FrozenState | None = None,
    ) -> None:
        self.packet = packet
        self.flow = flow
        self.reason = reason
        self.table_id = table_id
        self.cookie = cookie
        self.controller_id = controller_id
        self.max_len = max_len
        self.userdata = userdata
        self.state = state


def make_packet_in(event: PacketInEvent, tun: TunTable | None) -> PacketIn:
    """Return the message, which connections encode each in its own form."""
    message = PacketIn(event.packet[: event.max_len])
    message.total_len = len(event.packet)
    message.reason = event.reason
    message.table_id = event.table_id
    message.cookie = event.cookie
    message.metadata = metadata_match(event.flow, tun)
    message.userdata = event.userdata
    state = event.state
    if state is not None:
        message.continuation = continuation = Continuation()
        continuation.bridge = state.bridge
        continuation.mirrors = state.mirrors
        continuation.conntracked = state.conntracked
        continuation.action_set = state.action_set
        continuation.stack = [
            value.to_bytes((bits + 7) // 8, "big")
            for value, bits in reversed(state.stack)
        ]
        continuation.actions = _by_rule(event, state.actions)
    return message


def _by_rule(
    event: PacketInEvent, actions: tuple[Action, ...]
) -> list[tuple[int, int, tuple[Action, ...]]]:
    """Return what is left to do, cut where another rule's actions go on."""
    parts: list[tuple[int, int, list[Action]]] = []
    place = event.table_id, event.cookie
    for action in actions:
        if isinstance(action, UnrollXlate):
            place = action.table_id, action.rule_cookie
            parts.append((*place, []))
            continue
        if not parts:
            parts.append((*place, []))
        parts[-1][2].append(action)
    return [(table_id, cookie, tuple(part)) for table_id, cookie, part in parts]
