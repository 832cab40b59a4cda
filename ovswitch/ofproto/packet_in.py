# SPDX-License-Identifier: Apache-2.0
"""A packet on its way to controllers, before it has the form that each wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.recirc import FrozenState


class PacketInEvent:
    """A packet for the controllers.

    Attributes:
        flow: with the pipeline's metadata at the action that sent it.
        reason: OFPR_*, with the reference's own two for misses.
        state: where to go on, if the pipeline was paused.
        odp_port: the datapath's port that it came from, for going on.
    """

    __slots__ = (
        "controller_id", "cookie", "flow", "odp_port", "packet", "reason", "state",
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
        userdata: bytes = b"",
        state: FrozenState | None = None,
        odp_port: int = 0,
    ) -> None:
        self.packet = packet
        self.flow = flow
        self.reason = reason
        self.table_id = table_id
        self.cookie = cookie
        self.controller_id = controller_id
        self.userdata = userdata
        self.state = state
        self.odp_port = odp_port
